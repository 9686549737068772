/* Are genes sensitive to their dosage told from others by their vectors? Figure 4e (spec 05 section 10).
 *
 * Genes with labels are dealt out to folds, none to two; a fold's genes are told by what was learnt from the
 * others. Two halves of the drawn cells: one to learn from, the other to judge in.
 *   +full       the whole model trained as a classifier of genes in cells (lib/nn/gene_tune.h)
 *   +logistic   logistic regression on a gene's mean vector over cells, the model left as it is
 * each of the model, of the same model with random weights, and of the model with the labels dealt out
 * anew among the genes; +logistic also without the knowledge tables, and of word rows alone; and what needs no model: the length of the gene, statistics of its
 * counts, both. An AUC counts occurrences (a gene in a cell) or genes (mean score over its cells). */
#ifndef GC_APP_DOSAGE_H
#define GC_APP_DOSAGE_H

#include "lib/base/opt.h"
#include "lib/cell/tokenize.h"
#include "lib/tensor/backend.h"

struct dosage_options {
    struct opt_list inputs;     /* count files */
    struct opt_list expression; /* of which statistics are taken; none: the inputs */
    const char *labels;         /* columns ensembl_id gene_name dosage_insensitive dosage_sensitive: Yes or nothing */
    const char *lengths;        /* columns ensgene start end; NULL: no gene length */
    const char *list;           /* column gene_name: the list that labels may follow; NULL: none */
    const char *model;
    const char *species;
    bool as_released;
    int64_t n_cells, n_folds, n_seeds, n_tuned; /* cells: of each half; tuned: seeds of +full, 0: none */
    int64_t epochs, batch, micro_rows;
    double lr, overlap;
    const char *dataset, *out, *report;
    uint64_t seed;
};

/* Writes o->out/{metrics,summary,features,predictions}.tsv. RC_INPUT: a gene in two classes at once, one
 * class only, no labelled gene in both halves of the cells, a fold that would lack a class. */
enum rc dosage(const struct dosage_options *o, const struct backend *b, struct err *e);

#endif
