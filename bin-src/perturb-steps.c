/* perturb-steps: does more of a change do more, and more than random genes do? */
#include "lib/app/perturb_steps.h"
#include "lib/base/tool.h"

static struct perturb_steps_options o = { .dataset = "-" };

static const struct opt opts[] = {
    OPT_LIST("steps", &o.steps, "NAME=DIR",
             "what perturb --per-cell wrote, the weakest change first"),
    OPT_STR("dataset", &o.dataset, "NAME", "what the tables call the cells"),
    OPT_END,
};

static const struct tool tool = {
    "perturb-steps",
    "",
    "Compare steps of one change: low and high, or half, quarter and nothing",
    "Each step is a folder of perturb --per-cell of the same cells and genes.\n\n"
    "--out is a folder. predictions.tsv has a line per perturbation, measure and step: its\n"
    "mean with the interval of perturb, the mean of matched random genes and p among them;\n"
    "then how much more it is than the step before, cell by cell, over cells that stand in\n"
    "both: mean, 95 % interval (Student's t), p of Wilcoxon's signed ranks. metrics.tsv has\n"
    "the same as MEASURE, MEASURE_beyond_random and MEASURE_step, with _low, _high and _p\n"
    "behind them; method is the step, split the perturbation. The interval of\n"
    "_beyond_random is over cells, its p over random genes.\n\n"
    "  perturb-steps --steps low=low high=high --out levels",
    opts,
    0,
    0
};

static enum rc run(const struct tool_args *a, struct err *e)
{
    if (tool_need_out(a, e))
        return RC_USAGE;
    if (!o.steps.n)
        return err_set(e, RC_USAGE, "--steps is missing");
    o.seed = a->seed;
    o.out = a->out;
    return perturb_steps(&o, e);
}

int main(int argc, char **argv)
{
    return tool_main(&tool, run, argc, argv);
}
