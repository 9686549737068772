/* Dense matrices of doubles, row-major, and the few products that statistics on cells need.
 *
 * The products go to BLAS on tiles of a fixed size, each on one thread, the tiles shared out over
 * the workers of lib/base/thread.h: so a result does not depend on the number of threads. */
#ifndef GC_NN_MAT_H
#define GC_NN_MAT_H

#include <stddef.h>

#include "lib/base/err.h"

struct mat {
    size_t n, d; /* rows, columns */
    double *x;   /* [n, d], owned */
};

/* Zeroed. On failure *m is empty. */
enum rc mat_alloc(struct mat *m, size_t n, size_t d, struct err *e);
void mat_release(struct mat *m);
static inline double *mat_row(const struct mat *m, size_t i)
{
    return m->x + i * m->d;
}
/* The rows of m that row[0..n) names, in that order. */
enum rc mat_take_rows(const struct mat *m, const size_t *row, size_t n, struct mat *out,
                      struct err *e);
/* From floats (an embedding file). */
enum rc mat_from_f32(const float *x, size_t n, size_t d, struct mat *out, struct err *e);

/* c [a.n, b.n] = a b^T;  a.d = b.d. */
void mat_mul_nt(const struct mat *a, const struct mat *b, struct mat *c);
/* c [a.d, b.d] = a^T b;  a.n = b.n. */
void mat_mul_tn(const struct mat *a, const struct mat *b, struct mat *c);
/* c [a.n, b.d] = a b;  a.d = b.n. */
void mat_mul_nn(const struct mat *a, const struct mat *b, struct mat *c);

#endif
