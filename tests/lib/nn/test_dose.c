/* Dose responses: parts, moments, changed genes, scores, simple methods. */
#include <string.h>

#include "lib/nn/dose_simple.h"
#include "lib/nn/metrics_spread.h"
#include "tests/lib/nn/dose_tiny.h"
#include "tests/tap.h"

static void parts(const struct dose_set *s)
{
    unsigned char part[TINY_CELLS], again[TINY_CELLS];
    struct err e = { 0 };
    size_t n[4] = { 0 };
    bool held = true;
    ok(near(dose_held_out(s), 0.5, 0, 0), "the second largest dose is held out");
    if (!ok(!dose_split_draw(s, 0.5, 1, part, &e), "a drawn split%s", e.text))
        return;
    for (size_t i = 0; i < TINY_CELLS; i++) {
        const struct dose_condition *k = &s->condition[s->of[i]];
        n[part[i]]++;
        held = held && (part[i] == DOSE_OOD) == (k->dose > 0.4 && k->dose < 0.6);
    }
    ok(held && n[DOSE_OOD] == 120, "holds out that dose of both drugs and no other cell");
    ok(n[DOSE_TEST] == 144 && n[DOSE_VAL] == 48,
       "three tenths of the rest are for test, one for "
       "validation (%zu, %zu)",
       n[DOSE_TEST], n[DOSE_VAL]);
    dose_split_draw(s, 0.5, 2, again, &e);
    ok(memcmp(part, again, TINY_CELLS) != 0, "another seed draws other cells");
    ok(dose_split_draw(s, 0.3, 1, part, &e) == RC_INPUT && strstr(e.text, "no cell is held out"),
       "a dose that nobody had: %s", e.text);
    memset(part, DOSE_TRAIN, sizeof part);
    part[2] = DOSE_OOD;
    ok(dose_split_check(s, part, &e) == RC_INPUT &&
           strstr(e.text, "control cells to train on and 0 to test with"),
       "no control cells to test with: %s", e.text);
}

static void moments(const struct dose_set *s)
{
    struct dose_moments m;
    struct err e = { 0 };
    double row[TINY_GENES], sum = 0, squares = 0;
    if (!ok(!dose_moments_init(&m, s, NULL, DOSE_TRAIN, &e), "moments%s", e.text))
        return;
    for (size_t i = 0; i < TINY_CELLS; i++)
        if (s->of[i] == 3) {
            perturb_set_row(&s->x, i, row);
            sum += row[2];
            squares += row[2] * row[2];
        }
    const double n = (double)m.n[3], mean = sum / n;
    ok(near(mat_row(&m.mean, 3)[2], mean, 1e-12, 0) &&
           near(mat_row(&m.var, 3)[2], squares / n - mean * mean, 1e-12, 0),
       "are means and variances of the condition's cells");
    uint32_t *gene;
    ok(!dose_changed_genes(s, 3, &gene, &e), "changed genes%s", e.text);
    ok(gene[4 * 3] == 0 && gene[8 * 3] == 1, "are those that the drug moves");
    free(gene);

    double p[TINY_GENES], v[TINY_GENES];
    dose_simple_predict(DOSE_NO_CHANGE, s, &m, 3, p, v);
    ok(near(p[0], mat_row(&m.mean, 0)[0], 0, 0), "no change is the control");
    dose_simple_predict(DOSE_INTERPOLATE, s, &m, 3, p, v);
    ok(near(p[0], mat_row(&m.mean, 3)[0], 1e-12, 0), "interpolation gives a dose that it saw");
    m.n[3] = 0; /* as if dose 0.5 of A were held out */
    dose_simple_predict(DOSE_INTERPOLATE, s, &m, 3, p, v);
    const double w = log(0.5 / 0.2) / log(1 / 0.2);
    ok(near(p[0], (1 - w) * mat_row(&m.mean, 2)[0] + w * mat_row(&m.mean, 4)[0], 1e-12, 0),
       "else it lies between the neighbours, in the logarithm");
    dose_simple_predict(DOSE_DRUG_MEAN, s, &m, 3, p, v);
    ok(near(p[0], (mat_row(&m.mean, 1)[0] + mat_row(&m.mean, 2)[0] + mat_row(&m.mean, 4)[0]) / 3,
            1e-12, 0),
       "the drug's mean is that of its other doses");
    const double control = mat_row(&m.mean, 0)[0];
    double top = 0, bottom = 0;
    for (size_t k = 1; k <= 4; k++)
        if (k != 3) {
            top += s->condition[k].dose * (mat_row(&m.mean, k)[0] - control);
            bottom += s->condition[k].dose * s->condition[k].dose;
        }
    dose_simple_predict(DOSE_LINEAR, s, &m, 3, p, v);
    ok(near(p[0], control + 0.5 * top / bottom, 1e-12, 0),
       "a line through the control by least squares");
    m.n[1] = 0;
    dose_simple_predict(DOSE_INTERPOLATE, s, &m, 1, p, v);
    ok(near(p[0], 0.5 * (control + mat_row(&m.mean, 2)[0]), 1e-12, 0),
       "below the least dose, straight from the control");
    m.n[2] = m.n[4] = 0;
    dose_simple_predict(DOSE_LINEAR, s, &m, 3, p, v);
    ok(near(p[0], control, 1e-12, 0), "a drug without training is the control");
    dose_moments_release(&m);
}

static void scores(void)
{
    const double mean[4] = { 1, 2, 3, 5 }, var[4] = { 1, 1, 2, 2 }, control[4] = { 1, 1, 3, 3 },
                 predicted[4] = { 1, 2, 3, 4 }, truth[4] = { 0, 1, 0, 2 };
    const uint32_t changed[2] = { 1, 3 };
    double buffer[12], got[DOSE_N_METRICS];
    struct dose_compared c = { 4, 2, changed, mean, var, control, predicted, var, truth };
    dose_score(&c, buffer, got);
    ok(near(got[DOSE_R2_MEAN], 1 - 1 / 8.75, 1e-12, 0) &&
           near(got[DOSE_R2_MEAN_DE], 1 - 1 / 4.5, 1e-12, 0),
       "R2 over all genes and over those that change");
    ok(near(got[DOSE_R2_VAR], 1, 0, 0) && near(got[DOSE_MSE_DE], 0.5, 1e-12, 0),
       "variances, squared error");
    ok(near(got[DOSE_PEARSON_TRUTH], 0, 1e-12, 0),
       "a flat change has no correlation with the truth");
    c.truth = NULL;
    c.predicted = control;
    dose_score(&c, buffer, got);
    ok(isnan(got[DOSE_PEARSON_TRUTH]) && near(got[DOSE_PEARSON_CHANGE], 0, 0, 0),
       "no truth, no score; no change, no correlation");
}

/* Values of scipy 1.15: levene(center='median'), f.cdf, pearsonr of sum and difference. */
static void spread(void)
{
    const double a[7] = { 0.91, 0.85, 0.97, 0.4, 0.66, 0.78, 0.88 },
                 b[7] = { 0.2, 0.95, 0.5, -0.3, 0.76, 0.1, 0.99 };
    struct err e = { 0 };
    struct test_result r = variance_ratio(a, 7, b, 7);
    ok(near(r.statistic, 0.16339559692732256, 1e-13, 0) &&
           near(r.p, 0.044390547496203955, 1e-12, 0),
       "the ratio of variances and its F test");
    ok(!brown_forsythe(a, 7, b, 7, &r, &e) && near(r.statistic, 5.428750928094126, 1e-11, 0) &&
           near(r.p, 0.03807262857612706, 1e-12, 0),
       "Brown and Forsythe's test");
    ok(!pitman_morgan(a, b, 7, &r, &e) && near(r.statistic, -0.7805611147711538, 1e-12, 0) &&
           near(r.p, 0.03834213940087024, 1e-11, 0),
       "Pitman and Morgan's");
    const double flat[3] = { 1, 1, 1 };
    ok(isnan(variance_ratio(flat, 3, flat, 3).p) && isnan(variance_ratio(a, 1, b, 7).p) &&
           !brown_forsythe(flat, 3, flat, 3, &r, &e) && isnan(r.p),
       "numbers without spread, or too few, decide nothing");
}

int main(void)
{
    struct dose_set s;
    struct err e = { 0 };
    if (!ok(!tiny_set(&s, false, false, &e), "a set%s", e.text))
        return tap_end();
    parts(&s);
    moments(&s);
    scores();
    spread();
    dose_set_release(&s);
    return tap_end();
}
