/* The cells of a run: which are learned from, which are held out. */
#include <stdlib.h>

#include "lib/app/pretrain.h"
#include "lib/base/rng.h"

static struct batch_cell cell_at(const struct pretrain *p, size_t place)
{
    const struct token_cell c = shard_set_cell(&p->shards, place);
    return (struct batch_cell){ c.cell_id, c.species, c.n, c.token, c.value };
}

struct batch_cell pretrain_train_cell(const void *p, size_t i)
{
    return cell_at(p, ((const struct pretrain *)p)->train[i]);
}

struct batch_cell pretrain_held_cell(const void *p, size_t i)
{
    return cell_at(p, ((const struct pretrain *)p)->held[i]);
}

/* Cells are held out by their id alone: the same ones whatever else is in the corpus. */
enum rc pretrain_cells(struct pretrain *p, struct err *e)
{
    const size_t n = p->shards.n_cells;
    if (n > UINT32_MAX)
        return err_set(e, RC_INPUT, "'%s' has %zu cells, more than 2^32", p->o->shards, n);
    p->train = malloc((n + 1) * sizeof *p->train);
    p->held = malloc((n + 1) * sizeof *p->held);
    enum rc rc = baseline_init(&p->base, (uint32_t)p->vocab.n, e);
    if (!p->train || !p->held)
        rc = err_set(e, RC_FAIL, "no memory for %zu cells", n);
    for (size_t i = 0; !rc && i < n; i++) {
        const struct batch_cell b = cell_at(p, i);
        if (!b.n)
            continue;
        if (rng_unit(p->o->seed, RNG_SPLIT, b.cell_id, 0) < p->o->held_out) {
            p->held[p->n_held++] = (uint32_t)i;
            continue;
        }
        p->train[p->n_train++] = (uint32_t)i;
        baseline_add(&p->base, &b, p->model.config.max_genes);
    }
    if (!rc)
        baseline_finish(&p->base);
    return rc ? rc : sampler_init(&p->sampler, p->o->seed, p->n_train, (size_t)p->o->batch, e);
}
