/* Expression of cells under drugs at doses, predicted: CPA and simple methods, scored on a dose
 * that was held out (spec 05 section 8). */
#ifndef GC_APP_DOSE_H
#define GC_APP_DOSE_H

#include "lib/nn/cpa_train.h"

struct dose_options {
    const char *input;
    const char *drug, *dose, *type, *part; /* obs columns; type, part may be NULL */
    const char *control;                   /* the drug of control cells */
    const char *values;                    /* auto, counts, log */
    double scale;
    int64_t least_cells, n_genes; /* n_genes 0: all */
    bool drop_single;
    double held_out; /* NaN: the second largest of all doses */
    const char *vectors;
    double least_overlap; /* share of the genes that must have a vector */
    const char *truth;    /* curves of `dose simulate`, or NULL */
    int64_t n_changed;
    struct cpa_plan plan;
    int64_t n_seeds;
    const char *dataset, *out, *report;
    uint64_t seed;
    const struct backend *backend;
    bool as_released;
};

/* Writes out/metrics.tsv, conditions.tsv, comparisons.tsv and spread.tsv. Nothing is left on
 * failure. */
enum rc dose_evaluate(const struct dose_options *o, struct err *e);
/* Trains CPA on the first split: out/model.safetensors, training.tsv. Broken off, the same call
 * goes on after the newest check. RC_INPUT: out holds the state of another run. */
enum rc dose_train(const struct dose_options *o, struct err *e);
/* Expression under each of n "DRUG=DOSE" to the table `out`; type NULL: every cell type. RC_INPUT:
 * a drug or type that the model does not know, a dose that is none. */
enum rc dose_predict(const char *folder, const char *const *question, size_t n, const char *type,
                     const struct backend *b, const char *out, struct err *e);
/* The authors' result tables: out/summary.tsv, spread.tsv. */
enum rc dose_released(const char *const *path, size_t n, const char *out, struct err *e);

#endif
