/* TOSICA as a method of annotation on a split: trained by SGD with the cosine of the released code,
 * classes balanced (drawn from the training cells alone: the released code balances before it
 * splits). Epoch and, where there are several, learning rate are chosen by the macro-F1 of the validation
 * cells; test cells have no part in it. */
#ifndef GC_NN_TOSICA_LEARN_H
#define GC_NN_TOSICA_LEARN_H

#include "lib/nn/learner.h"
#include "lib/nn/tosica.h"

enum { TOSICA_MAX_RATES = 8 };

struct tosica_learning {
    struct learning run;
    /* Learning rates of the first epoch: a network is trained at each, from the same first weights, and the
     * first best one kept; its rate is in probe_result. */
    double rate[TOSICA_MAX_RATES];
    size_t n_rates;            /* at least 1 */
    size_t d, depth, heads;    /* 48, 2, 4 as published */
    double dropout, path_drop; /* 0.5 and 0.5 as published */
};

/* One rate, that of the released code. */
struct tosica_learning tosica_published(void);

/* x [cells->n, genes]: ln(1 + 10^4 count / total). first [n_sets + 1] and member: genes of the
 * sets, columns of x. cell_id: keys of the dropout. On failure *r is empty. */
enum rc probe_tosica(const struct probe_cells *cells, const struct mat *x, const uint64_t *cell_id,
                     const uint32_t *first, const uint32_t *member, size_t n_sets,
                     const struct tosica_learning *o, const struct backend *b,
                     struct probe_result *r, struct err *e);

#endif
