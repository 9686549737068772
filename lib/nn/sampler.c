#include "lib/nn/sampler.h"

#include <stdlib.h>

#include "lib/base/rng.h"

static void shuffle(struct sampler *s, uint64_t epoch)
{
    for (size_t i = 0; i < s->n_cells; i++)
        s->order[i] = (uint32_t)i;
    rng_shuffle(s->seed, RNG_SHUFFLE, epoch, s->order, s->n_cells);
    s->epoch = epoch;
}

enum rc sampler_init(struct sampler *s, uint64_t seed, size_t n_cells, size_t batch, struct err *e)
{
    *s = (struct sampler){ .seed = seed, .n_cells = n_cells, .batch = batch };
    if (!n_cells || !batch || n_cells > UINT32_MAX)
        return err_set(e, RC_INPUT, "cannot draw batches of %zu from %zu cells", batch, n_cells);
    s->steps_per_epoch = (n_cells + batch - 1) / batch;
    s->order = malloc(n_cells * sizeof *s->order);
    if (!s->order)
        return err_set(e, RC_FAIL, "no memory to shuffle %zu cells", n_cells);
    shuffle(s, 0);
    return RC_OK;
}

void sampler_release(struct sampler *s)
{
    free(s->order);
    *s = (struct sampler){ 0 };
}

size_t sampler_step(struct sampler *s, uint64_t step, const uint32_t **index, uint64_t *epoch)
{
    const uint64_t now = step / s->steps_per_epoch;
    const size_t at = (size_t)(step % s->steps_per_epoch) * s->batch;
    if (now != s->epoch)
        shuffle(s, now);
    if (epoch)
        *epoch = now;
    *index = s->order + at;
    return s->n_cells - at < s->batch ? s->n_cells - at : s->batch;
}
