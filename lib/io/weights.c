#include "lib/io/weights.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"

/* Views are copied once for each name. A file may not make that more than this many times its own
 * size, and a constant. */
enum { MAX_COPIES = 4, SPARE_COPIES = 1 << 28 };

bool weights_is_safetensors(const char *path)
{
    static const char end[] = ".safetensors";
    const size_t n = strlen(path), m = sizeof end - 1;
    return n >= m && strcmp(path + n - m, end) == 0;
}

static enum rc add_tensor(struct weights *w, const struct pickle_value *key,
                          const struct pickle_value *v, struct err *e)
{
    const int n = (int)(key->n_bytes < 200 ? key->n_bytes : 200);
    if (key->kind != PICKLE_TEXT || memchr(key->text, '\0', key->n_bytes))
        return err_set(e, RC_INPUT, "%s that names no tensor",
                       key->kind == PICKLE_TEXT ? "a text" : pickle_kind_name(key->kind));
    if (v->kind != PICKLE_ARRAY)
        return err_set(e, RC_INPUT, "entry '%.*s' is %s, not a tensor", n, key->text,
                       pickle_kind_name(v->kind));
    struct st_tensor *t = &w->st.tensor[w->st.n];
    void *copy;
    enum rc rc = array_tensor(v->array, t, &copy, e);
    if (rc)
        return rc;
    if (copy)
        w->copy[w->n_copies++] = copy;
    t->name = text_new("%.*s", (int)key->n_bytes, key->text);
    if (!t->name)
        return err_set(e, RC_FAIL, "no memory for a name");
    w->st.n++;
    return RC_OK;
}

static int by_name(const void *a, const void *b)
{
    const struct st_tensor *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static enum rc list_tensors(struct weights *w, size_t n_bytes, struct err *e)
{
    const struct pickle_value *root = &w->torch.pickle.root;
    if (root->kind != PICKLE_DICT)
        return err_set(e, RC_INPUT, "it holds %s, not a dict of tensors",
                       pickle_kind_name(root->kind));
    const size_t n = root->list->n / 2;
    w->st.tensor = calloc(n + 1, sizeof *w->st.tensor);
    w->copy = calloc(n + 1, sizeof *w->copy);
    if (!w->st.tensor || !w->copy)
        return err_set(e, RC_FAIL, "no memory for %zu tensors", n);
    uint64_t copied = 0;
    for (size_t i = 0; i < n; i++) {
        const size_t before = w->n_copies;
        enum rc rc = add_tensor(w, &root->list->at[2 * i], &root->list->at[2 * i + 1], e);
        if (rc)
            return rc;
        if (w->n_copies > before)
            copied += w->st.tensor[i].n_bytes;
        if (copied / MAX_COPIES > n_bytes + SPARE_COPIES / MAX_COPIES)
            return err_set(e, RC_INPUT, "views that are larger than the file");
    }
    qsort(w->st.tensor, w->st.n, sizeof *w->st.tensor, by_name);
    return RC_OK;
}

enum rc weights_view_torch(struct weights *w, const void *bytes, size_t n_bytes, struct err *e)
{
    *w = (struct weights){ 0 };
    enum rc rc = torch_view(&w->torch, bytes, n_bytes, e);
    if (!rc)
        rc = list_tensors(w, n_bytes, e);
    if (rc)
        weights_close(w);
    return rc;
}

enum rc weights_open(struct weights *w, const char *path, struct err *e)
{
    *w = (struct weights){ 0 };
    if (weights_is_safetensors(path))
        return st_open(&w->st, path, e);
    enum rc rc = torch_open(&w->torch, path, e);
    if (!rc && (rc = list_tensors(w, w->torch.map.bytes, e)))
        err_wrap(e, "'%s'", path);
    if (rc)
        weights_close(w);
    return rc;
}

void weights_close(struct weights *w)
{
    for (size_t i = 0; i < w->n_copies; i++)
        free(w->copy[i]);
    free(w->copy);
    st_close(&w->st);
    torch_close(&w->torch);
    *w = (struct weights){ 0 };
}
