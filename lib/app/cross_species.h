/* Names for the cells of one species learnt from labelled cells of another: CAME as published (spec
 * 05 section 6; genes without homolog and many-to-many homologs included), beside logistic
 * regression on 1-to-1 homologs and the commonest class. */
#ifndef GC_APP_CROSS_SPECIES_H
#define GC_APP_CROSS_SPECIES_H

#include "lib/base/err.h"
#include "lib/tensor/backend.h"

struct cross_options {
    const char *reference, *query; /* as import writes them, or any source that it reads */
    const char *labels[2], *label_column, *species[2]; /* for sources: tables, "auto" */
    /* One of: folder of gene tables; table of pairs of names; every gene of both is its own
     * homolog. */
    const char *tables, *homologs;
    bool same_names;
    /* The query is half of the reference's cells of each class, its genes renamed to their
     * homologs, of which the share `hidden` is taken away; below 0: no such check. */
    double hidden;
    const char *model; /* folder of a model whose gene vectors come into the graph; NULL: none */
    double least_overlap; /* 1-to-1 homologs measured in both, of the smaller number of genes */
    const char *label, *dataset, *out, *report;
    int64_t n_seeds, n_epochs, first, width;
    uint64_t seed;
    const struct backend *backend;
};

/* Writes out/predictions.tsv, out/metrics.tsv (only of query cells with a label),
 * out/comparisons.tsv (two variants of CAME seed by seed, with a model) and out/training.tsv.
 * RC_INPUT: no label column, one class, one species, too few homologs in common. Nothing is left on
 * failure. */
enum rc cross_species(const struct cross_options *o, struct err *e);

#endif
