/* The few numbers that a reader wants first, computed once for the page and for numbers.tex. */
#ifndef GC_REPORT_SUMMARY_H
#define GC_REPORT_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/report/results.h"

/* A loss from the start to the end of training, on held-out cells where the log has at least two
 * such points, else on training batches (first point; mean of the last tenth). */
struct loss_summary {
    bool held_out;
    double first, last;
    double baseline; /* the lowest one; NaN without any */
    const char *baseline_name;
};

/* Our model against the simple baselines, by the main metric, over all data sets that have both. */
struct score_summary {
    const char *metric; /* NULL: nothing to compare */
    size_t n_sets;      /* data sets with the model and a baseline */
    size_t n_ahead;     /* of these: the model's mean is above every baseline's mean */
    double model;       /* mean over the data sets of the best variant of the model */
    const char *model_method, *baseline_method; /* each the best by that mean, chosen once */
    double baseline;
};

struct summary {
    size_t n_samples;
    double cells_in, cells_kept, human_kept, mouse_kept; /* NaN: no report said it */
    double tokens, cells_tokenised;
    struct loss_summary id, value;
    struct score_summary scores;
};

void summary_make(struct summary *s, const struct results *r);
struct markup;
/* A part of a macro's name: letters stay, a digit becomes its word, anything else starts a new
 * word, whose first letter is large. */
void tex_name(struct markup *to, const char *s);
/* numbers.tex: \newcommand{\gcCellsKept}{12,345} and so on, one per number. */
/* The scores alone. */
enum rc scores_tex(const struct results *r, struct markup *m, struct err *e);
enum rc numbers_tex(const struct results *r, const struct summary *s, struct markup *m,
                    struct err *e);

#endif
