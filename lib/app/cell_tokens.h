/* Tokenised cells in memory, one behind the other. */
#ifndef GC_APP_CELL_TOKENS_H
#define GC_APP_CELL_TOKENS_H

#include "lib/base/arena.h"
#include "lib/cell/tokenize.h"
#include "lib/nn/batch.h"

struct cell_tokens {
    struct batch_cell *cell; /* [n]; tokens and values in the arena */
    size_t *row;             /* [n] of the cells they were made of */
    size_t n, room;
    size_t rows; /* of a batch of all: sum of 1 + genes */
    struct arena memory;
};

void cell_tokens_init(struct cell_tokens *t);
void cell_tokens_release(struct cell_tokens *t);
/* Forgets the cells, keeps the memory. */
void cell_tokens_clear(struct cell_tokens *t);
enum rc cell_tokens_add(struct cell_tokens *t, const struct token_work *w, uint64_t cell_id,
                        enum species s, size_t row, struct err *e);
/* What the released fine-tuning does to its input (spec/05 section 4, defects a and b): values lose
 * their fractions, every cell is taken for a human one. */
void cell_tokens_as_released(struct cell_tokens *t);

#endif
