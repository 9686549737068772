#include "lib/nn/dnabert_embed.h"

#include <stdlib.h>
#include <string.h>

#include "lib/data/kmer.h"

enum {
    MAX_ROWS = 4096,     /* of one pass: about 8 chunks */
    KEEP_BYTES = 1 << 29 /* of packed weights */
};

struct embedding {
    struct dnabert *m;
    struct tape tape;
    struct arena memory; /* words and batch of one pass */
    struct dna_batch b;
    size_t first, n; /* sequences of the pass */
    size_t *chunk;   /* [n + 1] first chunk of each */
};

/* The next sequences, MAX_ROWS rows or one sequence. */
static enum rc fill(struct embedding *x, const char *const *bases, size_t n, struct err *e)
{
    const struct dnabert_config *c = &x->m->config;
    size_t rows = 0, chunks = 0;
    arena_reset(&x->memory);
    for (x->n = 0; x->first + x->n < n; x->n++) {
        const size_t words = strlen(bases[x->first + x->n]) - (size_t)c->k + 1;
        const size_t more = words + 2 * dna_chunks(c, words);
        if (x->n && rows + more > MAX_ROWS)
            break;
        rows += more;
        chunks += dna_chunks(c, words);
    }
    x->b = (struct dna_batch){ .id = arena_get(&x->memory, rows * sizeof(uint32_t)),
                               .rank = arena_get(&x->memory, rows * sizeof(uint32_t)),
                               .first = arena_get(&x->memory, (chunks + 1) * sizeof(uint32_t)),
                               .row_key = arena_get(&x->memory, rows * sizeof(uint64_t)) };
    x->chunk = arena_get(&x->memory, (x->n + 1) * sizeof *x->chunk);
    uint32_t *word = arena_get(&x->memory, rows * sizeof *word);
    if (!x->b.id || !x->b.rank || !x->b.first || !x->b.row_key || !x->chunk || !word)
        return err_set(e, RC_FAIL, "no memory for %zu words", rows);
    for (size_t i = 0; i < x->n; i++) {
        const char *s = bases[x->first + i];
        x->chunk[i] = x->b.n_chunks;
        dna_batch_add(&x->b, c, word, kmer_tokens(s, strlen(s), c->k, word), 0);
    }
    x->chunk[x->n] = x->b.n_chunks;
    return RC_OK;
}

static void mean_rows(const double *row, size_t n, size_t d, float *out)
{
    for (size_t i = 0; i < d; i++) {
        double sum = 0;
        for (size_t r = 0; r < n; r++)
            sum += row[r * d + i];
        out[i] = (float)(sum / (double)n);
    }
}

static enum rc take_pass(struct embedding *x, enum dna_pooling pooling, float *out, struct err *e)
{
    const size_t d = x->m->config.d, n = x->b.n_chunks;
    struct tensor *rows = dnabert_encode_cls(x->m, &x->tape, &x->b);
    if (pooling == DNA_LONG)
        rows = dnabert_pool(x->m, &x->tape, rows);
    double *value = tape_memory(&x->tape, n * d * sizeof *value);
    double *sum = tape_memory(&x->tape, d * sizeof *sum);
    double *work = tape_memory(&x->tape, dnabert_long_work(&x->m->config, n) * sizeof *work);
    enum rc rc = tape_check(&x->tape, e);
    if (rc)
        return rc;
    reals_to_f64(x->m->params.b, value, rows->x, n * d);
    for (size_t i = 0; i < x->n; i++) {
        const double *of = value + x->chunk[i] * d;
        const size_t chunks = x->chunk[i + 1] - x->chunk[i];
        if (pooling == DNA_MEAN_CLS) {
            mean_rows(of, chunks, d, out + i * d);
            continue;
        }
        dnabert_long(x->m, of, chunks, sum, work);
        mean_rows(sum, 1, d, out + i * d);
    }
    return RC_OK;
}

static enum rc check(const struct dnabert *m, const char *const *bases, size_t n,
                     enum dna_pooling pooling, struct err *e)
{
    if (pooling == DNA_LONG && !m->config.lstm)
        return err_set(e, RC_INPUT, "the model has no rnn.* tensors, which dnalong needs");
    for (size_t i = 0; i < n; i++)
        if (strlen(bases[i]) < (size_t)m->config.k)
            return err_set(e, RC_INPUT, "sequence %zu has %zu bases, fewer than a word's %d", i,
                           strlen(bases[i]), m->config.k);
    return RC_OK;
}

enum rc dnabert_embed(struct dnabert *m, const char *const *bases, size_t n,
                      enum dna_pooling pooling, float *out, void (*done)(void *ctx, size_t n),
                      void *ctx, struct err *e)
{
    struct embedding x = { .m = m };
    enum rc rc = check(m, bases, n, pooling, e);
    if (rc)
        return rc;
    tape_init(&x.tape, m->params.b, false);
    tape_keep_weights(&x.tape, KEEP_BYTES);
    arena_init(&x.memory, 1 << 18);
    for (; !rc && x.first < n; x.first += x.n) {
        rc = fill(&x, bases, n, e);
        if (!rc)
            rc = take_pass(&x, pooling, out + x.first * m->config.d, e);
        tape_reset(&x.tape);
        if (!rc && done)
            done(ctx, x.first + x.n);
    }
    tape_release(&x.tape);
    arena_release(&x.memory);
    return rc;
}
