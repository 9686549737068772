/* Homologs that two sets of cells of two species both measured. A table may be many to many; a pair
 * is 1-to-1 when each of its names stands once on its side of the whole table, measured or not. */
#ifndef GC_NN_HOMOLOG_PAIRS_H
#define GC_NN_HOMOLOG_PAIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/map.h"
#include "lib/data/csr.h"

/* Names of the two species, pair by pair, each pair once. Borrowed. */
struct came_homologs {
    const char *const *reference, *const *query;
    size_t n;
};

struct homolog_pair {
    uint32_t column[2]; /* of the reference's and the query's counts */
    bool one_to_one;
};

/* column: names of the columns of each set. *pair is the caller's to free; in the table's order. */
enum rc homolog_pairs_find(const struct came_homologs *h, const struct map column[2],
                           struct homolog_pair **pair, size_t *n_pairs, struct err *e);

/* The counts of both sets cut to measured 1-to-1 pairs, in the order of the reference's columns and
 * under its names: name [columns] is the caller's to free, texts are borrowed from gene[0].
 * RC_INPUT: a name stands twice in a set, or there is no such pair. On failure the outputs are
 * empty. */
enum rc homolog_pairs_cut(const struct csr *const count[2], const char *const *const gene[2],
                          const struct came_homologs *h, struct csr out[2], const char ***name,
                          struct err *e);

#endif
