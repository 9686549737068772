/* How well cell types are told by models and by simple methods, all on the same splits: `annotate
 * compare`. One data set per sample with labels; for each seed a stratified split; for each method
 * one setting chosen on the validation cells; scores on the test cells. */
#ifndef GC_APP_ANNOTATE_COMPARE_H
#define GC_APP_ANNOTATE_COMPARE_H

#include "lib/base/opt.h"
#include "lib/tensor/backend.h"

struct compare_options {
    struct opt_list counts;     /* .h5ad files with labelled cells */
    struct opt_list embeddings; /* NAME=FILE.h5ad */
    const char *label, *matrix; /* column of obs, name in obsm */
    const char *ledger;         /* sets.tsv of the ledger, or NULL */
    struct opt_list corpus;     /* .h5ad files: cells of the pretraining corpus */
    int64_t n_seeds, n_genes, n_pcs;
    int64_t trees;     /* of the forest; 0: no forest */
    bool none_is_fine; /* no labelled sample: empty tables instead of RC_INPUT */
    uint64_t seed;     /* of the first split */
    /* GeneCompass, trained on: NAME=FOLDER each. */
    struct opt_list models, untrained, shuffled;
    struct opt_list tune;                                  /* probe, frozen, full */
    int64_t tune_epochs, tune_genes, frozen_epochs, batch; /* tune_genes 0: all */
    double tune_lr, frozen_lr;
    /* The rivals. */
    const char *gene_sets, *medians; /* a GMT file: TOSICA; medians by depth: Geneformer; or NULL */
    int64_t rival_epochs, patience, tosica_sets;
    double tosica_lr, geneformer_lr;
    int64_t geneformer_layers, geneformer_width, geneformer_genes, geneformer_steps;
    const struct backend *backend;
    const char *out, *report; /* a folder; a JSON file or NULL */
};

/* Writes predictions.tsv, metrics.tsv, summary.tsv and comparisons.tsv into o->out, all or none.
 * RC_INPUT: an input breaks a promise, or no sample has labelled cells. */
enum rc annotate_compare(const struct compare_options *o, struct err *e);

#endif
