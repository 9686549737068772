#include "lib/io/dictionary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/io/torch.h"

/* ---- one pickled dict ---- */

struct dict {
    struct torch_file file;
    const struct pickle_list *list; /* key, value, key, value, .. */
};

static enum rc open_dict(struct dict *d, const char *path, struct err *e)
{
    *d = (struct dict){ 0 };
    enum rc rc = torch_open(&d->file, path, e);
    if (rc)
        return rc;
    const struct pickle_value *root = &d->file.pickle.root;
    if (root->kind != PICKLE_DICT) {
        rc = err_set(e, RC_INPUT, "'%s' holds %s, not a dict", path, pickle_kind_name(root->kind));
        torch_close(&d->file);
        return rc;
    }
    d->list = root->list;
    return RC_OK;
}

static void close_dict(struct dict *d)
{
    torch_close(&d->file);
}

static enum rc no_memory(struct err *e, const char *path)
{
    return err_set(e, RC_FAIL, "no memory for '%s'", path);
}

/* A text that can stand in a table, as a C string in the arena; NULL with *e set when it cannot. */
static const char *plain_text(const struct pickle_value *v, const char *what, const char *path,
                              struct arena *a, struct err *e)
{
    bool good = v->kind == PICKLE_TEXT && v->n_bytes > 0 && v->n_bytes < 256;
    for (uint32_t i = 0; good && i < v->n_bytes; i++)
        good = (unsigned char)v->text[i] >= ' ';
    if (!good) {
        err_set(e, RC_INPUT, "'%s': %s that is %s", path, what,
                v->kind == PICKLE_TEXT ? "empty, long or not printable"
                                       : pickle_kind_name(v->kind));
        return NULL;
    }
    char *s = arena_get(a, v->n_bytes + 1);
    if (!s) {
        no_memory(e, path);
        return NULL;
    }
    memcpy(s, v->text, v->n_bytes);
    s[v->n_bytes] = '\0';
    return s;
}

/* ---- vocabulary ---- */

static enum species species_of(const char *id)
{
    return strncmp(id, "ENSMUSG", 7) == 0 ? SPECIES_MOUSE
           : strncmp(id, "ENSG", 4) == 0  ? SPECIES_HUMAN
                                          : SPECIES_UNKNOWN;
}

/* A Python number, or an array of one. */
static bool number(const struct pickle_value *v, double *x)
{
    struct st_tensor t;
    void *copy = NULL;
    if (v->kind == PICKLE_FLOAT || v->kind == PICKLE_INT) {
        *x = v->kind == PICKLE_FLOAT ? v->real : (double)v->whole;
        return true;
    }
    bool good = v->kind == PICKLE_ARRAY && v->array->n_items == 1 &&
                !array_tensor(v->array, &t, &copy, NULL) && !st_get_f64(&t, x, NULL);
    free(copy);
    return good;
}

/* id[t]: the id of token t, in the arena. Some files have tokens as numpy's numbers. */
static enum rc ids_by_token(const struct dict *d, const char *path, const char **id,
                            struct arena *a, struct err *e)
{
    const size_t n = d->list->n / 2;
    for (size_t i = 0; i < n; i++) {
        const struct pickle_value *t = &d->list->at[2 * i + 1];
        const char *s = plain_text(&d->list->at[2 * i], "a gene", path, a, e);
        if (!s)
            return e->rc;
        double x;
        if (!number(t, &x) || !(x >= 0 && x < (double)n) || x > floor(x))
            return err_set(e, RC_INPUT, "'%s': the token of '%s' is not one of 0 to %zu", path, s,
                           n - 1);
        if (id[(size_t)x])
            return err_set(e, RC_INPUT, "'%s': token %zu is both '%s' and '%s'", path, (size_t)x,
                           id[(size_t)x], s);
        id[(size_t)x] = s;
    }
    return RC_OK;
}

/* name[t] of the ids that the dict of names has. */
static enum rc read_names(const char *path, const char *const *id, size_t n, const char **name,
                          struct arena *a, struct err *e)
{
    struct dict d;
    struct map at;
    enum rc rc = open_dict(&d, path, e);
    if (rc)
        return rc;
    map_init(&at);
    for (size_t i = 0; !rc && i < n; i++)
        rc = map_add(&at, id[i], i, NULL, e);
    for (size_t i = 0; !rc && i < d.list->n; i += 2) {
        const struct pickle_value *key = &d.list->at[i];
        if (key->kind != PICKLE_TEXT)
            rc = err_set(e, RC_INPUT, "'%s': a gene that is %s", path, pickle_kind_name(key->kind));
        const uint64_t t = rc ? MAP_NONE : map_get_n(&at, key->text, key->n_bytes);
        if (t != MAP_NONE && !(name[t] = plain_text(&d.list->at[i + 1], "a name", path, a, e)))
            rc = e->rc;
    }
    map_release(&at);
    close_dict(&d);
    return rc;
}

static enum rc read_homologs(const char *path, struct vocab *v, struct err *e)
{
    struct dict d;
    enum rc rc = open_dict(&d, path, e);
    for (size_t i = 0; !rc && i < d.list->n; i += 2) {
        const struct pickle_value *m = &d.list->at[i], *h = m + 1;
        if (m->kind != PICKLE_INT || h->kind != PICKLE_INT || m->whole < 0 || h->whole < 0 ||
            (uint64_t)m->whole >= v->n || (uint64_t)h->whole >= v->n) {
            rc = err_set(e, RC_INPUT, "'%s': pair %zu is not of two tokens", path, i / 2);
        } else if (v->entry[m->whole].homolog >= 0 || v->entry[h->whole].homolog >= 0) {
            rc = err_set(e, RC_INPUT, "'%s': a token of %lld and %lld has a homolog already", path,
                         (long long)m->whole, (long long)h->whole);
        } else {
            v->entry[m->whole].homolog = (int32_t)h->whole;
            v->entry[h->whole].homolog = (int32_t)m->whole;
        }
    }
    if (d.list)
        close_dict(&d);
    return rc;
}

static enum rc add_entries(struct vocab *v, const char *const *id, const char *const *name,
                           size_t n, const char *path, struct err *e)
{
    for (size_t i = 0; i < n; i++) {
        const struct vocab_entry x = { .id = id[i],
                                       .name = name[i] ? name[i] : "-",
                                       .biotype = "-",
                                       .homolog = -1,
                                       .species = species_of(id[i]) };
        if (x.species == SPECIES_UNKNOWN && i >= TOKEN_FIRST_GENE)
            return err_set(e, RC_INPUT, "'%s': '%s' is no gene of human or mouse", path, id[i]);
        if (vocab_add(v, &x, e))
            return err_wrap(e, "'%s'", path);
    }
    return RC_OK;
}

enum rc dictionary_vocab(struct vocab *v, const char *tokens, const char *names,
                         const char *homologs, struct err *e)
{
    struct err own = { 0 };
    struct dict d;
    struct arena a;
    e = e ? e : &own;
    vocab_init(v);
    enum rc rc = open_dict(&d, tokens, e);
    if (rc)
        return rc;
    arena_init(&a, 1 << 20);
    const size_t n = d.list->n / 2;
    const char **id = calloc(n + 1, sizeof *id), **name = calloc(n + 1, sizeof *name);
    rc = id && name ? ids_by_token(&d, tokens, id, &a, e) : no_memory(e, tokens);
    if (!rc && names)
        rc = read_names(names, id, n, name, &a, e);
    if (!rc)
        rc = add_entries(v, id, name, n, tokens, e);
    if (!rc && homologs)
        rc = read_homologs(homologs, v, e);
    if (!rc && vocab_check(v, e))
        rc = err_wrap(e, "'%s'", tokens);
    free(id);
    free(name);
    arena_release(&a);
    close_dict(&d);
    if (rc)
        vocab_release(v);
    return rc;
}

/* ---- medians ---- */

static enum rc add_medians(struct medians *m, const struct dict *d, const char *path,
                           struct arena *a, struct err *e)
{
    for (size_t i = 0; i < d->list->n; i += 2) {
        struct median x = { .id = plain_text(&d->list->at[i], "a gene", path, a, e) };
        if (!x.id)
            return e->rc;
        if (!number(&d->list->at[i + 1], &x.median))
            return err_set(e, RC_INPUT, "'%s': the median of '%s' is %s", path, x.id,
                           pickle_kind_name(d->list->at[i + 1].kind));
        if (medians_add(m, &x, e))
            return err_wrap(e, "'%s'", path);
    }
    return RC_OK;
}

enum rc dictionary_medians(struct medians *m, const char *const *path, size_t n, struct err *e)
{
    struct err own = { 0 };
    struct arena a;
    enum rc rc = RC_OK;
    e = e ? e : &own;
    medians_init(m);
    arena_init(&a, 1 << 16);
    for (size_t i = 0; !rc && i < n; i++) {
        struct dict d;
        if ((rc = open_dict(&d, path[i], e)))
            break;
        rc = add_medians(m, &d, path[i], &a, e);
        close_dict(&d);
    }
    arena_release(&a);
    if (rc)
        medians_release(m);
    return rc;
}

/* ---- knowledge ---- */

/* Rows of one species by name. */
struct rows {
    struct dict d;
    struct map at;
    const char *path;
};

static void close_rows(struct rows *r)
{
    map_release(&r->at);
    close_dict(&r->d);
}

static enum rc open_rows(struct rows *r, const char *path, struct err *e)
{
    struct arena a;
    *r = (struct rows){ .path = path };
    enum rc rc = open_dict(&r->d, path, e);
    map_init(&r->at);
    arena_init(&a, 1 << 16);
    for (size_t i = 0; !rc && i < r->d.list->n; i += 2) {
        const struct pickle_value *v = &r->d.list->at[i + 1];
        const char *name = plain_text(&r->d.list->at[i], "a gene", path, &a, e);
        if (!name)
            rc = e->rc;
        else if (v->kind != PICKLE_ARRAY || v->array->n_dims != 1)
            rc = err_set(e, RC_INPUT, "'%s': '%s' is no vector", path, name);
        else
            rc = map_add(&r->at, name, i + 1, NULL, e);
    }
    arena_release(&a);
    return rc;
}

static enum rc copy_row(const struct array *a, float *to, size_t dim, const char *path,
                        const char *name, struct err *e)
{
    struct st_tensor t;
    void *copy;
    if (a->n_items != dim)
        return err_set(e, RC_INPUT, "'%s': '%s' has %llu numbers, not %zu", path, name,
                       (unsigned long long)a->n_items, dim);
    enum rc rc = array_tensor(a, &t, &copy, e);
    if (!rc)
        rc = st_get_f32(&t, to, e);
    free(copy);
    for (size_t i = 0; !rc && i < dim; i++)
        if (!isfinite(to[i]))
            rc = err_set(e, RC_INPUT, "'%s': number %zu of '%s' is not finite", path, i, name);
    return rc;
}

static enum rc fill_rows(struct knowledge_table *k, const struct vocab *v, const struct rows *r,
                         struct err *e)
{
    for (size_t t = TOKEN_FIRST_GENE; t < v->n; t++) {
        const struct vocab_entry *x = &v->entry[t];
        const struct rows *from = &r[x->species == SPECIES_MOUSE];
        const char *name = strcmp(x->name, "-") == 0 ? x->id : x->name;
        const uint64_t i = map_get(&from->at, name);
        if (i == MAP_NONE)
            return err_set(e, RC_INPUT, "'%s' lacks '%s' (token %zu, '%s')", from->path, name, t,
                           x->id);
        enum rc rc = copy_row(from->d.list->at[i].array, k->vector + t * k->dim, k->dim, from->path,
                              name, e);
        if (rc)
            return rc;
        k->present[t] = 1;
    }
    return RC_OK;
}

enum rc dictionary_knowledge(struct knowledge_table *k, enum knowledge_kind kind,
                             const struct vocab *v, const char *human, const char *mouse,
                             struct err *e)
{
    struct err own = { 0 };
    struct rows r[2] = { 0 };
    e = e ? e : &own;
    *k = (struct knowledge_table){ 0 };
    enum rc rc = open_rows(&r[0], human, e);
    if (!rc)
        rc = open_rows(&r[1], mouse, e);
    if (!rc && !r[0].d.list->n)
        rc = err_set(e, RC_INPUT, "'%s' is empty", human);
    if (!rc)
        rc = knowledge_table_alloc(k, kind, v->n, (size_t)r[0].d.list->at[1].array->n_items, e);
    if (!rc && (rc = fill_rows(k, v, r, e)))
        knowledge_table_release(k);
    close_rows(&r[0]);
    close_rows(&r[1]);
    return rc;
}
