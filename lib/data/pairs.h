/* Pairs of things named by numbers: the lines that gene2vec learns from. A pair may come several
 * times, once for each network, family or matrix that has it; that is its weight. */
#ifndef GC_DATA_PAIRS_H
#define GC_DATA_PAIRS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

struct pair {
    uint32_t a, b; /* a < b after pairs_add: order and self pairs carry nothing */
};

struct pairs {
    struct pair *at; /* owned */
    size_t n, room;
};

/* Adds the unordered pair; a pair of a thing with itself is left out without a word. */
enum rc pairs_add(struct pairs *p, uint32_t a, uint32_t b, struct err *e);
enum rc pairs_append(struct pairs *p, const struct pairs *more, struct err *e);
/* By a, then b. Lines of equal pairs cannot be told apart, so any sort gives the same bytes. */
void pairs_sort(struct pairs *p);
/* Sorts and keeps one line of each pair. */
void pairs_distinct(struct pairs *p);
void pairs_release(struct pairs *p); /* may be called twice */

/* An item that belongs to a group; it may belong to several. */
struct member {
    uint32_t group, item;
};
/* Adds every unordered pair of items of each group, so a pair in two groups comes twice. An item
 * that is named twice in a group counts once: m is sorted and keeps one of each, *n how many. */
enum rc pairs_of_groups(struct pairs *p, struct member *m, size_t *n, struct err *e);

#endif
