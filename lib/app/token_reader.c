#include "lib/app/token_reader.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cell/gene_map.h"

/* ---- columns ---- */

/* Species of the cells; *n are of none. */
static enum rc species_of(struct token_reader *r, const struct cells *head, struct err *e)
{
    const struct column *c = table_find(&head->obs, "species");
    const size_t n = head->count.n_rows;
    r->species = malloc(n + 1);
    if (!r->species)
        return err_set(e, RC_FAIL, "no memory for %zu cells", n);
    for (size_t i = 0; i < n; i++) {
        const enum species s =
            c && c->kind == COLUMN_TEXT ? species_parse(c->text[i]) : SPECIES_UNKNOWN;
        r->species[i] = (signed char)s;
        if (s != SPECIES_UNKNOWN)
            r->of[s].used = true;
        r->rep.n_unclear += s == SPECIES_UNKNOWN;
    }
    return RC_OK;
}

/* One cell of the species stands for all: what columns are depends on nothing else. */
static enum rc plan_of(const struct token_reader *r, const struct cells *head, enum species s,
                       struct gene_plan *p, struct gene_map_report *map, struct err *e)
{
    const char *name = "cell";
    struct cells one = { .count = { .n_rows = 1, .n_cols = head->count.n_cols },
                         .cell = &name,
                         .gene = head->gene,
                         .var = head->var };
    table_init(&one.obs, 1);
    enum rc rc = table_fill_text(&one.obs, "species", species_name(s), e);
    if (!rc)
        rc = gene_plan_make(&one, &r->m->tables, true, false, p, map, e);
    table_release(&one.obs);
    return rc;
}

static enum rc columns_of(struct token_reader *r, const struct cells *head, enum species s,
                          struct err *e)
{
    struct token_reader_columns *t = &r->of[s];
    struct gene_plan p = { 0 };
    struct gene_map_report map = { 0 };
    const bool mapped = gene_map_done(head);
    enum rc rc = mapped ? RC_OK : plan_of(r, head, s, &p, &map, e);
    if (rc)
        return rc;
    for (size_t j = 0; p.col_species && j < head->count.n_cols; j++)
        if (p.col_species[j] != (signed char)s)
            p.col_to[j] = UINT32_MAX;
    t->n_genes = mapped ? head->count.n_cols : p.out.count.n_cols;
    rc = token_columns_of(&t->columns, mapped ? head->gene : p.out.gene, t->n_genes, &r->m->vocab,
                          &r->m->medians, e);
    t->col_to = p.col_to;
    p.col_to = NULL;
    gene_plan_release(&p);
    r->rep.n_columns += head->count.n_cols;
    r->rep.n_unmatched += map.n_unmatched;
    r->rep.n_tokens += t->columns.n_tokens;
    return rc;
}

enum rc token_reader_open(struct token_reader *r, const struct embedder *m,
                          const struct cells *head, struct err *e)
{
    const struct column *id = table_find(&head->obs, "cell_id");
    *r = (struct token_reader){ .m = m, .max_genes = m->model.config.max_genes };
    token_work_init(&r->work);
    r->cell_id = id && id->kind == COLUMN_I64 ? id->i64 : NULL;
    enum rc rc = species_of(r, head, e);
    for (int s = 0; !rc && s < 2; s++)
        if (r->of[s].used)
            rc = columns_of(r, head, (enum species)s, e);
    if (rc)
        token_reader_close(r);
    return rc;
}

void token_reader_close(struct token_reader *r)
{
    for (int s = 0; s < 2; s++) {
        free(r->of[s].col_to);
        token_columns_release(&r->of[s].columns);
    }
    free(r->species);
    token_work_release(&r->work);
    *r = (struct token_reader){ 0 };
}

/* ---- cells ---- */

/* The block's cells of species s, genes in their columns. keep [n_rows] is room. */
static enum rc select_species(const struct token_reader *r, const struct csr *rows, size_t first,
                              int s, unsigned char *keep, struct csr *out, struct err *e)
{
    size_t n = 0;
    for (size_t i = 0; i < rows->n_rows; i++)
        n += keep[i] = r->species[first + i] == s;
    return n ? csr_select(rows, keep, r->of[s].col_to, r->of[s].n_genes, out, e) : RC_OK;
}

static enum rc tokenize_cell(struct token_reader *r, const struct csr *own, size_t row, int s,
                             struct err *e)
{
    const uint64_t at = own->indptr[row];
    enum rc rc = cell_tokenize(&r->work, &r->of[s].columns, own->index + at, own->value + at,
                               (size_t)(own->indptr[row + 1] - at), r->max_genes, e);
    if (!rc) {
        r->rep.n_genes += r->work.n;
        r->rep.n_empty += !r->work.n;
    }
    return rc;
}

enum rc token_reader_block(struct token_reader *r, const struct csr *rows, size_t first,
                           token_reader_take *take, void *ctx, struct err *e)
{
    struct csr own[2] = { { 0 }, { 0 } };
    size_t at[2] = { 0, 0 };
    unsigned char *keep = malloc(rows->n_rows + 1);
    enum rc rc = keep ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu cells", rows->n_rows);
    for (int s = 0; !rc && s < 2; s++)
        if (r->of[s].used)
            rc = select_species(r, rows, first, s, keep, &own[s], e);
    for (size_t i = 0; !rc && i < rows->n_rows; i++) {
        const size_t row = first + i;
        const int s = r->species[row];
        r->work.n = 0;
        if (s != SPECIES_UNKNOWN)
            rc = tokenize_cell(r, &own[s], at[s]++, s, e);
        r->rep.n_cells++;
        if (!rc)
            rc = take(ctx, row, r->cell_id ? (uint64_t)r->cell_id[row] : row, (enum species)s,
                      &r->work, e);
    }
    csr_release(&own[0]);
    csr_release(&own[1]);
    free(keep);
    return rc;
}

/* ---- a whole file ---- */

static enum rc keep_tokens(void *ctx, size_t row, uint64_t cell_id, enum species s,
                           const struct token_work *w, struct err *e)
{
    return w->n ? cell_tokens_add(ctx, w, cell_id, s, row, e) : RC_OK;
}

enum rc embedder_tokens(const struct embedder *m, const struct cells *c, struct cell_tokens *out,
                        struct embed_report *rep, struct err *e)
{
    struct token_reader r;
    *rep = (struct embed_report){ 0 };
    enum rc rc = token_reader_open(&r, m, c, e);
    if (rc)
        return rc;
    if (r.rep.n_unclear)
        rc = err_set(e, RC_INPUT, "%zu of %zu cells have no species (human or mouse)",
                     r.rep.n_unclear, c->count.n_rows);
    if (!rc)
        rc = token_reader_block(&r, &c->count, 0, keep_tokens, out, e);
    *rep = r.rep;
    token_reader_close(&r);
    return rc;
}

enum rc embedder_check_overlap(const struct embed_report *rep, double least, struct err *e)
{
    const double share = rep->n_columns ? (double)rep->n_tokens / (double)rep->n_columns : 0;
    if (share >= least)
        return RC_OK;
    return err_set(e, RC_INPUT,
                   "only %zu of %zu genes (%.1f %%) are in the model's vocabulary: is it another "
                   "species (--species), or are the names of another kind? --least-overlap %g would "
                   "take them",
                   rep->n_tokens, rep->n_columns, 100 * share, floor(1000 * share) / 1000);
}
