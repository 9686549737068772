#include "lib/report/claims_page.h"

#include <string.h>

#include "lib/report/plain.h"

static void page_row(struct markup *m, const struct claim *c)
{
    static const char *const colour[N_CLAIM_VERDICTS] = { "holds", "fails", "holds", "fails",
                                                          "open",  "open",  "open",  "open" };
    markup_fmt(m, "<tr class=\"v-%d\" id=\"", (int)c->verdict);
    markup_text(m, c->id);
    markup_raw(m, "\"><th scope=\"row\">");
    markup_text(m, c->id);
    markup_raw(m, "</th>");
    plain_cell(m, c->claim);
    markup_raw(m, "<td class=\"n\">");
    markup_text(m, strcmp(c->number, "-") == 0 ? "–" : c->number);
    if (strcmp(c->unit, "-") != 0) {
        markup_raw(m, " ");
        markup_text(m, c->unit);
    }
    markup_fmt(m, "</td><td class=\"%s\">%s</td>", colour[c->verdict], claim_word(c->verdict));
    plain_cell(m, c->ours);
    plain_cell(m, c->text);
    plain_cell(m, c->where);
    plain_cell(m, strcmp(c->deviations, "-") == 0 ? "" : c->deviations);
    markup_raw(m, "<td><code>");
    markup_text(m, c->command);
    markup_raw(m, "</code> <code>");
    markup_text(m, c->file);
    markup_raw(m, "</code></td></tr>\n");
}

void claims_page(struct markup *m, const struct claim *c, size_t n_claims)
{
    static const char *const head[] = { "id",      "the paper says", "number",
                                        "verdict", "ours",           "how",
                                        "where",   "deviations",     "command and file" };
    const char *word[N_CLAIM_VERDICTS];
    size_t n[N_CLAIM_VERDICTS];
    claims_count(c, n_claims, n);
    plain_open(m, "Claims of the paper");
    markup_raw(
        m, "<p>The claims of the GeneCompass paper in our words, with what this run says about "
           "each. A setting that was followed is no evidence; a direction seen in small models is "
           "no reproduction of a number. Deviations are ids of places where the paper and "
           "its published code differ.</p>\n<p>");
    for (int v = 0; v < N_CLAIM_VERDICTS; v++) {
        word[v] = claim_word((enum claim_verdict)v);
        markup_fmt(m, "%s%s: %zu", v ? "; " : "", word[v], n[v]);
    }
    markup_raw(m, ".</p>\n<div>\n");
    plain_choice(m, "v", "Show", word, N_CLAIM_VERDICTS);
    markup_raw(m, "<table>\n<thead><tr>");
    for (size_t i = 0; i < sizeof head / sizeof *head; i++)
        markup_fmt(m, "<th scope=\"col\">%s</th>", head[i]);
    markup_raw(m, "</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < n_claims; i++)
        if (strcmp(c[i].status, "F") != 0)
            page_row(m, &c[i]);
    markup_raw(m, "</tbody>\n</table>\n</div>\n");
    plain_close(m);
}
