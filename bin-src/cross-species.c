/* cross-species: names for the cells of one species, learnt from labelled cells of another. */
#include "lib/app/cross_species.h"
#include "lib/base/tool.h"

static struct cross_options o = { .label = "label",
                                  .species = { "auto", "auto" },
                                  .hidden = -1,
                                  .least_overlap = 0.05,
                                  .dataset = "pair",
                                  .n_seeds = 20,
                                  .n_epochs = 350,
                                  .first = 100,
                                  .width = 128 };

static const struct opt opts[] = {
    OPT_STR("tables", &o.tables, "DIR",
            "folder of gene-tables: names, and homologs of mouse genes"),
    OPT_STR("homologs", &o.homologs, "FILE",
            "or a table with a header whose first column names genes of the reference, the "
            "second those of the query (.csv: commas; else tabs)"),
    OPT_FLAG("same-names", &o.same_names, "or: homologs have the same name in both files"),
    OPT_STR("model", &o.model, "DIR",
            "a model of pretrain: train once more with its gene vectors in the graph"),
    OPT_STR("label", &o.label, "NAME", "the obs column with the cell types"),
    OPT_STR("reference-labels", &o.labels[0], "FILE", "a table of barcodes and labels"),
    OPT_STR("query-labels", &o.labels[1], "FILE", "the same of the query, only to score"),
    OPT_STR("label-column", &o.label_column, "NAME", "the column of labels of these tables"),
    OPT_CHOICE("reference-species", &o.species[0], "human|mouse|auto", "whose cells"),
    OPT_CHOICE("query-species", &o.species[1], "human|mouse|auto", "whose cells"),
    OPT_F64("hidden", &o.hidden, "NUM",
            "a check without a query: half of the reference's cells as if they were of the other "
            "species, this share of their genes hidden; below 0: no check"),
    OPT_F64("least-overlap", &o.least_overlap, "NUM",
            "1-to-1 homologs that both files must have, as a share of the smaller one's genes"),
    OPT_STR("dataset", &o.dataset, "NAME", "what the tables call this pair"),
    OPT_I64("seeds", &o.n_seeds, "N", "trainings: seeds --seed, --seed + 1, ..."),
    OPT_I64("epochs", &o.n_epochs, "N", "steps of a training, each over all cells"),
    OPT_I64("first", &o.first, "N", "the first of them that may be chosen, counted from 1"),
    OPT_I64("width", &o.width, "N", "width of the network"),
    OPT_END,
};

static enum rc run(const struct tool_args *a, struct err *e)
{
    if (tool_need_out(a, e))
        return RC_USAGE;
    if ((o.tables != NULL) + (o.homologs != NULL) + o.same_names != 1)
        return err_set(e, RC_USAGE, "one of --tables, --homologs and --same-names is needed");
    if (o.n_seeds < 1 || o.n_seeds > 1000)
        return err_set(e, RC_USAGE, "--seeds is 1 to 1000");
    if (o.first < 1 || o.n_epochs < o.first || o.n_epochs > 1 << 20)
        return err_set(e, RC_USAGE, "--epochs is --first to 1048576, and --first at least 1");
    if (o.width < 1 || o.width > 4096)
        return err_set(e, RC_USAGE, "--width is 1 to 4096");
    if (backend_need(a->backend, &o.backend, e))
        return RC_SKIP;
    if (!(o.least_overlap >= 0 && o.least_overlap <= 1))
        return err_set(e, RC_USAGE, "--least-overlap is within [0, 1]");
    if (!(o.hidden < 1))
        return err_set(e, RC_USAGE, "--hidden is below 1");
    if ((a->arg.n == 2) != (o.hidden < 0))
        return err_set(e, RC_USAGE, "%s",
                       o.hidden < 0 ? "a reference and a query are needed"
                                    : "--hidden takes the query from the reference");
    o.reference = a->arg.item[0];
    o.query = a->arg.n == 2 ? a->arg.item[1] : NULL;
    o.report = a->report;
    o.out = a->out;
    o.seed = a->seed;
    return cross_species(&o, e);
}

int main(int argc, char **argv)
{
    static const struct tool tool = {
        "cross-species",
        "REFERENCE [QUERY]",
        "Name the cells of one species by labelled cells of another (CAME)",
        "Takes raw counts of human and of mouse cells, as import wrote them or in any form that "
        "it\n"
        "reads. The cell types of the reference are learnt; those of the query, where it has any,\n"
        "only score.\n\n"
        "CAME (Liu et al. 2023) joins cells and genes of both species in one graph: a cell with\n"
        "the genes that it expresses, a gene with its homologs (also where one gene has\n"
        "several), a cell with similar cells. A graph network is trained on the reference's\n"
        "labels; the epoch is chosen by how well the names of the query cells agree with their\n"
        "own clusters, so without a label of theirs. Names (variant clean) are the mean of 20\n"
        "passes with dropout; the published package takes one, without dropout in its last\n"
        "layer (as-released), and the paper scores the training pass of that epoch (at_epoch).\n\n"
        "With --model genes start from what the model says of them in these cells, a mean for\n"
        "each species (method genecompass+came), on the same seeds.\n\n"
        "Beside it: logistic-1to1, logistic regression on 1-to-1 homologs (2,000 variable\n"
        "genes of the reference, its penalty chosen by five folds of the reference), and\n"
        "majority, the reference's commonest type. They draw nothing: once, first seed.\n\n"
        "--out is a folder: predictions.tsv, a line per query cell, method and seed;\n"
        "metrics.tsv, accuracy and macro-F1 over the query cells with a label (a type that only\n"
        "the query has counts as wrong); comparisons.tsv, the two CAMEs seed by seed;\n"
        "training.tsv, loss and agreement of every tenth epoch.\n\n"
        "Seeds draw first weights and dropout. The cells stay the same, so an interval over\n"
        "seeds tells nothing of other donors.\n\n"
        "Examples:\n"
        "  cross-species import/mouse1/cells.h5ad import/human/cells.h5ad --tables tables \\\n"
        "      --dataset mouse1-human --out named\n"
        "  cross-species import/mouse1/cells.h5ad --hidden 0.5 --tables tables --out check",
        opts,
        1,
        2
    };
    return tool_main(&tool, run, argc, argv);
}
