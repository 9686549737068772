#include "lib/manifest/attest.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/utf8.h"
#include "lib/base/version.h"
#include "lib/io/lines.h"

static bool has_sum(const struct chain_file *f)
{
    return f->what <= CHAIN_PARAMS && f->sha256[0];
}

/* As sha256sum: a name with a backslash or a line end is escaped, and its line begins with a
 * backslash. */
static void sum_line(FILE *f, const struct chain_file *x)
{
    bool odd = strpbrk(x->path, "\\\n\r") != NULL;
    fprintf(f, "%s%s  ", odd ? "\\" : "", x->sha256);
    for (const char *s = x->path; *s; s++)
        switch (*s) {
        case '\\':
            fputs("\\\\", f);
            break;
        case '\n':
            fputs("\\n", f);
            break;
        case '\r':
            fputs("\\r", f);
            break;
        default:
            fputc(*s, f);
        }
    fputc('\n', f);
}

enum rc attest_sums(const struct chain *c, const char *path, struct err *e)
{
    struct outfile o;
    if (outfile_open(&o, path, e))
        return e->rc;
    for (size_t i = 0; i < c->n_files; i++)
        if (has_sum(&c->file[i]))
            sum_line(o.f, &c->file[i]);
    return outfile_commit(&o, e);
}

/* --- statement -----------------------------------------------------------------------------------
 */

static json_t *subjects(const struct chain *c)
{
    json_t *list = json_array();
    for (size_t i = 0; i < c->n_files; i++)
        if (has_sum(&c->file[i]) &&
            json_array_append_new(list, json_pack("{s:s,s:{s:s}}", "name", c->file[i].path,
                                                  "digest", "sha256", c->file[i].sha256)) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static json_t *stages(const struct chain *c)
{
    json_t *all = json_object();
    bool failed = !all;
    for (size_t i = 0; !failed && i < c->n_stages; i++) {
        json_t *params = json_array();
        for (size_t k = 0; k < c->stage[i].m.n; k++)
            if (c->stage[i].m.row[k].kind == MANIFEST_PARAM)
                failed |=
                    json_array_append_new(params, json_string(c->stage[i].m.row[k].name)) != 0;
        failed |= json_object_set_new(all, c->stage[i].name, params) != 0;
    }
    if (failed) {
        json_decref(all);
        return NULL;
    }
    return all;
}

/* What goes into the statement can be in JSON. */
static enum rc texts(const struct chain *c, struct err *e)
{
    if (chain_utf8(c, e))
        return e->rc;
    for (size_t i = 0; i < c->n_files; i++)
        if (has_sum(&c->file[i]) && utf8_need(c->file[i].path, e))
            return err_wrap(e, "the name of a file");
    return RC_OK;
}

/* The raw inputs that were there. */
static enum rc inputs(const struct chain *c, json_t *list, struct err *e)
{
    char *path = text_new("%s/fetch/inputs.tsv", c->root);
    struct table t;
    table_init(&t, 0);
    enum rc rc = path ? RC_OK : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc && file_exists(path))
        rc = tsv_read_need(path, "path,sha256,status,source", &t, e);
    if (!rc)
        rc = tsv_utf8(&t, path, e);
    for (size_t i = 0; !rc && i < t.n_rows; i++) {
        const char *name = table_find(&t, "path")->text[i];
        const char *sum = table_find(&t, "sha256")->text[i];
        const char *status = table_find(&t, "status")->text[i];
        const char *source = table_find(&t, "source")->text[i];
        if (name && sum && source && status && strcmp(status, "have") == 0 &&
            json_array_append_new(list, json_pack("{s:s,s:s,s:{s:s}}", "name", name, "uri", source,
                                                  "digest", "sha256", sum)) != 0)
            rc = err_set(e, RC_FAIL, "no memory for a statement");
    }
    table_release(&t);
    free(path);
    return rc;
}

enum rc attest_statement(const struct chain *c, char **text, size_t *n_bytes, struct err *e)
{
    *text = NULL;
    if (texts(c, e))
        return e->rc;
    json_t *list = json_array(), *subject = subjects(c);
    enum rc rc =
        list && subject ? inputs(c, list, e) : err_set(e, RC_FAIL, "no memory for a statement");
    if (rc) {
        json_decref(list);
        json_decref(subject);
        return rc;
    }
    json_t *j = json_pack(
        "{s:s,s:o,s:s,s:{s:{s:s,s:o,s:o},s:{s:{s:s}}}}", "_type", "https://in-toto.io/Statement/v1",
        "subject", subject, "predicateType", "https://slsa.dev/provenance/v1", "predicate",
        "buildDefinition", "buildType", "urn:genecompass:make", "externalParameters", stages(c),
        "resolvedDependencies", list, "runDetails", "builder", "id", "urn:genecompass:" GC_VERSION);
    *text = j ? json_dumps(j, JSON_INDENT(1)) : NULL;
    json_decref(j);
    if (!*text)
        return err_set(e, RC_FAIL, "no memory for a statement");
    *n_bytes = strlen(*text);
    return RC_OK;
}

/* --- comparing -----------------------------------------------------------------------------------
 */

static enum rc compare(const struct chain *c, const json_t *list,
                       void (*report)(void *ctx, const char *what, const char *path), void *ctx,
                       size_t *n_bad, struct err *e)
{
    struct map seen;
    enum rc rc = RC_OK;
    map_init(&seen);
    for (size_t i = 0; !rc && i < json_array_size(list); i++) {
        const json_t *s = json_array_get(list, i);
        const char *name = json_string_value(json_object_get(s, "name"));
        const char *sum =
            json_string_value(json_object_get(json_object_get(s, "digest"), "sha256"));
        if (!name || !sum) {
            rc =
                err_set(e, RC_INPUT, "subject %zu of the statement has no name and SHA-256", i + 1);
            break;
        }
        rc = map_add(&seen, name, i, NULL, e);
        size_t f = chain_file_of(c, name);
        bool there = f != CHAIN_NONE && has_sum(&c->file[f]);
        if (!rc && (!there || strcmp(c->file[f].sha256, sum) != 0)) {
            ++*n_bad;
            report(ctx, there ? "changed" : "missing", name);
        }
    }
    for (size_t i = 0; !rc && i < c->n_files; i++)
        if (c->file[i].what != CHAIN_LOG && map_get(&seen, c->file[i].path) == MAP_NONE) {
            ++*n_bad;
            report(ctx, "extra", c->file[i].path);
        }
    map_release(&seen);
    return rc;
}

enum rc attest_compare(const struct chain *c, const char *statement, size_t n_bytes,
                       void (*report)(void *ctx, const char *what, const char *path), void *ctx,
                       size_t *n_files, size_t *n_bad, struct err *e)
{
    json_t *j = json_loadb(statement, n_bytes, 0, NULL);
    const json_t *list = json_object_get(j, "subject");
    const char *type = json_string_value(json_object_get(j, "_type"));
    *n_bad = 0;
    *n_files = json_array_size(list);
    enum rc rc = type && strcmp(type, "https://in-toto.io/Statement/v1") == 0 && *n_files
                     ? compare(c, list, report, ctx, n_bad, e)
                     : err_set(e, RC_INPUT, "no in-toto statement about files");
    json_decref(j);
    return rc;
}
