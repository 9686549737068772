/* Tables about genes: labels, lengths, a list of names. */
#include <stdlib.h>
#include <string.h>

#include "lib/app/dosage_parts.h"
#include "lib/base/map.h"
#include "lib/io/lines.h"

enum { SENSITIVE = 1, INSENSITIVE = 2 };

static bool says_yes(const struct table *t, const char *column, size_t row)
{
    const char *s = table_find(t, column)->text[row];
    return s && strcmp(s, "Yes") == 0;
}

/* "Yes" or nothing. */
static enum rc check_mark(const struct table *t, const char *column, size_t row, struct err *e)
{
    const char *s = table_find(t, column)->text[row];
    if (!s || !*s || strcmp(s, "Yes") == 0 || strcmp(s, "-") == 0)
        return RC_OK;
    return err_set(e, RC_INPUT, "line %zu: %s says '%.40s', which is neither Yes nor nothing",
                   row + 2, column, s);
}

static enum rc add_gene(struct dosage_genes *g, struct map *seen, const struct table *t, size_t row,
                        struct err *e)
{
    const char *id = table_find(t, "ensembl_id")->text[row];
    const char *name = table_find(t, "gene_name")->text[row];
    const int class = (says_yes(t, "dosage_sensitive", row) ? SENSITIVE : 0) |
                      (says_yes(t, "dosage_insensitive", row) ? INSENSITIVE : 0);
    uint64_t old;
    if (check_mark(t, "dosage_sensitive", row, e) || check_mark(t, "dosage_insensitive", row, e))
        return e->rc;
    if (!id || !*id)
        return err_set(e, RC_INPUT, "line %zu: no ensembl_id", row + 2);
    if (class == (SENSITIVE | INSENSITIVE))
        return err_set(e, RC_INPUT, "line %zu: gene '%.60s' is in two classes at once", row + 2, id);
    if (!class) {
        g->n_unlabelled++;
        return RC_OK;
    }
    if (map_add(seen, id, g->n, &old, e))
        return e->rc;
    if (old != MAP_NONE) {
        if (g->gene[old].class_of != (class == SENSITIVE))
            return err_set(e, RC_INPUT, "line %zu: gene '%.60s' is in two classes at once", row + 2,
                           id);
        g->n_twice++;
        return RC_OK;
    }
    struct dosage_gene *x = &g->gene[g->n];
    *x = (struct dosage_gene){ .id = arena_text(&g->text, id),
                               .name = arena_text(&g->text, name ? name : ""),
                               .class_of = class == SENSITIVE,
                               .token = -1 };
    if (!x->id || !x->name)
        return err_set(e, RC_FAIL, "no memory for a gene");
    g->n++;
    g->n_sensitive += x->class_of;
    return RC_OK;
}

enum rc dosage_genes_read(struct dosage_genes *g, const char *path, struct err *e)
{
    struct table t;
    struct map seen;
    *g = (struct dosage_genes){ 0 };
    arena_init(&g->text, 1 << 14);
    map_init(&seen);
    enum rc rc =
        tsv_read_need(path, "ensembl_id,gene_name,dosage_insensitive,dosage_sensitive", &t, e);
    if (!rc) {
        if (!(g->gene = calloc(t.n_rows + 1, sizeof *g->gene)))
            rc = err_set(e, RC_FAIL, "no memory for %zu genes", t.n_rows);
        for (size_t i = 0; !rc && i < t.n_rows; i++)
            rc = add_gene(g, &seen, &t, i, e);
        table_release(&t);
        if (!rc && (!g->n_sensitive || g->n_sensitive == g->n))
            rc = err_set(e, RC_INPUT, "%zu genes are sensitive and %zu are not: both are needed",
                         g->n_sensitive, g->n - g->n_sensitive);
        if (rc)
            err_wrap(e, "'%s'", path);
    }
    map_release(&seen);
    if (rc)
        dosage_genes_release(g);
    return rc;
}

void dosage_genes_release(struct dosage_genes *g)
{
    free(g->gene);
    arena_release(&g->text);
    *g = (struct dosage_genes){ 0 };
}

static enum rc whole(const struct table *t, const char *column, size_t row, int64_t *to,
                     struct err *e)
{
    const char *s = table_find(t, column)->text[row];
    char *end;
    *to = s && *s >= '0' && *s <= '9' ? strtoll(s, &end, 10) : -1;
    if (*to < 0 || *end || *to > INT64_MAX / 2)
        return err_set(e, RC_INPUT, "line %zu: %s '%.40s' is no position", row + 2, column,
                       s ? s : "");
    return RC_OK;
}

static enum rc take_lengths(struct dosage_genes *g, const struct table *t, const struct map *at,
                            struct err *e)
{
    for (size_t i = 0; i < t->n_rows; i++) {
        const char *id = table_find(t, "ensgene")->text[i];
        const uint64_t k = id ? map_get(at, id) : MAP_NONE;
        int64_t start, end;
        if (k == MAP_NONE || g->gene[k].length > 0) /* the first row of a gene counts */
            continue;
        if (whole(t, "start", i, &start, e) || whole(t, "end", i, &end, e))
            return e->rc;
        if (end < start)
            return err_set(e, RC_INPUT, "line %zu: gene '%.60s' ends before it starts", i + 2, id);
        g->gene[k].length = (double)(end - start);
    }
    return RC_OK;
}

static enum rc by_text(const struct dosage_genes *g, bool names, struct map *at, struct err *e)
{
    enum rc rc = RC_OK;
    map_init(at);
    for (size_t i = 0; !rc && i < g->n; i++)
        rc = map_add(at, names ? g->gene[i].name : g->gene[i].id, i, NULL, e);
    return rc;
}

enum rc dosage_lengths_read(struct dosage_genes *g, const char *path, struct err *e)
{
    struct table t;
    struct map at;
    enum rc rc = by_text(g, false, &at, e);
    if (!rc && !(rc = tsv_read_need(path, "ensgene,start,end", &t, e))) {
        rc = take_lengths(g, &t, &at, e);
        table_release(&t);
        if (rc)
            err_wrap(e, "'%s'", path);
    }
    g->has_lengths = !rc;
    for (size_t i = 0; !rc && i < g->n; i++)
        g->n_without_length += !(g->gene[i].length > 0);
    if (!rc && g->n_without_length == g->n)
        rc = err_set(e, RC_INPUT, "'%s': no gene with a label has a length", path);
    map_release(&at);
    return rc;
}

enum rc dosage_list_read(struct dosage_genes *g, const char *path, struct err *e)
{
    struct table t;
    struct map names;
    map_init(&names);
    enum rc rc = tsv_read_need(path, "gene_name", &t, e);
    if (!rc) {
        for (size_t i = 0; !rc && i < t.n_rows; i++) {
            const char *s = table_find(&t, "gene_name")->text[i];
            if (s && *s)
                rc = map_add(&names, s, i, NULL, e);
        }
        table_release(&t);
    }
    for (size_t i = 0; !rc && i < g->n; i++)
        g->gene[i].listed = *g->gene[i].name && map_get(&names, g->gene[i].name) != MAP_NONE;
    g->has_list = !rc;
    map_release(&names);
    return rc;
}
