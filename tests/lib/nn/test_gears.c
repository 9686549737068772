/* GEARS beyond the reference values of parity-downstream: learning on both backends with a
 * trainable projection, refusals, graphs and splits at their edges. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/rng.h"
#include "lib/base/thread.h"
#include "lib/nn/gears.h"
#include "lib/nn/gears_data.h"
#include "lib/nn/net.h"
#include "tests/tap.h"

enum { G = 5, P = 4, N = 6, WIDE = 3 };

static const uint32_t from[] = { 0, 1, 2 }, to[] = { 1, 0, 2 };
static const double weight[] = { 0.5, 0.5, 1 };
static const struct gears_edges edges = { 3, from, to, weight };

/* Perturbing node k moves gene k by 1: the loss falls. */
static void learns(const struct backend *b, bool project, bool shared)
{
    const struct gears_config c = { G, P, 4, project ? WIDE : 0, project, shared };
    struct gears m;
    struct gears_batch batch;
    struct err e = { 0 };
    double x[N * G], y[N * G], embedding[N * G * WIDE], mean[G], first_loss = 0, loss = 0;
    const uint32_t first[] = { 0, 1, 2, 3, 4, 4, 6 }, node[] = { 0, 1, 2, 3, 0, 1 };
    uint32_t condition[N], all[G];
    const uint32_t *gene[N];
    size_t n_genes[N];
    for (size_t i = 0; i < N * G * WIDE; i++)
        embedding[i] = rng_normal(2, RNG_TEST, 1, i);
    for (uint32_t i = 0; i < N; i++) {
        condition[i] = i;
        gene[i] = all;
        n_genes[i] = G;
        for (uint32_t j = 0; j < G; j++) {
            all[j] = j;
            mean[j] = 1;
            x[i * G + j] = 1 + 0.2 * rng_normal(1, RNG_TEST, i, j);
            y[i * G + j] = x[i * G + j];
        }
        for (uint32_t k = first[i]; k < first[i + 1]; k++)
            y[i * G + node[k]] += 1;
    }
    const struct gears_target target = { y, mean, condition, N, gene, n_genes, 0.1, false };
    if (!ok(!gears_init(&m, &c, &edges, &edges, b, true, &e) &&
                !gears_batch_init(&batch, &m, N, x, project ? embedding : NULL, first, node, &e),
            "%s: a small network%s", b->name, e.text))
        return;
    gears_randomise(&m, 5);
    for (uint64_t step = 0; step < 200; step++) {
        struct tape t;
        struct gears_out out;
        tape_init(&t, b, true);
        params_zero_gradients(&m.params);
        gears_forward(&m, &t, &batch, true, &out);
        if (gears_loss(&t, out.predicted, &target, &loss, NULL, &e))
            loss = NAN;
        tape_backward(&t);
        gears_step(&m, 0.01, 0, step + 1);
        first_loss = step ? first_loss : loss;
        tape_release(&t);
    }
    ok(loss < 0.2 * first_loss, "%s%s: the loss falls from %.3f to %.3f", b->name,
       project  ? ", projected embeddings"
       : shared ? ", one gene branch"
                : "",
       first_loss, loss);
    gears_batch_release(&batch);
    gears_release(&m);
}

static void refusals(void)
{
    struct gears m;
    struct gears_batch b;
    struct err e = { 0 };
    double x[G] = { 0 };
    const uint32_t first[] = { 0, 1 }, node[] = { P };
    struct gears_config c = { G, P, 4, 3, false, false };
    ok(gears_init(&m, &c, &edges, &edges, &backend_ref, false, &e) == RC_INPUT && !m.params.item,
       "embeddings of another width without a projection: %s", e.text);
    c.d_embedding = 0;
    c.n_nodes = 2;
    ok(gears_init(&m, &c, &edges, &edges, &backend_ref, false, &e) == RC_INPUT && !m.params.item,
       "an edge to no node: %s", e.text);
    c.n_nodes = P;
    if (!ok(!gears_init(&m, &c, &edges, &edges, &backend_ref, false, &e), "a network%s", e.text))
        return;
    ok(gears_batch_init(&b, &m, 1, x, NULL, first, node, &e) == RC_INPUT && !b.genes.index,
       "a perturbed node that is not there: %s", e.text);
    ok(gears_batch_init(&b, &m, 0, x, NULL, first, node, &e) == RC_INPUT, "%s", e.text);
    gears_release(&m);
}

static void splits(void)
{
    static const char *const bad[] = { "A", "+A", "A+", "A+B+C", "ctrl+ctrl" };
    enum part part[2];
    enum gears_class class[2];
    struct err e = { 0 };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *const name[] = { "A+ctrl", bad[i] };
        ok(gears_split(name, 2, 1, part, class, &e) == RC_INPUT, "%s", e.text);
    }
    ok(!gears_split(NULL, 0, 1, part, class, &e), "nothing to split");
}

static void graphs(void)
{
    /* genes 0 and 1 share their terms, gene 2 has none */
    const size_t first[] = { 0, 2, 4, 4 };
    const uint32_t term[] = { 0, 1, 1, 0 };
    struct gears_graph g;
    struct err e = { 0 };
    ok(!gears_graph_go(first, term, 3, 2, 20, 0.1, &g, &e) && g.n == 4,
       "a gene without terms has no edge, not even to itself");
    gears_graph_release(&g);
    ok(!gears_graph_go(first, term, 3, 2, 0, 0.1, &g, &e) && g.n == 2 && g.from[1] == 0,
       "of equal neighbours the earlier one is kept");
    gears_graph_release(&g);
    ok(gears_graph_go(first, term, 3, 1, 20, 0.1, &g, &e) == RC_INPUT && !g.from, "%s", e.text);
    double x[] = { 1, 2, 7, 2, 4, 7, 3, 6, 7 }; /* the last gene is constant */
    ok(!gears_graph_coexpression(&(struct mat){ 3, 3, x }, 20, 0.4, &g, &e) && g.n == 4 &&
           near(g.weight[0], 1, 1e-12, 0),
       "a constant gene correlates with nothing");
    gears_graph_release(&g);
}

/* Of each target the two largest, the earlier of equals; the order of the list stays. */
static void trims(void)
{
    uint32_t from_[] = { 0, 1, 2, 3, 0 }, to_[] = { 1, 1, 1, 1, 0 };
    double weight_[] = { 0.2, 0.5, 0.2, 0.1, 0.3 };
    struct gears_graph g = { 5, from_, to_, weight_ };
    struct err e = { 0 };
    ok(!gears_graph_trim(&g, 1, &e) && g.n == 3, "three of five edges are among the largest");
    ok(g.from[0] == 0 && g.from[1] == 1 && g.from[2] == 0 && g.to[2] == 0 &&
           near(g.weight[0], 0.2, 0, 0),
       "the earlier of equal ones, in the order of the list");
}

int main(void)
{
    const char *why;
    threads_init(0);
    learns(&backend_ref, false, false);
    learns(&backend_ref, false, true);
    learns(&backend_ref, true, true);
    learns(&backend_ref, true, false);
    if (backend_find("cpu", &why)) {
        learns(&backend_cpu, true, false);
        learns(&backend_cpu, false, true);
    }
    refusals();
    splits();
    graphs();
    trims();
    threads_stop();
    return tap_end();
}
