/* A model of one species with rows for the genes of another. */
#ifndef GC_APP_SPECIES_MODEL_H
#define GC_APP_SPECIES_MODEL_H

#include "lib/cell/species_add.h"
#include "lib/nn/model.h"

/* old, whose tokens are the first of `now`, to *to: all weights are old's; a new token's word row
 * and bias are its homologs' (species_mix, mean), else drawn as at the start of a training and 0;
 * the species token of a species that was never seen becomes that of the other. table: the kinds
 * extended by species_table, NULL where none was given: then a kind that the model uses gets its
 * rows from the model's own buffer, of which every row that is not zero counts as present.
 * RC_INPUT: a table whose old rows are not the model's. On failure *to is empty. */
enum rc species_model(const struct model *old, const struct vocab *now, enum species s,
                      const struct species_links *l,
                      const struct knowledge_table *const table[N_KNOWLEDGE], uint64_t seed,
                      struct model *to, struct err *e);

#endif
