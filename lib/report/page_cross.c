/* From one species to another: what the model's gene vectors add to CAME, seed by seed. Without a line
 * to show there is no section: most profiles have no pair of species, and the scores of CAME itself
 * stand among all others. */
#include <math.h>
#include <stdlib.h>

#include "lib/report/page.h"

static const char *cell(const struct table *t, const char *column, size_t row)
{
    return table_find(t, column)->text[row];
}

/* Better, worse, or neither when the interval holds 0; one seed says nothing. */
static const char *verdict(double mean, double width)
{
    if (isnan(mean) || isnan(width))
        return "not told by one seed";
    return mean > width ? "better" : mean < -width ? "worse" : "no difference seen";
}

void page_cross(const struct page *p)
{
    const struct table *t = &p->r->cross;
    if (!t->n_rows)
        return;
    page_section(p, "cross", "From one species to another");
    markup_raw(p->html,
               "<p>CAME names the cells of one species by labelled cells of another. Here its gene "
               "nodes start from this run's vectors, or from nothing, on the same "
               "seeds; the paper finds the former ahead in 4 of 7 pairs. Seeds draw first "
               "weights and dropout, so an interval tells nothing of other donors.</p>\n");
    page_table(p, "Gene vectors in CAME",
               "pair|metric|>seeds|>mean difference|>95 % interval, half|with vectors");
    for (size_t i = 0; i < t->n_rows; i++) {
        const double mean = atof(cell(t, "mean_difference", i)), width = atof(cell(t, "ci95", i));
        markup_raw(p->html, "<tr>");
        page_cell_text(p, cell(t, "dataset", i));
        page_cell_text(p, cell(t, "metric", i));
        page_cell_text(p, cell(t, "n_seeds", i));
        markup_fmt(p->html, "<td class=\"n\">%+.3f</td>", mean);
        if (isnan(width))
            markup_raw(p->html, "<td class=\"n\">–</td>");
        else
            markup_fmt(p->html, "<td class=\"n\">%.3f</td>", width);
        page_cell_text(p, verdict(mean, width));
        markup_raw(p->html, "</tr>\n");
    }
    page_table_end(p);
    page_section_end(p);
}
