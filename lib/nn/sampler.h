/* Which cells make the batch of a step: a pure function of (seed, step, size of the global batch).
 *
 * Each epoch is a fresh shuffle of all cells; its last batch may be smaller (spec/04 section 2). Ragged
 * batches have no padding to save, so cells are not grouped by length. */
#ifndef GC_NN_SAMPLER_H
#define GC_NN_SAMPLER_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

struct sampler {
    uint64_t seed;
    size_t n_cells, batch;  /* cells of the data set, of a global batch */
    size_t steps_per_epoch; /* ceil(n_cells / batch) */
    uint32_t *order;        /* [n_cells] of the epoch at hand; owned */
    uint64_t epoch;
};

/* RC_INPUT when there are no cells. */
enum rc sampler_init(struct sampler *s, uint64_t seed, size_t n_cells, size_t batch, struct err *e);
void sampler_release(struct sampler *s);
/* Cells of a step: *index borrowed until the next call; returns how many. *epoch may be NULL. */
size_t sampler_step(struct sampler *s, uint64_t step, const uint32_t **index, uint64_t *epoch);

#endif
