/* Layers of an AnnData file that come some columns at a time: matrices of obs x var as float32.
 *
 * The file has room for all of them from the start, without chunks, so its bytes do not depend on
 * how many columns came at a time. */
#ifndef GC_IO_H5AD_LAYERS_H
#define GC_IO_H5AD_LAYERS_H

#include "lib/io/h5.h"

enum { H5AD_MAX_LAYERS = 8 };

struct h5ad_layers {
    hid_t id[H5AD_MAX_LAYERS];
    size_t n, n_rows, n_cols;
};

/* n names; file: of an h5ad_writer, whose close comes after h5ad_layers_close. On failure *l is
 * empty. */
enum rc h5ad_layers_open(struct h5ad_layers *l, hid_t file, const char *const *name, size_t n,
                         size_t n_rows, size_t n_cols, struct err *e);
/* Columns [first, first + n) of one layer: x [n_rows, n]. */
enum rc h5ad_layers_put(struct h5ad_layers *l, size_t layer, size_t first, size_t n, const float *x,
                        struct err *e);
void h5ad_layers_close(struct h5ad_layers *l); /* harmless on a zeroed one */

#endif
