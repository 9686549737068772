/* HDF5 with checked edges, for files that nobody promised anything about.
 *
 * - The library's own error print is off; the first (innermost) description of its error stack
 *   becomes part of our sentence.
 * - Links are looked at before they are followed: external links, external storage and virtual data
 *   sets are refused (they would read other files), loops and dangling links end in a sentence.
 * - A data set's declared size is compared with the bytes it really stores before anything is
 *   allocated for it.
 * - Numbers are asked for their sign first: HDF5 turns a stored -1 that is read as unsigned into 0.
 * - Filter 32000 (LZF, the fast compression of h5py) is registered from here: lib/io/lzf.h.
 *
 * All handles are closed by the caller (H5Gclose, h5_data_close). */
#ifndef GC_IO_H5_H
#define GC_IO_H5_H

#include <hdf5.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"

/* Silences the error print of this thread, registers LZF. Every open function calls it. */
void h5_setup(void);
/* The sentence, then ": " and what HDF5 said first; empties HDF5's error stack. */
enum rc h5_err(struct err *e, enum rc rc, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- reading ---- */

/* RC_INPUT: not there, a folder, empty, cut, not HDF5. */
enum rc h5_open(const char *path, hid_t *file, struct err *e);
/* The same from memory (fuzzing); data is copied. */
enum rc h5_open_image(const void *data, size_t n_bytes, hid_t *file, struct err *e);

enum h5_kind { H5_ABSENT, H5_GROUP, H5_DATASET, H5_BROKEN };
/* What the link `name` (one step, no slash) of group `at` leads to. H5_BROKEN: anything that cannot
 * be used, with the reason in e. */
enum h5_kind h5_kind_of(hid_t at, const char *name, struct err *e);
/* RC_INPUT: absent, broken, or of the other kind. */
enum rc h5_group_open(hid_t at, const char *name, hid_t *group, struct err *e);

enum h5_type { H5_SIGNED, H5_UNSIGNED, H5_FLOAT, H5_TEXT, H5_BOOL, H5_COMPOUND_TYPE, H5_OTHER };
enum { H5_MAX_DIMS = 4 };

struct h5_data {
    hid_t id;
    enum h5_type type;
    int n_dims; /* 0: a scalar */
    uint64_t dim[H5_MAX_DIMS];
    uint64_t n_items;
    char *name; /* owned, for messages */
};

enum rc h5_data_open(hid_t at, const char *name, struct h5_data *d, struct err *e);
/* The same, but chunks are not unpacked to see whether they are whole: for who unpacks them himself
 * (h5_check_chunks must be called before HDF5 reads any of d). */
enum rc h5_data_open_packed(hid_t at, const char *name, struct h5_data *d, struct err *e);
/* The data set that the object reference in attribute `attr` leads to. */
enum rc h5_data_open_ref(hid_t from, const char *attr, struct h5_data *d, struct err *e);
void h5_data_close(struct h5_data *d); /* harmless on a zeroed one */
/* Unpacks every chunk once and compares its size with the chunk's shape: HDF5 itself reads past the
 * end of a chunk that unpacks to less. Called by the open functions for data with filters. */
enum rc h5_check_chunks(const struct h5_data *d, hid_t dcpl, struct err *e);
const char *h5_type_name(enum h5_type t);
/* RC_INPUT unless d has one dimension of n entries (n = UINT64_MAX: any number). */
enum rc h5_data_want_1d(const struct h5_data *d, uint64_t n, struct err *e);

/* Is it a number: whole or fractional, no boolean? */
bool h5_is_number(const struct h5_data *d);
/* Reads entries [at, at + n) of a data set of one dimension. Whole numbers of any width and sign
 * (floats are refused; so is what does not fit). */
enum rc h5_read_i64(const struct h5_data *d, uint64_t at, size_t n, int64_t *to, struct err *e);
/* Numbers of any kind. Booleans are 0 and 1. */
enum rc h5_read_f64(const struct h5_data *d, uint64_t at, size_t n, double *to, struct err *e);
/* Rows [row, row + n_rows) of a matrix in columns [col, col + n_cols), row-major. */
enum rc h5_read_block_f64(const struct h5_data *d, uint64_t row, uint64_t n_rows, uint64_t col,
                          uint64_t n_cols, double *to, struct err *e);
/* Rows [at, at + n) as mem_type, which must have a conversion from what is stored. */
enum rc h5_read_rows(const struct h5_data *d, uint64_t at, uint64_t n, hid_t mem_type, void *to,
                     struct err *e);
/* All entries of one dimension (or a scalar) as texts in the arena; numbers are printed, booleans
 * are "True" and "False". *text and *n are set on success. */
enum rc h5_read_texts(const struct h5_data *d, struct arena *a, const char ***text, size_t *n,
                      struct err *e);

bool h5_has_attr(hid_t at, const char *name);
/* A text attribute; *text is NULL when there is none or it is no text. Fails only for memory. */
enum rc h5_attr_text(hid_t at, const char *name, struct arena *a, const char **text, struct err *e);
/* A text attribute of one dimension; *text is NULL when there is none. */
enum rc h5_attr_texts(hid_t at, const char *name, struct arena *a, const char ***text, size_t *n,
                      struct err *e);
/* Up to max whole numbers of an attribute of one dimension; *n is 0 when there is no such. */
void h5_attr_i64(hid_t at, const char *name, int64_t *to, size_t max, size_t *n);
/* Names of the links of a group by rising name (bytes), in the arena. */
enum rc h5_list(hid_t group, struct arena *a, const char ***name, size_t *n, struct err *e);
/* Size of the file that an object lies in. */
uint64_t h5_file_bytes(hid_t at);

/* ---- writing: no time stamps, so equal content gives equal bytes ---- */

/* A new file; e names path. */
enum rc h5_create(const char *path, hid_t *file, struct err *e);
/* Flushes and closes with a check. */
enum rc h5_finish(hid_t file, const char *path, struct err *e);
enum rc h5_new_group(hid_t at, const char *name, hid_t *group, struct err *e);
enum rc h5_put_attr_text(hid_t at, const char *name, const char *text, struct err *e);
enum rc h5_put_attr_i64(hid_t at, const char *name, const int64_t *v, size_t n, struct err *e);
enum rc h5_put_attr_bool(hid_t at, const char *name, bool v, struct err *e);
enum rc h5_put_attr_texts(hid_t at, const char *name, const char *const *v, size_t n,
                          struct err *e);
/* A contiguous data set; *id (may be NULL) is left open for attributes. */
enum rc h5_put_data(hid_t at, const char *name, hid_t file_type, hid_t mem_type, int n_dims,
                    const uint64_t *dim, const void *v, hid_t *id, struct err *e);
/* n texts (NULL: empty) as variable-length UTF-8; n = SIZE_MAX: a scalar. */
enum rc h5_put_texts(hid_t at, const char *name, const char *const *v, size_t n, hid_t *id,
                     struct err *e);
/* AnnData's two attributes. */
enum rc h5_put_encoding(hid_t at, const char *type, const char *version, struct err *e);
/* h5_put_texts with the encoding of a string array. */
enum rc h5_put_string_array(hid_t at, const char *name, const char *const *v, size_t n,
                            struct err *e);

#endif
