/* perturb_baselines: predictions and scores of the simple methods. Bound 1e-9 (README there). */
#ifndef GC_TESTS_PARITY_DOWNSTREAM_PERTURB_H
#define GC_TESTS_PARITY_DOWNSTREAM_PERTURB_H

#include "lib/nn/metrics_change.h"
#include "lib/nn/perturbation.h"
#include "tests/parity/downstream.h"

enum { TOP_GENES = 20 };

struct perturb_cells {
    struct table t;
    size_t n_genes, n_conditions, control;
    const char **condition; /* names, in order of first appearance */
    struct map number, gene;
    struct condition_moments m;
    struct perturbation *what;
    uint32_t *ranked; /* per condition, against the control */
};

/* Expression = ln(1 + 1000 count / total of the cell). */
static void perturb_read(struct perturb_cells *p, const char *dir)
{
    struct err e = { 0 };
    struct mat x;
    *p = (struct perturb_cells){ .t = table_in(dir, "counts.tsv.gz", "condition") };
    const size_t n = p->t.n_rows, d = p->t.n_cols - 1;
    if (strcmp(p->t.col[0].name, "condition") != 0 || !n || !d || mat_alloc(&x, n, d, &e))
        refuse("counts.tsv.gz has %zu cells of %zu genes", n, d);
    p->n_genes = d;
    p->condition = room(n, sizeof *p->condition);
    uint32_t *of = room(n, sizeof *of);
    map_init(&p->number);
    map_init(&p->gene);
    for (size_t j = 0; j < d; j++)
        if (map_add(&p->gene, p->t.col[j + 1].name, j, NULL, &e))
            refuse("%s", e.text);
    for (size_t i = 0; i < n; i++) {
        uint64_t old;
        const char *name = p->t.col[0].text[i];
        if (map_add(&p->number, name, p->n_conditions, &old, &e))
            refuse("%s", e.text);
        if (old == MAP_NONE)
            p->condition[p->n_conditions++] = name;
        of[i] = (uint32_t)map_get(&p->number, name);
        double total = 0;
        for (size_t j = 0; j < d; j++)
            total += number_at(&p->t, j + 1, i);
        for (size_t j = 0; j < d; j++)
            mat_row(&x, i)[j] = total > 0 ? log1p(1000 * number_at(&p->t, j + 1, i) / total) : 0;
    }
    if (condition_moments_init(&x, of, p->n_conditions, &p->m, &e))
        refuse("%s", e.text);
    mat_release(&x);
}

static size_t perturb_number(const struct perturb_cells *p, const char *name)
{
    const uint64_t c = map_get(&p->number, name);
    if (c == MAP_NONE)
        refuse("condition '%s' has no cells", name);
    return (size_t)c;
}

static void perturb_prepare(struct perturb_cells *p)
{
    struct err e = { 0 };
    p->control = perturb_number(p, "ctrl");
    p->what = room(p->n_conditions, sizeof *p->what);
    p->ranked = room(p->n_conditions * p->n_genes, sizeof *p->ranked);
    for (size_t c = 0; c < p->n_conditions; c++)
        if (perturbation_parse(p->condition[c], &p->gene, &p->what[c], &e) ||
            changed_genes(&p->m, c, p->control, p->ranked + c * p->n_genes, NULL, &e))
            refuse("%s", e.text);
}

static void perturb_release(struct perturb_cells *p)
{
    condition_moments_release(&p->m);
    map_release(&p->number);
    map_release(&p->gene);
    table_release(&p->t);
}

static void perturb_top20(const struct perturb_cells *p, const json_t *want)
{
    const char *name;
    json_t *list;
    size_t other = 0, n = 0;
    json_object_foreach((json_t *)(uintptr_t)want, name, list)
    {
        const uint32_t *ranked = p->ranked + perturb_number(p, name) * p->n_genes;
        for (size_t i = 0; i < json_array_size(list) && i < p->n_genes; i++, n++)
            other += strcmp(json_words(json_array_get(list, i), "a gene of top20"),
                            p->t.col[ranked[i] + 1].name) != 0;
    }
    ok(n > 0 && other == 0, "top20: %zu genes in order, %zu differ", n, other);
}

/* One prediction against its tensor, and its scores. Flat predictions count as correlation 0. */
static void perturb_score(const struct perturb_cells *p, struct golden *g, struct golden *s,
                          const char *task, const char *method, size_t c, const double *got,
                          const json_t *want)
{
    struct err e = { 0 };
    char name[256];
    const size_t top = p->n_genes < TOP_GENES ? p->n_genes : TOP_GENES;
    const struct change change = { p->n_genes, got, mat_row(&p->m.mean, c),
                                   mat_row(&p->m.mean, p->control) };
    struct change_metrics all, best;
    snprintf(name, sizeof name, "%s.%s.%s", task, method, p->condition[c]);
    compare_tensor(g, name, got, p->n_genes);
    if (change_metrics_get(&change, NULL, 0, &all, &e) ||
        change_metrics_get(&change, p->ranked + c * p->n_genes, top, &best, &e))
        refuse("%s", e.text);
    const struct {
        const char *key;
        double got;
    } score[] = { { "mse", all.mse },
                  { "l2", sqrt(all.mse * (double)p->n_genes) },
                  { "mse_top20", best.mse },
                  { "deviation_top20", best.deviation },
                  { "wrong_direction_top20", (double)best.wrong_direction },
                  { "pearson_delta", isnan(all.pearson) ? 0 : all.pearson },
                  { "spearman_delta", isnan(all.spearman) ? 0 : all.spearman } };
    const json_t *of = json_part(json_part(want, method), p->condition[c]);
    for (size_t k = 0; k < sizeof score / sizeof *score; k++) {
        const double w = json_float(of, score[k].key);
        compare_numbers(s, score[k].key, &score[k].got, &w, 1);
    }
}

/* Signs of the components are free: ours are turned to theirs. */
static void perturb_parts(const struct linear_effect *m, struct golden *g, const char *task)
{
    char name[256];
    const size_t k = m->z.d;
    double *sign = room(k, sizeof *sign), *w = room(k * k, sizeof *w);
    snprintf(name, sizeof name, "%s.gene_embedding", task);
    const double *want = golden_numbers(g, name, m->z.n * k);
    for (size_t i = 0; i < m->z.n; i++)
        for (size_t c = 0; c < k; c++)
            sign[c] += want[i * k + c] * mat_row(&m->z, i)[c];
    double *z = room(m->z.n * k, sizeof *z);
    for (size_t c = 0; c < k; c++)
        sign[c] = sign[c] < 0 ? -1 : 1;
    for (size_t i = 0; i < m->z.n * k; i++)
        z[i] = m->z.x[i] * sign[i % k];
    for (size_t i = 0; i < k * k; i++)
        w[i] = m->w.x[i] * sign[i / k] * sign[i % k];
    compare_numbers(g, name, z, want, m->z.n * k);
    snprintf(name, sizeof name, "%s.W", task);
    compare_tensor(g, name, w, k * k);
    snprintf(name, sizeof name, "%s.b", task);
    compare_tensor(g, name, m->b, m->z.n);
}

static void perturb_task(const struct perturb_cells *p, struct golden *g, const char *task,
                         const json_t *want, size_t k, double ridge)
{
    struct err e = { 0 };
    struct mat mean;
    struct linear_effect linear;
    struct golden s = { 0 };
    const json_t *train = json_part(want, "train"), *test = json_part(want, "test"),
                 *scores = json_part(want, "scores");
    const size_t n = json_array_size(train), d = p->n_genes;
    struct perturbation *what = room(n, sizeof *what);
    double *out = room(d, sizeof *out);
    if (mat_alloc(&mean, n, d, &e))
        refuse("%s", e.text);
    for (size_t i = 0; i < n; i++) {
        const size_t c = perturb_number(p, json_words(json_array_get(train, i), "a condition"));
        what[i] = p->what[c];
        memcpy(mat_row(&mean, i), mat_row(&p->m.mean, c), d * sizeof *out);
    }
    const struct perturb_training t = { mat_row(&p->m.mean, p->control), &mean, what };
    if (linear_effect_pca(&t, k, ridge, &linear, &e))
        refuse("%s: %s", task, e.text);
    compare_begin(g, 1e-9);
    compare_begin(&s, 1e-9);
    perturb_parts(&linear, g, task);
    for (size_t i = 0; i < json_array_size(test); i++) {
        const size_t c = perturb_number(p, json_words(json_array_get(test, i), "a condition"));
        perturb_score(p, g, &s, task, "no_change", c, t.control, scores);
        predict_mean(&t, out);
        perturb_score(p, g, &s, task, "mean", c, out, scores);
        predict_additive(&t, &p->what[c], out);
        perturb_score(p, g, &s, task, "additive", c, out, scores);
        if (linear_effect_predict(&linear, t.control, &p->what[c], out, &e))
            refuse("%s", e.text);
        perturb_score(p, g, &s, task, "linear_pca", c, out, scores);
    }
    compare_end(g, "%s: predictions and the linear model", task);
    compare_end(&s, "%s: scores", task);
    linear_effect_release(&linear);
    mat_release(&mean);
}

static void parity_perturb(const char *dir)
{
    struct golden g;
    struct perturb_cells p;
    json_t *want = json_of(dir, "expected.json"), *task;
    const json_t *settings = json_part(want, "settings");
    const char *key;
    golden_open(&g, dir, "perturb_baselines.safetensors");
    perturb_read(&p, dir);
    perturb_prepare(&p);
    compare_begin(&g, 1e-9);
    compare_tensor(&g, "control_mean", mat_row(&p.m.mean, p.control), p.n_genes);
    for (size_t c = 0; c < p.n_conditions; c++) {
        char name[256];
        snprintf(name, sizeof name, "mean.%s", p.condition[c]);
        if (c != p.control)
            compare_tensor(&g, name, mat_row(&p.m.mean, c), p.n_genes);
    }
    compare_end(&g, "means of the conditions");
    perturb_top20(&p, json_part(want, "top20"));
    json_object_foreach(want, key, task)
    {
        if (json_object_get(task, "train"))
            perturb_task(&p, &g, key, task, json_count(settings, "K"),
                         json_float(settings, "ridge"));
    }
    perturb_release(&p);
    weights_close(&g.w);
    json_decref(want);
}

#endif
