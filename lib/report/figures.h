/* The figures of the page. One more figure is a template paper/NAME.gp, a function that fills in
 * its data, and a row in the list of figures.c. */
#ifndef GC_REPORT_FIGURES_H
#define GC_REPORT_FIGURES_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"
#include "lib/io/gnuplot.h"
#include "lib/report/results.h"

struct drawn {
    char *name; /* owned; NAME.svg lies beside the page */
    struct markup svg;
};

struct figures {
    struct drawn *item; /* owned */
    size_t n;
};

/* Draws whatever the results have data for. On failure *f is empty. */
enum rc figures_draw(struct figures *f, const struct results *r, const char *templates,
                     struct err *e);
/* Each as OUT/NAME.svg. */
enum rc figures_save(const struct figures *f, const char *out, struct err *e);
void figures_release(struct figures *f);
/* NULL when the results had nothing for it. */
const struct drawn *figures_find(const struct figures *f, const char *name);

/* A kind of figure. fill makes figure number `which` (figure_init and its data) and returns true,
 * or returns false and leaves nothing in *f to release when there is no data or memory is short:
 * a page without a figure is still a page. */
struct figure_kind {
    const char *template_name;
    size_t (*count)(const struct results *r);
    bool (*fill)(const struct results *r, size_t which, struct figure *f);
};

/* One map with its cells coloured by label, side x side px and its legend below. False without cells or
 * when memory is short. */
bool map_fill(const struct map_facts *m, const char *name, const char *title, double side,
              struct figure *f);
/* The same to a file; templates as in figure_draw. */
enum rc map_save(const struct map_facts *m, const char *templates, const char *title,
                 const char *path, struct err *e);

extern const struct figure_kind figure_map, figure_qc, figure_loss, figure_scores;

/* Colour-blind-safe colours (Okabe and Ito 2008), in the order in which groups take them; "#000000"
 * is the colour of the text. */
enum { N_COLOURS = 8 };
extern const char *const figure_colour[N_COLOURS];
#define FIGURE_GREY "#999999"
/* "#0072B2" as the number that gnuplot's `lc rgb variable` wants. */
long figure_colour_number(const char *colour);
/* key_colours = "a b c", key_top and n_keys of a legend; its height in px with `columns`. */
void figure_key(struct figure *f, const char *const *word, const char *const *colour, size_t n,
                double top);

/* Lines of text under a figure, wrapped to its width, from px `top` on; call it after figure_size,
 * which it calls again with the height that they need. */
void figure_notes(struct figure *f, const char *const *note, size_t n, double top);

/* Scores of models that differ in the size of their corpus (methods SIZE-SPECIES-KINDS-LAYERS with
 * +logistic behind; size 0 is random weights), one figure per data set and metric. scaling_count is
 * their number; scaling_fill is false where memory is short or which too large. */
size_t scaling_count(const struct results *r);
bool scaling_fill(const struct results *r, size_t which, const char *name, struct figure *f,
                  double *notes_top);
/* All methods on one data set by a metric on a split, in a fixed order: ours, other deep ones, simple ones; those that
 * nobody knows come last. A method that the file lacks has no row. released: those of variant as-released
 * stand beside the clean ones. */
bool methods_fill(const struct results *r, const char *dataset, const char *metric,
                  const char *split, bool released, const char *name, struct figure *f,
                  double *notes_top);

/* Data sets with a score by `metric` in variant clean (if there is one), split test (likewise). */
size_t scores_groups(const struct results *r, const char *metric);
/* The methods of data set number `which`: the trained model first, then by falling mean. The
 * figure and the page's table show the same rows. The caller frees *row. Returns their number, 0
 * when memory is short or which is too large. */
size_t scores_group(const struct results *r, const char *metric, size_t which,
                    const struct score ***row);
/* Words for a rule of quality control: "too few genes (P1)" for P1; else the name itself. */
const char *rule_words(const char *rule);
/* Is it the trained model (not random weights, not a baseline)? */
bool score_is_model(const struct score *s);
/* Words for a method: "GeneCompass, this run". The name itself where we know no better. */
const char *score_method_words(const char *method);
/* "macro_f1" where there is one, else the first metric; NULL without scores. */
const char *scores_main_metric(const struct results *r);

#endif
