/* What stages read from outside: files of the checkout, and raw inputs by fetch/inputs.tsv. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/thread.h"
#include "lib/io/inputs.h"
#include "lib/io/lines.h"
#include "lib/manifest/audit.h"

/* A file from outside, as the first stage that read it says. */
struct outside {
    const struct manifest_row *row;
    const char *stage;
    size_t n_stages;
    bool differs; /* two stages read different bytes */
};

struct outside_list {
    struct outside *item; /* owned */
    size_t n, room;
    struct map at;
};

/* An input that lies in the results is the business of audit_stages. */
static bool is_outside(const struct chain *c, const struct manifest_row *r)
{
    const char *last = strrchr(r->name, '/');
    return r->kind == MANIFEST_INPUT && chain_file_of(c, r->name) == CHAIN_NONE &&
           strcmp(last ? last + 1 : r->name, MANIFEST_NAME) != 0;
}

static enum rc add_outside(struct outside_list *l, const struct manifest_row *r, const char *stage,
                           struct err *e)
{
    uint64_t old;
    if (map_add(&l->at, r->name, l->n, &old, e))
        return e->rc;
    if (old != MAP_NONE) {
        struct outside *o = &l->item[old];
        o->n_stages++;
        o->differs |= strcmp(o->row->sha256, r->sha256) != 0 || o->row->bytes != r->bytes;
        return RC_OK;
    }
    if (l->n == l->room) {
        size_t room = l->room ? 2 * l->room : 64;
        struct outside *more = realloc(l->item, room * sizeof *more);
        if (!more)
            return err_set(e, RC_FAIL, "no memory for %zu inputs", room);
        l->item = more;
        l->room = room;
    }
    l->item[l->n++] = (struct outside){ r, stage, 1, false };
    return RC_OK;
}

static enum rc check_source(struct audit *a, const struct outside *o, const char *source,
                            struct err *e)
{
    char sum[SHA256_HEX];
    uint64_t bytes = 0;
    const char *name = o->row->name;
    if (o->differs)
        return audit_add(a, AUDIT_FAILS, "sources", name, e,
                         "stages read different bytes under this name");
    char *path = source ? text_new("%s/%s", source, name) : NULL;
    if (source && !path)
        return err_set(e, RC_FAIL, "no memory for a path");
    enum rc rc;
    struct err why = { 0 };
    if (!source)
        rc =
            audit_add(a, AUDIT_OPEN, "sources", name, e, "read by %zu stage%s; no checkout at hand",
                      o->n_stages, o->n_stages == 1 ? "" : "s");
    else if (!file_exists(path) || sha256_file(path, sum, &bytes, &why))
        rc = audit_add(a, AUDIT_FAILS, "sources", name, e, "missing in the checkout; '%s' read it",
                       o->stage);
    else if (bytes != o->row->bytes || strcmp(sum, o->row->sha256) != 0)
        rc = audit_add(a, AUDIT_FAILS, "sources", name, e,
                       "stale: '%s' read SHA-256 %.12s..., the checkout has %.12s...", o->stage,
                       o->row->sha256, sum);
    else
        rc = audit_add(a, AUDIT_HOLDS, "sources", name, e, "as %zu stage%s read it", o->n_stages,
                       o->n_stages == 1 ? "" : "s");
    free(path);
    return rc;
}

/* --- raw inputs ------------------------------------------------------------------------------ */

struct raw {
    const char *path, *bytes, *sha256, *status;
    char found[SHA256_HEX]; /* of the cached file; empty where none is at hand */
};

struct raw_job {
    struct raw *raw;
    const char *cache;
};

static void hash_raw(void *ctx, size_t i, int worker)
{
    (void)worker;
    struct raw_job *j = ctx;
    struct raw *r = &j->raw[i];
    char *path = text_new("%s/view/%s", j->cache, r->path);
    struct err why = { 0 };
    if (!path || !file_exists(path) || sha256_file(path, r->found, NULL, &why))
        r->found[0] = '\0';
    free(path);
}

/* A name that leads out of the cache is not looked for. */
static bool leads_out(const char *path)
{
    return *path == '/' || strcmp(path, "..") == 0 || strncmp(path, "../", 3) == 0 ||
           strstr(path, "/../") != NULL;
}

static enum rc check_raw(struct audit *a, const struct raw *r, const struct map *outputs,
                         const struct chain *c, const struct inputs *stated, struct err *e)
{
    if (strcmp(r->status, "have") != 0)
        return audit_add(a, AUDIT_OPEN, "raw", r->path, e, "was left out: no source had it");
    for (size_t i = 0; i < stated->n; i++)
        if (strcmp(stated->item[i].path, r->path) == 0) {
            if (strcmp(stated->item[i].sha256, r->sha256) != 0)
                return audit_add(a, AUDIT_FAILS, "raw", r->path, e,
                                 "SHA-256 %.12s..., the checkout's list says %.12s...", r->sha256,
                                 stated->item[i].sha256);
            break;
        }
    uint64_t at = map_get(outputs, r->sha256);
    if (r->found[0])
        return strcmp(r->found, r->sha256) == 0
                   ? audit_add(a, AUDIT_HOLDS, "raw", r->path, e, "%s bytes, in the cache",
                               r->bytes)
                   : audit_add(a, AUDIT_FAILS, "raw", r->path, e,
                               "changed: SHA-256 %.12s..., was %.12s...", r->found, r->sha256);
    if (at != MAP_NONE)
        return audit_add(a, AUDIT_HOLDS, "raw", r->path, e, "%s bytes, lies in '%s'", r->bytes,
                         c->file[at].path);
    return audit_add(a, AUDIT_OPEN, "raw", r->path, e, "not at hand: SHA-256 %.12s...", r->sha256);
}

/* The lists of inputs that the stage fetch read, as they lie in the checkout or in the results. */
static enum rc read_stated(struct inputs *in, const struct chain *c, const char *source,
                           struct err *e)
{
    size_t s = chain_stage_of(c, "fetch");
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && s != CHAIN_NONE && i < c->stage[s].m.n; i++) {
        const struct manifest_row *r = &c->stage[s].m.row[i];
        size_t n = strlen(r->name);
        bool list = strncmp(r->name, "manifests/inputs/", 17) == 0 ||
                    (n >= 10 && strcmp(r->name + n - 10, "inputs.tsv") == 0);
        if (r->kind != MANIFEST_INPUT || !list)
            continue;
        bool here = chain_file_of(c, r->name) != CHAIN_NONE;
        char *path = here     ? text_new("%s/%s", c->root, r->name)
                     : source ? text_new("%s/%s", source, r->name)
                              : NULL;
        struct err why = { 0 };
        if (path && file_exists(path) && inputs_read(in, path, &why))
            rc = why.rc == RC_FAIL ? err_set(e, RC_FAIL, "%s", why.text)
                                   : RC_OK; /* said by the checks of its sum */
        free(path);
    }
    struct err why = { 0 };
    if (!rc && inputs_finish(in, &why)) {
        inputs_release(in);
        inputs_init(in);
    }
    return rc;
}

static enum rc raw_rows(struct audit *a, const struct chain *c, const struct table *t,
                        const struct audit_places *p, const struct map *outputs,
                        const struct inputs *stated, struct err *e)
{
    struct raw *raw = calloc(t->n_rows + 1, sizeof *raw);
    enum rc rc = raw ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu inputs", t->n_rows);
    const char *const name[] = { "path", "bytes", "sha256", "status" };
    for (size_t i = 0; !rc && i < t->n_rows; i++) {
        const char *v[4];
        for (int k = 0; k < 4; k++) {
            const char *s = table_find(t, name[k])->text[i];
            v[k] = s ? s : "";
        }
        raw[i] = (struct raw){ .path = v[0], .bytes = v[1], .sha256 = v[2], .status = v[3] };
    }
    struct raw_job j = { raw, p->cache };
    if (!rc && p->cache) {
        bool safe = true;
        for (size_t i = 0; i < t->n_rows; i++)
            safe &= !leads_out(raw[i].path);
        if (safe)
            threads_for(t->n_rows, hash_raw, &j);
    }
    for (size_t i = 0; !rc && i < t->n_rows; i++)
        rc = check_raw(a, &raw[i], outputs, c, stated, e);
    free(raw);
    return rc;
}

static enum rc audit_raw(struct audit *a, const struct chain *c, const struct audit_places *p,
                         struct err *e)
{
    if (chain_file_of(c, "fetch/inputs.tsv") == CHAIN_NONE)
        return audit_add(a, AUDIT_OPEN, "raw", "fetch/inputs.tsv", e,
                         "no list of inputs: the stage fetch has not run");
    char *path = text_new("%s/fetch/inputs.tsv", c->root);
    struct table t;
    struct map outputs;
    struct inputs stated;
    struct err why = { 0 };
    enum rc rc = path ? RC_OK : err_set(e, RC_FAIL, "no memory for a path");
    table_init(&t, 0);
    map_init(&outputs);
    inputs_init(&stated);
    if (!rc && tsv_read_need(path, "path,bytes,sha256,status", &t, &why))
        rc = why.rc == RC_FAIL ? err_set(e, RC_FAIL, "%s", why.text)
                               : audit_add(a, AUDIT_FAILS, "raw", "fetch/inputs.tsv", e,
                                           "cannot be read as a list of inputs");
    for (size_t i = 0; !rc && i < c->n_files; i++)
        if (c->file[i].what == CHAIN_FILE && c->file[i].sha256[0])
            rc = map_add(&outputs, c->file[i].sha256, i, NULL, e);
    if (!rc)
        rc = read_stated(&stated, c, p->source, e);
    if (!rc && t.n_rows)
        rc = raw_rows(a, c, &t, p, &outputs, &stated, e);
    inputs_release(&stated);
    map_release(&outputs);
    table_release(&t);
    free(path);
    return rc;
}

enum rc audit_sources(struct audit *a, const struct chain *c, const struct audit_places *p,
                      struct err *e)
{
    struct outside_list l = { 0 };
    map_init(&l.at);
    enum rc rc = RC_OK;
    for (size_t s = 0; !rc && s < c->n_stages; s++)
        for (size_t i = 0; !rc && i < c->stage[s].m.n; i++)
            if (is_outside(c, &c->stage[s].m.row[i]))
                rc = add_outside(&l, &c->stage[s].m.row[i], c->stage[s].name, e);
    for (size_t i = 0; !rc && i < l.n; i++)
        rc = check_source(a, &l.item[i], p->source, e);
    map_release(&l.at);
    free(l.item);
    return rc ? rc : audit_raw(a, c, p, e);
}
