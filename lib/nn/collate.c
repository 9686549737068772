#include "lib/nn/collate.h"

#include "lib/nn/dist.h"

enum rc step_batch_init(struct step_batch *s, struct arena *a, size_t n_cells, struct err *e)
{
    *s = (struct step_batch){ .n_cells = n_cells };
    s->cell = arena_get(a, n_cells * sizeof *s->cell);
    s->micro_first = arena_get(a, (n_cells + 1) * sizeof *s->micro_first);
    s->loss = arena_get(a, n_cells * sizeof *s->loss);
    return s->cell && s->micro_first && s->loss
               ? RC_OK
               : err_set(e, RC_FAIL, "no memory for %zu cells", n_cells);
}

static size_t genes_of(const struct collate *c, const struct batch_cell *cell)
{
    return cell->n < c->max_genes ? cell->n : c->max_genes;
}

/* A micro-batch takes as many cells as fit, at least one. */
static void cut(const struct collate *c, struct step_batch *s)
{
    size_t rows = 0;
    s->n_genes = s->n_micros = 0;
    for (size_t i = 0; i < s->n_cells; i++) {
        const size_t n = 1 + genes_of(c, &s->cell[i]);
        if (i == 0 || rows + n > c->micro_rows) {
            s->micro_first[s->n_micros++] = (uint32_t)i;
            rows = 0;
        }
        rows += n;
        s->n_genes += n - 1;
    }
    s->micro_first[s->n_micros] = (uint32_t)s->n_cells;
}

enum rc collate(const struct collate *c, struct arena *a, uint64_t round, struct step_batch *s,
                struct err *e)
{
    const struct dist d = { .rank = c->rank, .size = c->size };
    struct masking mask = c->mask;
    struct pair_table pairs;
    mask.round = round;
    cut(c, s);
    s->first = dist_first(&d, s->n_micros, c->rank);
    s->n_own = dist_first(&d, s->n_micros, c->rank + 1) - s->first;
    s->n_own_masked = 0;
    s->own = arena_get(a, s->n_own * sizeof *s->own);
    enum rc rc = s->own ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu cells", s->n_cells);
    if (!rc)
        rc = pair_table_init(&pairs, a, c->n_tokens, e);
    for (size_t i = 0; !rc && i < s->n_own; i++) {
        const uint32_t *at = &s->micro_first[s->first + i];
        rc = batch_build_with(&s->own[i], a, &pairs, s->cell + at[0], at[1] - at[0], c->max_genes,
                              c->homolog, &mask, e);
        s->n_own_masked += s->own[i].n_masked;
    }
    return rc;
}
