/* A gene deleted, lowered or raised in one cell, as the model sees it: the gene's x = count /
 * median changes, the cell is ranked anew and cut (tokenize.h). Spec 05 sections 2 and 12.
 *
 *   factor f   x becomes f x. 0 deletes; 1/2 and 1/4 are the paper's knock-downs, on the linear
 * number (the paper does not say; spec 07, E21); above 1 it is an over-expression. A cell without
 *              the gene stays without
 *   low        x becomes 1, the gene's median over the corpus, unless it was higher. Absent genes
 * come in high       x becomes the next number above the cell's highest: rank 1, the highest value
 *
 * All genes of a cell are ranked, those behind the model's cut too: where a gene leaves, the next
 * moves in, as it would in a cell that never had it. */
#ifndef GC_CELL_CELL_CHANGE_H
#define GC_CELL_CELL_CHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum change_kind { CHANGE_FACTOR, CHANGE_LOW, CHANGE_HIGH };

struct change {
    enum change_kind kind;
    double factor; /* of CHANGE_FACTOR, at least 0 */
    bool top_half; /* only cells in whose upper half of ranks each gene is that they have */
    bool every;    /* only cells that have all the genes */
};

enum { CHANGE_MAX_GENES = 16 }; /* changed at once */

/* All genes of a cell, ranked as cell_tokenize does it. Borrowed. */
struct ranked_cell {
    uint32_t n;
    const uint16_t *token;
    const double *x;
};

/* What the model is given; arrays [max] of the caller. */
struct cell_copy {
    uint32_t n;
    uint16_t *token;
    float *value;
};

enum change_result {
    CHANGE_DONE,
    CHANGE_ABSENT, /* the cell is none of those looked at: it lacks the genes, or they rank too low
                    */
    CHANGE_NOTHING /* the cell has them, but what the model sees stays the same */
};

/* The cell with gene[0..n_genes) changed, at most CHANGE_MAX_GENES, cut at max. *out is only set
 * with CHANGE_DONE. */
enum change_result cell_change(const struct ranked_cell *c, const uint16_t *gene, size_t n_genes,
                               const struct change *how, uint32_t max, struct cell_copy *out);
/* As it is, cut at max. */
void cell_unchanged(const struct ranked_cell *c, uint32_t max, struct cell_copy *out);
/* With genes of equal x in a random order, a function of seed and id: ranks that mean nothing. */
void cell_shuffle_ties(const struct ranked_cell *c, uint64_t seed, uint64_t id, uint32_t max,
                       struct cell_copy *out);

/* The published procedure (spec 05 section 2, defects a and b): the first max tokens, filled up
 * with <pad> of value 0, all of them attended to. The genes' places leave, later ones move up,
 * nothing comes in. removed [CHANGE_MAX_GENES], rising; *n_removed 0: the cell has none of them. */
void cell_padded(const struct ranked_cell *c, uint32_t max, struct cell_copy *out);
void cell_delete_padded(const struct ranked_cell *c, const uint16_t *gene, size_t n_genes,
                        uint32_t max, struct cell_copy *out, uint32_t *removed, size_t *n_removed);

#endif
