#include "lib/cell/gene_map.h"

#include <stdlib.h>
#include <string.h>

enum rc gene_map_species(const struct cells *c, enum species *s, struct err *e)
{
    *s = SPECIES_UNKNOWN;
    const struct column *col = table_find(&c->obs, "species");
    if (!col || col->kind != COLUMN_TEXT)
        return err_set(e, RC_INPUT, "there is no obs column 'species'");
    for (size_t r = 0; r < c->count.n_rows; r++) {
        enum species now = species_parse(col->text[r]);
        if (now == SPECIES_UNKNOWN)
            return err_set(e, RC_INPUT, "cell '%s': species '%s' is neither human nor mouse",
                           c->cell[r], col->text[r] ? col->text[r] : "");
        if (r && now != *s)
            return err_set(e, RC_INPUT, "cell '%s' is %s, those before are %s: one species a file",
                           c->cell[r], species_name(now), species_name(*s));
        *s = now;
    }
    return RC_OK;
}

void gene_map_columns(const struct cells *c, const struct gene_tables *t, enum species s,
                      bool homologs, uint32_t *row_of, struct gene_map_report *report)
{
    const struct column *name = table_find(&c->var, "gene_name");
    if (name && name->kind != COLUMN_TEXT)
        name = NULL;
    *report = (struct gene_map_report){ .n_columns = c->count.n_cols };
    for (size_t j = 0; j < c->count.n_cols; j++) {
        uint32_t row = GENE_NONE;
        if (s != SPECIES_UNKNOWN)
            row = gene_tables_find(t, s, c->gene[j]);
        if (s != SPECIES_UNKNOWN && row == GENE_NONE && name && name->text[j])
            row = gene_tables_find(t, s, name->text[j]);
        if (row == GENE_NONE) {
            report->n_unmatched++;
        } else if (homologs && t->gene[row].homolog != GENE_NONE) {
            row = t->gene[row].homolog;
            report->n_homologs++;
        }
        row_of[j] = row;
    }
}

bool gene_map_done(const struct cells *c)
{
    const struct column *n = table_find(&c->var, "n_source");
    return n && n->kind == COLUMN_I64;
}

enum rc gene_map_ids(const struct cells *c, const struct gene_tables *t, uint32_t *row_of,
                     struct err *e)
{
    for (size_t j = 0; j < c->count.n_cols; j++) {
        row_of[j] = gene_tables_find_id(t, c->gene[j]);
        if (row_of[j] == GENE_NONE)
            return err_set(e, RC_INPUT, "gene '%s' is not in the tables: mapped with other ones?",
                           c->gene[j]);
    }
    return RC_OK;
}

/* A source column and the gene it goes to. */
struct link {
    uint32_t col, row;
    const char *id;
};

static int by_gene(const void *a, const void *b)
{
    const struct link *x = a, *y = b;
    int d = strcmp(x->id, y->id);
    return d ? d : (x->col > y->col) - (x->col < y->col);
}

/* The columns that have a gene; by id, or in their order (apart). */
static size_t make_links(const struct gene_tables *t, const uint32_t *row_of, size_t n_cols,
                         bool apart, struct link *link)
{
    size_t n = 0;
    for (size_t j = 0; j < n_cols; j++)
        if (row_of[j] != GENE_NONE)
            link[n++] = (struct link){ (uint32_t)j, row_of[j], t->gene[row_of[j]].id };
    if (n && !apart)
        qsort(link, n, sizeof *link, by_gene);
    return n;
}

static bool starts(const struct link *link, size_t i, bool apart)
{
    return apart || i == 0 || link[i].row != link[i - 1].row;
}

/* Names of links [i, j) joined by ';', in the table's arena; NULL when memory is short. */
static const char *join_names(struct table *var, const struct cells *c, const struct link *link,
                              size_t i, size_t j)
{
    size_t n = 0;
    for (size_t k = i; k < j; k++)
        n += strlen(c->gene[link[k].col]) + 1;
    char *text = arena_get(&var->text, n + 1), *at = text;
    for (size_t k = i; text && k < j; k++) {
        size_t m = strlen(c->gene[link[k].col]);
        if (k > i)
            *at++ = ';';
        memcpy(at, c->gene[link[k].col], m);
        at += m;
    }
    if (text)
        *at = '\0';
    return text;
}

static enum rc fill_var(struct cells *out, const struct cells *c, const struct gene_tables *t,
                        const struct link *link, size_t n, size_t n_genes, bool apart,
                        struct err *e)
{
    table_init(&out->var, n_genes);
    out->gene = calloc(n_genes + 1, sizeof *out->gene);
    bool good = out->gene && table_add(&out->var, "gene_name", COLUMN_TEXT) &&
                table_add(&out->var, "n_source", COLUMN_I64) &&
                table_add(&out->var, "source", COLUMN_TEXT);
    for (size_t i = 0, g = 0; good && i < n; g++) {
        size_t j = i + 1;
        while (j < n && !starts(link, j, apart))
            j++;
        const struct gene *gene = &t->gene[link[i].row];
        out->gene[g] = arena_text(&out->var.text, gene->id);
        out->var.col[0].text[g] = arena_text(&out->var.text, gene->name);
        out->var.col[1].i64[g] = (int64_t)(j - i);
        out->var.col[2].text[g] = join_names(&out->var, c, link, i, j);
        good = out->gene[g] && out->var.col[0].text[g] && out->var.col[2].text[g];
        i = j;
    }
    return good ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu genes", n_genes);
}

static enum rc copy_obs(struct cells *out, const struct cells *c, struct err *e)
{
    if (table_select(&c->obs, NULL, &out->obs, e))
        return RC_FAIL;
    size_t n = c->count.n_rows;
    out->cell = calloc(n + 1, sizeof *out->cell);
    for (size_t r = 0; out->cell && r < n; r++) {
        out->cell[r] = arena_text(&out->obs.text, c->cell[r]);
        if (!out->cell[r])
            return err_set(e, RC_FAIL, "no memory for %zu cells", n);
    }
    return out->cell ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu cells", n);
}

static enum rc build(const struct cells *c, const struct gene_tables *t, const uint32_t *row_of,
                     bool apart, struct cells *out, uint32_t *col_to,
                     struct gene_map_report *report, struct err *e)
{
    size_t n_cols = c->count.n_cols, n_genes = 0;
    struct link *link = malloc((n_cols + 1) * sizeof *link);
    if (!link)
        return err_set(e, RC_FAIL, "no memory for %zu columns", n_cols);
    size_t n = make_links(t, row_of, n_cols, apart, link);
    for (size_t j = 0; j < n_cols; j++)
        col_to[j] = UINT32_MAX;
    for (size_t i = 0; i < n; i++) {
        n_genes += starts(link, i, apart);
        col_to[link[i].col] = (uint32_t)(n_genes - 1);
    }
    report->n_genes = n_genes;
    report->n_merged = n - n_genes;
    out->count.n_rows = c->count.n_rows;
    out->count.n_cols = n_genes;
    enum rc rc = fill_var(out, c, t, link, n, n_genes, apart, e);
    if (!rc)
        rc = copy_obs(out, c, e);
    free(link);
    return rc;
}

enum rc gene_map_plan(const struct cells *c, const struct gene_tables *t, bool homologs, bool apart,
                      struct cells *out, uint32_t **col_to, struct gene_map_report *report,
                      struct err *e)
{
    enum species s;
    size_t n_cols = c->count.n_cols;
    cells_init(out);
    *col_to = NULL;
    enum rc rc = gene_map_species(c, &s, e);
    if (rc)
        return rc;
    uint32_t *row_of = malloc((n_cols + 1) * sizeof *row_of);
    *col_to = malloc((n_cols + 1) * sizeof **col_to);
    if (!row_of || !*col_to)
        rc = err_set(e, RC_FAIL, "no memory for %zu columns", n_cols);
    if (!rc) {
        gene_map_columns(c, t, s, homologs, row_of, report);
        rc = build(c, t, row_of, apart, out, *col_to, report, e);
    }
    free(row_of);
    if (rc) {
        free(*col_to);
        *col_to = NULL;
        cells_release(out);
    }
    return rc;
}

static enum rc map_cells(const struct cells *c, const struct gene_tables *t, bool homologs,
                         bool apart, struct cells *out, struct gene_map_report *report,
                         struct err *e)
{
    uint32_t *col_to;
    enum rc rc = gene_map_plan(c, t, homologs, apart, out, &col_to, report, e);
    if (!rc)
        rc = csr_select(&c->count, NULL, col_to, out->count.n_cols, &out->count, e);
    free(col_to);
    if (rc)
        cells_release(out);
    return rc;
}

enum rc gene_map_cells(const struct cells *c, const struct gene_tables *t, bool homologs,
                       struct cells *out, struct gene_map_report *report, struct err *e)
{
    return map_cells(c, t, homologs, false, out, report, e);
}

enum rc gene_map_cells_apart(const struct cells *c, const struct gene_tables *t, bool homologs,
                             struct cells *out, struct gene_map_report *report, struct err *e)
{
    return map_cells(c, t, homologs, true, out, report, e);
}
