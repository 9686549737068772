/* Cells of any source to vectors: names to genes, mouse to human, tokens, encoder.
 *
 *   embedder_open    a model folder: weights, vocabulary, medians, gene tables
 *   embedder_cells   counts -> [n_cells, D] and, when wanted, sums of gene vectors
 * Cells are encoded in batches of at most max_rows rows, in their order; a cell's vector does not
 * depend on what else is in the batch. */
#ifndef GC_APP_EMBEDDER_H
#define GC_APP_EMBEDDER_H

#include "lib/app/cell_tokens.h"
#include "lib/base/sha256.h"
#include "lib/cell/tokenize.h"
#include "lib/nn/model.h"

struct embedder {
    struct model model;
    struct vocab vocab;
    struct medians medians;
    struct gene_tables tables;
    struct tape tape;
    struct arena batch;
    size_t max_rows;
    char model_sha256[SHA256_HEX]; /* of the file with the weights */
    /* Contextual gene vectors, when wanted: sums over cells per token. */
    double *gene_sum;     /* [V,D] owned or NULL */
    uint64_t *gene_count; /* [V] */
};

struct embed_report {
    size_t n_cells, n_empty; /* cells without any known gene: their vector is zero */
    size_t n_columns, n_unmatched, n_tokens;
    uint64_t n_genes; /* tokens read */
};

struct embedder_wants {
    bool genes;         /* sums of gene vectors */
    bool training;      /* a model that can be trained */
    uint32_t n_classes; /* with a classifier on top, as model_load has it; 0: without */
};

enum rc embedder_open(struct embedder *m, const char *folder, const struct backend *b,
                      const struct embedder_wants *want, struct err *e);
void embedder_close(struct embedder *m);
/* c: as import makes it, or mapped already by homolog-map. to: [n_cells, D] in the order of c.
 * Called after each batch with the number of cells done; done may be NULL. */
enum rc embedder_cells(struct embedder *m, const struct cells *c, float *to,
                       struct embed_report *rep, void (*done)(void *ctx, size_t n), void *ctx,
                       struct err *e);

/* The tokens of the cells that have any, added to *out; their rows are those of c. */
enum rc embedder_tokens(struct embedder *m, const struct cells *c, struct cell_tokens *out,
                        struct embed_report *rep, struct err *e);
/* RC_INPUT with the share and a hint when fewer than `least` of the genes have a token. */
enum rc embedder_check_overlap(const struct embed_report *rep, double least, struct err *e);

#endif
