/* Expression after a perturbation, predicted: GEARS as published and simple methods, on the same
 * splits (spec 05 section 11). */
#ifndef GC_APP_PERTURB_PREDICT_H
#define GC_APP_PERTURB_PREDICT_H

#include "lib/base/err.h"
#include "lib/tensor/backend.h"

struct perturb_options {
    const char *input;
    const char *conditions;       /* a table of barcodes and conditions beside a source of counts */
    const char *condition_column; /* of obs or of that table; NULL: "condition" */
    const char *values;           /* auto, counts, log */
    double scale;
    int64_t least_cells;
    const char *go;      /* terms or edges (lib/io/go_file.h); NULL: none */
    const char *unknown; /* keep, drop: perturbed genes that are not in the graph */
    const char *vectors; /* of genes: what embed --genes wrote; NULL: none */
    int64_t neighbours, pcs;
    double ridge;
    int64_t epochs, batch, width;
    double rate;
    bool top20;                /* the loss of gears_plan.top20 */
    const char *split;         /* a table condition, part in place of drawn splits; NULL: drawn */
    int64_t n_splits, n_seeds; /* n_seeds: trainings of GEARS on a split */
    int64_t first_seed;        /* of these trainings; seed is that of the first split */
    const char *dataset, *out, *report;
    uint64_t seed;
    const struct backend *backend;
    bool as_released;
};

/* Writes out/metrics.tsv, runs.tsv, predictions.tsv, comparisons.tsv and splits.tsv. Nothing is
 * left on failure. */
enum rc perturb_evaluate(const struct perturb_options *o, struct err *e);

/* runs.tsv of n folders of perturb_evaluate on one set, each some splits and trainings, to
 * out/metrics.tsv, runs.tsv and comparisons.tsv of all. RC_INPUT: runs of another set or variant,
 * two numbers for one run. */
enum rc perturb_join(const char *const *folder, size_t n, const char *out, struct err *e);

/* Trains GEARS (with o->vectors the GeneCompass variant) on the first split: out/model.safetensors,
 * out/training.tsv. Broken off, the same call goes on after the newest epoch. RC_INPUT: out holds
 * the state of another run. */
enum rc perturb_train(const struct perturb_options *o, struct err *e);
/* Expression after each of n conditions to the table `out`. folder: of perturb_train. RC_INPUT: a
 * gene that the model's graph lacks. */
enum rc perturb_predict(const char *folder, const char *const *condition, size_t n,
                        const struct backend *b, const char *out, struct err *e);

#endif
