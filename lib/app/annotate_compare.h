/* How well cell types are told from embeddings, beside simple methods on counts, all on the same
 * splits: `annotate compare`. One data set per sample with labels; for each seed a stratified
 * split; for each method one setting chosen on the validation cells; scores on the test cells. */
#ifndef GC_APP_ANNOTATE_COMPARE_H
#define GC_APP_ANNOTATE_COMPARE_H

#include "lib/base/opt.h"

struct compare_options {
    struct opt_list counts;     /* .h5ad files with labelled cells */
    struct opt_list embeddings; /* NAME=FILE.h5ad */
    const char *label, *matrix; /* column of obs, name in obsm */
    const char *ledger;         /* sets.tsv of the ledger, or NULL */
    int64_t n_seeds, n_genes, n_pcs;
    bool none_is_fine; /* no labelled sample: empty tables instead of RC_INPUT */
    uint64_t seed;     /* of the first split */
    const char *out, *report; /* a folder; a JSON file or NULL */
};

/* Writes predictions.tsv, metrics.tsv, summary.tsv and comparisons.tsv into o->out, all or none.
 * RC_INPUT: an input breaks a promise, or no sample has labelled cells. */
enum rc annotate_compare(const struct compare_options *o, struct err *e);

#endif
