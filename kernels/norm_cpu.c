#include "kernels/norm.h"

#include <math.h>

#include "kernels/dropout_cpu.h"
#include "kernels/math_cpu.h"
#include "lib/base/thread.h"

/* Columns handled at a time where a row of factors is needed. */
enum { COLUMNS = 256 };

static size_t n_blocks(size_t n)
{
    return (n + OP_ROW_BLOCK - 1) / OP_ROW_BLOCK;
}

/* y = x * factor of row i, in place of x allowed. */
static void drop_row(const struct dropout *d, size_t i, const float *x, float *y, size_t n)
{
    float f[COLUMNS];
    for (size_t at = 0; at < n; at += COLUMNS) {
        const size_t m = smaller(COLUMNS, n - at);
        dropout_row_from(d, d->row_key[i], 0, at, m, f);
        for (size_t j = 0; j < m; j++)
            y[at + j] = x[at + j] * f[j];
    }
}

static void forward_block(void *ctx, size_t block, int worker)
{
    const struct op_norm *o = ctx;
    (void)worker;
    const size_t d = o->d, end = smaller((block + 1) * OP_ROW_BLOCK, o->n);
    const float *gamma = o->gamma, *beta = o->beta;
    for (size_t i = block * OP_ROW_BLOCK; i < end; i++) {
        const float *x = (const float *)o->x + i * d;
        float *s = (float *)o->sum + i * d, *y = (float *)o->y + i * d;
        if (o->drop.threshold) {
            drop_row(&o->drop, i, x, s, d);
            x = s;
        }
        const float *r = o->r ? (const float *)o->r + i * d : NULL;
        float m = 0, v = 0;
#pragma omp simd
        for (size_t j = 0; j < d; j++)
            s[j] = r ? x[j] + r[j] : x[j];
#pragma omp simd reduction(+ : m)
        for (size_t j = 0; j < d; j++)
            m += s[j];
        m /= (float)d;
#pragma omp simd reduction(+ : v)
        for (size_t j = 0; j < d; j++)
            v += (s[j] - m) * (s[j] - m);
        const float rstd = (float)(1 / sqrt((double)v / (double)d + o->eps));
        ((float *)o->mean)[i] = m;
        ((float *)o->rstd)[i] = rstd;
#pragma omp simd
        for (size_t j = 0; j < d; j++)
            y[j] = (s[j] - m) * rstd * gamma[j] + beta[j];
    }
}

void CPU(norm_forward)(const struct op_norm *o)
{
    threads_for(n_blocks(o->n), forward_block, (void *)(uintptr_t)o);
}

static void backward_row(const struct op_norm *o, size_t i, float *dgamma, float *dbeta)
{
    const size_t d = o->d;
    const float *gamma = o->gamma, *s = (const float *)o->sum + i * d;
    const float *dy = (const float *)o->dy + i * d;
    const float mean = ((const float *)o->mean)[i], rstd = ((const float *)o->rstd)[i];
    float mh = 0, mhx = 0;
#pragma omp simd reduction(+ : mh, mhx)
    for (size_t j = 0; j < d; j++) {
        float xhat = (s[j] - mean) * rstd, h = dy[j] * gamma[j];
        mh += h;
        mhx += h * xhat;
    }
    mh /= (float)d;
    mhx /= (float)d;
    for (size_t j = 0; j < d; j++) {
        dgamma[j] += dy[j] * (s[j] - mean) * rstd;
        dbeta[j] += dy[j];
    }
    float *dx = o->dx ? (float *)o->dx + i * d : NULL, *dr = o->dr ? (float *)o->dr + i * d : NULL;
    for (size_t at = 0; at < d; at += COLUMNS) {
        const size_t m = smaller(COLUMNS, d - at);
        float ds[COLUMNS], f[COLUMNS];
        for (size_t j = 0; j < m; j++)
            ds[j] = rstd * (dy[at + j] * gamma[at + j] - mh - (s[at + j] - mean) * rstd * mhx);
        for (size_t j = 0; dr && j < m; j++)
            dr[at + j] += ds[j];
        if (dx && o->drop.threshold) {
            dropout_row_from(&o->drop, o->drop.row_key[i], 0, at, m, f);
            for (size_t j = 0; j < m; j++)
                dx[at + j] += ds[j] * f[j];
        } else if (dx) {
            for (size_t j = 0; j < m; j++)
                dx[at + j] += ds[j];
        }
    }
}

static void backward_block(void *ctx, size_t block, int worker)
{
    const struct op_norm *o = ctx;
    (void)worker;
    float *dgamma = (float *)o->work + 2 * block * o->d, *dbeta = dgamma + o->d;
    memset(dgamma, 0, 2 * o->d * sizeof *dgamma);
    const size_t end = smaller((block + 1) * OP_ROW_BLOCK, o->n);
    for (size_t i = block * OP_ROW_BLOCK; i < end; i++)
        backward_row(o, i, dgamma, dbeta);
}

void CPU(norm_backward)(const struct op_norm *o)
{
    threads_for(n_blocks(o->n), backward_block, (void *)(uintptr_t)o);
    for (size_t b = 0; b < n_blocks(o->n); b++) {
        const float *dgamma = (const float *)o->work + 2 * b * o->d, *dbeta = dgamma + o->d;
        for (size_t j = 0; o->dgamma && j < o->d; j++)
            ((float *)o->dgamma)[j] += dgamma[j];
        for (size_t j = 0; o->dbeta && j < o->d; j++)
            ((float *)o->dbeta)[j] += dbeta[j];
    }
}

static void dropout_forward_block(void *ctx, size_t block, int worker)
{
    const struct op_dropout *o = ctx;
    (void)worker;
    const size_t end = smaller((block + 1) * OP_ROW_BLOCK, o->n);
    for (size_t i = block * OP_ROW_BLOCK; i < end; i++)
        drop_row(&o->drop, i, (const float *)o->x + i * o->d, (float *)o->y + i * o->d, o->d);
}

void CPU(dropout_forward)(const struct op_dropout *o)
{
    threads_for(n_blocks(o->n), dropout_forward_block, (void *)(uintptr_t)o);
}

static void dropout_backward_block(void *ctx, size_t block, int worker)
{
    const struct op_dropout *o = ctx;
    (void)worker;
    const size_t end = smaller((block + 1) * OP_ROW_BLOCK, o->n);
    for (size_t i = block * OP_ROW_BLOCK; i < end; i++) {
        const float *dy = (const float *)o->dy + i * o->d;
        float *dx = (float *)o->dx + i * o->d;
        for (size_t at = 0; at < o->d; at += COLUMNS) {
            float g[COLUMNS];
            const size_t m = smaller(COLUMNS, o->d - at);
            dropout_row_from(&o->drop, o->drop.row_key[i], 0, at, m, g);
            for (size_t j = 0; j < m; j++)
                dx[at + j] += dy[at + j] * g[j];
        }
    }
}

void CPU(dropout_backward)(const struct op_dropout *o)
{
    threads_for(n_blocks(o->n), dropout_backward_block, (void *)(uintptr_t)o);
}
