/* perturb-predict: expression after a perturbation, predicted by simple methods and by GEARS. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/perturb_interactions.h"
#include "lib/app/perturb_predict.h"
#include "lib/base/tool.h"
#include "lib/cell/simulate_perturb.h"
#include "lib/io/h5ad.h"
#include "lib/io/lines.h"
#include "lib/io/textout.h"

static const char *loss = "autofocus";
static struct perturb_options o = { .values = "auto",
                                    .scale = 1e4,
                                    .least_cells = 2,
                                    .unknown = "keep",
                                    .neighbours = 20,
                                    .pcs = 10,
                                    .ridge = 0.1,
                                    .n_splits = 5,
                                    .n_seeds = 5,
                                    .epochs = 10,
                                    .batch = 16,
                                    .width = 64,
                                    .rate = 1e-3,
                                    .first_seed = -1,
                                    .dataset = "perturb-seq" };

#define INPUT_OPTS                                                                                 \
    OPT_STR("condition", &o.condition_column, "NAME",                                              \
            "the column of conditions; not given: condition"),                                     \
        OPT_STR("conditions", &o.conditions, "FILE",                                               \
                "a table of barcodes and conditions, for counts in any form that import reads"),   \
        OPT_CHOICE("values", &o.values, "auto|counts|log",                                         \
                   "what the numbers are; auto: counts when all are whole"),                       \
        OPT_F64("scale", &o.scale, "NUM", "counts become ln(1 + scale count / total)"),            \
        OPT_I64("least-cells", &o.least_cells, "N", "smaller conditions are left out"),            \
        OPT_STR("go", &o.go, "FILE",                                                               \
                "a table gene, terms (Gene Ontology) or source, target, importance"),              \
        OPT_I64("neighbours", &o.neighbours, "N", "of a gene in the graphs, beside itself"),       \
        OPT_CHOICE("unknown", &o.unknown, "keep|drop",                                             \
                   "perturbed genes that the graph lacks: without a neighbour, or left out"),      \
        OPT_STR("vectors", &o.vectors, "FILE.h5ad", "vectors of genes: what embed --genes wrote")

#define NETWORK_OPTS                                                                               \
    OPT_I64("epochs", &o.epochs, "N", "passes over the training cells"),                           \
        OPT_I64("batch", &o.batch, "N", "cells of a step"),                                        \
        OPT_I64("width", &o.width, "N", "width of the network"),                                   \
        OPT_F64("lr", &o.rate, "NUM", "learning rate of the first epoch; halved after each"),      \
        OPT_CHOICE("loss", &loss, "autofocus|top20",                                               \
                   "fourth powers over expressed genes, as GEARS, or squares over the 20 that "    \
                   "change most, as the paper says")

static const struct opt evaluate_opts[] = {
    INPUT_OPTS,
    NETWORK_OPTS,
    OPT_I64("seeds", &o.n_seeds, "N",
            "trainings of GEARS on a split: seeds --seed, --seed + 1, ...; 0: none"),
    OPT_I64("first-seed", &o.first_seed, "N",
            "trainings begin with this seed instead of --seed: one of many by itself"),
    OPT_FLAG("as-released", &o.as_released,
             "one split, one seed, every condition however small, co-expression for the first cell "
             "of a batch only"),
    OPT_STR("split", &o.split, "FILE",
            "a table condition, part (train, val, test) in place of drawn splits"),
    OPT_I64("splits", &o.n_splits, "N", "splits: seeds --seed, --seed + 1, ..."),
    OPT_I64("pcs", &o.pcs, "N", "components of linear-pca"),
    OPT_F64("ridge", &o.ridge, "NUM", "penalty of the linear methods"),
    OPT_STR("dataset", &o.dataset, "NAME", "what the tables call this set"),
    OPT_END,
};

static const struct tool evaluate_tool = {
    "perturb-predict evaluate",
    "CELLS",
    "Predict perturbations by several methods on the same splits, and score them",
    "CELLS is perturb_processed.h5ad of GEARS or any .h5ad with a column of conditions; a\n"
    "text table with a column `condition` and genes; or, with --conditions, counts in any\n"
    "form that import reads. Conditions are ctrl, A+ctrl and A+B.\n\n"
    "A split is GEARS's 'simulation' (the same sets for the same seed): a quarter of the\n"
    "perturbed genes is never seen in training; pairs are tested by how many of their genes\n"
    "were seen.\n\n"
    "  no-change            the mean control cell\n"
    "  train-mean           control + mean change of the training conditions\n"
    "  additive             control + the changes of the single perturbations\n"
    "  linear-pca           ridge regression between principal components of genes\n"
    "  linear-genecompass   the same with --vectors in place of components\n"
    "  nearest-go           the training condition whose genes are nearest in --go\n"
    "  gears                the graph network of Roohani et al. 2023, with --go\n"
    "  gears+genecompass    the same with --vectors, projected to its width, as gene base\n\n"
    "--out is a folder: metrics.tsv, a mean over the test conditions for each method, class\n"
    "(split) and split seed; comparisons.tsv, two methods split by split with 95 % intervals;\n"
    "predictions.tsv, the scores of every test condition; runs.tsv, those of every training;\n"
    "splits.tsv, who was where. docs/perturb-predict.md explains the scores.\n\n"
    "  perturb-predict evaluate perturb_processed.h5ad --go go.csv --dataset norman \\\n"
    "      --seed 1 --out scores",
    evaluate_opts,
    1,
    1
};

static const struct opt train_opts[] = {
    INPUT_OPTS,
    NETWORK_OPTS,
    OPT_STR("split", &o.split, "FILE",
            "a table condition, part (train, val, test) in place of the drawn split"),
    OPT_FLAG("as-released", &o.as_released, "co-expression for the first cell of a batch only"),
    OPT_END,
};

static const struct tool train_tool = {
    "perturb-predict train",
    "CELLS",
    "Train GEARS on a Perturb-seq set",
    "CELLS and options are those of `perturb-predict evaluate`; --go is needed. Trained on the\n"
    "training part of GEARS's split of seed --seed, or of --split; the epoch is chosen on the\n"
    "validation part. With --vectors the genes start from vectors of GeneCompass.\n\n"
    "--out is a folder: model.safetensors, all that `perturb-predict predict` needs;\n"
    "training.tsv, losses of every epoch. A call that was broken off goes on after the last\n"
    "whole epoch, to the same bytes.\n\n"
    "  perturb-predict train perturb_processed.h5ad --go go.csv --seed 1 --out model",
    train_opts,
    1,
    1
};

static const char *model;
static const struct opt predict_opts[] = {
    OPT_STR("model", &model, "DIR", "a folder that perturb-predict train wrote"),
    OPT_END,
};

static const struct tool predict_tool = {
    "perturb-predict predict",
    "CONDITION...",
    "Predict expression after perturbations with a trained GEARS",
    "A condition is A+ctrl or A+B, of genes in the graph that the model was trained with. --out\n"
    "is a table: condition, gene, the mean control cell, the prediction, their difference.\n\n"
    "  perturb-predict predict KLF1+ctrl KLF1+BAK1 --model model --out klf1.tsv",
    predict_opts,
    1,
    -1
};

static enum rc check(const struct tool_args *a, struct err *e)
{
    const struct {
        bool bad;
        const char *what;
    } rule[] = {
        { !(o.scale > 0), "--scale is above 0" },
        { o.least_cells < 1, "--least-cells is at least 1" },
        { o.neighbours < 1 || o.neighbours > 10000, "--neighbours is 1 to 10000" },
        { o.n_splits < 1 || o.n_splits > 1000, "--splits is 1 to 1000" },
        { o.pcs < 1 || o.pcs > 10000, "--pcs is 1 to 10000" },
        { !(o.ridge > 0), "--ridge is above 0" },
        { o.n_seeds < 0 || o.n_seeds > 1000, "--seeds is 0 to 1000" },
        { o.epochs < 1 || o.epochs > 10000, "--epochs is 1 to 10000" },
        { o.batch < 1 || o.batch > 1024, "--batch is 1 to 1024" },
        { o.width < 1 || o.width > 4096, "--width is 1 to 4096" },
        { !(o.rate > 0), "--lr is above 0" },
        { o.first_seed > UINT32_MAX - 1000, "--first-seed is at most 4294966295" },
        { a->seed > UINT32_MAX - 1000,
          "--seed is at most 4294966295: NumPy's generator takes 32 bits" },
    };
    for (size_t i = 0; i < sizeof rule / sizeof *rule; i++)
        if (rule[i].bad)
            return err_set(e, RC_USAGE, "%s", rule[i].what);
    return tool_need_out(a, e);
}

/* Options that evaluate and train share, checked and resolved. */
static enum rc take(const struct tool_args *a, struct err *e)
{
    enum rc rc = check(a, e);
    if (!rc)
        rc = backend_need(a->backend, &o.backend, e);
    o.top20 = strcmp(loss, "top20") == 0;
    o.input = a->arg.item[0];
    o.out = a->out;
    o.report = a->report;
    o.seed = a->seed;
    if (o.first_seed < 0)
        o.first_seed = (int64_t)a->seed;
    if (o.split || o.as_released)
        o.n_splits = 1;
    if (o.as_released) {
        o.n_seeds = 1;
        o.least_cells = 1;
    }
    return rc;
}

static enum rc run_evaluate(const struct tool_args *a, struct err *e)
{
    enum rc rc = take(a, e);
    return rc ? rc : perturb_evaluate(&o, e);
}

static enum rc run_train(const struct tool_args *a, struct err *e)
{
    if (!o.go)
        return err_set(e, RC_USAGE, "--go is missing");
    enum rc rc = take(a, e);
    return rc ? rc : perturb_train(&o, e);
}

static enum rc run_predict(const struct tool_args *a, struct err *e)
{
    enum rc rc = tool_need_out(a, e);
    if (!rc && !model)
        rc = err_set(e, RC_USAGE, "--model is missing");
    if (!rc)
        rc = backend_need(a->backend, &o.backend, e);
    return rc ? rc : perturb_predict(model, a->arg.item, (size_t)a->arg.n, o.backend, a->out, e);
}

/* ---- simulate ---- */

static int64_t sim_genes = 500, sim_perturbed = 48, sim_pairs = 60, sim_families = 8,
               sim_graph = 200, sim_controls = 600, sim_each = 40;
static double sim_depth = 2000;
static const char *sim_names;

static const struct opt simulate_opts[] = {
    OPT_I64("genes", &sim_genes, "N", "genes that are measured"),
    OPT_I64("perturbed", &sim_perturbed, "N", "of these, perturbed one by one"),
    OPT_I64("pairs", &sim_pairs, "N", "perturbed together"),
    OPT_I64("families", &sim_families, "N", "of genes that do alike and share terms"),
    OPT_I64("graph-genes", &sim_graph, "N", "genes with Gene Ontology terms"),
    OPT_I64("controls", &sim_controls, "N", "control cells"),
    OPT_I64("each", &sim_each, "N", "cells of every other condition"),
    OPT_F64("depth", &sim_depth, "NUM", "mean total of a control cell"),
    OPT_STR(
        "names", &sim_names, "FILE",
        "a table with a column name, vocab.tsv of a model for example: names of the first genes "
        "(of species human, where it says so)"),
    OPT_END,
};

static const struct tool simulate_tool = {
    "perturb-predict simulate",
    "",
    "Make a Perturb-seq set whose truth is known",
    "Genes of a family move the same programme, and share terms; of the pairs a third each is\n"
    "additive, synergistic (1.6 times the sum) and buffering (half of it).\n\n"
    "--out is a folder: cells.h5ad, counts with obs condition; go.tsv, terms of genes; and the\n"
    "truth: conditions.tsv, the kind of each condition; effects.tsv, logarithms of every rate's\n"
    "ratio to that in control. Equal options give equal bytes.\n\n"
    "  perturb-predict simulate --seed 1 --out sim\n"
    "  perturb-predict evaluate sim/cells.h5ad --go sim/go.tsv --seed 1 --out scores",
    simulate_opts,
    0,
    0
};

static enum rc save_table(const char *folder, const char *name, const struct table *t,
                          struct err *e)
{
    char path[4096];
    const int n = snprintf(path, sizeof path, "%s/%s", folder, name);
    return n < 0 || (size_t)n >= sizeof path ? err_set(e, RC_USAGE, "--out is too long")
                                             : table_write(path, t, '\t', true, false, e);
}

/* Names in the table at --names that stand for genes, at most n. */
static enum rc read_names(struct table *t, const char **name, size_t n, size_t *n_names,
                          struct err *e)
{
    *n_names = 0;
    enum rc rc = tsv_read_need(sim_names, "name", t, e);
    if (rc)
        return rc;
    const struct column *c = table_find(t, "name"), *species = table_find(t, "species");
    for (size_t i = 0; i < t->n_rows && *n_names < n; i++)
        if (c->text[i] && *c->text[i] && strcmp(c->text[i], "-") != 0 &&
            (!species || (species->text[i] && strcmp(species->text[i], "human") == 0)))
            name[(*n_names)++] = c->text[i];
    return RC_OK;
}

static enum rc write_simulated(const char *folder, const struct sim_perturb *s, struct err *e)
{
    char path[4096];
    const int n = snprintf(path, sizeof path, "%s/cells.h5ad", folder);
    if (n < 0 || (size_t)n >= sizeof path)
        return err_set(e, RC_USAGE, "--out is too long");
    enum rc rc = save_table(folder, "go.tsv", &s->go, e);
    if (!rc)
        rc = save_table(folder, "conditions.tsv", &s->conditions, e);
    if (!rc)
        rc = save_table(folder, "effects.tsv", &s->effects, e);
    return rc ? rc : h5ad_write(path, &s->cells, &(struct h5ad_extra){ 0 }, e);
}

static enum rc run_simulate(const struct tool_args *a, struct err *e)
{
    const int64_t number[] = { sim_genes, sim_perturbed, sim_pairs, sim_families,
                               sim_graph, sim_controls,  sim_each };
    struct sim_perturb s;
    if (tool_need_out(a, e))
        return RC_USAGE;
    for (size_t i = 0; i < sizeof number / sizeof *number; i++)
        if (number[i] < 0 || number[i] > INT32_MAX)
            return err_set(e, RC_USAGE, "sizes are 0 to %d", INT32_MAX);
    struct table t = { 0 };
    const char **name = calloc((size_t)sim_genes + 1, sizeof *name);
    size_t n_names = 0;
    enum rc rc = name ? RC_OK : err_set(e, RC_FAIL, "no memory for names");
    if (!rc && sim_names)
        rc = read_names(&t, name, (size_t)sim_genes, &n_names, e);
    const struct sim_perturb_options how = { a->seed,
                                             (size_t)sim_genes,
                                             (size_t)sim_perturbed,
                                             (size_t)sim_pairs,
                                             (size_t)sim_families,
                                             (size_t)sim_graph,
                                             (size_t)sim_controls,
                                             (size_t)sim_each,
                                             sim_depth,
                                             name,
                                             n_names };
    if (!rc)
        rc = sim_perturb_make(&how, &s, e);
    if (!rc) {
        rc = write_simulated(a->out, &s, e);
        sim_perturb_release(&s);
    }
    table_release(&t);
    free(name);
    return rc;
}

/* ---- join ---- */

static const struct tool join_tool = {
    "perturb-predict join",
    "FOLDER...",
    "Runs that were evaluated one by one, as the tables of one call",
    "A FOLDER is what `perturb-predict evaluate --splits 1 --seeds 1 --seed S --first-seed T` "
    "wrote:\n"
    "split S, training T. --out has metrics.tsv, comparisons.tsv and runs.tsv of all.\n\n"
    "  perturb-predict join run-1-1 run-1-2 run-2-1 run-2-2 --out scores",
    (const struct opt[]){ OPT_END },
    1,
    -1
};

static enum rc run_join(const struct tool_args *a, struct err *e)
{
    enum rc rc = tool_need_out(a, e);
    return rc ? rc : perturb_join(a->arg.item, (size_t)a->arg.n, a->out, e);
}

/* ---- interactions ---- */

static struct interaction_options pairs = { .strong = 2, .dataset = "pairs" };

static const struct opt interactions_opts[] = {
    OPT_STR("scores", &pairs.scores, "FILE",
            "interactions of the same genes, a table of the same form: classes of pairs"),
    OPT_F64("strong", &pairs.strong, "NUM",
            "standard deviations of all scores beyond which a pair is synergistic or buffering"),
    OPT_STR(
        "singles", &pairs.singles, "FILE",
        "a table gene, fitness of single perturbations (or guide_target, chosen_guide_fitness)"),
    OPT_STR("fits", &pairs.fits, "FILE",
            "a table name (A_B), corr_sum, corr_fit, corr_first, corr_second: how a pair's "
            "expression follows from that of its genes, as others measured it"),
    OPT_STR("dataset", &pairs.dataset, "NAME", "what the tables call this set"),
    OPT_END,
};

static const struct tool interactions_tool = {
    "perturb-predict interactions",
    "PAIRS",
    "Is the phenotype of two perturbations the sum of two effects? On measured pairs",
    "PAIRS is a square table, genes in the header and the first column: what two perturbations do\n"
    "to one number, such as growth. Every pair is predicted without itself.\n\n"
    "  additive               an effect of each gene, by least squares over all other pairs\n"
    "  train-mean             the mean of all other pairs\n"
    "  genes-with-themselves  the mean of what each gene does beside itself (the diagonal)\n"
    "  additive-singles       with --singles: the sum of both\n\n"
    "--out is a folder: metrics.tsv, correlation, error and bias over all pairs (test) and over\n"
    "those that --scores calls synergistic (worse than the authors' fit of two singles expects),\n"
    "near-additive and buffering (better), and how what a method leaves over agrees with the\n"
    "scores; with --fits the mean correlation of expression; predictions.tsv, pair by pair.\n\n"
    "  perturb-predict interactions fitnesses.csv --scores emap.csv --dataset norman \\\n"
    "      --out pairs",
    interactions_opts,
    1,
    1
};

static enum rc run_interactions(const struct tool_args *a, struct err *e)
{
    if (tool_need_out(a, e))
        return RC_USAGE;
    if (!(pairs.strong > 0))
        return err_set(e, RC_USAGE, "--strong is above 0");
    pairs.pairs = a->arg.item[0];
    pairs.out = a->out;
    pairs.seed = a->seed;
    return perturb_interactions(&pairs, e);
}

static const struct tool_part part[] = {
    { "train", &train_tool, run_train },
    { "predict", &predict_tool, run_predict },
    { "evaluate", &evaluate_tool, run_evaluate },
    { "join", &join_tool, run_join },
    { "simulate", &simulate_tool, run_simulate },
    { "interactions", &interactions_tool, run_interactions },
};

int main(int argc, char **argv)
{
    static const struct opt none[] = { OPT_END };
    static const struct tool all = {
        "perturb-predict",
        "train|predict|evaluate|join|simulate|interactions ...",
        "Expression after a perturbation: predict it, score predictions",
        "  perturb-predict train CELLS --go FILE --out MODEL             a GEARS\n"
        "  perturb-predict predict A+ctrl A+B --model MODEL --out FILE   its predictions\n"
        "  perturb-predict evaluate CELLS --go FILE --out DIR            methods, splits, scores\n"
        "  perturb-predict join FOLDER... --out DIR                      of many evaluations one\n"
        "  perturb-predict simulate --out DIR                            a set of known truth\n"
        "  perturb-predict interactions PAIRS --out DIR                  sums of effects, real "
        "pairs\n\n"
        "`perturb-predict train --help` and so on tell more.",
        none,
        0,
        -1
    };
    return tool_main_of_parts(&all, part, sizeof part / sizeof *part, argc, argv);
}
