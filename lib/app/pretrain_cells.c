/* The cells of a run: which are learned from, which are held out. */
#include <stdlib.h>

#include "lib/app/pretrain.h"
#include "lib/base/rng.h"

/* Cells are held out by their id alone: the same ones whatever else is in the corpus. */
enum rc pretrain_cells(struct pretrain *p, struct err *e)
{
    const size_t n = p->shards.n_cells;
    p->train = malloc((n + 1) * sizeof *p->train);
    p->held = malloc((n + 1) * sizeof *p->held);
    enum rc rc = baseline_init(&p->base, (uint32_t)p->vocab.n, e);
    if (!p->train || !p->held)
        rc = err_set(e, RC_FAIL, "no memory for %zu cells", n);
    for (size_t i = 0; !rc && i < n; i++) {
        const struct token_cell c = shard_set_cell(&p->shards, i);
        const struct batch_cell b = { c.cell_id, c.species, c.n, c.token, c.value };
        if (!c.n)
            continue;
        if (rng_unit(p->o->seed, RNG_SPLIT, c.cell_id, 0) < p->o->held_out) {
            p->held[p->n_held++] = b;
            continue;
        }
        p->train[p->n_train++] = b;
        baseline_add(&p->base, &b, p->model.config.max_genes);
    }
    if (!rc)
        baseline_finish(&p->base);
    return rc ? rc : sampler_init(&p->sampler, p->o->seed, p->n_train, (size_t)p->o->batch, e);
}
