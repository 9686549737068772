/* A matrix as a reader found it, before genes are named and cells are kept: what the readers of
 * the single formats hand to import.c. */
#ifndef GC_IO_SOURCE_H
#define GC_IO_SOURCE_H

#include <stdbool.h>
#include <stdio.h>

#include "lib/base/arena.h"
#include "lib/data/csr.h"
#include "lib/data/table.h"
#include "lib/io/counts.h"
#include "lib/io/spool.h"

struct source {
    /* cells x features; may hold zeros, be unsorted, name a place twice. Of a large matrix only the
     * sizes are set, and its rows lie in `rows`. */
    struct csr count;
    struct spool rows;
    bool spooled;
    const char *spool_folder; /* borrowed; NULL: where temporary files go */
    size_t spool_from, room_rows, room; /* entries of a large matrix; of count while it grows */
    struct counts_check check;
    const char **cell;         /* barcodes */
    const char **id;           /* features: ids, or the only names there are */
    const char **name;         /* symbols; NULL: none known beside id */
    const char **type;         /* feature types ("Gene Expression"); NULL: none given */
    struct table obs;          /* what else is known of the cells; 0 or n_rows rows */
    size_t n_columns_left_out; /* of obs: of kinds that a table cannot hold */
    char kind[16];             /* of the file: "h5ad", "10x_h5", ... */
    char where[256];           /* where the counts lay: "X", "layers/counts", "matrix" */
    struct arena text;         /* owns the texts and the arrays of texts */
};

void source_init(struct source *s);
void source_release(struct source *s);

/* ---- the counts, row block by row block; so no reader needs memory for a whole matrix ---- */

enum { SOURCE_SPOOL_FROM = 1 << 22 };
/* Forgets what was added. */
void source_rows_begin(struct source *s, size_t n_cols);
enum rc source_rows_add(struct source *s, const struct csr *block, struct err *e);
/* Exchanges the counts of two sources, and where they lie. */
void source_swap_rows(struct source *a, struct source *b);
/* To go through them: the tiles of the spool, or s->count as one block. */
size_t source_blocks(const struct source *s);
/* The first cell of block i. */
size_t source_block_first(const struct source *s, size_t i);

/* Builds a csr row by row. */
struct csr_builder {
    struct csr c;
    size_t room_rows, room;
    size_t n_rows, nnz;
};
enum rc builder_add(struct csr_builder *b, uint32_t index, uint32_t value, struct err *e);
enum rc builder_end_row(struct csr_builder *b, struct err *e);
/* Moves the result to *out with n_cols columns; *b is empty after. */
enum rc builder_finish(struct csr_builder *b, size_t n_cols, struct csr *out, struct err *e);
void builder_release(struct csr_builder *b);

/* out = c^T, and c is released. */
enum rc source_turn(struct csr *c, struct csr *out, struct err *e);

/* ---- the readers. layer: what --layer names, NULL: look for it. On failure *s is to be released
 * all the same. Values that are no counts are no failure here: import.c asks s->check. ---- */

enum rc mtx_read(const char *matrix, const char *features, const char *barcodes, struct source *s,
                 struct err *e);
/* *sep: the separator that was found. */
enum rc dense_read(const char *path, struct source *s, char *sep, struct err *e);
/* The HDF5 containers; file is an open file (hid_t). */
enum rc anndata_read(int64_t file, const char *layer, struct source *s, struct err *e);
enum rc tenx_read(int64_t file, const char *layer, struct source *s, struct err *e);
enum rc loom_read(int64_t file, const char *layer, struct source *s, struct err *e);

#endif
