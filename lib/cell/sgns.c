/* Training in windows of lines. For each window:
 *   1. draw       every line's fate and negatives, each a pure function of (seed, pass, place in
 *                 the pass); lines are drawn in parallel, then lost ones are squeezed out
 *   2. levels     step k reads and writes in[context] and the out rows of its predicted gene and
 *                 negatives. Its level is one more than the highest level of an earlier step of
 *                 the window that touches any of these rows
 *   3. take       level by level; the steps of a level share no row, so they may run at once
 * Steps that share a row keep their order, hence each reads exactly what it would read if all ran
 * one after the other: the bits are those of one thread, which indeed leaves out 2.
 *
 * Example with three steps, in/out rows: k0 in 1, out {2,3}; k1 in 4, out {5,6}; k2 in 1, out
 * {7,8}. k0 and k1 have level 0 and run together; k2 shares in 1 with k0 and has level 1.
 *
 * Measured on human gene families (12,614 genes): 8192 lines give levels of about 100 steps. */
#include "lib/cell/sgns.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/base/thread.h"
#include "lib/cell/sgns_training.h"

enum { WINDOW = 8192, DRAW_TASK = 256, STEP_TASK = 4, ALIGN = SGNS_ALIGN, LANES = SGNS_LANES };
enum { HINT_SHIFT = 15, N_HINTS = 1 << 16 }; /* of a draw's 31 bits, the upper 16 */
/* With shorter rows a level is over before the other threads are awake. */
enum { PARALLEL_STRIDE = 256 };
#define DOMAIN_MAX 2147483647.0 /* gensim draws negatives below 2^31 - 1 */
#define POWER 0.75

struct sgns_options sgns_defaults(void)
{
    return (struct sgns_options){
        .passes = 10, .negative = 5, .sample = 1e-3, .rate_first = 0.025, .rate_last = 0.0001
    };
}

static float *rows_new(size_t n, size_t stride)
{
    float *x = NULL;
    if (posix_memalign((void **)&x, ALIGN, n * stride * sizeof *x) != 0)
        return NULL;
    memset(x, 0, n * stride * sizeof *x);
    return x;
}

enum rc sgns_alloc(struct sgns *s, size_t n, size_t dim, struct err *e)
{
    *s = (struct sgns){ 0 };
    if (n == 0 || n > INT32_MAX || dim == 0 || dim > 65536)
        return err_set(e, RC_INPUT, "%zu vectors of %zu numbers cannot be learned", n, dim);
    *s = (struct sgns){ .n = n, .dim = dim, .stride = (dim + LANES - 1) / LANES * LANES };
    s->in = rows_new(n, s->stride);
    s->out = rows_new(n, s->stride);
    if (s->in && s->out)
        return RC_OK;
    sgns_release(s);
    return err_set(e, RC_FAIL, "no memory for %zu vectors of %zu numbers", n, dim);
}

void sgns_release(struct sgns *s)
{
    free(s->in);
    free(s->out);
    *s = (struct sgns){ 0 };
}

void sgns_start(struct sgns *s, uint64_t seed, const uint64_t *key)
{
    memset(s->out, 0, s->n * s->stride * sizeof *s->out);
    for (size_t r = 0; r < s->n; r++)
        for (size_t i = 0; i < s->dim; i++)
            s->in[r * s->stride + i] =
                (float)((rng_unit(seed, RNG_SGNS_INIT, key[r], i) - 0.5) / (double)s->dim);
}

void sgns_cum_table(const uint64_t *count, size_t n, uint32_t *cum)
{
    double all = 0, sum = 0;
    for (size_t i = 0; i < n; i++)
        all += pow((double)count[i], POWER);
    for (size_t i = 0; i < n; i++) {
        sum += pow((double)count[i], POWER);
        cum[i] = (uint32_t)nearbyint(sum / all * DOMAIN_MAX);
    }
}

void sgns_keep_table(const uint64_t *count, size_t n, double sample, uint32_t *keep)
{
    double all = 0;
    for (size_t i = 0; i < n; i++)
        all += (double)count[i];
    const double threshold = sample * all;
    for (size_t i = 0; i < n; i++) {
        const double f = (double)count[i];
        double p = sample > 0 && f > 0 ? (sqrt(f / threshold) + 1) * threshold / f : 1;
        keep[i] = (uint32_t)fmin(p * 4294967296.0, 4294967295.0);
    }
}

size_t sgns_draw(const uint32_t *cum, size_t n, uint32_t x)
{
    size_t lo = 0, hi = n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (cum[mid] < x)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < n ? lo : n - 1;
}

double sgns_rate(const struct sgns_options *o, size_t line, size_t n_lines)
{
    const size_t before = line / SGNS_JOB_PAIRS * SGNS_JOB_PAIRS;
    const double rate =
        o->rate_first - (o->rate_first - o->rate_last) * (double)before / (double)n_lines;
    return rate > o->rate_last ? rate : o->rate_last;
}

/* sgns_draw, by a short walk instead of a bisection, which costs more than the step of a short row.
 */
static uint32_t draw_negative(const struct sgns_training *t, uint32_t word32)
{
    const uint32_t x = (uint32_t)((uint64_t)word32 * t->cum[t->s->n - 1] >> 32);
    uint32_t row = t->hint[x >> HINT_SHIFT];
    while (t->cum[row] < x)
        row++;
    return row;
}

static uint64_t draw_id(const struct sgns_training *t)
{
    return t->o->stream << 32 | (uint64_t)1 << 31 | t->pass;
}

static uint32_t word(const struct sgns_training *t, size_t line, uint32_t i, struct rng_word4 *b)
{
    /* 12 blocks a line hold 2 + 2 * 20 words; block by block as they are needed. */
    if (i % 4 == 0)
        *b = rng_block(t->o->seed, RNG_SGNS_DRAW, draw_id(t), line * 12 + i / 4);
    return b->w[i % 4];
}

bool sgns_draw_line(const struct sgns_training *t, size_t line, struct sgns_step step[2])
{
    const struct pair p = t->pairs->at[t->order[line]];
    struct rng_word4 b;
    uint32_t used = 0;
    const uint32_t x = word(t, line, used++, &b), y = word(t, line, used++, &b);
    if (t->keep[p.a] < x || t->keep[p.b] < y)
        return false;
    step[0].predicted = step[1].context = p.a;
    step[1].predicted = step[0].context = p.b;
    for (int k = 0; k < 2; k++) {
        step[k].rate = (float)sgns_rate(t->o, line, t->pairs->n);
        for (uint32_t j = 0; j < t->o->negative; j++)
            step[k].negative[j] = draw_negative(t, word(t, line, used++, &b));
    }
    return true;
}

static void draw_task(void *ctx, size_t task, int worker)
{
    struct sgns_training *t = ctx;
    (void)worker;
    for (size_t i = task * DRAW_TASK; i < (task + 1) * DRAW_TASK && i < t->n; i++)
        t->stays[i] = sgns_draw_line(t, t->first + i, t->step + 2 * i);
}

static void draw_window(struct sgns_training *t, struct sgns_counts *c)
{
    threads_for((t->n + DRAW_TASK - 1) / DRAW_TASK, draw_task, t);
    t->n_steps = 0;
    for (size_t i = 0; i < t->n; i++) {
        if (!t->stays[i])
            continue;
        if (t->n_steps != 2 * i)
            memcpy(t->step + t->n_steps, t->step + 2 * i, 2 * sizeof *t->step);
        for (size_t k = t->n_steps; k < t->n_steps + 2; k++)
            for (uint32_t j = 0; j < t->o->negative; j++)
                c->skipped += t->step[k].negative[j] == t->step[k].predicted;
        t->n_steps += 2;
    }
    c->lines += t->n;
    c->kept += t->n_steps / 2;
}

/* Levels of all steps, and the steps by rising level, each level in order of steps. Returns the
 * number of levels. */
static uint32_t find_levels(struct sgns_training *t)
{
    uint32_t n_levels = 0;
    memset(t->last_in, 0, t->s->n * sizeof *t->last_in);
    memset(t->last_out, 0, t->s->n * sizeof *t->last_out);
    for (size_t k = 0; k < t->n_steps; k++) {
        const struct sgns_step *s = &t->step[k];
        uint32_t level = t->last_in[s->context];
        if (t->last_out[s->predicted] > level)
            level = t->last_out[s->predicted];
        for (uint32_t j = 0; j < t->o->negative; j++)
            if (t->last_out[s->negative[j]] > level)
                level = t->last_out[s->negative[j]];
        t->level[k] = level;
        t->last_in[s->context] = t->last_out[s->predicted] = level + 1;
        for (uint32_t j = 0; j < t->o->negative; j++)
            t->last_out[s->negative[j]] = level + 1;
        if (level + 1 > n_levels)
            n_levels = level + 1;
    }
    memset(t->start, 0, (n_levels + 1) * sizeof *t->start);
    for (size_t k = 0; k < t->n_steps; k++)
        t->start[t->level[k] + 1]++;
    for (uint32_t l = 0; l < n_levels; l++)
        t->start[l + 1] += t->start[l];
    for (size_t k = 0; k < t->n_steps; k++)
        t->sorted[t->start[t->level[k]]++] = (uint32_t)k;
    memmove(t->start + 1, t->start, n_levels * sizeof *t->start); /* ends back to beginnings */
    t->start[0] = 0;
    return n_levels;
}

static void level_task(void *ctx, size_t task, int worker)
{
    const struct sgns_training *t = ctx;
    const uint32_t *sorted = t->sorted + t->level_first;
    const size_t end = (task + 1) * STEP_TASK < t->level_n ? (task + 1) * STEP_TASK : t->level_n;
    for (size_t i = task * STEP_TASK; i < end; i++)
        sgns_take_step(t->s, &t->step[sorted[i]], t->o->negative,
                       i + 1 < end ? &t->step[sorted[i + 1]] : NULL,
                       t->work + (size_t)worker * t->s->stride);
}

static void take_window(struct sgns_training *t)
{
    if (threads_count() == 1 || t->s->stride < PARALLEL_STRIDE) {
        for (size_t k = 0; k < t->n_steps; k++)
            sgns_take_step(t->s, &t->step[k], t->o->negative,
                           k + 1 < t->n_steps ? &t->step[k + 1] : NULL, t->work);
        return;
    }
    const uint32_t n_levels = find_levels(t);
    for (uint32_t l = 0; l < n_levels; l++) {
        t->level_first = t->start[l];
        t->level_n = t->start[l + 1] - t->start[l];
        threads_for((t->level_n + STEP_TASK - 1) / STEP_TASK, level_task, t);
    }
}

static void training_release(struct sgns_training *t)
{
    free(t->cum);
    free(t->keep);
    free(t->order);
    free(t->hint);
    free(t->step);
    free(t->stays);
    free(t->level);
    free(t->sorted);
    free(t->start);
    free(t->last_in);
    free(t->last_out);
    free(t->work);
}

static bool training_alloc(struct sgns_training *t)
{
    const size_t n = t->s->n;
    t->cum = calloc(n, sizeof *t->cum);
    t->keep = calloc(n, sizeof *t->keep);
    t->hint = calloc(N_HINTS, sizeof *t->hint);
    t->order = calloc(t->pairs->n, sizeof *t->order);
    t->step = calloc(2 * WINDOW, sizeof *t->step);
    t->stays = calloc(WINDOW, 1);
    t->level = calloc(2 * WINDOW, sizeof *t->level);
    t->sorted = calloc(2 * WINDOW, sizeof *t->sorted);
    t->start = calloc(2 * WINDOW + 1, sizeof *t->start);
    t->last_in = calloc(n, sizeof *t->last_in);
    t->last_out = calloc(n, sizeof *t->last_out);
    t->work = rows_new((size_t)threads_count(), t->s->stride);
    return t->cum && t->keep && t->hint && t->order && t->step && t->stays && t->level &&
           t->sorted && t->start && t->last_in && t->last_out && t->work;
}

static enum rc check(const struct sgns *s, const struct pairs *pairs, const struct sgns_options *o,
                     struct err *e)
{
    if (pairs->n == 0)
        return err_set(e, RC_INPUT, "no pairs to learn from");
    for (size_t i = 0; i < pairs->n; i++)
        if (pairs->at[i].a >= s->n || pairs->at[i].b >= s->n)
            return err_set(e, RC_INPUT, "pair %zu: gene %u of %zu", i,
                           pairs->at[i].a >= s->n ? pairs->at[i].a : pairs->at[i].b, s->n);
    if (o->negative > SGNS_MAX_NEGATIVE)
        return err_set(e, RC_USAGE, "%u negatives, at most %d are drawn", o->negative,
                       SGNS_MAX_NEGATIVE);
    if (!(o->sample >= 0) || !(o->rate_last >= 0) || !(o->rate_first >= o->rate_last))
        return err_set(e, RC_USAGE, "a rate or sample below 0, or a rate that rises");
    return RC_OK;
}

/* Counts of the genes in the pairs, made into the two tables. */
static enum rc fill_tables(struct sgns_training *t, struct err *e)
{
    uint64_t *count = calloc(t->s->n, sizeof *count);
    if (!count)
        return err_set(e, RC_FAIL, "no memory for %zu genes", t->s->n);
    for (size_t i = 0; i < t->pairs->n; i++) {
        count[t->pairs->at[i].a]++;
        count[t->pairs->at[i].b]++;
    }
    sgns_cum_table(count, t->s->n, t->cum);
    sgns_keep_table(count, t->s->n, t->o->sample, t->keep);
    free(count);
    for (uint32_t h = 0; h < N_HINTS; h++)
        t->hint[h] = (uint32_t)sgns_draw(t->cum, t->s->n, h << HINT_SHIFT);
    return RC_OK;
}

static void take_pass(struct sgns_training *t, struct sgns_counts *c)
{
    const size_t n = t->pairs->n;
    for (size_t i = 0; i < n; i++)
        t->order[i] = (uint32_t)i;
    rng_shuffle(t->o->seed, RNG_SGNS_DRAW, t->o->stream << 32 | t->pass, t->order, n);
    if (t->o->hogwild) {
        sgns_hogwild_pass(t, c);
        return;
    }
    for (t->first = 0; t->first < n; t->first += t->n) {
        t->n = n - t->first < WINDOW ? n - t->first : WINDOW;
        draw_window(t, c);
        take_window(t);
        if (t->o->progress)
            t->o->progress(t->o->ctx, (size_t)c->lines);
    }
}

enum rc sgns_train(struct sgns *s, const struct pairs *pairs, const struct sgns_options *o,
                   struct sgns_counts *counts, struct err *e)
{
    struct sgns_counts c = { 0 };
    struct sgns_training t = { .s = s, .pairs = pairs, .o = o };
    enum rc rc = check(s, pairs, o, e);
    if (!rc && !training_alloc(&t))
        rc = err_set(e, RC_FAIL, "no memory to learn from %zu pairs", pairs->n);
    if (!rc)
        rc = fill_tables(&t, e);
    for (t.pass = 0; !rc && t.pass < o->passes; t.pass++)
        take_pass(&t, &c);
    training_release(&t);
    if (counts)
        *counts = c;
    return rc;
}
