#include "lib/cell/gene_map.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/spill.h"
#include "lib/data/genename.h"

enum rc gene_map_species(const struct cells *c, enum species *s, struct err *e)
{
    *s = SPECIES_UNKNOWN;
    const struct column *col = table_find(&c->obs, "species");
    if (!col || col->kind != COLUMN_TEXT)
        return err_set(e, RC_INPUT, "there is no obs column 'species'");
    for (size_t r = 0; r < c->count.n_rows; r++) {
        spill_step(r);
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

/* In a mixture var says of which species each column is. */
static const struct column *mixture_of(const struct cells *c)
{
    const struct column *v = table_find(&c->var, "species");
    return v && v->kind == COLUMN_TEXT ? v : NULL;
}

/* Row of the gene that a column's name leads to in species s. */
static uint32_t find(const struct gene_tables *t, enum species s, const char *name, bool mixture)
{
    enum species of;
    if (s == SPECIES_UNKNOWN || !name)
        return GENE_NONE;
    return gene_tables_find(t, s, name + (mixture ? gene_prefix(name, &of) : 0));
}

void gene_map_columns(const struct cells *c, const struct gene_tables *t, enum species s,
                      bool homologs, uint32_t *row_of, struct gene_map_report *report)
{
    const struct column *name = table_find(&c->var, "gene_name"), *mixture = mixture_of(c);
    if (name && name->kind != COLUMN_TEXT)
        name = NULL;
    *report = (struct gene_map_report){ .n_columns = c->count.n_cols };
    for (size_t j = 0; j < c->count.n_cols; j++) {
        enum species of = mixture ? species_parse(mixture->text[j]) : s;
        uint32_t row = find(t, of, c->gene[j], mixture);
        if (row == GENE_NONE && name)
            row = find(t, of, name->text[j], mixture);
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

static enum rc copy_obs(struct cells *out, const struct cells *c, const unsigned char *keep,
                        struct err *e)
{
    if (table_select(&c->obs, keep, &out->obs, e))
        return RC_FAIL;
    size_t n = out->obs.n_rows, to = 0;
    out->count.n_rows = n;
    out->cell = spill_alloc((n + 1) * sizeof *out->cell);
    for (size_t r = 0; out->cell && r < c->count.n_rows; r++) {
        spill_step(r);
        if (keep && !keep[r])
            continue;
        out->cell[to] = arena_text(&out->obs.text, c->cell[r]);
        if (!out->cell[to++])
            return err_set(e, RC_FAIL, "no memory for %zu cells", n);
    }
    return out->cell ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu cells", n);
}

/* The same of cells that need theirs no longer. */
static void take_obs(struct cells *out, struct cells *c, const unsigned char *keep)
{
    out->obs = c->obs;
    out->cell = c->cell;
    out->count.n_rows = c->count.n_rows;
    c->obs = (struct table){ 0 };
    c->cell = NULL;
    cells_keep_head(out, keep, NULL);
}

/* The genes of the result, and which column goes to which. */
static enum rc build(const struct cells *c, const struct gene_tables *t, const uint32_t *row_of,
                     bool apart, struct gene_plan *p, struct gene_map_report *report, struct err *e)
{
    size_t n_cols = c->count.n_cols, n_genes = 0;
    struct link *link = malloc((n_cols + 1) * sizeof *link);
    if (!link)
        return err_set(e, RC_FAIL, "no memory for %zu columns", n_cols);
    size_t n = make_links(t, row_of, n_cols, apart, link);
    for (size_t j = 0; j < n_cols; j++)
        p->col_to[j] = UINT32_MAX;
    for (size_t i = 0; i < n; i++) {
        n_genes += starts(link, i, apart);
        p->col_to[link[i].col] = (uint32_t)(n_genes - 1);
    }
    report->n_genes = n_genes;
    report->n_merged = n - n_genes;
    p->out.count.n_cols = n_genes;
    enum rc rc = fill_var(&p->out, c, t, link, n, n_genes, apart, e);
    free(link);
    return rc;
}

static enum rc split(const struct cells *c, const struct column *mixture, struct gene_plan *p,
                     struct gene_map_report *report, struct err *e)
{
    const struct column *of = table_find(&c->obs, "species");
    size_t n = c->count.n_rows, m = c->count.n_cols;
    if (!of || of->kind != COLUMN_TEXT)
        return err_set(e, RC_INPUT, "there is no obs column 'species'");
    p->keep = spill_alloc(n + 1);
    p->row_species = spill_alloc(n + 1);
    p->col_species = malloc(m + 1);
    if (!p->keep || !p->row_species || !p->col_species)
        return err_set(e, RC_FAIL, "no memory for %zu cells", n);
    for (size_t j = 0; j < m; j++)
        p->col_species[j] = (signed char)species_parse(mixture->text[j]);
    for (size_t r = 0; r < n; r++) {
        spill_step(r);
        p->row_species[r] = (signed char)species_parse(of->text[r]);
        p->keep[r] = p->row_species[r] != SPECIES_UNKNOWN;
        report->n_cells_unclear += !p->keep[r];
    }
    report->mixture = true;
    return RC_OK;
}

/* NAME-human and NAME-mouse. */
static enum rc name_samples(struct gene_plan *p, struct err *e)
{
    struct table *obs = &p->out.obs;
    const struct column *of = table_find(obs, "species");
    struct column *sample = table_find(obs, "sample");
    if (!sample || sample->kind != COLUMN_TEXT)
        return RC_OK;
    for (size_t r = 0; r < obs->n_rows; r++) {
        spill_step(r);
        const char *name = sample->text[r] ? sample->text[r] : "";
        size_t n = strlen(name), m = strlen(of->text[r]);
        char *to = arena_chars(&obs->text, n + m + 2);
        if (!to)
            return err_set(e, RC_FAIL, "no memory for %zu samples", obs->n_rows);
        memcpy(to, name, n);
        to[n] = '-';
        memcpy(to + n + 1, of->text[r], m + 1);
        sample->text[r] = to;
    }
    return RC_OK;
}

void gene_plan_release(struct gene_plan *p)
{
    cells_release(&p->out);
    free(p->col_to);
    spill_free(p->keep);
    free(p->col_species);
    spill_free(p->row_species);
    *p = (struct gene_plan){ 0 };
}

/* own: c, or NULL when c keeps its obs. */
static enum rc plan(const struct cells *c, struct cells *own, const struct gene_tables *t,
                    bool homologs, bool apart, struct gene_plan *p, struct gene_map_report *report,
                    struct err *e)
{
    enum species s = SPECIES_UNKNOWN;
    size_t n_cols = c->count.n_cols;
    const struct column *mixture = mixture_of(c);
    *p = (struct gene_plan){ 0 };
    cells_init(&p->out);
    uint32_t *row_of = malloc((n_cols + 1) * sizeof *row_of);
    p->col_to = malloc((n_cols + 1) * sizeof *p->col_to);
    enum rc rc = row_of && p->col_to ? RC_OK
                                     : err_set(e, RC_FAIL, "no memory for %zu columns", n_cols);
    if (!rc && !mixture)
        rc = gene_map_species(c, &s, e);
    if (!rc) {
        gene_map_columns(c, t, s, homologs, row_of, report);
        if (mixture)
            rc = split(c, mixture, p, report, e);
    }
    if (!rc)
        rc = build(c, t, row_of, apart, p, report, e);
    if (!rc && own)
        take_obs(&p->out, own, p->keep);
    else if (!rc)
        rc = copy_obs(&p->out, c, p->keep, e);
    if (!rc && mixture)
        rc = name_samples(p, e);
    free(row_of);
    if (rc)
        gene_plan_release(p);
    return rc;
}

enum rc gene_plan_make(const struct cells *c, const struct gene_tables *t, bool homologs, bool apart,
                       struct gene_plan *p, struct gene_map_report *report, struct err *e)
{
    return plan(c, NULL, t, homologs, apart, p, report, e);
}

enum rc gene_plan_take(struct cells *c, const struct gene_tables *t, bool homologs, bool apart,
                       struct gene_plan *p, struct gene_map_report *report, struct err *e)
{
    return plan(c, c, t, homologs, apart, p, report, e);
}

/* The block with the counts of the other species' columns set to 0. */
static enum rc own_counts(const struct gene_plan *p, const struct csr *b, size_t first,
                          struct csr *own, struct err *e)
{
    size_t nnz = (size_t)csr_nnz(b);
    if (csr_alloc(own, b->n_rows, b->n_cols, nnz, e))
        return RC_FAIL;
    memcpy(own->indptr, b->indptr, (b->n_rows + 1) * sizeof *b->indptr);
    for (size_t r = 0; r < b->n_rows; r++)
        for (uint64_t k = b->indptr[r]; k < b->indptr[r + 1]; k++) {
            own->index[k] = b->index[k];
            own->value[k] =
                p->col_species[b->index[k]] == p->row_species[first + r] ? b->value[k] : 0;
        }
    return RC_OK;
}

enum rc gene_plan_block(const struct gene_plan *p, const struct csr *block, size_t first,
                        struct csr *out, struct err *e)
{
    struct csr own = { 0 };
    size_t n_genes = p->out.count.n_cols;
    if (!p->col_species)
        return csr_select(block, NULL, p->col_to, n_genes, out, e);
    enum rc rc = own_counts(p, block, first, &own, e);
    if (!rc)
        rc = csr_select(&own, p->keep + first, p->col_to, n_genes, out, e);
    csr_release(&own);
    return rc;
}

static enum rc map_cells(const struct cells *c, const struct gene_tables *t, bool homologs,
                         bool apart, struct cells *out, struct gene_map_report *report,
                         struct err *e)
{
    struct gene_plan p;
    struct csr count;
    cells_init(out);
    enum rc rc = gene_plan_make(c, t, homologs, apart, &p, report, e);
    if (rc)
        return rc;
    rc = gene_plan_block(&p, &c->count, 0, &count, e);
    if (!rc) {
        *out = p.out;
        out->count = count;
        cells_init(&p.out);
    }
    gene_plan_release(&p);
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
