/* The token dictionary from gene tables. Spec 01 section 6.
 *
 * `<pad>` 0, `<mask>` 1, then the human core genes by rising id, then the mouse core genes by rising
 * id. Where the tables give tokens already (any gene has one), those genes keep them and core genes
 * without get none.
 *
 * Homologs are made one-to-one, as the released map is: only pairs with both genes in the
 * dictionary; where several mouse genes name one human gene, the one whose name is the human's but
 * for upper and lower case is taken, else the one with the smallest id. (Counts of the others are
 * still summed under the human id by homolog-map.) */
#ifndef GC_CELL_VOCAB_BUILD_H
#define GC_CELL_VOCAB_BUILD_H

#include "lib/data/gene_tables.h"
#include "lib/data/vocab.h"

struct vocab_report {
    size_t n_human, n_mouse, n_homologs;
    size_t n_left_out; /* core genes to which the tables give no token while they do to others */
    size_t n_not_one_to_one; /* mouse genes whose human homolog went to another mouse gene */
};

/* On failure *v is empty. RC_INPUT: more than 65,536 tokens; tokens of the tables with gaps, out of
 * order of species, or given to a gene that is not core. */
enum rc vocab_build(const struct gene_tables *t, struct vocab *v, struct vocab_report *report,
                    struct err *e);

#endif
