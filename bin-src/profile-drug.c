/* profile-drug: expression profiles of drugs by DeepCE and by simple methods. */
#include <stdio.h>

#include "lib/app/profile_drug.h"
#include "lib/base/tool.h"

static struct profile_options o = { .n_splits = 5,
                                    .n_seeds = 5,
                                    .epochs = 120,
                                    .batch = 32,
                                    .width = 128,
                                    .heads = 4,
                                    .projected = 64,
                                    .rate = 2e-4,
                                    .least_overlap = 0.5,
                                    .dataset = "l1000" };

#define INPUT_OPTS                                                                                 \
    OPT_STR("drugs", &o.drugs, "FILE", "lines id,SMILES"),                                         \
        OPT_STR("genes", &o.genes, "FILE", "lines gene,numbers: a vector of each gene"),           \
        OPT_STR("dev", &o.dev, "FILE",                                                             \
                "signatures that choose the epoch, in place of a drawn split"),                    \
        OPT_STR("vectors", &o.vectors, "FILE.h5ad",                                                \
                "vectors of genes: what embed --genes wrote; or FILE.npy,GENES"),                  \
        OPT_F64("least-overlap", &o.least_overlap, "NUM",                                          \
                "share of the genes that must have a vector"),                                     \
        OPT_FLAG("restart-if-changed", &o.restart,                                                 \
                 "a state that a broken-off call of other inputs or options left is not used"),    \
        OPT_FLAG("skip-bad", &o.skip_bad,                                                          \
                 "leave out drugs whose SMILES cannot be read, and count them")

#define NETWORK_OPTS                                                                               \
    OPT_I64("epochs", &o.epochs, "N", "passes over the training signatures"),                      \
        OPT_I64("batch", &o.batch, "N", "signatures of a step"),                                   \
        OPT_I64("width", &o.width, "N", "width of the network"),                                   \
        OPT_I64("heads", &o.heads, "N", "heads of attention"),                                     \
        OPT_I64("projected", &o.projected, "N", "width that --vectors are projected to"),          \
        OPT_F64("lr", &o.rate, "NUM", "learning rate")

static const struct opt evaluate_opts[] = {
    INPUT_OPTS,
    OPT_STR("test", &o.test, "FILE", "signatures to test, with --dev"),
    OPT_I64("splits", &o.n_splits, "N", "splits over drugs: seeds --seed, --seed + 1, ..."),
    OPT_I64("seeds", &o.n_seeds, "N", "trainings of DeepCE on a split; 0: none"),
    NETWORK_OPTS,
    OPT_FLAG("as-released", &o.as_released,
             "one split, one seed; --vectors go through layers that are drawn anew in every pass"),
    OPT_STR("dataset", &o.dataset, "NAME", "what the tables call this set"),
    OPT_END,
};

static const struct tool evaluate_tool = {
    "profile-drug evaluate",
    "SIGNATURES",
    "Predict expression profiles of unseen drugs by several methods, and score them",
    "SIGNATURES is a table of DeepCE: sig_id, pert_id, pert_type, cell_id, pert_idose, then a\n"
    "column for each gene. Taken are 24 h, trt_cp, seven cell lines and six doses (those of the\n"
    "release); of replicates one stands for all. Splits are 6 : 2 : 2 over drugs.\n\n"
    "  train-mean           the mean training signature\n"
    "  cell-dose-mean       that of the same cell line and dose\n"
    "  knn                  drugs with alike fingerprints, same cell line and dose\n"
    "  ridge                ridge regression on fingerprint, cell line and dose\n"
    "  deepce               the network of Pham et al. 2021\n"
    "  deepce+genecompass   the same with --vectors of genes, projected\n"
    "  deepce+shuffled      the same with vectors of other genes\n\n"
    "The dev part chooses epoch, neighbours and penalty. --out is a folder: metrics.tsv (split\n"
    "test: best epoch of the dev part; test_last: last epoch), comparisons.tsv with 95 %\n"
    "intervals over splits, runs.tsv, predictions.tsv, splits.tsv. A call that was broken off "
    "goes\n"
    "on after the last epoch, to the same bytes. docs/profile-drug.md.\n\n"
    "  profile-drug evaluate signatures.csv --drugs drugs_smiles.csv \\\n"
    "      --genes gene_vector.csv --seed 1 --out scores",
    evaluate_opts,
    1,
    1
};

/* tests: evaluate, which wants a test part beside a dev part. */
static enum rc check(const struct tool_args *a, bool tests, struct err *e)
{
    const struct {
        bool bad;
        const char *what;
    } rule[] = {
        { !o.drugs, "--drugs is missing" },
        { !o.genes, "--genes is missing" },
        { tests && !o.dev != !o.test, "--dev and --test go together" },
        { o.as_released && !o.vectors, "--as-released wants --vectors" },
        { o.n_splits < 1 || o.n_splits > 1000, "--splits is 1 to 1000" },
        { o.n_seeds < 0 || o.n_seeds > 1000, "--seeds is 0 to 1000" },
        { o.epochs < 1 || o.epochs > 10000, "--epochs is 1 to 10000" },
        { o.batch < 1 || o.batch > 4096, "--batch is 1 to 4096" },
        { o.width < 1 || o.width > 4096, "--width is 1 to 4096" },
        { o.heads < 1 || o.width % o.heads, "--width is a multiple of --heads" },
        { o.projected < 1 || o.projected > 4096, "--projected is 1 to 4096" },
        { !(o.rate > 0), "--lr is above 0" },
        { !(o.least_overlap >= 0 && o.least_overlap <= 1), "--least-overlap is 0 to 1" },
    };
    for (size_t i = 0; i < sizeof rule / sizeof *rule; i++)
        if (rule[i].bad)
            return err_set(e, RC_USAGE, "%s", rule[i].what);
    return tool_need_out(a, e);
}

static enum rc take(const struct tool_args *a, bool tests, struct err *e)
{
    enum rc rc = check(a, tests, e);
    if (rc)
        return rc;
    o.signatures = a->arg.item[0];
    o.out = a->out;
    o.report = a->report;
    o.seed = a->seed;
    return backend_need(a->backend, &o.backend, e);
}

static enum rc run_evaluate(const struct tool_args *a, struct err *e)
{
    enum rc rc = take(a, true, e);
    if (rc)
        return rc;
    if (o.dev || o.as_released)
        o.n_splits = 1;
    if (o.as_released)
        o.n_seeds = 1;
    return profile_evaluate(&o, e);
}

/* ---- train, predict ---- */

static const struct opt train_opts[] = { INPUT_OPTS, NETWORK_OPTS, OPT_END };

static const struct tool train_tool = {
    "profile-drug train",
    "SIGNATURES",
    "Train DeepCE on expression signatures of drugs",
    "SIGNATURES and options are those of `profile-drug evaluate`. Trained on the training drugs "
    "of\n"
    "the split of seed --seed, or with --dev on all of SIGNATURES; the epoch with the highest\n"
    "Pearson correlation on the dev part is taken. With --vectors a vector of each gene joins,\n"
    "through a projection that is trained.\n\n"
    "--out is a folder: model.safetensors, all that `profile-drug predict` needs; training.tsv,\n"
    "losses of every epoch; splits.tsv, the part of every drug. A call that was broken off goes "
    "on\n"
    "after the last epoch, to the same bytes.\n\n"
    "  profile-drug train signatures.csv --drugs drugs_smiles.csv \\\n"
    "      --genes gene_vector.csv --seed 1 --out model",
    train_opts,
    1,
    1
};

static enum rc run_train(const struct tool_args *a, struct err *e)
{
    enum rc rc = take(a, false, e);
    return rc ? rc : profile_train(&o, e);
}

static struct profile_query query;

static const struct opt predict_opts[] = {
    OPT_STR("model", &query.model, "DIR", "a folder that profile-drug train wrote"),
    OPT_STR("cells", &query.cells, "NAME,NAME...",
            "only these cell lines; not given: those of the model"),
    OPT_STR("doses", &query.doses, "NAME,NAME...",
            "only these doses, as '10.0 um'; not given: those of the model"),
    OPT_FLAG("skip-bad", &query.skip_bad,
             "leave out drugs whose SMILES cannot be read, and count them"),
    OPT_END,
};

static const struct tool predict_tool = {
    "profile-drug predict",
    "DRUGS",
    "Predict expression signatures of drugs with a trained DeepCE",
    "DRUGS has lines id,SMILES; no drug need be known. Without --cells and --doses each drug is\n"
    "predicted for the cell lines and doses that the model was trained on; others are predicted\n"
    "when they are asked for, with a warning. --out is a table like SIGNATURES of `profile-drug\n"
    "train`.\n\n"
    "  profile-drug predict new_drugs.csv --model model --cells MCF7,PC3 --out predicted.csv",
    predict_opts,
    1,
    1
};

static enum rc run_predict(const struct tool_args *a, struct err *e)
{
    enum rc rc = tool_need_out(a, e);
    if (!rc && !query.model)
        rc = err_set(e, RC_USAGE, "--model is missing");
    if (!rc)
        rc = backend_need(a->backend, &query.backend, e);
    query.drugs = a->arg.item[0];
    query.out = a->out;
    return rc ? rc : profile_predict(&query, e);
}

/* ---- simulate ---- */

static struct profile_simulation s = {
    .n_drugs = 200, .n_genes = 200, .n_cells = 2, .n_doses = 2, .n_replicates = 3, .noise = 0.5
};

static const struct opt simulate_opts[] = {
    OPT_STR("drugs", &s.drugs, "FILE", "lines id,SMILES"),
    OPT_STR("genes", &s.genes, "FILE", "lines gene,numbers: a vector of each gene"),
    OPT_I64("n-drugs", &s.n_drugs, "N", "drugs, drawn from the file"),
    OPT_I64("n-genes", &s.n_genes, "N", "genes, drawn from the file"),
    OPT_I64("cells", &s.n_cells, "N", "cell lines"),
    OPT_I64("doses", &s.n_doses, "N", "doses, the highest ones"),
    OPT_I64("replicates", &s.n_replicates, "N", "of each drug, cell line and dose"),
    OPT_F64("noise", &s.noise, "NUM",
            "spread of a replicate's noise; effects have one of about 0.8"),
    OPT_FLAG("skip-bad", &s.skip_bad,
             "leave out drugs whose SMILES cannot be read, and count them"),
    OPT_END,
};

static const struct tool simulate_tool = {
    "profile-drug simulate",
    "",
    "Make signatures of real drugs on real genes whose truth is known",
    "Drugs with alike structure move alike programmes of genes, and genes with alike vectors take\n"
    "part alike; cell lines and doses scale the answer.\n\n"
    "--out is a folder: drugs.csv, genes.csv, signatures.csv for `profile-drug evaluate`, and\n"
    "truth.csv, the same signatures without noise. Equal options give equal bytes.\n\n"
    "  profile-drug simulate --drugs drugs_smiles.csv --genes gene_vector.csv --seed 1 --out sim\n"
    "  profile-drug evaluate sim/signatures.csv --drugs sim/drugs.csv --genes sim/genes.csv \\\n"
    "      --seed 1 --out scores",
    simulate_opts,
    0,
    0
};

static enum rc run_simulate(const struct tool_args *a, struct err *e)
{
    const struct {
        bool bad;
        const char *what;
    } rule[] = {
        { !s.drugs, "--drugs is missing" },
        { !s.genes, "--genes is missing" },
        { s.n_drugs < 1, "--n-drugs is at least 1" },
        { s.n_genes < 2, "--n-genes is at least 2" },
        { s.n_cells < 1 || s.n_cells > 7, "--cells is 1 to 7" },
        { s.n_doses < 1 || s.n_doses > 6, "--doses is 1 to 6" },
        { s.n_replicates < 1 || s.n_replicates > 15, "--replicates is 1 to 15" },
        { !(s.noise >= 0), "--noise is at least 0" },
    };
    for (size_t i = 0; i < sizeof rule / sizeof *rule; i++)
        if (rule[i].bad)
            return err_set(e, RC_USAGE, "%s", rule[i].what);
    s.out = a->out;
    s.seed = a->seed;
    return tool_need_out(a, e) ? RC_USAGE : profile_simulate(&s, e);
}

/* ---- features ---- */

static bool features_skip;
static const struct opt features_opts[] = {
    OPT_FLAG("skip-bad", &features_skip,
             "leave out drugs whose SMILES cannot be read, and count them"),
    OPT_END,
};

static const struct tool features_tool = {
    "profile-drug features",
    "DRUGS",
    "Tables of the atoms and bonds of drugs",
    "DRUGS has lines id,SMILES. --out is a folder: atoms.tsv and bonds.tsv, what the network of\n"
    "`profile-drug evaluate` sees of each drug, atoms in the order of the text.\n\n"
    "  profile-drug features drugs_smiles.csv --out features",
    features_opts,
    1,
    1
};

static enum rc run_features(const struct tool_args *a, struct err *e)
{
    enum rc rc = tool_need_out(a, e);
    return rc ? rc : profile_features(a->arg.item[0], features_skip, a->out, e);
}

static const struct tool_part part[] = {
    { "train", &train_tool, run_train },          { "predict", &predict_tool, run_predict },
    { "evaluate", &evaluate_tool, run_evaluate }, { "simulate", &simulate_tool, run_simulate },
    { "features", &features_tool, run_features },
};

int main(int argc, char **argv)
{
    static const struct opt none[] = { OPT_END };
    static const struct tool all = {
        "profile-drug",
        "train|predict|evaluate|simulate|features ...",
        "Expression after a drug: predict it from the drug's structure, score predictions",
        "  profile-drug train SIGNATURES --drugs FILE --genes FILE --out MODEL\n"
        "                                                a DeepCE\n"
        "  profile-drug predict DRUGS --model MODEL --out FILE\n"
        "                                                its predictions\n"
        "  profile-drug evaluate SIGNATURES --drugs FILE --genes FILE --out DIR\n"
        "                                                methods, splits, scores\n"
        "  profile-drug simulate --drugs FILE --genes FILE --out DIR\n"
        "                                                a set of known truth\n"
        "  profile-drug features DRUGS --out DIR         atoms and bonds of SMILES\n\n"
        "`profile-drug evaluate --help` and so on tell more.",
        none,
        0,
        -1
    };
    return tool_main_of_parts(&all, part, sizeof part / sizeof *part, argc, argv);
}
