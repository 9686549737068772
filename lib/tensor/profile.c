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

/* Before the cost is counted, which reads memory of the device where there is one. */
static struct moment over(void)
{
    if (state.b->memory) /* slots only queue their work there */
        state.b->memory->wait();
    return now();
}

/* Where cells begin: n numbers of the backend's memory; NULL when memory is short. Borrowed until
 * the next call. */
static const uint32_t *on_host(const uint32_t *first, size_t n)
{
    static uint32_t *copy;
    static size_t room;
    if (!state.b->memory)
        return first;
    if (n > room) {
        uint32_t *p = realloc(copy, n * sizeof *p);
        if (!p)
            return NULL;
        copy = p;
        room = n;
    }
    state.b->memory->read(copy, first, n * sizeof *copy);
    state.b->memory->wait();
    return copy;
}

static struct op_cost cost_attention(const struct op_attention *o, bool backward, size_t real)
{
    struct op_attention here = *o;
    here.first = on_host(o->first, o->n_cells + 1);
    return here.first ? op_cost_attention(&here, backward, real) : (struct op_cost){ 0 };
}

static struct op_cost cost_add_species(const struct op_add_species *o, bool backward, size_t real)
{
    struct op_add_species here = *o;
    here.first = on_host(o->first, o->n_cells + 1);
    return here.first ? op_cost_add_species(&here, backward, real) : (struct op_cost){ 0 };
}

static void add(struct profile_row *r, struct moment start, struct moment end, struct op_cost c)
{
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
#define SLOT(name, way, is_back, cost, p, q)                                                       \
    static void name##_##way(const struct op_##name *o)                                            \
    {                                                                                              \
        const struct moment start = now();                                                         \
        state.b->name##_##way(o);                                                                  \
        const struct moment end = over();                                                          \
        add(row_of(#name "_" #way, p, q), start, end, cost(o, is_back, state.b->real_bytes));      \
    }
#define SLOTS_OF(name, cost, p, q)                                                                 \
    SLOT(name, forward, false, cost, p, q) SLOT(name, backward, true, cost, p, q)
#define SLOTS(name, p, q) SLOTS_OF(name, op_cost_##name, p, q)
#define ONE_SLOT(name)                                                                             \
    static void name(const struct op_##name *o)                                                    \
    {                                                                                              \
        const struct moment start = now();                                                         \
        state.b->name(o);                                                                          \
        const struct moment end = over();                                                          \
        add(row_of(#name, 0, 0), start, end, op_cost_##name(o, state.b->real_bytes));              \
    }
SLOTS(linear, o->in, o->out)
SLOTS(act, 0, 0)
SLOTS(norm, 0, 0)
SLOTS(dropout, 0, 0)
SLOTS(gather, 0, 0)
SLOTS(gather_axpy, 0, 0)
SLOTS(add_position, 0, 0)
SLOTS_OF(add_species, cost_add_species, 0, 0)
SLOTS_OF(attention, cost_attention, o->heads, o->d / o->heads)
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
    const struct moment end = over();
    add(row_of(back ? "linears_backward" : "linears_forward", o->in, ops * o->out), start, end,
        all);
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
    const struct moment end = over();
    add(row_of("sum_squares", 0, 0), start, end,
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
    if (b->linears_forward)
        TIMED(linears_forward)
    if (b->linears_backward)
        TIMED(linears_backward)
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
