/* lib/nn/gene_tune: which rows count, what is trained and what stays, that two kinds of genes are learnt and told
 * in genes that were never seen, the same bytes for any number of threads and of rows at a time. */
#include <stdlib.h>

#include "lib/base/thread.h"
#include "lib/nn/gene_tune.h"
#include "tests/lib/nn/tiny.h"

static const struct backend *backend;

/* Odd tokens from 2 on stand with high values in every cell, even ones with low: contexts that a model can tell. */
static void tell_apart(void)
{
    make_cells();
    for (size_t c = 0; c < CELLS; c++)
        for (uint32_t i = 0; i < cells[c].n; i++)
            value[c][i] = token[c][i] % 2 ? 4 : (float)0.5;
}

static struct model fresh(void)
{
    struct model m;
    struct err e = { 0 };
    struct model_config c = tiny();
    c.n_layers = 2;
    if (model_init(&m, &c, backend, true, 2, &e))
        abort();
    model_randomise(&m, 3);
    return m;
}

static const struct gene_tune_options how = { .lr = 2e-2, .weight_decay = 0.001, .max_grad_norm = 1,
                                              .head_dropout = 0.02, .batch = 12, .epochs = 6,
                                              .warmup_steps = 3, .micro_rows = 60, .seed = 5 };

static void classes(int8_t *class_of, uint32_t from, uint32_t to)
{
    memset(class_of, GENE_NO_CLASS, V);
    for (uint32_t k = from; k < to; k++)
        class_of[k] = (int8_t)(k % 2);
}

static bool same_param(const struct model *a, const struct model *b, const char *name)
{
    const struct param *p = params_find(&a->params, name), *q = params_find(&b->params, name);
    return memcmp(p->t.x, q->t.x, p->rows * p->cols * a->params.b->real_bytes) == 0;
}

static void rows_that_count(void)
{
    struct model m = fresh();
    int8_t class_of[V];
    uint16_t seen[CELLS * MOST];
    uint32_t cell_of[CELLS * MOST];
    bool good = true;
    size_t want = 0;
    classes(class_of, 10, 40);
    const size_t n = gene_occurrences(&m, cells, CELLS, class_of, cell_of, seen);
    for (size_t c = 0; c < CELLS; c++)
        for (uint32_t i = 0; i < cells[c].n && i < MOST; i++)
            want += token[c][i] >= 10 && token[c][i] < 40;
    for (size_t i = 0; i < n; i++)
        good &= seen[i] >= 10 && seen[i] < 40 && cell_of[i] < CELLS && (!i || cell_of[i - 1] <= cell_of[i]);
    ok(n && n == want && good, "genes with a class, among those that the model reads, are counted");

    /* The vector of an occurrence is its own row, not the one before it: that of a cell encoded alone. */
    float *all = malloc((n + 1) * 8 * sizeof *all), alone[MOST * 8];
    struct err e = { 0 };
    ok(!gene_encode(&m, cells, CELLS, class_of, 1000, all, &e), "vectors of all%s", e.text);
    struct tape t;
    struct arena a;
    struct batch b;
    struct model_out out = { 0 };
    const struct model_run run = { 0 };
    tape_init(&t, backend, false);
    arena_init(&a, 1 << 16);
    const uint32_t c = cell_of[0];
    uint32_t at = 0;
    while (cells[c].token[at] != seen[0])
        at++;
    batch_build(&b, &a, &cells[c], 1, MOST, V, m.tables.homolog, NULL, &e);
    model_encode(&m, &t, &b, &run, &out);
    reals_to_f32(backend, alone, (const char *)out.last->x + (at + 1) * 8 * backend->real_bytes, 8);
    ok(memcmp(alone, all, sizeof(float) * 8) == 0, "an occurrence has the row of its gene: the species row is left out");
    tape_release(&t);
    arena_release(&a);
    free(all);
    model_release(&m);
}

static void what_is_learnt(void)
{
    struct model m = fresh(), was = fresh();
    int8_t train[V], test[V];
    uint16_t seen[CELLS * MOST];
    struct err e = { 0 };
    double loss = NAN;
    classes(train, 2, 200);
    classes(test, 200, V);
    ok(!gene_tune(&m, &how, cells, CELLS, train, &loss, &e), "training%s", e.text);
    note("loss %.4f", loss);
    ok(loss < 0.35, "two kinds of genes are learnt (ln 2 is chance)");
    ok(!same_param(&m, &was, "bert.encoder.layer.0.attention.self.query.weight") &&
           !same_param(&m, &was, "bert.embeddings.word_embeddings.weight"),
       "the whole encoder is trained");
    ok(same_param(&m, &was, "cls.predictions.transform.dense.weight") &&
           same_param(&m, &was, "bert.pooler.dense.weight"),
       "heads without a part in it stay as they are");

    const size_t n = gene_occurrences(&m, cells, CELLS, test, NULL, seen);
    float *x = malloc((n + 1) * 8 * sizeof *x);
    double *score = malloc((n + 1) * sizeof *score);
    size_t right = 0;
    enum rc rc = gene_encode(&m, cells, CELLS, test, 200, x, &e);
    if (!rc)
        rc = gene_scores(&m, x, n, score, &e);
    for (size_t i = 0; !rc && i < n; i++)
        right += (score[i] > 0) == (test[seen[i]] == 1);
    note("%zu of %zu occurrences of unseen genes", right, n);
    ok(!rc && (double)right > 0.8 * (double)n, "genes that had no class are told by their cells");
    free(x);
    free(score);
    model_release(&m);
    model_release(&was);
}

static void what_stays(void)
{
    struct model m = fresh(), was = fresh();
    int8_t train[V];
    struct err e = { 0 };
    double loss;
    struct gene_tune_options o = how;
    o.frozen_layers = 1;
    classes(train, 2, 200);
    gene_tune(&m, &o, cells, CELLS, train, &loss, &e);
    ok(same_param(&m, &was, "bert.encoder.layer.0.attention.self.query.weight") &&
           same_param(&m, &was, "bert.encoder.layer.0.output.LayerNorm.bias") &&
           !same_param(&m, &was, "bert.encoder.layer.1.attention.self.query.weight") &&
           !same_param(&m, &was, "bert.embeddings.word_embeddings.weight"),
       "frozen layers stay, as published, and all else is trained");
    memset(train, GENE_NO_CLASS, sizeof train);
    ok(gene_tune(&m, &how, cells, CELLS, train, &loss, &e) == RC_INPUT, "no gene with a class is refused: %s",
       e.text);
    model_release(&m);
    model_release(&was);
}

static void equal_bytes(void)
{
    struct model m = fresh(), again = fresh(), twice = fresh();
    int8_t train[V];
    struct err e = { 0 };
    double loss[3];
    classes(train, 2, 200);
    threads_init(2);
    gene_tune(&m, &how, cells, CELLS, train, &loss[0], &e);
    threads_init(1);
    gene_tune(&again, &how, cells, CELLS, train, &loss[1], &e);
    const size_t bytes = m.params.n_items * backend->real_bytes;
    ok(memcmp(m.params.x, again.params.x, bytes) == 0, "one thread and two give the same weights");
    /* A second training of the same model begins with fresh moments. */
    void *start = malloc(bytes);
    memcpy(start, twice.params.x, bytes);
    gene_tune(&twice, &how, cells, CELLS, train, &loss[2], &e);
    memcpy(twice.params.x, start, bytes);
    gene_tune(&twice, &how, cells, CELLS, train, &loss[2], &e);
    ok(memcmp(m.params.x, twice.params.x, bytes) == 0, "the optimiser starts anew in each training");
    free(start);
    model_release(&m);
    model_release(&again);
    model_release(&twice);
}

int main(void)
{
    const char *why;
    threads_init(2);
    backend = backend_find("auto", &why);
    tell_apart();
    rows_that_count();
    what_is_learnt();
    what_stays();
    equal_bytes();
    return tap_end();
}
