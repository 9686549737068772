/* A trained model and what belongs to it, for turning cells into vectors.
 *
 *   embedder_open    a model folder: weights, vocabulary, medians, gene tables
 *   token_reader.h   counts -> tokens
 *   embedder_encode  tokens -> [n_cells, D] and, when wanted, sums of gene vectors
 *   embed_stream.h   the three for a file of any length */
#ifndef GC_APP_EMBEDDER_H
#define GC_APP_EMBEDDER_H

#include "lib/app/cell_tokens.h"
#include "lib/base/sha256_job.h"
#include "lib/cell/tokenize.h"
#include "lib/nn/model.h"

struct embedder {
    struct model model;
    struct vocab vocab;
    struct medians medians;
    struct gene_tables tables;
    struct tape tape;
    struct arena batch;
    size_t max_rows;               /* of a batch: cells and genes */
    struct sha256_job hash;        /* private: see embedder_sha256 */
    /* Contextual gene vectors, when wanted: sums over cells per token. */
    double *gene_sum;     /* [V,D] owned or NULL; by_place: [positions,D] */
    uint64_t *gene_count; /* [V] or [positions] */
    bool by_place;
    uint32_t *first; /* by_place: the tokens of the first cell, owned */
    size_t n_first;
    double *gene_row; /* [D] room */
};

struct embed_report {
    size_t n_cells, n_empty; /* cells without any known gene: their vector is zero */
    size_t n_unclear;        /* cells of a mixture without a species; likewise */
    size_t n_columns, n_unmatched, n_tokens;
    uint64_t n_genes; /* tokens read */
};

struct embedder_wants {
    bool genes;    /* sums of gene vectors */
    bool by_place; /* as released: not of a gene, but of whatever stands at a place of the cells */
    bool hash;     /* embedder_sha256 will be called */
    bool training; /* a model that can be trained */
    uint32_t n_classes; /* with a classifier on top, as model_load has it; 0: without */
};

/* *m must not move until it is closed. */
enum rc embedder_open(struct embedder *m, const char *folder, const struct backend *b,
                      const struct embedder_wants *want, struct err *e);
void embedder_close(struct embedder *m);
/* Says what the model is computed on, and what would be faster on this processor. */
void embedder_say_backend(const struct backend *b);
/* SHA-256 of the file with the weights, as digits that m owns; NULL: it could not be read, *e says
 * why. It is computed beside other work from embedder_open on, since cells need not wait for it:
 * half a second for 0.6 GB. Ask when the cells are done. */
const char *embedder_sha256(struct embedder *m, struct err *e);
/* One pass over some cells: the batch (in m->batch) and its rows in out->last (on m->tape), both
 * valid until the next pass. *out comes empty, or asks with cells_only for the first row of each
 * cell alone. */
enum rc embedder_pass(struct embedder *m, const struct batch_cell *cell, size_t n, struct batch *b,
                      struct model_out *out, struct err *e);
/* The vectors of some tokenised cells (species token of the last layer), at rows t->row of to
 * [.,D]. A cell's vector does not depend on what else is there. Adds to the sums of gene vectors.
 * From the first call on the model's weights stay as they are. */
enum rc embedder_encode(struct embedder *m, const struct cell_tokens *t, float *to, struct err *e);

#endif
