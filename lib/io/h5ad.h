/* AnnData .h5ad files (encoding 0.1.0 / 0.2.0 as anndata >= 0.8 writes them).
 *
 * Written: X as CSR int32 with gzip-free contiguous or chunked data, obs and var with _index,
 * texts as categoricals (repeating) or string arrays (unique), obsm of float32, uns of texts.
 * The same cells give the same bytes: no time stamps (H5Pset_obj_track_times). */
#ifndef GC_IO_H5AD_H
#define GC_IO_H5AD_H

#include "lib/data/cells.h"

/* A matrix for obsm or varm: n_rows x n_cols float32, row-major, borrowed. */
struct h5ad_matrix {
    const char *name;
    size_t n_rows, n_cols;
    const float *data;
};

/* Extra content besides the counts; every part may be empty. All borrowed. */
struct h5ad_extra {
    const struct h5ad_matrix *obsm, *varm;
    size_t n_obsm, n_varm;
    const char *const (*uns)[2]; /* {key, text} pairs */
    size_t n_uns;
};

/* Writes through PATH.part and a rename. c->count may be empty (indptr NULL): no X. */
enum rc h5ad_write(const char *path, const struct cells *c, const struct h5ad_extra *extra,
                   struct err *e);
/* Reads a file that a stage of ours wrote (X in CSR, whole numbers). Files of others go through
 * import. RC_INPUT with the place and the trouble. */
enum rc h5ad_read(const char *path, struct cells *c, struct err *e);
/* Reads one obsm matrix; the caller frees *data. */
enum rc h5ad_read_obsm(const char *path, const char *name, float **data, size_t *n_rows,
                       size_t *n_cols, struct err *e);
/* The same of varm. */
enum rc h5ad_read_varm(const char *path, const char *name, float **data, size_t *n_rows,
                       size_t *n_cols, struct err *e);
/* One text of uns, ended by a zero byte; "" where there is none of that name. RC_INPUT: it is no
 * text, or does not fit into size bytes. */
enum rc h5ad_read_uns(const char *path, const char *key, char *text, size_t size, struct err *e);

#endif
