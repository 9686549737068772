/* What was done with which cells: the strip of stages, quality control, tokens. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/report/format.h"
#include "lib/report/json.h"
#include "lib/report/page.h"

enum { MAX_FACTS = 24 }; /* of one report */

struct step {
    const char *title, *what;
    const char *stages; /* folders it stands for, cut at commas */
};

static const struct step steps[] = {
    { "fetch", "Public files come in, each checked against a known SHA-256.", "fetch" },
    { "import", "Any file format becomes one table of counts, cells by genes.", "import" },
    { "homolog-map",
      "Gene names become Ensembl ids; mouse genes take the id of their human homolog.",
      "homolog-map" },
    { "qc-filter", "Broken or empty cells and genes outside the core list go.", "qc-filter" },
    { "vocab, median", "Every gene gets a number and its typical count.", "vocab,median" },
    { "tokenize", "A cell becomes a list of its genes, the most remarkable first.", "tokenize" },
    { "knowledge", "What is known of genes: regulation, families, co-expression, promoters.",
      "knowledge,knowledge-report" },
    { "pretrain", "The model guesses hidden genes and their values.", "pretrain" },
    { "embed, map", "Each cell becomes a vector, and a dot on the map.",
      "embed,map,map-random,map-counts" },
    { "annotate", "Cell types from vectors, beside simple methods.", "annotate" },
    { "zero-shot", "The same from vectors as they are: nothing is trained.", "zero-shot" },
};

/* Folders of the step: how many there are, how many of them exist, how many have a manifest. A
 * stage with a folder per sample is closed when its parts are. */
static void state_of(const struct page *p, const char *stages, int *want, int *there, int *closed)
{
    char name[64];
    *want = *there = *closed = 0;
    for (const char *s = stages; *s;) {
        size_t n = strcspn(s, ",");
        snprintf(name, sizeof name, "%.*s", (int)n, s);
        const struct stage *stage = page_stage(p, name);
        bool parts = false;
        for (size_t i = 0; i < p->r->n_stages; i++)
            parts = parts || (strncmp(p->r->stage[i].name, name, n) == 0 &&
                              p->r->stage[i].name[n] == '/' && p->r->stage[i].closed);
        ++*want;
        *there += stage && stage->there;
        *closed += (stage && stage->closed) || parts;
        s += n + (s[n] == ',');
    }
}

static void step_number(const struct page *p, size_t i, char *to, size_t n)
{
    char a[FORMAT_MAX], b[FORMAT_MAX];
    const struct summary *s = p->s;
    to[0] = '\0';
    if (i == 0 && p->r->inputs.present)
        snprintf(to, n, "%zu files", p->r->inputs.n_used);
    else if (i == 1 && !isnan(s->cells_in))
        snprintf(to, n, "%s cells", format_count(a, s->cells_in));
    else if (i == 3 && !isnan(s->cells_kept))
        snprintf(to, n, "%s cells kept", format_count(a, s->cells_kept));
    else if (i == 4 && p->r->vocab.present)
        snprintf(to, n, "%s tokens", format_count(a, (double)p->r->vocab.n_tokens));
    else if (i == 5 && !isnan(s->tokens))
        snprintf(to, n, "%s genes in cells", format_large(a, s->tokens));
    else if (i == 6 && p->r->n_knowledge)
        snprintf(to, n, "%zu reports", p->r->n_knowledge);
    else if (i == 7 && !isnan(s->id.last))
        snprintf(to, n, "loss %s → %s", format_number(a, s->id.first),
                 format_number(b, s->id.last));
    else if (i == 8 && p->r->map[0].present)
        snprintf(to, n, "%s dots", format_count(a, (double)p->r->map[0].n));
    else if (i == 9 && s->scores.metric)
        snprintf(to, n, "%zu data sets", s->scores.n_sets);
}

void page_pipeline(const struct page *p)
{
    page_section(p, "pipeline", "What was done");
    markup_raw(p->html, "<ol class=\"strip\">\n");
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        int want, there, closed;
        char number[128];
        state_of(p, steps[i].stages, &want, &there, &closed);
        const char *class = closed == want ? "done" : there ? "part" : "none";
        const char *word = closed == want ? "closed by a manifest"
                           : there        ? "there, but not all of it closed by a manifest"
                                          : "not run";
        step_number(p, i, number, sizeof number);
        markup_fmt(p->html,
                   "<li class=\"%s\"><b>%s</b> <span>%s</span>%s%s%s <small>%s</small></li>\n",
                   class, steps[i].title, steps[i].what, *number ? " <em>" : "", number,
                   *number ? "</em>" : "", word);
    }
    markup_raw(p->html, "</ol>\n");
    page_section_end(p);
}

static void sample_row(const struct page *p, const struct sample *s)
{
    char share[FORMAT_MAX];
    markup_raw(p->html, "<tr><th scope=\"row\">");
    markup_text(p->html, s->name);
    markup_raw(p->html, "</th>");
    page_cell_text(p, s->species);
    page_cell_text(p, s->kind);
    page_cell_count(p, s->cells_in);
    page_cell_count(p, s->genes_in);
    page_cell_count(p, s->genes_mapped);
    page_cell_count(p, s->cells_kept);
    markup_fmt(p->html, "<td class=\"n\">%s</td>",
               isnan(s->cells_kept) ? "–" : format_share(share, s->cells_kept, s->cells_in));
    page_cell_count(p, s->genes_kept);
    markup_raw(p->html, "<td>");
    bool any = false;
    for (size_t k = 0; k < s->n_rules; k++) {
        char n[FORMAT_MAX];
        if (!(s->rule[k].dropped > 0))
            continue;
        markup_raw(p->html, any ? "; " : "");
        markup_text(p->html, rule_words(s->rule[k].name));
        markup_fmt(p->html, " %s", format_count(n, s->rule[k].dropped));
        any = true;
    }
    markup_raw(p->html, any ? "</td>" : s->n_rules ? "none</td>" : "–</td>");
    markup_raw(p->html, "</tr>\n");
}

static void say_gaps(const struct page *p)
{
    for (size_t i = 0; i < p->r->n_samples; i++) {
        const struct sample *s = &p->r->sample[i];
        if (s->imported && s->mapped && s->filtered)
            continue;
        page_missing(p, "Sample %.120s: no report of%s%s%s.", s->name, s->imported ? "" : " import",
                     s->mapped ? "" : " homolog-map", s->filtered ? "" : " qc-filter");
    }
}

/* Samples of the profile that this machine could not get. */
static void say_left_out(const struct page *p)
{
    const size_t n = p->r->n_left_out;
    if (!n)
        return;
    markup_fmt(p->html,
               "<p>%zu sample%s of this profile %s left out, since the input could not be had: ", n,
               n == 1 ? "" : "s", n == 1 ? "is" : "are");
    for (size_t i = 0; i < n; i++) {
        markup_raw(p->html, i ? ", " : "");
        markup_text(p->html, p->r->left_out[i]);
    }
    markup_raw(p->html, ". What was tried is under <a href=\"#left-out\">Left out</a>.</p>\n");
}

void page_cells(const struct page *p)
{
    char a[FORMAT_MAX], b[FORMAT_MAX], c[FORMAT_MAX];
    page_section(p, "cells", "Cells before and after quality control");
    if (!p->r->n_samples) {
        page_missing(p, "No sample: the stages import, homolog-map and qc-filter left no reports.");
        page_section_end(p);
        return;
    }
    markup_fmt(p->html, "<p>%s cells were read and %s kept (%s). ", format_count(a, p->s->cells_in),
               format_count(b, p->s->cells_kept),
               format_share(c, p->s->cells_kept, p->s->cells_in));
    markup_raw(p->html,
               "A rule drops a cell that is likely broken: too few genes, too much "
               "mitochondrial RNA, or far from the other cells of its sample. Rules apply "
               "in a fixed order, so a cell counts for the first rule that dropped it.</p>\n"
               "<div class=\"figures\">\n");
    page_figure(p, "qc", "Share of each sample's cells, kept and dropped. Numbers: kept of read.");
    markup_raw(p->html, "</div>\n");
    page_table(p, "Cells and genes of each sample",
               "sample|species|source|>cells read|>genes read|>genes mapped|>cells kept|>share|"
               ">genes kept|cells dropped by rule");
    for (size_t i = 0; i < p->r->n_samples; i++)
        sample_row(p, &p->r->sample[i]);
    page_table_end(p);
    say_left_out(p);
    say_gaps(p);
    page_section_end(p);
}

/* A text with a slash may be a path on a machine, and stays in the file. */
/* "n_cells" as "cells", "cells_cut" as "cells cut". */
static void fact_name(const struct page *p, const char *group, const char *key)
{
    char words[80];
    snprintf(words, sizeof words, "%s%s%s", group ? group : "", group ? ": " : "",
             strncmp(key, "n_", 2) == 0 ? key + 2 : key);
    for (char *c = words; *c; c++)
        *c = *c == '_' ? ' ' : *c;
    markup_text(p->html, words);
}

static void facts_of(const struct page *p, const char *group, const json_t *j, size_t *n)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)j, key, value)
    {
        char number[FORMAT_MAX];
        const char *text = json_string_value(value);
        if (json_is_integer(value))
            text = format_count(number, json_number_value(value));
        else if (json_is_real(value))
            text = format_number(number, json_number_value(value));
        else if (json_is_boolean(value))
            text = json_is_true(value) ? "yes" : "no";
        else if (json_is_object(value) && !group)
            facts_of(p, key, value, n);
        if (!text || strchr(text, '/') || ++*n > MAX_FACTS)
            continue;
        markup_raw(p->html, "<dt>");
        fact_name(p, group, key);
        markup_raw(p->html, "</dt><dd>");
        markup_text(p->html, text);
        markup_raw(p->html, "</dd>");
    }
}

void page_facts(const struct page *p, const char *name, const json_t *j)
{
    size_t n = 0;
    markup_raw(p->html, "<div class=\"facts\"><h3>");
    markup_text(p->html, name);
    markup_raw(p->html, "</h3><dl>");
    facts_of(p, NULL, j, &n);
    markup_raw(p->html, "</dl></div>\n");
}

void page_corpus(const struct page *p)
{
    const struct results *r = p->r;
    const struct facts_file *const file[] = { &r->tables, &r->median, &r->tokenize };
    char a[FORMAT_MAX], b[FORMAT_MAX], c[FORMAT_MAX];
    page_section(p, "corpus", "Genes, tokens and knowledge");
    if (r->vocab.present)
        markup_fmt(p->html,
                   "<p>The vocabulary has %s tokens: %s human and %s mouse genes and the signs "
                   "for padding and hiding. ",
                   format_count(a, (double)r->vocab.n_tokens),
                   format_count(b, (double)r->vocab.n_human),
                   format_count(c, (double)r->vocab.n_mouse));
    else
        markup_raw(p->html, "<p>There is no vocabulary: the stage vocab has not run. ");
    markup_raw(p->html, "In a cell, each gene's count is divided by the gene's ");
    page_term(p, "median", "median");
    markup_raw(p->html, ", and the genes are ranked by that");
    const char *most = page_param(p, "tokenize", "max-length");
    if (most)
        markup_fmt(p->html, "; of a cell the %s highest ranks are kept",
                   format_count(a, atof(most)));
    markup_raw(p->html, ".</p>\n<div class=\"factlists\">\n");
    for (int i = 0; i < 3; i++)
        if (file[i]->j)
            page_facts(p, file[i]->name, file[i]->j);
    for (size_t i = 0; i < r->n_knowledge; i++)
        page_facts(p, r->knowledge[i].name, r->knowledge[i].j);
    markup_raw(p->html, "</div>\n");
    for (int i = 0; i < 3; i++)
        if (!file[i]->j)
            page_missing(p, "No report of the stage %s.", file[i]->name);
    if (!r->n_knowledge)
        page_missing(p, "No prior knowledge: the stage knowledge left no reports.");
    page_section_end(p);
}
