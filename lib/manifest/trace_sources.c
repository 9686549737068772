/* The raw inputs behind some stages: rows of fetch/inputs.tsv. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/io/lines.h"
#include "lib/manifest/trace_parts.h"

const char *trace_sample_of(const char *stage)
{
    static const char *const by_sample[] = { "import/", "homolog-map/", "qc-filter/",
                                             "median-part/", "quantify/" };
    for (size_t i = 0; i < sizeof by_sample / sizeof *by_sample; i++)
        if (strncmp(stage, by_sample[i], strlen(by_sample[i])) == 0)
            return stage + strlen(by_sample[i]);
    return NULL;
}

/* The value of "KEY=" in the parameters of a stage, or NULL. */
static const char *param_of(const struct chain *c, size_t at, const char *key)
{
    size_t n = strlen(key);
    for (size_t i = 0; i < c->stage[at].m.n; i++) {
        const struct manifest_row *r = &c->stage[at].m.row[i];
        if (r->kind == MANIFEST_PARAM && strncmp(r->name, key, n) == 0 && r->name[n] == '=')
            return r->name + n + 1;
    }
    return NULL;
}

/* Is the input's path what a sample was imported from (a file, a file of a folder, its labels)? */
static bool belongs(const char *input, const char *wanted)
{
    size_t n = wanted ? strlen(wanted) : 0;
    return n && strncmp(input, wanted, n) == 0 && (!input[n] || input[n] == '/');
}

enum rc trace_sources(const struct trace *t, const unsigned char *mark, const char *sample,
                      struct err *e)
{
    static const char columns[] = "path,bytes,sha256,status,licence,source";
    char *path = text_new("%s/fetch/inputs.tsv", t->c->root);
    struct table inputs;
    table_init(&inputs, 0);
    size_t n = 0, left = 0;
    enum rc rc = path ? RC_OK : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc && file_exists(path))
        rc = tsv_read_need(path, columns, &inputs, e);
    for (size_t i = 0; !rc && i < inputs.n_rows; i++) {
        const char *name = table_find(&inputs, "path")->text[i];
        const char *status = table_find(&inputs, "status")->text[i];
        bool wanted = false, narrow = false;
        if (!name || !status || strcmp(status, "have") != 0)
            continue;
        for (size_t s = 0; s < t->c->n_stages; s++) {
            const char *of = trace_sample_of(t->c->stage[s].name);
            if (!mark[s] || strncmp(t->c->stage[s].name, "import/", 7) != 0 ||
                (sample && strcmp(of, sample) != 0))
                continue;
            narrow = true;
            wanted |= belongs(name, param_of(t->c, s, "path")) ||
                      belongs(name, param_of(t->c, s, "labels"));
        }
        /* Without a sample everything that was fetched stands behind the file. */
        if (sample ? !wanted || !narrow : false)
            continue;
        if (n++ >= t->max_rows && !sample) {
            left++;
            continue;
        }
        const char *licence = table_find(&inputs, "licence")->text[i];
        const char *from = table_find(&inputs, "source")->text[i];
        char *detail = text_new("%s (licence: %s)", from ? from : "-", licence ? licence : "-");
        trace_put(t, "source", name, table_find(&inputs, "bytes")->text[i],
                  table_find(&inputs, "sha256")->text[i], detail);
        free(detail);
    }
    if (left)
        fprintf(t->out, "source\t%zu more\t-\t-\tfetch/inputs.tsv has them all\n", left);
    table_release(&inputs);
    free(path);
    return rc;
}
