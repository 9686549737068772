/* Ranking by a table. Most counts of a cell are small, so the pairs (gene, count) that a cell can
 * hold are few: they are put in order once, by the rule of tokenize.h, and a cell's small counts are
 * then sorted by their places in that order, whole numbers of some 18 bits, instead of by doubles
 * that each cost a division and a logarithm. Counts above the table's go the long way and are merged
 * in. The result is that of cell_tokenize, byte for byte. */
#ifndef GC_CELL_RANK_TABLE_H
#define GC_CELL_RANK_TABLE_H

#include "lib/cell/tokenize.h"

struct rank_table {
    size_t n_cols;
    uint32_t max_count; /* counts 1..max_count have places */
    uint32_t n;         /* places, n_tokens * max_count */
    unsigned digit;     /* bits that one pass of sorting takes */
    uint32_t *place;    /* [max_count][n_cols], of columns with a token; owned as all here */
    uint16_t *token;    /* [n] by place */
    float *value;
    uint64_t *bits; /* of x */
};

enum rc rank_table_init(struct rank_table *t, const struct token_columns *c, struct err *e);
void rank_table_release(struct rank_table *t);

#endif
