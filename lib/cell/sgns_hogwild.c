/* Training as fast as memory allows, without one order of steps (Recht et al. 2011, "Hogwild!").
 *
 * A task takes BLOCK lines of the pass, squeezes out the lost ones, and steps through the rest in
 * groups of GROUP steps that share one set of negatives, as in Ji et al. 2016 ("Parallelizing
 * Word2Vec in shared and distributed memory"): every step has its own predicted gene and all steps
 * the negatives of the group's first. All products of a group are taken before any of its rows
 * moves. At 768 numbers the step of sgns.c moves 14 rows of 3 KiB for a line; a group of 8 steps
 * moves 21 for its four lines.
 *
 * Threads read and write rows at the same time and without locks: an update may be lost, and two
 * runs differ. With one thread the result is a function of the seed. */
#include "lib/base/thread.h"
#include "lib/cell/sgns_training.h"

/* Bits are not promised here, so a multiplication and an addition may be one operation. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("fp-contract=fast")
#endif

enum { BLOCK = 512, GROUP = 8, MAX_ROWS = 1 + SGNS_MAX_NEGATIVE };
#define UNROLL _Pragma("GCC unroll 6")
#define INLINE static inline __attribute__((always_inline))
typedef float vec8 __attribute__((vector_size(32), may_alias));

/* Rows of the steps of a group: context, predicted; and the shared negatives. */
struct group {
    size_t n; /* steps */
    uint32_t n_negative;
    float *in[GROUP], *out[GROUP], *negative[SGNS_MAX_NEGATIVE];
    float rate[GROUP];
};

static void group_of(const struct sgns *s, const struct sgns_step *step, size_t n,
                     uint32_t n_negative, struct group *g)
{
    g->n = n < GROUP ? n : GROUP;
    g->n_negative = g->n ? n_negative : 0;
    for (size_t i = 0; i < g->n; i++) {
        g->in[i] = s->in + step[i].context * s->stride;
        g->out[i] = s->out + step[i].predicted * s->stride;
        g->rate[i] = step[i].rate;
    }
    for (uint32_t j = 0; j < g->n_negative; j++)
        g->negative[j] = s->out + step[0].negative[j] * s->stride;
}

INLINE float fold(const vec8 *sum)
{
    const vec8 s = *sum;
    return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

/* dot[0] = v . u, dot[1 + j] = v . negative[j]. */
INLINE void products(const float *v, const float *u, float *const *negative, uint32_t n_negative,
                     size_t n, float *dot)
{
    vec8 sum[MAX_ROWS] = { { 0 } };
    const float *row[MAX_ROWS]; /* local: what is written below cannot be these */
    for (uint32_t j = 0; j <= n_negative; j++)
        row[j] = j ? negative[j - 1] : u;
    for (size_t i = 0; i < n; i += 8) {
        const vec8 x = *(const vec8 *)(v + i);
        UNROLL for (uint32_t j = 0; j <= n_negative; j++) sum[j] += x * *(const vec8 *)(row[j] + i);
    }
    for (uint32_t j = 0; j <= n_negative; j++)
        dot[j] = fold(&sum[j]);
}

/* u += g0 v, negative[j] += gj v, v += what they were times the same; asks for two rows of the next
 * group on the way. */
INLINE void move(float *v, float *u, float *const *negative, uint32_t n_negative, size_t n,
                 const float *pull, const float *ahead0, const float *ahead1)
{
    float *row[MAX_ROWS], g[MAX_ROWS];
    for (uint32_t j = 0; j <= n_negative; j++) {
        row[j] = j ? negative[j - 1] : u;
        g[j] = pull[j];
    }
    for (size_t i = 0; i < n; i += 8) {
        if (i % 16 == 0) {
            __builtin_prefetch(ahead0 + i, 1);
            __builtin_prefetch(ahead1 + i, 1);
        }
        const vec8 x = *(vec8 *)(v + i);
        vec8 e = x;
        UNROLL for (uint32_t j = 0; j <= n_negative; j++)
        {
            vec8 *z = (vec8 *)(row[j] + i);
            const vec8 old = *z;
            e += g[j] * old;
            *z = old + g[j] * x;
        }
        *(vec8 *)(v + i) = e;
    }
}

INLINE void take_group(const struct sgns *s, const struct group *g, const struct group *next,
                       uint32_t n_negative)
{
    float pull[GROUP][MAX_ROWS];
    for (size_t k = 0; k < g->n; k++) {
        products(g->in[k], g->out[k], g->negative, n_negative, s->stride, pull[k]);
        for (uint32_t j = 0; j <= n_negative; j++) {
            const bool passed_over = j && g->negative[j - 1] == g->out[k];
            pull[k][j] = passed_over ? 0 : sgns_pull(pull[k][j], j == 0 ? 1.0f : 0.0f) * g->rate[k];
        }
    }
    for (size_t k = 0; k < g->n; k++) {
        /* Of the next group: a step's two rows now, its negatives with the first steps'. */
        const float *a = k < next->n ? next->in[k] : g->in[k],
                    *b = k < next->n ? next->out[k] : g->out[k];
        move(g->in[k], g->out[k], g->negative, n_negative, s->stride, pull[k], a, b);
    }
    for (uint32_t j = 0; j < next->n_negative; j++)
        for (size_t i = 0; i < s->stride; i += 16)
            __builtin_prefetch(next->negative[j] + i, 1);
}

INLINE void take_any(const struct sgns *s, const struct group *g, const struct group *next,
                     uint32_t n_negative)
{
    if (n_negative == 5)
        take_group(s, g, next, 5);
    else
        take_group(s, g, next, n_negative);
}

__attribute__((target("avx2,fma"))) static void
take_group_avx2(const struct sgns *s, const struct group *g, const struct group *next)
{
    take_any(s, g, next, g->n_negative);
}

static void take_group_plain(const struct sgns *s, const struct group *g, const struct group *next)
{
    take_any(s, g, next, g->n_negative);
}

/* One task: lines [first, first + n) of the pass. */
static void take_block(struct sgns_training *t, size_t first, size_t n, uint64_t *kept)
{
    struct sgns_step step[2 * BLOCK];
    struct group g[2];
    size_t n_steps = 0;
    step[0] = (struct sgns_step){ 0 };
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    for (size_t i = 0; i < n; i++)
        n_steps += sgns_draw_line(t, first + i, step + n_steps) ? 2 : 0;
    group_of(t->s, step, n_steps, t->o->negative, &g[0]);
    for (size_t i = 0; i < n_steps; i += GROUP) {
        const size_t after = i + GROUP < n_steps ? i + GROUP : n_steps;
        struct group *now = &g[i / GROUP % 2], *next = &g[(i / GROUP + 1) % 2];
        group_of(t->s, step + after, n_steps - after, t->o->negative, next);
        (avx2 ? take_group_avx2 : take_group_plain)(t->s, now, next);
    }
    *kept = n_steps / 2;
}

static void block_task(void *ctx, size_t task, int worker)
{
    struct sgns_training *t = ctx;
    const size_t first = task * BLOCK, left = t->pairs->n - first;
    (void)worker;
    uint64_t kept = 0;
    take_block(t, first, left < BLOCK ? left : BLOCK, &kept);
    __atomic_fetch_add(&t->n_steps, kept, __ATOMIC_RELAXED);
}

void sgns_hogwild_pass(struct sgns_training *t, struct sgns_counts *c)
{
    t->n_steps = 0;
    threads_for((t->pairs->n + BLOCK - 1) / BLOCK, block_task, t);
    c->lines += t->pairs->n;
    c->kept += t->n_steps;
    if (t->o->progress)
        t->o->progress(t->o->ctx, (size_t)c->lines);
}
