/* Names for the cells of one species learnt from labelled cells of another: CAME as published (spec 05
 * section 6; genes without homolog and many-to-many homologs included), beside logistic regression on
 * 1-to-1 homologs and the commonest class. */
#ifndef GC_APP_CROSS_SPECIES_H
#define GC_APP_CROSS_SPECIES_H

#include "lib/base/err.h"
#include "lib/tensor/backend.h"

struct cross_options {
    const char *reference, *query; /* h5ad files as import writes them */
    /* One of: folder of gene tables; table of pairs of names; every gene of both is its own homolog. */
    const char *tables, *homologs;
    bool same_names;
    const char *label, *dataset, *out;
    int64_t n_seeds, n_epochs, first, width;
    uint64_t seed;
    const struct backend *backend;
};

/* Writes out/predictions.tsv and out/metrics.tsv; metrics only of query cells with a label, none
 * where there is no such cell. RC_INPUT: no label column, one class, one species, no homolog in
 * common. Nothing is left on failure. */
enum rc cross_species(const struct cross_options *o, struct err *e);

#endif
