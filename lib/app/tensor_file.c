#include "lib/app/tensor_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- saving ---- */

/* Room for one more item of a list. */
static bool grow(void **list, size_t n, size_t *room, size_t item_bytes)
{
    if (n < *room)
        return true;
    const size_t more = 2 * *room + 64;
    void *p = realloc(*list, more * item_bytes);
    if (!p)
        return false;
    *list = p;
    *room = more;
    return true;
}

void *tensors_own(struct tensor_saving *s, size_t n_bytes)
{
    void *list = s->own;
    void *p = grow(&list, s->n_own, &s->room_own, sizeof *s->own) ? malloc(n_bytes + 1) : NULL;
    s->own = list;
    s->short_of_memory |= !p;
    if (p)
        s->own[s->n_own++] = p;
    return p;
}

void tensors_put(struct tensor_saving *s, const char *name, enum st_type type, int n_dims,
                 uint64_t rows, uint64_t cols, const void *data)
{
    char *copy = tensors_own(s, strlen(name) + 1);
    void *list = s->tensor;
    const bool room = grow(&list, s->n, &s->room, sizeof *s->tensor);
    s->tensor = list;
    if (!copy || !data || !room) {
        s->short_of_memory = true;
        return;
    }
    strcpy(copy, name);
    s->tensor[s->n++] = (struct st_tensor){ .name = copy,
                                            .type = type,
                                            .n_dims = n_dims,
                                            .dim = { n_dims == 1 ? cols : rows, cols },
                                            .data = data };
}

void tensors_put_params(struct tensor_saving *s, const struct params *p)
{
    for (size_t i = 0; i < p->n; i++) {
        const struct param *q = &p->item[i];
        const size_t n = q->rows * q->cols;
        double *x = tensors_own(s, n * sizeof *x);
        if (x)
            reals_to_f64(p->b, x, q->t.x, n);
        tensors_put(s, q->name, ST_F64, q->n_dims, q->rows, q->cols, x);
    }
}

void tensors_put_texts(struct tensor_saving *s, const char *name, const char *const *text, size_t n)
{
    size_t bytes = 0, at = 0;
    for (size_t i = 0; i < n; i++)
        bytes += strlen(text[i]) + 1;
    char *all = tensors_own(s, bytes);
    for (size_t i = 0; all && i < n; i++) {
        const size_t length = strlen(text[i]);
        memcpy(all + at, text[i], length);
        all[at + length] = '\n';
        at += length + 1;
    }
    tensors_put(s, name, ST_U8, 1, 1, bytes, all);
}

enum rc tensors_write(struct tensor_saving *s, const char *path, const char *const (*meta)[2],
                      size_t n_meta, struct err *e)
{
    enum rc rc = s->short_of_memory ? err_set(e, RC_FAIL, "no memory for a model")
                                    : st_write(path, s->tensor, s->n, meta, n_meta, e);
    for (size_t i = 0; i < s->n_own; i++)
        free(s->own[i]);
    free(s->own);
    free(s->tensor);
    *s = (struct tensor_saving){ 0 };
    return rc;
}

/* ---- loading ---- */

enum rc tensors_take(const struct st_file *f, const char *name, size_t rows, size_t cols,
                     struct mat *x, struct err *e)
{
    const struct st_tensor *t = st_find(f, name);
    *x = (struct mat){ 0 };
    if (!t)
        return err_set(e, RC_INPUT, "no tensor '%s'", name);
    const uint64_t n = t->n_dims == 2 ? t->dim[0] : 1, d = t->n_dims ? t->dim[t->n_dims - 1] : 1;
    if (t->n_dims < 1 || t->n_dims > 2 || (rows != SIZE_MAX && n != rows) ||
        (cols != SIZE_MAX && d != cols))
        return err_set(e, RC_INPUT, "tensor '%s' has another shape", name);
    enum rc rc = mat_alloc(x, (size_t)n, (size_t)d, e);
    if (!rc)
        rc = st_get_f64(t, x->x, e);
    for (size_t k = 0; !rc && k < n * d; k++)
        if (!isfinite(x->x[k]))
            rc = err_set(e, RC_INPUT, "tensor '%s' holds a number that is not finite", name);
    if (rc)
        mat_release(x);
    return rc;
}

enum rc tensors_take_texts(const struct st_file *f, const char *name, struct arena *a,
                           const char ***text, size_t *n, struct err *e)
{
    const struct st_tensor *t = st_find(f, name);
    *n = 0;
    if (!t || t->type != ST_U8)
        return err_set(e, RC_INPUT, "no text '%s'", name);
    const size_t bytes = (size_t)t->n_bytes;
    char *all = arena_chars(a, bytes + 1);
    *text = all ? calloc(bytes + 1, sizeof **text) : NULL;
    if (!*text)
        return err_set(e, RC_FAIL, "no memory for '%s'", name);
    memcpy(all, t->data, bytes);
    all[bytes] = '\0';
    for (char *at = all, *end; at < all + bytes; at = end + 1) {
        end = memchr(at, '\n', (size_t)(all + bytes - at));
        if (!end || end == at || memchr(at, '\0', (size_t)(end - at)))
            return err_set(e, RC_INPUT, "text '%s' has an empty or broken line", name);
        *end = '\0';
        (*text)[(*n)++] = at;
    }
    return *n ? RC_OK : err_set(e, RC_INPUT, "text '%s' is empty", name);
}

enum rc tensors_take_params(struct params *p, const struct st_file *f, struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < p->n; i++) {
        const struct param *q = &p->item[i];
        struct mat x;
        rc = tensors_take(f, q->name, q->rows, q->cols, &x, e);
        if (!rc)
            reals_from_f64(p->b, q->t.x, x.x, x.n * x.d);
        mat_release(&x);
    }
    return rc;
}
