/* bench-deepce: training steps of DeepCE on made-up drugs, of the published sizes. Options and JSON
 * keys are those of bench/deepce-torch.py. */
#include <stdlib.h>
#include <sys/resource.h>

#include "lib/base/log.h"
#include "lib/base/rng.h"
#include "lib/base/tool.h"
#include "lib/nn/deepce.h"

static struct {
    int64_t genes, atoms, width, batch, steps;
} opt = { 978, 30, 128, 16, 3 };

static const struct opt opts[] = {
    OPT_I64("genes", &opt.genes, "N", "genes of a signature"),
    OPT_I64("atoms", &opt.atoms, "N", "atoms of a drug: a ring of six with a chain"),
    OPT_I64("width", &opt.width, "N", "of the network"),
    OPT_I64("batch", &opt.batch, "N", "signatures of a step"),
    OPT_I64("steps", &opt.steps, "N", "timed steps, behind one that is not"),
    OPT_END,
};

enum { D_GENE = 128 };

struct made_up {
    double *atom, *bond, *vector, *label;
    uint32_t *signature, *bond_atom, *cell, *dose;
    struct deepce_batch b;
};

static void release(struct made_up *s)
{
    void *const all[] = { s->atom,      s->bond,      s->vector, s->label,
                          s->signature, s->bond_atom, s->cell,   s->dose };
    deepce_batch_release(&s->b);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

/* One of `width` columns of each row is 1. */
static void one_hot(double *x, size_t n, size_t width, uint64_t seed)
{
    for (size_t i = 0; i < n; i++)
        x[i * width + rng_below(seed, RNG_TEST, i, width, width)] = 1;
}

static void fill(struct made_up *s, uint64_t seed)
{
    const size_t a = (size_t)opt.atoms, n = (size_t)opt.batch, g = (size_t)opt.genes;
    one_hot(s->atom, n * a, DEEPCE_ATOM, seed);
    one_hot(s->bond, n * a, DEEPCE_BOND, seed);
    for (size_t i = 0; i < g * D_GENE; i++)
        s->vector[i] = rng_unit(seed, RNG_TEST, i, 0) - 0.5;
    for (size_t i = 0; i < n * g; i++)
        s->label[i] = rng_unit(seed, RNG_TEST, i, 1) - 0.5;
    for (uint32_t k = 0; k < n; k++) {
        s->cell[k] = k % 7;
        s->dose[k] = k % 6;
        for (uint32_t i = 0; i < a; i++) {
            const size_t at = k * a + i; /* of the atom, and of the bond that begins there */
            const uint32_t first = (uint32_t)(k * a);
            s->signature[at] = k;
            /* The ring's six bonds, then one to every further atom from that before it. */
            s->bond_atom[2 * at] = first + (i < 6 ? i : i - 1);
            s->bond_atom[2 * at + 1] = first + (i < 6 ? (i + 1) % 6 : i);
        }
    }
}

static enum rc make(struct made_up *s, const struct deepce *m, uint64_t seed, struct err *e)
{
    const size_t n = (size_t)opt.batch, rows = n * (size_t)opt.atoms, g = (size_t)opt.genes;
    *s = (struct made_up){ .atom = calloc(rows * DEEPCE_ATOM, sizeof(double)),
                           .bond = calloc(rows * DEEPCE_BOND, sizeof(double)),
                           .vector = malloc(g * D_GENE * sizeof(double)),
                           .label = malloc(n * g * sizeof(double)),
                           .signature = malloc(rows * sizeof(uint32_t)),
                           .bond_atom = malloc(2 * rows * sizeof(uint32_t)),
                           .cell = malloc(n * sizeof(uint32_t)),
                           .dose = malloc(n * sizeof(uint32_t)) };
    if (!s->atom || !s->bond || !s->vector || !s->label || !s->signature || !s->bond_atom ||
        !s->cell || !s->dose)
        return err_set(e, RC_FAIL, "no memory for %zu atoms", rows);
    fill(s, seed);
    s->b = (struct deepce_batch){ .n = n,
                                  .n_atoms = rows,
                                  .n_bonds = rows,
                                  .atom = s->atom,
                                  .bond = s->bond,
                                  .gene_vector = s->vector,
                                  .cell = s->cell,
                                  .dose = s->dose,
                                  .dropout = true };
    return deepce_batch_init(&s->b, m, s->signature, s->bond_atom, e);
}

static enum rc step(struct deepce *m, struct tape *t, struct made_up *s, uint64_t number,
                    struct err *e)
{
    struct deepce_out out;
    double loss;
    params_zero_gradients(&m->params);
    s->b.seed = number;
    tape_reset(t);
    deepce_forward(m, t, &s->b, true, &out);
    enum rc rc = tape_check(t, e);
    if (!rc)
        rc = deepce_loss(t, out.predicted, s->label, &loss, e);
    if (rc)
        return rc;
    tape_backward(t);
    deepce_step(m, 2e-4, number);
    return RC_OK;
}

static enum rc measure(struct deepce *m, struct tape *t, struct made_up *s, struct err *e)
{
    struct rusage use;
    enum rc rc = step(m, t, s, 1, e);
    const double wall = clock_s(), cpu = processor_s();
    for (int64_t k = 0; !rc && k < opt.steps; k++)
        rc = step(m, t, s, 2 + (uint64_t)k, e);
    const double n = (double)(opt.steps * opt.batch);
    getrusage(RUSAGE_SELF, &use);
    if (!rc)
        printf("{\"bench\": \"deepce\", \"signatures_per_s\": %.4g, \"signatures_per_cpu_s\": "
               "%.4g, \"peak_rss_mib\": %.1f}\n",
               n / (clock_s() - wall), n / (processor_s() - cpu), (double)use.ru_maxrss / 1024);
    return rc;
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    const size_t w = (size_t)opt.width;
    const struct deepce_config c = { .n_genes = (size_t)opt.genes,
                                     .d_gene = D_GENE,
                                     .d = w,
                                     .heads = 4,
                                     .layers = 2,
                                     .inner = 4 * w,
                                     .d_hidden = w,
                                     .n_conv = 2,
                                     .conv = { 16, 16 },
                                     .n_cells = 7,
                                     .d_cell = 4,
                                     .n_doses = 6,
                                     .d_dose = 4,
                                     .dropout = 0.1 };
    struct deepce m;
    struct made_up s;
    struct tape t;
    const struct backend *b;
    if (backend_need(a->backend, &b, e))
        return RC_SKIP;
    if (opt.genes < 1 || opt.genes > 100000 || opt.atoms < 7 || opt.atoms > 1000 || w < 4 ||
        w % 4 || opt.batch < 1 || opt.batch > 4096 || opt.steps < 1)
        return err_set(e, RC_USAGE, "sizes are out of range");
    enum rc rc = deepce_init(&m, &c, b, true, e);
    if (rc)
        return rc;
    deepce_randomise(&m, a->seed);
    tape_init(&t, b, true);
    rc = make(&s, &m, a->seed, e);
    if (!rc)
        rc = measure(&m, &t, &s, e);
    release(&s);
    tape_release(&t);
    deepce_release(&m);
    return rc;
}

int main(int argc, char **argv)
{
    static const struct tool tool = { "bench-deepce",
                                      "",
                                      "Time training steps of DeepCE",
                                      "  bench-deepce --steps 3 --threads 2",
                                      opts,
                                      0,
                                      0 };
    return tool_main(&tool, run, argc, argv);
}
