/* Methods without a network: means, neighbours by fingerprint, ridge regression. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <lapacke.h>

#include "lib/app/profile_drug_parts.h"
#include "lib/data/fingerprint.h"
#include "lib/nn/metrics_stat.h"

double profile_pearson(const struct profile_inputs *in, const enum part *part, enum part which,
                       const struct mat *predicted)
{
    double sum = 0;
    size_t n = 0;
    for (size_t i = 0; i < in->value.n; i++) {
        if (part[i] != which)
            continue;
        const double r =
            pearson(mat_row(&in->value, i), mat_row(predicted, i), in->value.d).statistic;
        sum += isnan(r) ? 0 : r;
        n++;
    }
    return n ? sum / (double)n : NAN;
}

/* ---- means ---- */

enum { N_STATES = PROFILE_CELLS * PROFILE_DOSES };

static size_t state_of(const struct signature *s)
{
    return s->cell * PROFILE_DOSES + s->dose;
}

/* mean [N_STATES + 1, genes]; the last row is that of all. A state without training has that too.
 */
static enum rc state_means(const struct profile_inputs *in, const enum part *part, struct mat *mean,
                           struct err *e)
{
    size_t n[N_STATES + 1] = { 0 };
    enum rc rc = mat_alloc(mean, N_STATES + 1, in->value.d, e);
    for (size_t i = 0; !rc && i < in->value.n; i++) {
        const size_t row[2] = { state_of(&in->of[i]), N_STATES };
        for (int k = 0; part[i] == PART_TRAIN && k < 2; k++) {
            n[row[k]]++;
            for (size_t j = 0; j < in->value.d; j++)
                mat_row(mean, row[k])[j] += mat_row(&in->value, i)[j];
        }
    }
    for (size_t s = N_STATES + 1; !rc && s-- > 0;) {
        for (size_t j = 0; n[s] && j < in->value.d; j++)
            mat_row(mean, s)[j] /= (double)n[s];
        if (!n[s])
            memcpy(mat_row(mean, s), mat_row(mean, N_STATES), in->value.d * sizeof(double));
    }
    return rc;
}

enum rc profile_train_mean(const struct profile_inputs *in, const enum part *part,
                           bool by_cell_and_dose, struct mat *out, struct err *e)
{
    struct mat mean;
    enum rc rc = state_means(in, part, &mean, e);
    if (rc)
        return rc;
    rc = mat_alloc(out, in->value.n, in->value.d, e);
    for (size_t i = 0; !rc && i < in->value.n; i++)
        memcpy(mat_row(out, i), mat_row(&mean, by_cell_and_dose ? state_of(&in->of[i]) : N_STATES),
               in->value.d * sizeof(double));
    mat_release(&mean);
    return rc;
}

/* ---- neighbours ---- */

struct near {
    double likeness;
    size_t row;
};

static int nearest_first(const void *a, const void *b)
{
    const struct near *x = a, *y = b;
    if (x->likeness < y->likeness || x->likeness > y->likeness)
        return x->likeness > y->likeness ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* The mean over the k training signatures of the same cell line and dose whose drugs are most
 * alike; without any, those of any cell line and dose. near: room for all. */
static void from_neighbours(const struct profile_inputs *in, const enum part *part, size_t i,
                            size_t k, struct near *near, double *to)
{
    size_t n = 0;
    for (int any = 0; any < 2 && !n; any++)
        for (size_t r = 0; r < in->value.n; r++)
            if (part[r] == PART_TRAIN && (any || state_of(&in->of[r]) == state_of(&in->of[i])))
                near[n++] =
                    (struct near){ fingerprint_likeness(mat_row(&in->drugs.bits, in->of[i].drug),
                                                        mat_row(&in->drugs.bits, in->of[r].drug),
                                                        PROFILE_BITS),
                                   r };
    qsort(near, n, sizeof *near, nearest_first);
    memset(to, 0, in->value.d * sizeof *to);
    const size_t m = k < n ? k : n;
    for (size_t r = 0; r < m; r++)
        for (size_t j = 0; j < in->value.d; j++)
            to[j] += mat_row(&in->value, near[r].row)[j] / (double)m;
}

enum rc profile_knn(const struct profile_inputs *in, const enum part *part, struct mat *out,
                    struct err *e)
{
    static const size_t choice[] = { 1, 3, 5, 10, 20 };
    const size_t n_choices = sizeof choice / sizeof *choice;
    struct near *near = malloc((in->value.n + 1) * sizeof *near);
    double best = -INFINITY;
    size_t k = choice[0];
    enum rc rc = near ? mat_alloc(out, in->value.n, in->value.d, e)
                      : err_set(e, RC_FAIL, "no memory for neighbours");
    for (size_t c = 0; !rc && c <= n_choices; c++) { /* the last round: the chosen one, for all */
        const size_t now = c < n_choices ? choice[c] : k;
        for (size_t i = 0; i < in->value.n; i++)
            if (part[i] == PART_VAL || (c == n_choices && part[i] == PART_TEST))
                from_neighbours(in, part, i, now, near, mat_row(out, i));
        const double r = profile_pearson(in, part, PART_VAL, out);
        if (r > best) {
            best = r;
            k = now;
        }
    }
    free(near);
    return rc;
}

/* ---- ridge regression ---- */

enum { N_FEATURES = PROFILE_BITS + PROFILE_CELLS + PROFILE_DOSES };

static enum rc features(const struct profile_inputs *in, struct mat *x, struct err *e)
{
    enum rc rc = mat_alloc(x, in->value.n, N_FEATURES, e);
    for (size_t i = 0; !rc && i < in->value.n; i++) {
        const struct signature *s = &in->of[i];
        double *to = mat_row(x, i);
        memcpy(to, mat_row(&in->drugs.bits, s->drug), PROFILE_BITS * sizeof *to);
        to[PROFILE_BITS + s->cell] = 1;
        to[PROFILE_BITS + PROFILE_CELLS + s->dose] = 1;
    }
    return rc;
}

/* Training rows less their means; mean [d] of them. */
static enum rc centred(const struct mat *x, const enum part *part, struct mat *to, double *mean,
                       struct err *e)
{
    size_t n = 0;
    for (size_t i = 0; i < x->n; i++)
        n += part[i] == PART_TRAIN;
    enum rc rc = mat_alloc(to, n, x->d, e);
    memset(mean, 0, x->d * sizeof *mean);
    for (size_t i = 0; !rc && i < x->n; i++)
        for (size_t j = 0; part[i] == PART_TRAIN && j < x->d; j++)
            mean[j] += mat_row(x, i)[j] / (double)n;
    for (size_t i = 0, at = 0; !rc && i < x->n; i++) {
        if (part[i] != PART_TRAIN)
            continue;
        for (size_t j = 0; j < x->d; j++)
            mat_row(to, at)[j] = mat_row(x, i)[j] - mean[j];
        at++;
    }
    return rc;
}

/* (gram + penalty I) w = right; both are overwritten copies. */
static enum rc solve(const struct mat *gram, const struct mat *right, double penalty,
                     struct mat *work, struct mat *w, struct err *e)
{
    memcpy(work->x, gram->x, gram->n * gram->d * sizeof *gram->x);
    memcpy(w->x, right->x, right->n * right->d * sizeof *right->x);
    for (size_t i = 0; i < gram->n; i++)
        mat_row(work, i)[i] += penalty;
    const lapack_int info =
        LAPACKE_dposv(LAPACK_ROW_MAJOR, 'U', (lapack_int)gram->n, (lapack_int)w->d, work->x,
                      (lapack_int)gram->n, w->x, (lapack_int)w->d);
    return info ? err_set(e, RC_FAIL, "ridge regression: LAPACK says %d", (int)info) : RC_OK;
}

static void apply(const struct mat *x, const double *x_mean, const struct mat *w,
                  const double *y_mean, const enum part *part, struct mat *out)
{
    for (size_t i = 0; i < x->n; i++) {
        if (part[i] != PART_VAL && part[i] != PART_TEST)
            continue;
        double *to = mat_row(out, i);
        memcpy(to, y_mean, w->d * sizeof *to);
        for (size_t k = 0; k < x->d; k++) {
            const double v = mat_row(x, i)[k] - x_mean[k];
            for (size_t j = 0; j < w->d; j++)
                to[j] += v * mat_row(w, k)[j];
        }
    }
}

enum rc profile_ridge(const struct profile_inputs *in, const enum part *part, struct mat *out,
                      struct err *e)
{
    static const double choice[] = { 0.1, 1, 10, 100, 1000, 10000 };
    const size_t n_choices = sizeof choice / sizeof *choice, g = in->value.d;
    struct mat x = { 0 }, a = { 0 }, y = { 0 }, gram = { 0 }, right = { 0 }, work = { 0 },
               w = { 0 };
    double *mean = malloc((N_FEATURES + g) * sizeof *mean), best = -INFINITY, penalty = choice[0];
    enum rc rc = mean ? features(in, &x, e) : err_set(e, RC_FAIL, "no memory for a regression");
    if (!rc)
        rc = centred(&x, part, &a, mean, e);
    if (!rc)
        rc = centred(&in->value, part, &y, mean + N_FEATURES, e);
    struct mat *const square[] = { &gram, &work };
    for (int k = 0; !rc && k < 2; k++)
        rc = mat_alloc(square[k], N_FEATURES, N_FEATURES, e);
    if (!rc)
        rc = mat_alloc(&right, N_FEATURES, g, e);
    if (!rc)
        rc = mat_alloc(&w, N_FEATURES, g, e);
    if (!rc)
        rc = mat_alloc(out, in->value.n, g, e);
    if (!rc) {
        mat_mul_tn(&a, &a, &gram);
        mat_mul_tn(&a, &y, &right);
    }
    for (size_t c = 0; !rc && c <= n_choices; c++) {
        const double now = c < n_choices ? choice[c] : penalty;
        rc = solve(&gram, &right, now, &work, &w, e);
        if (rc)
            break;
        apply(&x, mean, &w, mean + N_FEATURES, part, out);
        const double r = profile_pearson(in, part, PART_VAL, out);
        if (r > best) {
            best = r;
            penalty = now;
        }
    }
    free(mean);
    struct mat *const all[] = { &x, &a, &y, &gram, &right, &work, &w };
    for (size_t k = 0; k < sizeof all / sizeof *all; k++)
        mat_release(all[k]);
    return rc;
}
