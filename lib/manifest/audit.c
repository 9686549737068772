#include "lib/manifest/audit.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"

void audit_init(struct audit *a)
{
    *a = (struct audit){ 0 };
    arena_init(&a->text, 1 << 16);
}

void audit_release(struct audit *a)
{
    free(a->item);
    arena_release(&a->text);
    *a = (struct audit){ 0 };
}

const char *audit_word(enum audit_verdict v)
{
    static const char *const word[] = { "holds", "fails", "open" };
    return word[v];
}

enum rc audit_add(struct audit *a, enum audit_verdict v, const char *check, const char *subject,
                  struct err *e, const char *fmt, ...)
{
    char text[1024];
    va_list list;
    va_start(list, fmt);
    vsnprintf(text, sizeof text, fmt, list);
    va_end(list);
    if (a->n == a->room) {
        size_t room = a->room ? 2 * a->room : 256;
        struct audit_finding *more = realloc(a->item, room * sizeof *more);
        if (!more)
            return err_set(e, RC_FAIL, "no memory for %zu verdicts", room);
        a->item = more;
        a->room = room;
    }
    struct audit_finding *f = &a->item[a->n];
    *f = (struct audit_finding){ check, arena_text(&a->text, subject), v,
                                 arena_text(&a->text, text) };
    if (!f->subject || !f->text)
        return err_set(e, RC_FAIL, "no memory for %zu verdicts", a->n);
    a->n++;
    a->n_fails += v == AUDIT_FAILS;
    a->n_open += v == AUDIT_OPEN;
    return RC_OK;
}

/* Adds a failure to the audit and counts it in *n. */
#define FAILS(check, subject, ...) (++*n, audit_add(a, AUDIT_FAILS, check, subject, e, __VA_ARGS__))

/* The name of a stage's file below the root; the caller frees. */
static char *below(const struct chain_stage *s, const char *name)
{
    return strcmp(s->name, ".") == 0 ? text_new("%s", name) : text_new("%s/%s", s->name, name);
}

/* --- one stage ------------------------------------------------------------------------------ */

static enum rc check_manifest(struct audit *a, const struct chain *c, size_t at,
                              const char *version, struct err *e)
{
    const struct chain_stage *s = &c->stage[at];
    size_t count = 0, *n = &count;
    enum rc rc = RC_OK;
    char *path = below(s, MANIFEST_NAME);
    if (!path)
        return err_set(e, RC_FAIL, "no memory for a path");
    if (s->broken) {
        rc = FAILS("manifest", path, "cannot be read: %s", s->broken);
        free(path);
        return rc;
    }
    const char *name = manifest_find(&s->m, MANIFEST_STAGE, NULL)->name;
    const struct manifest_row *v = manifest_find(&s->m, MANIFEST_VERSION, NULL);
    if (strcmp(name, s->name) != 0)
        rc = FAILS("manifest", path, "says that its stage is '%s'", name);
    if (!rc && !v)
        rc = FAILS("manifest", path, "names no version");
    if (!rc && v && version && strcmp(v->name, version) != 0)
        rc = FAILS("manifest", path, "version '%s', where most stages have '%s'", v->name, version);
    for (size_t i = 1; !rc && i < s->m.n; i++) {
        const struct manifest_row *r = &s->m.row[i], *before = r - 1;
        if (r->kind < before->kind || (r->kind == before->kind && r->kind != MANIFEST_PARAM &&
                                       strcmp(before->name, r->name) >= 0))
            rc = FAILS("manifest", path, "row '%s' is out of order or stands twice", r->name);
    }
    if (!rc && !count)
        rc =
            audit_add(a, AUDIT_HOLDS, "manifest", path, e, "%zu rows, version %s", s->m.n, v->name);
    free(path);
    return rc;
}

static enum rc check_output(struct audit *a, const struct chain *c, const struct manifest_row *r,
                            const char *path, size_t *n, struct err *e)
{
    size_t f = chain_file_of(c, path);
    const struct chain_file *is = f == CHAIN_NONE ? NULL : &c->file[f];
    if (!is || is->what == CHAIN_ODD)
        return FAILS("outputs", path, "missing");
    if (!is->sha256[0])
        return FAILS("outputs", path, "cannot be read");
    if (is->bytes != r->bytes)
        return FAILS("outputs", path, "changed: %ju bytes, the manifest says %ju",
                     (uintmax_t)is->bytes, (uintmax_t)r->bytes);
    if (strcmp(is->sha256, r->sha256) != 0)
        return FAILS("outputs", path, "changed: SHA-256 %.12s..., the manifest says %.12s...",
                     is->sha256, r->sha256);
    return RC_OK;
}

static enum rc check_outputs(struct audit *a, const struct chain *c, size_t at, struct err *e)
{
    const struct chain_stage *s = &c->stage[at];
    size_t count = 0, *n = &count, n_files = 0;
    uint64_t bytes = 0;
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < s->m.n; i++) {
        const struct manifest_row *r = &s->m.row[i];
        if (r->kind != MANIFEST_OUTPUT)
            continue;
        char *path = below(s, r->name);
        rc = path ? check_output(a, c, r, path, n, e) : err_set(e, RC_FAIL, "no memory");
        free(path);
        n_files++;
        bytes += r->bytes;
    }
    if (!rc && !count)
        rc = audit_add(a, AUDIT_HOLDS, "outputs", s->name, e, "%zu file%s, %ju bytes", n_files,
                       n_files == 1 ? "" : "s", (uintmax_t)bytes);
    return rc;
}

static enum rc check_inputs(struct audit *a, const struct chain *c, size_t at, struct err *e)
{
    const struct chain_stage *s = &c->stage[at];
    size_t count = 0, *n = &count, n_stages = 0, n_known = 0;
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < s->m.n; i++) {
        const struct manifest_row *r = &s->m.row[i];
        n_known += r->kind == MANIFEST_INPUT || r->kind == MANIFEST_PARAM;
        if (r->kind != MANIFEST_INPUT)
            continue;
        size_t f = chain_file_of(c, r->name);
        const char *last = strrchr(r->name, '/');
        bool of_stage = strcmp(last ? last + 1 : r->name, MANIFEST_NAME) == 0;
        n_stages += of_stage;
        if (f == CHAIN_NONE && of_stage)
            rc = FAILS("inputs", s->name, "read '%s', which is missing", r->name);
        else if (f != CHAIN_NONE &&
                 (c->file[f].bytes != r->bytes || strcmp(c->file[f].sha256, r->sha256) != 0))
            rc = FAILS("inputs", s->name,
                       "stale: read '%s' when it was another (SHA-256 %.12s..., now %.12s...)",
                       r->name, r->sha256, c->file[f].sha256);
    }
    if (!rc && !n_known && manifest_find(&s->m, MANIFEST_OUTPUT, NULL))
        rc = FAILS("inputs", s->name,
                   "its outputs come from nowhere: it names no input and no parameter");
    if (!rc && !count)
        rc = audit_add(a, AUDIT_HOLDS, "inputs", s->name, e,
                       n_stages ? "what it read of %zu stage%s is what is there"
                                : "reads no other stage",
                       n_stages, n_stages == 1 ? "" : "s");
    return rc;
}

/* Where the parameters of a stage lie: in its folder, or in that above it for all stages there (the
 * models of a figure). The caller frees; NULL: no memory. */
static char *params_of(const struct chain *c, const struct chain_stage *s)
{
    char *own = below(s, "params");
    const char *slash = strrchr(s->name, '/');
    if (!own || !slash || !manifest_find(&s->m, MANIFEST_PARAM, NULL) ||
        chain_file_of(c, own) != CHAIN_NONE)
        return own;
    char *above = text_new("%.*s/params", (int)(slash - s->name), s->name);
    if (!above || chain_file_of(c, above) != CHAIN_NONE) {
        free(own);
        return above;
    }
    free(above);
    return own;
}

/* Whether a stage without parameters of its own has those in path. */
static bool params_of_some(const struct chain *c, const char *path)
{
    bool some = false;
    for (size_t i = 0; i < c->n_stages && !some; i++) {
        char *of = params_of(c, &c->stage[i]);
        some = of && strcmp(of, path) == 0;
        free(of);
    }
    return some;
}

/* The lines of the file are the parameter rows, in order; rows given one by one (`--param`) may
 * stand before them. */
static enum rc check_params(struct audit *a, const struct chain *c, size_t at, struct err *e)
{
    const struct chain_stage *s = &c->stage[at];
    size_t count = 0, *n = &count, row = 0, n_rows = 0, n_lines = 0;
    char *path = params_of(c, s), *full = path ? text_new("%s/%s", c->root, path) : NULL;
    char *text = NULL;
    enum rc rc = full ? RC_OK : err_set(e, RC_FAIL, "no memory for a path");
    for (size_t i = 0; i < s->m.n; i++)
        n_rows += s->m.row[i].kind == MANIFEST_PARAM;
    if (!rc && chain_file_of(c, path) == CHAIN_NONE) {
        rc = n_rows ? FAILS("parameters", path, "missing: the manifest has %zu", n_rows) : RC_OK;
    } else if (!rc) {
        size_t size;
        rc = file_read(full, (size_t)1 << 24, &text, &size, e);
    }
    char *rest = text, *line;
    for (char *l = text; l && *l; l++)
        n_lines += *l != '\n' && *l != '\r' && (l == text || l[-1] == '\n' || l[-1] == '\r');
    while (row < s->m.n && s->m.row[row].kind != MANIFEST_PARAM)
        row++;
    row += n_rows > n_lines ? n_rows - n_lines : 0;
    while (!rc && text && (line = strtok_r(rest, "\r\n", &rest))) {
        bool there = row < s->m.n && s->m.row[row].kind == MANIFEST_PARAM;
        if (!there || strcmp(line, s->m.row[row].name) != 0) {
            rc = FAILS("parameters", path, "changed: '%.200s', the manifest says '%.200s'", line,
                       there ? s->m.row[row].name : "");
            break;
        }
        row++;
    }
    if (!rc && text && !count)
        rc = audit_add(a, AUDIT_HOLDS, "parameters", path, e, "as in the manifest");
    free(text);
    free(full);
    free(path);
    return rc;
}

/* --- all stages ------------------------------------------------------------------------------ */

/* The version that most stages have. */
static const char *common_version(const struct chain *c)
{
    const char *best = NULL;
    size_t most = 0;
    for (size_t i = 0; i < c->n_stages; i++) {
        const struct manifest_row *v = manifest_find(&c->stage[i].m, MANIFEST_VERSION, NULL);
        size_t n = 0;
        for (size_t k = 0; v && k < c->n_stages; k++) {
            const struct manifest_row *w = manifest_find(&c->stage[k].m, MANIFEST_VERSION, NULL);
            n += w && strcmp(v->name, w->name) == 0;
        }
        if (n > most) {
            most = n;
            best = v->name;
        }
    }
    return best;
}

/* The file that a file of the root must be a copy of; CHAIN_NONE: none. */
static size_t copied_from(const struct chain *c, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "crate/%s", name);
    return chain_file_of(c, path);
}

/* RO-Crate wants its file in the folder that it describes, and so with README.md: the root has a
 * copy of what the stage crate wrote, the same bytes, and there where the stage is. */
static enum rc check_copies(struct audit *a, const struct chain *c, size_t *n, struct err *e)
{
    enum rc rc = RC_OK;
    for (const char *const *name = chain_copies; !rc && *name; name++) {
        const size_t at = chain_file_of(c, *name), of = copied_from(c, *name);
        if (of == CHAIN_NONE)
            continue; /* a copy of nothing is told as any file outside of a stage */
        if (at == CHAIN_NONE)
            rc = FAILS("strays", *name, "missing: the copy of crate/%s", *name);
        else if (strcmp(c->file[at].sha256, c->file[of].sha256) != 0)
            rc = FAILS("strays", *name, "changed: is no copy of crate/%s", *name);
    }
    return rc;
}

static bool is_copy(const struct chain *c, const char *path)
{
    for (const char *const *name = chain_copies; *name; name++)
        if (strcmp(*name, path) == 0)
            return copied_from(c, path) != CHAIN_NONE;
    return false;
}

static enum rc check_strays(struct audit *a, const struct chain *c, struct err *e)
{
    size_t count = 0, *n = &count, n_logs = 0;
    enum rc rc = check_copies(a, c, n, e);
    for (size_t i = 0; !rc && i < c->n_files; i++) {
        const struct chain_file *f = &c->file[i];
        if (f->stage == CHAIN_NONE && f->what == CHAIN_PARAMS && params_of_some(c, f->path))
            continue;
        if (f->stage == CHAIN_NONE && f->what == CHAIN_FILE && is_copy(c, f->path))
            continue;
        if (f->stage == CHAIN_NONE)
            rc = FAILS("strays", f->path, "lies in no stage");
        else if (f->what == CHAIN_ODD)
            rc = FAILS("strays", f->path, "is no plain file");
        else if (f->what == CHAIN_PART)
            rc = FAILS("strays", f->path, "was left by something that broke off");
        else if (f->what == CHAIN_FILE && !c->stage[f->stage].broken &&
                 !chain_output(c, f->path, NULL))
            rc = FAILS("strays", f->path, "extra: is in no manifest");
        n_logs += f->what == CHAIN_LOG;
    }
    if (!rc && !count)
        rc = audit_add(a, AUDIT_HOLDS, "strays", ".", e,
                       "none among %zu files; of these %zu logs, which have no sums", c->n_files,
                       n_logs);
    return rc;
}

/* Depth first; state 1: under way, 2: done. A stage met under way closes a circle. */
static bool circle(const struct chain *c, size_t at, unsigned char *state, size_t *where)
{
    state[at] = 1;
    for (size_t i = 0; i < c->stage[at].m.n; i++) {
        const struct manifest_row *r = &c->stage[at].m.row[i];
        size_t to = r->kind == MANIFEST_INPUT ? chain_read_stage(c, r->name) : CHAIN_NONE;
        if (to == CHAIN_NONE || state[to] == 2)
            continue;
        if (state[to] == 1 || circle(c, to, state, where)) {
            *where = state[to] == 1 && *where == CHAIN_NONE ? to : *where;
            return true;
        }
    }
    state[at] = 2;
    return false;
}

static enum rc check_order(struct audit *a, const struct chain *c, struct err *e)
{
    unsigned char *state = calloc(c->n_stages + 1, 1);
    size_t count = 0, *n = &count;
    enum rc rc = state ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu stages", c->n_stages);
    for (size_t i = 0; !rc && i < c->n_stages && !count; i++) {
        size_t where = CHAIN_NONE;
        if (state[i] == 0 && circle(c, i, state, &where))
            rc = FAILS("order", c->stage[where].name, "reads what is made from it");
    }
    if (!rc && !count)
        rc = audit_add(a, AUDIT_HOLDS, "order", ".", e, "%zu stages, none reads what it makes",
                       c->n_stages);
    free(state);
    return rc;
}

enum rc audit_stages(struct audit *a, const struct chain *c, struct err *e)
{
    const char *version = common_version(c);
    enum rc rc = RC_OK;
    for (size_t i = 0; i < c->n_files; i++) {
        a->n_files += c->file[i].what <= CHAIN_PARAMS;
        a->n_bytes += c->file[i].what <= CHAIN_PARAMS ? c->file[i].bytes : 0;
    }
    for (size_t i = 0; !rc && i < c->n_stages; i++) {
        rc = check_manifest(a, c, i, version, e);
        if (rc || c->stage[i].broken)
            continue;
        rc = check_outputs(a, c, i, e);
        if (!rc)
            rc = check_inputs(a, c, i, e);
        if (!rc)
            rc = check_params(a, c, i, e);
    }
    if (!rc)
        rc = check_strays(a, c, e);
    return rc ? rc : check_order(a, c, e);
}

enum rc audit_chain(struct audit *a, const struct chain *c, const struct audit_places *p,
                    struct err *e)
{
    enum rc rc = audit_stages(a, c, e);
    return rc ? rc : audit_sources(a, c, p, e);
}
