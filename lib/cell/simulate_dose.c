#include "lib/cell/simulate_dose.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/cell/simulate_rates.h"

const double sim_drug_doses[SIM_DOSES] = { 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1 };

/* What a random number is for: ids of RNG_SIM_GENE, apart from those of lib/cell/simulate_draw.h
 * and lib/cell/simulate_perturb.c. */
enum draw {
    DRAW_BASE = 201,
    DRAW_TYPE,
    DRAW_FAMILY,
    DRAW_DRUG,
    DRAW_GENE,
    DRAW_TURN,
    DRAW_VECTOR,
    DRAW_CELL
};

struct curve {
    double top, half, steepness;
};

struct making {
    const struct sim_dose_options *o;
    double *base, total; /* [T, G] log rates; sum of the rates of the first type */
    struct curve *curve; /* [D, G] */
};

static uint64_t key(enum draw what, uint64_t i)
{
    return (uint64_t)what << 48 | i;
}
static double unit(const struct making *m, enum draw what, uint64_t i, uint64_t pos)
{
    return rng_unit(m->o->seed, RNG_SIM_GENE, key(what, i), pos);
}
static double normal(const struct making *m, enum draw what, uint64_t i, uint64_t pos)
{
    return rng_normal(m->o->seed, RNG_SIM_GENE, key(what, i), pos);
}
static size_t family(const struct making *m, size_t gene)
{
    return gene % m->o->n_families;
}
static size_t per_type(const struct making *m)
{
    return 1 + m->o->n_drugs * SIM_DOSES;
}

double sim_dose_hill(double top, double half, double steepness, double dose)
{
    if (!(dose > 0))
        return 0;
    return top / (1 + pow(half / dose, steepness));
}

static void make_rates(struct making *m)
{
    const size_t n = m->o->n_genes;
    for (size_t t = 0; t < m->o->n_types; t++)
        for (size_t g = 0; g < n; g++) {
            double *to = &m->base[t * n + g];
            *to = 1.2 * normal(m, DRAW_BASE, g, 0);
            if (t && unit(m, DRAW_TYPE, t, 2 * g) < 1.0 / 3)
                *to += normal(m, DRAW_TYPE, t, 2 * g + 1);
            if (!t)
                m->total += exp(*to);
        }
    for (size_t d = 0; d < m->o->n_drugs; d++) {
        /* The half-maximal dose lies between 0.02 and 0.6, so that doses stand on both sides. */
        const double log_half = log(0.02) + log(30) * unit(m, DRAW_DRUG, d, 0),
                     steepness = 0.8 + 1.4 * unit(m, DRAW_DRUG, d, 1);
        for (size_t g = 0; g < n; g++) {
            const uint64_t f = d * m->o->n_families + family(m, g), at = d * n + g;
            if (unit(m, DRAW_FAMILY, f, 0) < 2.0 / 3)
                continue;
            m->curve[d * n + g] =
                (struct curve){ 0.9 * normal(m, DRAW_FAMILY, f, 1) +
                                    0.25 * normal(m, DRAW_GENE, at, 0),
                                exp(log_half + 0.3 * normal(m, DRAW_GENE, at, 1)), steepness };
        }
    }
}

/* A condition is type * per_type + 0 for control, else 1 + a drug's dose. */
static size_t n_cells(const void *ctx, size_t condition)
{
    const struct making *m = ctx;
    return condition % per_type(m) ? m->o->n_each : m->o->n_controls;
}

static double log_rate(const void *ctx, size_t condition, size_t g)
{
    const struct making *m = ctx;
    const size_t n = m->o->n_genes, each = per_type(m), type = condition / each,
                 c = condition % each;
    const double base = m->base[type * n + g];
    if (!c)
        return base;
    const struct curve *k = &m->curve[(c - 1) / SIM_DOSES * n + g];
    return base + sim_dose_hill(k->top, k->half, k->steepness, sim_drug_doses[(c - 1) % SIM_DOSES]);
}

static enum rc name_cells(const struct making *m, const uint32_t *of, struct cells *c,
                          struct err *e)
{
    char text[32];
    enum rc rc = sim_names_make(c, e);
    if (!rc &&
        (!table_add(&c->obs, "drug", COLUMN_TEXT) || !table_add(&c->obs, "dose", COLUMN_F64) ||
         !table_add(&c->obs, "cell_type", COLUMN_TEXT)))
        rc = err_set(e, RC_FAIL, "no memory for %zu cells", c->obs.n_rows);
    for (size_t i = 0; !rc && i < c->obs.n_rows; i++) {
        const size_t each = per_type(m), k = of[i] % each;
        snprintf(text, sizeof text, k ? "drug_%zu" : "control", (k + SIM_DOSES - 1) / SIM_DOSES);
        rc = table_set_text(&c->obs, table_find(&c->obs, "drug"), i, text, e);
        table_find(&c->obs, "dose")->f64[i] = k ? sim_drug_doses[(k - 1) % SIM_DOSES] : 0;
        snprintf(text, sizeof text, "type_%zu", of[i] / each + 1);
        if (!rc)
            rc = table_set_text(&c->obs, table_find(&c->obs, "cell_type"), i, text, e);
    }
    return rc;
}

static enum rc make_cells(const struct making *m, struct cells *c, struct err *e)
{
    uint32_t *of;
    const struct sim_rates rates = { .seed = m->o->seed,
                                     .key = key(DRAW_CELL, 0),
                                     .size = m->o->depth / m->total,
                                     .n_genes = m->o->n_genes,
                                     .n_conditions = m->o->n_types * per_type(m),
                                     .n_cells = n_cells,
                                     .log_rate = log_rate,
                                     .ctx = m };
    enum rc rc = sim_counts_make(&rates, &c->count, &of, e);
    if (!rc)
        rc = name_cells(m, of, c, e);
    free(of);
    return rc;
}

static enum rc make_truth(const struct making *m, struct table *t, struct err *e)
{
    static const char *const number[] = { "top", "half", "steepness" };
    const size_t n = m->o->n_genes;
    char text[32];
    size_t rows = 0, at = 0;
    for (size_t k = 0; k < m->o->n_drugs * n; k++)
        rows += fabs(m->curve[k].top) > 0;
    table_init(t, rows);
    bool have = table_add(t, "drug", COLUMN_TEXT) && table_add(t, "gene", COLUMN_TEXT);
    for (int i = 0; i < 3; i++)
        have = have && table_add(t, number[i], COLUMN_F64);
    enum rc rc = have ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu curves", rows);
    for (size_t k = 0; !rc && k < m->o->n_drugs * n; k++) {
        const struct curve *c = &m->curve[k];
        if (!(fabs(c->top) > 0))
            continue;
        snprintf(text, sizeof text, "drug_%zu", k / n + 1);
        rc = table_set_text(t, table_find(t, "drug"), at, text, e);
        sim_gene_name(k % n, text);
        if (!rc)
            rc = table_set_text(t, table_find(t, "gene"), at, text, e);
        table_find(t, "top")->f64[at] = c->top;
        table_find(t, "half")->f64[at] = c->half;
        table_find(t, "steepness")->f64[at++] = c->steepness;
    }
    return rc;
}

/* A family's direction in SIM_DOSE_WIDTH numbers, and noise. */
static void make_vectors(const struct making *m, float *to)
{
    for (size_t g = 0; g < m->o->n_genes; g++)
        for (size_t k = 0; k < SIM_DOSE_WIDTH; k++)
            to[g * SIM_DOSE_WIDTH + k] =
                (float)(normal(m, DRAW_TURN, family(m, g), k) + 0.5 * normal(m, DRAW_VECTOR, g, k));
}

void sim_dose_release(struct sim_dose *s)
{
    cells_release(&s->cells);
    table_release(&s->curves);
    free(s->vector);
    *s = (struct sim_dose){ 0 };
}

static enum rc check(const struct sim_dose_options *o, struct err *e)
{
    if (o->n_genes < 2 || o->n_genes > 100000 || !o->n_families || o->n_families > 10000)
        return err_set(e, RC_USAGE, "%zu genes in %zu families are out of range", o->n_genes,
                       o->n_families);
    if (!o->n_drugs || o->n_drugs > 1000 || !o->n_types || o->n_types > 100)
        return err_set(e, RC_USAGE, "%zu drugs and %zu cell types are out of range", o->n_drugs,
                       o->n_types);
    if (!o->n_controls || !o->n_each || o->n_controls > 1000000 || o->n_each > 100000 ||
        !(o->depth >= 1 && o->depth <= 1e6))
        return err_set(e, RC_USAGE, "numbers of cells, or their total, are out of range");
    return RC_OK;
}

enum rc sim_dose_make(const struct sim_dose_options *o, struct sim_dose *s, struct err *e)
{
    *s = (struct sim_dose){ 0 };
    enum rc rc = check(o, e);
    if (rc)
        return rc;
    cells_init(&s->cells);
    struct making m = { .o = o,
                        .base = calloc(o->n_types * o->n_genes, sizeof *m.base),
                        .curve = calloc(o->n_drugs * o->n_genes, sizeof *m.curve) };
    s->vector = malloc(o->n_genes * SIM_DOSE_WIDTH * sizeof *s->vector);
    if (!m.base || !m.curve || !s->vector)
        rc = err_set(e, RC_FAIL, "no memory for %zu curves", o->n_drugs * o->n_genes);
    if (!rc) {
        make_rates(&m);
        make_vectors(&m, s->vector);
        rc = make_cells(&m, &s->cells, e);
    }
    if (!rc)
        rc = make_truth(&m, &s->curves, e);
    free(m.base);
    free(m.curve);
    if (rc)
        sim_dose_release(s);
    return rc;
}
