/* From pairs of tokens to a table of knowledge (spec 02 sections 1, 2 and 7).
 *
 * Each species learns from its own pairs. A gene in no pair gets a random row N(0, sd^2), where sd
 * is the mean over components of the standard deviation of its species' learned rows (of the other
 * species' where it has none), drawn by hash(kind, gene id): the same in any vocabulary. */
#ifndef GC_CELL_KNOWLEDGE_H
#define GC_CELL_KNOWLEDGE_H

#include "lib/cell/sgns.h"
#include "lib/data/knowledge.h"

struct knowledge_counts {
    /* By species, human first. */
    size_t lines[2], distinct[2]; /* pairs */
    size_t learned[2], filled[2]; /* genes */
    double sd[2];                 /* of the random rows */
    struct sgns_counts sgns[2];
};

/* pairs: of tokens of v, both of one species; sorted in place, so their order has no say. o->stream
 * is set here. progress counts the lines of both species together. On failure *k is empty.
 * RC_INPUT: no pairs; a token that is no gene; a pair across the species. */
enum rc knowledge_learn(struct knowledge_table *k, enum knowledge_kind kind, const struct vocab *v,
                        struct pairs *pairs, size_t dim, const struct sgns_options *o,
                        struct knowledge_counts *c, struct err *e);

/* Random rows for the genes without one, for a table whose rows came another way (promoters): sd
 * of each species from its rows that are present; of one without such rows spare_sd (by species;
 * NULL or 0: the other species' sd). learned, filled and sd of *c are set. RC_INPUT: no row is
 * present, and no spare. */
enum rc knowledge_fill(struct knowledge_table *k, const struct vocab *v, uint64_t seed,
                       const double spare_sd[2], struct knowledge_counts *c, struct err *e);

#endif
