/* Arrays as Python packages store them: a view (offset, sizes, strides) of a run of numbers.
 * Nothing is copied until someone asks for the numbers. */
#ifndef GC_IO_ARRAY_H
#define GC_IO_ARRAY_H

#include <stdbool.h>

#include "lib/io/safetensors.h"

/* n_items numbers as they lie in a file. data may be NULL until the file's end is read. */
struct array_store {
    enum st_type type;
    bool big_endian;
    uint64_t n_items;
    const unsigned char *data; /* borrowed, aligned to nothing */
};

struct array {
    const struct array_store *store; /* NULL: has no numbers yet */
    int n_dims;
    uint64_t dim[ST_MAX_DIMS], stride[ST_MAX_DIMS]; /* in numbers; a stride of 0 repeats */
    uint64_t offset, n_items;
};

/* Row by row, or column by column (first index fastest). */
void array_set_strides(struct array *a, bool columns_first);
/* Works out n_items and checks that every number lies in the store. RC_INPUT. */
enum rc array_check(struct array *a, struct err *e);
/* The numbers row by row in this machine's order; to has room for n_items of the type. */
void array_copy(const struct array *a, void *to);
/* As a tensor without a name. Its data lies in the store where that is row by row already, else in
 * *copy, which the caller frees (else NULL). */
enum rc array_tensor(const struct array *a, struct st_tensor *t, void **copy, struct err *e);

#endif
