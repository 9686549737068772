/* AnnData's data frames (obs, var, raw/var) of every generation, and how we write ours.
 *
 * Read: groups with `_index` and `column-order` (anndata 0.7 and later), with categoricals as
 * groups or as codes that refer to `__categories`; nullable arrays; and the compound data sets of
 * 0.6 and earlier, whose categories lie in `uns` as NAME_categories. Columns of kinds that a table
 * cannot hold (nested, more than one dimension) are left out and counted. */
#ifndef GC_IO_H5FRAME_H
#define GC_IO_H5FRAME_H

#include "lib/data/table.h"
#include "lib/io/h5.h"

struct h5frame {
    struct table table; /* columns but the index; owned */
    const char **index; /* [table.n_rows], in the table's arena */
    size_t n_left_out;  /* columns that were not read */
};

/* Reads group or data set `name` of `at`. On failure *f is empty. */
enum rc h5frame_read(hid_t at, const char *name, struct h5frame *f, struct err *e);
/* The same of those columns that are named, as far as they are there, with the index or without (NULL), so
 * that what nobody asks for takes no memory. A compound data set is read whole. */
enum rc h5frame_read_some(hid_t at, const char *name, const char *const *column, size_t n_columns,
                          bool index, struct h5frame *f, struct err *e);
void h5frame_release(struct h5frame *f);

/* Writes group `name` as anndata >= 0.8 does. Texts become a categorical when one repeats or is
 * missing, else a string array; numbers an array. */
enum rc h5frame_write(hid_t at, const char *name, const struct table *t, const char *const *index,
                      struct err *e);

/* Texts that may be a string array or a nullable one (a group of values and mask; NULL: missing).
 */
enum rc h5frame_texts(hid_t at, const char *name, struct arena *a, const char ***text, size_t *n,
                      struct err *e);

#endif
