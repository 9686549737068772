#include "lib/nn/mat.h"

#include <assert.h>
#include <cblas.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/thread.h"

enum {
    TILE = 192
}; /* rows and columns of c per task; part of every result, never tuned at run time */

enum rc mat_alloc(struct mat *m, size_t n, size_t d, struct err *e)
{
    *m = (struct mat){ .n = n, .d = d };
    if (!d || n <= SIZE_MAX / sizeof(double) / d)
        m->x = calloc(n * d + 1, sizeof *m->x);
    if (m->x)
        return RC_OK;
    *m = (struct mat){ 0 };
    return err_set(e, RC_FAIL, "no memory for a matrix of %zu x %zu", n, d);
}

void mat_release(struct mat *m)
{
    free(m->x);
    *m = (struct mat){ 0 };
}

enum rc mat_take_rows(const struct mat *m, const size_t *row, size_t n, struct mat *out,
                      struct err *e)
{
    if (mat_alloc(out, n, m->d, e))
        return RC_FAIL;
    for (size_t i = 0; i < n; i++) {
        assert(row[i] < m->n);
        memcpy(mat_row(out, i), mat_row(m, row[i]), m->d * sizeof(double));
    }
    return RC_OK;
}

enum rc mat_from_f32(const float *x, size_t n, size_t d, struct mat *out, struct err *e)
{
    if (mat_alloc(out, n, d, e))
        return RC_FAIL;
    for (size_t i = 0; i < n * d; i++)
        out->x[i] = (double)x[i];
    return RC_OK;
}

struct product {
    const struct mat *a, *b;
    struct mat *c;
    bool ta, tb;
    size_t k, tiles_across;
};

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void tile(void *ctx, size_t t, int worker)
{
    (void)worker;
    const struct product *p = ctx;
    size_t i = t / p->tiles_across * TILE, j = t % p->tiles_across * TILE;
    size_t n = smaller(TILE, p->c->n - i), m = smaller(TILE, p->c->d - j);
    const double *a = p->ta ? p->a->x + i : mat_row(p->a, i);
    const double *b = p->tb ? mat_row(p->b, j) : p->b->x + j;
    cblas_dgemm(CblasRowMajor, p->ta ? CblasTrans : CblasNoTrans, p->tb ? CblasTrans : CblasNoTrans,
                (int)n, (int)m, (int)p->k, 1, a, (int)p->a->d, b, (int)p->b->d, 0,
                mat_row(p->c, i) + j, (int)p->c->d);
}

static void multiply(struct product p)
{
    size_t down = (p.c->n + TILE - 1) / TILE;
    p.tiles_across = (p.c->d + TILE - 1) / TILE;
    if (!down || !p.tiles_across)
        return;
    if (!p.k) {
        memset(p.c->x, 0, p.c->n * p.c->d * sizeof(double));
        return;
    }
    openblas_set_num_threads(1);
    threads_for(down * p.tiles_across, tile, &p);
}

void mat_mul_nt(const struct mat *a, const struct mat *b, struct mat *c)
{
    assert(a->d == b->d && c->n == a->n && c->d == b->n);
    multiply((struct product){ a, b, c, false, true, a->d, 0 });
}

void mat_mul_tn(const struct mat *a, const struct mat *b, struct mat *c)
{
    assert(a->n == b->n && c->n == a->d && c->d == b->d);
    multiply((struct product){ a, b, c, true, false, a->n, 0 });
}

void mat_mul_nn(const struct mat *a, const struct mat *b, struct mat *c)
{
    assert(a->d == b->n && c->n == a->n && c->d == b->d);
    multiply((struct product){ a, b, c, false, false, a->d, 0 });
}
