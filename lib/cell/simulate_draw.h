/* Keys of the simulator's random numbers, and its parts (private to lib/cell/simulate*.c). */
#ifndef GC_CELL_SIMULATE_DRAW_H
#define GC_CELL_SIMULATE_DRAW_H

#include "lib/base/rng.h"
#include "lib/cell/simulate.h"

/* Never reorder: part of every result. Two species follow each other where one is named. */
enum sim_draw {
    DRAW_GROUP = 1,    /* biotype, base level, family */
    DRAW_GENE = 2,     /* 2 human, 3 mouse: base, dispersion */
    DRAW_ID = 4,       /* order of the ids */
    DRAW_ACTIVITY = 5, /* 5 shared, 6 human, 7 mouse: TF x type */
    DRAW_EDGE = 8,     /* 8 shared, 9 human, 10 mouse */
    DRAW_TYPE = 11,    /* group x type */
    DRAW_BATCH = 12,   /* sample x gene */
    DRAW_LISTED = 13,  /* 13 human, 14 mouse: which edges and false edges are published */
    DRAW_DNA = 15,     /* bases: by group, gene, motif */
    DRAW_PAIRED = 16   /* 16 human, 17 mouse: elements, background pairs */
};

/* TFs 0 .. n - 1 have a homolog and stand in both species under the same number. */
size_t sim_n_shared_tfs(const struct sim_options *o);
/* Fill s->of[sp].activity, and edge, edge_at of both species. */
enum rc sim_make_activity(struct sim *s, enum species sp, struct err *e);
enum rc sim_make_network(struct sim *s, struct err *e);
bool sim_is_edge(const struct sim_species *a, uint32_t tf, uint32_t target);

static inline uint64_t sim_key(unsigned what, uint64_t i)
{
    return (uint64_t)what << 48 | i;
}
static inline double sim_unit(const struct sim *s, unsigned what, uint64_t i, uint64_t pos)
{
    return rng_unit(s->opt.seed, RNG_SIM_GENE, sim_key(what, i), pos);
}
static inline double sim_normal(const struct sim *s, unsigned what, uint64_t i, uint64_t pos)
{
    return rng_normal(s->opt.seed, RNG_SIM_GENE, sim_key(what, i), pos);
}
static inline uint64_t sim_below(const struct sim *s, unsigned what, uint64_t i, uint64_t pos,
                                 uint64_t n)
{
    return rng_below(s->opt.seed, RNG_SIM_GENE, sim_key(what, i), pos, n);
}
/* Cells: positions 0..31 are the cell's own, 64.. the noise of its TFs (two sets for doublets). */
static inline double sim_cell_unit(const struct sim *s, size_t cell, uint64_t pos)
{
    return rng_unit(s->opt.seed, RNG_SIM_CELL, cell, pos);
}
static inline double sim_cell_normal(const struct sim *s, size_t cell, uint64_t pos)
{
    return rng_normal(s->opt.seed, RNG_SIM_CELL, cell, pos);
}
static inline uint64_t sim_cell_below(const struct sim *s, size_t cell, uint64_t pos, uint64_t n)
{
    return rng_below(s->opt.seed, RNG_SIM_CELL, cell, pos, n);
}

#endif
