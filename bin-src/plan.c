/* plan: what a run of the full corpus would cost, from rates of this machine. */
#include "lib/base/tool.h"
#include "lib/report/plan.h"
#include "lib/report/plan_rates.h"

static const char *formulas = "reference/plan.tsv", *from, *rates_out;
static struct opt_list rates;

static const struct opt opts[] = {
    OPT_STR(
        "from", &from, "DIR",
        "a results folder with a corpus: rates from the logs of its stages, and of SHA-256 now"),
    OPT_LIST("rates", &rates, "FILE...", "more rates (name, value, unit, source); later ones win"),
    OPT_STR("formulas", &formulas, "FILE", "what to work out (name, unit, formula, source)"),
    OPT_STR("rates-out", &rates_out, "FILE", "the rates that were used, as --rates takes them"),
    OPT_END,
};

static const char text[] =
    "Prints the rates, each with its source, and the plan: every number with the formula\n"
    "it comes from. --out gets the same as a table. A formula joins numbers and names of\n"
    "rows above it by + - * and /.\n"
    "\n"
    "Example:\n"
    "  plan --from results/small --rates gpu.tsv --out plan.tsv";

static enum rc fill(struct plan *p, struct err *e)
{
    enum rc rc = from ? plan_rates_of(p, from, e) : RC_OK;
    if (!rc && from)
        rc = plan_rates_sha256(p, e);
    for (int i = 0; !rc && i < rates.n; i++)
        rc = plan_read_rates(p, rates.item[i], e);
    return rc ? rc : plan_read_formulas(p, formulas, e);
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    struct plan p;
    if (!from && !rates.n)
        return err_set(e, RC_USAGE, "wants --from or --rates: a plan without rates is a guess");
    plan_init(&p);
    enum rc rc = fill(&p, e);
    if (!rc && a->out)
        rc = plan_write(&p, a->out, e);
    if (!rc && rates_out)
        rc = plan_write_rates(&p, rates_out, e);
    if (!rc)
        plan_print(&p, stdout);
    plan_release(&p);
    return rc;
}

int main(int argc, char **argv)
{
    static const struct tool tool = {
        "plan", "", "What the full corpus and its training would cost", text, opts, 0, 0
    };
    return tool_main(&tool, run, argc, argv);
}
