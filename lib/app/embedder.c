#include "lib/app/embedder.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/model_file.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/io/tables.h"

enum { MAX_ROWS = 8192 };

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
    if (!rc && want->hash)
        rc = sha256_job_start(&m->hash, weights, e);
    if (!rc)
        rc = model_load(&m->model, folder, b, want->training, want->n_classes, e);
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
        const size_t n = want->by_place ? m->model.config.max_genes : m->vocab.n;
        m->by_place = want->by_place;
        m->gene_sum = calloc(n * m->model.config.d, sizeof *m->gene_sum);
        m->gene_count = calloc(n, sizeof *m->gene_count);
        m->gene_row = malloc(m->model.config.d * sizeof *m->gene_row);
        m->first = calloc(m->model.config.max_genes + 1, sizeof *m->first);
        if (!m->gene_sum || !m->gene_count || !m->gene_row || !m->first)
            rc = err_set(e, RC_FAIL, "no memory for vectors of %zu genes", n);
    }
    free(vocab);
    free(medians);
    free(weights);
    if (rc)
        embedder_close(m);
    return rc;
}

const char *embedder_sha256(struct embedder *m, struct err *e)
{
    assert(m->hash.path); /* wanted */
    return sha256_job_wait(&m->hash, e) ? NULL : m->hash.hex;
}

void embedder_say_backend(const struct backend *b)
{
    const char *why;
    const bool f32 = b->real_bytes == sizeof(float) && !b->memory && strcmp(b->name, "cpu") == 0;
    if (f32 && backend_find("cpu-bf16", &why))
        log_say("computes on %s; this processor also has 16-bit products (--backend cpu-bf16), "
                "about twice "
                "as fast, with slightly other vectors",
                b->name);
    else
        log_say("computes on %s", b->name);
}

void embedder_close(struct embedder *m)
{
    sha256_job_release(&m->hash);
    model_release(&m->model);
    vocab_release(&m->vocab);
    medians_release(&m->medians);
    gene_tables_release(&m->tables);
    tape_release(&m->tape);
    arena_release(&m->batch);
    free(m->gene_sum);
    free(m->gene_count);
    free(m->gene_row);
    free(m->first);
    *m = (struct embedder){ 0 };
}

/* Sums of the gene rows, cell by cell in order: each under its gene, or under its place in the
 * cell. */
static void add_genes(struct embedder *m, const struct batch *b, const struct tensor *last)
{
    const size_t d = last->cols;
    for (size_t c = 0, g = 0; m->gene_sum && c < b->n_cells; c++) {
        const bool naming = m->by_place && !m->gene_count[0]; /* the first cell names the places */
        for (uint32_t r = b->first[c] + 1; r < b->first[c + 1]; r++, g++) {
            reals_to_f64(m->model.params.b, m->gene_row,
                         (const char *)last->x + r * d * m->model.params.b->real_bytes, d);
            const size_t at = m->by_place ? r - b->first[c] - 1 : b->id[g];
            for (size_t k = 0; k < d; k++)
                m->gene_sum[at * d + k] += m->gene_row[k];
            if (naming)
                m->first[m->n_first++] = b->id[g];
            m->gene_count[at]++;
        }
    }
}

enum rc embedder_pass(struct embedder *m, const struct batch_cell *cell, size_t n, struct batch *b,
                      struct model_out *out, struct err *e)
{
    const struct model_config *c = &m->model.config;
    const struct model_run run = { 0 };
    arena_reset(&m->batch);
    tape_reset(&m->tape);
    enum rc rc = batch_build(b, &m->batch, cell, n, c->max_genes, c->n_tokens,
                             m->model.tables.homolog, NULL, e);
    if (rc)
        return rc;
    model_encode(&m->model, &m->tape, b, &run, out);
    return tape_check(&m->tape, e);
}

enum rc embedder_encode(struct embedder *m, const struct cell_tokens *t, float *to, struct err *e)
{
    const size_t d = m->model.config.d, bytes = m->model.params.b->real_bytes;
    struct batch b;
    struct model_out out = { .cells_only = !m->gene_sum };
    if (!t->n)
        return RC_OK;
    enum rc rc = embedder_pass(m, t->cell, t->n, &b, &out, e);
    if (rc)
        return rc;
    for (size_t i = 0; i < t->n; i++)
        reals_to_f32(m->model.params.b, to + t->row[i] * d,
                     (const char *)out.last->x + (out.cells_only ? i : b.first[i]) * d * bytes, d);
    add_genes(m, &b, out.last);
    return RC_OK;
}
