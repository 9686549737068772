/* embed: cells of any source to vectors of a trained model.
 *
 *   for each input: import (or read what a stage of ours wrote), map genes, tokenise, encode
 *   join the inputs' obs, write one .h5ad with obsm['X_genecompass']
 * An input's counts are dropped before the next is read. */
#include <stdlib.h>
#include <string.h>

#include "lib/app/cell_input.h"
#include "lib/app/embedder.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/tool.h"
#include "lib/base/version.h"
#include "lib/data/cells_join.h"
#include "lib/io/h5ad.h"
#include "lib/io/json.h"

static struct {
    const char *model, *species, *labels, *label_column;
    bool random_weights, genes;
    double overlap;
} opt = { .species = "auto", .overlap = 0.1 };

static const struct opt opts[] = {
    OPT_STR("model", &opt.model, "DIR", "a folder that pretrain wrote: step-N"),
    OPT_CHOICE("species", &opt.species, "human|mouse|auto",
               "whose cells; auto tells it from the "
               "names of the genes"),
    OPT_STR("labels", &opt.labels, "FILE", "table of barcodes and labels (one input only)"),
    OPT_STR("label-column", &opt.label_column, "NAME", "its column of labels"),
    OPT_FLAG("genes", &opt.genes,
             "also varm['X_genecompass']: each gene's vector in its cells, "
             "averaged"),
    OPT_F64("least-overlap", &opt.overlap, "NUM",
            "share of an input's genes that the model must know"),
    OPT_FLAG("random-weights", &opt.random_weights,
             "draw the weights anew from --seed: the baseline of an untrained model"),
    OPT_END,
};

static const char text[] =
    "Takes raw counts in every form that import reads, several files at once. The\n"
    "result has the cells' obs and their vectors in obsm['X_genecompass'] (one row a\n"
    "cell, the species token of the last layer). Cells without a known gene get zeros\n"
    "and are counted. No quality control is done: filter first if you want it.\n"
    "\n"
    "A published checkpoint is a model, too: a folder with its config.json and\n"
    "pytorch_model.bin, vocab.tsv and medians.tsv (import-pickle makes them of the\n"
    "dictionaries beside it), and genes.tsv and aliases.tsv (gene-tables).\n"
    "\n"
    "Example:\n"
    "  embed lung.h5ad --model results/demo/pretrain/step-1000 --out lung.emb.h5ad";

/* What has been embedded so far. */
struct result {
    struct cells cells; /* obs and names only */
    float *x;
    size_t n;
    struct embed_report report;
    struct progress progress;
    size_t before; /* cells of earlier inputs */
};

static void show(void *ctx, size_t n)
{
    struct result *r = ctx;
    progress_at(&r->progress, r->before + n);
}

static enum rc embed_one(struct embedder *m, const char *path, struct result *r, bool several,
                         struct err *e)
{
    struct cells c;
    struct embed_report rep;
    const size_t d = m->model.config.d;
    const struct import_options o = { .species = species_parse(opt.species),
                                      .labels = opt.labels,
                                      .label_column = opt.label_column };
    enum rc rc = cell_input_read(path, &o, &c, e);
    if (rc)
        return rc;
    float *x = realloc(r->x, (r->n + c.count.n_rows + 1) * d * sizeof *x);
    if (!x)
        rc = err_set(e, RC_FAIL, "no memory for %zu vectors", r->n + c.count.n_rows);
    else
        r->x = x;
    r->before = r->n;
    if (!rc)
        rc = embedder_cells(m, &c, r->x + r->n * d, &rep, show, r, e);
    if (!rc)
        rc = embedder_check_overlap(&rep, opt.overlap, e);
    if (!rc && several)
        rc = cells_name_by_sample(&c, e);
    if (!rc)
        rc = cells_append_obs(&r->cells, &c, e);
    if (!rc) {
        r->n += c.count.n_rows;
        r->report.n_cells += rep.n_cells;
        r->report.n_empty += rep.n_empty;
        r->report.n_genes += rep.n_genes;
        if (rep.n_empty)
            log_warn("'%s': %zu of %zu cells have no gene that the model knows; their vector is "
                     "zero",
                     path, rep.n_empty, rep.n_cells);
        progress_at(&r->progress, r->n);
    } else {
        err_wrap(e, "'%s'", path);
    }
    cells_release(&c);
    return rc;
}

/* var and varm: genes that were read, with the mean of their vectors. */
static enum rc gene_vectors(struct embedder *m, struct result *r, float **out, struct err *e)
{
    const size_t d = m->model.config.d;
    size_t n = 0;
    for (size_t t = 0; t < m->vocab.n; t++)
        n += m->gene_count[t] > 0;
    table_init(&r->cells.var, n);
    r->cells.gene = calloc(n + 1, sizeof *r->cells.gene);
    *out = malloc((n * d + 1) * sizeof **out);
    /* Each pointer is used before the next table_add, which may move the columns. */
    struct column *count = table_add(&r->cells.var, "n_cells", COLUMN_I64);
    for (size_t t = 0, k = 0; count && t < m->vocab.n; t++)
        if (m->gene_count[t])
            count->i64[k++] = (int64_t)m->gene_count[t];
    struct column *name = table_add(&r->cells.var, "gene_name", COLUMN_TEXT);
    if (!r->cells.gene || !*out || !count || !name)
        return err_set(e, RC_FAIL, "no memory for vectors of %zu genes", n);
    for (size_t t = 0, k = 0; t < m->vocab.n; t++) {
        if (!m->gene_count[t])
            continue;
        if (table_set_text(&r->cells.var, name, k, m->vocab.entry[t].name, e))
            return RC_FAIL;
        r->cells.gene[k] = m->vocab.entry[t].id;
        for (size_t i = 0; i < d; i++)
            (*out)[k * d + i] = (float)(m->gene_sum[t * d + i] / (double)m->gene_count[t]);
        k++;
    }
    return RC_OK;
}

static enum rc write_result(struct embedder *m, struct result *r, const char *path, struct err *e)
{
    const size_t d = m->model.config.d;
    float *genes = NULL;
    const char *const uns[][2] = { { "genecompass_model_sha256", m->model_sha256 },
                                   { "genecompass_backend", m->model.params.b->name },
                                   { "genecompass_version", GC_VERSION },
                                   { "genecompass_weights",
                                     opt.random_weights ? "random" : "trained" } };
    const struct h5ad_matrix cells = { "X_genecompass", r->n, d, r->x };
    struct h5ad_matrix vectors = { "X_genecompass", 0, d, NULL };
    enum rc rc = RC_OK;
    struct h5ad_extra extra = { .obsm = &cells, .n_obsm = 1, .uns = uns, .n_uns = 4 };
    if (opt.genes) {
        rc = gene_vectors(m, r, &genes, e);
        vectors.n_rows = r->cells.var.n_rows;
        vectors.data = genes;
        extra.varm = &vectors;
        extra.n_varm = 1;
    }
    r->cells.count.n_rows = r->n;
    r->cells.count.n_cols = r->cells.var.n_rows;
    if (!rc)
        rc = h5ad_write(path, &r->cells, &extra, e);
    free(genes);
    return rc;
}

static enum rc write_report(const struct tool_args *a, const struct embedder *m,
                            const struct result *r, struct err *e)
{
    if (!a->report)
        return RC_OK;
    return json_write(a->report,
                      json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I}", "model_sha256",
                                m->model_sha256, "backend", m->model.params.b->name, "weights",
                                opt.random_weights ? "random" : "trained", "n_cells",
                                (json_int_t)r->n, "n_empty", (json_int_t)r->report.n_empty,
                                "tokens_read", (json_int_t)r->report.n_genes, "width",
                                (json_int_t)m->model.config.d),
                      e);
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    const char *why;
    struct embedder m;
    struct result r = { 0 };
    if (tool_need_out(a, e))
        return RC_USAGE;
    if (!opt.model)
        return err_set(e, RC_USAGE, "--model is missing");
    if (opt.labels && a->arg.n > 1)
        return err_set(e, RC_USAGE, "--labels goes with one input");
    const struct backend *b = backend_find(a->backend, &why);
    if (!b)
        return err_set(e, RC_SKIP, "no backend '%s': %s", a->backend, why);
    enum rc rc = embedder_open(&m, opt.model, b, &(struct embedder_wants){ .genes = opt.genes }, e);
    if (rc)
        return rc;
    if (opt.random_weights)
        model_randomise(&m.model, a->seed);
    log_say("computes on %s", b->name);
    progress_start(&r.progress, "cells", 0);
    for (int i = 0; !rc && i < a->arg.n; i++)
        rc = embed_one(&m, a->arg.item[i], &r, a->arg.n > 1, e);
    if (!rc)
        progress_end(&r.progress);
    if (!rc)
        rc = write_result(&m, &r, a->out, e);
    if (!rc)
        rc = write_report(a, &m, &r, e);
    free(r.x);
    cells_release(&r.cells);
    embedder_close(&m);
    return rc;
}

int main(int argc, char **argv)
{
    static const struct tool tool = {
        "embed", "INPUT...", "Turn cells (and genes) into vectors of a trained model", text, opts, 1, -1
    };
    return tool_main(&tool, run, argc, argv);
}
