/* The place of a cell in the shards, and lines of tables about it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/io/lines.h"
#include "lib/manifest/trace_parts.h"

static size_t cells_per_shard(const struct chain *c)
{
    static const char word[] = "--cells-per-shard ";
    size_t at = chain_stage_of(c, "tokenize");
    for (size_t i = 0; at != CHAIN_NONE && i < c->stage[at].m.n; i++) {
        const struct manifest_row *r = &c->stage[at].m.row[i];
        const char *s = r->kind == MANIFEST_PARAM ? strstr(r->name, word) : NULL;
        unsigned long n = s ? strtoul(s + sizeof word - 1, NULL, 10) : 0;
        if (n)
            return n;
    }
    return SIZE_MAX;
}

/* By id, or where id is NULL by sample and barcode. *found false: no such cell. */
enum rc trace_find(const struct trace *t, const char *id, const char *sample, const char *barcode,
                   struct trace_cell *to, bool *found, struct err *e)
{
    char *path = text_new("%s/tokenize/cells.tsv", t->c->root);
    struct lines l;
    bool more = true;
    char *field[3];
    *found = false;
    if (!path || !file_exists(path)) {
        free(path);
        return RC_OK;
    }
    enum rc rc = lines_open(&l, path, e);
    free(path);
    if (rc)
        return rc;
    while (!rc && !*found) {
        rc = lines_next(&l, &more, e);
        if (rc || !more)
            break;
        if (l.number == 1 || fields_cut(l.text, '\t', field, 3) < 3)
            continue;
        *found = id ? strcmp(field[0], id) == 0
                    : strcmp(field[1], sample) == 0 && strcmp(field[2], barcode) == 0;
    }
    if (*found) {
        size_t per = cells_per_shard(t->c), at = l.number - 2;
        *to = (struct trace_cell){ .line = l.number, .shard = at / per, .row = at % per };
        snprintf(to->id, sizeof to->id, "%s", field[0]);
        snprintf(to->sample, sizeof to->sample, "%s", field[1]);
        snprintf(to->barcode, sizeof to->barcode, "%s", field[2]);
    }
    lines_close(&l);
    return rc;
}

void trace_tokens(const struct trace *t, const struct trace_cell *r)
{
    char shard[64], line[64], detail[600];
    snprintf(line, sizeof line, "tokenize/cells.tsv:%zu", r->line);
    snprintf(detail, sizeof detail, "cell %s: %s of sample %s", r->id, r->barcode, r->sample);
    trace_put(t, "cell", line, NULL, NULL, detail);
    snprintf(shard, sizeof shard, "tokenize/shard-%05zu.h5", r->shard);
    snprintf(detail, sizeof detail, "row %zu of its cells, from 0", r->row);
    const struct manifest_row *out = chain_output(t->c, shard, NULL);
    if (out)
        trace_put_row(t, "shard", shard, out, detail);
}

/* Lines of one table that hold the text as a whole field. */
enum rc trace_lines(const struct trace *t, const char *kind, const char *table,
                    const char *const *want, size_t n_want, struct err *e)
{
    char *path = text_new("%s/%s", t->c->root, table);
    struct lines l;
    bool more = true;
    size_t n = 0;
    enum rc rc = path ? lines_open(&l, path, e) : err_set(e, RC_FAIL, "no memory for a path");
    free(path);
    if (rc)
        return rc;
    while (!(rc = lines_next(&l, &more, e)) && more) {
        size_t hits = 0;
        for (size_t k = 0; k < n_want; k++) {
            size_t len = strlen(want[k]);
            const char *s = l.text;
            while ((s = strstr(s, want[k])) != NULL &&
                   !((s == l.text || s[-1] == '\t') && (!s[len] || s[len] == '\t')))
                s++;
            hits += s != NULL;
        }
        if (l.number == 1 || hits < n_want || n++ >= t->max_rows)
            continue;
        char name[300];
        snprintf(name, sizeof name, "%.250s:%zu", table, l.number);
        trace_put(t, kind, name, NULL, NULL, l.text);
    }
    lines_close(&l);
    if (!rc && n > t->max_rows)
        fprintf(t->out, "%s\t%zu more in %s\t-\t-\t-\n", kind, n - t->max_rows, table);
    return rc;
}
