#include "lib/report/audit.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/version.h"
#include "lib/io/json.h"
#include "lib/io/metrics_tsv.h"
#include "lib/report/plain.h"

enum rc audit_json(const struct audit *a, const char *path, struct err *e)
{
    json_t *list = json_array();
    bool good = list != NULL;
    for (size_t i = 0; good && i < a->n; i++) {
        const struct audit_finding *f = &a->item[i];
        if (f->verdict == AUDIT_HOLDS)
            continue;
        /* A name on the disk may be no UTF-8. */
        json_t *subject = json_string(f->subject);
        json_t *text = json_string(f->text);
        good = json_array_append_new(
                   list, json_pack("{s:s,s:o,s:s,s:o}", "check", f->check, "subject",
                                   subject ? subject : json_string("(a name that is no UTF-8)"),
                                   "verdict", audit_word(f->verdict), "detail",
                                   text ? text : json_string("(a text that is no UTF-8)"))) == 0;
    }
    if (!good) {
        json_decref(list);
        return err_set(e, RC_FAIL, "no memory for '%s'", path);
    }
    return json_write(path,
                      json_pack("{s:s,s:b,s:I,s:I,s:I,s:I,s:I,s:o}", "version", GC_VERSION,
                                "passed", a->n_fails == 0, "checks", (json_int_t)a->n, "fails",
                                (json_int_t)a->n_fails, "open", (json_int_t)a->n_open, "files",
                                (json_int_t)a->n_files, "bytes", (json_int_t)a->n_bytes, "findings",
                                list),
                      e);
}

static enum rc write_tsv(const struct audit *a, const char *path, struct err *e)
{
    struct outfile o;
    if (outfile_open(&o, path, e))
        return e->rc;
    fputs("check\tsubject\tverdict\tdetail\n", o.f);
    for (size_t i = 0; i < a->n; i++) {
        const struct audit_finding *f = &a->item[i];
        fprintf(o.f, "%s\t", f->check);
        field_put(f->subject, o.f);
        fprintf(o.f, "\t%s\t", audit_word(f->verdict));
        field_put(f->text, o.f);
        fputc('\n', o.f);
    }
    return outfile_commit(&o, e);
}

/* The kinds of checks in the order of their first verdict. */
static size_t kinds_of(const struct audit *a, const char **kind, size_t max)
{
    size_t n = 0;
    for (size_t i = 0; i < a->n; i++) {
        size_t k = 0;
        while (k < n && strcmp(kind[k], a->item[i].check) != 0)
            k++;
        if (k == n && n < max)
            kind[n++] = a->item[i].check;
    }
    return n;
}

static void row(struct markup *m, const struct audit_finding *f)
{
    markup_fmt(m, "<tr class=\"v-%d\"><td class=\"%s\">%s</td><td>%s</td><td><code>",
               (int)f->verdict, audit_word(f->verdict), audit_word(f->verdict), f->check);
    markup_text(m, f->subject);
    markup_raw(m, "</code></td>");
    plain_cell(m, "what was seen", f->text);
    markup_raw(m, "</tr>\n");
}

static void count_table(struct markup *m, const struct audit *a)
{
    const char *kind[32];
    size_t n = kinds_of(a, kind, sizeof kind / sizeof *kind);
    markup_raw(m, "<table>\n<thead><tr><th scope=\"col\">check</th><th scope=\"col\" class=\"n\">"
                  "holds</th><th scope=\"col\" class=\"n\">fails</th><th scope=\"col\" "
                  "class=\"n\">open</th></tr></thead>\n<tbody>\n");
    for (size_t k = 0; k < n; k++) {
        size_t count[3] = { 0 };
        for (size_t i = 0; i < a->n; i++)
            count[a->item[i].verdict] += strcmp(a->item[i].check, kind[k]) == 0;
        markup_fmt(m,
                   "<tr><th scope=\"row\">%s</th><td class=\"n\">%zu</td><td class=\"n%s\">%zu</td>"
                   "<td class=\"n\">%zu</td></tr>\n",
                   kind[k], count[AUDIT_HOLDS], count[AUDIT_FAILS] ? " fails" : "",
                   count[AUDIT_FAILS], count[AUDIT_OPEN]);
    }
    markup_raw(m, "</tbody>\n</table>\n");
}

static void page(struct markup *m, const struct audit *a)
{
    static const char *const word[] = { "holds", "fails", "open" };
    static const enum audit_verdict order[] = { AUDIT_FAILS, AUDIT_OPEN, AUDIT_HOLDS };
    plain_open(m, a->n_fails ? "Audit: failed" : "Audit: passed");
    markup_fmt(m,
               "<p>%zu checks: %zu hold, %zu fail, %zu could not be looked at here (open). %zu "
               "files with %.1f MB were hashed.</p>\n",
               a->n, a->n - a->n_fails - a->n_open, a->n_fails, a->n_open, a->n_files,
               (double)a->n_bytes / 1e6);
    count_table(m, a);
    markup_raw(m, "<h2>Verdicts</h2>\n<div>\n");
    plain_choice(m, "v", "Show", word, 3);
    markup_raw(m, "<table class=\"cards\">\n<thead><tr><th scope=\"col\">verdict</th><th "
                  "scope=\"col\">check</th>"
                  "<th scope=\"col\">file or stage</th><th scope=\"col\">what was seen</th></tr>"
                  "</thead>\n<tbody>\n");
    for (size_t k = 0; k < 3; k++)
        for (size_t i = 0; i < a->n; i++)
            if (a->item[i].verdict == order[k])
                row(m, &a->item[i]);
    markup_raw(m, "</tbody>\n</table>\n</div>\n");
    plain_close(m);
}

enum rc audit_write(const struct audit *a, const char *dir, struct err *e)
{
    struct markup m = { 0 };
    char *tsv = text_new("%s/audit.tsv", dir), *json = text_new("%s/audit.json", dir);
    char *html = text_new("%s/audit.html", dir);
    enum rc rc =
        tsv && json && html ? folder_make(dir, e) : err_set(e, RC_FAIL, "no memory for a path");
    page(&m, a);
    if (!rc)
        rc = write_tsv(a, tsv, e);
    if (!rc)
        rc = audit_json(a, json, e);
    if (!rc)
        rc = markup_save(&m, html, e);
    markup_release(&m);
    free(tsv);
    free(json);
    free(html);
    return rc;
}
