#include "lib/cell/simulate_rates.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/rng.h"
#include "lib/base/thread.h"
#include "lib/cell/simulate.h"

enum { BLOCK = 256 };

struct block {
    const struct sim_rates *r;
    const uint32_t *of; /* the condition of a cell */
    size_t first, n_genes;
    uint32_t *count; /* [BLOCK, n_genes] */
};

static void draw_cell(void *ctx, size_t i, int worker)
{
    const struct block *b = ctx;
    const size_t n = b->n_genes, cell = b->first + i;
    const struct sim_rates *r = b->r;
    const double size =
        r->size * exp(0.3 * rng_normal(r->seed, RNG_SIM_CELL, r->key | (uint64_t)cell, 0));
    (void)worker;
    for (size_t g = 0; g < n; g++)
        b->count[i * n + g] =
            sim_negative_binomial(r->seed, r->key | (uint64_t)cell, g,
                                  fmin(size * exp(r->log_rate(r->ctx, b->of[cell], g)), 1e5), 0.1);
}

static enum rc grow(struct csr *c, size_t *room, size_t need, struct err *e)
{
    if (need <= *room)
        return RC_OK;
    const size_t more = *room + *room / 2 + need;
    uint32_t *index = realloc(c->index, more * sizeof *index);
    if (index)
        c->index = index;
    uint32_t *value = realloc(c->value, more * sizeof *value);
    if (value)
        c->value = value;
    if (!index || !value)
        return err_set(e, RC_FAIL, "no memory for %zu counts", more);
    *room = more;
    return RC_OK;
}

static enum rc fill(const struct sim_rates *r, const uint32_t *of, struct csr *c, struct err *e)
{
    const size_t n = c->n_cols, n_cells = c->n_rows;
    struct block b = {
        .r = r, .of = of, .n_genes = n, .count = malloc(BLOCK * n * sizeof *b.count)
    };
    size_t room = 0, at = 0;
    enum rc rc = b.count ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu genes", n);
    for (; !rc && b.first < n_cells; b.first += BLOCK) {
        const size_t k = n_cells - b.first < BLOCK ? n_cells - b.first : BLOCK;
        threads_for(k, draw_cell, &b);
        rc = grow(c, &room, at + k * n, e);
        for (size_t i = 0; !rc && i < k; i++) {
            for (uint32_t g = 0; g < n; g++)
                if (b.count[i * n + g]) {
                    c->index[at] = g;
                    c->value[at++] = b.count[i * n + g];
                }
            c->indptr[b.first + i + 1] = at;
        }
    }
    free(b.count);
    return rc;
}

enum rc sim_counts_make(const struct sim_rates *r, struct csr *c, uint32_t **of, struct err *e)
{
    size_t n = 0, at = 0;
    for (size_t k = 0; k < r->n_conditions; k++)
        n += r->n_cells(r->ctx, k);
    *of = malloc((n + 1) * sizeof **of);
    enum rc rc =
        *of ? csr_alloc(c, n, r->n_genes, 0, e) : err_set(e, RC_FAIL, "no memory for %zu cells", n);
    for (size_t k = 0; !rc && k < r->n_conditions; k++)
        for (size_t i = r->n_cells(r->ctx, k); i; i--)
            (*of)[at++] = (uint32_t)k;
    if (!rc) {
        rng_shuffle(r->seed, RNG_SIM_CELL, r->key, *of, n);
        rc = fill(r, *of, c, e);
    }
    if (rc) {
        free(*of);
        *of = NULL;
    }
    return rc;
}

void sim_gene_name(size_t gene, char name[SIM_GENE_NAME])
{
    snprintf(name, SIM_GENE_NAME, "SIM%06zu", gene + 1);
}

enum rc sim_names_make(struct cells *c, struct err *e)
{
    const size_t n = c->count.n_rows, n_genes = c->count.n_cols;
    char name[32];
    table_init(&c->obs, n);
    table_init(&c->var, n_genes);
    c->cell = calloc(n + 1, sizeof *c->cell);
    c->gene = calloc(n_genes + 1, sizeof *c->gene);
    struct column *gene = table_add(&c->var, "gene_name", COLUMN_TEXT);
    enum rc rc = c->cell && c->gene && gene ? RC_OK : err_set(e, RC_FAIL, "no memory for names");
    for (size_t i = 0; !rc && i < n; i++) {
        snprintf(name, sizeof name, "cell%07zu", i + 1);
        c->cell[i] = arena_text(&c->obs.text, name);
        if (!c->cell[i])
            rc = err_set(e, RC_FAIL, "no memory for %zu cells", n);
    }
    for (size_t g = 0; !rc && g < n_genes; g++) {
        sim_gene_name(g, name);
        c->gene[g] = gene->text[g] = arena_text(&c->var.text, name);
        if (!c->gene[g])
            rc = err_set(e, RC_FAIL, "no memory for %zu genes", n_genes);
    }
    return rc;
}
