/* Conditions are read, and the simple predictions do what their sentences say. Exact values against
 * another program: parity-downstream on perturb_baselines. */
#include <stdlib.h>
#include <string.h>

#include "lib/nn/perturbation.h"
#include "tests/tap.h"

static void conditions(void)
{
    struct map genes;
    struct err e = { 0 };
    struct perturbation p;
    map_init(&genes);
    map_add(&genes, "A", 0, NULL, &e);
    map_add(&genes, "B", 1, NULL, &e);
    ok(!perturbation_parse("ctrl", &genes, &p, &e) && p.n_genes == 0, "'ctrl' has no gene");
    ok(!perturbation_parse("A+ctrl", &genes, &p, &e) && p.n_genes == 1 && p.gene[0] == 0,
       "'A+ctrl' has one");
    ok(!perturbation_parse("ctrl+B", &genes, &p, &e) && p.n_genes == 1 && p.gene[0] == 1,
       "and so has 'ctrl+B'");
    ok(!perturbation_parse("B+A", &genes, &p, &e) && p.n_genes == 2 && p.gene[0] == 1 &&
           p.gene[1] == 0,
       "'B+A' has two, in their order");
    ok(!perturbation_parse("Z", &genes, &p, &e) && p.gene[0] == PERTURBATION_UNKNOWN,
       "a gene that is not in the table is marked");
    static const char *const bad[] = { "", "+", "A+", "+A", "A++B", "A+B+A" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ok(perturbation_parse(bad[i], &genes, &p, &e) == RC_INPUT, "'%s' is refused: %s", bad[i],
           e.text);
    map_release(&genes);
}

static void moments(void)
{
    double x[] = { 1, 5, 3, 5, 10, 20 };
    const uint32_t of[] = { 0, 0, 1 };
    const struct mat cells = { 3, 2, x };
    struct condition_moments m;
    struct err e = { 0 };
    ok(condition_moments_init(&cells, of, 3, &m, &e) == RC_INPUT, "a condition without cells: %s",
       e.text);
    uint32_t ranked[2];
    double score[2];
    ok(!condition_moments_init(&cells, of, 2, &m, &e) && near(m.mean.x[0], 2, 0, 0) &&
           near(m.variance.x[0], 2, 0, 0) && near(m.variance.x[2], 0, 0, 0),
       "means, variances, and a single cell has variance 0");
    ok(!changed_genes(&m, 1, 0, ranked, score, &e) && near(score[1], 0, 0, 0),
       "a gene without spread in either has t = 0");
    condition_moments_release(&m);
}

/* Three genes; conditions 0+ctrl, 1+ctrl and 0+1 of known changes. */
static void predictions(void)
{
    const double control[3] = { 1, 1, 1 };
    double rows[] = { 2, 1, 1, 1, 3, 1, 2, 3, 4 };
    const struct mat mean = { 3, 3, rows };
    const struct perturbation what[] = { { 1, { 0, 0 } }, { 1, { 1, 0 } }, { 2, { 0, 1 } } };
    const struct perturb_training t = { control, &mean, what };
    const struct perturbation both = { 2, { 1, 0 } }, half = { 2, { 0, 2 } },
                              unknown = { 1, { PERTURBATION_UNKNOWN, 0 } };
    double out[3];
    predict_additive(&t, &both, out);
    ok(near(out[0], 2, 0, 0) && near(out[1], 3, 0, 0) && near(out[2], 1, 0, 0),
       "additive: the changes of both singles are summed");
    predict_additive(&t, &half, out);
    ok(near(out[0], 2, 0, 0) && near(out[1], 1, 0, 0), "a gene without a single adds nothing");
    predict_additive(&t, &unknown, out);
    ok(memcmp(out, control, sizeof out) == 0, "nor does one that is not in the table");
    predict_mean(&t, out);
    ok(near(out[0], 1 + 2.0 / 3, 1e-15, 0) && near(out[2], 2, 1e-15, 0), "mean of the changes");
    double near_by[] = { 1, 0, 0, 0, 1, 0.5, 0, 0.5, 1 };
    const struct mat similarity = { 3, 3, near_by };
    const struct perturbation third = { 1, { 2, 0 } };
    predict_nearest(&t, &third, &similarity, out);
    ok(memcmp(out, rows + 3, sizeof out) == 0, "nearest: the condition of the most similar gene");
    memset(near_by, 0, sizeof near_by);
    predict_nearest(&t, &third, &similarity, out);
    ok(memcmp(out, control, sizeof out) == 0, "nothing similar: the control");
    struct linear_effect m;
    struct err e = { 0 };
    ok(!linear_effect_pca(&t, 2, 0.1, &m, &e), "a linear model of two components%s", e.text);
    ok(!linear_effect_predict(&m, control, &unknown, out, &e) &&
           near(out[0], control[0] + m.b[0], 1e-12, 0),
       "a gene without embedding gets the mean change");
    linear_effect_release(&m);
    double flat[] = { 1, 1, 1 };
    const struct perturb_training none = { control, &(struct mat){ 1, 3, flat }, what };
    ok(linear_effect_pca(&none, 2, 0.1, &m, &e) == RC_INPUT && !m.b, "no spread is refused: %s",
       e.text);
}

int main(void)
{
    conditions();
    moments();
    predictions();
    return tap_end();
}
