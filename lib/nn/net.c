#include "lib/nn/net.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/rng.h"

static enum rc add(struct params *p, const char *prefix, const char *what, size_t rows, size_t cols,
                   int n_dims, struct err *e)
{
    char name[96];
    const int n = snprintf(name, sizeof name, "%s.%s", prefix, what);
    assert(n > 0 && (size_t)n < sizeof name);
    return params_add(p, name, rows, cols, n_dims, n_dims > 1, e);
}

enum rc net_add_linear(struct params *p, const char *prefix, size_t out, size_t in, bool bias,
                       struct err *e)
{
    enum rc rc = add(p, prefix, "weight", out, in, 2, e);
    return rc || !bias ? rc : add(p, prefix, "bias", 1, out, 1, e);
}

enum rc net_add_norm(struct params *p, const char *prefix, size_t d, struct err *e)
{
    enum rc rc = add(p, prefix, "weight", 1, d, 1, e);
    return rc ? rc : add(p, prefix, "bias", 1, d, 1, e);
}

enum rc net_add_batch_norm(struct params *p, const char *prefix, size_t d, bool affine,
                           struct err *e)
{
    enum rc rc = affine ? net_add_norm(p, prefix, d, e) : RC_OK;
    if (!rc)
        rc = add(p, prefix, "running_mean", 1, d, 1, e);
    return rc ? rc : add(p, prefix, "running_var", 1, d, 1, e);
}

static struct param *find(const struct params *p, const char *fmt, va_list ap)
{
    char name[96];
    vsnprintf(name, sizeof name, fmt, ap);
    return params_find(p, name);
}

struct tensor *net_get(const struct params *p, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct param *q = find(p, fmt, ap);
    va_end(ap);
    assert(q);
    return &q->t;
}

struct tensor *net_find(const struct params *p, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct param *q = find(p, fmt, ap);
    va_end(ap);
    return q ? &q->t : NULL;
}

struct tensor *net_linear(const struct params *p, struct tape *t, struct tensor *x,
                          const char *prefix, enum act act)
{
    return tape_linear(t, x, net_get(p, "%s.weight", prefix), net_find(p, "%s.bias", prefix), act);
}

struct tensor *net_norm(const struct params *p, struct tape *t, struct tensor *x,
                        const char *prefix, double eps)
{
    return tape_norm(t, x, NULL, net_get(p, "%s.weight", prefix), net_get(p, "%s.bias", prefix),
                     eps, NULL);
}

struct tensor *net_batch_norm(const struct params *p, struct tape *t, struct tensor *x,
                              const char *prefix, bool train)
{
    const struct batch_norm n = { net_find(p, "%s.weight", prefix),
                                  net_find(p, "%s.bias", prefix),
                                  net_get(p, "%s.running_mean", prefix),
                                  net_get(p, "%s.running_var", prefix),
                                  1e-5,
                                  0.1,
                                  train };
    return tape_batch_norm(t, x, &n);
}

static bool ends_with(const char *s, const char *tail)
{
    const size_t n = strlen(s), m = strlen(tail);
    return n >= m && strcmp(s + n - m, tail) == 0;
}

bool net_is_running(const struct param *q)
{
    return ends_with(q->name, ".running_mean") || ends_with(q->name, ".running_var");
}

void net_descend(struct params *p, struct op_descend o,
                 bool (*chosen)(const struct param *q, const void *ctx), const void *ctx)
{
    assert(p->b->small && p->g);
    for (size_t i = 0; i < p->n; i++) {
        const struct param *q = &p->item[i];
        if (net_is_running(q) || (chosen && !chosen(q, ctx)))
            continue;
        const size_t at = q->begin * p->b->real_bytes;
        o.n = q->rows * q->cols;
        o.p = (char *)p->x + at;
        o.g = (char *)p->g + at;
        o.m = (char *)p->m + at;
        o.v = (char *)p->v + at;
        p->b->small->descend(&o);
    }
}

static bool has_decay(const struct param *q, const void *wanted)
{
    return q->decay == *(const bool *)wanted;
}

void net_adamw(struct params *p, double rate, double decay, uint64_t step)
{
    for (int k = 0; k < 2; k++) {
        const bool with = k == 0;
        net_descend(p,
                    (struct op_descend){ .kind = DESCENT_ADAMW,
                                         .rate = rate,
                                         .decay = with ? decay : 0,
                                         .beta1 = 0.9,
                                         .beta2 = 0.999,
                                         .eps = 1e-8,
                                         .step = step },
                    has_decay, &with);
    }
}

/* Through float: the same first weights for every backend. */
static void set(struct params *p, struct param *q, size_t k, double value)
{
    const float f = (float)value;
    reals_from_f32(p->b, (char *)q->t.x + k * p->b->real_bytes, &f, 1);
}

void net_fill(struct params *p, struct param *q, double value)
{
    for (size_t k = 0; k < q->rows * q->cols; k++)
        set(p, q, k, value);
}

void net_uniform(struct params *p, struct param *q, double bound, uint64_t seed)
{
    const uint64_t id = hash_text(q->name);
    for (size_t k = 0; k < q->rows * q->cols; k++)
        set(p, q, k, bound * (2 * rng_unit(seed, RNG_INIT, id, k) - 1));
}

void net_normal(struct params *p, struct param *q, double sd, uint64_t seed)
{
    const uint64_t id = hash_text(q->name);
    for (size_t k = 0; k < q->rows * q->cols; k++)
        set(p, q, k, sd * rng_normal(seed, RNG_INIT, id, k));
}

void net_xavier_uniform(struct params *p, struct param *q, double gain, uint64_t seed)
{
    net_uniform(p, q, gain * sqrt(6.0 / (double)(q->rows + q->cols)), seed);
}

void net_initialise(struct params *p, uint64_t seed)
{
    for (size_t i = 0; i < p->n; i++) {
        struct param *q = &p->item[i];
        char weight[104];
        if (ends_with(q->name, ".running_var"))
            net_fill(p, q, 1);
        if (ends_with(q->name, ".weight"))
            q->n_dims > 1 ? net_uniform(p, q, 1 / sqrt((double)q->cols), seed) : net_fill(p, q, 1);
        if (!ends_with(q->name, ".bias"))
            continue;
        snprintf(weight, sizeof weight, "%.*sweight", (int)strlen(q->name) - 4, q->name);
        const struct param *w = params_find(p, weight);
        if (w && w->n_dims > 1)
            net_uniform(p, q, 1 / sqrt((double)w->cols), seed);
    }
}
