/* The control for prior knowledge: every gene gets the vectors of another one, all kinds by the
 * same permutation; weights stay as they are. What is left is that genes have vectors at all. */
#ifndef GC_NN_KNOWLEDGE_SHUFFLE_H
#define GC_NN_KNOWLEDGE_SHUFFLE_H

#include "lib/nn/model.h"

/* Rows [first, V) of every table; a model with folded pairs must be unfolded before. Equal seeds
 * give equal permutations, whatever the table. RC_FAIL: memory, nothing done. */
enum rc knowledge_shuffle(struct model *m, uint32_t first, uint64_t seed, struct err *e);

/* Writes zeros over all of a model's knowledge tables: what it gives without them. RC_FAIL: memory,
 * nothing done. */
enum rc knowledge_forget(struct model *m, struct err *e);
/* Does it have any? */
bool knowledge_any(const struct model *m);

#endif
