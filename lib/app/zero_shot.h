/* Embeddings scored without training anything: the tool `zero-shot`. Each sample with labels is a data
 * set; so is a named set of samples, which then are its batches. Beside the embeddings stand the
 * principal components of the data set's own counts. */
#ifndef GC_APP_ZERO_SHOT_H
#define GC_APP_ZERO_SHOT_H

#include "lib/base/opt.h"

struct zero_shot_options {
    struct opt_list counts;     /* .h5ad files with labelled cells */
    struct opt_list embeddings; /* NAME=FILE.h5ad */
    struct opt_list batches;    /* NAME=SAMPLE,SAMPLE,... */
    const char *label, *matrix; /* column of obs, name in obsm */
    int64_t n_seeds, n_genes, n_pcs, k;
    uint64_t seed;     /* of the first folds */
    bool none_is_fine; /* no labelled sample: an empty table instead of RC_INPUT */
    const char *out, *report; /* a folder; a JSON file or NULL */
};

/* Writes OUT/metrics.tsv. RC_INPUT: an input breaks a promise, or no sample has labels. */
enum rc zero_shot(const struct zero_shot_options *o, struct err *e);

#endif
