/* Training of DeepSEM on one core (spec 05 section 7): the same losses, gradients and steps as
 * lib/nn/deepsem.h, written out for speed. Three things save time:
 *   the two networks of one number are read from tables (lib/nn/scalar_net.h);
 *   B is factored where the tape inverts it, and not again while A stands still;
 *   in a pass that moves A alone no gradient of the networks is worked out, and the reverse.
 * All in double on the calling thread: equal inputs give equal bytes. n cells, m genes. */
#ifndef GC_NN_DEEPSEM_FIT_H
#define GC_NN_DEEPSEM_FIT_H

#include "lib/nn/deepsem.h"
#include "lib/nn/scalar_net.h"

struct deepsem_options {
    size_t n_passes, batch;           /* 41, 64 */
    double rate_network, rate_matrix; /* 1e-4, 0.2e-4 */
    uint64_t seed;                    /* of weights, order of cells and noise */
    /* After each pass that moved A; pass from 0. May be NULL; anything but RC_OK ends training. */
    enum rc (*after)(void *ctx, size_t pass, double loss, const double *matrix, struct err *e);
    void *ctx;
};

struct deepsem_options deepsem_defaults(void);

/* m: of backend_ref, in training; its weights are drawn anew. x [n, m], z-scored. RC_CHECK: training
 * has diverged. */
enum rc deepsem_fit(struct deepsem *m, const double *x, size_t n, const struct deepsem_options *o,
                    struct err *e);

/* Memory of a batch. Filled with 0 at first. */
struct deepsem_work {
    size_t n, m;
    double *a, *lu; /* [m, m] A without its diagonal; the factors of B */
    int *pivot;
    bool factored;
    double *s, *gs;  /* [3n + 2, m]: h or B^-1's gradient, u, v, p, q; and their gradients */
    double *t;       /* [2n + 2, m]: mu, logvar, y_mu, y_logvar */
    double *z, *rec, *slope; /* [n, m] */
    struct scalar_net infer, generate;
};

/* Losses of a batch x [n, m] with noise, and the gradients: of the networks, or of A. Those of the
 * side that is wanted are replaced. factored must be false whenever A has changed. */
enum rc deepsem_gradient(struct deepsem *m, struct deepsem_work *w, size_t n, const double *x,
                         const double *noise, bool matrix, struct deepsem_out *out, struct err *e);
void deepsem_work_release(struct deepsem_work *w);

#endif
