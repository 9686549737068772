/* grn: regulatory networks from expression, scored by known ones. */
#include "lib/app/grn.h"
#include "lib/base/tool.h"

static struct grn_options o = { .n_seeds = 5,
                                .n_passes = 41,
                                .width = 128,
                                .n_random = 10,
                                .n_trees = 100,
                                .n_top = 500000,
                                .tune = 0.3,
                                .least_overlap = 0.1 };

static const struct opt opts[] = {
    OPT_STR("expression", &o.expression, "TABLE",
            "genes x cells, log counts, may be gzip; or counts of this project's, .h5ad"),
    OPT_FLAG("cells-in-rows", &o.cells_in_rows, "the table is cells x genes"),
    OPT_LIST("truth", &o.truths, "NAME=FILE", "a known network: regulator, target"),
    OPT_I64("seeds", &o.n_seeds, "N", "trainings of DeepSEM: seeds --seed, --seed + 1, ..."),
    OPT_I64("passes", &o.n_passes, "N", "over the cells; every third moves the networks"),
    OPT_I64("width", &o.width, "N", "of DeepSEM's hidden layers"),
    OPT_LIST("vectors", &o.vectors, "NAME=FILE",
             "vectors of genes to put in: .h5ad of `embed --genes`, .npy,GENES, or a table"),
    OPT_FLAG("centre", &o.centre, "the vectors less their mean"),
    OPT_F64("least-overlap", &o.least_overlap, "NUM",
            "share of the expression's genes that must have a vector"),
    OPT_I64("top", &o.n_top, "N", "related pairs of the published rule"),
    OPT_F64("tune", &o.tune, "NUM", "share of regulators that choose thresholds"),
    OPT_I64("trees", &o.n_trees, "N", "of a gene's forest; 0: none"),
    OPT_FLAG("best-cuts", &o.best_cuts,
             "trees on bootstrap samples with the best cuts, not drawn ones: ten times as long"),
    OPT_I64("random", &o.n_random, "N", "draws of random scores"),
    OPT_END,
};

static const struct tool tool = {
    "grn",
    "",
    "Infer a regulatory network from expression by DeepSEM and score it",
    "Pairs are the regulators of a truth with all of its genes, as far as measured. A gene of a\n"
    "truth that the expression lacks is left out, counted and named; a constant gene is 0.\n\n"
    "--out is a folder with\n"
    "  metrics.tsv      AUPRC, the same over the share of edges, AUROC, early precision and its\n"
    "                   ratio, of DeepSEM after the last pass (variant clean) and at the pass of\n"
    "                   the best AUPRC (as-released: chosen on the truth, so too good), of\n"
    "                   correlations, of trees (importances of a forest per gene, as GENIE3), of\n"
    "                   random scores, and of outdegree: how many edges the regulator has in the\n"
    "                   truth, an oracle that knows no expression at all. Split all: every pair;\n"
    "                   test: only regulators that --tune left out of choosing thresholds\n"
    "  predictions.tsv  each pair with the mean weight over the seeds\n\n"
    "Methods deepsem+NAME+RULE put vectors into the network: pairs less alike than a threshold\n"
    "are deleted (threshold: chosen on other regulators; top: the --top most alike, as published;\n"
    "share: the published share), or weights grow with likeness (soft). NAME+cosine has no\n"
    "network. coexpression are the genes' own numbers; NAME-shuffled deals vectors to other "
    "genes.\n\n"
    "  grn --expression BL--ExpressionData.csv --truth string=BL--network.csv --out grn",
    opts,
    0,
    0
};

static enum rc run(const struct tool_args *a, struct err *e)
{
    if (tool_need_out(a, e))
        return RC_USAGE;
    if (!o.expression || !o.truths.n)
        return err_set(e, RC_USAGE, "--expression or --truth is missing");
    if (o.n_seeds < 1 || o.n_seeds > 1000 || o.n_passes < 2 || o.n_passes > 100000 || o.width < 1 ||
        o.width > 4096 || o.n_random < 1 || o.n_random > 1000 || o.n_top < 1 || o.n_trees < 0 ||
        o.n_trees > 100000)
        return err_set(e, RC_USAGE,
                       "a number is out of range (--trees from 0, --passes from 2, others from 1)");
    if (!(o.tune > 0 && o.tune < 1) || !(o.least_overlap >= 0 && o.least_overlap <= 1))
        return err_set(e, RC_USAGE, "a share is out of range (--tune, --least-overlap)");
    o.seed = a->seed;
    o.out = a->out;
    return grn(&o, e);
}

int main(int argc, char **argv)
{
    return tool_main(&tool, run, argc, argv);
}
