/* A trained small network in one safetensors file: weights under the names of its release, and the
 * data that a prediction needs, matrices and texts (a line each). */
#ifndef GC_APP_TENSOR_FILE_H
#define GC_APP_TENSOR_FILE_H

#include "lib/base/arena.h"
#include "lib/io/safetensors.h"
#include "lib/nn/mat.h"
#include "lib/tensor/params.h"

/* Tensors of a file in the making; names and what was made for it are owned. Start from zeros. */
struct tensor_saving {
    struct st_tensor *tensor;
    void **own;
    size_t n, n_own, room, room_own;
    bool short_of_memory; /* told by tensors_write */
};

/* Memory that lives as long as s; NULL when short. */
void *tensors_own(struct tensor_saving *s, size_t n_bytes);
/* data is borrowed until tensors_write. n_dims 1: cols numbers. */
void tensors_put(struct tensor_saving *s, const char *name, enum st_type type, int n_dims,
                 uint64_t rows, uint64_t cols, const void *data);
/* As doubles, whatever the backend. */
void tensors_put_params(struct tensor_saving *s, const struct params *p);
void tensors_put_texts(struct tensor_saving *s, const char *name, const char *const *text,
                       size_t n);
/* Writes the file and releases s, on failure too. */
enum rc tensors_write(struct tensor_saving *s, const char *path, const char *const (*meta)[2],
                      size_t n_meta, struct err *e);

/* A matrix of finite numbers; rows or cols SIZE_MAX: any number. RC_INPUT: missing, another shape,
 * a number that is not finite. On failure *x is empty. */
enum rc tensors_take(const struct st_file *f, const char *name, size_t rows, size_t cols,
                     struct mat *x, struct err *e);
/* Lines of a text tensor, at least one: *text [*n] is the caller's to free, the texts are a's.
 * RC_INPUT: missing, an empty or broken line. */
enum rc tensors_take_texts(const struct st_file *f, const char *name, struct arena *a,
                           const char ***text, size_t *n, struct err *e);
/* Every parameter of p by name. */
enum rc tensors_take_params(struct params *p, const struct st_file *f, struct err *e);

#endif
