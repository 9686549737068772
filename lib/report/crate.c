#include "lib/report/crate.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/percent.h"
#include "lib/io/lines.h"

enum rc crate_read(struct crate *k, const struct chain *c, const char *build, struct err *e)
{
    *k = (struct crate){ .c = c };
    table_init(&k->build, 0);
    if (chain_utf8(c, e) || tsv_read_need(build, "kind,name,version,sha256,detail", &k->build, e))
        return e->rc;
    if (tsv_utf8(&k->build, build, e)) {
        crate_release(k);
        return e->rc;
    }
    bool engine = false;
    for (size_t i = 0; i < k->build.n_rows; i++) {
        if (!k->date && strcmp(crate_fact(k, i, "kind"), "date") == 0)
            k->date = crate_fact(k, i, "name");
        engine |= strcmp(crate_fact(k, i, "kind"), "engine") == 0;
    }
    if (k->date && engine)
        return RC_OK;
    const char *lacks = k->date ? "engine" : "date";
    crate_release(k);
    return err_set(e, RC_INPUT, "'%s' has no row of kind %s", build, lacks);
}

void crate_release(struct crate *k)
{
    table_release(&k->build);
    *k = (struct crate){ 0 };
}

const char *crate_fact(const struct crate *k, size_t row, const char *column)
{
    const char *s = table_find(&k->build, column)->text[row];
    return s && strcmp(s, "-") != 0 ? s : "";
}

/* Stages that are not called like their program. */
static const struct {
    const char *stage, *program;
} called[] = {
    { "authors", "knowledge-diff" },
    { "dnabert", "dnabert-train" },
    { "fig3/corpus", "tokenize" },
    { "fig3/models", "pretrain" },
    { "fig3/scores", "annotate" },
    { "fig3/figures", "figure" },
    { "fig5", "figure" },
    { "knowledge", "knowledge-embed" },
    { "tables", "gene-tables" },
    { "fig3/knowledge", "knowledge-embed" },
    { "perturb-sim", "perturb" },
};

/* Whether a stage's name begins with these words: at an end, a / or a -. */
static bool begins(const char *stage, const char *with)
{
    size_t n = strlen(with);
    return strncmp(stage, with, n) == 0 && (!stage[n] || stage[n] == '/' || stage[n] == '-');
}

const char *crate_program(const struct crate *k, const char *stage)
{
    const char *best = NULL, *asked = NULL;
    for (size_t i = 0; i < sizeof called / sizeof *called && !asked; i++)
        if (begins(stage, called[i].stage) && stage[strlen(called[i].stage)] != '-')
            asked = called[i].program;
    for (size_t i = 0; i < k->build.n_rows; i++) {
        const char *name = crate_fact(k, i, "name");
        if (strcmp(crate_fact(k, i, "kind"), "program") != 0)
            continue;
        if (asked ? strcmp(name, asked) == 0
                  : begins(stage, name) && (!best || strlen(name) > strlen(best)))
            best = name;
    }
    return best;
}

/* --- the workflow ---------------------------------------------------------------------------- */

static bool names_workflow(const char *name)
{
    return strcmp(name, "GNUmakefile") == 0 || strncmp(name, "workflows/", 10) == 0;
}

bool crate_in_workflow(const struct crate *k, const char *name, const char *sha256)
{
    for (size_t i = 0; names_workflow(name) && i < k->build.n_rows; i++)
        if (strcmp(crate_fact(k, i, "kind"), "source") == 0 &&
            strcmp(crate_fact(k, i, "name"), name) == 0)
            return !sha256 || strcmp(crate_fact(k, i, "sha256"), sha256) == 0;
    return false;
}

/* The table comes from outside: its names must not lead out of the folder. */
static bool stays_below(const char *name)
{
    for (const char *at = name; (at = strstr(at, "..")); at += 2)
        if ((at == name || at[-1] == '/') && (!at[2] || at[2] == '/'))
            return false;
    return true;
}

static enum rc copy_one(const struct crate *k, size_t row, const char *source, const char *out,
                        struct err *e)
{
    const char *name = crate_fact(k, row, "name");
    char sum[SHA256_HEX], *from = text_new("%s/%s", source, name);
    char *to = text_new("%s/" CRATE_WORKFLOW "/%s", out, name);
    enum rc rc = from && to ? RC_OK : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc && !stays_below(name))
        rc = err_set(e, RC_INPUT, "'%s' is no path below a checkout", name);
    if (!rc)
        rc = sha256_file(from, sum, NULL, e);
    if (!rc && strcmp(sum, crate_fact(k, row, "sha256")) != 0)
        rc = err_set(e, RC_INPUT, "'%s' is not what the table of the build has the sum of", from);
    if (!rc)
        rc = file_copy(from, to, e);
    free(from);
    free(to);
    return rc;
}

enum rc crate_workflow(const struct crate *k, const char *source, const char *out, struct err *e)
{
    if (!crate_in_workflow(k, "GNUmakefile", NULL))
        return err_set(e, RC_INPUT, "the table of the build has no GNUmakefile");
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < k->build.n_rows; i++)
        if (strcmp(crate_fact(k, i, "kind"), "source") == 0 &&
            names_workflow(crate_fact(k, i, "name")))
            rc = copy_one(k, i, source, out, e);
    return rc;
}

char *crate_path(const struct chain_stage *s, const char *name)
{
    return strcmp(s->name, ".") == 0 ? text_new("%s", name) : text_new("%s/%s", s->name, name);
}

static bool stays_in_uri(unsigned char b)
{
    return b < 128 && (isalnum(b) || (b && strchr("-._~/", b)));
}

char *crate_uri(const char *path)
{
    return percent_encode(path, stays_in_uri);
}

/* RFC 3986: what an address may hold as it is. */
static bool stays_in_address(unsigned char b)
{
    return stays_in_uri(b) || (b && strchr(":?#@!$&'()*+,;=", b));
}

bool crate_address(const char *source, char **uri)
{
    static const char hex[] = "0123456789ABCDEF";
    const size_t scheme = strncmp(source, "https://", 8) == 0  ? 8
                          : strncmp(source, "http://", 7) == 0 ? 7
                                                               : 0;
    const size_t host = strcspn(source + scheme, "/?#");
    *uri = NULL;
    if (!scheme || !host)
        return false;
    char *to = malloc(3 * strlen(source) + 1);
    *uri = to;
    for (const char *s = source; to && *s; s++) {
        const unsigned char b = (unsigned char)*s;
        const bool code =
            b == '%' && isxdigit((unsigned char)s[1]) && isxdigit((unsigned char)s[2]);
        const bool number = (b == '[' || b == ']') && s < source + scheme + host; /* of IPv6 */
        const bool second = b == '#' && strchr(source, '#') != s;
        if (code || number || (stays_in_address(b) && !second)) {
            *to++ = *s;
            continue;
        }
        *to++ = '%';
        *to++ = hex[b >> 4];
        *to++ = hex[b & 15];
    }
    if (to)
        *to = '\0';
    return true;
}

json_t *crate_ref(char *id)
{
    json_t *j = id ? json_pack("{s:s}", "@id", id) : NULL;
    free(id);
    return j;
}
