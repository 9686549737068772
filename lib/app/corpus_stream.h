/* A sample from counts to tokens in one reading and fixed memory: names to genes, mouse to human,
 * quality rules, ranking; what the stages homolog-map, qc-filter and tokenize do one after the
 * other, without files between them.
 *
 * Whether a cell stays is known only when all have been seen (its z-scores). So while the counts are
 * read, what ranking needs of each cell (counts of genes with a token) goes to a spool on disk,
 * about 3 bytes an entry, and comes back when the verdicts are known. In memory stay one block of
 * rows and the numbers of struct qc_cell. */
#ifndef GC_APP_CORPUS_STREAM_H
#define GC_APP_CORPUS_STREAM_H

#include "lib/cell/qc.h"
#include "lib/cell/tokenize.h"
#include "lib/io/sparse_rows.h"
#include "lib/io/spool.h"

/* Cells of some tiles, ranked; room that is kept from one round to the next. All owned. */
struct stream_ranked {
    uint16_t *token;
    float *value;
    size_t room;      /* of token and value */
    uint64_t *start;  /* [n_rows] where a cell's tokens begin */
    uint32_t *length; /* [n_rows] */
    size_t row_room;
};

struct corpus_stream {
    const struct gene_tables *tables; /* the caller's */
    size_t n_cells, n_cols;
    struct qc_cell *qc; /* [n_cells]; owned, as are all below */
    uint32_t *meta;     /* [n_cols] what a source column means; corpus_stream.c */
    uint32_t *gene_of;  /* [n_cols] number of the gene, for columns that share one */
    unsigned char *flag;          /* [genes] */
    int32_t *token_col;           /* [genes] column of `columns`, or -1 */
    struct token_columns columns; /* the genes with a token */
    struct spool spool;
    struct stream_tile *tile;
    size_t n_tiles;
    struct stream_work *work; /* one a thread */
    int n_work;
    struct stream_ranked ranked;
};

/* names: those of the source's columns. On failure *s needs no release. */
enum rc corpus_stream_init(struct corpus_stream *s, const struct gene_tables *t, enum species species,
                           const char *const *names, size_t n_cols, size_t n_cells, struct err *e);
void corpus_stream_release(struct corpus_stream *s);

/* Cells [first, first + block->n_rows), the next ones; rows need not be tidy. All threads work. */
enum rc corpus_stream_add(struct corpus_stream *s, const struct csr *block, size_t first,
                          struct err *e);
/* When all cells are there: the verdicts, all cells being one sample. */
enum rc corpus_stream_judge(struct corpus_stream *s, const struct qc_rules *rules, struct err *e);
/* Ranks the cells that stay, and hands them over in their order: tokens and values, borrowed until
 * take returns. */
enum rc corpus_stream_rank(struct corpus_stream *s, size_t max_length,
                           enum rc (*take)(void *ctx, size_t cell, const uint16_t *token,
                                           const float *value, uint32_t n, struct err *e),
                           void *ctx, struct err *e);

#endif
