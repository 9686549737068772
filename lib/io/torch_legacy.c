/* The legacy form. The object comes before its numbers: each persistent id makes a store without
 * data, which is set when the key's numbers are reached. */
#include <stdlib.h>
#include <string.h>

#include "lib/io/torch_parts.h"

struct promise {
    struct store_id id;
    struct array_store *store; /* in the arena of the pickle */
};

struct legacy {
    const unsigned char *at, *end;
    struct promise *promise;
    size_t n, room;
};

static enum rc find_store(void *ctx, struct pickle *p, const struct pickle_value *id,
                          const struct array_store **store, struct err *e)
{
    struct legacy *l = ctx;
    struct store_id s;
    if (torch_store_id(id, &s, e))
        return RC_INPUT;
    if (l->n == l->room) {
        const size_t room = l->room ? 2 * l->room : 64;
        struct promise *more = realloc(l->promise, room * sizeof *more);
        if (!more)
            return err_set(e, RC_FAIL, "no memory for %zu storages", room);
        l->promise = more;
        l->room = room;
    }
    struct array_store *to = arena_get_zero(&p->arena, sizeof *to);
    if (!to)
        return err_set(e, RC_FAIL, "no memory for a storage");
    *to = (struct array_store){ .type = s.type, .n_items = s.n_items };
    l->promise[l->n++] = (struct promise){ s, to };
    *store = to;
    return RC_OK;
}

static enum rc next_pickle(struct legacy *l, struct pickle *p, pickle_find_store *find,
                           struct err *e)
{
    size_t used;
    enum rc rc = pickle_read(p, l->at, (size_t)(l->end - l->at), find, l, &used, e);
    l->at += rc ? 0 : used;
    return rc;
}

/* Magic number (seen already), protocol, system information. */
static enum rc read_head(struct legacy *l, bool *big_endian, struct err *e)
{
    struct pickle p;
    enum rc rc = next_pickle(l, &p, NULL, e);
    pickle_release(&p);
    if (!rc && !(rc = next_pickle(l, &p, NULL, e))) {
        if (p.root.kind != PICKLE_INT || p.root.whole != 1001)
            rc = err_set(e, RC_INPUT, "a legacy torch file of a protocol that is not 1001");
        pickle_release(&p);
    }
    if (!rc && !(rc = next_pickle(l, &p, NULL, e))) {
        const struct pickle_value *little = pickle_get(&p.root, "little_endian");
        if (!little || little->kind != PICKLE_BOOL)
            rc = err_set(e, RC_INPUT, "a legacy torch file that does not tell its byte order");
        else
            *big_endian = !little->whole;
        pickle_release(&p);
    }
    return rc;
}

static int by_key(const void *a, const void *b)
{
    const struct promise *x = a, *y = b;
    const uint32_t n = x->id.n_key < y->id.n_key ? x->id.n_key : y->id.n_key;
    const int order = memcmp(x->id.key, y->id.key, n);
    return order ? order : (x->id.n_key > y->id.n_key) - (x->id.n_key < y->id.n_key);
}

/* Gives the numbers at l->at to every store with this key. */
static enum rc keep_promise(struct legacy *l, const struct pickle_value *key, bool big_endian,
                            struct err *e)
{
    if (key->kind != PICKLE_TEXT)
        return err_set(e, RC_INPUT, "a storage key that is no text");
    const int n_key = key->n_bytes < 64 ? (int)key->n_bytes : 64;
    const struct promise want = { .id = { .key = key->text, .n_key = key->n_bytes } };
    struct promise *p = l->n ? bsearch(&want, l->promise, l->n, sizeof want, by_key) : NULL;
    if (!p)
        return err_set(e, RC_INPUT, "storage '%.*s' is used by no tensor", n_key, key->text);
    uint64_t n;
    if ((size_t)(l->end - l->at) < sizeof n)
        return err_set(e, RC_INPUT, "the file ends before storage '%.*s'", n_key, key->text);
    memcpy(&n, l->at, sizeof n);
    l->at += sizeof n;
    const uint64_t bytes = p->id.n_items * st_type_bytes(p->id.type);
    if (n != p->id.n_items || bytes > (uint64_t)(l->end - l->at))
        return err_set(e, RC_INPUT, "storage '%.*s' has %llu numbers in %zu bytes, not %llu", n_key,
                       key->text, (unsigned long long)n, (size_t)(l->end - l->at),
                       (unsigned long long)p->id.n_items);
    while (p > l->promise && by_key(p - 1, &want) == 0)
        p--;
    if (p->store->data)
        return err_set(e, RC_INPUT, "storage '%.*s' comes twice", n_key, key->text);
    for (; p < l->promise + l->n && by_key(p, &want) == 0; p++) {
        if (p->id.n_items * st_type_bytes(p->id.type) != bytes)
            return err_set(e, RC_INPUT, "storage '%.*s' has two lengths", n_key, key->text);
        p->store->data = l->at;
        p->store->big_endian = big_endian;
    }
    l->at += bytes;
    return RC_OK;
}

static enum rc read_numbers(struct legacy *l, bool big_endian, struct err *e)
{
    struct pickle keys;
    enum rc rc = next_pickle(l, &keys, NULL, e);
    if (rc)
        return rc;
    if (keys.root.kind != PICKLE_LIST)
        rc = err_set(e, RC_INPUT, "a legacy torch file without a list of its storages");
    if (l->n)
        qsort(l->promise, l->n, sizeof *l->promise, by_key);
    for (size_t i = 0; !rc && i < keys.root.list->n; i++)
        rc = keep_promise(l, &keys.root.list->at[i], big_endian, e);
    for (size_t i = 0; !rc && i < l->n; i++)
        if (!l->promise[i].store->data)
            rc = err_set(e, RC_INPUT, "storage '%.*s' is not in the file",
                         (int)l->promise[i].id.n_key, l->promise[i].id.key);
    pickle_release(&keys);
    return rc;
}

enum rc torch_view_legacy(struct torch_file *f, const void *bytes, size_t n_bytes, struct err *e)
{
    struct legacy l = { .at = bytes };
    bool big_endian = false;
    l.end = l.at + n_bytes;
    enum rc rc = read_head(&l, &big_endian, e);
    if (!rc)
        rc = next_pickle(&l, &f->pickle, find_store, e);
    if (!rc)
        rc = read_numbers(&l, big_endian, e);
    free(l.promise);
    return rc;
}
