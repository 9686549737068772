#include "lib/cell/simulate_perturb.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/map.h"
#include "lib/base/rng.h"
#include "lib/cell/simulate_rates.h"

/* What a random number is for: ids of RNG_SIM_GENE, apart from those of lib/cell/simulate_draw.h.
 */
enum draw {
    DRAW_BASE = 101,
    DRAW_FAMILY,
    DRAW_PROGRAMME,
    DRAW_OWN,
    DRAW_PAIR,
    DRAW_TERM,
    DRAW_CELL
};

enum kind { CONTROL, SINGLE, ADDITIVE, SYNERGISTIC, BUFFERING };
static const char *const kind_name[] = { "control", "single", "additive", "synergistic",
                                         "buffering" };
static const double kind_factor[] = { 0, 1, 1, 1.6, 0.5 };

struct condition {
    enum kind kind;
    size_t gene[2];
    char name[56];
    size_t n_cells;
};

struct making {
    const struct sim_perturb_options *o;
    double *base, total; /* [G] log rates of control cells; sum of the rates */
    double *effect;      /* [P, G] of the singles */
    struct condition *condition;
    size_t n_conditions;
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

static void make_effects(struct making *m)
{
    const size_t n = m->o->n_genes;
    for (size_t g = 0; g < n; g++) {
        m->base[g] = 1.2 * normal(m, DRAW_BASE, g, 0);
        m->total += exp(m->base[g]);
    }
    for (size_t p = 0; p < m->o->n_perturbed; p++)
        for (size_t g = 0; g < n; g++) {
            const size_t f = family(m, p);
            double *to = &m->effect[p * n + g];
            if (unit(m, DRAW_PROGRAMME, f, 2 * g) < 0.15)
                *to += 0.8 * normal(m, DRAW_PROGRAMME, f, 2 * g + 1);
            if (unit(m, DRAW_OWN, p, 2 * g) < 0.05)
                *to += 0.8 * normal(m, DRAW_OWN, p, 2 * g + 1);
            if (g == p)
                *to += 1.2;
        }
}

/* Control, singles, then pairs, each pair once: number k of a walk over all pairs in a drawn order.
 */
static void name_gene(const struct sim_perturb_options *o, size_t g, char to[SIM_GENE_NAME])
{
    if (g < o->n_names)
        snprintf(to, SIM_GENE_NAME, "%s", o->name[g]);
    else
        sim_gene_name(g, to);
}

static enum rc make_conditions(struct making *m, struct err *e)
{
    const struct sim_perturb_options *o = m->o;
    const size_t p = o->n_perturbed, all = p * (p - 1) / 2;
    uint32_t *pair = malloc((all + 1) * sizeof *pair);
    char a[SIM_GENE_NAME], b[SIM_GENE_NAME];
    if (!pair)
        return err_set(e, RC_FAIL, "no memory for %zu pairs", all);
    for (size_t k = 0; k < all; k++)
        pair[k] = (uint32_t)k;
    rng_shuffle(o->seed, RNG_SIM_GENE, key(DRAW_PAIR, 0), pair, all);
    m->condition[0] = (struct condition){ CONTROL, { 0 }, "ctrl", o->n_controls };
    for (size_t i = 0; i < p; i++) {
        struct condition *c = &m->condition[1 + i];
        *c = (struct condition){ SINGLE, { i, i }, "", o->n_each };
        name_gene(o, i, a);
        snprintf(c->name, sizeof c->name, "%s+ctrl", a);
    }
    for (size_t k = 0; k < o->n_pairs; k++) {
        struct condition *c = &m->condition[1 + p + k];
        size_t i = 0, left = pair[k];
        while (left >= p - 1 - i)
            left -= p - 1 - i++;
        *c =
            (struct condition){ ADDITIVE + (enum kind)(k % 3), { i, i + 1 + left }, "", o->n_each };
        name_gene(o, c->gene[0], a);
        name_gene(o, c->gene[1], b);
        snprintf(c->name, sizeof c->name, "%s+%s", a, b);
    }
    m->n_conditions = 1 + p + o->n_pairs;
    free(pair);
    return RC_OK;
}

static double change(const struct making *m, const struct condition *c, size_t g)
{
    const size_t n = m->o->n_genes;
    if (c->kind == CONTROL)
        return 0;
    const double a = m->effect[c->gene[0] * n + g];
    return c->kind == SINGLE ? a : kind_factor[c->kind] * (a + m->effect[c->gene[1] * n + g]);
}

static size_t n_cells(const void *ctx, size_t condition)
{
    const struct making *m = ctx;
    return m->condition[condition].n_cells;
}

static double log_rate(const void *ctx, size_t condition, size_t g)
{
    const struct making *m = ctx;
    return m->base[g] + change(m, &m->condition[condition], g);
}

static enum rc name_cells(const struct making *m, const uint32_t *of, struct cells *c,
                          struct err *e)
{
    enum rc rc = sim_names_make(c, e);
    struct column *symbol = rc ? NULL : table_find(&c->var, "gene_name");
    for (size_t g = 0; !rc && g < m->o->n_names && g < c->count.n_cols; g++) {
        rc = table_set_text(&c->var, symbol, g, m->o->name[g], e);
        c->gene[g] = symbol->text[g];
    }
    struct column *name = rc ? NULL : table_add(&c->obs, "condition", COLUMN_TEXT);
    if (!rc && !name)
        rc = err_set(e, RC_FAIL, "no memory for %zu cells", c->obs.n_rows);
    for (size_t i = 0; !rc && i < c->obs.n_rows; i++)
        rc = table_set_text(&c->obs, name, i, m->condition[of[i]].name, e);
    return rc;
}

static enum rc make_cells(const struct making *m, struct cells *c, struct err *e)
{
    uint32_t *of;
    const struct sim_rates rates = { .seed = m->o->seed,
                                     .key = key(DRAW_CELL, 0),
                                     .size = m->o->depth / m->total,
                                     .n_genes = m->o->n_genes,
                                     .n_conditions = m->n_conditions,
                                     .n_cells = n_cells,
                                     .log_rate = log_rate,
                                     .ctx = m };
    enum rc rc = sim_counts_make(&rates, &c->count, &of, e);
    if (!rc)
        rc = name_cells(m, of, c, e);
    free(of);
    return rc;
}

/* ---- the truth ---- */

static enum rc make_truth(const struct making *m, struct sim_perturb *s, struct err *e)
{
    const size_t n = m->o->n_genes;
    size_t rows = 0, at = 0;
    char name[SIM_GENE_NAME];
    for (size_t k = 0; k < m->n_conditions; k++)
        for (size_t g = 0; g < n; g++)
            rows += fabs(change(m, &m->condition[k], g)) > 0;
    table_init(&s->conditions, m->n_conditions);
    table_init(&s->effects, rows);
    static const char *const texts[] = { "condition", "kind" };
    struct column *c[5] = { 0 };
    bool have = true;
    for (int i = 0; i < 2; i++)
        have = have && table_add(&s->conditions, texts[i], COLUMN_TEXT);
    have = have && table_add(&s->conditions, "factor", COLUMN_F64) &&
           table_add(&s->conditions, "n_cells", COLUMN_I64) &&
           table_add(&s->effects, "condition", COLUMN_TEXT) &&
           table_add(&s->effects, "gene", COLUMN_TEXT) &&
           table_add(&s->effects, "log_ratio", COLUMN_F64);
    if (!have)
        return err_set(e, RC_FAIL, "no memory for %zu effects", rows);
    c[0] = table_find(&s->conditions, "condition");
    c[1] = table_find(&s->conditions, "kind");
    enum rc rc = RC_OK;
    for (size_t k = 0; !rc && k < m->n_conditions; k++) {
        rc = table_set_text(&s->conditions, c[0], k, m->condition[k].name, e);
        if (!rc)
            rc = table_set_text(&s->conditions, c[1], k, kind_name[m->condition[k].kind], e);
        table_find(&s->conditions, "factor")->f64[k] = kind_factor[m->condition[k].kind];
        table_find(&s->conditions, "n_cells")->i64[k] = (int64_t)m->condition[k].n_cells;
    }
    c[2] = table_find(&s->effects, "condition");
    c[3] = table_find(&s->effects, "gene");
    c[4] = table_find(&s->effects, "log_ratio");
    for (size_t k = 0; !rc && k < m->n_conditions; k++)
        for (size_t g = 0; !rc && g < n; g++) {
            const double x = change(m, &m->condition[k], g);
            if (!(fabs(x) > 0))
                continue;
            name_gene(m->o, g, name);
            rc = table_set_text(&s->effects, c[2], at, m->condition[k].name, e);
            if (!rc)
                rc = table_set_text(&s->effects, c[3], at, name, e);
            c[4]->f64[at++] = x;
        }
    return rc;
}

enum { FAMILY_TERMS = 6, OTHER_TERMS = 2 };

/* Of six terms of its family a gene has each with 0.8, the first always, and two of all terms. */
static enum rc make_go(const struct making *m, struct table *t, struct err *e)
{
    const size_t n = m->o->n_graph, all = m->o->n_families * FAMILY_TERMS;
    char name[SIM_GENE_NAME];
    table_init(t, n);
    if (!table_add(t, "gene", COLUMN_TEXT) || !table_add(t, "terms", COLUMN_TEXT))
        return err_set(e, RC_FAIL, "no memory for %zu genes", n);
    struct column *gene = table_find(t, "gene"), *terms = table_find(t, "terms");
    enum rc rc = RC_OK;
    for (size_t g = 0; !rc && g < n; g++) {
        char text[256] = "";
        size_t at = 0;
        for (size_t k = 0; k < FAMILY_TERMS + OTHER_TERMS; k++) {
            size_t term = family(m, g) * FAMILY_TERMS + k;
            if (k >= FAMILY_TERMS)
                term = (size_t)rng_below(m->o->seed, RNG_SIM_GENE, key(DRAW_TERM, g), k, all);
            else if (k && !(unit(m, DRAW_TERM, g, k) < 0.8))
                continue;
            at += (size_t)snprintf(text + at, sizeof text - at, "%sT%05zu", at ? "," : "", term);
        }
        name_gene(m->o, g, name);
        rc = table_set_text(t, gene, g, name, e);
        if (!rc)
            rc = table_set_text(t, terms, g, text, e);
    }
    return rc;
}

void sim_perturb_release(struct sim_perturb *s)
{
    cells_release(&s->cells);
    table_release(&s->conditions);
    table_release(&s->effects);
    table_release(&s->go);
    *s = (struct sim_perturb){ 0 };
}

static enum rc check_names(const struct sim_perturb_options *o, struct err *e)
{
    struct map seen;
    enum rc rc = RC_OK;
    map_init(&seen);
    for (size_t g = 0; !rc && g < o->n_names; g++) {
        uint64_t old = MAP_NONE;
        const size_t n = strlen(o->name[g]);
        if (!n || n >= SIM_GENE_NAME || strpbrk(o->name[g], "+,\t"))
            rc = err_set(e, RC_INPUT, "gene %zu: '%.60s' is no name for a simulated gene", g + 1,
                         o->name[g]);
        if (!rc)
            rc = map_add(&seen, o->name[g], g, &old, e);
        if (!rc && old != MAP_NONE)
            rc = err_set(e, RC_INPUT, "gene '%s' is named twice", o->name[g]);
    }
    map_release(&seen);
    return rc;
}

static enum rc check(const struct sim_perturb_options *o, struct err *e)
{
    const size_t p = o->n_perturbed;
    if (p < 2 || p > o->n_genes || o->n_genes > 100000 || p > 10000)
        return err_set(e, RC_USAGE, "%zu perturbed genes of %zu: at least 2, at most all", p,
                       o->n_genes);
    if (o->n_pairs > p * (p - 1) / 2)
        return err_set(e, RC_USAGE, "%zu pairs of %zu genes: there are %zu", o->n_pairs, p,
                       p * (p - 1) / 2);
    if (!o->n_families || o->n_families > 10000 || o->n_graph < p || o->n_graph > 100000)
        return err_set(e, RC_USAGE, "%zu families, %zu genes in the graph", o->n_families,
                       o->n_graph);
    if (!o->n_controls || !o->n_each || o->n_controls > 10000000 || o->n_each > 1000000 ||
        !(o->depth >= 1 && o->depth <= 1e6))
        return err_set(e, RC_USAGE, "numbers of cells, or their total, are out of range");
    return RC_OK;
}

enum rc sim_perturb_make(const struct sim_perturb_options *o, struct sim_perturb *s, struct err *e)
{
    *s = (struct sim_perturb){ 0 };
    enum rc rc = check(o, e);
    if (!rc)
        rc = check_names(o, e);
    if (rc)
        return rc;
    cells_init(&s->cells);
    struct making m = { .o = o,
                        .base = calloc(o->n_genes + 1, sizeof *m.base),
                        .effect = calloc(o->n_perturbed * o->n_genes + 1, sizeof *m.effect),
                        .condition = calloc(1 + o->n_perturbed + o->n_pairs, sizeof *m.condition) };
    if (!m.base || !m.effect || !m.condition)
        rc = err_set(e, RC_FAIL, "no memory for %zu effects", o->n_perturbed * o->n_genes);
    if (!rc)
        make_effects(&m);
    if (!rc)
        rc = make_conditions(&m, e);
    if (!rc)
        rc = make_cells(&m, &s->cells, e);
    if (!rc)
        rc = make_truth(&m, s, e);
    if (!rc)
        rc = make_go(&m, &s->go, e);
    free(m.base);
    free(m.effect);
    free(m.condition);
    if (rc)
        sim_perturb_release(s);
    return rc;
}
