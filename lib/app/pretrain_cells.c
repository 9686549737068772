/* The cells of a run: which are learned from, which are held out, in which order they come. */
#include <stdlib.h>
#include <string.h>

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

static bool of_species(const struct pretrain *p, const struct batch_cell *c)
{
    return strcmp(p->o->species, "both") == 0 ||
           (strcmp(p->o->species, "mouse") == 0) == (c->species == SPECIES_MOUSE);
}

struct draw {
    uint64_t number;
    uint32_t place;
};

static int by_number(const void *a, const void *b)
{
    const struct draw *x = a, *y = b;
    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

static int by_value(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Of *n places the `want` (0: all) whose cells have the least numbers, each a function of the cell
 * alone. So fewer cells are part of more, as a curve over corpus sizes (Fig. 3a) wants it. */
static enum rc draw_cells(const struct pretrain *p, uint32_t *place, size_t *n, size_t want,
                          struct err *e)
{
    if (!want || want >= *n)
        return RC_OK;
    struct draw *d = malloc(*n * sizeof *d);
    if (!d)
        return err_set(e, RC_FAIL, "no memory to draw from %zu cells", *n);
    for (size_t i = 0; i < *n; i++)
        d[i] = (struct draw){ rng_u64(p->o->seed, RNG_SAMPLE, cell_at(p, place[i]).cell_id, 0),
                              place[i] };
    qsort(d, *n, sizeof *d, by_number);
    for (size_t i = 0; i < want; i++)
        place[i] = d[i].place;
    free(d);
    *n = want;
    qsort(place, want, sizeof *place, by_value);
    return RC_OK;
}

/* Held out by the id alone: the same cells whatever else is in the corpus. */
static enum rc split(struct pretrain *p, struct err *e)
{
    const size_t n = p->shards.n_cells;
    if (n > UINT32_MAX)
        return err_set(e, RC_INPUT, "'%s' has %zu cells, more than 2^32", p->o->shards, n);
    p->train = malloc((n + 1) * sizeof *p->train);
    p->held = malloc((n + 1) * sizeof *p->held);
    if (!p->train || !p->held)
        return err_set(e, RC_FAIL, "no memory for %zu cells", n);
    for (size_t i = 0; i < n; i++) {
        const struct batch_cell b = cell_at(p, i);
        if (!b.n || !of_species(p, &b))
            continue;
        if (rng_unit(p->o->seed, RNG_SPLIT, b.cell_id, 0) < p->o->held_out)
            p->held[p->n_held++] = (uint32_t)i;
        else
            p->train[p->n_train++] = (uint32_t)i;
    }
    if (!p->n_train)
        return err_set(e, RC_INPUT, "'%s' has no cell to learn from (species: %s)", p->o->shards,
                       p->o->species);
    if ((size_t)p->o->cells > p->n_train)
        return err_set(e, RC_INPUT, "--cells %lld, but there are %zu to learn from",
                       (long long)p->o->cells, p->n_train);
    enum rc rc = draw_cells(p, p->train, &p->n_train, (size_t)p->o->cells, e);
    return rc ? rc : draw_cells(p, p->held, &p->n_held, (size_t)p->o->eval_cells, e);
}

static enum rc count_genes(struct pretrain *p, struct err *e)
{
    enum rc rc = baseline_init(&p->base, (uint32_t)p->vocab.n, e);
    for (size_t i = 0; !rc && i < p->n_train; i++) {
        const struct batch_cell b = cell_at(p, p->train[i]);
        baseline_add(&p->base, &b, p->model.config.max_genes);
    }
    if (!rc)
        baseline_finish(&p->base);
    return rc;
}

/* The authors' order, by true lengths or by their list, which is sorted and so says nothing of the
 * cell it stands for. */
static enum rc group(struct pretrain *p, struct err *e)
{
    uint32_t *length = malloc(p->n_train * sizeof *length);
    if (!length)
        return err_set(e, RC_FAIL, "no memory for the lengths of %zu cells", p->n_train);
    for (size_t i = 0; i < p->n_train; i++)
        length[i] = cell_at(p, p->train[i]).n;
    if (strcmp(p->o->lengths, "sorted") == 0)
        qsort(length, p->n_train, sizeof *length, by_value);
    enum rc rc = sampler_group(&p->sampler, length, (size_t)p->o->device_batch, e);
    free(length);
    return rc;
}

enum rc pretrain_cells(struct pretrain *p, struct err *e)
{
    enum rc rc = split(p, e);
    if (!rc)
        rc = count_genes(p, e);
    if (!rc)
        rc = sampler_init(&p->sampler, p->o->seed, p->n_train, (size_t)p->o->batch, e);
    return rc || strcmp(p->o->sampler, "grouped") != 0 ? rc : group(p, e);
}
