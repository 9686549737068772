/* grn-recognition: does deleting a regulator move its targets more than other genes? */
#include "lib/app/grn_recognition.h"
#include "lib/base/tool.h"

static struct grn_options o = { .dataset = "-", .least_targets = 5 };

static const struct opt opts[] = {
    OPT_LIST("effects", &o.effects, "NAME=DIR", "what perturb --change delete wrote"),
    OPT_LIST("pairs", &o.pairs, "NAME=DIR", "what perturb --change delete --pairs wrote"),
    OPT_LIST("targets", &o.targets, "NAME=FILE",
             "regulators and targets: TRRUST, CollecTRI, DoRothEA, or a table with columns tf, "
             "target and perhaps class"),
    OPT_STR("levels", &o.levels, "LETTERS",
            "only these letters of confidence, where a list has any"),
    OPT_LIST("against", &o.against, "NAME=FILE",
             "also compare targets with these genes, one a line (housekeeping)"),
    OPT_LIST("counts", &o.counts, "CELLS.h5ad",
             "the cells, with mapped genes: for correlation and co-expression"),
    OPT_STR("vocab", &o.vocab, "FILE", "the model's vocab.tsv: symbols to ids"),
    OPT_STR("dataset", &o.dataset, "NAME", "what the tables call the cells"),
    OPT_I64("least-targets", &o.least_targets, "N",
            "leave out regulators with fewer targets, or others, among the genes seen"),
    OPT_END,
};

static const struct tool tool = {
    "grn-recognition",
    "",
    "Tell how well deletions find the targets of regulators",
    "Methods: NAME, genes ranked by their shift when the regulator is deleted; NAME-z, by\n"
    "that shift in units of the spread among matched deletions; with --counts correlation\n"
    "(|Pearson| of log counts) and co-expression (how often both are detected).\n\n"
    "--out is a folder. predictions.tsv has a line per method, comparison and regulator;\n"
    "metrics.tsv their means over regulators. A comparison is LIST:CLASS/OTHERS, targets\n"
    "against all genes without a link, against a later class of the list, or against a\n"
    "list of --against:\n"
    "  auroc, average_precision   targets before the others\n"
    "  precision                  of the ranked list's first |targets|, as in the paper,\n"
    "                             by the mean over cells; beside it random_listed, the share\n"
    "                             of targets in the list, and random_vocabulary, |targets| /\n"
    "                             23115, which the released code takes and which is too low\n"
    "  wilcoxon_p, welch_p        of the two groups; wilcoxon_q over the regulators\n"
    "_low and _high are the ends of a 95 % interval over regulators (Student's t).\n"
    "With --pairs, together.tsv compares genes that both of a pair regulate\n"
    "when both are deleted, and when one of them is, beside another of the pairs' regulators\n"
    "that has no link to the gene; metrics.tsv has the mean difference, both_less_one.\n\n"
    "  grn-recognition --effects genecompass=deleted --targets trrust=trrust.tsv \\\n"
    "      --vocab results/small/pretrain/step-450/vocab.tsv --out grn",
    opts,
    0,
    0
};

static enum rc run(const struct tool_args *a, struct err *e)
{
    if (tool_need_out(a, e))
        return RC_USAGE;
    if (!o.effects.n || !o.targets.n || !o.vocab)
        return err_set(e, RC_USAGE, "%s is missing",
                       !o.effects.n   ? "--effects"
                       : !o.targets.n ? "--targets"
                                      : "--vocab");
    if (o.least_targets < 2 || o.least_targets > 100000)
        return err_set(e, RC_USAGE, "--least-targets is out of range (2 to 100000)");
    o.seed = a->seed;
    o.out = a->out;
    return grn_recognition(&o, e);
}

int main(int argc, char **argv)
{
    return tool_main(&tool, run, argc, argv);
}
