/* TOSICA beyond the reference values of parity-downstream: which sets become tokens, refusals,
 * dropout, learning a rule on both backends. */
#include <string.h>

#include "lib/base/rng.h"
#include "lib/base/thread.h"
#include "lib/nn/net.h"
#include "lib/nn/tosica.h"
#include "tests/tap.h"

static void sets(void)
{
    const size_t listed[] = { 5, 400, 6, 7, 8 }, hits[] = { 5, 9, 4, 7, 5 };
    uint32_t kept[6];
    size_t n = tosica_choose_sets(listed, hits, 5, 20, 300, 4, 10, kept);
    ok(n == 4 && kept[0] == 0 && kept[1] == 3 && kept[2] == 4 && kept[3] == 5,
       "a set that is too long and one of too few hits are left out");
    n = tosica_choose_sets(listed, hits, 5, 20, 300, 4, 3, kept);
    ok(n == 3 && kept[0] == 0 && kept[1] == 3 && kept[2] == 5,
       "the most hits win, equal ones by place, the connected node among them");
    n = tosica_choose_sets(listed, hits, 5, 4, 300, 4, 3, kept);
    ok(n == 3 && kept[2] == 4, "with too few genes there is no connected node");
}

static const struct tosica_config small = { .n_genes = 6,
                                            .n_tokens = 3,
                                            .d = 4,
                                            .depth = 2,
                                            .heads = 2,
                                            .mlp_ratio = 2,
                                            .n_classes = 2,
                                            .norm_eps = 1e-6,
                                            .dropout = 0.5,
                                            .path_drop = 0.5 };

/* Cells whose class is which half of the genes is higher: the loss falls. */
static void learns(const struct backend *b)
{
    enum { N = 24 };
    double x[N * 6], mask_x[18] = { 1, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1 },
                     first = 0, last = 0;
    uint32_t y[N];
    uint64_t key[N];
    struct tosica m;
    struct err e = { 0 };
    for (size_t i = 0; i < N; i++) {
        y[i] = i % 2;
        key[i] = i + 1;
        for (size_t j = 0; j < 6; j++)
            x[i * 6 + j] = rng_unit(1, RNG_TEST, i, j) + ((j < 3) == (y[i] == 0));
    }
    struct tosica_config c = small;
    c.dropout = c.path_drop = 0.1;
    if (!ok(!tosica_init(&m, &c, b, true, &e), "%s: a small network%s", b->name, e.text))
        return;
    net_initialise(&m.params, 1);
    tosica_set_mask(&m, &(struct mat){ 3, 6, mask_x });
    for (uint64_t step = 0; step < 150; step++) {
        struct tape t;
        struct tosica_out out;
        const struct tosica_batch batch = { N, x, y, step + 1 < 150 ? key : NULL, step };
        tape_init(&t, b, true);
        params_zero_gradients(&m.params);
        tosica_forward(&m, &t, &batch, &out);
        tape_backward(&t);
        tosica_step(&m, 0.02);
        last = out.loss;
        first = step ? first : out.loss;
        tape_release(&t);
    }
    ok(last < 0.5 * first, "%s: the loss falls from %.3f to %.3f with dropout on", b->name, first,
       last);
    tosica_release(&m);
}

static void dropout(void)
{
    double x[6] = { 1, 0, 2, 3, 1, 1 }, v[2][2];
    const uint64_t key[1] = { 7 };
    struct tosica m;
    struct err e = { 0 };
    if (!ok(!tosica_init(&m, &small, &backend_ref, false, &e), "a small network%s", e.text))
        return;
    net_initialise(&m.params, 1);
    for (int k = 0; k < 2; k++) {
        struct tape t;
        struct tosica_out out;
        const struct tosica_batch b = { 1, x, NULL, k ? key : NULL, 3 };
        tape_init(&t, &backend_ref, false);
        tosica_forward(&m, &t, &b, &out);
        memcpy(v[k], out.logits->x, sizeof v[k]);
        ok(near(out.loss, 0, 0, 0) && isfinite(v[k][0]), "a batch of one cell without a label");
        tape_release(&t);
    }
    ok(fabs(v[0][0] - v[1][0]) > 1e-9, "dropout changes the logits");
    tosica_release(&m);
    struct tosica_config c = small;
    c.heads = 3;
    ok(tosica_init(&m, &c, &backend_ref, false, &e) == RC_INPUT && !m.params.item, "refused: %s",
       e.text);
}

int main(void)
{
    const char *why;
    threads_init(0);
    sets();
    dropout();
    learns(&backend_ref);
    if (backend_find("cpu", &why))
        learns(&backend_cpu);
    threads_stop();
    return tap_end();
}
