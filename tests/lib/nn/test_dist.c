/* Ranks: who owns what, what they exchange, and gradients whose sum is the same for any number of
 * them. Processes with sockets play the ranks; tests/bin-src/pretrain.t.sh has MPI. */
#define _GNU_SOURCE
#include <signal.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/nn/grad_tree.h"
#include "tests/lib/nn/ranks.h"
#include "tests/tap.h"

static const struct backend *backend;

static void owners(void)
{
    bool whole = true, same = true, even = true, first = true;
    for (int size = 1; size <= 9; size++)
        for (size_t n = 1; n <= 40; n++) {
            const struct dist d = { .size = size };
            size_t next = 0;
            for (int r = 0; r < size; r++) {
                const size_t from = dist_first(&d, n, r), to = dist_first(&d, n, r + 1);
                whole = whole && from == next;
                next = to;
                even =
                    even && to - from <= n / (size_t)size + 1 && to - from + 1 >= n / (size_t)size;
                for (size_t i = from; i < to; i++)
                    same = same && dist_owner(&d, n, i) == r;
            }
            whole = whole && next == n;
            first = first && dist_owner(&d, n, 0) == 0;
        }
    ok(whole, "each thing of a row has one owner");
    ok(same, "its owner is the rank that has it");
    ok(even, "no rank has two more than another");
    ok(first, "the first thing is always rank 0's");
}

/* --- exchange ------------------------------------------------------------------------------ */
static int exchange(struct dist *d, void *ctx)
{
    (void)ctx;
    struct err e = { 0 };
    uint64_t sum[2] = { (uint64_t)d->rank + 1, 1 }, want = 0;
    int item[23], bad = 0;
    for (int r = 0; r < d->size; r++)
        want += (uint64_t)r + 1;
    bad += dist_sum(d, sum, 2, &e) || sum[0] != want || sum[1] != (uint64_t)d->size;
    for (size_t n = 1; n <= 23; n += 11) {
        memset(item, 0xff, sizeof item);
        for (size_t i = dist_first(d, n, d->rank); i < dist_first(d, n, d->rank + 1); i++)
            item[i] = (int)i * 7;
        bad += dist_gather(d, item, sizeof *item, n, &e) != RC_OK;
        for (size_t i = 0; i < n; i++)
            bad += item[i] != (int)i * 7;
    }
    bad += dist_agree(d, RC_OK, &e) != RC_OK || d->agreed;
    return bad;
}

/* Rank 1 and the last fail, each with a sentence of its own. */
static int disagree(struct dist *d, void *ctx)
{
    (void)ctx;
    struct err e = { 0 };
    enum rc rc = RC_OK;
    if (d->rank == 1)
        rc = err_set(&e, RC_INPUT, "no such cell");
    else if (d->rank == d->size - 1)
        rc = err_set(&e, RC_FAIL, "no memory");
    rc = dist_agree(d, rc, &e);
    if (rc != RC_INPUT || !d->agreed)
        return 1;
    return strcmp(e.text, d->rank ? "" : "rank 1: no such cell") != 0;
}

/* Rank 2 dies; what the others hear is an error, no number. */
static int lost(struct dist *d, void *ctx)
{
    (void)ctx;
    struct err e = { 0 };
    uint64_t x = 1;
    if (d->rank == 2)
        return 0;
    return !(dist_sum(d, &x, 1, &e) == RC_FAIL && strstr(e.text, "is gone"));
}

static void exchanges(void)
{
    for (int size = 1; size <= 5; size++)
        ok(ranks_run(size, exchange, NULL) == 0, "%d ranks gather, add and agree", size);
    ok(ranks_run(4, disagree, NULL) == 0,
       "a failure on one rank is one on all, said once, by rank 0, in the words of the lowest");
    ok(ranks_run(3, lost, NULL) == 0, "a lost rank is an error on the others");
}

/* --- sums of gradients ----------------------------------------------------------------------- */
enum { ITEMS = 77, MOST_LEAVES = 21 };

static void leaf(size_t i, void *g)
{
    float x[ITEMS];
    for (size_t k = 0; k < ITEMS; k++)
        x[k] = (float)(rng_normal(5, RNG_TEST, i, k) * exp(8 * rng_normal(6, RNG_TEST, i, k)));
    reals_from_f32(backend, g, x, ITEMS);
}

/* The tree, as the header draws it. */
static void by_definition(size_t from, size_t n, void *sum)
{
    if (n == 1) {
        leaf(from, sum);
        return;
    }
    size_t left = 1;
    double right[ITEMS];
    while (left * 2 < n)
        left *= 2;
    by_definition(from, left, sum);
    by_definition(from + left, n - left, right);
    backend->axpy(&(struct op_axpy){ ITEMS, 1, right, sum });
}

static enum rc tree_sum(struct grad_tree *t, size_t n, void *g, struct err *e)
{
    enum rc rc = RC_OK;
    grad_tree_start(t, n);
    for (size_t i = dist_first(t->d, n, t->d->rank); !rc && i < t->end; i++) {
        leaf(i, g);
        rc = grad_tree_push(t, i, e);
    }
    return rc ? rc : grad_tree_finish(t, e);
}

static int tree_on_rank(struct dist *d, void *ctx)
{
    (void)ctx;
    struct grad_tree t;
    struct err e = { 0 };
    double g[ITEMS], want[ITEMS];
    int bad = 0;
    grad_tree_init(&t, backend, d, ITEMS, g);
    for (size_t n = 1; n <= MOST_LEAVES; n++) {
        by_definition(0, n, want);
        bad += tree_sum(&t, n, g, &e) || memcmp(g, want, ITEMS * backend->real_bytes) != 0;
    }
    grad_tree_release(&t);
    return bad;
}

static void trees(const char *name)
{
    const char *why;
    backend = backend_find(name, &why);
    if (!backend) {
        skip("trees on %s: %s", name, why);
        return;
    }
    for (int size = 1; size <= MOST_RANKS; size++)
        ok(ranks_run(size, tree_on_rank, NULL) == 0,
           "%s: 1 to %d gradients on %d ranks: every bit as the tree says", name, MOST_LEAVES,
           size);
}

/* Were the order free, it would not matter; so it must. */
static void order_matters(void)
{
    double tree[ITEMS], row[ITEMS], g[ITEMS];
    backend = &backend_ref;
    by_definition(0, 7, tree);
    leaf(0, row);
    for (size_t i = 1; i < 7; i++) {
        leaf(i, g);
        backend->axpy(&(struct op_axpy){ ITEMS, 1, g, row });
    }
    ok(memcmp(tree, row, sizeof row) != 0, "another order gives other bits");
}

/* Blocks that a rank keeps. */
static void memory(void)
{
    struct dist d = dist_alone();
    struct grad_tree t;
    struct err e = { 0 };
    double g[ITEMS];
    grad_tree_init(&t, &backend_ref, &d, ITEMS, g);
    backend = &backend_ref;
    ok(!tree_sum(&t, 1, g, &e) && t.n_spare == 0, "one gradient needs no second block");
    ok(!tree_sum(&t, 16, g, &e) && t.n_spare == 4, "16 need four");
    grad_tree_release(&t);
}

/* --- how a process learns of the others ---------------------------------------------------- */
static void started(void)
{
    struct dist d;
    struct err e = { 0 };
    const char *names[] = { "OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS",
                            "SLURM_NTASKS" };
    for (size_t i = 0; i < 4; i++)
        unsetenv(names[i]);
    ok(dist_wanted() == 1 && !dist_open(&d, &e) && d.size == 1 && !d.calls,
       "started by hand, a process is alone");
    setenv("SLURM_NTASKS", "8", 1);
    ok(dist_wanted() == 1, "in a batch script of 8 tasks, too: no srun started it");
    setenv("SLURM_STEP_NUM_TASKS", "8", 1);
    ok(dist_wanted() == 8, "srun says how many tasks its step has");
    setenv("OMPI_COMM_WORLD_SIZE", "three", 1);
    ok(dist_wanted() == 8, "what is no number does not count");
    setenv("OMPI_COMM_WORLD_SIZE", "1", 1);
    ok(dist_wanted() == 1 && !dist_open(&d, &e) && !d.library, "one rank needs no MPI");
    for (size_t i = 0; i < 4; i++)
        unsetenv(names[i]);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    threads_init(1);
    owners();
    exchanges();
    order_matters();
    trees("ref");
    trees("cpu");
    memory();
    started();
    threads_stop();
    return tap_end();
}
