#include "lib/app/embedder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/model_file.h"
#include "lib/base/file.h"
#include "lib/cell/gene_map.h"
#include "lib/io/tables.h"

enum {
    MAX_ROWS = 8192,
    FOLD_CELLS = 64 /* about the genes of the vocabulary once */
};

enum rc embedder_open(struct embedder *m, const char *folder, const struct backend *b,
                      const struct embedder_wants *want, struct err *e)
{
    *m = (struct embedder){ .max_rows = MAX_ROWS };
    char *vocab = text_new("%s/vocab.tsv", folder), *medians = text_new("%s/medians.tsv", folder);
    char *weights = model_weights_path(folder, e);
    enum rc rc = !weights           ? (e ? e->rc : RC_INPUT)
                 : vocab && medians ? RC_OK
                                    : err_set(e, RC_FAIL, "no memory for a path");
    arena_init(&m->batch, 1 << 20);
    tape_init(&m->tape, b, false);
    if (!rc && !(rc = model_load(&m->model, folder, b, want->training, want->n_classes, e)))
        rc = sha256_file(weights, m->model_sha256, NULL, e);
    if (!rc)
        rc = vocab_read(vocab, &m->vocab, e);
    if (!rc)
        rc = medians_read(medians, &m->medians, e);
    if (!rc)
        rc = tables_read(folder, &m->tables, e);
    if (!rc && m->vocab.n != m->model.config.n_tokens)
        rc = err_set(e, RC_INPUT, "'%s' has %zu tokens, the model beside it %u", vocab, m->vocab.n,
                     m->model.config.n_tokens);
    if (!rc && want->genes) {
        m->gene_sum = calloc(m->vocab.n * m->model.config.d, sizeof *m->gene_sum);
        m->gene_count = calloc(m->vocab.n, sizeof *m->gene_count);
        if (!m->gene_sum || !m->gene_count)
            rc = err_set(e, RC_FAIL, "no memory for vectors of %zu genes", m->vocab.n);
    }
    free(vocab);
    free(medians);
    free(weights);
    if (rc)
        embedder_close(m);
    return rc;
}

void embedder_close(struct embedder *m)
{
    model_release(&m->model);
    vocab_release(&m->vocab);
    medians_release(&m->medians);
    gene_tables_release(&m->tables);
    tape_release(&m->tape);
    arena_release(&m->batch);
    free(m->gene_sum);
    free(m->gene_count);
    *m = (struct embedder){ 0 };
}

/* Sums of the gene rows, cell by cell in order. */
static void add_genes(struct embedder *m, const struct batch *b, const struct tensor *last)
{
    const size_t d = last->cols;
    double *row = m->gene_sum ? malloc(d * sizeof *row) : NULL;
    for (size_t c = 0, g = 0; row && c < b->n_cells; c++)
        for (uint32_t r = b->first[c] + 1; r < b->first[c + 1]; r++, g++) {
            reals_to_f64(m->model.params.b, row,
                         (const char *)last->x + r * d * m->model.params.b->real_bytes, d);
            for (size_t k = 0; k < d; k++)
                m->gene_sum[b->id[g] * d + k] += row[k];
            m->gene_count[b->id[g]]++;
        }
    free(row);
}

/* What becomes of a tokenised cell. */
struct sink {
    struct cell_tokens *waiting;
    float *to; /* vectors [n_cells, D]; NULL: the tokens are all that is wanted */
    void (*done)(void *, size_t);
    void *ctx;
};

static enum rc flush(struct embedder *m, struct cell_tokens *w, float *to, struct err *e)
{
    const struct model_config *c = &m->model.config;
    struct batch b;
    struct model_out out = { 0 };
    const struct model_run run = { 0 };
    if (!w->n)
        return RC_OK;
    arena_reset(&m->batch);
    tape_reset(&m->tape);
    enum rc rc = batch_build(&b, &m->batch, w->cell, w->n, c->max_genes, c->n_tokens,
                             m->model.tables.homolog, NULL, e);
    if (rc)
        return rc;
    model_encode(&m->model, &m->tape, &b, &run, &out);
    rc = tape_check(&m->tape, e);
    if (rc)
        return rc;
    const size_t bytes = m->model.params.b->real_bytes;
    for (size_t i = 0; i < w->n; i++)
        reals_to_f32(m->model.params.b, to + w->row[i] * c->d,
                     (const char *)out.last->x + b.first[i] * c->d * bytes, c->d);
    add_genes(m, &b, out.last);
    cell_tokens_clear(w);
    return RC_OK;
}

/* Cells of one species whose columns are Ensembl ids. row_of: their rows in the whole. */
static enum rc tokens_of(struct embedder *m, const struct cells *c, enum species s,
                         const size_t *row_of, const struct sink *to, struct embed_report *rep,
                         struct err *e)
{
    struct token_columns columns;
    struct token_work work;
    const struct column *id = table_find(&c->obs, "cell_id");
    enum rc rc = token_columns_of(&columns, c->gene, c->count.n_cols, &m->vocab, &m->medians, e);
    if (rc)
        return rc;
    rep->n_tokens += columns.n_tokens;
    token_work_init(&work);
    for (size_t i = 0; !rc && i < c->count.n_rows; i++) {
        const uint64_t at = c->count.indptr[i];
        rc = cell_tokenize(&work, &columns, c->count.index + at, c->count.value + at,
                           (size_t)(c->count.indptr[i + 1] - at), m->model.config.max_genes, e);
        rep->n_genes += work.n;
        rep->n_empty += !rc && !work.n;
        if (rc || !work.n)
            continue;
        if (to->to && to->waiting->rows && to->waiting->rows + work.n + 1 > m->max_rows) {
            rc = flush(m, to->waiting, to->to, e);
            if (!rc && to->done)
                to->done(to->ctx, i);
        }
        if (!rc)
            rc =
                cell_tokens_add(to->waiting, &work, id ? (uint64_t)id->i64[i] : i, s, row_of[i], e);
    }
    if (!rc && to->to)
        rc = flush(m, to->waiting, to->to, e);
    token_columns_release(&columns);
    token_work_release(&work);
    return rc;
}

/* The cells of one species out of c; *n_rows of them, row_of their places. */
static enum rc pick_species(const struct cells *c, enum species s, struct cells *out,
                            size_t *row_of, size_t *n_rows, struct err *e)
{
    const struct column *species = table_find(&c->obs, "species");
    unsigned char *keep = calloc(c->count.n_rows + 1, 1);
    *n_rows = 0;
    if (!keep)
        return err_set(e, RC_FAIL, "no memory for %zu cells", c->count.n_rows);
    for (size_t i = 0; i < c->count.n_rows; i++)
        if (species && species->kind == COLUMN_TEXT && species_parse(species->text[i]) == s) {
            keep[i] = 1;
            row_of[(*n_rows)++] = i;
        }
    enum rc rc = *n_rows ? cells_select(c, keep, NULL, out, e) : RC_OK;
    free(keep);
    return rc;
}

static enum rc one_species(struct embedder *m, const struct cells *c, enum species s,
                           const struct sink *to, size_t *row_of, struct embed_report *rep,
                           struct err *e)
{
    struct cells mine = { 0 }, mapped = { 0 };
    size_t n = 0;
    struct gene_map_report map = { 0 };
    enum rc rc = pick_species(c, s, &mine, row_of, &n, e);
    if (rc || !n)
        return rc;
    if (gene_map_done(c)) {
        rc = tokens_of(m, &mine, s, row_of, to, rep, e);
    } else {
        rc = gene_map_cells(&mine, &m->tables, true, &mapped, &map, e);
        rep->n_unmatched += map.n_unmatched;
        if (!rc)
            rc = tokens_of(m, &mapped, s, row_of, to, rep, e);
    }
    rep->n_columns += c->count.n_cols;
    rep->n_cells += n;
    cells_release(&mine);
    cells_release(&mapped);
    return rc;
}

static enum rc both_species(struct embedder *m, const struct cells *c, const struct sink *to,
                            struct embed_report *rep, struct err *e)
{
    size_t *row_of = malloc((c->count.n_rows + 1) * sizeof *row_of);
    *rep = (struct embed_report){ 0 };
    if (!row_of)
        return err_set(e, RC_FAIL, "no memory for %zu cells", c->count.n_rows);
    enum rc rc = one_species(m, c, SPECIES_HUMAN, to, row_of, rep, e);
    if (!rc)
        rc = one_species(m, c, SPECIES_MOUSE, to, row_of, rep, e);
    free(row_of);
    if (!rc && rep->n_cells != c->count.n_rows)
        rc = err_set(e, RC_INPUT, "%zu of %zu cells have no species (human or mouse)",
                     c->count.n_rows - rep->n_cells, c->count.n_rows);
    return rc;
}

enum rc embedder_cells(struct embedder *m, const struct cells *c, float *to,
                       struct embed_report *rep, void (*done)(void *ctx, size_t n), void *ctx,
                       struct err *e)
{
    struct cell_tokens waiting;
    const struct sink sink = { &waiting, to, done, ctx };
    cell_tokens_init(&waiting);
    if (c->count.n_rows >= FOLD_CELLS && !m->model.folded.table && model_fold(&m->model, e))
        return e ? e->rc : RC_FAIL;
    memset(to, 0, c->count.n_rows * m->model.config.d * sizeof *to); /* of cells without tokens */
    enum rc rc = both_species(m, c, &sink, rep, e);
    cell_tokens_release(&waiting);
    return rc;
}

enum rc embedder_tokens(struct embedder *m, const struct cells *c, struct cell_tokens *out,
                        struct embed_report *rep, struct err *e)
{
    const struct sink sink = { .waiting = out };
    return both_species(m, c, &sink, rep, e);
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
