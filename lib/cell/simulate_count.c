/* Doses, levels and counts: simulate.h has the formulas. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/thread.h"
#include "lib/cell/simulate_draw.h"

static double fold(const struct sim_edge *x, double dose)
{
    double h = dose * dose / (1 + dose * dose);
    return x->sign > 0 ? 1 + x->weight * h : 1 / (1 + x->weight * h);
}

static double folds(const struct sim_species *a, uint32_t gene, const double *dose)
{
    double f = 1;
    for (size_t i = a->edge_at[gene]; i < a->edge_at[gene + 1]; i++)
        f *= fold(&a->edge[i], dose[a->edge[i].tf]);
    return f;
}

void sim_doses(const struct sim *s, enum species sp, size_t type, size_t cell, int deleted,
               double *dose)
{
    const struct sim_species *a = &s->of[sp];
    for (size_t j = 0; j < a->n_tfs; j++) {
        /* Regulators of a TF have lower numbers, so their doses are known by now. */
        double eps = cell == SIZE_MAX ? 0 : sim_cell_normal(s, cell, 64 + j);
        dose[j] = (int)j == deleted ? 0
                                    : a->activity[j * s->opt.n_types + type] * exp(0.35 * eps) *
                                          folds(a, a->tf_gene[j], dose);
    }
}

void sim_levels(const struct sim *s, enum species sp, size_t type, const double *dose,
                double *level)
{
    const struct sim_species *a = &s->of[sp];
    for (uint32_t g = 0; g < a->n_genes; g++) {
        const struct sim_gene *gene = &a->gene[g];
        level[g] = gene->tf >= 0 ? gene->base * dose[gene->tf]
                                 : gene->base * folds(a, g, dose) *
                                       exp(0.2 * sim_normal(s, DRAW_TYPE, gene->group, type));
    }
}

enum rc sim_effect(const struct sim *s, enum species sp, size_t type, size_t tf, double *log2_fold,
                   struct err *e)
{
    const struct sim_species *a = &s->of[sp];
    assert(tf < a->n_tfs && type < s->opt.n_types);
    double *room = calloc(a->n_genes + a->n_tfs, sizeof *room);
    if (!room)
        return err_set(e, RC_FAIL, "no memory for %zu genes", a->n_genes);
    double *with = room, *dose = room + a->n_genes;
    sim_doses(s, sp, type, SIZE_MAX, -1, dose);
    sim_levels(s, sp, type, dose, with);
    sim_doses(s, sp, type, SIZE_MAX, (int)tf, dose);
    sim_levels(s, sp, type, dose, log2_fold);
    for (size_t g = 0; g < a->n_genes; g++)
        log2_fold[g] = g == a->tf_gene[tf] ? 0 : log2(log2_fold[g] / with[g]);
    free(room);
    return RC_OK;
}

/* Adds half (or all) of a cell's expected shares: mitochondrial genes take c->mito of them. */
static void add_shares(const struct sim *s, enum species sp, const struct sim_cell *c,
                       double weight, const double *level, double *mean)
{
    const struct sim_species *a = &s->of[sp];
    double sum[2] = { 0, 0 };
    for (size_t g = 0; g < a->n_genes; g++)
        sum[s->group[a->gene[g].group].biotype == SIM_MITO] += level[g];
    for (size_t g = 0; g < a->n_genes; g++) {
        bool mito = s->group[a->gene[g].group].biotype == SIM_MITO;
        mean[g] += weight * (mito ? c->mito : 1 - c->mito) * level[g] / sum[mito];
    }
}

void sim_mean(const struct sim *s, size_t cell, double *mean, double *scratch)
{
    const struct sim_cell *c = &s->cell[cell];
    const enum species sp = s->sample[c->sample].species;
    const struct sim_species *a = &s->of[sp];
    double *level = scratch, *dose = scratch + a->n_genes;
    const int halves = c->state == SIM_DOUBLET ? 2 : 1;
    memset(mean, 0, a->n_genes * sizeof *mean);
    for (int k = 0; k < halves; k++) {
        /* The second cell of a doublet has noise of its own: cell numbers past the last. */
        const size_t type = k ? c->type_2 : c->type;
        sim_doses(s, sp, type, cell + (size_t)k * s->opt.n_cells, -1, dose);
        sim_levels(s, sp, type, dose, level);
        add_shares(s, sp, c, 1.0 / halves, level, mean);
    }
    for (size_t g = 0; g < a->n_genes; g++)
        mean[g] *= c->library * exp(0.08 * sim_normal(s, DRAW_BATCH, c->sample, g));
}

/* ---- random counts ---- */

enum { DRAW_ROOM = 1 << 16, POISSON_AT = 512, POISSON_MAX = 500 };

/* Marsaglia and Tsang 2000, "A simple method for generating gamma variables", for shape >= 1; below
 * that, their note: gamma(a) = gamma(a + 1) * u^(1/a). Tries are two positions apart; the chance
 * that one fails is below 5 %, so 200 in a row never do. */
static double draw_gamma(uint64_t seed, uint64_t id, uint64_t at, double shape)
{
    if (shape < 1)
        return draw_gamma(seed, id, at, shape + 1) *
               pow(rng_unit(seed, RNG_SIM_COUNT, id, at + 500) + 0x1p-54, 1 / shape);
    double d = shape - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (uint64_t k = 0; k < 200; k++) {
        double x = rng_normal(seed, RNG_SIM_COUNT, id, at + 2 * k), v = 1 + c * x;
        if (v <= 0)
            continue;
        v = v * v * v;
        double u = rng_unit(seed, RNG_SIM_COUNT, id, at + 2 * k + 1);
        if (log(u + 0x1p-54) < 0.5 * x * x + d - d * v + d * log(v))
            return d * v;
    }
    return d; /* its mode */
}

/* By inversion; e^-500 is still far from the smallest double. */
static uint32_t draw_poisson(double mean, double u)
{
    double p = exp(-mean), sum = p;
    uint32_t k = 0;
    while (u >= sum && k < 10 * POISSON_MAX) {
        p *= mean / ++k;
        sum += p;
    }
    return k;
}

uint32_t sim_negative_binomial(uint64_t seed, uint64_t id, uint64_t pos, double mean,
                               double dispersion)
{
    assert(mean >= 0 && mean < 1e6 && dispersion >= 0);
    const uint64_t at = pos * DRAW_ROOM;
    if (mean > 0 && dispersion > 0)
        mean *= draw_gamma(seed, id, at, 1 / dispersion) * dispersion;
    uint32_t n = 0;
    /* A sum of Poisson numbers is one, so a large mean is cut up. */
    for (uint64_t k = POISSON_AT; mean > 0 && k < DRAW_ROOM; k++, mean -= POISSON_MAX) {
        double u = rng_unit(seed, RNG_SIM_COUNT, id, at + k);
        n += draw_poisson(mean < POISSON_MAX ? mean : POISSON_MAX, u);
    }
    return n;
}

/* ---- a sample ---- */

struct row {
    uint32_t *index, *value; /* one block: value = index + n */
    size_t n;
};

struct counting {
    const struct sim *s;
    const struct sim_sample *sample;
    struct row *row;
    double *scratch; /* per worker: mean, then sim_mean's own */
    size_t scratch_n;
};

static void count_row(void *ctx, size_t i, int worker)
{
    struct counting *c = ctx;
    const struct sim *s = c->s;
    const struct sim_species *a = &s->of[c->sample->species];
    const size_t cell = c->sample->first + i;
    double *mean = c->scratch + (size_t)worker * c->scratch_n;
    struct row *r = &c->row[i];
    r->index = malloc(2 * a->n_genes * sizeof *r->index);
    if (!r->index)
        return; /* seen by the caller */
    uint32_t *value = r->index + a->n_genes;
    sim_mean(s, cell, mean, mean + a->n_genes);
    for (uint32_t g = 0; g < a->n_genes; g++) {
        uint32_t n = sim_negative_binomial(s->opt.seed, cell, g, mean[g], a->gene[g].dispersion);
        if (n) {
            r->index[r->n] = g;
            value[r->n++] = n;
        }
    }
    memmove(r->index + r->n, value, r->n * sizeof *value);
    uint32_t *less = realloc(r->index, 2 * (r->n + 1) * sizeof *less); /* give back the rest */
    r->index = less ? less : r->index;
    r->value = r->index + r->n;
}

static enum rc join_rows(const struct counting *c, struct csr *out, struct err *e)
{
    size_t nnz = 0;
    const size_t n = c->sample->n;
    for (size_t i = 0; i < n; i++) {
        if (!c->row[i].index)
            return err_set(e, RC_FAIL, "no memory for cell %zu", i);
        nnz += c->row[i].n;
    }
    if (csr_alloc(out, n, c->s->of[c->sample->species].n_genes, nnz, e))
        return e->rc;
    for (size_t i = 0; i < n; i++) {
        const struct row *r = &c->row[i];
        memcpy(out->index + out->indptr[i], r->index, r->n * sizeof *r->index);
        memcpy(out->value + out->indptr[i], r->value, r->n * sizeof *r->value);
        out->indptr[i + 1] = out->indptr[i] + r->n;
    }
    return RC_OK;
}

enum rc sim_counts(const struct sim *s, size_t sample, struct csr *out, struct err *e)
{
    *out = (struct csr){ 0 };
    const struct sim_species *a = &s->of[s->sample[sample].species];
    struct counting c = { .s = s, .sample = &s->sample[sample] };
    c.scratch_n = 2 * a->n_genes + a->n_tfs;
    c.row = calloc(c.sample->n, sizeof *c.row);
    c.scratch = calloc((size_t)threads_count() * c.scratch_n, sizeof *c.scratch);
    enum rc rc = RC_OK;
    if (!c.row || !c.scratch)
        rc = err_set(e, RC_FAIL, "no memory for %zu cells", c.sample->n);
    if (!rc) {
        threads_for(c.sample->n, count_row, &c);
        rc = join_rows(&c, out, e);
    }
    for (size_t i = 0; c.row && i < c.sample->n; i++)
        free(c.row[i].index);
    free(c.row);
    free(c.scratch);
    return rc;
}
