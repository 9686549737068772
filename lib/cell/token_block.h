/* The tokens of a block of cells, ranked by all threads. */
#ifndef GC_CELL_TOKEN_BLOCK_H
#define GC_CELL_TOKEN_BLOCK_H

#include "lib/cell/tokenize.h"

struct token_block {
    size_t n_cells;
    uint64_t *start;     /* [n_cells + 1] where each cell's room begins; owned, as are the others */
    uint32_t *length;    /* [n_cells] tokens, after the cut */
    uint32_t *n_nonzero; /* [n_cells] genes with a token, before the cut */
    uint16_t *token;
    float *value;
    struct token_work *work; /* one a thread */
    int n_work;
    size_t room_cells;
    uint64_t room;
};

void token_block_init(struct token_block *b);
void token_block_release(struct token_block *b);
/* total [rows of m]: values by depth; NULL: without. Tokens of every row of m: cell r has length[r] of them from start[r]. Valid until the next call.
 * The same at any number of threads. */
enum rc token_block_fill(struct token_block *b, const struct token_columns *c, const struct csr *m,
                         const int64_t *total, size_t max_length, struct err *e);

#endif
