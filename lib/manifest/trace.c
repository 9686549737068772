#define _XOPEN_SOURCE 700 /* realpath */
#include "lib/manifest/trace_parts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"

/* --- lines of the answer ---------------------------------------------------------------------- */

static void put_text(FILE *f, const char *s)
{
    for (; *s; s++)
        fputc(*s == '\t' || *s == '\n' || *s == '\r' ? ' ' : *s, f);
}

void trace_put(const struct trace *t, const char *kind, const char *name, const char *bytes,
               const char *sha256, const char *detail)
{
    const char *const field[] = { kind, name, bytes, sha256, detail };
    for (int i = 0; i < 5; i++) {
        if (i)
            fputc('\t', t->out);
        put_text(t->out, field[i] && *field[i] ? field[i] : "-");
    }
    fputc('\n', t->out);
}

void trace_put_row(const struct trace *t, const char *kind, const char *name,
                   const struct manifest_row *r, const char *detail)
{
    char bytes[32];
    snprintf(bytes, sizeof bytes, "%" PRIu64, r->bytes);
    trace_put(t, kind, name, bytes, r->sha256, detail);
}

/* --- which stages ------------------------------------------------------------------------------
 */

/* Marks what a stage read, directly or not. */
static void mark_back(const struct chain *c, size_t at, unsigned char *mark)
{
    if (mark[at])
        return;
    mark[at] = 1;
    for (size_t i = 0; i < c->stage[at].m.n; i++) {
        const struct manifest_row *r = &c->stage[at].m.row[i];
        size_t to = CHAIN_NONE;
        if (r->kind == MANIFEST_INPUT && (to = chain_read_stage(c, r->name)) == CHAIN_NONE)
            chain_output(c, r->name, &to); /* a single file of another stage */
        if (to != CHAIN_NONE)
            mark_back(c, to, mark);
    }
}

/* Marks what read a stage, directly or not. */
static void mark_on(const struct chain *c, size_t at, unsigned char *mark)
{
    mark[at] = 1;
    for (size_t s = 0; s < c->n_stages; s++) {
        const struct manifest *m = &c->stage[s].m;
        for (size_t i = 0; i < m->n && !mark[s]; i++)
            if (m->row[i].kind == MANIFEST_INPUT && chain_read_stage(c, m->row[i].name) == at)
                mark_on(c, s, mark);
    }
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void put_stage(const struct trace *t, size_t at, const char *kind)
{
    const struct chain_stage *s = &t->c->stage[at];
    char *path = text_new("%s/" MANIFEST_NAME, s->name), *full = NULL;
    char sum[SHA256_HEX] = "", params[512] = "", bytes[32] = "";
    uint64_t n = 0;
    size_t used = 0;
    for (size_t i = 0; i < s->m.n && used < sizeof params; i++)
        if (s->m.row[i].kind == MANIFEST_PARAM)
            used += (size_t)snprintf(params + used, sizeof params - used, "%s%s", used ? " " : "",
                                     s->m.row[i].name);
    full = path ? text_new("%s/%s", t->c->root, path) : NULL;
    if (full && sha256_file(full, sum, &n, NULL) == RC_OK)
        snprintf(bytes, sizeof bytes, "%" PRIu64, n);
    trace_put(t, kind, path ? path : s->name, bytes, sum, params);
    free(full);
    free(path);
}

/* Outputs of a stage whose name ends so. */
static void put_outputs(const struct trace *t, size_t at, const char *end, const char *kind)
{
    const struct chain_stage *s = &t->c->stage[at];
    size_t n = strlen(end);
    for (size_t i = 0; i < s->m.n; i++) {
        const struct manifest_row *r = &s->m.row[i];
        size_t len = strlen(r->name);
        if (r->kind != MANIFEST_OUTPUT || len < n || strcmp(r->name + len - n, end) != 0)
            continue;
        char *path = text_new("%s/%s", s->name, r->name);
        if (path)
            trace_put_row(t, kind, path, r, NULL);
        free(path);
    }
}

/* --- backwards ----------------------------------------------------------------------------------
 */

enum rc trace_root(const char *file, char **root, char **name, struct err *e)
{
    char *real = realpath(file, NULL);
    *root = *name = NULL;
    if (!real)
        return err_set(e, RC_INPUT, "no file '%s'", file);
    for (char *slash = strrchr(real, '/'); slash && slash != real && !*root;
         slash = strrchr(real, '/')) {
        struct manifest m;
        *slash = '\0';
        char *path = text_new("%s/" MANIFEST_NAME, real);
        if (path && file_exists(path) && manifest_read(&m, path, NULL) == RC_OK) {
            const char *stage = manifest_find(&m, MANIFEST_STAGE, NULL)->name;
            size_t n = strlen(real), k = strlen(stage);
            if (n > k + 1 && real[n - k - 1] == '/' && strcmp(real + n - k, stage) == 0)
                *root = text_new("%.*s", (int)(n - k - 1), real);
            manifest_release(&m);
        }
        free(path);
    }
    free(real);
    real = realpath(file, NULL);
    if (*root && real)
        *name = text_new("%s", real + strlen(*root) + 1);
    free(real);
    if (*root && *name)
        return RC_OK;
    free(*root);
    *root = NULL;
    return err_set(e, RC_INPUT, "'%s' lies in no stage: there is no " MANIFEST_NAME " above it",
                   file);
}

enum rc trace_the_row(const struct trace *t, const char *name, size_t line, char sample[256],
                      struct err *e)
{
    char *path = text_new("%s/%s", t->c->root, name), label[400];
    struct trace_line l = { .n = 0 };
    struct trace_cell cell;
    bool found = false;
    enum rc rc =
        path ? trace_line_read(&l, path, line, e) : err_set(e, RC_FAIL, "no memory for a path");
    free(path);
    if (rc)
        return rc;
    snprintf(label, sizeof label, "%.350s:%zu", name, line);
    char words[1024] = "";
    size_t used = 0;
    for (size_t i = 0; i < l.n && used < sizeof words; i++)
        used += (size_t)snprintf(words + used, sizeof words - used, "%s%s=%s", i ? " " : "",
                                 l.name[i], l.field[i]);
    trace_put(t, "row", label, NULL, NULL, words);
    const char *id = trace_field(&l, "cell_id"), *of = trace_field(&l, "sample");
    const char *set = trace_field(&l, "dataset"), *metric = trace_field(&l, "metric");
    if (id)
        rc = trace_find(t, id, NULL, NULL, &cell, &found, e);
    if (found)
        trace_tokens(t, &cell);
    snprintf(sample, 256, "%s", found ? cell.sample : of ? of : set ? set : "");
    char *import = text_new("import/%s", sample);
    if (!import || chain_stage_of(t->c, import) == CHAIN_NONE)
        sample[0] = '\0'; /* a data set of several samples: nothing is narrowed */
    free(import);
    const char *method = trace_field(&l, "method"), *seed = trace_field(&l, "seed");
    const char *split = trace_field(&l, "split");
    if (!rc && metric && set && method && seed && split) {
        const char *const want[] = { set, method, split, seed };
        char *table = text_new("%.*s/predictions.tsv", (int)(last_part(name) - name - 1), name);
        if (table && chain_output(t->c, table, NULL))
            rc = trace_lines(t, "prediction", table, want, 4, e);
        free(table);
    }
    trace_line_release(&l);
    return rc;
}

enum rc trace_stages(const struct trace *t, const size_t *from, size_t n_from, const char *sample,
                     struct err *e)
{
    unsigned char *mark = calloc(t->c->n_stages + 1, 1), *made = calloc(t->c->n_stages + 1, 1);
    if (!mark || !made) {
        free(mark);
        free(made);
        return err_set(e, RC_FAIL, "no memory for %zu stages", t->c->n_stages);
    }
    for (size_t i = 0; i < n_from; i++) {
        mark_back(t->c, from[i], mark);
        made[from[i]] = 1;
    }
    for (size_t s = 0; s < t->c->n_stages; s++)
        if (mark[s] && strcmp(t->c->stage[s].name, "pretrain") == 0)
            put_outputs(t, s, "model.safetensors", "weights");
    for (size_t s = 0; s < t->c->n_stages; s++)
        if (mark[s] && strcmp(t->c->stage[s].name, "tokenize") == 0)
            put_outputs(t, s, ".h5", "shard");
    for (size_t s = 0; s < t->c->n_stages; s++) {
        const char *of = trace_sample_of(t->c->stage[s].name);
        if (mark[s] && of && (!*sample || strcmp(of, sample) == 0))
            put_outputs(t, s, "cells.h5ad", "cells");
    }
    for (size_t s = 0; s < t->c->n_stages; s++) {
        const char *of = trace_sample_of(t->c->stage[s].name);
        if (mark[s] && (!of || !*sample || strcmp(of, sample) == 0))
            put_stage(t, s, made[s] ? "made-by" : "read");
    }
    enum rc rc = trace_sources(t, mark, *sample ? sample : NULL, e);
    free(made);
    free(mark);
    return rc;
}

/* --- backwards, from any file -------------------------------------------------------------------
 */

/* What stands behind a file, one of its lines, or a number by its name. *same false: as above. */
static enum rc put_behind(const struct trace *t, const char *name, size_t line, const char *number,
                          size_t stage, bool *same, struct err *e)
{
    const size_t n = strlen(name);
    char *path = text_new("%s/%s", t->c->root, name), sample[256];
    struct trace_number x = { 0 };
    enum rc rc = path ? RC_OK : err_set(e, RC_FAIL, "no memory for a path");
    const bool tex = n > 4 && strcmp(name + n - 4, ".tex") == 0;
    /* The sample of a stage like import/lung is the file's. */
    const char *of = trace_sample_of(t->c->stage[stage].name);
    snprintf(sample, sizeof sample, "%s", of ? of : "");
    if (!rc && number && !tex)
        rc = err_set(e, RC_USAGE, "names of numbers are looked for in a numbers.tex, not in '%s'",
                     name);
    else if (!rc && tex && (line || number))
        rc = trace_number_read(&x, path, line, number, e);
    else if (!rc && line)
        rc = trace_the_row(t, name, line, sample, e);
    if (!rc && x.text)
        rc = trace_number_put(t, name, &x, stage, same, e);
    else if (!rc)
        rc = trace_stages(t, &stage, 1, sample, e);
    trace_number_release(&x);
    free(path);
    return rc;
}

enum rc trace_back(const struct trace *t, const char *name, size_t line, const char *number,
                   struct err *e)
{
    size_t at = CHAIN_NONE;
    char sum[SHA256_HEX];
    uint64_t bytes = 0;
    const struct manifest_row *row = chain_output(t->c, name, &at);
    if (!row)
        return err_set(e, RC_INPUT, "'%s' is no output of a stage", name);
    char *path = text_new("%s/%s", t->c->root, name);
    enum rc rc =
        path ? sha256_file(path, sum, &bytes, e) : err_set(e, RC_FAIL, "no memory for a path");
    free(path);
    if (rc)
        return rc;
    bool same = bytes == row->bytes && strcmp(sum, row->sha256) == 0, places = true;
    trace_put(t, "kind", "name", "bytes", "sha256", "detail");
    trace_put_row(t, "file", name, row,
                  same ? "as in its manifest" : "is NOT what its manifest says");
    rc = put_behind(t, name, line, number, at, &places, e);
    if (!rc && !same)
        rc = err_set(e, RC_CHECK, "'%s' is not what its manifest says", name);
    if (!rc && !places)
        rc = err_set(e, RC_CHECK, "a place of the number is not what its manifest says");
    return rc;
}

/* --- forwards -----------------------------------------------------------------------------------
 */

enum rc trace_from(const struct trace *t, const char *cell, struct err *e)
{
    const char *slash = strrchr(cell, '/');
    char *sample = slash ? text_new("%.*s", (int)(slash - cell), cell) : NULL;
    struct trace_cell r;
    bool found = false;
    enum rc rc = slash && !sample ? err_set(e, RC_FAIL, "no memory for a name") : RC_OK;
    if (!rc)
        rc = trace_find(t, slash ? NULL : cell, sample, slash ? slash + 1 : NULL, &r, &found, e);
    free(sample);
    if (!rc && !found)
        rc = err_set(e, RC_INPUT, "no cell '%s' in tokenize/cells.tsv", cell);
    unsigned char *mark = calloc(t->c->n_stages + 1, 1);
    if (!rc && !mark)
        rc = err_set(e, RC_FAIL, "no memory for %zu stages", t->c->n_stages);
    char *import = rc ? NULL : text_new("import/%s", r.sample);
    size_t at = import ? chain_stage_of(t->c, import) : CHAIN_NONE;
    if (!rc) {
        trace_put(t, "kind", "name", "bytes", "sha256", "detail");
        trace_tokens(t, &r);
        if (at != CHAIN_NONE)
            mark_on(t->c, at, mark);
    }
    for (size_t s = 0; !rc && s < t->c->n_stages; s++) {
        const struct chain_stage *x = &t->c->stage[s];
        for (size_t i = 0; !rc && mark[s] && i < x->m.n; i++) {
            const char *name = x->m.row[i].name, *end = strrchr(name, '.');
            char *table = text_new("%s/%s", x->name, name);
            const char *want = r.id;
            if (!table)
                rc = err_set(e, RC_FAIL, "no memory for a path");
            else if (x->m.row[i].kind == MANIFEST_OUTPUT && end && strcmp(end, ".tsv") == 0 &&
                     chain_file_of(t->c, table) != CHAIN_NONE &&
                     strcmp(table, "tokenize/cells.tsv") != 0)
                rc = trace_lines(t, "line", table, &want, 1, e);
            free(table);
        }
    }
    for (size_t s = 0; !rc && s < t->c->n_stages; s++)
        if (mark[s])
            put_stage(t, s, s == at ? "imported-by" : "read-by");
    free(import);
    free(mark);
    return rc;
}
