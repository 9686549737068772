/* A model of a few thousand weights, cells for it, and a bound for counts of draws. For tests. */
#ifndef GC_TESTS_TINY_H
#define GC_TESTS_TINY_H

#include <string.h>

#include "lib/nn/train.h"
#include "tests/tap.h"

enum { V = 300, GENES = 40, CELLS = 61, MOST = 24 };

/* Cells of 5 to 39 genes. */
static uint16_t token[CELLS][GENES];
static float value[CELLS][GENES];
static struct batch_cell cells[CELLS];

__attribute__((unused)) static void make_cells(void)
{
    for (size_t c = 0; c < CELLS; c++) {
        const uint32_t n = 5 + (uint32_t)(c * 7 % 35);
        for (uint32_t i = 0; i < n; i++) {
            token[c][i] = (uint16_t)(2 + (c * 31 + i * 17) % (V - 2));
            value[c][i] = (float)(n - i) / 8;
        }
        cells[c] = (struct batch_cell){ 1000 + c * 77, (uint8_t)(c % 2), n, token[c], value[c] };
    }
}

__attribute__((unused)) static struct model_config tiny(void)
{
    struct model_config c = model_config_base(V);
    c.n_layers = 1;
    c.n_heads = 2;
    c.d = 8;
    c.ffn = 16;
    c.max_genes = MOST;
    memset(c.use_knowledge, 0, sizeof c.use_knowledge);
    return c;
}

__attribute__((unused)) static struct train_options options(void)
{
    return (struct train_options){ .optim = { 1e-2, 0.01, 1, 2, 20 },
                                   .mask_rate = 0.15,
                                   .mask_share = 0.8,
                                   .random_share = 0.1,
                                   .id_weight = 0.2,
                                   .value_weight = 0.8,
                                   .dropout = true,
                                   .seed = 4,
                                   .micro_rows = 60 };
}

__attribute__((unused)) static bool make_model(struct model *m, const struct backend *b)
{
    struct err e = { 0 };
    const struct model_config c = tiny();
    if (!ok(!model_init(m, &c, b, true, 0, &e), "a model on %s%s", b->name, e.text))
        return false;
    model_randomise(m, 3);
    return true;
}

/* k of n at rate p: within five standard deviations, which a right program leaves once in two
 * million times; the draws are fixed, so it does so never. */
__attribute__((unused)) static bool binomial(double k, double n, double p)
{
    return fabs(k - n * p) <= 5 * sqrt(n * p * (1 - p));
}

#endif
