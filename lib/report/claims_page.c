#include "lib/report/claims_page.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/report/format.h"
#include "lib/report/plain.h"

/* The columns, and in a narrow window the words before their cells. */
enum { ID, CLAIM, NUMBER, VERDICT, OURS, HOW, WHERE, DEVIATIONS, AGAIN, N_HEADS };
static const char *const head[N_HEADS] = { "id",      "the paper says", "number",
                                           "verdict", "ours",           "how",
                                           "where",   "deviations",     "command and file" };

static const char *or_none(const char *text)
{
    return strcmp(text, "-") == 0 ? "" : text;
}

/* A whole number of many digits with commas, any other text as it is. */
static const char *readable(char to[FORMAT_MAX], const char *text)
{
    char *end = NULL;
    const double x = strtod(text, &end);
    const bool many = end != text && !*end && x == floor(x) && fabs(x) >= 1e4 && fabs(x) < 1e15;
    return many ? format_count(to, x) : text;
}

static void again_cell(struct markup *m, const char *command, const char *file)
{
    if (!*command && !*file) {
        plain_cell(m, head[AGAIN], NULL);
        return;
    }
    markup_fmt(m, "<td data-of=\"%s\"><code>", head[AGAIN]);
    markup_text(m, command);
    markup_raw(m, "</code><br/><code>");
    markup_text(m, file);
    markup_raw(m, "</code></td>");
}

static void page_row(struct markup *m, const struct claim *c)
{
    static const char *const colour[N_CLAIM_VERDICTS] = { "holds", "fails", "holds", "fails",
                                                          "open",  "open",  "open",  "open" };
    char number[FORMAT_MAX], ours[FORMAT_MAX];
    markup_fmt(m, "<tr class=\"v-%d\" id=\"", (int)c->verdict);
    markup_text(m, c->id);
    markup_raw(m, "\"><th scope=\"row\">");
    markup_text(m, c->id);
    markup_raw(m, "</th>");
    plain_cell(m, head[CLAIM], c->claim);
    markup_fmt(m, "<td class=\"n%s\" data-of=\"%s\">", *or_none(c->number) ? "" : " none",
               head[NUMBER]);
    markup_text(m, *or_none(c->number) ? readable(number, c->number) : "–");
    if (*or_none(c->unit)) {
        markup_raw(m, " ");
        markup_text(m, c->unit);
    }
    markup_fmt(m, "</td><td class=\"%s\" data-of=\"%s\">%s</td>", colour[c->verdict], head[VERDICT],
               claim_word(c->verdict));
    plain_cell(m, head[OURS], readable(ours, or_none(c->ours)));
    plain_cell(m, head[HOW], c->text);
    plain_cell(m, head[WHERE], c->where);
    plain_cell(m, head[DEVIATIONS], or_none(c->deviations));
    again_cell(m, or_none(c->command), or_none(c->file));
    markup_raw(m, "</tr>\n");
}

void claims_page(struct markup *m, const struct claim *c, size_t n_claims)
{
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
    markup_raw(m, "<table class=\"cards\">\n<thead><tr>");
    for (int i = 0; i < N_HEADS; i++)
        markup_fmt(m, "<th scope=\"col\">%s</th>", head[i]);
    markup_raw(m, "</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < n_claims; i++)
        if (strcmp(c[i].status, "F") != 0)
            page_row(m, &c[i]);
    markup_raw(m, "</tbody>\n</table>\n</div>\n");
    plain_close(m);
}
