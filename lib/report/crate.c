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
    if (tsv_read_need(build, "kind,name,version,sha256,detail", &k->build, e))
        return e->rc;
    for (size_t i = 0; i < k->build.n_rows && !k->date; i++)
        if (strcmp(crate_fact(k, i, "kind"), "date") == 0)
            k->date = crate_fact(k, i, "name");
    if (k->date)
        return RC_OK;
    crate_release(k);
    return err_set(e, RC_INPUT, "'%s' has no row of kind date", build);
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
    { "fig3/corpus", "qc-filter" },
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

const char *crate_address(const char *source)
{
    return source && (strncmp(source, "https://", 8) == 0 || strncmp(source, "http://", 7) == 0)
               ? source
               : NULL;
}

json_t *crate_ref(char *id)
{
    json_t *j = id ? json_pack("{s:s}", "@id", id) : NULL;
    free(id);
    return j;
}
