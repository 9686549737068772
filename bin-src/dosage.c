/* dosage: are genes sensitive to their dosage told from others? */
#include <stdlib.h>

#include "lib/app/dosage.h"
#include "lib/base/tool.h"

static struct dosage_options o = {
    .species = "human", .dataset = "-", .n_cells = 500, .n_folds = 5, .n_seeds = 5, .n_tuned = 1,
    .epochs = 1, .micro_rows = 4096, .overlap = 0.1
};

static const struct opt opts[] = {
    OPT_STR("labels", &o.labels, "FILE", "table: ensembl_id gene_name dosage_insensitive dosage_sensitive"),
    OPT_STR("lengths", &o.lengths, "FILE", "table of gene lengths: ensgene start end"),
    OPT_STR("list", &o.list, "FILE", "gene_name of a list; do the labels follow it?"),
    OPT_LIST("expression", &o.expression, "FILE", "counts for the simple statistics, else COUNTS"),
    OPT_STR("model", &o.model, "DIR", "a folder that pretrain wrote: step-N"),
    OPT_CHOICE("species", &o.species, "human|mouse|auto", "of count files that do not say it"),
    OPT_I64("cells", &o.n_cells, "N", "to learn from, and as many to judge in"),
    OPT_I64("folds", &o.n_folds, "N", "of genes; fewer where a class has too few genes"),
    OPT_I64("seeds", &o.n_seeds, "N", "foldings for methods that leave the model as it is"),
    OPT_I64("tune-seeds", &o.n_tuned, "N", "foldings with the model trained; 0: none"),
    OPT_I64("epochs", &o.epochs, "N", "of a training"),
    OPT_I64("batch", &o.batch, "N", "cells of a step; 0: 12"),
    OPT_F64("lr", &o.lr, "NUM", "largest rate; 0: 5e-5"),
    OPT_FLAG("as-released", &o.as_released, "the published procedure; see above"),
    OPT_I64("micro-rows", &o.micro_rows, "N", "genes computed at a time; changes no result but memory"),
    OPT_F64("least-overlap", &o.overlap, "NUM", "share of a file's genes that the model must know"),
    OPT_STR("dataset", &o.dataset, "NAME", "what the tables call the cells"),
    OPT_END,
};

static const struct tool tool = {
    "dosage",
    "COUNTS...",
    "Tell genes that are sensitive to their dosage from others",
    "Deals the genes with a label out to folds and tells those of one fold by what was\n"
    "learnt from the others: by the whole model trained to classify the genes of a cell\n"
    "(+full), and by logistic regression on mean vectors of the model as it is (+logistic).\n"
    "Beside them: the same with random weights, with the labels shuffled, without the\n"
    "knowledge tables (zeros), word rows alone,\n"
    "the length of the gene, statistics of its counts, and both of these.\n\n"
    "--as-released trains as published: two thirds of the layers stay as they are, 500 steps\n"
    "of warm-up, values without fractions, no species; AUC of occurrences, folds weighed by\n"
    "the points of their curves. (The published class itself ends with an error, as its rows\n"
    "count the species in; they are left out here.)\n\n"
    "--out is a folder: metrics.tsv (auroc_gene, auroc_occurrence; auroc_all_genes of methods\n"
    "without a model, over all genes with a label), summary.tsv (with 95 % intervals over\n"
    "folds and seeds), features.tsv (AUC of one number at a time), predictions.tsv,\n"
    "report.json. In the split each-fold, seed 203 is fold 3 of seed 2.\n\n"
    "  dosage cells.h5ad --labels dosage_sens_tf_labels.csv --lengths grch38.tsv.gz \\\n"
    "      --list exac_lof_pLI_genes.txt --model results/small/pretrain/step-450 --out dosage",
    opts,
    1,
    -1
};

static enum rc run(const struct tool_args *a, struct err *e)
{
    if (tool_need_out(a, e))
        return RC_USAGE;
    if (!o.labels || !o.model)
        return err_set(e, RC_USAGE, "%s is missing", !o.labels ? "--labels" : "--model");
    if (o.n_cells < 1 || o.n_folds < 2 || o.n_folds > 99 || o.n_seeds < 1 || o.n_seeds > 1000 ||
        o.n_tuned < 0 || o.n_tuned > 1000 || o.epochs < 1 || o.epochs > 1000 || o.batch < 0 || o.batch > 65536 ||
        o.micro_rows < 1 || !(o.lr >= 0) || o.lr > 1)
        return err_set(e, RC_USAGE, "a number is out of range");
    if (o.as_released && !o.n_tuned)
        return err_set(e, RC_USAGE, "--as-released trains the model: --tune-seeds must be above 0");
    const struct backend *b;
    if (backend_need(a->backend, &b, e))
        return RC_SKIP;
    o.inputs = a->arg;
    o.out = a->out;
    o.report = a->report;
    o.seed = a->seed;
    return dosage(&o, b, e);
}

int main(int argc, char **argv)
{
    const int status = tool_main(&tool, run, argc, argv);
    free(o.expression.item);
    return status;
}
