/* Small networks that learn classes of cells: TOSICA packed and under a mask, Geneformer before and
 * after hidden genes, choice of the epoch, refusals; permuted knowledge. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/base/thread.h"
#include "lib/nn/geneformer_learn.h"
#include "lib/nn/knowledge_shuffle.h"
#include "lib/nn/net.h"
#include "lib/nn/tosica_learn.h"
#include "tests/tap.h"

enum { N = 120, G = 12, C = 3, T = 4, LENGTH = 8 };
static const uint32_t first[T + 1] = { 0, 4, 8, 12, 24 },
                                member[24] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
                                               0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 };

static uint32_t class_of[N];
static enum part part[N];
static uint64_t id[N];

static struct probe_cells cells(void)
{
    for (size_t i = 0; i < N; i++) {
        class_of[i] = i % 10 < 6 ? 0 : i % 10 < 9 ? 1 : 2;
        part[i] = i / 10 % 5 == 0 ? PART_VAL : i / 10 % 5 == 1 ? PART_TEST : PART_TRAIN;
        id[i] = 1000 + i;
    }
    return (struct probe_cells){ N, C, class_of, part };
}

/* Each class has four genes of its own. */
static void expression(struct mat *x)
{
    mat_alloc(x, N, G, NULL);
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < G; j++)
            mat_row(x, i)[j] = rng_unit(1, RNG_TEST, i, j) + (j / 4 == class_of[i]);
}

static double accuracy(const struct probe_cells *c, const struct probe_result *r)
{
    double right = 0, all = 0;
    for (size_t i = 0; i < c->n; i++)
        if (c->part[i] == PART_TEST) {
            right += r->predicted[i] == c->class_of[i];
            all++;
        }
    return right / all;
}

static double *values(const struct backend *b, const struct tensor *t)
{
    double *v = calloc(t->rows * t->cols, sizeof *v);
    reals_to_f64(b, v, t->x, t->rows * t->cols);
    return v;
}

/* Weights of the packed network into the one with a mask; then both see the same cells. */
static void packed(void)
{
    const struct backend *b = &backend_ref;
    struct tosica m[2];
    struct mat mask, x;
    struct err e = { 0 };
    double worst = 0, loss[2];
    struct tosica_config c = { .n_genes = G,
                               .n_tokens = T,
                               .d = 4,
                               .depth = 2,
                               .heads = 2,
                               .mlp_ratio = 2,
                               .n_classes = C,
                               .norm_eps = 1e-6 };
    cells();
    expression(&x);
    mat_alloc(&mask, T, G, &e);
    for (size_t t = 0; t < T; t++)
        for (uint32_t k = first[t]; k < first[t + 1]; k++)
            mat_row(&mask, t)[member[k]] = 1;
    ok(!tosica_init(&m[0], &c, b, true, &e), "a network with a mask%s", e.text);
    c.first = first;
    c.member = member;
    ok(!tosica_init(&m[1], &c, b, true, &e), "and a packed one%s", e.text);
    tosica_initialise(&m[1], 7);
    tosica_set_mask(&m[0], &mask);
    double *w = net_get(&m[0].params, "feature_embed.fe.weight")->x,
           *u = net_get(&m[1].params, "feature_embed.packed.weight")->x;
    for (size_t t = 0; t < T; t++)
        for (size_t d = 0; d < c.d; d++)
            for (uint32_t k = first[t]; k < first[t + 1]; k++)
                w[(t * c.d + d) * G + member[k]] = u[d * first[T] + k];
    for (size_t i = 0; i < m[1].params.n; i++) {
        const struct param *q = &m[1].params.item[i], *p = params_find(&m[0].params, q->name);
        if (p)
            memcpy(p->t.x, q->t.x, q->rows * q->cols * b->real_bytes);
    }
    double *logit[2] = { NULL, NULL };
    for (int k = 0; k < 2; k++)
        for (int step = 0; step < 4; step++) {
            struct tape t;
            struct tosica_out out;
            const struct tosica_batch batch = { 20, x.x, class_of, NULL, 0 };
            tape_init(&t, b, true);
            params_zero_gradients(&m[k].params);
            tosica_forward(&m[k], &t, &batch, &out);
            tape_backward(&t);
            tosica_step(&m[k], 0.05);
            loss[k] = out.loss;
            free(logit[k]);
            logit[k] = values(b, out.logits);
            tape_release(&t);
        }
    for (size_t i = 0; i < 20 * C; i++)
        worst = fmax(worst, fabs(logit[0][i] - logit[1][i]));
    ok(worst < 1e-12 && near(loss[0], loss[1], 1e-12, 0),
       "give the same logits after three steps: %g", worst);
    c.layout = TOSICA_RELEASED;
    struct tosica no;
    ok(tosica_init(&no, &c, b, false, &e) == RC_INPUT, "the released layout cannot be packed: %s",
       e.text);
    for (int k = 0; k < 2; k++) {
        free(logit[k]);
        tosica_release(&m[k]);
    }
    mat_release(&mask);
    mat_release(&x);
}

static void tosica_learns(const struct backend *b)
{
    struct probe_cells c = cells();
    struct probe_result r, again;
    struct mat x;
    struct err e = { 0 };
    expression(&x);
    struct tosica_learning o = tosica_published();
    ok(o.d == 48 && o.run.epochs == 20 && o.run.batch == 16,
       "as published: 48 wide, 20 epochs of 16");
    o.d = 8;
    o.heads = 2;
    o.dropout = o.path_drop = 0;
    o.run.epochs = 40;
    o.rate[0] = 0.1;
    o.run.seed = 3;
    ok(!probe_tosica(&c, &x, id, first, member, T, &o, b, &r, &e), "%s: tosica%s", b->name, e.text);
    ok(accuracy(&c, &r) > 0.85, "tells cells that it has not seen: %.3f", accuracy(&c, &r));
    ok(strcmp(r.setting, "epoch") == 0 && r.chosen >= 1 && r.chosen <= 40, "epoch %g is the best",
       r.chosen);
    bool sane = true;
    for (size_t i = 0; i < N; i++)
        sane = sane && (part[i] == PART_TRAIN ? near(r.score[i], 0, 0, 0)
                                              : r.score[i] >= 1.0 / C - 1e-9 && r.score[i] <= 1);
    ok(sane, "the score of the winner is a probability");
    probe_tosica(&c, &x, id, first, member, T, &o, b, &again, &e);
    ok(memcmp(r.score, again.score, N * sizeof *r.score) == 0, "a second run gives the same bytes");
    probe_result_release(&again);
    ok(near(r.rate, 0.1, 0, 0), "the rate is said: %g", r.rate);
    o.rate[0] = 0; /* learns nothing */
    o.rate[1] = 0.1;
    o.rate[2] = 1e-9;
    o.n_rates = 3;
    ok(!probe_tosica(&c, &x, id, first, member, T, &o, b, &again, &e),
       "a choice of learning rates%s", e.text);
    ok(near(again.rate, 0.1, 0, 0) && near(again.val_macro_f1, r.val_macro_f1, 0, 0),
       "takes the one with which validation cells are told best: %g", again.rate);
    ok(memcmp(r.score, again.score, N * sizeof *r.score) == 0, "and is as good as that one alone");
    probe_result_release(&again);
    for (size_t i = 0; i < N; i++)
        class_of[i] = part[i] == PART_TEST ? (class_of[i] + 1) % C : class_of[i];
    probe_tosica(&c, &x, id, first, member, T, &o, b, &again, &e);
    ok(near(again.rate, 0.1, 0, 0) && memcmp(r.score, again.score, N * sizeof *r.score) == 0,
       "whatever the classes of the test cells are");
    probe_result_release(&again);
    o.n_rates = 1;
    o.run.epochs = SIZE_MAX;
    o.run.patience = 2;
    ok(!probe_tosica(&c, &x, id, first, member, T, &o, b, &again, &e),
       "patience ends what does not get better%s", e.text);
    ok(near(again.chosen, 1, 0, 0), "and the first of equals is kept: epoch %g", again.chosen);
    probe_result_release(&again);
    for (size_t i = 0; i < N; i++)
        if (part[i] == PART_VAL)
            part[i] = PART_TRAIN;
    ok(probe_tosica(&c, &x, id, first, member, T, &o, b, &again, &e) == RC_INPUT &&
           !again.predicted,
       "no cells to choose by are refused: %s", e.text);
    probe_result_release(&r);
    mat_release(&x);
}

/* A class is which gene of four comes first; the others follow in an order that says nothing. */
static void geneformer_learns(const struct backend *b)
{
    static uint32_t token[N * LENGTH];
    static size_t at[N + 1];
    struct probe_cells c = cells();
    const struct rank_lists lists = { N, at, token, id };
    struct geneformer_config shape = geneformer_small(GENEFORMER_FIRST_GENE + 20, LENGTH);
    struct geneformer m;
    struct probe_result r;
    struct err e = { 0 };
    double loss[2];
    ok(shape.layers == 2 && shape.d == 64 && shape.heads == 4 && shape.inner == 128,
       "small is 2 layers of 64");
    shape.d = 16;
    shape.inner = 32;
    for (size_t i = 0; i < N; i++) {
        at[i + 1] = (i + 1) * LENGTH;
        for (size_t k = 0; k < LENGTH; k++)
            token[i * LENGTH + k] = (uint32_t)(GENEFORMER_FIRST_GENE + (k ? 4 + k : class_of[i]));
    }
    at[N] = at[N - 1]; /* a cell without a gene */
    const struct geneformer_pretraining with = { .steps = 150, .batch = 16, .lr = 3e-3, .seed = 1 };
    ok(!geneformer_init(&m, &shape, b, true, &e) &&
           !geneformer_pretrain(&m, &lists, &with, loss, &e),
       "%s: hidden genes%s", b->name, e.text);
    ok(loss[1] < 0.5 * loss[0], "are told better and better: loss %.3f, then %.3f", loss[0],
       loss[1]);
    const struct geneformer_learning o = { { .batch = 16, .epochs = 15, .seed = 2 }, 3e-3 };
    for (int trained = 0; trained < 2; trained++) {
        const enum rc rc = probe_geneformer(&c, &lists, &shape, trained ? &m : NULL, &o, b, &r, &e);
        ok(!rc && accuracy(&c, &r) > 0.9, "%s it tells classes: %.3f%s",
           trained ? "afterwards" : "from first weights", accuracy(&c, &r), e.text);
        probe_result_release(&r);
    }
    token[0] = GENEFORMER_FIRST_GENE + 20;
    ok(probe_geneformer(&c, &lists, &shape, NULL, &o, b, &r, &e) == RC_INPUT,
       "a token that it lacks: %s", e.text);
    token[0] = GENEFORMER_FIRST_GENE;
    memset(at, 0, sizeof at);
    ok(geneformer_pretrain(&m, &lists, &with, loss, &e) == RC_INPUT, "cells without genes: %s",
       e.text);
    geneformer_release(&m);
}

static void knowledge(void)
{
    enum { V = 30, K = 5 };
    struct model_config c = model_config_base(V);
    struct model m;
    struct err e = { 0 };
    c.n_layers = 1;
    c.n_heads = 2;
    c.d = 8;
    c.ffn = 8;
    c.knowledge_dim = K;
    if (!ok(!model_init(&m, &c, &backend_ref, false, 0, &e), "a model with knowledge%s", e.text))
        return;
    for (int k = 0; k < N_KNOWLEDGE; k++)
        if (!(m.tables.knowledge[k] = calloc(V * K, sizeof(float))))
            return;
    for (int k = 0; k < N_KNOWLEDGE; k++)
        for (size_t i = 0; i < V * K; i++)
            m.tables.knowledge[k][i] = (float)(i / K) + 100 * (float)k;
    ok(!knowledge_shuffle(&m, 2, 9, &e), "its genes change places%s", e.text);
    const float *a = m.tables.knowledge[0], *b = m.tables.knowledge[N_KNOWLEDGE - 1];
    bool there[V] = { false }, same = true, whole = true;
    size_t moved = 0;
    for (size_t g = 0; g < V; g++) {
        const size_t from = (size_t)a[g * K];
        for (size_t k = 0; k < K; k++)
            whole = whole && (size_t)a[g * K + k] == from;
        same = same && near(b[g * K], a[g * K] + 100 * (N_KNOWLEDGE - 1), 0, 0);
        there[from] = true;
        moved += from != g;
    }
    for (size_t g = 0; g < V; g++)
        whole = whole && there[g];
    ok(whole, "every row is there once, and whole");
    ok(same, "all kinds are permuted alike");
    ok((size_t)a[0] == 0 && (size_t)a[K] == 1 && moved > V / 2, "the two specials stay: %zu moved",
       moved);
    model_release(&m);
}

int main(void)
{
    const char *why;
    threads_init(2);
    packed();
    tosica_learns(&backend_ref);
    geneformer_learns(&backend_ref);
    if (backend_find("cpu", &why)) {
        tosica_learns(&backend_cpu);
        geneformer_learns(&backend_cpu);
    }
    knowledge();
    threads_stop();
    return tap_end();
}
