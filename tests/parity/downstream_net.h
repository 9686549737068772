/* Parameters of a network from a file of tensors, and comparisons of all of them. */
#ifndef GC_TESTS_PARITY_DOWNSTREAM_NET_H
#define GC_TESTS_PARITY_DOWNSTREAM_NET_H

#include "lib/nn/net.h"
#include "tests/parity/downstream.h"

__attribute__((unused)) static double *param_numbers(const struct params *p, const struct param *q,
                                                     const void *block)
{
    double *x = room(q->rows * q->cols, sizeof *x);
    reals_to_f64(p->b, x, (const char *)block + q->begin * p->b->real_bytes, q->rows * q->cols);
    return x;
}

/* Values of every parameter from PREFIXname. */
__attribute__((unused)) static void params_load(struct params *p, const struct golden *g,
                                                const char *prefix)
{
    for (size_t i = 0; i < p->n; i++) {
        char name[256];
        const struct param *q = &p->item[i];
        snprintf(name, sizeof name, "%s%s", prefix, q->name);
        const double *x = golden_matrix(g, name, q->rows, q->cols);
        reals_from_f64(p->b, q->t.x, x, q->rows * q->cols);
        memset((char *)p->m + q->begin * p->b->real_bytes, 0, q->rows * q->cols * p->b->real_bytes);
        memset((char *)p->v + q->begin * p->b->real_bytes, 0, q->rows * q->cols * p->b->real_bytes);
    }
}

/* Every tensor below the prefix is that of a parameter: none is left uncompared. */
__attribute__((unused)) static void params_all_known(const struct params *p, const struct golden *g,
                                                     const char *prefix)
{
    const size_t n = strlen(prefix);
    size_t found = 0;
    for (size_t i = 0; i < g->w.st.n; i++) {
        const char *name = g->w.st.tensor[i].name, *tail = strrchr(name, '.');
        if (strncmp(name, prefix, n) != 0 || (tail && strcmp(tail, ".num_batches_tracked") == 0))
            continue;
        found++;
        if (!params_find(p, name + n))
            ok(false, "%s: '%s' is no parameter of ours", g->file, name);
    }
    ok(found > 0, "%s: %zu tensors below '%s'", g->file, found, prefix);
}

/* Gradients 1e-9 of a tensor's largest entry; one that is zero in exact arithmetic is compared with
 * a thousandth of the largest of all. A parameter whose tensor is not there has none: ours must be
 * zero. */
__attribute__((unused)) static void params_gradients(const struct params *p, struct golden *g,
                                                     const char *prefix)
{
    double most = 0;
    for (size_t i = 0; i < p->n; i++) {
        const struct param *q = &p->item[i];
        const double *x = param_numbers(p, q, p->g);
        for (size_t k = 0; k < q->rows * q->cols; k++)
            most = fabs(x[k]) > most ? fabs(x[k]) : most;
    }
    for (size_t i = 0; i < p->n; i++) {
        char name[256];
        const struct param *q = &p->item[i];
        const size_t n = q->rows * q->cols;
        snprintf(name, sizeof name, "%s%s", prefix, q->name);
        if (net_is_running(q))
            continue;
        const double *want = golden_find(g, "%s", name) ? golden_matrix(g, name, q->rows, q->cols)
                                                        : room(n, sizeof *want);
        compare_gradient(g, name, param_numbers(p, q, p->g), want, n, 1e-3 * most);
    }
}

__attribute__((unused)) static void params_values(const struct params *p, struct golden *g,
                                                  const char *prefix)
{
    for (size_t i = 0; i < p->n; i++) {
        char name[256];
        const struct param *q = &p->item[i];
        snprintf(name, sizeof name, "%s%s", prefix, q->name);
        compare_numbers(g, name, param_numbers(p, q, p->x),
                        golden_matrix(g, name, q->rows, q->cols), q->rows * q->cols);
    }
}

__attribute__((unused)) static double *values_of(struct tape *t, const struct tensor *x)
{
    double *y = tape_values(t, x);
    if (!y)
        refuse("no memory for this batch");
    return y;
}

__attribute__((unused)) static void compare_values(struct golden *g, const char *name,
                                                   struct tape *t, const struct tensor *x)
{
    compare_numbers(g, name, values_of(t, x), golden_matrix(g, name, x->rows, x->cols),
                    x->rows * x->cols);
}

__attribute__((unused)) static void compare_number(struct golden *g, const char *what, double got,
                                                   double want)
{
    compare_numbers(g, what, &got, &want, 1);
}

#endif
