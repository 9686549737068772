/* The counts of some cells, gene by gene: what the medians of a corpus are made of.
 *
 * An item is (gene, count, total of the cell); of a gene's items any normalisation is a function.
 * The block holds so many of them as fit in the memory allowed, whatever cells they come from. */
#ifndef GC_CELL_MEDIAN_BLOCK_H
#define GC_CELL_MEDIAN_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

struct median_item {
    uint32_t gene, count;
    uint64_t total;
};

struct median_block {
    struct median_item *item; /* [n], owned as spare */
    struct median_item *spare;
    size_t n, room, max;
};

/* bytes: what items and the room to sort them may take; grows up to that. */
enum rc median_block_init(struct median_block *b, size_t bytes, struct err *e);
void median_block_release(struct median_block *b);
static inline bool median_block_full(const struct median_block *b)
{
    return b->n == b->max;
}
/* The block must not be full. */
enum rc median_block_add(struct median_block *b, struct median_item x, struct err *e);
/* By gene, count, total, all rising. */
enum rc median_block_sort(struct median_block *b, struct err *e);

#endif
