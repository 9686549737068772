/* Checkpoints of a run: RUN/step-N/{config.json, model.safetensors, state.h5}. state.h5 holds what
 * the model file does not: the weights and both moments as the backend computes them, the step, and
 * the run's fingerprint, so that a resumed run continues to the same bytes or is refused. */
#ifndef GC_APP_CHECKPOINT_H
#define GC_APP_CHECKPOINT_H

#include "lib/base/sha256.h"
#include "lib/nn/model.h"

/* Writes the folder under a temporary name, brings it onto the disk and renames it: it is whole or
 * not there, after loss of power too. beside: files that are copied into it, so that the folder is
 * all that `embed` needs. */
enum rc checkpoint_save(const struct model *m, const char *run, uint64_t step,
                        const char fingerprint[SHA256_HEX], char *const *beside, size_t n_beside,
                        struct err *e);
/* The newest whole checkpoint; *step is UINT64_MAX when there is none. */
enum rc checkpoint_newest(const char *run, uint64_t *step, struct err *e);
/* Restores weights, moments and counters into a model of the same shape. RC_INPUT: the file is
 * damaged, of another backend class, or of another run (fingerprint). */
enum rc checkpoint_load(struct model *m, const char *run, uint64_t step,
                        const char fingerprint[SHA256_HEX], struct err *e);
/* Removes checkpoints older than the `keep` newest. */
enum rc checkpoint_prune(const char *run, size_t keep, struct err *e);

/* The backend whose checkpoints may be taken: of cuda and cuda-bf16 the one of the processor that rounds as
 * they do, of all others themselves. */
const char *checkpoint_rounding(const char *backend);

#endif
