/* Random numbers that are a pure function of (seed, purpose, id, position).
 *
 * Philox 4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"), key = seed,
 * counter = (id, position, purpose). So a cell's mask is the same in any thread, rank or batch.
 * Counter layout, low word first: id lo, id hi, position lo, (position hi << 16 | purpose);
 * position has 48 bits, purpose 16. */
#ifndef GC_BASE_RNG_H
#define GC_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

/* What a number is for. Never reorder: the values are part of every result. */
enum rng_purpose {
    RNG_INIT = 1,        /* initial weights; id = hash of the tensor's name, pos = element */
    RNG_MASK_PICK = 2,   /* id = cell, pos = position */
    RNG_MASK_KIND = 3,   /* mask, random or kept */
    RNG_MASK_TOKEN = 4,  /* the random token */
    RNG_DROPOUT = 5,     /* id = layer and place, pos = element */
    RNG_SHUFFLE = 6,     /* order of cells; id = epoch */
    RNG_SGNS_INIT = 7,   /* gene2vec first vectors */
    RNG_SGNS_DRAW = 8,   /* gene2vec negatives and sub-sampling */
    RNG_KNOWLEDGE_FILL = 9, /* rows of genes without knowledge; id = gene */
    RNG_SIM_GENE = 10,   /* simulator */
    RNG_SIM_CELL = 11,
    RNG_SIM_COUNT = 12,
    RNG_SPLIT = 13,      /* train and test splits; id = cell */
    RNG_SAMPLE = 14,     /* sub-sampling of cells */
    RNG_BOOTSTRAP = 15,
    RNG_TEST = 16,
    RNG_JITTER = 17,     /* waiting times; no result depends on them */
    RNG_LAYOUT = 18,     /* first positions of a 2-d map */
    RNG_FOREST = 19      /* bootstrap samples and features of a tree; id = tree */
};

struct rng_word4 {
    uint32_t w[4];
};

struct rng_word4 rng_block(uint64_t seed, enum rng_purpose purpose, uint64_t id, uint64_t pos);
uint64_t rng_u64(uint64_t seed, enum rng_purpose purpose, uint64_t id, uint64_t pos);
/* out[i] = rng_u64 at position pos + offset[i], or pos + i where offset is NULL, i < n; many at a
 * time where the processor can. */
void rng_u64_row(uint64_t seed, enum rng_purpose purpose, uint64_t id, uint64_t pos,
                 const uint32_t *offset, uint64_t *out, size_t n);
/* [0, 1), 53 bits. */
double rng_unit(uint64_t seed, enum rng_purpose purpose, uint64_t id, uint64_t pos);
/* The least u with rng_unit >= x where rng_u64 gives u: unit < x if and only if u < this. x in
 * [0, 1). Comparing whole numbers is what a row of draws can do fast. */
uint64_t rng_threshold(double x);
/* Whole number in [0, n), n >= 1, without modulo bias worth the name (64-bit multiply-shift). */
uint64_t rng_below(uint64_t seed, enum rng_purpose purpose, uint64_t id, uint64_t pos, uint64_t n);
/* Standard normal (Box-Muller on the two halves of one block). */
double rng_normal(uint64_t seed, enum rng_purpose purpose, uint64_t id, uint64_t pos);
/* Fisher-Yates on item[0..n), number i drawn at position i. */
void rng_shuffle(uint64_t seed, enum rng_purpose purpose, uint64_t id, uint32_t *item, size_t n);
/* 64-bit FNV-1a with a final mix; for ids made from names. */
uint64_t hash_text(const char *text);

#endif
