#include "lib/io/torch.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/io/torch_parts.h"

/* A key is short and printable. */
enum { KEY_MAX = 64 };

enum rc torch_store_id(const struct pickle_value *id, struct store_id *s, struct err *e)
{
    const struct pickle_list *l = id->kind == PICKLE_TUPLE ? id->list : NULL;
    if (!l || (l->n != 5 && l->n != 6) || !pickle_is_text(&l->at[0], "storage") ||
        l->at[2].kind != PICKLE_TEXT || l->at[3].kind != PICKLE_TEXT ||
        l->at[4].kind != PICKLE_INT || l->at[4].whole < 0)
        return err_set(e, RC_INPUT, "a persistent id that is no storage");
    if (l->n == 6 && l->at[5].kind != PICKLE_NONE)
        return err_set(e, RC_INPUT, "a storage that is a view of another");
    s->type = pickle_storage_type(&l->at[1]);
    s->key = l->at[2].text;
    s->n_key = l->at[2].n_bytes;
    s->n_items = (uint64_t)l->at[4].whole;
    if (s->type == ST_OTHER)
        return err_set(e, RC_INPUT, "a storage of no known type");
    if (!s->n_key || s->n_key > KEY_MAX || memchr(s->key, '\0', s->n_key))
        return err_set(e, RC_INPUT, "a storage with a broken key");
    if (s->n_items > INT64_MAX / st_type_bytes(s->type))
        return err_set(e, RC_INPUT, "storage '%.*s' claims more than can be counted", (int)s->n_key,
                       s->key);
    return RC_OK;
}

static bool starts_legacy(const unsigned char *b, size_t n)
{
    struct pickle p; /* the magic number is a pickle of its own */
    if (n < 2 || b[0] != 0x80 || pickle_read(&p, b, n < 64 ? n : 64, NULL, NULL, NULL, NULL))
        return false;
    const bool is = p.root.kind == PICKLE_LONG && p.root.n_bytes == strlen(TORCH_MAGIC) &&
                    memcmp(p.root.text, TORCH_MAGIC, p.root.n_bytes) == 0;
    pickle_release(&p);
    return is;
}

enum rc torch_view(struct torch_file *f, const void *bytes, size_t n_bytes, struct err *e)
{
    struct err own = { 0 };
    e = e ? e : &own;
    *f = (struct torch_file){ 0 };
    enum rc rc;
    if (n_bytes < 2)
        rc = err_set(e, RC_INPUT, "%zu bytes are too few for a pickle", n_bytes);
    else if (memcmp(bytes, "PK", 2) == 0)
        rc = torch_view_zip(f, bytes, n_bytes, e);
    else if (starts_legacy(bytes, n_bytes))
        rc = torch_view_legacy(f, bytes, n_bytes, e);
    else
        rc = pickle_read(&f->pickle, bytes, n_bytes, NULL, NULL, NULL, e);
    if (rc)
        torch_close(f);
    return rc;
}

enum rc torch_open(struct torch_file *f, const char *path, struct err *e)
{
    struct mapped map;
    *f = (struct torch_file){ 0 };
    enum rc rc = mapped_open(&map, path, MAPPED_OWN, e);
    if (rc)
        return rc;
    rc = torch_view(f, map.at, map.bytes, e);
    if (rc) {
        mapped_close(&map);
        err_wrap(e, "'%s'", path);
        return rc;
    }
    f->map = map;
    return RC_OK;
}

void torch_close(struct torch_file *f)
{
    pickle_release(&f->pickle);
    zip_release(&f->zip);
    mapped_close(&f->map);
    *f = (struct torch_file){ 0 };
}
