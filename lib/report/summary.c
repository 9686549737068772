#include "lib/report/summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/report/figures.h"
#include "lib/report/json.h"

/* NaN only when no term is known. */
static void add(double *sum, double x)
{
    if (!isnan(x))
        *sum = isnan(*sum) ? x : *sum + x;
}

static void cells(struct summary *s, const struct results *r)
{
    s->n_samples = r->n_samples;
    for (size_t i = 0; i < r->n_samples; i++) {
        const struct sample *p = &r->sample[i];
        add(&s->cells_in, p->cells_in);
        add(&s->cells_kept, p->cells_kept);
        if (p->species && strcmp(p->species, "human") == 0)
            add(&s->human_kept, p->cells_kept);
        if (p->species && strcmp(p->species, "mouse") == 0)
            add(&s->mouse_kept, p->cells_kept);
    }
}

static double loss_of(const struct log_point *p, bool values)
{
    return values ? p->value_loss : p->id_loss;
}

static size_t n_known(const struct log_points *l, bool values)
{
    size_t n = 0;
    for (size_t i = 0; i < l->n; i++)
        n += isfinite(loss_of(&l->p[i], values)) ? 1 : 0;
    return n;
}

/* First known point; mean of the last `tail` known points. */
static void ends(const struct log_points *l, bool values, size_t tail, struct loss_summary *s)
{
    size_t n = n_known(l, values), at = 0;
    double sum = 0;
    for (size_t i = 0; i < l->n; i++) {
        double x = loss_of(&l->p[i], values);
        if (!isfinite(x))
            continue;
        if (at == 0)
            s->first = x;
        if (at++ >= n - tail)
            sum += x;
    }
    if (n)
        s->last = sum / (double)tail;
}

static void losses(struct loss_summary *s, const struct pretrain_facts *p, bool values)
{
    *s = (struct loss_summary){ .first = NAN, .last = NAN, .baseline = NAN };
    size_t n = n_known(&p->train, values);
    s->held_out = n_known(&p->held_out, values) >= 2;
    if (s->held_out)
        ends(&p->held_out, values, 1, s);
    else if (n)
        ends(&p->train, values, n / 10 ? n / 10 : 1, s);
    for (size_t i = 0; i < p->n_baselines; i++) {
        const struct baseline *b = &p->baseline[i];
        if (b->is_value == values && isfinite(b->loss) && !(b->loss >= s->baseline)) {
            s->baseline = b->loss;
            s->baseline_name = b->name;
        }
    }
}

/* The mean of a method over the data sets of one task that have the model and a baseline; NaN when it
 * is missing in one of them. */
struct method_mean {
    const char *method;
    bool is_model;
    double sum;
    size_t n;
};

struct method_means {
    struct method_mean *m;
    size_t n;
};

static void add_method(struct method_means *all, const struct score *s)
{
    size_t i = 0;
    while (i < all->n && strcmp(all->m[i].method, s->method) != 0)
        i++;
    if (i == all->n) {
        struct method_mean *more = realloc(all->m, (all->n + 1) * sizeof *more);
        if (!more)
            return;
        all->m = more;
        all->m[all->n++] = (struct method_mean){ s->method, score_is_model(s), 0, 0 };
    }
    all->m[i].sum += s->mean;
    all->m[i].n++;
}

/* *task: that of the first such set. Tasks that share the metric have other methods (annotate and
 * cross-species). */
static void one_set(struct score_summary *s, const struct score *const *row, size_t n,
                    const char **task, struct method_means *all)
{
    double best[2] = { NAN, NAN }; /* baselines, models */
    for (size_t i = 0; i < n; i++)
        if (!(row[i]->mean <= best[score_is_model(row[i])]))
            best[score_is_model(row[i])] = row[i]->mean;
    if (isnan(best[0]) || isnan(best[1]) || (*task && strcmp(row[0]->task, *task) != 0))
        return;
    *task = row[0]->task;
    s->n_sets++;
    s->n_ahead += best[1] > best[0];
    for (size_t i = 0; i < n; i++)
        add_method(all, row[i]);
}

static void scores(struct score_summary *s, const struct results *r)
{
    struct method_means all = { 0 };
    const char *task = NULL;
    *s = (struct score_summary){ .metric = scores_main_metric(r), .model = NAN, .baseline = NAN };
    size_t n_sets = scores_groups(r, s->metric);
    for (size_t k = 0; k < n_sets; k++) {
        const struct score **row;
        size_t n = scores_group(r, s->metric, k, &row);
        one_set(s, row, n, &task, &all);
        free(row);
    }
    for (size_t i = 0; i < all.n; i++) {
        const struct method_mean *m = &all.m[i];
        double mean = m->sum / (double)m->n;
        double *to = m->is_model ? &s->model : &s->baseline;
        if (m->n != s->n_sets || mean <= *to)
            continue;
        *to = mean;
        *(m->is_model ? &s->model_method : &s->baseline_method) = m->method;
    }
    free(all.m);
    if (!s->n_sets || isnan(s->model) || isnan(s->baseline))
        s->metric = NULL;
}

void summary_make(struct summary *s, const struct results *r)
{
    *s = (struct summary){
        .cells_in = NAN, .cells_kept = NAN, .human_kept = NAN, .mouse_kept = NAN
    };
    cells(s, r);
    s->tokens = json_number_of(r->tokenize.j, "n_tokens,tokens,total_tokens");
    s->cells_tokenised = json_number_of(r->tokenize.j, "n_cells,cells,cells_out");
    losses(&s->id, &r->pretrain, false);
    losses(&s->value, &r->pretrain, true);
    scores(&s->scores, r);
}
