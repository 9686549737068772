/* perturb: genes deleted, lowered or raised in cells, as a model sees it. */
#include <string.h>

#include "lib/app/perturb.h"
#include "lib/base/tool.h"

static struct perturb_options o = { .least_cells = 10,
                                    .change_name = "delete",
                                    .n_controls = 20,
                                    .top = 50,
                                    .n_draws = 500,
                                    .memory_mib = 512,
                                    .species = "auto",
                                    .label = "label",
                                    .overlap = 0.1 };
static double factor = 0.5;

static const struct opt opts[] = {
    OPT_STR("model", &o.model, "DIR", "a folder that pretrain wrote: step-N"),
    OPT_LIST("genes", &o.genes, "GENE", "genes to perturb one at a time, by symbol or Ensembl id"),
    OPT_LIST("sets", &o.sets, "GENE+GENE", "genes to perturb together"),
    OPT_STR("genes-file", &o.genes_file, "FILE", "more of both, one a line; # begins a remark"),
    OPT_FLAG("pairs", &o.pairs, "also all pairs of the single genes"),
    OPT_FLAG("all-genes", &o.all_genes, "every gene that enough cells show the model"),
    OPT_I64("least-cells", &o.least_cells, "N", "how many are enough, for --all-genes"),
    OPT_CHOICE("change", &o.change_name, "delete|scale|low|high",
               "what becomes of a gene's count / median: 0; times --factor; 1, unless it is "
               "higher; above the cell's highest"),
    OPT_F64("factor", &factor, "NUM",
            "for scale: 0.5 and 0.25 are the paper's knock-downs, above 1 is over-expression"),
    OPT_FLAG("top-half", &o.how.top_half,
             "only cells that have the genes in the upper half of their ranks"),
    OPT_FLAG("whole-sets", &o.how.every,
             "only cells that have all genes of a set; else one is "
             "enough"),
    OPT_I64("controls", &o.n_controls, "N",
            "random genes of like expression and rank that each perturbation is compared with"),
    OPT_I64("draws", &o.n_draws, "N", "of the bootstrap over cells; 0: no intervals"),
    OPT_I64("keep", &o.keep, "N",
            "affected genes written for each perturbation, the most shifted; "
            "0: all"),
    OPT_FLAG("per-cell", &o.per_cell, "also cells.tsv and shifts.h5ad"),
    OPT_I64("max-cells", &o.max_cells, "N", "use only so many cells, drawn by --seed; 0: all"),
    OPT_I64("memory", &o.memory_mib, "MIB",
            "for sums; perturbations that do not fit wait for another pass over the cells"),
    OPT_STR("source", &o.source, "NAME", "only cells with this label"),
    OPT_LIST("target", &o.targets, "NAME",
             "also how much nearer cells with this label come (one or two labels)"),
    OPT_I64("top", &o.top, "N", "candidates written for each target"),
    OPT_STR("label", &o.label, "COLUMN", "the obs column of labels"),
    OPT_STR("labels", &o.labels, "FILE", "table of barcodes and labels (one input only)"),
    OPT_STR("label-column", &o.label_column, "NAME", "its column of labels"),
    OPT_CHOICE("species", &o.species, "human|mouse|auto",
               "whose cells; auto tells it from the names of the genes"),
    OPT_F64("least-overlap", &o.overlap, "NUM",
            "share of an input's genes that the model must know"),
    OPT_FLAG("random-weights", &o.random_weights,
             "draw the weights anew from --seed: the baseline of an untrained model"),
    OPT_FLAG("as-released", &o.as_released,
             "repeat the published procedure with its defects, for comparison: padded cells whose "
             "pads are attended to, every cell taken for human, the genes behind a deleted one "
             "labelled with their left neighbours"),
    OPT_END,
};

static const struct tool tool = {
    "perturb",
    "INPUT...",
    "What deleting, lowering or raising genes does to cells in a model's eyes",
    "Takes raw counts in every form that import reads. A gene's count / median is changed,\n"
    "the cell is ranked and cut anew, and its vectors are compared with those it had. A\n"
    "shift is 1 - cosine.\n\n"
    "--out is a folder:\n"
    "  effects.tsv      per perturbation and affected gene: mean shift over cells, spread,\n"
    "                   95 % interval (Student's t), mean of the controls, z, p, q\n"
    "  predictions.tsv  per perturbation: cls_shift (the species token, the cell's vector)\n"
    "                   and gene_shift (mean over the genes of a cell), each with spread,\n"
    "                   95 % interval (bootstrap over cells), mean of the controls, z, p, q;\n"
    "                   prediction says whether it is beyond the model's own noise\n"
    "  cells.tsv        with --per-cell: both shifts, cell by cell\n"
    "  shifts.h5ad      with --per-cell: the same for AnnData. obs: the cells with what the "
    "inputs\n"
    "                   know of them; var: the perturbations; layers: cls_shift, gene_shift, ...,\n"
    "                   NaN where a perturbation does not concern a cell\n"
    "  candidates.tsv   with --target: what moves cells towards it and away from what they\n"
    "                   were, best first, by both together (mean cosine over all pairs of\n"
    "                   cells); with two targets in_every_list marks what is in both lists\n"
    "  metrics.tsv      the same numbers as other tasks have theirs, and the noise\n\n"
    "p is the share of controls that shift at least as far, themselves included, so it is\n"
    "never below 1 / (1 + --controls); q is Benjamini and Hochberg's, over the affected\n"
    "genes of a perturbation, and over perturbations. Noise is the mean shift when nothing\n"
    "is perturbed and when genes of equal count / median change places.\n\n"
    "A control costs as much as a perturbation. With more than 20 of these all share 20 x\n"
    "--controls genes of all ranks. An interrupted run begins again; nothing half-written\n"
    "is left.\n\n"
    "Example:\n"
    "  perturb heart.h5ad --model results/small/pretrain/step-450 --genes GATA4 TBX5 \\\n"
    "      --sets GATA4+TBX5 --out deleted",
    opts,
    1,
    -1
};

static enum rc check(const struct tool_args *a, struct err *e)
{
    const bool scale = strcmp(o.change_name, "scale") == 0;
    if (tool_need_out(a, e))
        return RC_USAGE;
    if (!o.model)
        return err_set(e, RC_USAGE, "--model is missing");
    if (!o.genes.n && !o.sets.n && !o.genes_file && !o.all_genes)
        return err_set(e, RC_USAGE,
                       "no gene is selected: --genes, --sets, --genes-file or "
                       "--all-genes");
    if (o.all_genes && (o.genes.n || o.sets.n || o.genes_file || o.pairs))
        return err_set(e, RC_USAGE, "--all-genes goes without other genes and without --pairs");
    if (o.labels && a->arg.n > 1)
        return err_set(e, RC_USAGE, "--labels goes with one input");
    if (o.targets.n > 2 || (o.targets.n && (!o.source || o.as_released)))
        return err_set(e, RC_USAGE,
                       "--target takes one or two labels, goes with --source, and not "
                       "with --as-released");
    if (!(factor >= 0 && factor <= 1e6))
        return err_set(e, RC_USAGE, "--factor is out of range (0 to 1e6)");
    if (o.n_controls < 0 || o.n_controls > 10000 || o.n_draws < 0 || o.n_draws > 100000 ||
        o.keep < 0 || o.max_cells < 0 || o.least_cells < 1 || o.top < 1 || o.memory_mib < 1 ||
        o.least_cells > INT32_MAX || o.memory_mib > 1 << 24)
        return err_set(e, RC_USAGE, "a number is out of range");
    if (o.as_released && (strcmp(o.change_name, "delete") != 0 || o.how.top_half || o.how.every))
        return err_set(e, RC_USAGE,
                       "--as-released deletes genes, in every cell that has one of them");
    o.how.kind = strcmp(o.change_name, "low") == 0    ? CHANGE_LOW
                 : strcmp(o.change_name, "high") == 0 ? CHANGE_HIGH
                                                      : CHANGE_FACTOR;
    o.how.factor = scale ? factor : 0;
    return RC_OK;
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    if (check(a, e))
        return RC_USAGE;
    const struct backend *b;
    if (backend_need(a->backend, &b, e))
        return RC_SKIP;
    o.inputs = a->arg;
    o.out = a->out;
    o.report = a->report;
    o.seed = a->seed;
    return perturb(&o, b, e);
}

int main(int argc, char **argv)
{
    return tool_main(&tool, run, argc, argv);
}
