#include "lib/nn/dose_simple.h"

#include <math.h>
#include <string.h>

const char *const dose_simple_name[DOSE_N_SIMPLE] = { "no-change", "train-mean", "drug-mean",
                                                      "linear", "interpolate" };

/* to += w of condition c. */
static void add(const struct dose_moments *m, size_t c, double w, double *mean, double *var)
{
    for (size_t j = 0; j < m->mean.d; j++) {
        mean[j] += w * mat_row(&m->mean, c)[j];
        var[j] += w * mat_row(&m->var, c)[j];
    }
}

static bool usable(const struct dose_set *s, const struct dose_moments *m, size_t k, size_t c)
{
    return m->n[k] && s->condition[k].type == s->condition[c].type &&
           s->condition[k].drug != DOSE_CONTROL;
}

/* Least squares through the control: control + dose sum(d (m_d - control)) / sum(d^2). */
static void linear(const struct dose_set *s, const struct dose_moments *m, size_t c, size_t control,
                   double *mean, double *var)
{
    double squares = 0, sum = 0;
    for (size_t k = 0; k < s->n_conditions; k++)
        if (usable(s, m, k, c) && s->condition[k].drug == s->condition[c].drug)
            squares += s->condition[k].dose * s->condition[k].dose;
    for (size_t k = 0; k < s->n_conditions; k++)
        if (usable(s, m, k, c) && s->condition[k].drug == s->condition[c].drug) {
            const double w = s->condition[c].dose * s->condition[k].dose / squares;
            add(m, k, w, mean, var);
            sum += w;
        }
    add(m, control, 1 - sum, mean, var);
    for (size_t j = 0; j < m->var.d; j++)
        var[j] = fmax(var[j], 0);
}

static void interpolate(const struct dose_set *s, const struct dose_moments *m, size_t c,
                        size_t control, double *mean, double *var)
{
    const double dose = s->condition[c].dose;
    size_t low = SIZE_MAX, high = SIZE_MAX; /* doses of a drug rise */
    for (size_t k = 0; k < s->n_conditions; k++) {
        if (!usable(s, m, k, c) || s->condition[k].drug != s->condition[c].drug)
            continue;
        if (s->condition[k].dose <= dose)
            low = k;
        else if (high == SIZE_MAX)
            high = k;
    }
    if (high == SIZE_MAX) {
        add(m, low == SIZE_MAX ? control : low, 1, mean, var);
        return;
    }
    const double to = s->condition[high].dose;
    const double w = low == SIZE_MAX
                         ? dose / to
                         : log(dose / s->condition[low].dose) / log(to / s->condition[low].dose);
    add(m, low == SIZE_MAX ? control : low, 1 - w, mean, var);
    add(m, high, w, mean, var);
}

void dose_simple_predict(enum dose_simple which, const struct dose_set *s,
                         const struct dose_moments *m, size_t c, double *mean, double *var)
{
    const size_t control = dose_set_control(s, s->condition[c].type);
    size_t n_all = 0, n_drug = 0;
    memset(mean, 0, m->mean.d * sizeof *mean);
    memset(var, 0, m->mean.d * sizeof *var);
    for (size_t k = 0; k < s->n_conditions; k++) {
        n_all += usable(s, m, k, c);
        n_drug += usable(s, m, k, c) && s->condition[k].drug == s->condition[c].drug;
    }
    if (which == DOSE_NO_CHANGE || !n_drug || s->condition[c].drug == DOSE_CONTROL)
        add(m, control, 1, mean, var);
    else if (which == DOSE_LINEAR)
        linear(s, m, c, control, mean, var);
    else if (which == DOSE_INTERPOLATE)
        interpolate(s, m, c, control, mean, var);
    else
        for (size_t k = 0; k < s->n_conditions; k++)
            if (usable(s, m, k, c) &&
                (which == DOSE_TRAIN_MEAN || s->condition[k].drug == s->condition[c].drug))
                add(m, k, 1 / (double)(which == DOSE_TRAIN_MEAN ? n_all : n_drug), mean, var);
}
