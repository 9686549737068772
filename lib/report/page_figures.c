/* figures.html: the figures of the paper that have run, each with its numbers; and every score that
 * has the authors' procedure beside the clean one. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/report/format.h"
#include "lib/report/page.h"

enum { MAX_ROWS = 400 }; /* of a table; the file has all */

/* Does the table NAME.tsv belong to the figure NAME-01.svg? */
static bool belongs(const char *svg, const char *table)
{
    const size_t n = strlen(table) - strlen(".tsv");
    return strncmp(svg, table, n) == 0 && svg[n] == '-' && strlen(svg) == n + strlen("-01.svg");
}

/* As many digits as a reader compares; other texts as they are. */
static void value_cell(const struct page *p, const char *text)
{
    char *end, number[FORMAT_MAX];
    const double x = text ? strtod(text, &end) : 0;
    if (!text || strcmp(text, "-") == 0)
        markup_raw(p->html, "<td class=\"n\">–</td>");
    else if (end == text || *end || isnan(x))
        page_cell_text(p, text);
    else if (strchr(text, '.') || strchr(text, 'e'))
        markup_fmt(p->html, "<td class=\"n\">%.4g</td>", x);
    else
        markup_fmt(p->html, "<td class=\"n\">%s</td>", format_count(number, x));
}

static void table_of(const struct page *p, const struct shown_table *t)
{
    markup_raw(p->html, "<details><summary>Numbers: <code>");
    markup_text(p->html, t->name);
    markup_raw(p->html, "</code></summary>\n<div class=\"scroll\" role=\"region\" tabindex=\"0\" "
                        "aria-label=\"");
    markup_text(p->html, t->name);
    markup_raw(p->html, "\">\n<table>\n<thead><tr>");
    for (size_t c = 0; c < t->t.n_cols; c++) {
        markup_raw(p->html, "<th scope=\"col\">");
        markup_text(p->html, t->t.col[c].name);
        markup_raw(p->html, "</th>");
    }
    markup_raw(p->html, "</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < t->t.n_rows && i < MAX_ROWS; i++) {
        markup_raw(p->html, "<tr>");
        for (size_t c = 0; c < t->t.n_cols; c++)
            value_cell(p, t->t.col[c].text[i]);
        markup_raw(p->html, "</tr>\n");
    }
    page_table_end(p);
    if (t->t.n_rows > MAX_ROWS)
        markup_fmt(p->html, "<p>%d of %zu rows; the file has all.</p>\n", (int)MAX_ROWS,
                   t->t.n_rows);
    markup_raw(p->html, "</details>\n");
}

static void image(const struct page *p, const struct shown_svg *svg)
{
    /* A title that was read is escaped already, and may stand in quotes. */
    markup_fmt(p->html,
               "<figure><img src=\"%s\" alt=\"%s\" loading=\"lazy\"/><figcaption>%s "
               "<a href=\"%s\">SVG</a></figcaption></figure>\n",
               svg->name, svg->title ? svg->title : svg->name, svg->title ? svg->title : "",
               svg->name);
}

static void stage_section(const struct page *p, const struct shown_stage *s)
{
    markup_fmt(p->html, "<section id=\"%s\">\n<h2>%s</h2>\n", s->goal, s->title);
    page_repeat_line(p, s->goal);
    if (s->n_odd)
        page_missing(p, "%zu files have names that cannot stand in an address: %.80s/", s->n_odd,
                     s->stage);
    if (!s->n_svg)
        page_missing(p, "It has run and drew nothing: what it needs could not be had.");
    markup_raw(p->html, "<div class=\"wide\">\n");
    for (size_t i = 0; i < s->n_svg; i++)
        image(p, &s->svg[i]);
    markup_raw(p->html, "</div>\n");
    /* First the tables that figures were drawn from. */
    for (int drawn = 1; drawn >= 0; drawn--)
        for (size_t k = 0; k < s->n_tables; k++) {
            bool any = false;
            for (size_t i = 0; i < s->n_svg && !any; i++)
                any = belongs(s->svg[i].name, s->table[k].name);
            if (any == drawn)
                table_of(p, &s->table[k]);
        }
    page_section_end(p);
}

static const struct score *twin(const struct results *r, const struct score *s)
{
    for (size_t i = 0; i < r->scores.n; i++) {
        const struct score *o = &r->scores.s[i];
        if (strcmp(o->variant, "as-released") == 0 && strcmp(o->metric, s->metric) == 0 &&
            strcmp(o->method, s->method) == 0 && strcmp(o->split, s->split) == 0 &&
            strcmp(o->dataset, s->dataset) == 0 && strcmp(o->task, s->task) == 0)
            return o;
    }
    return NULL;
}

static void mean_cell(const struct page *p, const struct score *s)
{
    if (isnan(s->lo))
        markup_fmt(p->html, "<td class=\"n\">%.4g</td>", s->mean);
    else
        markup_fmt(p->html, "<td class=\"n\">%.4g ± %.2g</td>", s->mean, s->hi - s->mean);
}

static void released(const struct page *p)
{
    size_t n = 0;
    page_section(p, "released", "As released, beside clean");
    markup_raw(
        p->html,
        "<p>As released: the procedure of the authors' code, with its defects, where it is cheap "
        "to "
        "follow. Clean: what the paper describes, settings chosen on validation data, several "
        "seeds. "
        "± is half of the 95 % interval over seeds or splits; without it there was one.</p>\n");
    for (size_t i = 0; i < p->r->scores.n; i++) {
        const struct score *s = &p->r->scores.s[i], *o;
        if (strcmp(s->variant, "clean") != 0 || !(o = twin(p->r, s)))
            continue;
        if (!n++)
            page_table(p, "As released beside clean",
                       "task|data set|method|split|metric|>as released|>clean|>difference");
        markup_raw(p->html, "<tr>");
        page_cell_text(p, s->task);
        page_cell_text(p, s->dataset);
        page_cell_text(p, score_method_words(s->method));
        page_cell_text(p, s->split);
        page_cell_text(p, s->metric);
        mean_cell(p, o);
        mean_cell(p, s);
        markup_fmt(p->html, "<td class=\"n\">%+.4g</td></tr>\n", s->mean - o->mean);
    }
    if (n)
        page_table_end(p);
    else
        page_missing(
            p, "No score has both: tasks with a published procedure are annotate --as-released, "
               "dose, dosage, perturb-predict and perturb.");
    page_section_end(p);
}

void page_figures_all(const struct page *p)
{
    size_t n = 0;
    markup_raw(p->html, "<nav aria-label=\"Figures\">");
    for (size_t i = 0; i < p->r->n_shown; i++)
        if (page_shown(&p->r->shown[i]))
            markup_fmt(p->html, "<a href=\"#%s\">%s</a> ", p->r->shown[i].goal,
                       p->r->shown[i].goal);
    markup_raw(p->html, "<a href=\"#released\">As released</a></nav></header>\n<main>\n");
    for (size_t i = 0; i < p->r->n_shown; i++)
        if (page_shown(&p->r->shown[i])) {
            stage_section(p, &p->r->shown[i]);
            n++;
        }
    if (!n)
        page_missing(p, "None of the paper's figures has run.");
    released(p);
    page_section(p, "not-drawn", "Not drawn here");
    for (size_t i = 0; i < p->r->n_shown; i++)
        if (!page_shown(&p->r->shown[i]))
            page_missing(p, "%s: make %s", p->r->shown[i].title, p->r->shown[i].goal);
    markup_raw(p->html, "<p>Figure 1 is the maps and the quality control of the "
                        "<a href=\"index.html#maps\">first page</a>.</p>\n");
    page_section_end(p);
}

bool page_shown(const struct shown_stage *s)
{
    return s->n_svg || s->n_tables;
}
