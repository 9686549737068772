/* Where everything came from, and how to check it: inputs, what was left out, manifests. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/report/format.h"
#include "lib/report/page.h"

/* A link for a web address, words for a package, and nothing about places on a machine. */
static void source(const struct page *p, const char *text)
{
    struct markup *m = p->html;
    size_t n = strcspn(text, " ");
    if (strncmp(text, "https://", 8) == 0 || strncmp(text, "http://", 7) == 0) {
        const char *host = strstr(text, "//") + 2, *mark = memchr(text, '!', n);
        char *url = calloc(1, n + 1), *name = calloc(1, n + 1);
        if (url && name) {
            /* What stands behind ! is a file in an archive, no part of the address. */
            memcpy(url, text, mark ? (size_t)(mark - text) : n);
            memcpy(name, host, strcspn(host, "/! "));
            markup_raw(m, "<a href=\"");
            markup_text(m, url);
            markup_raw(m, "\">");
            markup_text(m, name);
            markup_raw(m, "</a>");
        }
        m->failed = m->failed || !url || !name;
        free(url);
        free(name);
    } else if (strncmp(text, "pip:", 4) == 0) {
        markup_raw(m, "package ");
        markup_text(m, text + 4);
    } else {
        markup_raw(m, strncmp(text, "file:", 5) == 0 || text[0] == '/' ? "a local file" : "–");
    }
}

static void input_row(const struct page *p, size_t i, bool used)
{
    const struct table *t = &p->r->inputs.t;
    char size[FORMAT_MAX];
    char *end;
    double bytes = strtod(table_text(t, "bytes", i), &end);
    markup_raw(p->html, "<tr><th scope=\"row\">");
    markup_text(p->html, table_text(t, "path", i));
    markup_raw(p->html, "</th>");
    page_cell_text(p, *end || end == table_text(t, "bytes", i) ? NULL : format_bytes(size, bytes));
    page_cell_text(p, table_text(t, "licence", i));
    markup_raw(p->html, "<td>");
    source(p, table_text(t, "source", i));
    markup_raw(p->html, "</td>");
    if (used) {
        page_cell_text(p, table_text(t, "need", i));
        markup_raw(p->html, "<td class=\"hash\">");
        markup_text(p->html, table_text(t, "sha256", i));
        markup_raw(p->html, "</td>");
    }
    markup_raw(p->html, "</tr>\n");
}

static void input_table(const struct page *p, bool used)
{
    const struct table *t = &p->r->inputs.t;
    page_table(p, used ? "Inputs" : "Inputs left out",
               used ? "file|size|licence|source|need|SHA-256" : "file|size|licence|source");
    for (size_t i = 0; i < t->n_rows; i++)
        if ((strcmp(table_text(t, "status", i), "have") == 0) == used)
            input_row(p, i, used);
    page_table_end(p);
}

void page_inputs(const struct page *p)
{
    const struct input_list *in = &p->r->inputs;
    page_section(p, "inputs", "Inputs");
    if (!in->present) {
        page_missing(p, "No list of inputs: the stage fetch left no inputs.tsv.");
        page_section_end(p);
        return;
    }
    markup_fmt(p->html,
               "<p>%zu file%s came in; each has the bytes whose SHA-256 stands here, or "
               "it would have been refused.</p>\n",
               in->n_used, in->n_used == 1 ? "" : "s");
    markup_raw(p->html, in->n_used > 8 ? "<details><summary>All inputs</summary>\n" : "<div>\n");
    input_table(p, true);
    markup_raw(p->html, in->n_used > 8 ? "</details>\n" : "</div>\n");
    markup_raw(p->html, "<h3 id=\"left-out\">Left out</h3>\n");
    if (in->n_left_out) {
        markup_fmt(p->html,
                   "<p>%zu optional input%s could not be had on that machine. Nothing below or "
                   "above stands for %s, and a run that has %s gives other numbers.</p>\n",
                   in->n_left_out, in->n_left_out == 1 ? "" : "s",
                   in->n_left_out == 1 ? "it" : "them", in->n_left_out == 1 ? "it" : "them");
        input_table(p, false);
    } else {
        markup_raw(p->html, "<p>Nothing: every input of this profile was there.</p>\n");
    }
    page_section_end(p);
}

void page_repeat(const struct page *p)
{
    struct markup *m = p->html;
    const char *profile = p->r->profile ? p->r->profile : "demo";
    page_section(p, "repeat", "Repeat and check");
    markup_raw(m, "<p>On a fresh machine, in a copy of the project:</p>\n<pre><code>./run demo");
    if (strcmp(profile, "demo") != 0) {
        markup_raw(m, " PROFILE=");
        markup_text(m, profile);
    }
    markup_raw(m, "</code></pre>\n<p>With the same inputs the result is the same, byte for byte, "
                  "whatever the number of threads. To see that no file was changed since:</p>\n"
                  "<pre><code>for m in $(find results/");
    markup_text(m, profile);
    markup_raw(m, " -name MANIFEST.tsv); do build/bin/manifest --check \"${m%/*}\"; done"
                  "</code></pre>\n<p>It hashes every file again and names each one that is "
                  "missing, changed or extra. Two runs are equal when the sums of the manifests "
                  "below are equal.</p>\n");
    page_section_end(p);
}

static void stage_row(const struct page *p, const struct stage *s)
{
    char size[FORMAT_MAX];
    markup_raw(p->html, "<tr><th scope=\"row\">");
    markup_text(p->html, s->name);
    markup_raw(p->html, "</th>");
    page_cell_text(p, s->version);
    page_cell_count(p, (double)s->n_inputs);
    page_cell_count(p, (double)s->n_outputs);
    page_cell_text(p, format_bytes(size, (double)s->bytes));
    markup_raw(p->html, "<td class=\"opts\">");
    for (size_t i = 0; i < s->n_params; i++) {
        markup_raw(p->html, i ? "<br/>" : "");
        markup_text(p->html, s->param[i]);
    }
    markup_raw(p->html, s->n_params ? "</td>" : "–</td>");
    markup_raw(p->html, "<td class=\"hash\">");
    markup_text(p->html, s->sha256);
    markup_raw(p->html, "</td></tr>\n");
}

/* A stage with a folder per sample need not have a manifest above them. */
static bool has_parts(const struct page *p, const struct stage *s)
{
    size_t n = strlen(s->name);
    for (size_t i = 0; i < p->r->n_stages; i++)
        if (strncmp(p->r->stage[i].name, s->name, n) == 0 && p->r->stage[i].name[n] == '/')
            return true;
    return false;
}

void page_manifests(const struct page *p)
{
    size_t n = 0;
    page_section(p, "manifests", "Manifests");
    for (size_t i = 0; i < p->r->n_stages; i++)
        n += p->r->stage[i].closed;
    if (n) {
        markup_raw(p->html, "<p>A stage ends by writing a ");
        page_term(p, "manifest", "manifest");
        markup_raw(p->html, ": what it read, its options, and the sum of every file it wrote.</p>\n"
                            "<details><summary>Sums and options of all stages</summary>\n");
        page_table(p, "Manifests",
                   "stage|version|>files read|>written|size|options|SHA-256 of MANIFEST.tsv");
        for (size_t i = 0; i < p->r->n_stages; i++)
            if (p->r->stage[i].closed)
                stage_row(p, &p->r->stage[i]);
        page_table_end(p);
        markup_raw(p->html, "</details>\n");
    } else {
        page_missing(p, "No stage is closed by a MANIFEST.tsv.");
    }
    for (size_t i = 0; i < p->r->n_stages; i++) {
        const struct stage *s = &p->r->stage[i];
        if (!s->closed && !has_parts(p, s))
            page_missing(p,
                         s->there ? "Stage %.120s has no MANIFEST.tsv: it did not end."
                                  : "Stage %.120s has not run.",
                         s->name);
    }
    page_section_end(p);
}
