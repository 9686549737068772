#include "lib/cell/median_block.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum rc median_block_init(struct median_block *b, size_t bytes, struct err *e)
{
    *b = (struct median_block){ .max = bytes / (2 * sizeof *b->item) };
    return b->max ? RC_OK : err_set(e, RC_USAGE, "%zu bytes are no memory for counts", bytes);
}

void median_block_release(struct median_block *b)
{
    free(b->item);
    free(b->spare);
    *b = (struct median_block){ 0 };
}

static enum rc grow(struct median_block *b, struct err *e)
{
    size_t room = b->room ? 2 * b->room : 4096;
    if (room > b->max)
        room = b->max;
    struct median_item *more = realloc(b->item, room * sizeof *more);
    if (!more)
        return err_set(e, RC_FAIL, "no memory for %zu counts", room);
    b->item = more;
    b->room = room;
    free(b->spare); /* made anew in the new size */
    b->spare = NULL;
    return RC_OK;
}

enum rc median_block_add(struct median_block *b, struct median_item x, struct err *e)
{
    assert(b->n < b->max);
    if (b->n == b->room && grow(b, e))
        return e ? e->rc : RC_FAIL;
    b->item[b->n++] = x;
    return RC_OK;
}

/* 11 bits at a time: 2048 places to write to stay in the cache and its page table. */
enum { DIGIT = 11, N_DIGITS = 1 << DIGIT };
enum field { TOTAL, COUNT, GENE };

static uint64_t get(const struct median_item *x, enum field f)
{
    return f == TOTAL ? x->total : f == COUNT ? x->count : x->gene;
}

/* Stable, by the bits [shift, shift + DIGIT) of a field; from item to spare, which change names. */
static void sort_digit(struct median_block *b, enum field f, unsigned shift)
{
    size_t at[N_DIGITS] = { 0 }, sum = 0;
    for (size_t i = 0; i < b->n; i++)
        at[get(&b->item[i], f) >> shift & (N_DIGITS - 1)]++;
    for (size_t d = 0; d < N_DIGITS; d++) {
        const size_t n = at[d];
        at[d] = sum;
        sum += n;
    }
    for (size_t i = 0; i < b->n; i++)
        b->spare[at[get(&b->item[i], f) >> shift & (N_DIGITS - 1)]++] = b->item[i];
    struct median_item *t = b->item;
    b->item = b->spare;
    b->spare = t;
}

/* ---- the usual case: an item fits in 64 bits ---- */

static unsigned bits_of(uint64_t v)
{
    unsigned n = 0;
    for (; v; v >>= 1)
        n++;
    return n;
}

/* All bits that occur in a field. */
static uint64_t occurring(const struct median_block *b, enum field f)
{
    uint64_t all = 0;
    for (size_t i = 0; i < b->n; i++)
        all |= get(&b->item[i], f);
    return all;
}

static void sort_keys(uint64_t **from, uint64_t **to, size_t n, unsigned shift)
{
    size_t at[N_DIGITS] = { 0 }, sum = 0;
    for (size_t i = 0; i < n; i++)
        at[(*from)[i] >> shift & (N_DIGITS - 1)]++;
    for (size_t d = 0; d < N_DIGITS; d++) {
        const size_t k = at[d];
        at[d] = sum;
        sum += k;
    }
    for (size_t i = 0; i < n; i++)
        (*to)[at[(*from)[i] >> shift & (N_DIGITS - 1)]++] = (*from)[i];
    uint64_t *t = *from;
    *from = *to;
    *to = t;
}

/* Half the bytes to move: (gene, count, total) as one number, in the two halves of spare. */
static void sort_packed(struct median_block *b, unsigned total_bits, unsigned count_bits,
                        unsigned gene_bits)
{
    uint64_t *from = (uint64_t *)(void *)b->spare, *to = from + b->n;
    const unsigned count_at = total_bits, gene_at = total_bits + count_bits;
    const uint64_t total_mask = ((uint64_t)1 << total_bits) - 1;
    const uint64_t count_mask = ((uint64_t)1 << count_bits) - 1;
    for (size_t i = 0; i < b->n; i++)
        from[i] = (uint64_t)b->item[i].gene << gene_at | (uint64_t)b->item[i].count << count_at |
                  b->item[i].total;
    for (unsigned shift = 0; shift < gene_at + gene_bits; shift += DIGIT)
        sort_keys(&from, &to, b->n, shift);
    for (size_t i = 0; i < b->n; i++)
        b->item[i] = (struct median_item){ .gene = (uint32_t)(from[i] >> gene_at),
                                           .count = (uint32_t)(from[i] >> count_at & count_mask),
                                           .total = from[i] & total_mask };
}

enum rc median_block_sort(struct median_block *b, struct err *e)
{
    static const enum field fields[] = { TOTAL, COUNT, GENE }; /* the last one counts most */
    if (!b->spare && b->n)
        b->spare = malloc(b->room * sizeof *b->spare);
    if (!b->spare && b->n)
        return err_set(e, RC_FAIL, "no memory to sort %zu counts", b->n);
    const unsigned total_bits = bits_of(occurring(b, TOTAL)),
                   count_bits = bits_of(occurring(b, COUNT)),
                   gene_bits = bits_of(occurring(b, GENE));
    if (total_bits + count_bits + gene_bits < 64) {
        sort_packed(b, total_bits, count_bits, gene_bits);
        return RC_OK;
    }
    for (size_t k = 0; k < sizeof fields / sizeof *fields; k++) {
        uint64_t differ = 0; /* bits that are not the same in all */
        for (size_t i = 1; i < b->n; i++)
            differ |= get(&b->item[i], fields[k]) ^ get(&b->item[0], fields[k]);
        for (unsigned shift = 0; shift < 64; shift += DIGIT)
            if (differ >> shift & (N_DIGITS - 1))
                sort_digit(b, fields[k], shift);
    }
    return RC_OK;
}
