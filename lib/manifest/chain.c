#define _XOPEN_SOURCE 700 /* lstat */
#include "lib/manifest/chain.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/file.h"
#include "lib/base/thread.h"
#include "lib/base/utf8.h"

/* A chain of folders deeper than this is a loop or a mistake. */
enum { MAX_DEPTH = 64 };

void chain_release(struct chain *c)
{
    for (size_t i = 0; i < c->n_stages; i++) {
        manifest_release(&c->stage[i].m);
        free(c->stage[i].broken);
    }
    free(c->stage);
    free(c->file);
    map_release(&c->stage_at);
    map_release(&c->file_at);
    arena_release(&c->text);
    *c = (struct chain){ 0 };
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static enum chain_what kind_of(const char *path, const struct stat *st)
{
    const char *last = last_part(path);
    if (!S_ISREG(st->st_mode))
        return CHAIN_ODD;
    if (strcmp(last, MANIFEST_NAME) == 0)
        return CHAIN_MANIFEST;
    if (strcmp(last, "params") == 0)
        return CHAIN_PARAMS;
    if (fnmatch("*.log", last, 0) == 0)
        return CHAIN_LOG;
    return fnmatch("*.part", last, 0) == 0 ? CHAIN_PART : CHAIN_FILE;
}

static enum rc add_file(struct chain *c, const char *path, const struct stat *st, struct err *e)
{
    if (c->n_files == c->files_room) {
        size_t room = c->files_room ? 2 * c->files_room : 256;
        struct chain_file *more = realloc(c->file, room * sizeof *more);
        if (!more)
            return err_set(e, RC_FAIL, "no memory for the files of '%s'", c->root);
        c->file = more;
        c->files_room = room;
    }
    struct chain_file *f = &c->file[c->n_files];
    *f = (struct chain_file){ .stage = CHAIN_NONE, .what = kind_of(path, st) };
    f->bytes = st->st_size > 0 ? (uint64_t)st->st_size : 0;
    f->path = arena_text(&c->text, path);
    if (!f->path)
        return err_set(e, RC_FAIL, "no memory for the files of '%s'", c->root);
    c->n_files++;
    return RC_OK;
}

static enum rc walk(struct chain *c, const char *below, int depth, struct err *e);

static enum rc visit(struct chain *c, const char *name, int depth, struct err *e)
{
    char *path = text_new("%s/%s", c->root, name);
    struct stat st;
    enum rc rc = RC_OK;
    if (!path)
        rc = err_set(e, RC_FAIL, "no memory for a path");
    else if (lstat(path, &st) != 0)
        rc = err_set(e, RC_FAIL, "cannot look at '%s': %s", path, strerror(errno));
    else if (S_ISDIR(st.st_mode))
        rc = walk(c, name, depth + 1, e);
    else
        rc = add_file(c, name, &st, e);
    free(path);
    return rc;
}

static enum rc walk(struct chain *c, const char *below, int depth, struct err *e)
{
    char *path = *below ? text_new("%s/%s", c->root, below) : text_new("%s", c->root);
    if (!path)
        return err_set(e, RC_FAIL, "no memory for a path");
    DIR *d = depth < MAX_DEPTH ? opendir(path) : NULL;
    enum rc rc = RC_OK;
    if (!d)
        rc = depth < MAX_DEPTH
                 ? err_set(e, RC_INPUT, "cannot read folder '%s': %s", path, strerror(errno))
                 : err_set(e, RC_INPUT, "'%s': folders are nested too deep", path);
    for (struct dirent *t; !rc && (errno = 0, t = readdir(d));) {
        if (strcmp(t->d_name, ".") == 0 || strcmp(t->d_name, "..") == 0)
            continue;
        char *name = *below ? text_new("%s/%s", below, t->d_name) : text_new("%s", t->d_name);
        rc = name ? visit(c, name, depth, e) : err_set(e, RC_FAIL, "no memory for a path");
        free(name);
    }
    if (!rc && errno)
        rc = err_set(e, RC_FAIL, "cannot read folder '%s': %s", path, strerror(errno));
    if (d)
        closedir(d);
    free(path);
    return rc;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct chain_file *)a)->path, ((const struct chain_file *)b)->path);
}

/* The folder that a path lies in: "." for a bare name. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? text_new("%.*s", (int)(slash - path), path) : text_new(".");
}

static enum rc add_stage(struct chain *c, const char *path, struct err *e)
{
    if (c->n_stages == c->stages_room) {
        size_t room = c->stages_room ? 2 * c->stages_room : 64;
        struct chain_stage *more = realloc(c->stage, room * sizeof *more);
        if (!more)
            return err_set(e, RC_FAIL, "no memory for %zu stages", room);
        c->stage = more;
        c->stages_room = room;
    }
    struct chain_stage *s = &c->stage[c->n_stages];
    *s = (struct chain_stage){ 0 };
    char *name = folder_of(path), *full = text_new("%s/%s", c->root, path);
    s->name = name ? arena_text(&c->text, name) : NULL;
    struct err why = { 0 };
    enum rc rc = RC_OK;
    if (!s->name || !full) {
        rc = err_set(e, RC_FAIL, "no memory for %zu stages", c->n_stages);
    } else if (manifest_read(&s->m, full, &why)) {
        /* Without the path in front: it would differ between machines. */
        const char *at = strstr(why.text, full);
        s->broken = text_new("%s", at ? at + strlen(full) + 1 : why.text);
        if (!s->broken || why.rc == RC_FAIL)
            rc = err_set(e, RC_FAIL, "%s", why.text);
    }
    if (rc) {
        manifest_release(&s->m);
        free(s->broken);
    } else {
        rc = map_add(&c->stage_at, s->name, c->n_stages++, NULL, e);
    }
    free(name);
    free(full);
    return rc;
}

/* The nearest folder above the path that is a stage. */
static size_t owner(const struct chain *c, const char *path)
{
    for (size_t n = strlen(path); n > 0;) {
        while (n > 0 && path[n - 1] != '/')
            n--;
        if (n == 0)
            break;
        n--; /* the slash */
        uint64_t at = map_get_n(&c->stage_at, path, n);
        if (at != MAP_NONE)
            return (size_t)at;
    }
    return chain_stage_of(c, ".");
}

/* A name as its stage's manifest has it. */
static const char *inside(const struct chain_stage *s, const char *path)
{
    return strcmp(s->name, ".") == 0 ? path : path + strlen(s->name) + 1;
}

static bool excluded(const struct chain_stage *s, const char *name)
{
    for (size_t i = 0; i < s->m.n; i++)
        if (s->m.row[i].kind == MANIFEST_EXCLUDE &&
            (fnmatch(s->m.row[i].name, name, 0) == 0 ||
             fnmatch(s->m.row[i].name, last_part(name), 0) == 0))
            return true;
    return false;
}

static enum rc index_all(struct chain *c, struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < c->n_files; i++)
        if (c->file[i].what == CHAIN_MANIFEST)
            rc = add_stage(c, c->file[i].path, e);
    for (size_t i = 0; !rc && i < c->n_files; i++) {
        struct chain_file *f = &c->file[i];
        rc = map_add(&c->file_at, f->path, i, NULL, e);
        f->stage = owner(c, f->path);
        if (f->what == CHAIN_FILE && f->stage != CHAIN_NONE &&
            excluded(&c->stage[f->stage], inside(&c->stage[f->stage], f->path)))
            f->what = CHAIN_EXCLUDED;
    }
    return rc;
}

enum rc chain_read(struct chain *c, const char *root, struct err *e)
{
    *c = (struct chain){ .root = root };
    arena_init(&c->text, 1 << 16);
    map_init(&c->stage_at);
    map_init(&c->file_at);
    enum rc rc = folder_exists(root) ? RC_OK : err_set(e, RC_INPUT, "no folder '%s'", root);
    if (!rc)
        rc = walk(c, "", 0, e);
    if (!rc && c->n_files)
        qsort(c->file, c->n_files, sizeof *c->file, by_path);
    if (!rc)
        rc = index_all(c, e);
    if (!rc && !c->n_stages)
        rc = err_set(e, RC_INPUT, "no " MANIFEST_NAME " below '%s'", root);
    if (rc)
        chain_release(c);
    return rc;
}

enum rc chain_keep(struct chain *c, bool (*keep)(const void *ctx, const char *stage),
                   const void *ctx, struct err *e)
{
    enum rc rc = RC_OK;
    size_t n = 0;
    map_release(&c->stage_at);
    map_init(&c->stage_at);
    for (size_t i = 0; i < c->n_stages; i++) {
        if (!rc && keep(ctx, c->stage[i].name)) {
            rc = map_add(&c->stage_at, c->stage[i].name, n, NULL, e);
            c->stage[n++] = c->stage[i];
        } else {
            manifest_release(&c->stage[i].m);
            free(c->stage[i].broken);
        }
    }
    c->n_stages = n;
    for (size_t i = 0; i < c->n_files; i++)
        c->file[i].stage = owner(c, c->file[i].path);
    return rc;
}

enum rc chain_utf8(const struct chain *c, struct err *e)
{
    for (size_t i = 0; i < c->n_stages; i++) {
        const struct chain_stage *s = &c->stage[i];
        if (utf8_need(s->name, e))
            return err_wrap(e, "the name of a stage");
        for (size_t k = 0; k < s->m.n; k++)
            if (utf8_need(s->m.row[k].name, e)) /* rows are as in the file, behind its header */
                return err_wrap(e, "stage '%s': " MANIFEST_NAME ": line %zu", s->name, k + 2);
    }
    return RC_OK;
}

/* --- sums ----------------------------------------------------------------------------------- */

struct order {
    uint64_t bytes;
    size_t file;
};

struct hash_job {
    struct chain *c;
    struct order *order;
    struct err *err; /* one per file */
};

static int large_first(const void *a, const void *b)
{
    const struct order *x = a, *y = b;
    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    return (x->file > y->file) - (x->file < y->file);
}

static void hash_one(void *ctx, size_t i, int worker)
{
    (void)worker;
    struct hash_job *j = ctx;
    struct chain_file *f = &j->c->file[j->order[i].file];
    char *path = text_new("%s/%s", j->c->root, f->path);
    if (!path)
        err_set(&j->err[i], RC_FAIL, "no memory for a path");
    else
        sha256_file(path, f->sha256, &f->bytes, &j->err[i]);
    free(path);
}

enum rc chain_hash(struct chain *c, struct err *e)
{
    struct hash_job j = { c, malloc((c->n_files + 1) * sizeof *j.order),
                          calloc(c->n_files + 1, sizeof *j.err) };
    enum rc rc = RC_OK;
    size_t n = 0;
    if (!j.order || !j.err)
        rc = err_set(e, RC_FAIL, "no memory to hash %zu files", c->n_files);
    for (size_t i = 0; !rc && i < c->n_files; i++)
        if (c->file[i].what <= CHAIN_PARAMS)
            j.order[n++] = (struct order){ c->file[i].bytes, i };
    if (!rc) {
        qsort(j.order, n, sizeof *j.order, large_first);
        threads_for(n, hash_one, &j);
    }
    for (size_t i = 0; i < n && !rc; i++)
        if (j.err[i].rc == RC_FAIL)
            rc = err_set(e, RC_FAIL, "%s", j.err[i].text);
        else if (j.err[i].rc) /* cannot be opened: its sum stays empty, which is no file's */
            c->file[j.order[i].file].sha256[0] = '\0';
    free(j.order);
    free(j.err);
    return rc;
}

/* --- names ---------------------------------------------------------------------------------- */

const char *const chain_copies[] = { "README.md", "ro-crate-metadata.json", NULL };

size_t chain_stage_of(const struct chain *c, const char *name)
{
    uint64_t at = map_get(&c->stage_at, name);
    return at == MAP_NONE ? CHAIN_NONE : (size_t)at;
}

size_t chain_file_of(const struct chain *c, const char *path)
{
    uint64_t at = map_get(&c->file_at, path);
    return at == MAP_NONE ? CHAIN_NONE : (size_t)at;
}

size_t chain_read_stage(const struct chain *c, const char *input)
{
    if (strcmp(last_part(input), MANIFEST_NAME) != 0)
        return CHAIN_NONE;
    size_t at = chain_file_of(c, input);
    return at == CHAIN_NONE ? CHAIN_NONE : c->file[at].stage;
}

const struct manifest_row *chain_output(const struct chain *c, const char *path, size_t *stage)
{
    size_t s = owner(c, path);
    if (stage)
        *stage = s;
    return s == CHAIN_NONE
               ? NULL
               : manifest_find(&c->stage[s].m, MANIFEST_OUTPUT, inside(&c->stage[s], path));
}

const char *chain_model(const struct chain *c)
{
    static const char head[] = "step-", tail[] = "/model.safetensors";
    static char name[64];
    unsigned long best = 0;
    size_t at = chain_stage_of(c, "pretrain");
    name[0] = '\0';
    for (size_t i = 0; at != CHAIN_NONE && i < c->stage[at].m.n; i++) {
        const struct manifest_row *r = &c->stage[at].m.row[i];
        char *end;
        if (r->kind != MANIFEST_OUTPUT || strncmp(r->name, head, sizeof head - 1) != 0)
            continue;
        unsigned long step = strtoul(r->name + sizeof head - 1, &end, 10);
        if (strcmp(end, tail) == 0 && (!name[0] || step > best)) {
            best = step;
            snprintf(name, sizeof name, "pretrain/step-%lu", step);
        }
    }
    return name[0] ? name : NULL;
}
