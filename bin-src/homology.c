/* homology: do a gene and its homolog get alike vectors? */
#include "lib/app/homology.h"
#include "lib/base/tool.h"

static struct homology_options o = {
    .label = "label", .dataset = "-", .max_cells = 100, .n_pairs = 500, .overlap = 0.1
};

static const struct opt opts[] = {
    OPT_STR("human", &o.human, "FILE", "counts of human cells"),
    OPT_STR("mouse", &o.mouse, "FILE", "counts of mouse cells"),
    OPT_LIST("types", &o.types, "NAME", "labels that cells of both have; one after the other"),
    OPT_STR("label", &o.label, "COLUMN", "the obs column of labels"),
    OPT_STR("human-labels", &o.human_labels, "FILE", "table of barcodes and labels"),
    OPT_STR("mouse-labels", &o.mouse_labels, "FILE", "the same of the mouse cells"),
    OPT_STR("label-column", &o.label_column, "NAME", "their column of labels"),
    OPT_FLAG("same-names", &o.same_names, "the mouse file names its genes by their human homologs"),
    OPT_STR("model", &o.model, "DIR", "a folder that pretrain wrote: step-N"),
    OPT_STR("untaught", &o.untaught, "DIR", "one that was trained without knowledge, to compare"),
    OPT_I64("max-cells", &o.max_cells, "N", "of a type and species, drawn by --seed"),
    OPT_I64("pairs", &o.n_pairs, "N", "of a human and a mouse cell, of each type"),
    OPT_F64("least-overlap", &o.overlap, "NUM", "share of a file's genes that the model must know"),
    OPT_STR("dataset", &o.dataset, "NAME", "what the tables call the cells"),
    OPT_END,
};

static const struct tool tool = {
    "homology",
    "",
    "Compare vectors of homologous genes in human and mouse cells",
    "Takes random pairs of a human and a mouse cell of one type and cosines between the\n"
    "vectors of their genes: homologs, others, and different genes within one cell.\n"
    "Homologs have one token, so part of their likeness is no finding: the methods are the\n"
    "model, the model without its knowledge (tables of zeros), both with random weights,\n"
    "and word-rows, the word table alone, where homologs are equal by construction.\n\n"
    "--out is a folder: metrics.tsv (means, medians, AUROC of homologs against others; p by\n"
    "Mann-Whitney over all cosines, which are not independent, and by Wilcoxon over pairs of\n"
    "cells), densities.tsv (counts of cosines in 100 bins).\n\n"
    "  homology --human human.h5ad --mouse mouse.h5ad --types beta alpha \\\n"
    "      --model results/small/pretrain/step-450 --out homology",
    opts,
    0,
    0
};

static enum rc run(const struct tool_args *a, struct err *e)
{
    if (tool_need_out(a, e))
        return RC_USAGE;
    if (!o.human || !o.mouse || !o.model || !o.types.n)
        return err_set(e, RC_USAGE, "%s is missing",
                       !o.human   ? "--human"
                       : !o.mouse ? "--mouse"
                       : !o.model ? "--model"
                                  : "--types");
    if (o.max_cells < 1 || o.n_pairs < 2 || o.n_pairs > 1000000)
        return err_set(e, RC_USAGE, "a number is out of range");
    const struct backend *b;
    if (backend_need(a->backend, &b, e))
        return RC_SKIP;
    o.out = a->out;
    o.seed = a->seed;
    return homology(&o, b, e);
}

int main(int argc, char **argv)
{
    return tool_main(&tool, run, argc, argv);
}
