/* Each gene x walks through the cells that express it, and in each such cell through the genes
 * y > x; every y has six sums. A nonzero entry costs one visit per gene before it in its cell, so
 * the work is sum over cells of k^2 / 2 with k expressed genes: 10^9 for 3,000 cells of a droplet
 * experiment, about two nanoseconds each.
 *
 * Tiles of 32 genes x are tasks. A task keeps its own list of pairs that pass; the lists are joined
 * in order of tiles, so threads change nothing. Sums run over cells in rising order. */
#include "lib/cell/pearson.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/base/thread.h"

enum { TILE = 32, ROUND = 64 /* tiles between two calls of progress */ };

struct pearson_options pearson_defaults(void)
{
    return (struct pearson_options){ .least_cells = 30, .above = 0.8 };
}

/* One cache line. */
struct sums {
    double n, y, yy, x, xy, xx, none[2];
};

/* Genes in at least least_cells cells, by rows and by columns. */
struct matrix {
    size_t n_cells, n_genes;
    uint32_t *column;  /* [n_genes] in the source */
    size_t *row, *col; /* offsets, [n_cells + 1], [n_genes + 1] */
    uint32_t *gene;    /* [nnz] of entries by rows */
    double *value;     /* [nnz] by rows */
    size_t *place;     /* [nnz] by columns: the entry's place by rows, cells rising */
    uint32_t *cell;    /* [nnz] by columns */
};

struct tile {
    struct pairs passed;
    uint64_t defined, above;
    struct err e;
};

struct job {
    const struct matrix *m;
    const struct pearson_options *o;
    struct sums *sums; /* [threads, n_genes] */
    struct tile *tile; /* [n_tiles] */
    size_t first;      /* tile of this round */
    bool listed;
};

static struct sums *sums_new(size_t n)
{
    void *p = NULL;
    return posix_memalign(&p, sizeof(struct sums), (n + 1) * sizeof(struct sums)) == 0 ? p : NULL;
}

static void matrix_release(struct matrix *m)
{
    free(m->column);
    free(m->row);
    free(m->col);
    free(m->gene);
    free(m->value);
    free(m->place);
    free(m->cell);
}

static double scaled(uint32_t count, double total, enum pearson_scale s)
{
    return s == PEARSON_COUNTS ? (double)count : log2(1 + 1e4 * (double)count / total);
}

/* to[j]: the new number of column j or UINT32_MAX; fills column and col. */
static enum rc pick_genes(struct matrix *m, const struct csr *c, uint32_t least, uint32_t *to,
                          struct err *e)
{
    size_t *n = calloc(c->n_cols + 1, sizeof *n);
    m->column = calloc(c->n_cols + 1, sizeof *m->column);
    m->col = calloc(c->n_cols + 2, sizeof *m->col);
    if (!n || !m->column || !m->col) {
        free(n);
        return err_set(e, RC_FAIL, "no memory for %zu genes", c->n_cols);
    }
    for (uint64_t i = 0; i < csr_nnz(c); i++)
        n[c->index[i]]++;
    for (size_t j = 0; j < c->n_cols; j++) {
        const bool in = n[j] > 0 && n[j] >= least;
        to[j] = in ? (uint32_t)m->n_genes : UINT32_MAX;
        if (!in)
            continue;
        m->column[m->n_genes] = (uint32_t)j;
        m->col[m->n_genes + 1] = m->col[m->n_genes] + n[j];
        m->n_genes++;
    }
    free(n);
    return RC_OK;
}

static void fill_entries(struct matrix *m, const struct csr *c, enum pearson_scale s,
                         const uint32_t *to, size_t *next)
{
    size_t at = 0;
    memcpy(next, m->col, m->n_genes * sizeof *next);
    for (size_t r = 0; r < c->n_rows; r++) {
        double total = 0;
        for (uint64_t i = c->indptr[r]; i < c->indptr[r + 1]; i++)
            total += (double)c->value[i];
        m->row[r] = at;
        for (uint64_t i = c->indptr[r]; i < c->indptr[r + 1]; i++) {
            const uint32_t g = to[c->index[i]];
            if (g == UINT32_MAX)
                continue;
            m->gene[at] = g;
            m->value[at] = scaled(c->value[i], total, s);
            m->place[next[g]] = at;
            m->cell[next[g]++] = (uint32_t)r;
            at++;
        }
    }
    m->row[c->n_rows] = at;
}

/* Deals each gene's values anew among its own cells. */
static enum rc shuffle(struct matrix *m, const struct pearson_options *o, struct err *e)
{
    uint32_t *order = calloc(m->n_cells + 1, sizeof *order);
    double *old = calloc(m->n_cells + 1, sizeof *old);
    for (size_t g = 0; order && old && g < m->n_genes; g++) {
        const size_t n = m->col[g + 1] - m->col[g], *place = m->place + m->col[g];
        for (size_t i = 0; i < n; i++) {
            order[i] = (uint32_t)i;
            old[i] = m->value[place[i]];
        }
        rng_shuffle(o->seed, RNG_SAMPLE, o->stream << 32 | m->column[g], order, n);
        for (size_t i = 0; i < n; i++)
            m->value[place[i]] = old[order[i]];
    }
    const bool good = order && old;
    free(order);
    free(old);
    return good ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu cells", m->n_cells);
}

static enum rc matrix_fill(struct matrix *m, const struct csr *c, const struct pearson_options *o,
                           struct err *e)
{
    *m = (struct matrix){ .n_cells = c->n_rows };
    if (c->n_rows >= UINT32_MAX)
        return err_set(e, RC_INPUT, "%zu cells in one matrix", c->n_rows);
    uint32_t *to = calloc(c->n_cols + 1, sizeof *to);
    enum rc rc = to ? pick_genes(m, c, o->least_cells, to, e)
                    : err_set(e, RC_FAIL, "no memory for %zu genes", c->n_cols);
    const size_t nnz = rc ? 0 : m->col[m->n_genes];
    size_t *next = calloc(m->n_genes + 1, sizeof *next);
    m->row = calloc(c->n_rows + 1, sizeof *m->row);
    m->gene = calloc(nnz + 1, sizeof *m->gene);
    m->value = calloc(nnz + 1, sizeof *m->value);
    m->place = calloc(nnz + 1, sizeof *m->place);
    m->cell = calloc(nnz + 1, sizeof *m->cell);
    if (!rc && !(next && m->row && m->gene && m->value && m->place && m->cell))
        rc = err_set(e, RC_FAIL, "no memory for %zu counts", nnz);
    if (!rc)
        fill_entries(m, c, o->scale, to, next);
    if (!rc && o->shuffled)
        rc = shuffle(m, o, e);
    free(to);
    free(next);
    return rc;
}

/* Sums of x with every gene from `from` on: s[y]. Plain additions lane by lane, so the bits do not
 * depend on the width of the machine's vectors. */
typedef double vec4 __attribute__((vector_size(32), may_alias));

static inline __attribute__((always_inline)) void add_row(const struct matrix *m, uint32_t x,
                                                          bool after_x, struct sums *s)
{
    const size_t from = after_x ? x + 1 : 0;
    memset(s + from, 0, (m->n_genes - from) * sizeof *s);
    for (size_t k = m->col[x]; k < m->col[x + 1]; k++) {
        const size_t end = m->row[m->cell[k] + 1];
        const double a = m->value[m->place[k]];
        const vec4 x0 = { 1, 1, 1, a }, x1 = { a, a * a, 0, 0 };
        for (size_t i = after_x ? m->place[k] + 1 : m->row[m->cell[k]]; i < end; i++) {
            vec4 *t = (vec4 *)&s[m->gene[i]];
            const double b = m->value[i];
            const vec4 y0 = { 1, b, b * b, 1 }, y1 = { b, 1, 0, 0 };
            t[0] += x0 * y0;
            t[1] += x1 * y1;
        }
    }
}

__attribute__((target("avx2"))) static void add_row_avx2(const struct matrix *m, uint32_t x,
                                                         struct sums *s)
{
    add_row(m, x, true, s);
}

static void add_row_after(const struct matrix *m, uint32_t x, struct sums *s)
{
    if (__builtin_cpu_supports("avx2"))
        add_row_avx2(m, x, s);
    else
        add_row(m, x, true, s);
}

/* NaN: undefined. A variance counts as 0 when it is rounding noise of its two terms; with counts
 * the terms are whole and a variance that is not 0 is at least 1. */
static double correlation(const struct sums *s, uint32_t least)
{
    if (!(s->n >= least) || !(s->n > 0))
        return NAN;
    const double vx = s->n * s->xx - s->x * s->x, vy = s->n * s->yy - s->y * s->y;
    if (!(vx > 1e-14 * s->n * s->xx) || !(vy > 1e-14 * s->n * s->yy))
        return NAN;
    return (s->n * s->xy - s->x * s->y) / sqrt(vx * vy);
}

static void take_tile(void *ctx, size_t i, int worker)
{
    struct job *j = ctx;
    const struct matrix *m = j->m;
    struct tile *t = &j->tile[j->first + i];
    struct sums *s = j->sums + (size_t)worker * m->n_genes;
    const size_t first = (j->first + i) * TILE;
    for (size_t x = first; x < first + TILE && x < m->n_genes && !t->e.rc; x++) {
        add_row_after(m, (uint32_t)x, s);
        for (size_t y = x + 1; y < m->n_genes; y++) {
            const double r = correlation(&s[y], j->o->least_cells);
            t->defined += isnan(r) ? 0 : 1;
            if (!(r > j->o->above))
                continue;
            t->above++;
            if (j->listed)
                pairs_add(&t->passed, m->column[x], m->column[y], &t->e);
        }
    }
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
        if (!rc && passed)
            rc = pairs_append(passed, &t->passed, e);
        pairs_release(&t->passed);
    }
    return rc;
}

enum rc pearson_pairs(const struct csr *c, const struct pearson_options *o, struct pairs *passed,
                      struct pearson_counts *counts, struct err *e)
{
    struct matrix m;
    struct pearson_counts n = { 0 };
    struct job j = { .m = &m, .o = o, .listed = passed != NULL };
    enum rc rc = matrix_fill(&m, c, o, e);
    const size_t n_tiles = (m.n_genes + TILE - 1) / TILE;
    if (!rc) {
        j.sums = sums_new((size_t)threads_count() * m.n_genes);
        j.tile = calloc(n_tiles + 1, sizeof *j.tile);
        if (!j.sums || !j.tile)
            rc = err_set(e, RC_FAIL, "no memory for %zu genes", m.n_genes);
    }
    n.genes = m.n_genes;
    for (; !rc && j.first < n_tiles; j.first += ROUND) {
        const size_t left = n_tiles - j.first;
        threads_for(left < ROUND ? left : ROUND, take_tile, &j);
        if (o->progress)
            o->progress(o->ctx, left < ROUND ? m.n_genes : (j.first + ROUND) * TILE);
    }
    if (!rc)
        rc = join_tiles(&j, n_tiles, passed, &n, e);
    if (counts)
        *counts = n;
    free(j.sums);
    free(j.tile);
    matrix_release(&m);
    return rc;
}

enum rc pearson_row(const struct csr *c, const struct pearson_options *o, uint32_t x,
                    struct pearson_entry *entry, struct err *e)
{
    struct pearson_options all = *o;
    struct matrix m;
    all.least_cells = 0; /* the caller also asks for rare genes; the least is applied below */
    enum rc rc = matrix_fill(&m, c, &all, e);
    struct sums *s = rc ? NULL : sums_new(m.n_genes);
    if (!rc && !s)
        rc = err_set(e, RC_FAIL, "no memory for %zu genes", m.n_genes);
    for (size_t j = 0; !rc && j < c->n_cols; j++)
        entry[j] = (struct pearson_entry){ 0, NAN };
    for (uint32_t g = 0; !rc && g < m.n_genes; g++) {
        if (m.column[g] != x)
            continue;
        add_row(&m, g, false, s);
        for (size_t y = 0; y < m.n_genes; y++)
            entry[m.column[y]] =
                (struct pearson_entry){ (uint32_t)s[y].n, correlation(&s[y], o->least_cells) };
    }
    free(s);
    matrix_release(&m);
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
