#include "lib/io/safetensors.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"

/* Fills n_items and n_bytes; refuses what cannot be written. */
static enum rc check_tensor(struct st_tensor *t, struct err *e)
{
    if (t->type >= ST_OTHER || t->n_dims < 0 || t->n_dims > ST_MAX_DIMS)
        return err_set(e, RC_INPUT, "tensor '%s' has a type or shape that is not written", t->name);
    if (strcmp(t->name, "__metadata__") == 0)
        return err_set(e, RC_INPUT, "a tensor cannot be called '__metadata__'");
    if (!st_count_items(t, st_type_bytes(t->type)))
        return err_set(e, RC_INPUT, "tensor '%s' has more numbers than can be counted", t->name);
    t->n_bytes = t->n_items * st_type_bytes(t->type);
    return RC_OK;
}

static int by_key(const void *a, const void *b)
{
    return strcmp((*(const char *const(*)[2])a)[0], (*(const char *const(*)[2])b)[0]);
}

/* {key: text} by rising key; NULL when a text is not UTF-8, a key comes twice, or memory is short.
 */
static json_t *meta_json(const char *const (*meta)[2], size_t n)
{
    const char *(*sorted)[2] = malloc((n + 1) * sizeof *sorted);
    json_t *o = sorted ? json_object() : NULL;
    for (size_t i = 0; o && i < n; i++)
        sorted[i][0] = meta[i][0], sorted[i][1] = meta[i][1];
    if (o)
        qsort(sorted, n, sizeof *sorted, by_key);
    for (size_t i = 0; o && i < n; i++) {
        bool twice = i && strcmp(sorted[i - 1][0], sorted[i][0]) == 0;
        if (twice || json_object_set_new(o, sorted[i][0], json_string(sorted[i][1])) != 0) {
            json_decref(o);
            o = NULL;
        }
    }
    free(sorted);
    return o;
}

static json_t *tensor_json(const struct st_tensor *t, uint64_t at)
{
    json_t *shape = json_array();
    for (int i = 0; i < t->n_dims; i++)
        json_array_append_new(shape, json_integer((json_int_t)t->dim[i]));
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", st_type_name(t->type), "shape", shape,
                     "data_offsets", (json_int_t)at, (json_int_t)(at + t->n_bytes));
}

/* The header's text; the caller frees. NULL with *e set. Jansson keeps the order of insertion. */
static char *header_text(const struct st_tensor *t, size_t n, const char *const (*meta)[2],
                         size_t n_meta, struct err *e)
{
    json_t *head = json_object();
    bool good = head != NULL;
    if (good && n_meta && json_object_set_new(head, "__metadata__", meta_json(meta, n_meta)) != 0) {
        err_set(e, RC_INPUT, "metadata with a key that comes twice or a text that is not UTF-8");
        json_decref(head);
        return NULL;
    }
    uint64_t at = 0;
    for (size_t i = 0; good && i < n; i++) {
        if (json_object_set_new(head, t[i].name, tensor_json(&t[i], at)) != 0) {
            err_set(e, RC_INPUT, "the name of tensor %zu is not UTF-8", i);
            json_decref(head);
            return NULL;
        }
        at += t[i].n_bytes;
    }
    char *text = good ? json_dumps(head, JSON_COMPACT) : NULL;
    json_decref(head);
    if (!text)
        err_set(e, RC_FAIL, "no memory for the header");
    return text;
}

static enum rc write_all(const char *path, const struct st_tensor *t, size_t n, const char *head,
                         struct err *e)
{
    struct outfile o;
    if (outfile_open(&o, path, e))
        return e ? e->rc : RC_FAIL;
    static const char blanks[9] = "        ";
    const uint64_t n_text = strlen(head), n_head = (n_text + 7) / 8 * 8;
    bool good = fwrite(&n_head, sizeof n_head, 1, o.f) == 1 &&
                fwrite(head, 1, n_text, o.f) == n_text &&
                fwrite(blanks, 1, n_head - n_text, o.f) == n_head - n_text;
    for (size_t i = 0; good && i < n; i++)
        good = !t[i].n_bytes || fwrite(t[i].data, 1, t[i].n_bytes, o.f) == t[i].n_bytes;
    return outfile_commit(&o, e); /* sees the file's error flag */
}

enum rc st_write(const char *path, const struct st_tensor *tensor, size_t n,
                 const char *const (*meta)[2], size_t n_meta, struct err *e)
{
    struct st_tensor *t = malloc((n + 1) * sizeof *t);
    if (!t)
        return err_set(e, RC_FAIL, "no memory for %zu tensors", n);
    enum rc rc = RC_OK;
    uint64_t all = 0;
    for (size_t i = 0; !rc && i < n; i++) {
        t[i] = tensor[i];
        rc = check_tensor(&t[i], e);
        if (!rc && t[i].n_bytes > INT64_MAX - all)
            rc = err_set(e, RC_INPUT, "more bytes than can be counted");
        all += t[i].n_bytes;
    }
    if (!rc)
        qsort(t, n, sizeof *t, st_by_name);
    for (size_t i = 1; !rc && i < n; i++)
        if (strcmp(t[i - 1].name, t[i].name) == 0)
            rc = err_set(e, RC_INPUT, "tensor '%s' comes twice", t[i].name);
    char *head = rc ? NULL : header_text(t, n, meta, n_meta, e);
    if (!rc && !head)
        rc = e ? e->rc : RC_FAIL;
    if (!rc)
        rc = write_all(path, t, n, head, e);
    else
        err_wrap(e, "'%s'", path);
    free(head);
    free(t);
    return rc;
}
