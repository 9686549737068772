/* Two tables of one kind beside each other, whatever their vocabularies: genes that they cover,
 * lengths, rows that look random, and whether they agree on which genes are alike.
 *
 * A row looks random when no other row of its species is more like it than chance allows: the
 * correlation of two rows over their numbers, one of them random, follows Student's t with width -
 * 2 degrees of freedom whatever the distribution of the numbers; the best of n - 1 stays below a
 * bound with probability 0.99. A learned row that has no gene like it looks random too: the share
 * among our own rows that are present says how often. */
#ifndef GC_APP_KNOWLEDGE_DIFF_H
#define GC_APP_KNOWLEDGE_DIFF_H

#include "lib/data/knowledge.h"
#include "lib/nn/mantel.h"

struct random_rows {
    size_t n_asked; /* rows, at most 2000 drawn */
    double share;   /* of these, that look random; NaN for none */
};

struct diff_side {
    size_t genes, present;
    double norm; /* mean length of the rows of genes */
    struct random_rows present_rows, absent_rows;
};

struct knowledge_diff {
    struct diff_side ours, theirs;
    size_t shared; /* genes of both vocabularies */
    size_t both;   /* of these, present in ours and not random-looking in theirs, where asked */
    size_t n;      /* genes that Mantel's test is over, at most 1000 of both */
    struct mantel mantel;
};

/* One species. Genes are the same when their ids are. */
enum rc knowledge_diff_of(const struct knowledge_table *ours, const struct vocab *v,
                          const struct knowledge_table *theirs, const struct vocab *w,
                          enum species s, uint64_t seed, struct knowledge_diff *d, struct err *e);

#endif
