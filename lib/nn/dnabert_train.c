/* Masked-span training. The unit is a chunk: sequences are cut once, chunks are shuffled anew each
 * epoch, a batch is cut into micro-batches of MICRO chunks whose gradients add up in order. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/data/kmer.h"
#include "lib/nn/dnabert_embed.h"
#include "lib/nn/optim.h"

enum { MICRO = 8, HELD = 10 };

struct dna_training dna_training_defaults(void)
{
    return (struct dna_training){ .epochs = 40,
                                  .batch_chunks = 32,
                                  .rate = 0.025,
                                  .peak_lr = 5e-5,
                                  .weight_decay = 0.01,
                                  .warmup = 0.1 };
}

void dna_hide(struct dna_batch *b, int k, double rate, uint64_t seed, uint64_t round)
{
    const uint32_t n_words = kmer_n_tokens(k) - KMER_FIRST;
    unsigned char *hidden = (unsigned char *)b->label; /* marks first, labels last */
    memset(b->label, 0, b->n_rows * sizeof *b->label);
    for (size_t c = 0; c < b->n_chunks; c++) {
        const int64_t from = b->first[c] + 1, to = b->first[c + 1] - 1;
        for (int64_t i = from; i < to; i++) {
            if (!(rng_unit(seed, RNG_MASK_PICK, b->row_key[i], round) < rate))
                continue;
            for (int64_t j = i - (k / 2 - 1); j <= i + k / 2; j++)
                if (j >= from && j < to)
                    hidden[j] = 1;
        }
    }
    b->n_masked = 0;
    for (size_t i = 0; i < b->n_rows; i++)
        if (hidden[i])
            b->masked[b->n_masked++] = (uint32_t)i;
    for (size_t m = 0; m < b->n_masked; m++) {
        uint32_t *id = &b->id[b->masked[m]];
        const uint64_t key = b->row_key[b->masked[m]];
        const double kind = rng_unit(seed, RNG_MASK_KIND, key, round);
        b->label[m] = *id;
        if (kind < 0.8)
            *id = KMER_MASK;
        else if (kind < 0.9)
            *id = KMER_FIRST + (uint32_t)rng_below(seed, RNG_MASK_TOKEN, key, round, n_words);
    }
}

/* A chunk: words of one sequence. */
struct chunk {
    uint32_t sequence;
    size_t at, n;
};

struct training {
    struct dnabert *m;
    const struct dna_training *o;
    const char *const *bases;
    struct chunk *chunk; /* training chunks first, then held-out ones */
    size_t n, n_held;
    uint32_t *order;
    struct tape tape, test;
    struct arena memory;
    uint64_t step;
};

static enum rc cut(struct training *t, size_t n, struct err *e)
{
    const struct dnabert_config *c = &t->m->config;
    size_t room = 0, at = 0;
    for (size_t i = 0; i < n; i++) {
        if (strlen(t->bases[i]) < (size_t)c->k)
            return err_set(e, RC_INPUT, "sequence %zu has %zu bases, fewer than a word's %d", i,
                           strlen(t->bases[i]), c->k);
        room += dna_chunks(c, strlen(t->bases[i]) - (size_t)c->k + 1);
    }
    if (n < HELD || room > UINT32_MAX)
        return err_set(e, RC_INPUT, "%zu sequences to learn from, %d are needed", n, HELD);
    t->chunk = calloc(room, sizeof *t->chunk);
    t->order = calloc(room, sizeof *t->order);
    if (!t->chunk || !t->order)
        return err_set(e, RC_FAIL, "no memory for %zu chunks", room);
    for (int held = 0; held < 2; held++) {
        for (size_t i = 0; i < n; i++) {
            const size_t words = strlen(t->bases[i]) - (size_t)c->k + 1,
                         most = c->max_positions - 2;
            for (size_t from = 0; (i % HELD == HELD - 1) == held && from < words; from += most)
                t->chunk[at++] =
                    (struct chunk){ (uint32_t)i, from, words - from < most ? words - from : most };
        }
        *(held ? &t->n_held : &t->n) = held ? at - t->n : at;
    }
    return RC_OK;
}

/* chunks[0..n) by number, words hidden; false when memory is short. */
static bool batch(struct training *t, const uint32_t *number, size_t n, uint64_t round,
                  struct dna_batch *b)
{
    const struct dnabert_config *c = &t->m->config;
    size_t rows = 0;
    arena_reset(&t->memory);
    for (size_t i = 0; i < n; i++)
        rows += t->chunk[number[i]].n + 2;
    *b = (struct dna_batch){ .id = arena_get(&t->memory, rows * sizeof(uint32_t)),
                             .rank = arena_get(&t->memory, rows * sizeof(uint32_t)),
                             .first = arena_get(&t->memory, (n + 1) * sizeof(uint32_t)),
                             .row_key = arena_get(&t->memory, rows * sizeof(uint64_t)),
                             .masked = arena_get(&t->memory, rows * sizeof(uint32_t)),
                             .label = arena_get(&t->memory, rows * sizeof(uint32_t)) };
    uint32_t *word = arena_get(&t->memory, c->max_positions * sizeof *word);
    if (!b->id || !b->rank || !b->first || !b->row_key || !b->masked || !b->label || !word)
        return false;
    for (size_t i = 0; i < n; i++) {
        const struct chunk *x = &t->chunk[number[i]];
        kmer_tokens(t->bases[x->sequence] + x->at, x->n + (size_t)c->k - 1, c->k, word);
        dna_batch_add(b, c, word, x->n, (uint64_t)x->sequence << 20 | x->at);
    }
    dna_hide(b, c->k, t->o->rate, t->o->seed, round);
    return true;
}

/* Cross-entropy of hidden words, summed; in training, gradients of scale times it are added. */
static enum rc pass(struct training *t, const uint32_t *number, size_t n, uint64_t round,
                    bool learn, double scale, double *sum, size_t *hidden, struct err *e)
{
    struct dna_batch b;
    struct tape *tape = learn ? &t->tape : &t->test;
    if (!batch(t, number, n, round, &b))
        return err_set(e, RC_FAIL, "no memory for a batch of %zu chunks", n);
    *hidden += b.n_masked;
    if (!b.n_masked)
        return RC_OK;
    const uint64_t drop = learn ? rng_u64(t->o->seed, RNG_DROPOUT, t->step, 0) | 1 : 0;
    struct tensor *last = dnabert_encode(t->m, tape, &b, drop);
    *sum += dnabert_loss(t->m, tape, &b, last, scale) / scale;
    enum rc rc = tape_check(tape, e);
    if (!rc && learn)
        tape_backward(tape);
    tape_reset(tape);
    return rc;
}

/* One step on order[first..first + n). The gradient is of the sum over hidden words divided by
 * their expected number, so that micro-batches need not know each other. */
static enum rc step(struct training *t, const struct optim *o, size_t first, size_t n,
                    uint64_t round, double *sum, size_t *hidden, struct err *e)
{
    size_t words = 0;
    for (size_t i = first; i < first + n; i++)
        words += t->chunk[t->order[i]].n;
    const double scale = 1 / (1 + (double)words * t->o->rate * t->m->config.k);
    params_zero_gradients(&t->m->params);
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < n; i += MICRO)
        rc = pass(t, t->order + first + i, n - i < MICRO ? n - i : MICRO, round, true, scale, sum,
                  hidden, e);
    const double norm = rc ? 0 : optim_norm(&t->m->params);
    if (!rc && !isfinite(norm))
        return err_set(e, RC_CHECK, "step %llu: the gradient is not finite",
                       (unsigned long long)t->step);
    if (!rc)
        optim_step(o, &t->m->params, t->step++, norm);
    return rc;
}

static enum rc epoch(struct training *t, const struct optim *o, uint32_t k, double *loss,
                     double *held, struct err *e)
{
    enum rc rc = RC_OK;
    double sum = 0, held_sum = 0;
    size_t n = 0, n_held = 0;
    for (size_t i = 0; i < t->n; i++)
        t->order[i] = (uint32_t)i;
    rng_shuffle(t->o->seed, RNG_SHUFFLE, k, t->order, t->n);
    for (size_t i = 0; !rc && i < t->n; i += t->o->batch_chunks)
        rc = step(t, o, i, t->n - i < t->o->batch_chunks ? t->n - i : t->o->batch_chunks, k, &sum,
                  &n, e);
    for (uint32_t i = 0; !rc && i < t->n_held; i++) {
        const uint32_t number = (uint32_t)t->n + i;
        rc = pass(t, &number, 1, UINT32_MAX, false, 1, &held_sum, &n_held, e);
    }
    *loss = sum / (double)(n ? n : 1);
    *held = held_sum / (double)(n_held ? n_held : 1);
    return rc;
}

enum rc dnabert_train(struct dnabert *m, const char *const *bases, size_t n,
                      const struct dna_training *o, double *loss, double *held, struct err *e)
{
    struct training t = { .m = m, .o = o, .bases = bases };
    enum rc rc = cut(&t, n, e);
    const uint64_t a_epoch = (t.n + o->batch_chunks - 1) / o->batch_chunks;
    struct optim op = { .peak_lr = o->peak_lr,
                        .weight_decay = o->weight_decay,
                        .max_grad_norm = 1,
                        .total_steps = a_epoch * o->epochs,
                        .warmup_steps = (uint64_t)((double)(a_epoch * o->epochs) * o->warmup) };
    tape_init(&t.tape, m->params.b, true);
    tape_init(&t.test, m->params.b, false);
    arena_init(&t.memory, 1 << 18);
    for (uint32_t k = 0; !rc && k < o->epochs; k++) {
        rc = epoch(&t, &op, k, loss, held, e);
        if (!rc && o->epoch_done)
            o->epoch_done(o->ctx, k, *loss, *held);
    }
    tape_release(&t.tape);
    tape_release(&t.test);
    arena_release(&t.memory);
    free(t.chunk);
    free(t.order);
    return rc;
}
