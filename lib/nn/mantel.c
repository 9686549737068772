#include "lib/nn/mantel.h"

#include <math.h>
#include <stdlib.h>

#include "lib/base/rng.h"

/* Cosines of all pairs, standardised over them: mean 0, sum of squares 1 over i < j. */
static enum rc cosines(const struct mat *x, struct mat *c, struct err *e)
{
    const size_t n = x->n;
    enum rc rc = mat_alloc(c, n, n, e);
    if (rc)
        return rc;
    mat_mul_nt(x, x, c);
    double *length = malloc(n * sizeof *length), mean = 0, square = 0;
    if (!length) {
        mat_release(c);
        return err_set(e, RC_FAIL, "no memory for %zu lengths", n);
    }
    for (size_t i = 0; i < n; i++)
        length[i] = sqrt(mat_row(c, i)[i]);
    const double pairs = 0.5 * (double)n * (double)(n - 1);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            const double l = length[i] * length[j];
            mat_row(c, i)[j] = l > 0 ? mat_row(c, i)[j] / l : 0;
            mean += j > i ? mat_row(c, i)[j] / pairs : 0;
        }
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++)
            square += (mat_row(c, i)[j] - mean) * (mat_row(c, i)[j] - mean);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            mat_row(c, i)[j] = (mat_row(c, i)[j] - mean) / sqrt(square);
    free(length);
    return RC_OK;
}

static double agreement(const struct mat *a, const struct mat *b, const uint32_t *at)
{
    double sum = 0;
    for (size_t i = 0; i < a->n; i++)
        for (size_t j = i + 1; j < a->n; j++)
            sum += mat_row(a, i)[j] * mat_row(b, at[i])[at[j]];
    return sum;
}

enum rc mantel_test(const struct mat *a, const struct mat *b, uint32_t permutations, uint64_t seed,
                    struct mantel *m, struct err *e)
{
    struct mat x = { 0 }, y = { 0 };
    *m = (struct mantel){ (double)NAN, (double)NAN };
    if (a->n != b->n || a->n < 3)
        return err_set(e, RC_INPUT, "%zu and %zu rows for Mantel's test", a->n, b->n);
    uint32_t *at = malloc(a->n * sizeof *at);
    enum rc rc = at ? cosines(a, &x, e) : err_set(e, RC_FAIL, "no memory for %zu rows", a->n);
    if (!rc)
        rc = cosines(b, &y, e);
    uint32_t reached = 0;
    for (uint64_t k = 0; !rc && k <= permutations; k++) {
        for (size_t i = 0; i < a->n; i++)
            at[i] = (uint32_t)i;
        if (k)
            rng_shuffle(seed, RNG_BOOTSTRAP, k, at, a->n);
        const double r = agreement(&x, &y, at);
        if (k)
            reached += r >= m->r;
        else
            m->r = r;
    }
    if (!rc && !isnan(m->r))
        m->p = (1.0 + reached) / (1.0 + permutations);
    mat_release(&x);
    mat_release(&y);
    free(at);
    return rc;
}
