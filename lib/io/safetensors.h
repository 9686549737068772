/* safetensors: 8-byte little-endian header length, JSON header, raw data. Types used here: the
 * names of enum st_type (any other type is listed and can be skipped). The header is written with names in
 * byte order and data in the same order, padded to 8 bytes, so equal tensors give equal bytes. */
#ifndef GC_IO_SAFETENSORS_H
#define GC_IO_SAFETENSORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/mapped.h"

enum st_type { ST_F32, ST_F64, ST_I64, ST_I32, ST_U8, ST_F16, ST_BF16, ST_BOOL, ST_I8, ST_I16,
               ST_OTHER };
enum { ST_MAX_DIMS = 8 };

struct st_tensor {
    char *name;
    enum st_type type;
    int n_dims;
    uint64_t dim[ST_MAX_DIMS];
    uint64_t n_items, n_bytes;
    /* Reading: in the mapped file, and aligned to nothing (a U8 tensor may lie in front): read it
     * through st_get_*, or memcpy. Writing: the caller's. */
    const void *data;
};

struct st_file {
    struct st_tensor *tensor; /* owned, by rising name */
    size_t n;
    char **meta_key, **meta_text; /* __metadata__, owned */
    size_t n_meta;
    struct mapped map; /* empty after st_view */
};

/* Maps the file and checks every promise of the header (counts before arithmetic): a JSON object
 * in UTF-8 with no name twice, each tensor as long as its type and dims say, and the data covered
 * from first to last byte without overlap or hole. RC_INPUT with the tensor and the trouble. On
 * failure *f is empty. */
enum rc st_open(struct st_file *f, const char *path, struct err *e);
/* The same on bytes in memory, borrowed until st_close. */
enum rc st_view(struct st_file *f, const void *bytes, size_t n_bytes, struct err *e);
void st_close(struct st_file *f); /* may be called twice */
const struct st_tensor *st_find(const struct st_file *f, const char *name);
const char *st_meta(const struct st_file *f, const char *key); /* NULL when absent */
/* The numbers of a tensor as doubles or floats, whatever its type. to has room for n_items.
 * RC_INPUT for ST_OTHER. */
enum rc st_get_f64(const struct st_tensor *t, double *to, struct err *e);
enum rc st_get_f32(const struct st_tensor *t, float *to, struct err *e);
/* The numbers where they lie: NULL when they are no floats, or not aligned as such. */
const float *st_floats(const struct st_tensor *t);

/* "F32" and so on; "other" for ST_OTHER. */
const char *st_type_name(enum st_type t);
/* Bytes of one number; not for ST_OTHER. */
size_t st_type_bytes(enum st_type t);
/* Product of the dims into n_items; false when it, or times bytes (of one number), passes 2^63. */
bool st_count_items(struct st_tensor *t, uint64_t bytes);
int st_by_name(const void *a, const void *b); /* of two struct st_tensor, for qsort */

/* tensor: name, type, n_dims, dim and data of each (n_items and n_bytes are worked out here); in
 * any order. meta: {key, text} pairs. RC_INPUT: a name twice or not UTF-8, ST_OTHER, dims whose
 * product does not fit. */
enum rc st_write(const char *path, const struct st_tensor *tensor, size_t n,
                 const char *const (*meta)[2], size_t n_meta, struct err *e);

#endif
