/* Each gene x walks through the cells that express it, and in each such cell through the other
 * genes expressed there; every other gene has six sums. So the work is sum over cells of k^2 / 2
 * visits with k expressed genes: 10^9 for 3,000 cells of a droplet experiment.
 *
 * What a visit costs is memory: genes are walked through in stripes of PEARSON_STRIPE, whose sums
 * stay in the first-level cache, for a tile of 32 genes x one after the other, which share the
 * stripe's entries in the second.
 *
 * Sums of counts are whole; where all are exact in float (pearson_matrix.c), 8 floats do instead of
 * 8 doubles, and the same correlations come out to the last bit.
 *
 * Tiles of genes x are tasks. A task keeps its own list of pairs that pass; the lists are joined in
 * order of tiles, so threads change nothing. Sums run over cells in rising order. */
#include "lib/cell/pearson.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/base/thread.h"
#include "lib/cell/pearson_matrix.h"

enum { TILE = 32, ROUND = 64 /* tiles between two calls of progress */ };

struct pearson_options pearson_defaults(void)
{
    return (struct pearson_options){ .least_cells = 30, .above = 0.8 };
}

/* Lanes of the sums of a pair: n, y, yy, x, xy, xx, and two that stay 0. */
enum { SUM_N, SUM_Y, SUM_YY, SUM_X, SUM_XY, SUM_XX, SUMS = 8 };
#define INLINE static inline __attribute__((always_inline))

/* Of a worker, for the genes of one stripe: doubles, or floats in half of it. */
struct sums {
    double lane[PEARSON_STRIPE][SUMS];
};

struct tile {
    struct pairs passed;
    uint64_t defined, above, also[PEARSON_ALSO];
    struct err e;
};

struct job {
    const struct pearson_matrix *m;
    const struct pearson_options *o;
    struct sums *sums; /* [threads] */
    struct tile *tile; /* [n_tiles] */
    size_t first;      /* tile of this round */
    bool listed;
};

static struct sums *sums_new(size_t n)
{
    void *p = NULL;
    return posix_memalign(&p, 64, n * sizeof(struct sums)) == 0 ? p : NULL;
}

/* Sums of x with every gene of a stripe: for values a of x and b of the other gene the lanes
 * 1, b, b b, a, a b, a a as (square b + line) b + fixed. Plain multiplications and additions lane
 * by lane, so the bits do not depend on the width of the machine's vectors. */
typedef double vec4 __attribute__((vector_size(32), may_alias));
typedef float vec8 __attribute__((vector_size(32), may_alias));

INLINE void add_doubles(const struct pearson_matrix *m, uint32_t x, size_t stripe, vec4 *s)
{
    const uint32_t *row = m->row + stripe * (m->n_cells + 1);
    const uint8_t *gene = m->gene + m->col[stripe * PEARSON_STRIPE];
    const double *value = (const double *)m->row_value + m->col[stripe * PEARSON_STRIPE];
    memset(s, 0, 2 * PEARSON_STRIPE * sizeof *s);
    for (size_t k = m->col[x]; k < m->col[x + 1]; k++) {
        const double a = m->value[k];
        const vec4 fixed = { 1, 0, 0, a }, line = { 0, 1, 0, 0 }, square = { 0, 0, 1, 0 };
        const vec4 fixed1 = { 0, a * a, 0, 0 }, line1 = { a, 0, 0, 0 };
        const uint32_t end = row[m->cell[k] + 1];
        for (uint32_t i = row[m->cell[k]]; i < end; i++) {
            const double c = value[i];
            const vec4 b = { c, c, c, c };
            vec4 *t = s + 2 * gene[i];
            t[0] += (square * b + line) * b + fixed;
            t[1] += line1 * b + fixed1;
        }
    }
}

INLINE void add_floats(const struct pearson_matrix *m, uint32_t x, size_t stripe, vec8 *s)
{
    const uint32_t *row = m->row + stripe * (m->n_cells + 1);
    const uint8_t *gene = m->gene + m->col[stripe * PEARSON_STRIPE];
    const float *value = (const float *)m->row_value + m->col[stripe * PEARSON_STRIPE];
    memset(s, 0, PEARSON_STRIPE * sizeof *s);
    for (size_t k = m->col[x]; k < m->col[x + 1]; k++) {
        const float a = (float)m->value[k];
        const vec8 fixed = { 1, 0, 0, a, 0, a * a, 0, 0 }, line = { 0, 1, 0, 0, a, 0, 0, 0 };
        const vec8 square = { 0, 0, 1, 0, 0, 0, 0, 0 };
        const uint32_t end = row[m->cell[k] + 1];
        for (uint32_t i = row[m->cell[k]]; i < end; i++) {
            const float c = value[i];
            const vec8 b = { c, c, c, c, c, c, c, c };
            s[gene[i]] += (square * b + line) * b + fixed;
        }
    }
}

INLINE void add_stripe(const struct pearson_matrix *m, uint32_t x, size_t stripe, struct sums *s)
{
    if (m->in_float)
        add_floats(m, x, stripe, (vec8 *)s);
    else
        add_doubles(m, x, stripe, (vec4 *)s);
}

__attribute__((target("avx2"))) static void
add_stripe_avx2(const struct pearson_matrix *m, uint32_t x, size_t stripe, struct sums *s)
{
    add_stripe(m, x, stripe, s);
}

static void add_stripe_any(const struct pearson_matrix *m, uint32_t x, size_t stripe,
                           struct sums *s)
{
    if (__builtin_cpu_supports("avx2"))
        add_stripe_avx2(m, x, stripe, s);
    else
        add_stripe(m, x, stripe, s);
}

static uint32_t n_of(const struct sums *s, size_t y, bool in_float)
{
    return (uint32_t)(in_float ? (double)((const float *)s)[y * SUMS + SUM_N] : s->lane[y][SUM_N]);
}

/* NaN: undefined. A variance counts as 0 when it is rounding noise of its two terms; with counts
 * the terms are whole and a variance that is not 0 is at least 1. */
static double correlation(const struct sums *s, size_t y, bool in_float, uint32_t least)
{
    double v[SUMS];
    const float *f = (const float *)s + y * SUMS;
    const double n = n_of(s, y, in_float);
    if (!(n >= least) || !(n > 0))
        return NAN;
    for (int i = 0; i < SUMS; i++)
        v[i] = in_float ? (double)f[i] : s->lane[y][i];
    const double vx = n * v[SUM_XX] - v[SUM_X] * v[SUM_X], vy = n * v[SUM_YY] - v[SUM_Y] * v[SUM_Y];
    if (!(vx > 1e-14 * n * v[SUM_XX]) || !(vy > 1e-14 * n * v[SUM_YY]))
        return NAN;
    return (n * v[SUM_XY] - v[SUM_X] * v[SUM_Y]) / sqrt(vx * vy);
}

static void take_stripe(const struct job *j, struct tile *t, size_t x, size_t stripe,
                        struct sums *s)
{
    const struct pearson_matrix *m = j->m;
    const size_t first = stripe * PEARSON_STRIPE,
                 end = first + PEARSON_STRIPE < m->n_genes ? first + PEARSON_STRIPE : m->n_genes;
    add_stripe_any(m, (uint32_t)x, stripe, s);
    for (size_t y = x + 1 > first ? x + 1 : first; y < end && !t->e.rc; y++) {
        const double r = correlation(s, y - first, m->in_float, j->o->least_cells);
        if (isnan(r))
            continue;
        t->defined++;
        for (size_t i = 0; i < j->o->n_also; i++)
            t->also[i] += r > j->o->also[i];
        if (!(r > j->o->above))
            continue;
        t->above++;
        if (j->listed)
            pairs_add(&t->passed, m->column[x], m->column[y], &t->e);
    }
}

static void take_tile(void *ctx, size_t i, int worker)
{
    const struct job *j = ctx;
    const struct pearson_matrix *m = j->m;
    struct tile *t = &j->tile[j->first + i];
    const size_t first = (j->first + i) * TILE;
    for (size_t stripe = first / PEARSON_STRIPE; stripe < m->n_stripes; stripe++)
        for (size_t x = first; x < first + TILE && x < m->n_genes; x++)
            take_stripe(j, t, x, stripe, j->sums + worker);
    pairs_sort(&t->passed);
}

static enum rc join_tiles(struct job *j, size_t n_tiles, struct pairs *passed,
                          struct pearson_counts *c, struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; i < n_tiles; i++) {
        struct tile *t = &j->tile[i];
        if (!rc && t->e.rc)
            rc = err_set(e, t->e.rc, "%s", t->e.text);
        c->defined += t->defined;
        c->above += t->above;
        for (size_t k = 0; k < j->o->n_also; k++)
            c->also[k] += t->also[k];
        if (!rc && passed)
            rc = pairs_append(passed, &t->passed, e);
        pairs_release(&t->passed);
    }
    return rc;
}

static enum rc take_tiles(struct job *j, size_t n_tiles, struct err *e)
{
    const struct pearson_options *o = j->o;
    j->sums = sums_new((size_t)threads_count());
    j->tile = calloc(n_tiles + 1, sizeof *j->tile);
    if (!j->sums || !j->tile)
        return err_set(e, RC_FAIL, "no memory for %zu genes", j->m->n_genes);
    for (; j->first < n_tiles; j->first += ROUND) {
        const size_t left = n_tiles - j->first;
        threads_for(left < ROUND ? left : ROUND, take_tile, j);
        if (o->progress)
            o->progress(o->ctx, left < ROUND ? j->m->n_genes : (j->first + ROUND) * TILE);
    }
    return RC_OK;
}

enum rc pearson_pairs(const struct csr *c, const struct pearson_options *o, struct pairs *passed,
                      struct pearson_counts *counts, struct err *e)
{
    struct pearson_matrix m;
    struct pearson_counts n = { 0 };
    struct job j = { .m = &m, .o = o, .listed = passed != NULL };
    enum rc rc = pearson_matrix_fill(&m, c, o, e);
    if (rc)
        return rc;
    const size_t n_tiles = (m.n_genes + TILE - 1) / TILE;
    n.genes = m.n_genes;
    rc = take_tiles(&j, n_tiles, e);
    if (!rc)
        rc = join_tiles(&j, n_tiles, passed, &n, e);
    if (counts)
        *counts = n;
    free(j.sums);
    free(j.tile);
    pearson_matrix_release(&m);
    return rc;
}

static void row_entries(const struct pearson_matrix *m, const struct pearson_options *o, uint32_t g,
                        struct sums *s, struct pearson_entry *entry)
{
    for (size_t stripe = 0; stripe < m->n_stripes; stripe++) {
        add_stripe_any(m, g, stripe, s);
        for (size_t y = 0; y < PEARSON_STRIPE && stripe * PEARSON_STRIPE + y < m->n_genes; y++)
            entry[m->column[stripe * PEARSON_STRIPE + y]] =
                (struct pearson_entry){ n_of(s, y, m->in_float),
                                        correlation(s, y, m->in_float, o->least_cells) };
    }
}

enum rc pearson_rows(const struct csr *c, const struct pearson_options *o, const uint32_t *x,
                     size_t n, struct pearson_entry *entry, struct err *e)
{
    struct pearson_options all = *o;
    struct pearson_matrix m;
    all.least_cells = 0; /* the caller also asks for rare genes; the least is applied below */
    enum rc rc = pearson_matrix_fill(&m, c, &all, e);
    if (rc)
        return rc;
    struct sums *s = sums_new(1);
    if (!s)
        rc = err_set(e, RC_FAIL, "no memory for %zu genes", m.n_genes);
    for (size_t j = 0; !rc && j < n * c->n_cols; j++)
        entry[j] = (struct pearson_entry){ 0, NAN };
    for (uint32_t g = 0; !rc && g < m.n_genes; g++)
        for (size_t i = 0; i < n; i++)
            if (m.column[g] == x[i])
                row_entries(&m, o, g, s, entry + i * c->n_cols);
    free(s);
    pearson_matrix_release(&m);
    return rc;
}

struct ticket {
    uint64_t number;
    size_t row;
};

static int by_number(const void *a, const void *b)
{
    const struct ticket *x = a, *y = b;
    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

enum rc sample_rows(const uint64_t *id, size_t n_rows, size_t n, uint64_t seed, unsigned char *keep,
                    struct err *e)
{
    struct ticket *t = calloc(n_rows + 1, sizeof *t);
    if (!t)
        return err_set(e, RC_FAIL, "no memory for %zu cells", n_rows);
    for (size_t r = 0; r < n_rows; r++)
        t[r] = (struct ticket){ rng_u64(seed, RNG_SAMPLE, id[r], 0), r };
    qsort(t, n_rows, sizeof *t, by_number);
    memset(keep, 0, n_rows);
    for (size_t i = 0; i < n_rows && i < n; i++)
        keep[t[i].row] = 1;
    free(t);
    return RC_OK;
}
