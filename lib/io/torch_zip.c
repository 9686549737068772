/* The zip form. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/io/torch_parts.h"

struct zip_stores {
    struct zip *zip;
    const char *prefix; /* in front of "data.pkl", with its slash */
    int n_prefix;
    bool big_endian;
};

static enum rc find_store(void *ctx, struct pickle *p, const struct pickle_value *id,
                          const struct array_store **store, struct err *e)
{
    struct zip_stores *z = ctx;
    struct store_id s;
    if (torch_store_id(id, &s, e))
        return RC_INPUT;
    char *name = text_new("%.*sdata/%.*s", z->n_prefix, z->prefix, (int)s.n_key, s.key);
    if (!name)
        return err_set(e, RC_FAIL, "no memory for a name");
    struct zip_member *m = zip_find(z->zip, name);
    free(name);
    if (!m)
        return err_set(e, RC_INPUT, "storage '%.*s' is not in the file", (int)s.n_key, s.key);
    const uint64_t bytes = s.n_items * st_type_bytes(s.type);
    if (m->n_bytes != bytes)
        return err_set(e, RC_INPUT, "storage '%.*s' has %llu bytes, its tensors say %llu",
                       (int)s.n_key, s.key, (unsigned long long)m->n_bytes,
                       (unsigned long long)bytes);
    if (zip_verify(m, e))
        return RC_INPUT;
    struct array_store *to = arena_get_zero(&p->arena, sizeof *to);
    if (!to)
        return err_set(e, RC_FAIL, "no memory for a storage");
    *to = (struct array_store){
        .type = s.type, .n_items = s.n_items, .data = m->data, .big_endian = z->big_endian
    };
    *store = to;
    return RC_OK;
}

/* The one member PREFIX/data.pkl. */
static struct zip_member *find_pickle(const struct zip *z, struct err *e)
{
    static const char name[] = "/data.pkl";
    const size_t n = sizeof name - 1;
    struct zip_member *found = NULL;
    for (size_t i = 0; i < z->n; i++) {
        struct zip_member *m = &z->member[i];
        if (m->n_name <= n || memcmp(m->name + m->n_name - n, name, n) != 0)
            continue;
        if (found) {
            err_set(e, RC_INPUT, "the zip archive has two members 'data.pkl'");
            return NULL;
        }
        found = m;
    }
    if (!found)
        err_set(e, RC_INPUT, "the zip archive has no member 'data.pkl'");
    return found;
}

static enum rc byte_order(struct zip_stores *z, struct err *e)
{
    char *name = text_new("%.*sbyteorder", z->n_prefix, z->prefix);
    if (!name)
        return err_set(e, RC_FAIL, "no memory for a name");
    struct zip_member *m = zip_find(z->zip, name);
    free(name);
    if (!m)
        return RC_OK;
    if (zip_verify(m, e))
        return RC_INPUT;
    z->big_endian = m->n_bytes == 3 && memcmp(m->data, "big", 3) == 0;
    if (!z->big_endian && !(m->n_bytes == 6 && memcmp(m->data, "little", 6) == 0))
        return err_set(e, RC_INPUT, "a byte order that is neither little nor big");
    return RC_OK;
}

enum rc torch_view_zip(struct torch_file *f, const void *bytes, size_t n_bytes, struct err *e)
{
    enum rc rc = zip_view(&f->zip, bytes, n_bytes, e);
    if (rc)
        return rc;
    struct zip_member *m = find_pickle(&f->zip, e);
    if (!m)
        return RC_INPUT;
    struct zip_stores z = { .zip = &f->zip,
                            .prefix = m->name,
                            .n_prefix = m->n_name - (int)strlen("data.pkl") };
    rc = zip_verify(m, e);
    if (!rc)
        rc = byte_order(&z, e);
    if (!rc)
        rc = pickle_read(&f->pickle, m->data, (size_t)m->n_bytes, find_store, &z, NULL, e);
    return rc;
}
