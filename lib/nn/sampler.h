/* Which cells make the batch of a step: a pure function of (seed, step, size of the global batch).
 *
 * Ours: each epoch is a fresh shuffle of all cells, its last batch may be smaller. The shuffle is
 * a keyed permutation (lib/base/permute.h), so that the step is the whole state and nothing of the
 * size of the corpus is kept. Ragged batches have no padding to save: lengths do not matter.
 *
 * The authors' (spec/04 section 2), for who wants their order: torch's randperm, cut into
 * mega-batches, each sorted by falling length, the longest cell first; ranks take turns, so that a
 * global batch is a run of W * b cells. It keeps a list of all cells. */
#ifndef GC_NN_SAMPLER_H
#define GC_NN_SAMPLER_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

struct sampler {
    uint64_t seed;
    size_t n_cells, batch;  /* cells of the data set, of a global batch */
    size_t steps_per_epoch; /* ceil(n_cells / batch) */
    /* the authors' sampler only */
    size_t device_batch;
    uint32_t *length, *order; /* [n_cells] owned; order is that of `epoch` */
    uint64_t epoch;
};

/* RC_INPUT when there are no cells. */
enum rc sampler_init(struct sampler *s, uint64_t seed, size_t n_cells, size_t batch, struct err *e);
/* Makes it the authors', with their W = batch / device_batch ranks. length [n_cells] is copied:
 * what the cells are sorted by. RC_USAGE: batch is no multiple of device_batch. */
enum rc sampler_group(struct sampler *s, const uint32_t *length, size_t device_batch,
                      struct err *e);
void sampler_release(struct sampler *s);
/* Cells of a step into index [batch]; returns how many. *epoch may be NULL. */
size_t sampler_step(struct sampler *s, uint64_t step, uint32_t *index, uint64_t *epoch);

#endif
