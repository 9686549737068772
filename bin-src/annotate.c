/* annotate: cell types. The first word says what to do; each has options and help of its own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/annotate_compare.h"
#include "lib/app/annotate_predict.h"
#include "lib/app/annotate_train.h"
#include "lib/base/tool.h"
#include "lib/io/gnuplot.h"
#include "lib/nn/geneformer.h"

static struct compare_options compare = { .label = "label",
                                          .matrix = "X_genecompass",
                                          .n_seeds = 5,
                                          .n_genes = 2000,
                                          .n_pcs = 50,
                                          .trees = 100,
                                          .tune_epochs = 10,
                                          .tune_genes = 128,
                                          .frozen_epochs = 100,
                                          .batch = 16,
                                          .tune_lr = 5e-4,
                                          .frozen_lr = 1e-3,
                                          .rival_epochs = 20,
                                          .patience = 10,
                                          .tosica_sets = 100,
                                          .geneformer_lr = 5e-4,
                                          .geneformer_layers = 2,
                                          .geneformer_width = 64,
                                          .geneformer_genes = 128,
                                          .geneformer_steps = 500 };

static const struct opt compare_opts[] = {
    OPT_LIST("counts", &compare.counts, "CELLS.h5ad",
             "labelled cells with raw counts (from import or qc-filter)"),
    OPT_LIST("embedding", &compare.embeddings, "NAME=FILE.h5ad",
             "an embedding of these cells, joined by obs cell_id"),
    OPT_LIST("model", &compare.models, "NAME=DIR", "a GeneCompass, trained on as --tune says"),
    OPT_LIST("untrained", &compare.untrained, "NAME=DIR",
             "the same from random weights: without pretraining"),
    OPT_LIST("shuffled", &compare.shuffled, "NAME=DIR",
             "the same with the knowledge of every gene given to another one"),
    OPT_LIST("tune", &compare.tune, "HOW", "some of probe frozen full; else frozen and full"),
    OPT_STR("gene-sets", &compare.gene_sets, "FILE.gmt", "adds tosica: sets of gene names or ids"),
    OPT_STR("medians", &compare.medians, "FILE",
            "adds geneformer-small: what median --normalize depth writes"),
    OPT_LIST("corpus", &compare.corpus, "CELLS.h5ad",
             "cells of the pretraining corpus, with obs content: see below"),
    OPT_STR("ledger", &compare.ledger, "sets.tsv",
            "of the ledger: says how many cells of a sample the model was trained on"),
    OPT_STR("matrix", &compare.matrix, "NAME", "the obsm matrix of the embedding files"),
    OPT_STR("label", &compare.label, "NAME", "the obs column with the cell types"),
    OPT_I64("seeds", &compare.n_seeds, "N", "splits per sample: seeds --seed, --seed + 1, ..."),
    OPT_I64("genes", &compare.n_genes, "N", "most variable genes for the methods on counts"),
    OPT_I64("pcs", &compare.n_pcs, "N", "principal components of these genes"),
    OPT_I64("trees", &compare.trees, "N", "trees of the forest; 0: no forest"),
    OPT_I64("batch", &compare.batch, "N", "cells of a step"),
    OPT_I64("patience", &compare.patience, "N",
            "epochs without a better one until training stops; 0: never"),
    OPT_I64("tune-epochs", &compare.tune_epochs, "N", "passes over the cells of --tune full"),
    OPT_I64("tune-genes", &compare.tune_genes, "N", "its highest ranks of a cell; 0: all"),
    OPT_F64("tune-lr", &compare.tune_lr, "NUM", "its largest learning rate"),
    OPT_I64("frozen-epochs", &compare.frozen_epochs, "N", "passes of --tune frozen"),
    OPT_F64("frozen-lr", &compare.frozen_lr, "NUM", "its largest learning rate"),
    OPT_I64("rival-epochs", &compare.rival_epochs, "N", "passes of tosica and geneformer-small"),
    OPT_I64("tosica-sets", &compare.tosica_sets, "N", "gene sets with most hits that are tokens"),
    OPT_F64("tosica-lr", &compare.tosica_lr, "NUM",
            "its learning rate in the first epoch; 0: the best of 1e-3, 3e-3, 1e-2 and 3e-2 "
            "by validation cells"),
    OPT_F64("geneformer-lr", &compare.geneformer_lr, "NUM", "its largest rate on classes"),
    OPT_I64("geneformer-layers", &compare.geneformer_layers, "N", "its layers"),
    OPT_I64("geneformer-width", &compare.geneformer_width, "N", "its width, 4 heads"),
    OPT_I64("geneformer-genes", &compare.geneformer_genes, "N", "its highest ranks of a cell"),
    OPT_I64("geneformer-steps", &compare.geneformer_steps, "N", "its steps on hidden genes"),
    OPT_FLAG("none-is-fine", &compare.none_is_fine,
             "when no sample has labels, write empty tables instead of an error"),
    OPT_END,
};

static const struct tool compare_tool = {
    "annotate compare",
    "",
    "Tell cell types by models and by simple methods on the same splits",
    "Each sample with labels is a data set. For each seed its cells are split 60/20/20\n"
    "within each type; a method is fitted on the first part, its one setting (penalty c,\n"
    "neighbours k, epoch) is chosen by macro-F1 on the second, and the third is only scored.\n\n"
    "  on counts        majority, hvg+logistic, hvg+svm, pca+logistic, pca+knn, hvg+forest\n"
    "  --embedding      NAME+logistic, NAME+knn\n"
    "  --gene-sets      tosica, on the variable genes; as published but with straight tokens,\n"
    "                   classes balanced within the training cells, an epoch of as many draws\n"
    "                   as there are training cells\n"
    "  --medians        geneformer-small-untrained: Geneformer's network and rank lists in a\n"
    "                   small shape; with --corpus geneformer-small: the same, trained on\n"
    "                   hidden genes of these cells before\n"
    "  --model and so on\n"
    "                   NAME+logistic (probe: on its vectors), NAME+frozen (pooler and\n"
    "                   classifier), NAME+full (everything trained)\n\n"
    "  annotate compare --counts results/demo/qc-filter/*/cells.h5ad \\\n"
    "      --embedding genecompass=results/demo/embed/cells.h5ad \\\n"
    "      --model genecompass=results/demo/pretrain/step-200 \\\n"
    "      --untrained random-weights=results/demo/pretrain/step-200 \\\n"
    "      --out results/demo/annotate\n\n"
    "--out is a folder: predictions.tsv (a line per validation and test cell, method and\n"
    "seed), metrics.tsv, summary.tsv (mean over seeds and half-width of the 95 % interval\n"
    "by Student's t) and comparisons.tsv (differences of two methods on equal splits).\n"
    "A cell that an embedding lacks is left out for every method, and counted. Seeds split\n"
    "the same cells anew, so an interval tells of the split, not of other donors.\n\n"
    "With --corpus metrics.tsv has the share of cells that stand in the corpus (method\n"
    "corpus), told by their counts, and every score once more on the test cells that do\n"
    "not (split test-unseen), where there are any. --ledger has only the share.",
    compare_opts,
    0,
    0
};

static enum rc check_compare(const struct tool_args *a, struct err *e)
{
    const struct {
        const char *option;
        int64_t value, least, most;
    } range[] = { { "seeds", compare.n_seeds, 1, 1000 },
                  { "genes", compare.n_genes, 2, 100000 },
                  { "pcs", compare.n_pcs, 1, 10000 },
                  { "trees", compare.trees, 0, 100000 },
                  { "batch", compare.batch, 1, 1 << 20 },
                  { "patience", compare.patience, 0, 1 << 20 },
                  { "tune-epochs", compare.tune_epochs, 1, 1 << 20 },
                  { "tune-genes", compare.tune_genes, 0, 1 << 20 },
                  { "frozen-epochs", compare.frozen_epochs, 1, 1 << 20 },
                  { "rival-epochs", compare.rival_epochs, 1, 1 << 20 },
                  { "tosica-sets", compare.tosica_sets, 2, 4096 },
                  { "geneformer-layers", compare.geneformer_layers, 1, GENEFORMER_MAX_LAYERS },
                  { "geneformer-width", compare.geneformer_width, 4, 4096 },
                  { "geneformer-genes", compare.geneformer_genes, 1, 65536 },
                  { "geneformer-steps", compare.geneformer_steps, 1, 1 << 30 } };
    if (!compare.counts.n)
        return err_set(e, RC_USAGE, "--counts is missing");
    for (size_t i = 0; i < sizeof range / sizeof *range; i++)
        if (range[i].value < range[i].least || range[i].value > range[i].most)
            return err_set(e, RC_USAGE, "--%s is %lld to %lld, not %lld", range[i].option,
                           (long long)range[i].least, (long long)range[i].most,
                           (long long)range[i].value);
    if (!(compare.tune_lr > 0) || !(compare.frozen_lr > 0) || !(compare.geneformer_lr > 0))
        return err_set(e, RC_USAGE, "learning rates are above 0");
    if (!(compare.tosica_lr >= 0))
        return err_set(e, RC_USAGE, "--tosica-lr is not below 0");
    return tool_need_out(a, e);
}

static enum rc run_compare(const struct tool_args *a, struct err *e)
{
    enum rc rc = check_compare(a, e);
    if (!rc)
        rc = backend_need(a->backend, &compare.backend, e);
    compare.seed = a->seed;
    compare.out = a->out;
    compare.report = a->report;
    if (!rc)
        rc = annotate_compare(&compare, e);
    const struct opt_list *const lists[] = { &compare.counts,   &compare.embeddings,
                                             &compare.models,   &compare.untrained,
                                             &compare.shuffled, &compare.tune,
                                             &compare.corpus };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        free(lists[i]->item);
    return rc;
}

/* ---- train ---- */

static struct train_classifier_options train = { .label = "label",
                                                 .species = "auto",
                                                 .mode = "probe",
                                                 .clip = 1,
                                                 .validation_share = 0.1,
                                                 .sure = 0.95,
                                                 .overlap = 0.1,
                                                 .warmup = 100,
                                                 .patience = 10,
                                                 .micro_rows = 8192 };

static const struct opt train_opts[] = {
    OPT_STR("model", &train.model, "DIR", "a folder that pretrain wrote, or a published model"),
    OPT_STR("label", &train.label, "NAME",
            "the obs column with the cell types; what import finds in a "
            "source under a usual name is in label"),
    OPT_STR("labels", &train.labels, "FILE", "a table of barcodes and labels (one input only)"),
    OPT_STR("label-column", &train.label_column, "NAME", "its column of labels"),
    OPT_CHOICE("species", &train.species, "human|mouse|auto", "whose cells"),
    OPT_CHOICE("mode", &train.mode, "probe|frozen|full", "what is trained; see above"),
    OPT_F64("validation-share", &train.validation_share, "NUM",
            "share of each class by which epoch, penalty and threshold are chosen"),
    OPT_LIST("validation", &train.validation, "CELLS", "labelled cells to choose by instead"),
    OPT_I64("epochs", &train.epochs, "N", "passes over the cells; 0: 100 (frozen) or 50 (full)"),
    OPT_I64("patience", &train.patience, "N",
            "epochs without a better one until it stops; 0: never"),
    OPT_I64("batch", &train.batch, "N", "cells of a step; 0: 16"),
    OPT_F64("lr", &train.lr, "NUM", "largest learning rate; 0: 1e-3 (frozen) or 5e-5 (full)"),
    OPT_I64("warmup", &train.warmup, "N", "steps until it is reached"),
    OPT_F64("weight-decay", &train.weight_decay, "NUM", "for all but biases and LayerNorms"),
    OPT_F64("clip", &train.clip, "NUM", "largest gradient norm; 0: no clipping"),
    OPT_FLAG("balance", &train.balance,
             "weigh classes by the inverse of their cells (frozen, full)"),
    OPT_F64("sure", &train.sure, "NUM",
            "accuracy that named validation cells must reach; less sure cells are 'not sure'"),
    OPT_FLAG("as-released", &train.as_released,
             "as the published notebook does it, defects included; wants --validation"),
    OPT_F64("least-overlap", &train.overlap, "NUM",
            "share of an input's genes that the model must know"),
    OPT_I64("micro-rows", &train.micro_rows, "N", "rows computed at a time: memory"),
    OPT_END,
};

static const struct tool train_tool = {
    "annotate train",
    "CELLS...",
    "Train a classifier of cell types on labelled cells",
    "Takes raw counts in every form that import reads, with labels in obs or in a table. For a\n"
    "probe CELLS may be what embed wrote with the same model: nothing is encoded again.\n\n"
    "  probe    logistic regression on the model's vectors; seconds when they are there,\n"
    "           else about as long as embed takes\n"
    "  frozen   pooler and classifier on top of the model as it is\n"
    "  full     the whole model is trained, as in the paper\n\n"
    "A tenth of each class is held out: by its macro-F1 the epoch (or the penalty) is chosen,\n"
    "and on it the probabilities are calibrated and the threshold is set from which on a\n"
    "cell gets a name. --out is a folder that `annotate predict` needs nothing else for.\n"
    "Cells without a label are left out and counted. A class of one cell is trained on.\n\n"
    "--as-released: frozen encoder layers, one cell a step, 30 epochs, values without their\n"
    "fractions, every cell taken for a human one, the best epoch chosen on --validation,\n"
    "which in the publication was the test set.\n\n"
    "Example:\n"
    "  annotate train reference.h5ad --label cell_type --model results/demo/pretrain/step-200 \\\n"
    "      --out my-types",
    train_opts,
    1,
    -1
};

static enum rc check_train(const struct tool_args *a, struct err *e)
{
    const struct {
        bool bad;
        const char *what;
    } rule[] = {
        { !train.model, "--model is missing" },
        { train.labels && a->arg.n > 1, "--labels goes with one input" },
        { train.as_released && !train.validation.n, "--as-released wants --validation" },
        { train.epochs < 0 || train.batch < 0 || train.warmup < 0 || train.patience < 0,
          "--epochs, --batch, --warmup and --patience are not below 0" },
        { train.batch > 1 << 20 || train.epochs > 1 << 20,
          "--batch and --epochs are at most 1048576" },
        { train.micro_rows < 1, "--micro-rows is at least 1" },
        { !(train.lr >= 0) || !(train.weight_decay >= 0) || !(train.clip >= 0),
          "--lr, --weight-decay and --clip are not below 0" },
        { !(train.validation_share >= 0 && train.validation_share < 1),
          "--validation-share is within [0, 1)" },
        { !(train.sure >= 0 && train.sure <= 1), "--sure is within [0, 1]" },
        { !(train.overlap >= 0 && train.overlap <= 1), "--least-overlap is within [0, 1]" },
    };
    for (size_t i = 0; i < sizeof rule / sizeof *rule; i++)
        if (rule[i].bad)
            return err_set(e, RC_USAGE, "%s", rule[i].what);
    return tool_need_out(a, e);
}

static enum rc run_train(const struct tool_args *a, struct err *e)
{
    enum rc rc = check_train(a, e);
    if (!rc)
        rc = backend_need(a->backend, &train.backend, e);
    train.input = a->arg.item;
    train.n_inputs = (size_t)a->arg.n;
    train.out = a->out;
    train.report = a->report;
    train.seed = a->seed;
    if (!rc)
        rc = annotate_train(&train, e);
    free(train.validation.item);
    return rc;
}

/* ---- predict and evaluate ---- */

static struct predict_options predict = {
    .label = "label", .species = "auto", .threshold = -1, .overlap = 0.1
};

#define PREDICT_OPTS                                                                               \
    OPT_STR("model", &predict.model, "DIR", "a folder that annotate train wrote"),                 \
        OPT_CHOICE("species", &predict.species, "human|mouse|auto", "whose cells"),                \
        OPT_F64("threshold", &predict.threshold, "NUM",                                            \
                "less probable names become 'not sure'; below 0: as train has set it"),            \
        OPT_F64("least-overlap", &predict.overlap, "NUM",                                          \
                "share of an input's genes that the model must know")

static const struct opt predict_opts[] = { PREDICT_OPTS, OPT_END };

static const struct opt evaluate_opts[] = {
    PREDICT_OPTS,
    OPT_STR("label", &predict.label, "NAME", "the obs column with the true cell types"),
    OPT_STR("labels", &predict.labels, "FILE", "a table of barcodes and labels (one input only)"),
    OPT_STR("label-column", &predict.label_column, "NAME", "its column of labels"),
    OPT_STR("templates", &predict.templates, "DIR",
            "the gnuplot templates; else paper/ beside the program"),
    OPT_END,
};

static const struct tool predict_tool = {
    "annotate predict",
    "CELLS...",
    "Name the cells of any source with a trained classifier",
    "Takes raw counts in every form that import reads, or what embed wrote with the model that a\n"
    "probe or a head was trained on. --out is a folder: predictions.tsv,\n"
    "a line per cell with the two most probable names, and cells.h5ad, the cells' obs with\n"
    "cell_type ('not sure' below the threshold), cell_type_best, cell_type_second and\n"
    "cell_type_probability, and their vectors in obsm['X_genecompass'], which `map` draws.\n\n"
    "A probability holds for cells like those of train. It says nothing of another protocol or\n"
    "tissue, nor of a type that train has not seen; a probe warns when vectors lie far away.\n\n"
    "Example:\n"
    "  annotate predict my-cells.h5ad --model my-types --out named\n"
    "  map named/cells.h5ad --out named/map",
    predict_opts,
    1,
    -1
};

static const struct tool evaluate_tool = {
    "annotate evaluate",
    "CELLS...",
    "Score a trained classifier on labelled cells that it has not seen",
    "What predict does, and how right it is: metrics.tsv, classes.tsv (precision, recall and\n"
    "F1 of each class), confusion.tsv and confusion.svg. Cells of classes that the classifier\n"
    "never saw are counted, and left out of every score but accuracy_all.\n\n"
    "Example:\n"
    "  annotate evaluate other-donor.h5ad --label cell_type --model my-types --out scores",
    evaluate_opts,
    1,
    -1
};

static enum rc run_predict(const struct tool_args *a, struct err *e)
{
    char *templates = NULL;
    if (tool_need_out(a, e))
        return e->rc;
    if (!predict.model)
        return err_set(e, RC_USAGE, "--model is missing");
    if (predict.labels && a->arg.n > 1)
        return err_set(e, RC_USAGE, "--labels goes with one input");
    enum rc rc = backend_need(a->backend, &predict.backend, e);
    if (!rc && predict.evaluate && !predict.templates) {
        rc = figure_templates(NULL, &templates, e);
        predict.templates = templates;
    }
    predict.input = a->arg.item;
    predict.n_inputs = (size_t)a->arg.n;
    predict.out = a->out;
    predict.report = a->report;
    predict.seed = a->seed;
    if (!rc)
        rc = annotate_predict(&predict, e);
    free(templates);
    return rc;
}

static enum rc run_evaluate(const struct tool_args *a, struct err *e)
{
    predict.evaluate = true;
    return run_predict(a, e);
}

/* ---- the first word ---- */

static const struct tool_part part[] = {
    { "train", &train_tool, run_train },
    { "predict", &predict_tool, run_predict },
    { "evaluate", &evaluate_tool, run_evaluate },
    { "compare", &compare_tool, run_compare },
};

int main(int argc, char **argv)
{
    static const struct opt none[] = { OPT_END };
    static const struct tool all = {
        "annotate",
        "train|predict|evaluate|compare ...",
        "Cell types: train a classifier, name cells, score names, compare methods",
        "  annotate train CELLS... --model DIR --out TYPES      labelled cells to a classifier\n"
        "  annotate predict CELLS... --model TYPES --out DIR    names for cells\n"
        "  annotate evaluate CELLS... --model TYPES --out DIR   names against labels\n"
        "  annotate compare --counts CELLS... --out DIR         models beside simple methods\n\n"
        "`annotate train --help` and so on tell more.",
        none,
        0,
        -1
    };
    return tool_main_of_parts(&all, part, sizeof part / sizeof *part, argc, argv);
}
