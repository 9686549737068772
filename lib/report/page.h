/* The page: one HTML file that needs nothing beside it. It is well-formed XML too, so that any
 * strict reader can take it apart. Every word that comes from a file is escaped (lib/io/markup.h).
 */
#ifndef GC_REPORT_PAGE_H
#define GC_REPORT_PAGE_H

#include "lib/io/markup.h"
#include "lib/report/figures.h"
#include "lib/report/results.h"
#include "lib/report/summary.h"

struct page {
    struct markup *html;
    const struct results *r;
    const struct summary *s;
    const struct figures *figures;
    bool claims; /* there is a claims.html */
};

/* css: the style sheet's text. The first page, index.html. */
enum rc page_write(const struct page *p, const char *css, struct err *e);
/* figures.html: the figures of the paper. */
enum rc page_write_figures(const struct page *p, const char *css, struct err *e);

/* Sections, in their order on the page. */
void page_headline(const struct page *p); /* page_head.c */
void page_pipeline(const struct page *p); /* page_cells.c */
void page_cells(const struct page *p);
void page_corpus(const struct page *p);
void page_ledger(const struct page *p);      /* page_ledger.c */
void page_figures_all(const struct page *p); /* page_figures.c: all of figures.html */
void page_worth(const struct page *p);  /* page_worth.c */
void page_limits(const struct page *p); /* page_model.c */
void page_training(const struct page *p);
void page_maps(const struct page *p);   /* page_maps.c */
void page_scores(const struct page *p); /* page_scores.c */
void page_zero_shot(const struct page *p); /* page_zero_shot.c */
void page_cross(const struct page *p);  /* page_cross.c */
void page_inputs(const struct page *p); /* page_audit.c */
void page_manifests(const struct page *p);
void page_repeat(const struct page *p);
void page_deviations(const struct page *p); /* page_notes.c */
void page_glossary(const struct page *p);

/* Pieces that several sections use. */
void page_section(const struct page *p, const char *id, const char *title);
void page_section_end(const struct page *p);
/* A paragraph that says what is not there. */
void page_missing(const struct page *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The figure of that name with its caption (our own words, HTML); false when it was not drawn. */
bool page_figure(const struct page *p, const char *name, const char *caption);
/* "Again: make GOAL PROFILE=.." */
void page_repeat_line(const struct page *p, const char *goal);
/* Has the stage left something to show? */
bool page_shown(const struct shown_stage *s);
/* A word that the glossary explains: a link with the explanation as tooltip. */
void page_term(const struct page *p, const char *id, const char *words);
/* <div class="scroll"><table> and the head row; columns cut at '|', right-aligned when the name
 * starts with '>'. */
void page_table(const struct page *p, const char *label, const char *columns);
void page_table_end(const struct page *p);
void page_cell_text(const struct page *p, const char *text);
void page_cell_count(const struct page *p, double n);
void page_cell_number(const struct page *p, double x);
/* A heading and the numbers, yes and no, and short texts of a report; objects in it one level deep.
 */
void page_facts(const struct page *p, const char *name, const json_t *j);
const struct stage *page_stage(const struct page *p, const char *name); /* NULL: not known */
/* The value of a parameter "--NAME VALUE", "NAME=VALUE" or "NAME VALUE" of the stage or of its
 * first part; NULL when it is not said. Borrowed from the manifest's text, up to its end. */
const char *page_param(const struct page *p, const char *stage, const char *name);

#endif
