/* GeneCompass + CAME (spec 05 section 6): gene nodes start from the model's contextual vectors, for
 * each species the mean over its own cells. A node whose gene the model never saw in them has none.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/app/cross_species_parts.h"
#include "lib/app/token_reader.h"
#include "lib/base/log.h"
#include "lib/cell/gene_map.h"
#include "lib/nn/came.h"

#define LEAST_OVERLAP 0.1

/* Whose names the columns are: a set of mouse cells may come with human ones. More matches win; of
 * equals, the cells' own species. */
static enum species names_of(const struct cells *c, const struct gene_tables *t, enum species own,
                             uint32_t *row_of)
{
    struct gene_map_report r[2];
    const enum species other = own == SPECIES_HUMAN ? SPECIES_MOUSE : SPECIES_HUMAN;
    gene_map_columns(c, t, other, true, row_of, &r[1]);
    gene_map_columns(c, t, own, true, row_of, &r[0]);
    if (r[1].n_unmatched >= r[0].n_unmatched)
        return own;
    gene_map_columns(c, t, other, true, row_of, &r[1]);
    return other;
}

/* As many cells at a time as max_rows allows, at least one. */
static enum rc encode_batches(struct embedder *m, const struct cell_tokens *all, float *x,
                              struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t at = 0, n; !rc && at < all->n; at += n) {
        size_t rows = 0;
        for (n = 0; at + n < all->n && (!n || rows + all->cell[at + n].n + 1 <= m->max_rows); n++)
            rows += all->cell[at + n].n + 1;
        const struct cell_tokens some = { .cell = all->cell + at,
                                          .row = all->row + at,
                                          .n = n,
                                          .rows = rows };
        rc = embedder_encode(m, &some, x, e);
    }
    return rc;
}

static enum rc encode(struct embedder *m, const struct cells *c, enum species names,
                      enum species own, struct err *e)
{
    struct cells named = { 0 }, mapped = { 0 };
    struct gene_map_report map;
    struct embed_report rep;
    struct cell_tokens tokens;
    cell_tokens_init(&tokens);
    enum rc rc = cells_select(c, NULL, NULL, &named, e);
    if (!rc)
        rc = table_fill_text(&named.obs, "species", species_name(names), e);
    if (!rc)
        rc = gene_map_cells(&named, &m->tables, true, &mapped, &map, e);
    if (!rc)
        rc = table_fill_text(&mapped.obs, "species", species_name(own), e);
    if (!rc)
        rc = embedder_tokens(m, &mapped, &tokens, &rep, e);
    if (!rc)
        rc = embedder_check_overlap(&rep, LEAST_OVERLAP, e);
    float *x = rc ? NULL : malloc((mapped.count.n_rows * m->model.config.d + 1) * sizeof *x);
    if (!rc && !x)
        rc = err_set(e, RC_FAIL, "no memory for vectors of %zu cells", mapped.count.n_rows);
    if (!rc)
        rc = encode_batches(m, &tokens, x, e);
    free(x);
    cell_tokens_release(&tokens);
    cells_release(&named);
    cells_release(&mapped);
    return rc;
}

/* Rows of the nodes of set s. */
static enum rc take_vectors(struct cross_job *j, const struct embedder *m, int s,
                            const uint32_t *row_of, struct mat *x, bool *has, struct err *e)
{
    const size_t d = m->model.config.d, from = s ? j->g.n_reference_nodes : 0,
                 to = s ? j->g.n_nodes : j->g.n_reference_nodes;
    struct map column;
    enum rc rc = RC_OK;
    map_init(&column);
    for (size_t k = 0; !rc && k < j->count[s]->n_cols; k++)
        rc = map_add(&column, j->gene[s][k], k, NULL, e);
    for (size_t i = from; !rc && i < to; i++) {
        const uint32_t row = row_of[map_get(&column, j->g.node[i])];
        const int32_t token =
            row == GENE_NONE ? -1 : vocab_token(&m->vocab, m->tables.gene[row].id);
        if (token < 0 || !m->gene_count[token])
            continue;
        has[i] = true;
        j->n_vectors++;
        for (size_t k = 0; k < d; k++)
            mat_row(x, i)[k] = m->gene_sum[(size_t)token * d + k] / (double)m->gene_count[token];
    }
    map_release(&column);
    return rc;
}

static enum rc one_side(struct cross_job *j, struct embedder *m, int s, struct mat *x, bool *has,
                        struct err *e)
{
    const struct cells *c = &j->cells[s];
    uint32_t *row_of = malloc((c->count.n_cols + 1) * sizeof *row_of);
    if (!row_of)
        return err_set(e, RC_FAIL, "no memory for %zu genes", c->count.n_cols);
    memset(m->gene_sum, 0, m->vocab.n * m->model.config.d * sizeof *m->gene_sum);
    memset(m->gene_count, 0, m->vocab.n * sizeof *m->gene_count);
    const enum species names = names_of(c, &m->tables, j->species[s], row_of);
    enum rc rc = encode(m, c, names, j->species[s], e);
    if (!rc)
        rc = take_vectors(j, m, s, row_of, x, has, e);
    free(row_of);
    return rc;
}

enum rc cross_vectors(struct cross_job *j, struct err *e)
{
    struct embedder m;
    struct mat x = { 0 };
    enum rc rc =
        embedder_open(&m, j->o->model, j->o->backend, &(struct embedder_wants){ .genes = true }, e);
    if (rc)
        return err_wrap(e, "the model");
    bool *has = calloc(j->g.n_nodes + 1, sizeof *has);
    rc = has ? mat_alloc(&x, j->g.n_nodes, m.model.config.d, e)
             : err_set(e, RC_FAIL, "no memory for %zu genes", j->g.n_nodes);
    for (int s = 0; !rc && s < CAME_SETS; s++)
        rc = one_side(j, &m, s, &x, has, e);
    if (!rc && !j->n_vectors)
        rc = err_set(e, RC_INPUT, "no gene of the graph has a vector of the model");
    if (!rc) {
        came_standardise(&x, has);
        log_say("%zu of %zu genes start from a vector of the model", j->n_vectors, j->g.n_nodes);
        j->vector = x.x;
        j->d_vector = x.d;
    } else {
        mat_release(&x);
    }
    free(has);
    embedder_close(&m);
    return rc;
}
