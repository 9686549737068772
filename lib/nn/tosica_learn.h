/* TOSICA as a method of annotation on a split: trained by SGD with the cosine of the released code,
 * classes balanced (drawn from the training cells alone: the released code balances before it
 * splits), chosen by validation cells. */
#ifndef GC_NN_TOSICA_LEARN_H
#define GC_NN_TOSICA_LEARN_H

#include "lib/nn/learner.h"
#include "lib/nn/tosica.h"

struct tosica_learning {
    struct learning run;
    double lr;
    size_t d, depth, heads;    /* 48, 2, 4 as published */
    double dropout, path_drop; /* 0.5 and 0.5 as published */
};

struct tosica_learning tosica_published(void);

/* x [cells->n, genes]: ln(1 + 10^4 count / total). first [n_sets + 1] and member: genes of the
 * sets, columns of x. cell_id: keys of the dropout. On failure *r is empty. */
enum rc probe_tosica(const struct probe_cells *cells, const struct mat *x, const uint64_t *cell_id,
                     const uint32_t *first, const uint32_t *member, size_t n_sets,
                     const struct tosica_learning *o, const struct backend *b,
                     struct probe_result *r, struct err *e);

#endif
