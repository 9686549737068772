/* Do a gene and its homolog in the other species get alike vectors in their cells? Figure 2a, S2a-d
 * (spec 05 section 1).
 *
 * For pairs of a human and a mouse cell of one type, cosines of contextual gene vectors:
 *   homologs   a gene and its homolog, where both cells show them. They have one token, so their
 * words are the same from the start; species token, knowledge row, value and context differ others
 * as many random pairs of a human cell's gene and another gene of the mouse cell within     as many
 * pairs of different genes of one cell, by species Methods: the model as trained; with its
 * knowledge tables zeroed; with random weights, with and without; and word rows alone, the control
 * that says what one token for two genes amounts to. A model that was trained without knowledge may
 * stand beside them. */
#ifndef GC_APP_HOMOLOGY_H
#define GC_APP_HOMOLOGY_H

#include "lib/base/opt.h"
#include "lib/tensor/backend.h"

struct homology_options {
    const char *human, *mouse; /* counts */
    const char *human_labels, *mouse_labels, *label_column, *label;
    struct opt_list types;        /* labels that both have */
    bool same_names;              /* the mouse file has human names */
    const char *model, *untaught; /* untaught: a folder, NULL: none */
    int64_t max_cells, n_pairs;
    double overlap;
    const char *dataset, *out;
    uint64_t seed;
};

/* Writes o->out/{metrics,densities}.tsv. */
enum rc homology(const struct homology_options *o, const struct backend *b, struct err *e);

#endif
