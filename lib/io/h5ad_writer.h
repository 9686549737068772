/* An AnnData file whose counts come in blocks; h5ad_write is made of it, so the bytes are the same
 * whatever the blocks.
 *
 * data and indices are chunks of H5AD_CHUNK entries without a filter, or, when they are shorter than
 * one chunk, contiguous. So are the rows of a matrix of obsm, in chunks of H5AD_CHUNK_ROWS: a chunk
 * is in the file as soon as it is full. */
#ifndef GC_IO_H5AD_WRITER_H
#define GC_IO_H5AD_WRITER_H

#include "lib/base/file.h"
#include "lib/io/h5.h"
#include "lib/io/h5ad.h"

enum { H5AD_CHUNK = 1 << 16, H5AD_CHUNK_ROWS = 16 };

struct h5ad_column {
    hid_t id; /* < 0: nothing written yet */
    uint32_t *room; /* [H5AD_CHUNK], owned */
    size_t n;       /* in room */
    uint64_t done;  /* written */
};

/* A matrix of obsm whose rows come bit by bit. */
struct h5ad_rows_out {
    char *name; /* owned, as is room; NULL: there is none */
    hid_t group, id;
    float *room; /* [H5AD_CHUNK_ROWS, n_cols] */
    size_t n_cols, n;
    uint64_t done; /* rows in the file */
};

struct h5ad_writer {
    struct outfile o;
    hid_t file, x; /* x < 0: no counts so far */
    struct h5ad_column data, indices;
    struct h5ad_rows_out obsm;
    uint64_t *indptr; /* owned */
    size_t n_rows, row_room, n_cols;
};

/* On failure *w is empty. */
enum rc h5ad_writer_open(struct h5ad_writer *w, const char *path, struct err *e);
/* Tidy rows of the same number of columns in every call. RC_INPUT: a count does not fit in 31 bits. */
enum rc h5ad_writer_add(struct h5ad_writer *w, const struct csr *block, struct err *e);
/* Rows of obsm[name], the same name and width in every call. */
enum rc h5ad_writer_add_obsm(struct h5ad_writer *w, const char *name, const float *x, size_t n_rows,
                             size_t n_cols, struct err *e);
/* The rest, and the file gets its name. c: names, obs, var; its counts are not looked at. After any
 * failure the file is gone; *w is empty in any case. */
enum rc h5ad_writer_close(struct h5ad_writer *w, const struct cells *c,
                          const struct h5ad_extra *extra, struct err *e);
void h5ad_writer_abort(struct h5ad_writer *w); /* harmless on an empty one */

#endif
