/* dose: expression of cells under drugs at doses, predicted by CPA and by simple methods. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/dose.h"
#include "lib/base/tool.h"
#include "lib/cell/simulate_dose.h"
#include "lib/io/h5ad.h"
#include "lib/io/number.h"
#include "lib/io/textout.h"

static const char *held_out, *doser = "mlp";
static int64_t latent = 128, width = 128, batch = 256, epochs = 100, check_every = 20;
static double adversary = 60, penalty = 60, rate = 3e-4;
static struct dose_options o = { .drug = "drug",
                                 .dose = "dose",
                                 .control = "control",
                                 .values = "auto",
                                 .scale = 1e4,
                                 .least_cells = 1,
                                 .n_genes = 2000,
                                 .least_overlap = 0.2,
                                 .n_changed = 50,
                                 .n_seeds = 5,
                                 .dataset = "dose" };

#define INPUT_OPTS                                                                                 \
    OPT_STR("drug", &o.drug, "COLUMN", "of obs: each cell's drug"),                                \
        OPT_STR("dose", &o.dose, "COLUMN", "of obs: its dose, a number above 0"),                  \
        OPT_STR("cell-type", &o.type, "COLUMN", "of obs; not given: all cells are of one type"),   \
        OPT_STR("control", &o.control, "NAME",                                                     \
                "the drug of control cells; cells at dose 0 are control cells, too"),              \
        OPT_CHOICE("values", &o.values, "auto|counts|log",                                         \
                   "what the numbers are; auto: counts when all are whole"),                       \
        OPT_F64("scale", &o.scale, "NUM", "counts become ln(1 + scale count / total)"),            \
        OPT_I64("genes", &o.n_genes, "N", "the genes that vary most; 0: all"),                     \
        OPT_I64("least-cells", &o.least_cells, "N", "smaller conditions are left out"),            \
        OPT_FLAG("drop-single", &o.drop_single, "leave out drugs with one dose, else refused"),    \
        OPT_STR("hold-out", &held_out, "DOSE",                                                     \
                "no cell at this dose is trained on; not given: the second largest"),              \
        OPT_STR("split", &o.part, "COLUMN",                                                        \
                "of obs: train, val, test or ood, in place of a drawn split"),                     \
        OPT_STR("vectors", &o.vectors, "FILE.h5ad", "vectors of genes: what embed --genes wrote"), \
        OPT_F64("least-overlap", &o.least_overlap, "NUM",                                          \
                "share of the genes that must have a vector"),                                     \
        OPT_I64("changed", &o.n_changed, "N", "genes that change most, for the scores of these")

#define NETWORK_OPTS                                                                               \
    OPT_I64("epochs", &epochs, "N", "passes over the training cells"),                             \
        OPT_I64("check-every", &check_every, "N", "epochs; the best check's weights are taken"),   \
        OPT_I64("batch", &batch, "N", "cells of a step"),                                          \
        OPT_I64("latent", &latent, "N", "width of the latent space"),                              \
        OPT_I64("width", &width, "N", "of the hidden layers; adversaries have half of it"),        \
        OPT_CHOICE("doser", &doser, "mlp|sigm|logsigm", "the curve of a dose"),                    \
        OPT_F64("adversary", &adversary, "NUM", "weight of the adversaries' losses"),              \
        OPT_F64("penalty", &penalty, "NUM", "weight of their gradient penalty"),                   \
        OPT_F64("lr", &rate, "NUM", "learning rate; that of the dose curves is 40/3 of it")

static const struct opt evaluate_opts[] = {
    INPUT_OPTS,
    NETWORK_OPTS,
    OPT_STR("truth", &o.truth, "FILE", "curves.tsv of dose simulate, for scores by the truth"),
    OPT_I64("seeds", &o.n_seeds, "N", "splits and trainings: seeds --seed, --seed + 1, ..."),
    OPT_FLAG(
        "as-released", &o.as_released,
        "also vectors as published: decoded as cells, through a new random layer in each call"),
    OPT_STR("dataset", &o.dataset, "NAME", "what the tables call this set"),
    OPT_END,
};

static const struct tool evaluate_tool = {
    "dose evaluate",
    "CELLS.h5ad",
    "Predict a dose that was held out by several methods, and score them",
    "CELLS has a drug and a dose for each cell. Every drug's cells at one dose are held out "
    "(ood);\n"
    "of the cells of each other condition three tenths are for test, one for validation.\n\n"
    "  no-change        the control cells\n"
    "  train-mean       the mean of all conditions with a drug\n"
    "  drug-mean        the mean of the drug's doses\n"
    "  linear           a straight line in dose for each drug and gene, through the control\n"
    "  interpolate      between the two neighbouring doses, straight in the dose's logarithm\n"
    "  cpa              the autoencoder of Lotfollahi et al. 2023\n"
    "  cpa+genecompass  the same with --vectors in the decoder, through a trained projection\n"
    "  cpa+shuffled     the same with the vectors of other genes\n\n"
    "--out is a folder: metrics.tsv, means over conditions for each method, part (split) and "
    "seed;\n"
    "conditions.tsv, the scores of each condition; comparisons.tsv, two methods seed by seed with\n"
    "95 % intervals; spread.tsv, whether one varies less over the conditions than another.\n"
    "docs/dose.md explains the scores.\n\n"
    "  dose evaluate cells.h5ad --seed 1 --out scores",
    evaluate_opts,
    1,
    1
};

static const struct opt train_opts[] = { INPUT_OPTS, NETWORK_OPTS, OPT_END };

static const struct tool train_tool = {
    "dose train",
    "CELLS.h5ad",
    "Train CPA on cells under drugs at doses",
    "CELLS and options are those of `dose evaluate`. Trained on the training part of the split of\n"
    "seed --seed; the check with the best validation is taken. With --vectors the decoder sees\n"
    "vectors of genes.\n\n"
    "--out is a folder: model.safetensors, all that `dose predict` needs; training.tsv, losses of\n"
    "every check. A call that was broken off goes on after the last check, to the same bytes.\n\n"
    "  dose train cells.h5ad --seed 1 --out model",
    train_opts,
    1,
    1
};

static const char *model, *only_type;
static const struct opt predict_opts[] = {
    OPT_STR("model", &model, "DIR", "a folder that dose train wrote"),
    OPT_STR("cell-type", &only_type, "NAME", "only this one; not given: all of the model"),
    OPT_END,
};

static const struct tool predict_tool = {
    "dose predict",
    "DRUG=DOSE...",
    "Predict expression under drugs at doses with a trained CPA",
    "Doses are in the unit of the cells that the model was trained on. --out is a table: cell "
    "type,\n"
    "drug, dose, gene, the predicted control cell, the prediction, their difference, the "
    "variance.\n\n"
    "  dose predict Nutlin=0.1 Nutlin=0.5 --model model --out nutlin.tsv",
    predict_opts,
    1,
    -1
};

static enum rc check(struct err *e)
{
    const struct {
        bool bad;
        const char *what;
    } rule[] = {
        { !(o.scale > 0), "--scale is above 0" },
        { o.least_cells < 1, "--least-cells is at least 1" },
        { o.n_genes < 0 || o.n_genes == 1, "--genes is 0 or at least 2" },
        { o.n_changed < 2, "--changed is at least 2" },
        { !(o.least_overlap >= 0 && o.least_overlap <= 1), "--least-overlap is 0 to 1" },
        { o.n_seeds < 1 || o.n_seeds > 1000, "--seeds is 1 to 1000" },
        { epochs < 0 || epochs > 100000, "--epochs is 0 to 100000" },
        { check_every < 1, "--check-every is at least 1" },
        { batch < 2 || batch > 65536, "--batch is 2 to 65536" },
        { latent < 1 || latent > 4096 || width < 2 || width > 4096,
          "--latent and --width are up to 4096" },
        { !(adversary >= 0) || !(penalty >= 0), "--adversary and --penalty are not below 0" },
        { !(rate > 0), "--lr is above 0" },
        { o.as_released && !o.vectors, "--as-released is about --vectors" },
        { o.part && held_out, "--hold-out and --split both say what is held out" },
    };
    for (size_t i = 0; i < sizeof rule / sizeof *rule; i++)
        if (rule[i].bad)
            return err_set(e, RC_USAGE, "%s", rule[i].what);
    o.held_out = NAN;
    if (held_out && (!number_parse(held_out, &o.held_out) || !(o.held_out > 0)))
        return err_set(e, RC_USAGE, "--hold-out wants a dose above 0, not '%s'", held_out);
    return RC_OK;
}

/* Options that evaluate and train share, checked and resolved. */
static enum rc take(const struct tool_args *a, struct err *e)
{
    enum rc rc = tool_need_out(a, e);
    if (!rc)
        rc = check(e);
    if (!rc)
        rc = backend_need(a->backend, &o.backend, e);
    o.plan = cpa_plan_published;
    o.plan.d = (size_t)latent;
    o.plan.width = o.plan.doser_width = (size_t)width;
    o.plan.adversary_width = (size_t)width / 2;
    o.plan.batch = (size_t)batch;
    o.plan.epochs = (size_t)epochs;
    o.plan.check_every = (size_t)check_every;
    o.plan.adversary = adversary;
    o.plan.penalty = penalty;
    o.plan.rate = rate;
    o.plan.doser = strcmp(doser, "sigm") == 0      ? CPA_DOSER_SIGM
                   : strcmp(doser, "logsigm") == 0 ? CPA_DOSER_LOGSIGM
                                                   : CPA_DOSER_MLP;
    o.input = a->arg.item[0];
    o.out = a->out;
    o.report = a->report;
    o.seed = a->seed;
    return rc;
}

static enum rc run_evaluate(const struct tool_args *a, struct err *e)
{
    enum rc rc = take(a, e);
    return rc ? rc : dose_evaluate(&o, e);
}

static enum rc run_train(const struct tool_args *a, struct err *e)
{
    enum rc rc = take(a, e);
    if (!rc && !epochs)
        rc = err_set(e, RC_USAGE, "--epochs is at least 1");
    return rc ? rc : dose_train(&o, e);
}

static enum rc run_predict(const struct tool_args *a, struct err *e)
{
    enum rc rc = tool_need_out(a, e);
    if (!rc && !model)
        rc = err_set(e, RC_USAGE, "--model is missing");
    if (!rc)
        rc = backend_need(a->backend, &o.backend, e);
    return rc ? rc
              : dose_predict(model, a->arg.item, (size_t)a->arg.n, only_type, o.backend, a->out, e);
}

/* ---- released ---- */

static const struct opt released_opts[] = { OPT_END };

static const struct tool released_tool = {
    "dose released",
    "TABLE.csv...",
    "Take result tables of CPA together again, and compare how much they vary",
    "Tables as CPA's scripts write them: cell_type, condition, dose_val, R2_mean, R2_mean_DE,\n"
    "R2_var, R2_var_DE, model, num_cells, split. --out is a folder: summary.tsv, means and "
    "spreads\n"
    "over conditions; spread.tsv, two tables over the conditions that both have, by the F test, "
    "by\n"
    "Brown and Forsythe's and, for pairs, by Pitman and Morgan's, and a paired t test of the "
    "means.\n\n"
    "  dose released GSM_new_*.csv --out released",
    released_opts,
    1,
    -1
};

static enum rc run_released(const struct tool_args *a, struct err *e)
{
    enum rc rc = tool_need_out(a, e);
    return rc ? rc : dose_released(a->arg.item, (size_t)a->arg.n, a->out, e);
}

/* ---- simulate ---- */

static int64_t sim_genes = 300, sim_drugs = 4, sim_types = 2, sim_families = 12, sim_controls = 300,
               sim_each = 40;
static double sim_depth = 2000;

static const struct opt simulate_opts[] = {
    OPT_I64("genes", &sim_genes, "N", "genes"),
    OPT_I64("drugs", &sim_drugs, "N", "drugs, each at seven doses"),
    OPT_I64("types", &sim_types, "N", "cell types"),
    OPT_I64("families", &sim_families, "N", "of genes that a drug moves alike"),
    OPT_I64("controls", &sim_controls, "N", "control cells of a type"),
    OPT_I64("each", &sim_each, "N", "cells of every other condition"),
    OPT_F64("depth", &sim_depth, "NUM", "mean total of a control cell"),
    OPT_END,
};

static const struct tool simulate_tool = {
    "dose simulate",
    "",
    "Make a dose-response set whose truth is known",
    "A drug moves some families of genes; the change of a gene's rate, in logarithms, is a Hill\n"
    "curve of the dose.\n\n"
    "--out is a folder: cells.h5ad, counts with obs drug, dose and cell_type; vectors.h5ad, "
    "vectors\n"
    "of genes that tell their families; curves.tsv, the truth: top, half-maximal dose and "
    "steepness\n"
    "of every drug and gene. Equal options give equal bytes.\n\n"
    "  dose simulate --seed 1 --out sim\n"
    "  dose evaluate sim/cells.h5ad --cell-type cell_type --vectors sim/vectors.h5ad \\\n"
    "      --truth sim/curves.tsv --seed 1 --out scores",
    simulate_opts,
    0,
    0
};

static enum rc path_in(char path[4096], const char *folder, const char *name, struct err *e)
{
    const int n = snprintf(path, 4096, "%s/%s", folder, name);
    return n < 0 || n >= 4096 ? err_set(e, RC_USAGE, "--out is too long") : RC_OK;
}

/* The vectors in a file as embed --genes writes it: genes in var, no cells. */
static enum rc write_vectors(const char *path, struct sim_dose *s, struct err *e)
{
    const struct h5ad_matrix m = { "X_genecompass", s->cells.count.n_cols, SIM_DOSE_WIDTH,
                                   s->vector };
    struct cells none = s->cells; /* borrows all of it */
    none.count = (struct csr){ .n_cols = s->cells.count.n_cols };
    none.cell = NULL;
    table_init(&none.obs, 0);
    enum rc rc = h5ad_write(path, &none, &(struct h5ad_extra){ .varm = &m, .n_varm = 1 }, e);
    table_release(&none.obs);
    return rc;
}

static enum rc run_simulate(const struct tool_args *a, struct err *e)
{
    const int64_t number[] = {
        sim_genes, sim_drugs, sim_types, sim_families, sim_controls, sim_each
    };
    struct sim_dose s;
    char cells[4096], vectors[4096], curves[4096];
    enum rc rc = tool_need_out(a, e);
    for (size_t i = 0; !rc && i < sizeof number / sizeof *number; i++)
        if (number[i] < 0)
            rc = err_set(e, RC_USAGE, "sizes are not below 0");
    if (!rc)
        rc = path_in(cells, a->out, "cells.h5ad", e);
    if (!rc)
        rc = path_in(vectors, a->out, "vectors.h5ad", e);
    if (!rc)
        rc = path_in(curves, a->out, "curves.tsv", e);
    if (rc)
        return rc;
    const struct sim_dose_options how = {
        .seed = a->seed,
        .n_genes = (size_t)sim_genes,
        .n_drugs = (size_t)sim_drugs,
        .n_types = (size_t)sim_types,
        .n_families = (size_t)sim_families,
        .n_controls = (size_t)sim_controls,
        .n_each = (size_t)sim_each,
        .depth = sim_depth,
    };
    rc = sim_dose_make(&how, &s, e);
    if (rc)
        return rc;
    rc = table_write(curves, &s.curves, '\t', true, false, e);
    if (!rc)
        rc = write_vectors(vectors, &s, e);
    if (!rc)
        rc = h5ad_write(cells, &s.cells, &(struct h5ad_extra){ 0 }, e);
    sim_dose_release(&s);
    return rc;
}

static const struct tool_part part[] = {
    { "train", &train_tool, run_train },          { "predict", &predict_tool, run_predict },
    { "evaluate", &evaluate_tool, run_evaluate }, { "simulate", &simulate_tool, run_simulate },
    { "released", &released_tool, run_released },
};

int main(int argc, char **argv)
{
    static const struct opt none[] = { OPT_END };
    static const struct tool all = {
        "dose",
        "train|predict|evaluate|simulate|released ...",
        "Expression under drugs at doses: predict it, score predictions",
        "  dose train CELLS --out MODEL                     a CPA\n"
        "  dose predict DRUG=DOSE --model MODEL --out FILE  its predictions\n"
        "  dose evaluate CELLS --out DIR                    methods on a dose that was held out\n"
        "  dose simulate --out DIR                          a set of known truth\n"
        "  dose released TABLE... --out DIR                 the authors' result tables again\n\n"
        "`dose train --help` and so on tell more.",
        none,
        0,
        -1
    };
    return tool_main_of_parts(&all, part, sizeof part / sizeof *part, argc, argv);
}
