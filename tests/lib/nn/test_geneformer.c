/* Geneformer's network and rank lists beyond the reference values of parity-downstream: refusals,
 * a first loss, equal numbers from both backends, dropout by key. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/thread.h"
#include "lib/cell/rank_list.h"
#include "lib/nn/geneformer.h"
#include "lib/nn/net.h"
#include "tests/tap.h"

static const struct geneformer_config small = { .n_tokens = 50,
                                                .d = 16,
                                                .layers = 2,
                                                .heads = 2,
                                                .inner = 32,
                                                .n_positions = 12,
                                                .n_types = 2,
                                                .norm_eps = 1e-12,
                                                .hidden_dropout = 0.1,
                                                .attention_dropout = 0.1 };

static const uint32_t first[] = { 0, 5, 7 }, id[] = { 4, 9, 1, 30, 2, 49, 7 },
                      rank[] = { 0, 1, 2, 3, 4, 0, 1 }, asked[] = { 2, 5 }, label[] = { 17, 49 };

static struct geneformer_batch two_cells(void)
{
    return (struct geneformer_batch){ .n_cells = 2,
                                      .n_rows = 7,
                                      .n_asked = 2,
                                      .first = first,
                                      .id = id,
                                      .rank = rank,
                                      .asked = asked,
                                      .label = label };
}

static double loss_of(const struct geneformer *m, const struct geneformer_batch *b)
{
    struct tape t;
    struct geneformer_out out;
    tape_init(&t, m->params.b, false);
    geneformer_encode(m, &t, b, &out);
    const double loss = geneformer_loss(m, &t, b, &out);
    tape_release(&t);
    return loss;
}

static void network(void)
{
    struct geneformer m, f;
    struct err e = { 0 };
    struct geneformer_batch b = two_cells();
    const char *why;
    if (!ok(!geneformer_init(&m, &small, &backend_ref, false, &e), "a small model%s", e.text))
        return;
    net_initialise(&m.params, 3);
    const double loss = loss_of(&m, &b);
    ok(near(loss, log(50), 1.5, 0), "first weights guess: loss %.3f, ln 50 = %.3f", loss, log(50));
    if (backend_find("cpu", &why)) {
        ok(!geneformer_init(&f, &small, &backend_cpu, false, &e), "the same on cpu%s", e.text);
        net_initialise(&f.params, 3);
        ok(near(loss_of(&f, &b), loss, 1e-5, 0), "gives the same loss");
        geneformer_release(&f);
    }
    const uint64_t key[7] = { 1, 2, 3, 4, 5, 6, 7 };
    b.row_key = key;
    b.seed = 5;
    const double dropped = loss_of(&m, &b);
    ok(fabs(dropped - loss) > 1e-6 && near(loss_of(&m, &b), dropped, 0, 0),
       "dropout changes the loss, the same key in the same way");
    b.n_asked = 0;
    ok(near(loss_of(&m, &b), 0, 0, 0), "nothing asked, no loss");
    geneformer_release(&m);
}

static void refusals(void)
{
    struct geneformer m;
    struct err e = { 0 };
    struct geneformer_config c = small;
    c.heads = 3;
    ok(geneformer_init(&m, &c, &backend_ref, false, &e) == RC_INPUT && !m.params.item,
       "a width that the heads do not divide: %s", e.text);
    c = small;
    c.layers = 0;
    ok(geneformer_init(&m, &c, &backend_ref, false, &e) == RC_INPUT, "no layers: %s", e.text);
    c = small;
    c.n_tokens = 49;
    if (!ok(!geneformer_init(&m, &c, &backend_ref, false, &e), "49 tokens%s", e.text))
        return;
    struct geneformer_batch b = two_cells();
    ok(geneformer_check(&m, &b, &e) == RC_INPUT, "a token that it lacks: %s", e.text);
    geneformer_release(&m);
    c = small;
    c.n_positions = 4;
    if (!ok(!geneformer_init(&m, &c, &backend_ref, false, &e), "4 positions%s", e.text))
        return;
    ok(geneformer_check(&m, &b, &e) == RC_INPUT, "a cell too long: %s", e.text);
    geneformer_release(&m);
}

static void lists(void)
{
    /* total 100; values: 10/100*1e4/2 = 500, 40/100*1e4/8 = 500, 50 has no median, 0 counts */
    const uint32_t column[] = { 3, 1, 0, 2 }, count[] = { 10, 40, 50, 0 }, token[] = { 9, 5, 6, 7 };
    const double median[] = { 0, 8, 1, 2 };
    struct ranked_token list[4];
    const size_t n = rank_list(column, count, 4, token, median, list);
    ok(n == 2 && list[0].token == 5 && list[1].token == 7 && near(list[0].value, 500, 0, 0),
       "equal values by rising token; no median, no place, but its count is in the total");
}

int main(void)
{
    threads_init(0);
    network();
    refusals();
    lists();
    threads_stop();
    return tap_end();
}
