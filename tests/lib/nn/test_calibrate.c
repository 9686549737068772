/* Probabilities of a classifier, and cells held out of training. */
#include "lib/nn/calibrate.h"

#include <stdlib.h>

#include "lib/base/rng.h"
#include "lib/nn/split.h"
#include "tests/tap.h"

enum { N = 4000, C = 3 };

/* Labels drawn from softmax(z); the classifier says `wrong` times z, so T = wrong mends it. */
static void temperatures(double wrong)
{
    double *z = malloc(N * C * sizeof *z), p[C];
    uint32_t *y = malloc(N * sizeof *y);
    double *top = malloc(N * sizeof *top);
    unsigned char *right = malloc(N);
    for (size_t i = 0; i < N; i++) {
        for (size_t c = 0; c < C; c++)
            z[i * C + c] = 2 * rng_normal(1, RNG_TEST, i, c);
        softmax_at(z + i * C, C, 1, p);
        double u = rng_unit(2, RNG_TEST, i, 0);
        for (y[i] = 0; y[i] < C - 1 && u >= p[y[i]]; y[i]++)
            u -= p[y[i]];
        for (size_t c = 0; c < C; c++)
            z[i * C + c] *= wrong;
    }
    const double t = temperature_of(z, y, N, C);
    ok(near(t, wrong, 0, 0.08), "logits %g times too large want temperature %g (%.3f)", wrong,
       wrong, t);
    const double least = log_loss(z, y, N, C, t);
    ok(least <= log_loss(z, y, N, C, t * 1.02) && least <= log_loss(z, y, N, C, t / 1.02),
       "there the loss is least");
    double off[2];
    for (int k = 0; k < 2; k++) {
        for (size_t i = 0; i < N; i++) {
            softmax_at(z + i * C, C, k ? t : 1, p);
            top[i] = p[largest_of(p, C)];
            right[i] = largest_of(p, C) == y[i];
        }
        off[k] = calibration_error(top, right, N);
    }
    ok(off[1] < 0.03 && (fabs(wrong - 1) < 0.5 || off[0] > 2 * off[1]),
       "the probabilities are then true ones (%.3f, before %.3f)", off[1], off[0]);
    free(z);
    free(y);
    free(top);
    free(right);
}

static void thresholds(void)
{
    const double p[] = { 0.9, 0.5, 0.8, 0.8, 0.3 };
    const unsigned char right[] = { 1, 0, 1, 0, 1 };
    ok(near(sure_from(p, right, 5, 0.95), 0.9, 0, 0), "only the surest cell is right often enough");
    ok(near(sure_from(p, right, 5, 0.65), 0.8, 0, 0), "cells of one probability stand together");
    ok(near(sure_from(p, right, 5, 0.6), 0, 0, 0), "all cells will do: from 0");
    const unsigned char wrong[] = { 0, 1, 1, 1, 1 };
    ok(sure_from(p, wrong, 1, 0.5) > 1, "not even the surest: above 1");
    ok(near(sure_from(p, right, 0, 0.5), 0, 0, 0), "without cells there is nothing to refuse by");
    ok(near(calibration_error(p, right, 5), (fabs(1 - 0.9) + fabs(1 - 1.6) + 0.5 + 0.7) / 5, 1e-12,
            0),
       "the calibration error is that of its bins");
    ok(isnan(calibration_error(p, right, 0)), "and none without cells");
    const double z[] = { 800, 800, -800 };
    double q[3];
    softmax_at(z, 3, 1, q);
    ok(near(q[0], 0.5, 1e-15, 0) && near(q[2], 0, 0, 0), "large logits do not overflow");
    ok(largest_of(z, 3) == 0, "of equals the first");
}

static void held_out(void)
{
    enum { CELLS = 143 };
    uint32_t class_of[CELLS];
    uint64_t id[CELLS];
    unsigned char held[CELLS], again[CELLS];
    struct err e = { 0 };
    size_t n[4] = { 0 };
    for (size_t i = 0; i < CELLS; i++) {
        class_of[i] = i < 100 ? 0 : i < 140 ? 1 : i < 142 ? 2 : 3;
        id[i] = 1000 + i;
    }
    ok(!split_held_out(class_of, id, CELLS, 4, 0.1, 5, held, &e), "cells are held out");
    for (size_t i = 0; i < CELLS; i++)
        n[class_of[i]] += held[i];
    ok(n[0] == 10 && n[1] == 4, "a tenth of each class (%zu of 100, %zu of 40)", n[0], n[1]);
    ok(n[2] == 1 && n[3] == 0, "one of two, and not the only one of its class");
    split_held_out(class_of, id, CELLS, 4, 0.1, 6, again, &e);
    size_t differ = 0;
    for (size_t i = 0; i < CELLS; i++)
        differ += held[i] != again[i];
    ok(differ > 0, "another seed holds out others");
    split_held_out(class_of, id, CELLS, 4, 0, 5, held, &e);
    for (size_t i = differ = 0; i < CELLS; i++)
        differ += held[i];
    ok(differ == 0, "no share, no cells");
}

int main(void)
{
    temperatures(1);
    temperatures(3);
    temperatures(0.3);
    thresholds();
    held_out();
    return tap_end();
}
