/* The ledger of the corpus: what became of each sample's cells, cells that stand there twice, and
 * cells and pairs that models are judged on and that the corpus or the knowledge already has. */
#include <stdlib.h>
#include <string.h>

#include "lib/report/format.h"
#include "lib/report/page.h"

/* "after_z_total" as "after z total"; a number column is told by its first row. */
static void head_cell(const struct page *p, const struct column *c, bool number)
{
    char words[80];
    size_t n = 0;
    for (; c->name[n] && n + 1 < sizeof words; n++)
        words[n] = c->name[n] == '_' ? ' ' : c->name[n];
    words[n] = '\0';
    markup_raw(p->html, number ? "<th scope=\"col\" class=\"n\">" : "<th scope=\"col\">");
    markup_text(p->html, words);
    markup_raw(p->html, "</th>");
}

static void cell(const struct page *p, const char *column, const char *text)
{
    char number[FORMAT_MAX], *end;
    const double x = text ? strtod(text, &end) : 0;
    if (!text || strcmp(text, "-") == 0)
        page_cell_text(p, NULL);
    else if (end == text || *end)
        page_cell_text(p, text);
    else if (strcmp(column, "share") == 0)
        markup_fmt(p->html, "<td class=\"n\">%s</td>", format_share(number, x, 1));
    else
        markup_fmt(p->html, "<td class=\"n\">%s</td>", format_count(number, x));
}

static void whole(const struct page *p, const char *label, const struct table *t)
{
    markup_fmt(p->html,
               "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"%s\">\n<table>\n"
               "<thead><tr>",
               label);
    for (size_t c = 0; c < t->n_cols; c++) {
        const char *first = t->n_rows ? t->col[c].text[0] : NULL;
        head_cell(p, &t->col[c], first && *first >= '0' && *first <= '9');
    }
    markup_raw(p->html, "</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < t->n_rows; i++) {
        markup_raw(p->html, "<tr>");
        for (size_t c = 0; c < t->n_cols; c++)
            cell(p, t->col[c].name, t->col[c].text[i]);
        markup_raw(p->html, "</tr>\n");
    }
    page_table_end(p);
}

static void part(const struct page *p, const char *title, const char *words, const struct table *t)
{
    if (!t->n_rows)
        return;
    markup_fmt(p->html, "<h3>%s</h3>\n<p>%s</p>\n", title, words);
    whole(p, title, t);
}

void page_ledger(const struct page *p)
{
    const struct results *r = p->r;
    page_section(p, "ledger", "Ledger of the corpus");
    if (!r->ledger_sums.n_rows && !r->ledger_samples.n_rows) {
        page_missing(p, "No ledger: the stages corpus-ledger and ledger have not run.");
        page_section_end(p);
        return;
    }
    part(p, "Cells of each species",
         "Cells in the source, those imported, those left after each rule in its turn, and those "
         "kept; beside what the "
         "paper published after its own.",
         &r->ledger_sums);
    part(p, "Cells of each sample", "The same of each sample, with the reason where one was lost.",
         &r->ledger_rows);
    part(p, "Cells that stand twice",
         "Cells of the corpus are told by their counts: those that repeat one of the same sample, "
         "and those that "
         "another sample has, too.",
         &r->ledger_samples);
    part(p, "Labelled cells that the corpus has",
         "Cells that models are judged on and that pretraining saw, without their labels. Scores "
         "on the others "
         "alone are the split test-unseen.",
         &r->ledger_sets);
    page_section_end(p);
}
