/* embed: cells of any source to vectors of a trained model, in memory that does not grow with the
 * counts.
 *
 *   for each input: names, obs, species; then block by block: map genes, tokenise, encode, write
 *   at the end: obs of all inputs, gene vectors
 * What is kept of a cell is its line of obs. The result has its name only when it is whole. */
#include <stdlib.h>
#include <string.h>

#include "lib/app/embed_stream.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/tool.h"
#include "lib/base/version.h"
#include "lib/data/cells_join.h"
#include "lib/io/h5ad_writer.h"
#include "lib/io/json.h"
#include "lib/nn/gene_cosines.h"

static struct {
    const char *model, *species, *labels, *label_column;
    bool random_weights, genes, centre, as_released;
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
    OPT_FLAG("centre", &opt.centre,
             "with --genes: less their mean, which all vectors share a good part of"),
    OPT_FLAG(
        "as-released", &opt.as_released,
        "with --genes: the first cell's genes, each with the mean of what stands at its place in "
        "every cell, which is other genes"),
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
    "Memory does not grow with the counts; of each cell its line of obs is kept. A\n"
    "source is read to its end before the first cell is embedded, since only then it is\n"
    "known to hold counts; a large one waits in a temporary file beside the result.\n"
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
    size_t n, before;   /* cells, and those of earlier inputs */
    size_t d;
    struct embed_report report;
    struct progress progress;
    struct h5ad_writer w;
    double start_s;
    bool first_said;
};

static enum rc write_vectors(void *ctx, const float *x, size_t n, struct err *e)
{
    struct result *r = ctx;
    if (h5ad_writer_add_obsm(&r->w, "X_genecompass", x, n, r->d, e))
        return e->rc;
    if (!r->first_said && r->w.obsm.done) {
        log_say("the first %zu cells were written after %.1f s", (size_t)r->w.obsm.done,
                clock_s() - r->start_s);
        r->first_said = true;
    }
    r->n += n;
    progress_at(&r->progress, r->n);
    return RC_OK;
}

/* Names, obs and numbers of an input whose cells are written. */
static enum rc add_obs(struct result *r, struct cells *head, bool several, struct err *e)
{
    if (several) {
        enum rc rc = cells_name_by_sample(head, e);
        return rc ? rc : cells_append_obs(&r->cells, head, e);
    }
    r->cells.obs = head->obs;
    r->cells.cell = head->cell;
    head->obs = (struct table){ 0 };
    head->cell = NULL;
    return RC_OK;
}

static void warn(const char *path, const struct embed_report *rep)
{
    if (rep->n_empty)
        log_warn("'%s': %zu of %zu cells have no gene that the model knows; their vector is zero",
                 path, rep->n_empty, rep->n_cells);
    if (rep->n_unclear)
        log_warn(
            "'%s': %zu of %zu cells are neither human nor mouse for sure; their vector is zero",
            path, rep->n_unclear, rep->n_cells);
}

static enum rc embed_one(struct embedder *m, const struct tool_args *a, int which, struct result *r,
                         struct err *e)
{
    struct cell_blocks in;
    struct embed_report rep = { 0 };
    const char *path = a->arg.item[which];
    const struct import_options o = { .species = species_parse(opt.species),
                                      .labels = opt.labels,
                                      .label_column = opt.label_column };
    enum rc rc = cell_blocks_open(&in, path, &o, r->w.o.tmp, e);
    if (rc)
        return rc;
    r->before = r->n;
    r->progress.total = r->before + in.head.count.n_rows;
    if (a->arg.n > 1)
        snprintf(r->progress.note, sizeof r->progress.note, "input %d of %d", which + 1, a->arg.n);
    rc = embed_stream(m, &in, opt.overlap, write_vectors, r, &rep, e);
    if (!rc)
        rc = add_obs(r, &in.head, a->arg.n > 1, e);
    if (!rc) {
        r->report.n_cells += rep.n_cells;
        r->report.n_empty += rep.n_empty;
        r->report.n_unclear += rep.n_unclear;
        r->report.n_genes += rep.n_genes;
        warn(path, &rep);
    }
    cell_blocks_close(&in);
    return rc ? err_wrap(e, "'%s'", path) : RC_OK;
}

/* var and varm: genes that were read, with the mean of their vectors; as released, of their places.
 */
static enum rc gene_vectors(struct embedder *m, struct result *r, float **out, struct err *e)
{
    const size_t d = m->model.config.d, all = m->by_place ? m->n_first : m->vocab.n;
    size_t n = 0;
    for (size_t t = 0; t < all; t++)
        n += m->gene_count[t] > 0;
    table_init(&r->cells.var, n);
    r->cells.gene = calloc(n + 1, sizeof *r->cells.gene);
    *out = malloc((n * d + 1) * sizeof **out);
    /* Each pointer is used before the next table_add, which may move the columns. */
    struct column *count = table_add(&r->cells.var, "n_cells", COLUMN_I64);
    for (size_t t = 0, k = 0; count && t < all; t++)
        if (m->gene_count[t])
            count->i64[k++] = (int64_t)m->gene_count[t];
    struct column *name = table_add(&r->cells.var, "gene_name", COLUMN_TEXT);
    if (!r->cells.gene || !*out || !count || !name)
        return err_set(e, RC_FAIL, "no memory for vectors of %zu genes", n);
    for (size_t t = 0, k = 0; t < all; t++) {
        const struct vocab_entry *gene = &m->vocab.entry[m->by_place ? m->first[t] : t];
        if (!m->gene_count[t])
            continue;
        if (table_set_text(&r->cells.var, name, k, gene->name, e))
            return RC_FAIL;
        r->cells.gene[k] = gene->id;
        for (size_t i = 0; i < d; i++)
            (*out)[k * d + i] = (float)(m->gene_sum[t * d + i] / (double)m->gene_count[t]);
        k++;
    }
    if (opt.centre && n)
        gene_vectors_centre(*out, n, d);
    return RC_OK;
}

static enum rc write_result(struct embedder *m, const char *hash, struct result *r, struct err *e)
{
    float *genes = NULL;
    const char *const uns[][2] = {
        { "genecompass_model_sha256", hash },
        { "genecompass_backend", m->model.params.b->name },
        { "genecompass_version", GC_VERSION },
        { "genecompass_weights", opt.random_weights ? "random" : "trained" },
        { "genecompass_gene_vectors", opt.as_released ? "as-released" : "clean" }
    };
    struct h5ad_matrix vectors = { "X_genecompass", 0, r->d, NULL };
    struct h5ad_extra extra = { .uns = uns, .n_uns = opt.as_released ? 5 : 4 };
    enum rc rc = r->n ? RC_OK : h5ad_writer_add_obsm(&r->w, "X_genecompass", NULL, 0, r->d, e);
    if (!rc && opt.genes) {
        rc = gene_vectors(m, r, &genes, e);
        vectors.n_rows = r->cells.var.n_rows;
        vectors.data = genes;
        extra.varm = &vectors;
        extra.n_varm = 1;
    }
    if (rc)
        h5ad_writer_abort(&r->w);
    else
        rc = h5ad_writer_close(&r->w, &r->cells, &extra, e);
    free(genes);
    return rc;
}

static enum rc write_report(const struct tool_args *a, const struct embedder *m, const char *hash,
                            const struct result *r, struct err *e)
{
    if (!a->report)
        return RC_OK;
    return json_write(
        a->report,
        json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I}", "model_sha256", hash, "backend",
                  m->model.params.b->name, "weights", opt.random_weights ? "random" : "trained",
                  "n_cells", (json_int_t)r->n, "n_empty", (json_int_t)r->report.n_empty,
                  "n_unclear", (json_int_t)r->report.n_unclear, "tokens_read",
                  (json_int_t)r->report.n_genes, "width", (json_int_t)m->model.config.d),
        e);
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    struct embedder m;
    struct result r = { .start_s = clock_s() };
    if (tool_need_out(a, e))
        return RC_USAGE;
    if (!opt.model)
        return err_set(e, RC_USAGE, "--model is missing");
    if ((opt.centre || opt.as_released) && !opt.genes)
        return err_set(e, RC_USAGE, "--centre and --as-released go with --genes");
    if (opt.labels && a->arg.n > 1)
        return err_set(e, RC_USAGE, "--labels goes with one input");
    const struct backend *b;
    if (backend_need(a->backend, &b, e))
        return RC_SKIP;
    enum rc rc = embedder_open(
        &m, opt.model, b,
        &(struct embedder_wants){ .hash = true, .genes = opt.genes, .by_place = opt.as_released },
        e);
    if (rc)
        return rc;
    if (opt.random_weights)
        model_randomise(&m.model, a->seed);
    tape_keep_weights(&m.tape, TAPE_KEEP_BYTES);
    embedder_say_backend(b);
    r.d = m.model.config.d;
    rc = h5ad_writer_open(&r.w, a->out, e);
    if (rc) {
        embedder_close(&m);
        return rc;
    }
    progress_start(&r.progress, "cells", 0);
    for (int i = 0; !rc && i < a->arg.n; i++)
        rc = embed_one(&m, a, i, &r, e);
    r.progress.note[0] = '\0';
    if (!rc)
        progress_end(&r.progress);
    const char *hash = rc ? NULL : embedder_sha256(&m, e);
    if (!hash)
        h5ad_writer_abort(&r.w);
    else if (!(rc = write_result(&m, hash, &r, e)))
        rc = write_report(a, &m, hash, &r, e);
    if (!hash && !rc)
        rc = RC_FAIL;
    cells_release(&r.cells);
    embedder_close(&m);
    return rc;
}

int main(int argc, char **argv)
{
    static const struct tool tool = {
        "embed", "INPUT...", "Turn cells (and genes) into vectors of a trained model", text, opts,
        1,       -1
    };
    return tool_main(&tool, run, argc, argv);
}
