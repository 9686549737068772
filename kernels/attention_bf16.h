/* What forward and backward attention with bf16 products share: one cell and head at a time. */
#ifndef GC_KERNELS_ATTENTION_BF16_H
#define GC_KERNELS_ATTENTION_BF16_H

#include <math.h>

#include "kernels/attention.h"
#include "kernels/bf16.h"
#include "kernels/dropout_cpu.h"
#include "kernels/math_cpu.h"

/* Of keys in forward and of queries in backward: whole panels, whole blocks of dropout numbers. */
enum { KEYS = 192 };

/* One cell and head: T rows, W columns of the matrices, W_up of packed ones. */
struct part {
    size_t a, T, W, W_up, head, at; /* a: first row; at: offset of (row a, head's column) */
    size_t n_q, q_at;               /* queries, where the first of them is in q and y */
    float scale;
    char *work;
};

static inline struct part part_of(const struct op_attention *o, size_t task, int worker)
{
    struct part p;
    const size_t c = task / o->heads;
    p.head = task % o->heads;
    p.a = o->first[c];
    p.T = o->first[c + 1] - p.a;
    p.W = o->d / o->heads;
    p.W_up = bf16_up(p.W);
    p.at = p.a * o->d + p.head * p.W;
    p.n_q = o->first_only ? 1 : p.T;
    p.q_at = o->first_only ? c * o->d + p.head * p.W : p.at;
    p.scale = (float)(1 / sqrt((double)p.W));
    p.work = (char *)((float *)o->work + (size_t)worker * o->work_reals);
    return p;
}

/* Takes n numbers of 16 bits from the worker's scratch, on a cache line. */
static inline void *part_take(struct part *p, size_t n)
{
    char *x = p->work;
    p->work += (n * sizeof(bf16) + 63) / 64 * 64;
    return x;
}

static inline const float *part_of_matrix(const struct part *p, const void *matrix)
{
    return (const float *)matrix + p->at;
}

/* Of 16 numbers from j on those below n. */
static inline __mmask16 part_mask(size_t j, size_t n)
{
    return j + 16 <= n ? 0xffff : j >= n ? 0 : (__mmask16)((1u << (n - j)) - 1);
}

#endif
