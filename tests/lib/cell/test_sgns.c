/* lib/cell/sgns and lib/data/pairs: the fast step is the reference's, training is one order of
 * steps for any number of threads, and it learns. */
#include "lib/cell/sgns.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/base/thread.h"
#include "tests/tap.h"

static void pair_lists(void)
{
    struct pairs p = { 0 }, q = { 0 };
    struct err e = { 0 };
    static const uint32_t in[5][2] = { { 7, 2 }, { 2, 7 }, { 1, 1 }, { 3, 0 }, { 2, 5 } };
    for (int i = 0; i < 5; i++)
        pairs_add(&p, in[i][0], in[i][1], &e);
    ok(p.n == 4 && p.at[0].a == 2 && p.at[0].b == 7, "a pair has no order, and is of two things");
    pairs_append(&q, &p, &e);
    pairs_append(&q, &p, &e);
    pairs_sort(&q);
    ok(q.n == 8 && q.at[0].a == 0 && q.at[1].b == 3 && q.at[7].b == 7,
       "pairs sort, all lines stay");
    pairs_distinct(&q);
    ok(q.n == 3 && q.at[1].a == 2 && q.at[1].b == 5, "then one line of each");
    pairs_release(&p);
    pairs_release(&q);
    pairs_release(&q);
}

/* One random step on random vectors wide enough for products beyond 6. */
static double step_off(size_t dim, uint64_t id)
{
    struct sgns s;
    struct err e = { 0 };
    if (sgns_alloc(&s, 9, dim, &e))
        return NAN;
    double *in = calloc(9 * dim, sizeof *in), *out = calloc(9 * dim, sizeof *out),
           *work = calloc(dim, sizeof *work);
    float *fast = NULL;
    if (!in || !out || !work || posix_memalign((void **)&fast, 64, s.stride * sizeof *fast) != 0)
        abort();
    for (size_t r = 0; r < 9; r++)
        for (size_t i = 0; i < dim; i++) {
            const double scale = 2 / sqrt((double)dim);
            in[r * dim + i] = s.in[r * s.stride + i] =
                (float)(scale * rng_normal(1, RNG_TEST, id, r * dim + i));
            out[r * dim + i] = s.out[r * s.stride + i] =
                (float)(scale * rng_normal(2, RNG_TEST, id, r * dim + i));
        }
    /* A negative that comes twice, one that is the predicted gene. */
    const struct sgns_step step = { 3, 4, { 0, 8, 0, 3, 5 }, 0.025f };
    sgns_take_step(&s, &step, 5, NULL, fast);
    sgns_take_step_ref(in, out, dim, &step, (double)step.rate, 5, 0, work);
    double off = 0;
    for (size_t r = 0; r < 9; r++)
        for (size_t i = 0; i < s.stride; i++) {
            const double a = i < dim ? in[r * dim + i] : 0, b = i < dim ? out[r * dim + i] : 0;
            const double x = fabs(a - (double)s.in[r * s.stride + i]),
                         y = fabs(b - (double)s.out[r * s.stride + i]);
            off = !(x <= off) ? x : off;
            off = !(y <= off) ? y : off;
        }
    sgns_release(&s);
    free(in);
    free(out);
    free(work);
    free(fast);
    return off;
}

static void steps(void)
{
    static const size_t dim[] = { 1, 7, 8, 31, 32, 33, 200, 768 };
    for (size_t i = 0; i < sizeof dim / sizeof *dim; i++) {
        double off = 0;
        for (uint64_t k = 0; k < 20; k++) {
            const double x = step_off(dim[i], k);
            off = !(x <= off) ? x : off;
        }
        /* Float rounding; none of these products lies at the edge of an entry of the table. */
        ok(off < 1e-6, "%zu numbers: a step is the reference's, off by %.1e", dim[i], off);
    }
}

static void tables(void)
{
    const uint64_t count[4] = { 16, 1, 0, 81 };
    uint32_t cum[4], keep[4];
    sgns_cum_table(count, 4, cum);
    /* 16^.75 = 8, 1, 0, 81^.75 = 27: of 36. */
    ok(near(cum[0], 8 / 36.0 * 2147483647, 1, 0) && near(cum[1], 9 / 36.0 * 2147483647, 1, 0) &&
           cum[2] == cum[1] && cum[3] == 2147483647,
       "negatives come by count to the power 3/4");
    ok(sgns_draw(cum, 4, 0) == 0 && sgns_draw(cum, 4, cum[0]) == 0 &&
           sgns_draw(cum, 4, cum[0] + 1) == 1 && sgns_draw(cum, 4, cum[1] + 1) == 3,
       "a draw is the first row that reaches it, never one without pairs");
    sgns_keep_table(count, 4, 0.1, keep);
    const double t = 0.1 * 98, p = (sqrt(81 / t) + 1) * t / 81;
    ok(keep[0] == UINT32_MAX && near(keep[3], p * 4294967296.0, 1, 0), "frequent genes may leave");
    sgns_keep_table(count, 4, 0, keep);
    ok(keep[3] == UINT32_MAX, "without sub-sampling all stay");
    struct sgns_options o = sgns_defaults();
    ok(near(sgns_rate(&o, 4999, 20000), 0.025, 0, 1e-12) &&
           near(sgns_rate(&o, 5000, 20000), 0.025 - 0.0249 / 4, 0, 1e-12) &&
           near(sgns_rate(&o, 19999, 20000), 0.025 - 0.0249 * 3 / 4, 0, 1e-12),
       "the rate falls from job to job of 5000 lines");
}

/* Two groups of genes, pairs only inside a group, and a hub that is in every tenth pair. */
static void two_groups(struct pairs *p, uint32_t n_genes, size_t n)
{
    struct err e = { 0 };
    for (size_t i = 0; i < n; i++) {
        const uint32_t half = n_genes / 2, side = (uint32_t)(i % 2) * half;
        uint32_t a = (uint32_t)rng_below(1, RNG_TEST, i, 0, half) + side;
        const uint32_t b = (uint32_t)rng_below(1, RNG_TEST, i, 1, half) + side;
        if (i % 10 == 0)
            a = 0;
        if (pairs_add(p, a, b, &e))
            abort();
    }
}

static float *learn(const struct pairs *p, size_t n, size_t dim, int threads,
                    const struct sgns_options *o, struct sgns_counts *c)
{
    struct sgns s;
    struct err e = { 0 };
    uint64_t *key = calloc(n, sizeof *key);
    float *x = malloc(n * dim * sizeof *x);
    if (!key || !x || sgns_alloc(&s, n, dim, &e))
        abort();
    for (size_t i = 0; i < n; i++)
        key[i] = i * i;
    threads_init(threads);
    sgns_start(&s, o->seed, key);
    ok(!sgns_train(&s, p, o, c, &e), "%zu lines are learned, %d threads%s", p->n, threads, e.text);
    for (size_t r = 0; r < n; r++)
        memcpy(x + r * dim, s.in + r * s.stride, dim * sizeof *x);
    sgns_release(&s);
    free(key);
    return x;
}

static double cosine(const float *a, const float *b, size_t dim)
{
    double ab = 0, aa = 0, bb = 0;
    for (size_t i = 0; i < dim; i++) {
        ab += (double)a[i] * (double)b[i];
        aa += (double)a[i] * (double)a[i];
        bb += (double)b[i] * (double)b[i];
    }
    return ab / sqrt(aa * bb);
}

static void any_threads(void)
{
    enum { GENES = 300, DIM = 260, LINES = 20000 }; /* wide enough for steps in parallel */
    struct pairs p = { 0 };
    struct sgns_options o = sgns_defaults();
    struct sgns_counts c, c1;
    o.passes = 3;
    o.seed = 5;
    two_groups(&p, GENES, LINES);
    float *one = learn(&p, GENES, DIM, 1, &o, &c1);
    static const int threads[] = { 2, 3, 8 };
    for (int i = 0; i < 3; i++) {
        float *x = learn(&p, GENES, DIM, threads[i], &o, &c);
        ok(memcmp(one, x, GENES * DIM * sizeof *x) == 0, "%d threads give the bits of one",
           threads[i]);
        ok(memcmp(&c, &c1, sizeof c) == 0, "and count the same");
        free(x);
    }
    ok(c1.lines == 3 * p.n && c1.kept < c1.lines && c1.kept > c1.lines / 2,
       "the hub costs some lines: %llu of %llu stay", (unsigned long long)c1.kept,
       (unsigned long long)c1.lines);
    o.seed = 6;
    float *x = learn(&p, GENES, DIM, 2, &o, &c);
    ok(memcmp(one, x, GENES * DIM * sizeof *x) != 0, "another seed gives another result");
    free(x);
    o.seed = 5;
    o.stream = 1;
    x = learn(&p, GENES, DIM, 2, &o, &c);
    ok(c.kept != c1.kept, "another stream draws other lines");
    free(x);
    free(one);
    pairs_release(&p);
}

static void learns(void)
{
    enum { GENES = 100, DIM = 16, LINES = 20000 };
    struct pairs p = { 0 };
    struct sgns_options o = sgns_defaults();
    o.sample = 0;
    for (size_t i = 0; i < LINES; i++) {
        struct err e = { 0 };
        const uint32_t side = (uint32_t)(i % 2) * GENES / 2;
        pairs_add(&p, (uint32_t)rng_below(1, RNG_TEST, i, 0, GENES / 2) + side,
                  (uint32_t)rng_below(1, RNG_TEST, i, 1, GENES / 2) + side, &e);
    }
    struct sgns_counts c;
    float *x = learn(&p, GENES, DIM, 2, &o, &c);
    double in = 0, between = 0;
    for (size_t a = 0; a < GENES; a++)
        for (size_t b = a + 1; b < GENES; b++)
            *(a / 50 == b / 50 ? &in : &between) += cosine(x + a * DIM, x + b * DIM, DIM);
    in /= 2 * 50 * 49 / 2;
    between /= 50 * 50;
    ok(in > 0.9 && between < 0.2,
       "genes of a group come together: cosine %.2f within, %.2f between", in, between);
    ok(c.kept == c.lines, "without sub-sampling no line is lost");
    free(x);
    o.hogwild = true;
    x = learn(&p, GENES, DIM, 2, &o, &c);
    in = between = 0;
    for (size_t a = 0; a < GENES; a++)
        for (size_t b = a + 1; b < GENES; b++)
            *(a / 50 == b / 50 ? &in : &between) += cosine(x + a * DIM, x + b * DIM, DIM);
    ok(in / 2450 > 0.9 && between / 2500 < 0.2 && c.kept == c.lines && c.lines == p.n * o.passes,
       "so they do in a race: %.2f within, %.2f between", in / 2450, between / 2500);
    free(x);
    float *y = learn(&p, GENES, DIM, 1, &o, &c);
    x = learn(&p, GENES, DIM, 1, &o, &c);
    ok(memcmp(x, y, GENES * DIM * sizeof *x) == 0, "one thread cannot race");
    free(x);
    free(y);
    pairs_release(&p);
}

static void starts(void)
{
    struct sgns s, t;
    struct err e = { 0 };
    const uint64_t key[2] = { 11, 22 }, yek[3] = { 22, 33, 11 };
    if (sgns_alloc(&s, 2, 768, &e) || sgns_alloc(&t, 3, 768, &e))
        abort();
    sgns_start(&s, 1, key);
    sgns_start(&t, 1, yek);
    ok(memcmp(s.in, t.in + 2 * t.stride, 768 * sizeof(float)) == 0 &&
           memcmp(s.in + s.stride, t.in, 768 * sizeof(float)) == 0,
       "a gene's first vector does not depend on its row or the others");
    float lo = 1, hi = -1;
    for (int i = 0; i < 768; i++) {
        lo = s.in[i] < lo ? s.in[i] : lo;
        hi = s.in[i] > hi ? s.in[i] : hi;
    }
    ok(lo >= -0.5f / 768 && hi <= 0.5f / 768 && hi - lo > 0.95f / 768,
       "first vectors fill (-0.5, 0.5) / dim");
    sgns_release(&s);
    sgns_release(&t);
}

static void refusals(void)
{
    struct sgns s;
    struct err e = { 0 };
    struct pairs p = { 0 };
    struct sgns_options o = sgns_defaults();
    ok(sgns_alloc(&s, 0, 8, &e) == RC_INPUT && sgns_alloc(&s, 8, 0, &e) == RC_INPUT &&
           sgns_alloc(&s, SIZE_MAX / 8, 8, &e) == RC_INPUT,
       "nothing, or more than can be, is refused");
    if (sgns_alloc(&s, 3, 8, &e))
        abort();
    ok(sgns_train(&s, &p, &o, NULL, &e) == RC_INPUT && strstr(e.text, "no pairs"),
       "no pairs: refused");
    pairs_add(&p, 1, 3, &e);
    ok(sgns_train(&s, &p, &o, NULL, &e) == RC_INPUT && strstr(e.text, "gene 3 of 3"),
       "a gene that is not there: refused");
    p.at[0].b = 2;
    o.negative = SGNS_MAX_NEGATIVE + 1;
    ok(sgns_train(&s, &p, &o, NULL, &e) == RC_USAGE, "too many negatives: refused");
    o.negative = SGNS_MAX_NEGATIVE;
    ok(!sgns_train(&s, &p, &o, NULL, &e), "the most are drawn");
    o.rate_last = NAN;
    ok(sgns_train(&s, &p, &o, NULL, &e) == RC_USAGE, "a rate that is no number: refused");
    pairs_release(&p);
    sgns_release(&s);
}

int main(void)
{
    pair_lists();
    steps();
    tables();
    starts();
    any_threads();
    learns();
    refusals();
    threads_stop();
    return tap_end();
}
