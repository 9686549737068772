/* CAME beyond the reference values of parity-downstream: refusals, the choice of an epoch, equal
 * logits from both backends, learning. The set is made: three types of cells, genes of one species
 * named a.., of the other b.., genes 3 k to 3 k + 2 high in type k. (Of two classes the last layer
 * norm leaves nothing but a sign, without a gradient.) */
#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/base/thread.h"
#include "lib/nn/came.h"
#include "lib/tensor/tape_small.h"
#include "tests/tap.h"

enum { GENES = 9, CELLS = 15, TYPES = 3 };
static const char *const name_a[GENES] = { "a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8" },
                         *const name_b[GENES] = { "b0", "b1", "b2", "b3", "b4", "b5", "b6", "b7", "b8" };

static void counts(struct csr *c, uint64_t seed)
{
    if (csr_alloc(c, CELLS, GENES, CELLS * GENES, NULL))
        abort();
    for (size_t r = 0, k = 0; r < CELLS; r++) {
        for (uint32_t j = 0; j < GENES; j++) {
            const bool high = j / 3 == r % TYPES;
            const uint32_t v = (uint32_t)rng_below(seed, RNG_TEST, r, j, high ? 12 : 2);
            if (v) {
                c->index[k] = j;
                c->value[k++] = v;
            }
        }
        c->indptr[r + 1] = k;
    }
}

static void made_sets(struct came_set set[CAME_SETS], struct csr count[CAME_SETS])
{
    static const uint32_t a[] = { 0, 1 }, b[] = { 3, 4 };
    for (int s = 0; s < CAME_SETS; s++) {
        counts(&count[s], (uint64_t)s + 1);
        const char *const *gene = s ? name_b : name_a;
        set[s] = (struct came_set){ &count[s], gene, gene, gene, GENES, GENES, a, b, 2 };
    }
}

static struct came_config config_of(const struct came_graph *g)
{
    return (struct came_config){ .n_features = g->n_features,
                                 .n_classes = TYPES,
                                 .d = 8,
                                 .heads = 2,
                                 .layers = 2,
                                 .aligned = g->aligned,
                                 .slope = 0.05,
                                 .attention_slope = 0.2,
                                 .norm_eps = 1e-5,
                                 .dropout = 0.2,
                                 .attention_dropout = 0.2,
                                 .feature_dropout = 0.01,
                                 .smooth_eps = 0.1,
                                 .beta = 1 };
}

static size_t best_of(const double *z)
{
    size_t best = 0;
    for (size_t k = 1; k < TYPES; k++)
        best = z[k] > z[best] ? k : best;
    return best;
}

/* Share of query cells that get their type after some steps, without dropout. */
static double trained(const struct came_graph *g, const struct backend *b, double *first_logits)
{
    struct came m;
    struct err e = { 0 };
    const struct came_config c = config_of(g);
    uint32_t label[CELLS];
    double weight[TYPES];
    size_t right = 0;
    if (came_init(&m, &c, b, true, &e))
        return NAN;
    came_randomise(&m, 4);
    for (uint32_t i = 0; i < CELLS; i++)
        label[i] = i % TYPES;
    came_class_weights(label, CELLS, TYPES, weight);
    for (uint64_t step = 0; step <= 300; step++) {
        struct tape t;
        struct came_out out;
        struct came_loss loss;
        const struct came_run run = { false, step && step < 300, step };
        tape_init(&t, b, true);
        memset(m.params.g, 0, m.params.n_items * b->real_bytes);
        came_forward(&m, &t, g, NULL, &run, &out);
        const double *z = tape_values(&t, out.logits);
        if (!step)
            memcpy(first_logits, z, 2 * TYPES * CELLS * sizeof *z);
        for (size_t i = 0; step == 300 && i < CELLS; i++)
            right += best_of(z + TYPES * (CELLS + i)) == i % TYPES;
        if (came_loss(&m, &t, g, &out, label, weight, &loss, &e))
            right = 0;
        tape_backward(&t);
        came_step(&m, 0.01, 0.01, step + 1);
        tape_release(&t);
    }
    came_release(&m);
    return (double)right / CELLS;
}

static void network(const struct came_set *set, bool aligned)
{
    struct came_graph g;
    struct err e = { 0 };
    double ref[2 * TYPES * CELLS], cpu[2 * TYPES * CELLS], off = 0;
    const char *why;
    const struct came_homologs pairs = { name_a, name_b, GENES };
    if (!ok(!came_graph_init(&g, set, &pairs, aligned, &e), "a graph%s", e.text))
        return;
    ok(g.n_nodes == (aligned ? GENES : 2 * GENES) && g.n_features == GENES, "%zu nodes", g.n_nodes);
    double right = trained(&g, &backend_ref, ref);
    ok(right > 0.7, "query cells get the type of the reference: %.2f right", right);
    if (backend_find("cpu", &why)) {
        right = trained(&g, &backend_cpu, cpu);
        for (size_t i = 0; i < 2 * TYPES * CELLS; i++)
            off = fabs(ref[i] - cpu[i]) > off ? fabs(ref[i] - cpu[i]) : off;
        ok(off < 1e-4 && right > 0.7, "the same on cpu: logits off by %.1e, %.2f right", off,
           right);
    }
    came_graph_release(&g);
}

static void refusals(const struct came_set *made, struct csr *count)
{
    struct came_graph g;
    struct err e = { 0 };
    struct came_set set[CAME_SETS] = { made[0], made[1] };
    const struct came_homologs none = { name_b, name_a, GENES }, all = { name_a, name_b, GENES };
    ok(came_graph_init(&g, set, &none, false, &e) == RC_INPUT && !g.node,
       "homologs the wrong way round: %s", e.text);
    static const uint32_t far[] = { 0, CELLS };
    set[1].near_b = far;
    ok(came_graph_init(&g, set, &all, false, &e) == RC_INPUT && !g.node, "%s", e.text);
    set[1] = made[1];
    memset(count[1].value, 0, count[1].indptr[CELLS] * sizeof *count[1].value);
    ok(came_graph_init(&g, set, &all, false, &e) == RC_INPUT, "%s", e.text);
    struct came m;
    struct came_config c = { .n_features = 3, .n_classes = 2, .d = 4, .layers = 2 };
    ok(came_init(&m, &c, &backend_ref, false, &e) == RC_INPUT && !m.params.item, "%s", e.text);
}

static void choice(void)
{
    struct came_choice c = { .first = 2, .epoch = SIZE_MAX };
    const double ami[] = { 0.9, 0.9, 0.3, 0.5, 0.5, 0.4 };
    for (size_t i = 0; i < 6; i++)
        came_choose(&c, i, ami[i]);
    ok(c.epoch == 4 && near(c.ami, 0.5, 0, 0),
       "the best epoch from the first allowed on, the later of equals");
    double w[2];
    const uint32_t label[] = { 0, 0, 0, 1 };
    came_class_weights(label, 4, 2, w);
    ok(near(w[0], 0.5 / (0.5 + sqrt(0.5)), 1e-15, 0) && near(w[0] + w[1], 1, 1e-15, 0),
       "class weights");
}

int main(void)
{
    struct came_set set[CAME_SETS];
    struct csr count[CAME_SETS];
    threads_init(0);
    made_sets(set, count);
    network(set, false);
    network(set, true);
    refusals(set, count);
    choice();
    csr_release(&count[0]);
    csr_release(&count[1]);
    threads_stop();
    return tap_end();
}
