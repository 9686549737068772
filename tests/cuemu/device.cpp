/* The layer of lib/tensor/cuda_device.h without a device: memory is apart (memory.cpp), work is done at once,
 * products and sums over ranks are plain loops. Ranks live in one process: a sum happens when the
 * last of them has called. */
#include "lib/tensor/cuda_device.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/cuemu/cuemu.h"
#include "tests/cuemu/memory.h"

/* How often device memory was asked for, and how often the host waited; for tests. */
extern "C" {
size_t cuemu_allocations, cuemu_waits;
}

bool cuda_open(struct cuda *c, bool bf16, const char **why)
{
    *why = NULL;
    *c = {};
    c->bf16 = bf16;
    return true;
}

void cuda_close(struct cuda *c)
{
    cuemu_release(c->work);
    *c = {};
}

int cuda_reserve(struct cuda *c, size_t n_bytes)
{
    if (n_bytes <= c->work_bytes)
        return 0;
    cuemu_allocations++;
    cuemu_waits++;
    cuemu_release(c->work);
    c->work = (char *)cuemu_memory(n_bytes);
    c->work_bytes = c->work ? n_bytes : 0;
    return !c->work;
}

int cuda_wait(const struct cuda *)
{
    cuemu_waits++;
    return 0;
}

const char *cuda_text(int status)
{
    return status ? "a launch that a device would refuse, or no memory" : "no error";
}

void *cuda_memory(size_t n_bytes)
{
    cuemu_allocations++;
    return cuemu_memory(n_bytes);
}

/* On a device it waits for all that was queued. */
void cuda_release(void *p)
{
    cuemu_waits += p != NULL;
    cuemu_release(p);
}

void *cuda_host_memory(size_t n_bytes)
{
    cuemu_allocations++;
    return malloc(n_bytes ? n_bytes : 1);
}

void cuda_host_release(void *p)
{
    free(p);
}

int cuda_copy(const struct cuda *, void *to, const void *from, size_t n_bytes)
{
    cuemu_open();
    if (n_bytes)
        memmove(to, from, n_bytes);
    cuemu_close();
    return 0;
}

int cuda_zero(const struct cuda *, void *to, size_t n_bytes)
{
    cuemu_open();
    if (n_bytes)
        memset(to, 0, n_bytes);
    cuemu_close();
    return 0;
}

static float item(const void *x, size_t i, bool bf16)
{
    if (!bf16)
        return ((const float *)x)[i];
    const uint32_t bits = (uint32_t)((const uint16_t *)x)[i] << 16;
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

/* A dense copy [rows,cols] of x, or of its transpose. */
static float *dense(const void *x, size_t ld, bool turn, bool bf16, size_t rows, size_t cols)
{
    float *to = (float *)malloc((rows * cols + 1) * sizeof *to);
    for (size_t i = 0; to && i < rows; i++)
        for (size_t j = 0; j < cols; j++)
            to[i * cols + j] = item(x, turn ? j * ld + i : i * ld + j, bf16);
    return to;
}

static int multiply(const struct cuda_product *p)
{
    float *a = dense(p->a, p->ld_a, p->turn_a, p->bf16, p->m, p->k);
    float *b = dense(p->b, p->ld_b, p->turn_b, p->bf16, p->k, p->n);
    float *sum = (float *)malloc((p->n + 1) * sizeof *sum);
    const bool good = a && b && sum;
    for (size_t i = 0; good && i < p->m; i++) {
        memset(sum, 0, p->n * sizeof *sum);
        for (size_t k = 0; k < p->k; k++)
            for (size_t j = 0; j < p->n; j++)
                sum[j] += a[i * p->k + k] * b[k * p->n + j];
        for (size_t j = 0; j < p->n; j++) {
            float *out = p->out + i * p->ld_out + j;
            const float before = p->beta == 0 ? 0 : p->beta * *out;
            *out = before + sum[j] + (p->bias ? p->bias[j] : 0);
        }
    }
    free(a);
    free(b);
    free(sum);
    return !good;
}

int cuda_multiply(const struct cuda *, const struct cuda_product *p)
{
    const void *const all[] = { p->a, p->b, p->bias, p->out };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i] && !cuemu_has(all[i]))
            cuemu_die("a product is given an address of the host");
    cuemu_open();
    const int status = multiply(p);
    cuemu_close();
    return status;
}

enum { MOST_RANKS = 16 };
struct meeting {
    char id[CUDA_ID_BYTES];
    int n_ranks, open, here;
    const float *from[MOST_RANKS];
    float *to[MOST_RANKS];
};
static struct meeting meetings[4];
static int n_meetings;

int cuda_ranks_id(char id[CUDA_ID_BYTES])
{
    memset(id, 0, CUDA_ID_BYTES);
    if (n_meetings == sizeof meetings / sizeof *meetings)
        return 1;
    id[0] = (char)++n_meetings;
    return 0;
}

int cuda_ranks_open(struct cuda_ranks *r, const char id[CUDA_ID_BYTES], int rank, int n_ranks)
{
    *r = {};
    if (id[0] < 1 || id[0] > n_meetings || n_ranks > MOST_RANKS)
        return 1;
    struct meeting *m = &meetings[id[0] - 1];
    m->n_ranks = n_ranks;
    *r = { m, rank, n_ranks };
    return 0;
}

void cuda_ranks_close(struct cuda_ranks *r)
{
    *r = {};
}

enum kind { SUM, SUM_PART, JOIN };

static float sum_of(const struct meeting *m, size_t i)
{
    float s = 0;
    for (int r = 0; r < m->n_ranks; r++)
        s += m->from[r][i];
    return s;
}

static void meet(const struct meeting *m, enum kind kind, size_t n)
{
    const size_t all = kind == SUM ? n : n * (size_t)m->n_ranks;
    for (size_t i = 0; i < all; i++) {
        const size_t part = i / n;
        const float x = kind == JOIN ? m->from[part][i % n] : sum_of(m, i);
        if (kind == SUM_PART)
            m->to[part][i % n] = x;
        for (int r = 0; kind != SUM_PART && r < m->n_ranks; r++)
            m->to[r][i] = x;
    }
}

static int arrive(const struct cuda_ranks *r, const float *from, float *to, size_t n,
                  enum kind kind)
{
    struct meeting *m = (struct meeting *)r->handle;
    m->from[r->rank] = from;
    m->to[r->rank] = to;
    if (++m->here < m->n_ranks)
        return 0;
    m->here = 0;
    cuemu_open();
    meet(m, kind, n);
    cuemu_close();
    return 0;
}

int cuda_sum(const struct cuda *, const struct cuda_ranks *r, float *x, size_t n)
{
    return arrive(r, x, x, n, SUM);
}

int cuda_sum_part(const struct cuda *, const struct cuda_ranks *r, const float *x, float *part,
                  size_t n_part)
{
    return arrive(r, x, part, n_part, SUM_PART);
}

int cuda_join_parts(const struct cuda *, const struct cuda_ranks *r, const float *part, float *x,
                    size_t n_part)
{
    return arrive(r, part, x, n_part, JOIN);
}
