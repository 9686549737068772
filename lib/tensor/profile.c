#include "lib/tensor/profile.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"

enum { MAX_ROWS = 128 };

static struct {
    const struct backend *b; /* whose slots are called */
    struct backend timed;
    struct profile_row row[MAX_ROWS];
    size_t n;
    double start;
} state;

/* The row of that name and shape; beyond MAX_ROWS shapes share the last one. */
static struct profile_row *row_of(const char *name, size_t p, size_t q)
{
    for (size_t i = 0; i < state.n; i++)
        if (strcmp(state.row[i].name, name) == 0 && state.row[i].p == p && state.row[i].q == q)
            return &state.row[i];
    if (state.n == MAX_ROWS)
        return &state.row[MAX_ROWS - 1];
    state.row[state.n] = (struct profile_row){ .name = name, .p = p, .q = q };
    return &state.row[state.n++];
}

struct moment {
    double wall, cpu;
};

static struct moment now(void)
{
    return (struct moment){ clock_s(), processor_s() };
}

static void add(struct profile_row *r, struct moment start, struct op_cost c)
{
    if (state.b->memory) /* slots only queue their work there */
        state.b->memory->wait();
    const struct moment end = now();
    r->calls++;
    r->seconds += end.wall - start.wall;
    r->cpu += end.cpu - start.cpu;
    if (r->calls == 1 || end.cpu - start.cpu < r->least_cpu)
        r->least_cpu = end.cpu - start.cpu;
    if (r->calls == 1 || end.wall - start.wall < r->least)
        r->least = end.wall - start.wall;
    r->cost.flop += c.flop;
    r->cost.bytes += c.bytes;
}

/* A slot whose cost has a forward and a backward form. p, q: what tells its shapes apart. */
#define SLOT(name, way, is_back, p, q)                                                             \
    static void name##_##way(const struct op_##name *o)                                            \
    {                                                                                              \
        const struct moment start = now();                                                         \
        state.b->name##_##way(o);                                                                  \
        add(row_of(#name "_" #way, p, q), start, op_cost_##name(o, is_back, state.b->real_bytes)); \
    }
#define SLOTS(name, p, q) SLOT(name, forward, false, p, q) SLOT(name, backward, true, p, q)
#define ONE_SLOT(name)                                                                             \
    static void name(const struct op_##name *o)                                                    \
    {                                                                                              \
        const struct moment start = now();                                                         \
        state.b->name(o);                                                                          \
        add(row_of(#name, 0, 0), start, op_cost_##name(o, state.b->real_bytes));                   \
    }
SLOTS(linear, o->in, o->out)
SLOTS(act, 0, 0)
SLOTS(norm, 0, 0)
SLOTS(dropout, 0, 0)
SLOTS(gather, 0, 0)
SLOTS(gather_axpy, 0, 0)
SLOTS(add_position, 0, 0)
SLOTS(add_species, 0, 0)
SLOTS(attention, o->heads, o->d / o->heads)
ONE_SLOT(id_loss)
ONE_SLOT(square_loss)
ONE_SLOT(axpy)
ONE_SLOT(adamw)

/* Several on the same x: one row for each shape, named like single ones but for the number. */
static void linears(const struct op_linear *o, size_t ops, bool back)
{
    const struct moment start = now();
    struct op_cost all = { 0 };
    for (size_t i = 0; i < ops; i++) {
        const struct op_cost c = op_cost_linear(&o[i], back, state.b->real_bytes);
        all.flop += c.flop;
        all.bytes += c.bytes;
    }
    if (back)
        state.b->linears_backward(o, ops);
    else
        state.b->linears_forward(o, ops);
    add(row_of(back ? "linears_backward" : "linears_forward", o->in, ops * o->out), start, all);
}

static void linears_forward(const struct op_linear *o, size_t ops)
{
    linears(o, ops, false);
}

static void linears_backward(const struct op_linear *o, size_t ops)
{
    linears(o, ops, true);
}

static double sum_squares(const void *x, size_t n)
{
    const struct moment start = now();
    const double sum = state.b->sum_squares(x, n);
    add(row_of("sum_squares", 0, 0), start,
        (struct op_cost){ 2 * (double)n, (double)(n * state.b->real_bytes) });
    return sum;
}

const struct backend *profile_backend(const struct backend *b)
{
    state.b = b;
    state.timed = *b;
#define TIMED(name) state.timed.name = name;
#define BOTH(name) TIMED(name##_forward) TIMED(name##_backward)
    BOTH(linear)
    BOTH(act)
    BOTH(norm)
    BOTH(dropout)
    BOTH(gather)
    BOTH(gather_axpy)
    BOTH(add_position)
    BOTH(add_species)
    BOTH(attention)
    if (b->linears_forward) {
        BOTH(linears)
    }
    TIMED(id_loss)
    TIMED(square_loss)
    TIMED(axpy)
    TIMED(adamw)
    TIMED(sum_squares)
    profile_reset();
    return &state.timed;
}

void profile_reset(void)
{
    state.n = 0;
    state.start = clock_s();
}

const struct profile_row *profile_rows(size_t *n)
{
    *n = state.n;
    return state.row;
}

static int by_seconds(const void *a, const void *b)
{
    const double x = ((const struct profile_row *)a)->seconds,
                 y = ((const struct profile_row *)b)->seconds;
    return (x < y) - (x > y);
}

void profile_print(FILE *f)
{
    if (!state.b)
        return;
    const double all = clock_s() - state.start;
    double inside = 0;
    qsort(state.row, state.n, sizeof *state.row, by_seconds);
    fprintf(f, "%-22s %12s %7s %9s %7s %9s %9s %8s %11s\n", "op", "shape", "calls", "seconds",
            "share", "cpu s", "GFLOP/s", "GB/s", "GFLOP/cpu s");
    for (size_t i = 0; i < state.n; i++) {
        const struct profile_row *r = &state.row[i];
        char shape[48] = "";
        if (r->p)
            snprintf(shape, sizeof shape, "%zu x %zu", r->p, r->q);
        const double s = r->seconds > 0 ? r->seconds : 1e-9;
        const double cpu = r->cpu > 0 ? r->cpu : 1e-9;
        fprintf(f, "%-22s %12s %7zu %9.4f %6.1f%% %9.4f %9.1f %8.2f %11.1f\n", r->name, shape,
                r->calls, r->seconds, 100 * r->seconds / all, r->cpu, r->cost.flop / s * 1e-9,
                r->cost.bytes / s * 1e-9, r->cost.flop / cpu * 1e-9);
        inside += r->seconds;
    }
    fprintf(f, "%-22s %12s %7s %9.4f %6.1f%%\n", "outside of operations", "", "", all - inside,
            100 * (all - inside) / all);
}
