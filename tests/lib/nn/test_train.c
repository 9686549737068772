/* A step of training: what frequencies alone reach, what is not finite, the loader, and the same
 * bits on any number of ranks. */
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "lib/nn/loader.h"
#include "tests/lib/nn/ranks.h"
#include "tests/lib/nn/tiny.h"

static struct batch_cell cell_of(const void *ctx, size_t i)
{
    (void)ctx;
    return cells[i];
}
static const struct cell_source source = { CELLS, cell_of, NULL };

/* --- what frequencies reach ---------------------------------------------------------------- */
static void baselines(void)
{
    struct baseline b;
    double count[V] = { 0 }, sum[V] = { 0 }, n = 0, mean = 0, variance = 0, entropy = 0;
    baseline_init(&b, V, NULL);
    for (size_t c = 0; c < CELLS; c++) {
        baseline_add(&b, &cells[c], MOST);
        for (uint32_t i = 0; i < cells[c].n && i < MOST; i++) {
            count[token[c][i]]++;
            sum[token[c][i]] += (double)value[c][i];
            mean += (double)value[c][i];
            n++;
        }
    }
    baseline_finish(&b);
    mean /= n;
    for (size_t c = 0; c < CELLS; c++)
        for (uint32_t i = 0; i < cells[c].n && i < MOST; i++)
            variance += pow((double)value[c][i] - mean, 2) / n;
    bool means = true, shares = true;
    for (size_t i = 0; i < V; i++) {
        entropy -= count[i] > 0 ? count[i] / n * log(count[i] / n) : 0;
        means = means && near(b.mean_value[i], count[i] > 0 ? sum[i] / count[i] : mean, 0, 1e-12);
        shares = shares && near(exp(b.log_p[i]), (count[i] + 1) / (n + V), 0, 1e-12);
    }
    ok(near(b.entropy, entropy, 0, 1e-12), "entropy of the genes' frequencies: %.4f", b.entropy);
    ok(near(b.value_variance, variance, 0, 1e-9), "variance of their values: %.4f",
       b.value_variance);
    ok(means && shares, "each gene's share and mean value");
    baseline_release(&b);
}

/* --- what is not finite -------------------------------------------------------------------- */
static void not_finite(void)
{
    struct model m;
    struct trainer t;
    struct train_result r;
    struct err e = { 0 };
    const struct train_options o = options();
    char id[24];
    if (!make_model(&m, &backend_ref))
        return;
    trainer_init(&t, &m, &o);
    const size_t bytes = m.params.n_items * sizeof(double);
    double *x = malloc(bytes), *m1 = malloc(bytes);
    ok(!trainer_step(&t, cells, 8, 0, 0, &r, &e) && !trainer_step(&t, cells, 8, 1, 0, &r, &e) &&
           isfinite(r.loss) && r.grad_norm > 0,
       "a step has a loss and a gradient");
    memcpy(x, m.params.x, bytes);
    memcpy(m1, m.params.m, bytes);
    const float was = value[3][1];
    value[3][1] = NAN;
    ok(trainer_step(&t, cells, 8, 2, 0, &r, &e) == RC_CHECK, "a value that is no number: %s",
       e.text);
    snprintf(id, sizeof id, "%016llx", (unsigned long long)cells[3].cell_id);
    ok(strstr(e.text, id) != NULL, "its cell is named");
    ok(memcmp(x, m.params.x, bytes) == 0 && memcmp(m1, m.params.m, bytes) == 0,
       "weights and moments are as before");
    value[3][1] = was;
    err_clear(&e);
    ok(!trainer_step(&t, cells, 8, 2, 0, &r, &e), "with a right value the step is made");
    ((double *)m.params.x)[20] = INFINITY;
    ok(trainer_step(&t, cells, 8, 3, 0, &r, &e) == RC_CHECK, "so is a weight that is none");
    free(x);
    free(m1);
    trainer_release(&t);
    model_release(&m);
}

/* --- steps --------------------------------------------------------------------------------- */
struct outcome {
    struct train_result r;
    struct train_eval v;
    double weights[6000];
    size_t n;
};

/* Four steps of 20 cells and an evaluation, over ranks and by the loader. */
static enum rc run_steps(struct dist *d, const struct backend *b, struct outcome *out,
                         struct err *e)
{
    struct model m;
    struct trainer t;
    struct loader l;
    struct sampler s;
    const struct model_config c = tiny();
    const struct train_options o = options();
    memset(out, 0, sizeof *out);
    enum rc rc = model_init(&m, &c, b, true, 0, e);
    if (rc)
        return rc;
    model_randomise(&m, 3);
    trainer_init(&t, &m, &o);
    trainer_share(&t, d);
    const struct collate how = trainer_collate(&t);
    sampler_init(&s, 4, CELLS, 20, NULL);
    rc = loader_open(&l, &s, &source, &how, 0, 5, e);
    for (int k = 0; !rc && k < 5; k++) {
        struct step_batch *step;
        rc = loader_next(&l, &step, e);
        if (!rc)
            rc = trainer_learn(&t, step, &out->r, e);
    }
    loader_close(&l);
    if (!rc)
        rc = trainer_evaluate(&t, &source, NULL, &out->v, e);
    out->n = m.params.n_items;
    memcpy(out->weights, m.params.x, out->n * b->real_bytes);
    sampler_release(&s);
    trainer_release(&t);
    model_release(&m);
    return rc;
}

struct expected {
    const struct backend *b;
    struct outcome alone;
};

static int steps_on_rank(struct dist *d, void *ctx)
{
    const struct expected *want = ctx;
    struct outcome got;
    struct err e = { 0 };
    threads_init(d->rank % 3 + 1);
    const enum rc rc = run_steps(d, want->b, &got, &e);
    if (rc)
        fprintf(stderr, "# rank %d: %s\n", d->rank, e.text);
    threads_stop();
    return rc || memcmp(&got, &want->alone, sizeof got) != 0;
}

static void steps(const char *name)
{
    static struct expected want;
    struct err e = { 0 };
    const char *why;
    struct dist alone = dist_alone();
    want.b = backend_find(name, &why);
    if (!want.b) {
        skip("steps on %s: %s", name, why);
        return;
    }
    const enum rc rc = run_steps(&alone, want.b, &want.alone, &e);
    threads_stop();
    ok(!rc && want.alone.n * want.b->real_bytes <= sizeof want.alone.weights &&
           isfinite(want.alone.r.loss) && want.alone.v.n_masked > 50,
       "%s: five steps by the loader, loss %.4f%s", name, want.alone.r.loss, e.text);
    static const int sizes[] = { 2, 3, 4, 7 };
    for (size_t i = 0; i < 4; i++)
        ok(ranks_run(sizes[i], steps_on_rank, &want) == 0,
           "%s: on %d ranks with 1 to 3 threads: every weight, loss and norm the same", name,
           sizes[i]);
}

/* A rank that finds a cell it cannot use takes the others with it. */
static int bad_cell_on_rank(struct dist *d, void *ctx)
{
    (void)ctx;
    struct model m;
    struct trainer t;
    struct train_result r;
    struct err e = { 0 };
    const struct model_config c = tiny();
    const struct train_options o = options();
    if (model_init(&m, &c, &backend_ref, true, 0, &e))
        return 1;
    model_randomise(&m, 3);
    trainer_init(&t, &m, &o);
    trainer_share(&t, d);
    token[19][2] = V + 5; /* in the last rank's share */
    const enum rc rc = trainer_step(&t, cells, 20, 1, 0, &r, &e);
    trainer_release(&t);
    model_release(&m);
    return rc != RC_INPUT || (d->rank == 0) != (strstr(e.text, "token 305 of 300") != NULL);
}

/* --- loader -------------------------------------------------------------------------------- */
static bool same_batch(const struct batch *a, const struct batch *b)
{
    return a->n_rows == b->n_rows && a->n_masked == b->n_masked && a->n_pairs == b->n_pairs &&
           memcmp(a->id, b->id, a->n_genes * sizeof *a->id) == 0 &&
           memcmp(a->value, b->value, a->n_genes * sizeof *a->value) == 0 &&
           memcmp(a->masked, b->masked, a->n_masked * sizeof *a->masked) == 0 &&
           memcmp(a->label, b->label, a->n_masked * sizeof *a->label) == 0 &&
           memcmp(a->pair, b->pair, a->n_genes * sizeof *a->pair) == 0;
}

static void loads(void)
{
    struct loader l;
    struct sampler s, mine;
    struct arena a;
    struct err e = { 0 };
    uint32_t index[9];
    const struct collate how = { .mask = { 0.15, 0.8, 0.1, 4, 0, V },
                                 .max_genes = MOST,
                                 .n_tokens = V,
                                 .micro_rows = 60,
                                 .rank = 1,
                                 .size = 2 };
    bool same = true, right = true, quiet = true;
    struct arena_block *blocks[LOADER_SLOTS] = { NULL };
    sampler_init(&s, 4, CELLS, 9, NULL);
    sampler_init(&mine, 4, CELLS, 9, NULL);
    arena_init(&a, 0);
    ok(!loader_open(&l, &s, &source, &how, 5, 300, &e), "a loader from step 5 on");
    for (uint64_t step = 5; step < 300; step++) {
        struct step_batch *got, want;
        uint64_t epoch;
        if (loader_next(&l, &got, &e)) {
            right = false;
            break;
        }
        if (step < 10) /* the thread gets as far ahead as it may */
            nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
        arena_reset(&a);
        const size_t n = sampler_step(&mine, step, index, &epoch);
        step_batch_init(&want, &a, n, NULL);
        for (size_t i = 0; i < n; i++)
            want.cell[i] = cells[index[i]];
        collate(&how, &a, epoch, &want, NULL);
        right = right && got->step == step && got->epoch == epoch && got->n_cells == n &&
                got->first == want.first && got->n_own == want.n_own;
        for (size_t i = 0; right && i < want.n_own; i++)
            same = same && same_batch(&got->own[i], &want.own[i]);
        const size_t k = (size_t)(step % LOADER_SLOTS);
        if (step > 100)
            quiet = quiet && l.slot[k].arena.first == blocks[k];
        blocks[k] = l.slot[k].arena.first;
    }
    ok(right, "gives each step in its turn, and of it this rank's share");
    ok(same, "with the batches that collating by hand gives");
    struct step_batch one, other;
    step_batch_init(&one, &a, CELLS, NULL);
    step_batch_init(&other, &a, CELLS, NULL);
    memcpy(one.cell, cells, sizeof cells);
    memcpy(other.cell, cells, sizeof cells);
    ok(!collate(&how, &a, 0, &one, NULL) && !collate(&how, &a, 1, &other, NULL) &&
           !same_batch(&one.own[0], &other.own[0]),
       "each epoch with masks of its own");
    ok(quiet, "and allocates nothing once it is warm");
    loader_close(&l);
    loader_close(&l);
    sampler_init(&s, 4, CELLS, 9, NULL);
    loader_open(&l, &s, &source, &how, 0, 1u << 30, &e);
    loader_close(&l);
    ok(true, "may be closed while it works");
    token[7][0] = V + 1;
    loader_open(&l, &s, &source, &how, 0, 40, &e);
    struct step_batch *got;
    enum rc rc = RC_OK;
    for (int k = 0; !rc && k < 40; k++)
        rc = loader_next(&l, &got, &e);
    ok(rc == RC_INPUT, "a cell that cannot be used is told when its step comes: %s", e.text);
    loader_close(&l);
    make_cells();
    arena_release(&a);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    make_cells();
    baselines();
    not_finite();
    loads();
    threads_stop();
    steps("ref");
    steps("cpu");
    ok(ranks_run(3, bad_cell_on_rank, NULL) == 0,
       "a cell that one rank cannot use ends the step on all, and is said by rank 0");
    threads_stop();
    return tap_end();
}
