/* A case of a cuda kernel is a function that asks for its arrays and calls either the reference or
 * the launcher. It runs once for the reference and several times for the launcher; asking in the
 * same order gives the same numbers. Outputs start as NaN, gradients as numbers (backward adds),
 * every array of the device lies between guard values, and inputs must come back as they were. */
#ifndef GC_TESTS_KERNELS_CUDA_CASE_H
#define GC_TESTS_KERNELS_CUDA_CASE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/cuda_ops.h"
#include "lib/base/rng.h"
#include "tests/tap.h"

enum kind { INPUT, OUTPUT, GRADIENT, SCRATCH };
enum type { REALS, LOW, DOUBLES, RAW }; /* REALS: double for the reference, float on the device; LOW: bf16 */
enum { MOST_ITEMS = 48, GUARD_BYTES = 256, ORDERS = 3 };

struct item {
    enum kind kind;
    enum type type;
    size_t n, bytes; /* on the device, without guards */
    void *ref;
    char *dev;
    char *start, *first; /* what an input was; what the first run made of it */
};

struct fixture {
    const char *name;
    size_t n, d, m, extra;
    double rate;
    enum act act;
    bool bf16; /* products in bf16, of inputs that are bf16 numbers */
    bool first; /* gradients are written: to the device they hold NaN, to the reference zeros */
    double bound;
    int (*f)(struct fixture *);
    /* The run at hand. */
    struct cuda *c;
    bool on_device, loud; /* loud: a launcher allocated or waited */
    size_t before;
    struct item item[MOST_ITEMS];
    size_t n_items, next;
};

/* The emulation's order of threads; on a device there is no such function. */
extern void cuemu_order(int order) __attribute__((weak));

/* What the emulation counts; nor do these exist on a device. */
extern size_t cuemu_allocations __attribute__((weak));
extern size_t cuemu_waits __attribute__((weak));
extern size_t cuemu_zeroed __attribute__((weak));

static size_t asked(void)
{
    return &cuemu_waits ? cuemu_allocations + cuemu_waits : 0;
}

static int heard(struct fixture *r, int status)
{
    r->loud = r->loud || asked() != r->before;
    return status;
}

/* A launcher's status; remembers when it asked for memory or waited. */
#define QUIET(r, call) ((r)->before = asked(), heard(r, call))

/* A normal number, with bf16 one that bf16 holds. The mask is chosen, not the number: gcc 12.2
 * turns `bf16 ? cut(x) : x` into x where cut masks bits through memcpy. */
static float normal(const struct fixture *r, size_t which, size_t k)
{
    float x = (float)rng_normal(r->n * 1000 + r->d, RNG_TEST, which, k);
    const uint32_t mask = r->bf16 ? 0xffff0000u : 0xffffffffu;
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    bits &= mask;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static void *on_device(struct fixture *r, struct item *t, const void *host)
{
    char *all = malloc(t->bytes + 2 * GUARD_BYTES);
    memset(all, 0x5a, t->bytes + 2 * GUARD_BYTES);
    if (t->bytes && host)
        memcpy(all + GUARD_BYTES, host, t->bytes);
    t->dev = cuda_memory(t->bytes + 2 * GUARD_BYTES);
    if (!t->dev || cuda_copy(r->c, t->dev, all, t->bytes + 2 * GUARD_BYTES) || cuda_wait(r->c))
        abort();
    free(all);
    return t->dev + GUARD_BYTES;
}

static void *keep(const void *x, size_t n)
{
    char *p = malloc(n + 1);
    if (!p)
        abort();
    if (n)
        memcpy(p, x, n);
    return p;
}

/* host: what the array holds at first; type RAW and DOUBLES are the same on both sides. */
static void *array(struct fixture *r, enum kind kind, enum type type, size_t n, size_t item_bytes,
                   const void *host)
{
    if (r->next == MOST_ITEMS)
        abort();
    struct item *t = &r->item[r->next++];
    if (!r->on_device) {
        *t = (struct item){ .kind = kind, .type = type, .n = n, .bytes = n * item_bytes };
        t->ref = malloc(n * 8 + 8);
        for (size_t k = 0; type <= LOW && k < n; k++)
            ((double *)t->ref)[k] = (double)((const float *)host)[k];
        if (type > LOW && n)
            memcpy(t->ref, host, n * item_bytes);
        t->start = keep(host, t->bytes);
        for (size_t k = 0; type == LOW && k < n; k++) /* of floats that bf16 holds */
            memcpy(t->start + 2 * k, (const char *)host + 4 * k + 2, 2);
        return t->ref;
    }
    return on_device(r, t, t->start);
}

static void *numbers(struct fixture *r, enum kind kind, enum type type, size_t n)
{
    float *x = malloc((n + 1) * sizeof *x);
    for (size_t k = 0; k < n; k++)
        x[k] = kind == INPUT || kind == GRADIENT ? normal(r, r->next, k) : NAN;
    void *p = array(r, kind, type, n, type == LOW ? sizeof(uint16_t) : sizeof *x, x);
    free(x);
    return p;
}

static void *reals(struct fixture *r, enum kind kind, size_t n)
{
    return numbers(r, kind, REALS, n);
}

static void *input(struct fixture *r, size_t n)
{
    return reals(r, INPUT, n);
}

static void *output(struct fixture *r, size_t n)
{
    return reals(r, OUTPUT, n);
}

static void *gradient(struct fixture *r, size_t n)
{
    return reals(r, GRADIENT, n);
}

/* A gradient that has a d_first. */
static void *first_gradient(struct fixture *r, size_t n)
{
    if (!r->first)
        return gradient(r, n);
    float *x = calloc(n + 1, sizeof *x);
    struct item *t = &r->item[r->next];
    void *p = array(r, GRADIENT, REALS, n, sizeof *x, x);
    if (!r->on_device)
        memset(t->start, 0xff, t->bytes);
    free(x);
    return p;
}

static void *scratch(struct fixture *r, size_t n)
{
    return reals(r, SCRATCH, n);
}

static double *doubles(struct fixture *r, size_t n)
{
    double *x = malloc((n + 1) * sizeof *x);
    for (size_t k = 0; k < n; k++)
        x[k] = NAN;
    void *p = array(r, OUTPUT, DOUBLES, n, sizeof *x, x);
    free(x);
    return p;
}

static uint32_t *words(struct fixture *r, size_t n, size_t below)
{
    uint32_t *x = malloc((n + 1) * sizeof *x);
    for (size_t k = 0; k < n; k++) /* three of ten are number 1: a row that many name */
        x[k] = below > 1 && k % 10 < 3 ? 1 : (uint32_t)rng_below(5, RNG_TEST, r->next, k, below);
    void *p = array(r, INPUT, RAW, n, sizeof *x, x);
    free(x);
    return p;
}

/* What the tape makes of an index: positions sorted by it, and where each value ends. */
static void sorted(struct fixture *r, const void *index_item, size_t n, size_t n_table,
                   const uint32_t **order, const uint32_t **end)
{
    (void)index_item;
    const uint32_t *index = (const uint32_t *)r->item[r->next - 1].start;
    uint32_t *o = calloc(n + 1, sizeof *o), *e = calloc(n_table + 1, sizeof *e);
    uint32_t at = 0;
    for (uint32_t t = 0; t < n_table; t++) {
        for (uint32_t i = 0; i < n; i++)
            if (index[i] == t)
                o[at++] = i;
        e[t] = at;
    }
    *order = array(r, INPUT, RAW, n, sizeof *o, o);
    *end = array(r, INPUT, RAW, n_table, sizeof *e, e);
    free(o);
    free(e);
}

static struct dropout dropped(struct fixture *r, size_t n)
{
    uint64_t *key = malloc((n + 1) * sizeof *key);
    for (size_t i = 0; i < n; i++)
        key[i] = rng_u64(3, RNG_TEST, 6, i);
    struct dropout d = { (uint32_t)(r->rate * 65536), 99,
                         array(r, INPUT, RAW, n, sizeof *key, key) };
    free(key);
    return d;
}

static double reals_error(const struct item *t, const float *got)
{
    const double *want = t->ref;
    double scale = 1e-3, worst = 0;
    for (size_t k = 0; k < t->n; k++)
        scale = fabs(want[k]) > scale ? fabs(want[k]) : scale;
    for (size_t k = 0; k < t->n; k++)
        worst = worse(worst, fabs((double)got[k] - want[k]) / scale);
    return worst;
}

static double low_error(const struct item *t, const uint16_t *got)
{
    float *x = malloc((t->n + 1) * sizeof *x);
    for (size_t k = 0; k < t->n; k++) {
        const uint32_t bits = (uint32_t)got[k] << 16;
        memcpy(&x[k], &bits, sizeof *x);
    }
    const double e = reals_error(t, x);
    free(x);
    return e;
}

static double doubles_error(const struct item *t, const double *got)
{
    const double *want = t->ref;
    double worst = 0;
    for (size_t k = 0; k < t->n; k++)
        worst = worse(worst, fabs(got[k] - want[k]) / (fabs(want[k]) + 1));
    return worst;
}

struct verdict {
    double worst;
    bool guards, inputs, same;
};

/* Fetches one array of the device, looks at it and gives it back. */
static void judge(struct fixture *r, struct item *t, struct verdict *v)
{
    char *all = malloc(t->bytes + 2 * GUARD_BYTES), *got = all + GUARD_BYTES;
    if (cuda_copy(r->c, all, t->dev, t->bytes + 2 * GUARD_BYTES) || cuda_wait(r->c))
        abort();
    for (size_t k = 0; k < GUARD_BYTES; k++)
        if (all[k] != 0x5a || got[t->bytes + k] != 0x5a)
            v->guards = false;
    if (t->kind == INPUT && t->bytes && memcmp(got, t->start, t->bytes) != 0)
        v->inputs = false;
    if (t->kind == OUTPUT || t->kind == GRADIENT) {
        double e = 0;
        if (t->type == REALS)
            e = reals_error(t, (const float *)(void *)got);
        else if (t->type == LOW)
            e = low_error(t, (const uint16_t *)(void *)got);
        else if (t->type == DOUBLES)
            e = doubles_error(t, (const double *)(void *)got);
        else if (memcmp(got, t->ref, t->bytes) != 0)
            e = INFINITY;
        v->worst = worse(v->worst, e);
        if (!t->first)
            t->first = keep(got, t->bytes);
        else if (t->bytes && memcmp(got, t->first, t->bytes) != 0)
            v->same = false;
    }
    cuda_release(t->dev);
    free(all);
}

/* Runs a case against the reference; says one sentence. */
static void check(struct cuda *c, struct fixture r)
{
    static const char *const orders = "forward, reverse and shuffled threads";
    struct verdict v = { 0, true, true, true };
    r.c = c;
    c->bf16 = r.bf16;
    int status = r.f(&r);
    r.n_items = r.next;
    for (int k = 0; k < ORDERS; k++) {
        if (cuemu_order)
            cuemu_order(k);
        r.on_device = true;
        r.next = 0;
        status = status ? status : r.f(&r);
        for (size_t i = 0; i < r.n_items; i++)
            judge(&r, &r.item[i], &v);
    }
    ok(!status && v.worst <= r.bound && v.guards && v.inputs && v.same && !r.loud,
       "%s (n %zu, d %zu): error %.2g of %.2g, %s give %s%s%s%s%s%s", r.name, r.n, r.d, v.worst,
       r.bound, cuemu_order ? orders : "three runs", v.same ? "equal bytes" : "OTHER BYTES",
       v.guards ? "" : ", wrote beyond an array", v.inputs ? "" : ", changed an input",
       r.loud ? ", allocated or waited" : "", status ? ", " : "", status ? cuda_text(status) : "");
    for (size_t i = 0; i < r.n_items; i++) {
        free(r.item[i].ref);
        free(r.item[i].start);
        free(r.item[i].first);
    }
}

/* Bounds, see test_cuda.c. */
static const double f32 = 2e-5, bf16 = 0x1p-7;
static struct cuda device;

static void reserve(struct fixture *r, size_t n_bytes)
{
    if (r->on_device && cuda_reserve(r->c, n_bytes))
        abort();
}

/* Both slots of the reference, or both launchers. */
#define BOTH(name, r, o)                                                                           \
    ((r)->on_device ? (QUIET(r, name##_forward_cuda((r)->c, &(o))) ||                              \
                       QUIET(r, name##_backward_cuda((r)->c, &(o))))                               \
                    : (backend_ref.name##_forward(&(o)), backend_ref.name##_backward(&(o)), 0))

static void at(const char *name, size_t n, size_t d, size_t m, size_t extra, double rate,
               enum act act, bool in_bf16, double bound, int (*f)(struct fixture *))
{
    check(&device, (struct fixture){ .name = name,
                                     .n = n,
                                     .d = d,
                                     .m = m,
                                     .extra = extra,
                                     .rate = rate,
                                     .act = act,
                                     .bf16 = in_bf16,
                                     .bound = bound,
                                     .f = f });
}

/* n rows in m cells: one long cell, the others of 1, 2, 3, 1, 2, 3 ... rows. */
static const uint32_t *cells(struct fixture *r, size_t n, size_t m, size_t *longest)
{
    uint32_t *first = calloc(m + 1, sizeof *first);
    for (size_t c = 1; c < m; c++)
        first[c] = first[c - 1] + 1 + (uint32_t)(c % 3);
    first[m] = (uint32_t)n;
    *longest = 0;
    for (size_t c = 0; c < m; c++)
        *longest = first[c + 1] - first[c] > *longest ? first[c + 1] - first[c] : *longest;
    const uint32_t *p = array(r, INPUT, RAW, m + 1, sizeof *first, first);
    free(first);
    return p;
}

#endif
