/* A batch is ragged: cells one behind the other, no padding (ENGINE.md).
 *
 * Rows: sum over cells of (1 + genes); row 0 of a cell is its species token. Gene rows are numbered
 * without the species rows: gene row i of cell c is row i + c + 1 of the batch.
 * Pairs: the distinct (word row, knowledge row) pairs among the gene rows. Everything before the
 * first LayerNorm is computed once per pair, then gathered. In a mouse cell the knowledge row of a
 * human token with a homolog is the homolog's (spec/03 section 3.2). */
#ifndef GC_NN_BATCH_H
#define GC_NN_BATCH_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"

struct batch {
    size_t n_cells, n_rows, n_genes, n_masked, n_pairs;
    uint32_t *first;                /* [n_cells + 1] rows */
    uint8_t *species;               /* [n_cells] */
    uint64_t *cell_id;              /* [n_cells] */
    uint32_t *id;                   /* [n_genes] token after masking */
    float *value;                   /* [n_genes] after masking */
    uint32_t *rank;                 /* [n_genes] position id */
    uint32_t *pair;                 /* [n_genes] index into the next two */
    uint32_t *pair_word, *pair_row; /* [n_pairs] */
    uint64_t *row_key;  /* [n_rows] for dropout: a function of cell id and row in the cell */
    uint64_t *gene_key; /* [n_genes] */
    uint32_t *masked;   /* [n_masked] rows of the batch, rising */
    uint32_t *label;    /* [n_masked] token before masking */
    float *label_value; /* [n_masked] */
};

/* How tokens are hidden (spec/03 section 7). */
struct masking {
    double rate;          /* share of genes picked: 0.15; 0: no masking */
    double mask, random;  /* of those: 0.8 <mask>, 0.1 random token, the rest kept */
    uint64_t seed, round; /* round: a number of the epoch, so that masks differ between epochs */
    uint32_t n_tokens;    /* V, for random tokens */
};

/* One cell as the batch takes it; borrowed. */
struct batch_cell {
    uint64_t cell_id;
    uint8_t species;
    uint32_t n;
    const uint16_t *token;
    const float *value;
};

/* Where each (word, knowledge row) was seen first. Kept over many batches, each of which leaves it
 * as it found it: setting it up costs more than a small batch. */
struct pair_table {
    uint32_t *seen; /* [2 n_tokens] number of the pair, UINT32_MAX between batches */
    uint32_t n_tokens;
};
enum rc pair_table_init(struct pair_table *p, struct arena *a, uint32_t n_tokens, struct err *e);

/* A batch from cells. All arrays come from the arena. homolog: [V] knowledge row of each token in a
 * mouse cell (NULL: the token itself). max_genes: cells are cut there. mask NULL: none.
 * RC_INPUT: a token that is not below n_tokens. RC_FAIL: memory. */
enum rc batch_build(struct batch *b, struct arena *a, const struct batch_cell *cell, size_t n_cells,
                    uint32_t max_genes, uint32_t n_tokens, const uint32_t *homolog,
                    const struct masking *mask, struct err *e);
/* The same with a table that was set up before. */
enum rc batch_build_with(struct batch *b, struct arena *a, struct pair_table *pairs,
                         const struct batch_cell *cell, size_t n_cells, uint32_t max_genes,
                         const uint32_t *homolog, const struct masking *mask, struct err *e);
/* The steps of it, for batches whose ids and labels come from a file: fills first and keys from
 * cell lengths, then pairs from ids. */
enum rc batch_layout(struct batch *b, struct arena *a, const uint32_t *length, size_t n_cells,
                     struct err *e);
enum rc batch_find_pairs(struct batch *b, struct arena *a, uint32_t n_tokens,
                         const uint32_t *homolog, struct err *e);

#endif
