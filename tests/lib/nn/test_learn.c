/* The trainer learns: 64 cells by heart, and what frequencies know without any help (spec/04
 * section 8.3: gene loss below 0.5, value loss below 0.05 on hidden genes). */
#include <stdlib.h>

#include "lib/base/rng.h"
#include "lib/base/thread.h"
#include "lib/nn/train.h"
#include "tests/tap.h"

enum { N = 64, GENES = 24, TOKENS = 200, STEPS = 900 };

static uint16_t token[N][GENES];
static float value[N][GENES];
static struct batch_cell cells[N];

/* Eight lists of genes, each begun at eight places; values that fall with the rank from a height of
 * the cell's own. */
static void make_cells(void)
{
    for (size_t c = 0; c < N; c++) {
        uint32_t all[TOKENS];
        for (uint32_t i = 0; i < TOKENS; i++)
            all[i] = i;
        rng_shuffle(1, RNG_TEST, c % 8, all + 2, TOKENS - 2);
        for (uint32_t i = 0; i < GENES; i++) {
            token[c][i] = (uint16_t)all[2 + (i + c / 8) % GENES];
            value[c][i] = (float)(GENES - i) * (float)(1 + c % 5) / 20;
        }
        cells[c] = (struct batch_cell){ c + 1, (uint8_t)(c % 2), GENES, token[c], value[c] };
    }
}

static struct batch_cell cell_of(const void *ctx, size_t i)
{
    (void)ctx;
    return cells[i];
}

int main(void)
{
    struct model m;
    struct trainer t;
    struct train_result r = { 0 };
    struct train_eval v;
    struct baseline base;
    struct err e = { 0 };
    const char *why;
    const struct cell_source source = { N, cell_of, NULL };
    struct model_config c = model_config_base(TOKENS);
    c.n_layers = 1;
    c.n_heads = 4;
    c.d = 64;
    c.ffn = 128;
    c.max_genes = GENES;
    for (int k = 0; k < N_KNOWLEDGE; k++)
        c.use_knowledge[k] = false;
    const struct train_options o = { .optim = { 8e-3, 0.01, 1, 20, STEPS },
                                     .mask_rate = 0.15,
                                     .mask_share = 0.8,
                                     .random_share = 0.1,
                                     .id_weight = 0.2,
                                     .value_weight = 0.8,
                                     .dropout = true,
                                     .seed = 4,
                                     .micro_rows = 4096 };
    make_cells();
    baseline_init(&base, TOKENS, NULL);
    for (size_t i = 0; i < N; i++)
        baseline_add(&base, &cells[i], GENES);
    baseline_finish(&base);
    const struct backend *b = backend_find("auto", &why);
    if (!ok(!model_init(&m, &c, b, true, 0, &e), "a model%s", e.text))
        return tap_end();
    model_randomise(&m, 3);
    trainer_init(&t, &m, &o);
    enum rc rc = trainer_evaluate(&t, &source, &base, &v, &e);
    note("before: gene loss %.3f, value loss %.3f; frequencies alone %.3f, %.3f", v.id_loss,
         v.value_loss, v.base_id_loss, v.base_value_loss);
    ok(!rc && fabs(v.id_loss - log(TOKENS)) < 0.5, "first weights know no gene: about ln %d",
       TOKENS);
    for (uint64_t k = 0; !rc && k < STEPS; k++) {
        rc = trainer_step(&t, cells, N, k, k, &r, &e);
        if (k % 100 == 99)
            note("step %d: gene loss %.3f, value loss %.4f", (int)k + 1, r.id_loss, r.value_loss);
    }
    if (!rc)
        rc = trainer_evaluate(&t, &source, &base, &v, &e);
    ok(!rc, "%d steps are made%s", STEPS, e.text);
    ok(v.id_loss < 0.5, "then hidden genes of these cells are known: loss %.3f", v.id_loss);
    ok(v.value_loss < 0.05, "and their values: loss %.4f", v.value_loss);
    ok(v.base_id_loss > 4 && v.base_value_loss > 0.05, "which frequencies do not: %.3f and %.3f",
       v.base_id_loss, v.base_value_loss);
    trainer_release(&t);
    model_release(&m);
    baseline_release(&base);
    threads_stop();
    return tap_end();
}
