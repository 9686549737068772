/* What each kind of prior knowledge is worth: coverage, held-out pairs, related genes among the
 * nearest, agreement of kinds, overlap with what benchmarks take as truth, and the authors' tables
 * beside ours. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/report/format.h"
#include "lib/report/page.h"

static bool is(const struct table *t, const char *column, size_t row, const char *text)
{
    return strcmp(table_text(t, column, row), text) == 0;
}

/* The value of the row like row `as` in kind and species (and `of`, when told), of that measure and
 * rows; *n, when not NULL, its count. NaN: there is none. */
static double value(const struct table *t, size_t as, const char *measure, const char *of,
                    const char *rows, double *n)
{
    for (size_t i = 0; i < t->n_rows; i++)
        if (is(t, "kind", i, table_text(t, "kind", as)) &&
            is(t, "species", i, table_text(t, "species", as)) && is(t, "measure", i, measure) &&
            (!of || is(t, "of", i, of)) && is(t, "rows", i, rows)) {
            if (n)
                *n = atof(table_text(t, "n", i));
            return atof(table_text(t, "value", i));
        }
    if (n)
        *n = NAN;
    return NAN;
}

static void heads(const struct page *p, const struct table *t, size_t row)
{
    page_cell_text(p, table_text(t, "kind", row));
    page_cell_text(p, table_text(t, "species", row));
}

static void fixed(const struct page *p, double x, bool ours)
{
    if (isnan(x))
        markup_raw(p->html, "<td class=\"n\">–</td>");
    else
        markup_fmt(p->html, ours ? "<td class=\"n\"><b>%.3f</b></td>" : "<td class=\"n\">%.3f</td>",
                   x);
}

static void coverage(const struct page *p, const struct table *t)
{
    page_table(p, "Coverage and held-out pairs",
               "kind|species|>genes|>known|>row length|>of random rows|>held out|>gene2vec|"
               ">degree|>Adamic-Adar");
    for (size_t i = 0; i < t->n_rows; i++) {
        char share[FORMAT_MAX];
        double n, held;
        if (!is(t, "measure", i, "coverage"))
            continue;
        const double part = value(t, i, "coverage", "-", "-", &n);
        markup_raw(p->html, "<tr>");
        heads(p, t, i);
        page_cell_count(p, n);
        markup_fmt(p->html, "<td class=\"n\">%s</td>", format_share(share, part, 1));
        page_cell_number(p, part > 0 ? value(t, i, "norm", "-", "learned", NULL) : (double)NAN);
        page_cell_number(p, part < 1 ? value(t, i, "norm", "-", "filled", NULL) : (double)NAN);
        const double learned = value(t, i, "link AUROC", "-", "gene2vec cosine", &held);
        page_cell_count(p, held);
        fixed(p, learned, true);
        fixed(p, value(t, i, "link AUROC", "-", "degree product", NULL), false);
        fixed(p, value(t, i, "link AUROC", "-", "Adamic-Adar", NULL), false);
        markup_raw(p->html, "</tr>\n");
    }
    page_table_end(p);
}

/* Percent of the ten nearest, with one digit: shares are small. */
static void percent(const struct page *p, double x, bool ours)
{
    if (isnan(x))
        markup_raw(p->html, "<td class=\"n\">–</td>");
    else
        markup_fmt(p->html,
                   ours ? "<td class=\"n\"><b>%.1f %%</b></td>" : "<td class=\"n\">%.1f %%</td>",
                   100 * x);
}

static void recovery(const struct page *p, const struct table *t)
{
    page_table(p, "Related genes among the ten nearest",
               "kind|species|related by|>genes asked|>table|>baseline|>shuffled copy|>random rows");
    for (size_t i = 0; i < t->n_rows; i++) {
        if (!is(t, "measure", i, "recovery") || !is(t, "rows", i, "table"))
            continue;
        const char *of = table_text(t, "of", i);
        markup_raw(p->html, is(t, "kind", i, of) ? "<tr class=\"ours\">" : "<tr>");
        heads(p, t, i);
        page_cell_text(p, of);
        page_cell_count(p, atof(table_text(t, "n", i)));
        percent(p, atof(table_text(t, "value", i)), true);
        percent(p, value(t, i, "recovery", of, "baseline", NULL), false);
        percent(p, value(t, i, "recovery", of, "shuffled", NULL), false);
        percent(p, value(t, i, "recovery", of, "random", NULL), false);
        markup_raw(p->html, "</tr>\n");
    }
    page_table_end(p);
}

static void agreement(const struct page *p, const struct table *t)
{
    page_table(p, "Agreement of kinds", "kind|species|with|>genes of both|>correlation|>shuffled");
    for (size_t i = 0; i < t->n_rows; i++) {
        if (!is(t, "measure", i, "agreement") || !is(t, "rows", i, "table"))
            continue;
        markup_raw(p->html, "<tr>");
        heads(p, t, i);
        page_cell_text(p, table_text(t, "of", i));
        page_cell_count(p, atof(table_text(t, "n", i)));
        fixed(p, atof(table_text(t, "value", i)), true);
        fixed(p, value(t, i, "agreement", table_text(t, "of", i), "shuffled", NULL), false);
        markup_raw(p->html, "</tr>\n");
    }
    page_table_end(p);
}

static void leakage(const struct page *p, const struct table *t)
{
    markup_raw(p->html,
               "<h3 id=\"leakage\">What benchmarks take as truth, and the model was told</h3>\n"
               "<p>A network benchmark must not count these pairs as found: they stand in "
               "what the vectors were made from.</p>\n");
    page_table(p, "Overlap with benchmark truths",
               "truth|species|kind|>its pairs of known genes|>of these told|>share");
    for (size_t i = 0; i < t->n_rows; i++) {
        markup_raw(p->html, "<tr>");
        page_cell_text(p, table_text(t, "truth", i));
        page_cell_text(p, table_text(t, "species", i));
        page_cell_text(p, table_text(t, "kind", i));
        page_cell_count(p, atof(table_text(t, "pairs", i)));
        page_cell_count(p, atof(table_text(t, "held", i)));
        percent(p, atof(table_text(t, "share", i)), true);
        markup_raw(p->html, "</tr>\n");
    }
    page_table_end(p);
}

/* ---- from the reports of the kinds ---- */

static double number(const json_t *j, const char *key)
{
    const json_t *x = json_object_get(j, key);
    return json_is_number(x) ? json_number_value(x) : (double)NAN;
}

static const char *words(const json_t *j, const char *key)
{
    return json_string_value(json_object_get(j, key));
}

static void paper_row(const struct page *p, const char *what, const json_t *j, double here,
                      double paper, const char *why)
{
    markup_raw(p->html, "<tr>");
    page_cell_text(p, what);
    page_cell_text(p, words(j, "species"));
    page_cell_count(p, here);
    page_cell_count(p, paper);
    page_cell_text(p, why);
    markup_raw(p->html, "</tr>\n");
}

/* Families and PECA2 networks here and in the paper. Families have one reason for both species. */
static void paper_rows(const struct page *p, const json_t *list)
{
    const char *why = NULL;
    for (size_t k = 0; k < json_array_size(list); k++)
        if (words(json_array_get(list, k), "why_not_the_paper_s_count"))
            why = words(json_array_get(list, k), "why_not_the_paper_s_count");
    for (size_t k = 0; k < json_array_size(list); k++) {
        const json_t *x = json_array_get(list, k);
        if (json_object_get(x, "families_in_the_paper"))
            paper_row(p, "gene families", x, number(x, "families"),
                      number(x, "families_in_the_paper"), why);
        if (json_object_get(x, "networks_of_peca2_in_the_paper"))
            paper_row(p, "PECA2 networks", x, number(x, "networks_of_peca2"),
                      number(x, "networks_of_peca2_in_the_paper"),
                      words(x, "why_not_the_paper_s_count"));
    }
}

static void beside_the_paper(const struct page *p)
{
    page_table(p, "Counts beside the paper's", "what|species|>here|>paper|why they differ");
    for (size_t i = 0; i < p->r->n_knowledge; i++)
        paper_rows(p, json_object_get(p->r->knowledge[i].j, "inputs"));
    page_table_end(p);
}

/* What co-expression is beside chance, over all matrices. */
static void chance(const struct page *p)
{
    double above = 0, null = 0;
    size_t n = 0;
    char a[FORMAT_MAX], b[FORMAT_MAX];
    for (size_t i = 0; i < p->r->n_knowledge; i++) {
        const json_t *list = json_object_get(p->r->knowledge[i].j, "inputs");
        for (size_t k = 0; k < json_array_size(list); k++) {
            const json_t *x = json_array_get(list, k);
            if (!json_object_get(x, "null_above"))
                continue;
            above += number(x, "pairs_above");
            null += number(x, "null_above");
            n++;
        }
    }
    if (n)
        markup_fmt(p->html,
                   "<p>Co-expression: over %zu matrices %s pairs of genes pass the threshold; "
                   "after each gene's counts were shuffled among its own cells, which leaves no "
                   "relation, %s do.</p>\n",
                   n, format_count(a, above), format_count(b, null));
}

static void authors(const struct page *p, const struct table *t)
{
    markup_raw(p->html, "<h3 id=\"authors-vectors\">The authors' vectors beside ours</h3>\n");
    page_table(p, "The authors' vectors beside ours", "kind|species|measure|>value|>over");
    for (size_t i = 0; i < t->n_rows; i++) {
        markup_raw(p->html, "<tr>");
        heads(p, t, i);
        page_cell_text(p, table_text(t, "measure", i));
        page_cell_number(p, atof(table_text(t, "value", i)));
        page_cell_count(p, atof(table_text(t, "n", i)));
        markup_raw(p->html, "</tr>\n");
    }
    page_table_end(p);
}

void page_worth(const struct page *p)
{
    const struct results *r = p->r;
    page_section(p, "worth", "What the prior knowledge is worth");
    if (!r->worth.n_rows) {
        page_missing(p, "Not measured: the stage knowledge-report has not run.");
        page_section_end(p);
        return;
    }
    markup_raw(
        p->html,
        "<p>Known: genes whose row was learned; the others have a random one of the same spread. "
        "Held-out pairs (AUROC): vectors learned without a tenth of a kind's pairs must tell these "
        "from pairs of equally busy genes; 0.5 is chance. Beside them two scores that need no "
        "vectors: the product of the genes' numbers of partners, and Adamic-Adar, which counts "
        "common partners.</p>\n");
    coverage(p, &r->worth);
    markup_raw(p->html, "<p>Related genes: of a gene's ten nearest by cosine, how many are its "
                        "partners in a kind. A shuffled copy has the same rows under other genes. "
                        "Coloured rows ask a kind for what it was made from.</p>\n");
    recovery(p, &r->worth);
    markup_raw(p->html, "<p>Agreement: correlation of two kinds' cosines over the same pairs of "
                        "genes.</p>\n");
    agreement(p, &r->worth);
    chance(p);
    beside_the_paper(p);
    if (r->leakage.n_rows)
        leakage(p, &r->leakage);
    if (r->diff.n_rows)
        authors(p, &r->diff);
    page_section_end(p);
}
