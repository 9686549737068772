/* From a source to cells: which barcodes are cells, which columns are which genes, what is known of
 * both; then the rows, block by block. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/spill.h"
#include "lib/io/droplets.h"
#include "lib/io/import_parts.h"

/* ---- what must be known before the first row goes out ---- */

struct survey {
    uint64_t *total;            /* [cells of the source] over the genes that are kept; or NULL */
    uint64_t (*by_species)[2];  /* [cells of the source] of a mixture; or NULL */
};

static void survey_block(const struct survey *v, const struct gene_list *g, const struct csr *b,
                         size_t first)
{
    for (size_t r = 0; r < b->n_rows; r++)
        for (uint64_t k = b->indptr[r]; k < b->indptr[r + 1]; k++) {
            const uint32_t to = g->col_to[b->index[k]];
            if (to == UINT32_MAX)
                continue;
            if (v->total)
                v->total[first + r] += b->value[k];
            if (v->by_species && g->species[to] != SPECIES_UNKNOWN)
                v->by_species[first + r][g->species[to]] += b->value[k];
        }
}

static enum rc survey_rows(const struct source *s, const struct gene_list *g,
                           const struct survey *v, struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < source_blocks(s); i++) {
        struct csr b = s->count;
        if (s->spooled)
            rc = spool_get_rows(&s->rows, i, &b, e);
        if (!rc)
            survey_block(v, g, &b, source_block_first(s, i));
        if (!rc && s->spooled)
            csr_release(&b);
    }
    return rc;
}

/* Which barcodes are cells; of these, in a mixture, the counts by species move to the front. */
static enum rc call_cells(struct import_plan *p, struct survey *v, size_t n,
                          struct import_report *rep, struct err *e)
{
    for (size_t r = 0; r < n; r++)
        p->keep[r] = 1;
    p->n_cells = n;
    enum rc rc = v->total ? droplets_call(v->total, n, p->keep, &p->n_cells,
                                          &rep->droplet_threshold, e)
                          : RC_OK;
    if (!rc && rep->droplet_threshold)
        rep->n_droplets_dropped = n - p->n_cells;
    for (size_t r = 0, to = 0; v->by_species && r < n; r++) {
        if (p->keep[r])
            memcpy(v->by_species[to++], v->by_species[r], sizeof *v->by_species);
        spill_step(r);
    }
    return rc;
}

static enum rc build_var(const struct gene_list *g, bool mixture, struct cells *out, struct err *e)
{
    table_init(&out->var, g->n);
    out->gene = calloc(g->n + 1, sizeof *out->gene);
    struct column *name = table_add(&out->var, "gene_name", COLUMN_TEXT);
    if (!out->gene || !name)
        return err_set(e, RC_FAIL, "no memory for %zu genes", g->n);
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < g->n; i++) {
        out->gene[i] = arena_text(&out->var.text, g->gene[i]);
        rc = out->gene[i] ? table_set_text(&out->var, name, i, g->name[i], e)
                          : err_set(e, RC_FAIL, "no memory for %zu genes", g->n);
    }
    struct column *sp = !rc && mixture ? table_add(&out->var, "species", COLUMN_TEXT) : NULL;
    if (!rc && mixture && !sp)
        rc = err_set(e, RC_FAIL, "no memory for %zu genes", g->n);
    for (size_t i = 0; !rc && sp && i < g->n; i++)
        rc = table_set_text(&out->var, sp, i,
                            g->species[i] == SPECIES_UNKNOWN ? NULL : species_name(g->species[i]),
                            e);
    return rc;
}

static enum rc copy_columns(struct import_plan *p, const struct gene_list *g, size_t n,
                            struct err *e)
{
    p->col_to = malloc((n + 1) * sizeof *p->col_to);
    if (!p->col_to)
        return err_set(e, RC_FAIL, "no memory for %zu columns", n);
    if (n)
        memcpy(p->col_to, g->col_to, n * sizeof *p->col_to);
    return RC_OK;
}

enum rc import_plan_make(struct source *s, const struct import_options *o, struct import_plan *p,
                         struct cells *out, struct import_report *rep, struct err *e)
{
    const size_t n = s->count.n_rows;
    struct survey v = { 0 };
    struct gene_list g = { 0 };
    *p = (struct import_plan){ 0 };
    snprintf(rep->kind, sizeof rep->kind, "%s", s->kind);
    snprintf(rep->where, sizeof rep->where, "%s", s->where);
    rep->n_source_cells = n;
    rep->n_source_features = s->count.n_cols;
    rep->n_columns_left_out = s->n_columns_left_out;
    rep->n_rounded = s->check.n_rounded;
    enum rc rc = counts_verdict(&s->check, e);
    if (rc)
        return rc;
    p->keep = spill_alloc(n + 1);
    rc = p->keep ? genes_resolve(s, &g, rep, e)
                 : err_set(e, RC_FAIL, "no memory for %zu cells", n);
    if (!rc && ((!o->all_droplets && !(v.total = spill_alloc((n + 1) * sizeof *v.total))) ||
                (rep->mixture && !(v.by_species = spill_alloc((n + 1) * sizeof *v.by_species)))))
        rc = err_set(e, RC_FAIL, "no memory for %zu cells", n);
    if (!rc && (v.total || v.by_species))
        rc = survey_rows(s, &g, &v, e);
    if (!rc)
        rc = call_cells(p, &v, n, rep, e);
    spill_free(v.total);
    rep->n_cells = out->count.n_rows = p->n_cells;
    rep->n_genes = out->count.n_cols = p->n_genes = g.n;
    if (!rc) /* g goes where obs_build takes the source's texts */
        rc = copy_columns(p, &g, s->count.n_cols, e);
    if (!rc)
        rc = build_var(&g, rep->mixture, out, e);
    if (!rc)
        rc = obs_build(s, &g, p->keep, (const uint64_t(*)[2])v.by_species, o, out, rep, e);
    spill_free(v.by_species);
    if (rc)
        import_plan_release(p);
    return rc;
}

void import_plan_release(struct import_plan *p)
{
    spill_free(p->keep);
    free(p->col_to);
    *p = (struct import_plan){ 0 };
}

/* ---- rows ---- */

/* Sorted rows without zeros; entries of one place are summed and counted. */
static enum rc tidy(struct csr *c, struct import_report *rep, struct err *e)
{
    uint64_t before = 0;
    for (uint64_t k = 0; k < csr_nnz(c); k++)
        before += c->value[k] != 0;
    if (csr_tidy(c, e))
        return e ? e->rc : RC_INPUT;
    rep->n_entries_merged += before - csr_nnz(c);
    return RC_OK;
}

static enum rc sum_up(const struct csr *c, size_t first, struct import_report *rep, struct err *e)
{
    for (size_t r = 0; r < c->n_rows; r++)
        for (uint64_t k = c->indptr[r]; k < c->indptr[r + 1]; k++) {
            if (c->value[k] > COUNTS_MAX)
                return err_set(e, RC_INPUT, "cell %zu, gene %u: the sum %u does not fit in 31 bits",
                               first + r + 1, c->index[k] + 1, c->value[k]);
            rep->total += c->value[k];
        }
    rep->nnz += csr_nnz(c);
    return RC_OK;
}

enum rc import_plan_rows(struct import_plan *p, struct source *s, struct csr *out, bool *more,
                         struct import_report *rep, struct err *e)
{
    struct csr b = { 0 };
    *out = (struct csr){ 0 };
    *more = p->block < source_blocks(s);
    if (!*more)
        return RC_OK;
    const size_t first = source_block_first(s, p->block);
    enum rc rc = RC_OK;
    if (s->spooled) {
        rc = spool_get_rows(&s->rows, p->block, &b, e);
    } else {
        b = s->count; /* for the last time */
        s->count.indptr = NULL;
        s->count.index = s->count.value = NULL;
    }
    p->block++;
    if (!rc)
        rc = tidy(&b, rep, e);
    if (!rc)
        rc = csr_select(&b, p->keep + first, p->col_to, p->n_genes, out, e);
    csr_release(&b);
    if (!rc)
        rc = sum_up(out, p->n_sent, rep, e);
    p->n_sent += out->n_rows;
    if (rc)
        csr_release(out);
    return rc;
}

enum rc import_convert(struct source *s, const struct import_options *o,
                       const struct import_sink *sink, struct cells *out,
                       struct import_report *rep, struct err *e)
{
    struct import_plan p;
    struct csr rows;
    bool more = true;
    enum rc rc = import_plan_make(s, o, &p, out, rep, e);
    while (!rc && more) {
        rc = import_plan_rows(&p, s, &rows, &more, rep, e);
        if (!rc && more)
            rc = sink->add(sink->ctx, &rows, e);
        csr_release(&rows);
    }
    import_plan_release(&p);
    return rc;
}
