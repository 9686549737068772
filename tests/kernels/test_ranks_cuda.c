/* Training on several emulated devices: processes are ranks, their devices exchange memory by
 * sockets (tests/cuemu/ranks.cpp). Any number of them gives the bytes of one, with the optimiser's
 * state shared out or not; what they send is what the plan says; a lost rank is an error on the
 * others. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "kernels/cuda_ops.h"
#include "tests/lib/nn/ranks.h"
#include "tests/lib/nn/tiny.h"

extern size_t cuemu_sent_bytes, cuemu_lost_at;

enum { STEPS = 3, BATCH = 20, MICRO_ROWS = 100, MOST_ITEMS = 40000 };

/* As tiny, wide enough for some blocks of OP_SUM_ITEMS in the layers. */
static struct model_config shape(void)
{
    struct model_config c = tiny();
    c.d = 32;
    c.ffn = 48;
    c.n_layers = 2;
    return c;
}

struct outcome {
    float loss[STEPS], norm[STEPS], x[MOST_ITEMS], m[MOST_ITEMS], v[MOST_ITEMS];
    bool low; /* the rounded copy of the weights is one */
    size_t n, n_micros, n_pieces, sent;
};

/* In memory of all processes. */
static struct {
    struct outcome alone, of[MOST_RANKS];
} * shared;

static const char *backend_name;
static bool shard, lost;

static bool low_right(const struct params *p)
{
    uint16_t *low = malloc(p->n_items * sizeof *low);
    float *x = malloc(p->n_items * sizeof *x);
    bool same = low && x;
    if (same && p->low) {
        backend_read(p->b, low, p->low, p->n_items * sizeof *low);
        reals_to_f32(p->b, x, p->x, p->n_items);
    }
    for (size_t i = 0; same && p->low && i < p->n_items; i++) {
        uint32_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        same = low[i] == (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
    }
    free(low);
    free(x);
    return same;
}

static void keep_state(const struct model *m, struct outcome *o)
{
    const struct params *p = &m->params;
    o->n = p->n_items;
    o->low = low_right(p);
    reals_to_f32(p->b, o->x, p->x, p->n_items);
    if (!p->m)
        return;
    reals_to_f32(p->b, o->m, p->m, p->n_items);
    reals_to_f32(p->b, o->v, p->v, p->n_items);
}

static enum rc steps(struct trainer *t, struct outcome *o, struct err *e)
{
    struct train_result r;
    const struct collate how = trainer_collate(t);
    enum rc rc = RC_OK;
    for (uint64_t s = 0; !rc && s < STEPS; s++) {
        struct step_batch b;
        arena_reset(&t->batches);
        rc = step_batch_init(&b, &t->batches, BATCH, e);
        if (rc)
            return rc;
        b.step = s;
        memcpy(b.cell, cells, BATCH * sizeof *cells);
        rc = collate(&how, &t->batches, 0, &b, e);
        if (!rc)
            rc = trainer_learn(t, &b, &r, e);
        o->loss[s] = (float)r.loss;
        o->norm[s] = (float)r.grad_norm;
        o->n_micros = b.n_micros;
    }
    return rc;
}

static int train(struct dist *d, void *ctx)
{
    struct outcome *o = ctx ? ctx : &shared->of[d->rank];
    const struct model_config c = shape();
    struct train_options how = options();
    const char *why;
    struct model m;
    struct trainer t;
    struct err e = { 0 };
    const struct backend *b = backend_find(backend_name, &why);
    memset(o, 0, sizeof *o);
    how.micro_rows = MICRO_ROWS;
    cuemu_lost_at = lost && d->rank == 1 ? 6 : 0; /* in the second step */
    if (!b || model_init(&m, &c, b, true, 0, &e))
        return 1;
    model_randomise(&m, 3);
    trainer_init(&t, &m, &how);
    trainer_share(&t, d);
    cuemu_sent_bytes = 0;
    enum rc rc = trainer_connect(&t, shard, &e);
    if (!rc)
        rc = steps(&t, o, &e);
    o->sent = cuemu_sent_bytes;
    o->n_pieces = t.share.n_pieces;
    if (!rc)
        rc = trainer_gather_moments(&t, &e);
    if (!rc)
        keep_state(&m, o);
    trainer_drop_moments(&t);
    trainer_release(&t);
    model_release(&m);
    if (lost)
        return !(rc == RC_FAIL && d->broken && strstr(e.text, "another rank is lost"));
    if (rc)
        fprintf(stderr, "# rank %d: %s\n", d->rank, e.text);
    return rc != RC_OK;
}

static bool same(const struct outcome *a, const struct outcome *b, bool moments)
{
    return a->n == b->n && a->n > OP_SUM_ITEMS && memcmp(a->loss, b->loss, sizeof a->loss) == 0 &&
           memcmp(a->norm, b->norm, sizeof a->norm) == 0 &&
           memcmp(a->x, b->x, a->n * sizeof *a->x) == 0 && a->low && b->low &&
           (!moments || (memcmp(a->m, b->m, a->n * sizeof *a->m) == 0 &&
                         memcmp(a->v, b->v, a->n * sizeof *a->v) == 0));
}

/* Bytes of all ranks; where each rank has one node of the tree the plan is exact. */
static void sent(int n_ranks)
{
    const struct outcome *o = &shared->alone;
    double got = 0;
    for (int r = 0; r < n_ranks; r++)
        got += (double)shared->of[r].sent;
    const double want = STEPS * grad_share_bytes(n_ranks, o->n_micros, o->n, sizeof(float), shard);
    ok(o->n_micros == 4 && near(got, want, 0, 0),
       "%d ranks%s send %.0f bytes in %d steps, as the plan says: %.0f", n_ranks,
       shard ? " with shares of the optimiser" : "", got, STEPS, want);
}

static void run_ranks(int n_ranks, bool shards)
{
    shard = shards;
    const int bad = ranks_run(n_ranks, train, NULL);
    bool all = bad == 0;
    for (int r = 0; all && r < n_ranks; r++)
        all = same(&shared->of[r], &shared->alone, !shards || r == 0);
    ok(all, "%s: %d ranks%s, %zu micro-batches: every weight, moment, loss and norm of one",
       backend_name, n_ranks, shards ? " with shares of the optimiser" : "",
       shared->alone.n_micros);
    ok(shared->of[0].n_pieces >= 3, "gradients go in %zu pieces, behind each layer",
       shared->of[0].n_pieces);
}

static void alone(const char *name)
{
    struct dist d = dist_alone();
    backend_name = name;
    shard = false;
    const int bad = train(&d, &shared->alone);
    ok(!bad && isfinite((double)shared->alone.loss[STEPS - 1]),
       "%s: %d steps on one device, loss %.4f", name, STEPS, (double)shared->alone.loss[STEPS - 1]);
}

/* Blocks that sockets do not hold, both ways at once, and none. */
static int swap(struct dist *d, void *ctx)
{
    enum { N = 600000 };
    const char *id = ctx, *why;
    struct cuda c;
    struct cuda_ranks r;
    struct backend_transfer send[2 * MOST_RANKS], recv[2 * MOST_RANKS];
    int *x = malloc((size_t)d->size * 2 * N * sizeof *x), bad = !x;
    if (bad || !cuda_open(&c, false, &why) || cuda_ranks_open(&r, id, d->rank, d->size))
        return 1;
    const size_t all = (size_t)d->size * 2 * N;
    int *from = cuda_memory(all * sizeof *x), *to = cuda_memory(all * sizeof *x);
    for (size_t i = 0; i < all; i++)
        x[i] = d->rank * 1000 + (int)(i / N);
    cuda_copy(&c, from, x, all * sizeof *x);
    for (int p = 0; p < 2 * d->size; p++) { /* two to each, the second of another length */
        const size_t n = (p % 2 ? N : N / 3) * sizeof *x;
        send[p] = (struct backend_transfer){ p / 2, from + (size_t)p * N, n };
        recv[p] = (struct backend_transfer){ p / 2, to + (size_t)p * N, n };
    }
    bad = cuda_ranks_exchange(&c, &r, send, 2 * (size_t)d->size, recv, 2 * (size_t)d->size);
    cuda_copy(&c, x, to, all * sizeof *x);
    for (int p = 0; p < 2 * d->size; p++)
        for (size_t i = 0; i < (p % 2 ? N : N / 3); i++)
            bad = bad || x[(size_t)p * N + i] != p / 2 * 1000 + 2 * d->rank + p % 2;
    cuda_release(from);
    cuda_release(to);
    cuda_ranks_close(&r);
    cuda_close(&c);
    free(x);
    return bad;
}

static void volumes(void)
{
    const double block = 4096 * 10 * 4.0;
    ok(near(grad_share_bytes(1, 8, 40960, 4, false), 0, 0, 0), "one rank sends nothing");
    ok(near(grad_share_bytes(4, 8, 40960, 4, false), 2 * 3 * block, 0, 0),
       "four send 2 x 3 blocks: of a ring no less");
    ok(near(grad_share_bytes(4, 8, 40960, 4, true), 2 * 3 * block + 3 * 10 * 8, 0, 0),
       "with shares of the optimiser the parts of the norm besides");
    ok(near(grad_share_bytes(2, 5, 40960, 4, false), (4 / 2.0 + 1) * block, 0, 0),
       "five leaves on two ranks are two nodes each: a block more");
}

int main(void)
{
    char id[CUDA_ID_BYTES];
    signal(SIGPIPE, SIG_IGN);
    make_cells();
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return 1;
    volumes();
    cuda_ranks_id(id);
    ok(ranks_run(3, swap, id) == 0, "three devices exchange blocks of 2 MB and less at once");
    alone("cuda");
    run_ranks(2, false);
    sent(2);
    run_ranks(4, false);
    sent(4);
    run_ranks(4, true);
    sent(4);
    alone("cuda-bf16");
    run_ranks(3, false);
    run_ranks(3, true);
    lost = true;
    ok(ranks_run(3, train, NULL) == 0, "a lost rank is an error on the others");
    threads_stop();
    return tap_end();
}
