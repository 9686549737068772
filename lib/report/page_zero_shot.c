/* What the vectors say of cell types when nothing is trained on them: a line per data set and method. */
#include <math.h>
#include <string.h>

#include "lib/report/page.h"

static const struct score *score_of(const struct page *p, const char *dataset, const char *method,
                                    const char *split, const char *metric)
{
    for (size_t i = 0; i < p->r->zero_shot.n; i++) {
        const struct score *s = &p->r->zero_shot.s[i];
        if (strcmp(s->dataset, dataset) == 0 && strcmp(s->method, method) == 0 &&
            strcmp(s->split, split) == 0 && strcmp(s->metric, metric) == 0)
            return s;
    }
    return NULL;
}

static void score_cell(const struct page *p, const struct score *s)
{
    if (!s)
        markup_raw(p->html, "<td class=\"n\">–</td>");
    else if (isnan(s->lo))
        markup_fmt(p->html, "<td class=\"n\">%.3f</td>", s->mean);
    else
        markup_fmt(p->html, "<td class=\"n\">%.3f ± %.3f</td>", s->mean, s->hi - s->mean);
}

static void row(const struct page *p, const struct score *first)
{
    static const char *const column[][2] = { { "5-fold", "macro_f1" }, { "5-fold", "accuracy" },
                                             { "other-batch", "macro_f1" }, { "all", "silhouette" },
                                             { "all", "same_label" }, { "all", "other_batch" },
                                             { "all", "batch_lisi" } };
    markup_raw(p->html, score_is_model(first) ? "<tr class=\"ours\">" : "<tr>");
    page_cell_text(p, first->dataset);
    page_cell_text(p, score_method_words(first->method));
    for (size_t i = 0; i < sizeof column / sizeof *column; i++)
        score_cell(p, score_of(p, first->dataset, first->method, column[i][0], column[i][1]));
    page_cell_count(p, first->n);
    markup_raw(p->html, "</tr>\n");
}

/* Scores lie by data set, split, metric and method: is this the first of its data set and method? */
static bool is_first(const struct scores *all, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (strcmp(all->s[k].dataset, all->s[i].dataset) == 0 &&
            strcmp(all->s[k].method, all->s[i].method) == 0)
            return false;
    return true;
}

void page_zero_shot(const struct page *p)
{
    const struct scores *all = &p->r->zero_shot;
    page_section(p, "zero-shot", "The vectors as they are");
    if (!all->n) {
        page_missing(p, "No scores without training: the stage zero-shot left none.");
        page_section_end(p);
        return;
    }
    markup_raw(p->html,
               "<p>Nothing is trained here: a cell is named by its nearest cells in the other four "
               "fifths (± is the 95 % interval over draws of the fifths). Where one kind of cells was measured in several "
               "samples, it is also named by the other samples' cells alone, and the last columns say how "
               "samples mix: the share of the nearest cells from another one (<i>cells in any order</i> is "
               "what it would be if samples did not matter), and how many samples lie around a cell. "
               "Mixing is good only where labels stay apart.</p>\n");
    page_table(p, "Scores without training",
               "data set|method|>macro-F1|>accuracy|>macro-F1, from other samples|>silhouette of labels|"
               ">nearest of the same label|>nearest of another sample|>samples around a cell|>cells");
    for (size_t i = 0; i < all->n; i++)
        if (is_first(all, i))
            row(p, &all->s[i]);
    page_table_end(p);
    page_section_end(p);
}
