#include "lib/nn/sampler.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mt19937.h"
#include "lib/base/permute.h"

enum { MEGA_FACTOR = 1000 };

enum rc sampler_init(struct sampler *s, uint64_t seed, size_t n_cells, size_t batch, struct err *e)
{
    *s = (struct sampler){ .seed = seed, .n_cells = n_cells, .batch = batch };
    if (!n_cells || !batch || n_cells > UINT32_MAX)
        return err_set(e, RC_INPUT, "cannot draw batches of %zu from %zu cells", batch, n_cells);
    s->steps_per_epoch = (n_cells + batch - 1) / batch;
    return RC_OK;
}

void sampler_release(struct sampler *s)
{
    free(s->length);
    free(s->order);
    *s = (struct sampler){ 0 };
}

/* Falling length; equal ones keep their order, as Python's sort does: item is sorted through keys
 * of (length, place). */
struct key {
    uint32_t length, place, item;
};

static int by_length_falling(const void *a, const void *b)
{
    const struct key *x = a, *y = b;
    if (x->length != y->length)
        return x->length < y->length ? 1 : -1;
    return (x->place > y->place) - (x->place < y->place);
}

static void sort_mega(const struct sampler *s, uint32_t *item, size_t n, struct key *key)
{
    for (size_t i = 0; i < n; i++)
        key[i] = (struct key){ s->length[item[i]], (uint32_t)i, item[i] };
    qsort(key, n, sizeof *key, by_length_falling);
    for (size_t i = 0; i < n; i++)
        item[i] = key[i].item;
}

static size_t mega_cells(const struct sampler *s)
{
    const size_t most = s->n_cells / (4 * s->device_batch);
    return (most > MEGA_FACTOR ? MEGA_FACTOR : most ? most : 1) * s->device_batch;
}

/* The longest head of all mega-batches changes places with the first: so that a batch that does not
 * fit into memory is met at once. */
static void longest_first(struct sampler *s, size_t mega)
{
    size_t best = 0;
    for (size_t at = mega; at < s->n_cells; at += mega)
        if (s->length[s->order[at]] > s->length[s->order[best]])
            best = at;
    const uint32_t t = s->order[0];
    s->order[0] = s->order[best];
    s->order[best] = t;
}

/* Without memory for the keys the order would be another: they lie behind the order. */
static void order_epoch(struct sampler *s, uint64_t epoch)
{
    const size_t mega = mega_cells(s);
    struct key *key = (struct key *)(void *)(s->order + s->n_cells);
    mt19937_randperm((uint32_t)(s->seed + epoch), s->order, s->n_cells);
    for (size_t at = 0; at < s->n_cells; at += mega)
        sort_mega(s, s->order + at, s->n_cells - at < mega ? s->n_cells - at : mega, key);
    longest_first(s, mega);
    s->epoch = epoch;
}

enum rc sampler_group(struct sampler *s, const uint32_t *length, size_t device_batch, struct err *e)
{
    if (!device_batch || s->batch % device_batch)
        return err_set(e, RC_USAGE, "a batch of %zu is no multiple of %zu, the batch of a device",
                       s->batch, device_batch);
    s->device_batch = device_batch;
    const size_t mega = mega_cells(s), w = s->batch / device_batch;
    s->length = malloc(s->n_cells * sizeof *s->length);
    s->order = malloc(s->n_cells * sizeof *s->order + mega * sizeof(struct key));
    if (!s->length || !s->order)
        return err_set(e, RC_FAIL, "no memory to order %zu cells", s->n_cells);
    memcpy(s->length, length, s->n_cells * sizeof *length);
    /* Each of the W ranks gets as many cells, the first ones twice where that needs more. */
    const size_t each = (s->n_cells + w - 1) / w;
    s->steps_per_epoch = (each + device_batch - 1) / device_batch;
    order_epoch(s, 0);
    return RC_OK;
}

static size_t grouped_step(struct sampler *s, uint64_t epoch, size_t at, uint32_t *index)
{
    const size_t w = s->batch / s->device_batch, total = (s->n_cells + w - 1) / w * w;
    const size_t n = total - at < s->batch ? total - at : s->batch;
    if (epoch != s->epoch)
        order_epoch(s, epoch);
    for (size_t i = 0; i < n; i++)
        index[i] = s->order[(at + i) % s->n_cells];
    return n;
}

size_t sampler_step(struct sampler *s, uint64_t step, uint32_t *index, uint64_t *epoch)
{
    const uint64_t now = step / s->steps_per_epoch;
    const size_t at = (size_t)(step % s->steps_per_epoch) * s->batch;
    if (epoch)
        *epoch = now;
    if (s->order)
        return grouped_step(s, now, at, index);
    const struct permute p = permute_of(s->seed, now, s->n_cells);
    const size_t n = s->n_cells - at < s->batch ? s->n_cells - at : s->batch;
    for (size_t i = 0; i < n; i++)
        index[i] = (uint32_t)permute_at(&p, at + i);
    return n;
}
