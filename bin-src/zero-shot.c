/* zero-shot: what embeddings are worth as they are. */
#include "lib/app/zero_shot.h"
#include "lib/base/tool.h"

static struct zero_shot_options o = { .label = "label",
                                      .matrix = "X_genecompass",
                                      .n_seeds = 5,
                                      .n_genes = 2000,
                                      .n_pcs = 50,
                                      .k = 15 };

static const struct opt opts[] = {
    OPT_LIST("counts", &o.counts, "CELLS.h5ad",
             "labelled cells with raw counts (from import or qc-filter)"),
    OPT_LIST("embedding", &o.embeddings, "NAME=FILE.h5ad",
             "an embedding of these cells, joined by obs cell_id"),
    OPT_LIST("batches", &o.batches, "NAME=SAMPLE,SAMPLE",
             "also a data set of several samples, which are its batches"),
    OPT_STR("matrix", &o.matrix, "NAME", "the obsm matrix of the embedding files"),
    OPT_STR("label", &o.label, "NAME", "the obs column with the cell types"),
    OPT_I64("neighbours", &o.k, "N", "nearest cells that are looked at"),
    OPT_I64("seeds", &o.n_seeds, "N", "draws of the folds: seeds --seed, --seed + 1, ..."),
    OPT_I64("genes", &o.n_genes, "N", "most variable genes for hvg+pca"),
    OPT_I64("pcs", &o.n_pcs, "N", "principal components of these genes"),
    OPT_FLAG("none-is-fine", &o.none_is_fine,
             "when no sample has labels, write an empty table instead of an error"),
    OPT_END,
};

static const struct tool tool = {
    "zero-shot",
    "",
    "Score embeddings of cells as they are, without training anything",
    "Each sample with labels is a data set. Beside the embeddings stand hvg+pca (principal\n"
    "components of the most variable genes of the data set) and, for names, majority.\n\n"
    "--out is a folder with metrics.tsv:\n"
    "  macro_f1, accuracy   split 5-fold: a cell is named by its nearest cells in the other\n"
    "                       four folds; other-batch: by those in the other batches\n"
    "  silhouette           of the labels, -1 to 1\n"
    "  same_label           share of the nearest cells with the cell's own label\n"
    "  other_batch          share of the nearest cells from another batch (method\n"
    "                       shuffled-cells: were batches of no matter)\n"
    "  batch_lisi           number of batches near a cell, 1 to their number\n\n"
    "  zero-shot --counts results/demo/qc-filter/*/cells.h5ad \\\n"
    "      --embedding genecompass=results/demo/embed/cells.h5ad \\\n"
    "      --batches lines=mixology_celseq2,mixology_dropseq --out zero-shot\n\n"
    "Batches that mix are good only where labels stay apart: read the two together.",
    opts,
    0,
    0
};

static enum rc run(const struct tool_args *a, struct err *e)
{
    if (tool_need_out(a, e))
        return RC_USAGE;
    if (!o.counts.n)
        return err_set(e, RC_USAGE, "--counts is missing");
    if (o.n_seeds < 1 || o.n_seeds > 1000 || o.n_genes < 2 || o.n_genes > 100000 || o.n_pcs < 1 ||
        o.n_pcs > 10000 || o.k < 1 || o.k > 1000)
        return err_set(e, RC_USAGE, "a number is out of range (--neighbours and --seeds 1..1000)");
    o.seed = a->seed;
    o.out = a->out;
    o.report = a->report;
    return zero_shot(&o, e);
}

int main(int argc, char **argv)
{
    return tool_main(&tool, run, argc, argv);
}
