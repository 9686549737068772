/* lib/nn/dnabert: what the parity test does not see: gradients, hidden spans, training, vectors
 * that do not depend on their neighbours, refusals. */
#include "lib/nn/dnabert_embed.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/base/thread.h"
#include "lib/data/kmer.h"
#include "tests/tap.h"

enum { N = 40, BASES = 90 };
static char text[N][BASES + 1];
static const char *bases[N];

/* Sequences that repeat a word of 7 letters, so that a hidden one can be told. */
static void make(void)
{
    for (int i = 0; i < N; i++) {
        char unit[7];
        for (int k = 0; k < 7; k++)
            unit[k] = "ACGT"[rng_below(1, RNG_TEST, (uint64_t)i % 4, (uint64_t)k, 4)];
        for (int k = 0; k < BASES; k++)
            text[i][k] = unit[k % 7];
        bases[i] = text[i];
    }
}

static struct dnabert_config tiny(void)
{
    struct dnabert_config c = dnabert_config_small();
    c.k = 3;
    c.n_tokens = kmer_n_tokens(3);
    c.d = 16;
    c.n_heads = 2;
    c.ffn = 32;
    c.max_positions = 34; /* chunks of 32 words: three a sequence */
    return c;
}

static void start(struct dnabert *m, const struct backend *b, bool training)
{
    const struct dnabert_config c = tiny();
    struct err e = { 0 };
    if (dnabert_init(m, &c, b, training, &e))
        abort();
    dnabert_randomise(m, 5);
}

/* One masked batch of two sequences on the reference backend. */
struct probe {
    struct dnabert m;
    struct tape t;
    struct dna_batch b;
    uint32_t id[256], rank[256], first[16], masked[256], label[256], word[128];
    uint64_t key[256];
};

static double loss_of(struct probe *p)
{
    struct tensor *last = dnabert_encode(&p->m, &p->t, &p->b, 0);
    return dnabert_loss(&p->m, &p->t, &p->b, last, 1 / (double)p->b.n_masked);
}

static void gradients(void)
{
    static struct probe p;
    static const char *const names[] = { "bert.embeddings.word_embeddings.weight",
                                         "bert.embeddings.position_embeddings.weight",
                                         "bert.embeddings.token_type_embeddings.weight",
                                         "bert.encoder.layer.0.attention.self.value.weight",
                                         "bert.encoder.layer.1.output.LayerNorm.weight",
                                         "cls.predictions.transform.dense.weight",
                                         "cls.predictions.bias" };
    double worst = 0;
    start(&p.m, &backend_ref, true);
    p.b = (struct dna_batch){ .id = p.id,
                              .rank = p.rank,
                              .first = p.first,
                              .row_key = p.key,
                              .masked = p.masked,
                              .label = p.label };
    for (int i = 0; i < 2; i++)
        dna_batch_add(&p.b, &p.m.config, p.word, kmer_tokens(bases[i], BASES, 3, p.word),
                      (uint64_t)i);
    dna_hide(&p.b, 3, 0.1, 1, 0);
    tape_init(&p.t, &backend_ref, true);
    params_zero_gradients(&p.m.params);
    loss_of(&p);
    tape_backward(&p.t);
    tape_reset(&p.t);
    p.t.training = false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct param *q = params_find(&p.m.params, names[i]);
        double *x = q->t.x, most = 0;
        const double *g = q->t.g;
        size_t at = 0;
        for (size_t k = 0; k < q->rows * q->cols; k++)
            if (fabs(g[k]) > most)
                most = fabs(g[at = k]);
        const double old = x[at], h = 1e-5;
        x[at] = old + h;
        const double up = loss_of(&p);
        tape_reset(&p.t);
        x[at] = old - h;
        const double down = loss_of(&p);
        tape_reset(&p.t);
        x[at] = old;
        worst = worse(worst, fabs((up - down) / (2 * h) - g[at]) / most);
    }
    ok(p.b.n_masked > 5 && worst < 1e-6, "gradients are finite differences: off by %.1e", worst);
    tape_release(&p.t);
    dnabert_release(&p.m);
}

static void spans(void)
{
    enum { WORDS = 5000 };
    static uint32_t id[WORDS + 2], rank[WORDS + 2], masked[WORDS + 2], label[WORDS + 2];
    static uint64_t key[WORDS + 2];
    uint32_t first[2] = { 0, WORDS + 2 };
    struct dna_batch b = { .n_chunks = 1,
                           .n_rows = WORDS + 2,
                           .id = id,
                           .rank = rank,
                           .first = first,
                           .row_key = key,
                           .masked = masked,
                           .label = label };
    for (uint32_t i = 0; i < WORDS + 2; i++) {
        id[i] = i == 0 ? KMER_CLS : i == WORDS + 1 ? KMER_SEP : KMER_FIRST + 7;
        key[i] = i;
    }
    dna_hide(&b, 6, 0.025, 1, 0);
    size_t runs = 0, masks = 0, kept = 0;
    bool good = id[0] == KMER_CLS && id[WORDS + 1] == KMER_SEP;
    for (size_t i = 0; i < b.n_masked; i++) {
        runs += i == 0 || masked[i] != masked[i - 1] + 1;
        masks += id[masked[i]] == KMER_MASK;
        kept += id[masked[i]] == KMER_FIRST + 7;
        good = good && label[i] == KMER_FIRST + 7;
    }
    const double share = (double)b.n_masked / WORDS, n = (double)b.n_masked;
    ok(good && share > 0.11 && share < 0.17, "spans hide %.3f of the words", share);
    ok((double)runs * 5.5 < n && (double)masks > 0.75 * n && (double)masks < 0.85 * n &&
           (double)kept > 0.06 * n,
       "%zu spans of 6 and more, most of them [MASK], some kept", runs);
}

static void learning(void)
{
    struct dnabert m, other;
    struct dna_training o = dna_training_defaults();
    struct err e = { 0 };
    double loss[2], held[2];
    o.epochs = 1;
    o.batch_chunks = 6;
    o.peak_lr = 5e-3;
    o.rate = 0.1;
    start(&m, &backend_cpu, true);
    ok(!dnabert_train(&m, bases, N, &o, &loss[0], &held[0], &e), "an epoch %s", e.text);
    dnabert_release(&m);
    o.epochs = 12;
    threads_init(1);
    start(&m, &backend_cpu, true);
    bool good = !dnabert_train(&m, bases, N, &o, &loss[1], &held[1], &e);
    ok(good && loss[1] < loss[0] - 0.5 && held[1] < held[0] - 0.5,
       "twelve epochs: %.2f to %.2f, held out %.2f to %.2f", loss[0], loss[1], held[0], held[1]);
    threads_init(3);
    start(&other, &backend_cpu, true);
    good = !dnabert_train(&other, bases, N, &o, &loss[0], &held[0], &e);
    ok(good && !memcmp(m.params.x, other.params.x, m.params.n_items * sizeof(float)),
       "the same weights with another number of threads");
    dnabert_release(&m);
    dnabert_release(&other);
    start(&m, &backend_cpu, true);
    ok(dnabert_train(&m, bases, 9, &o, loss, held, &e) == RC_INPUT, "refused: %s", e.text);
    const char *one[12];
    for (int i = 0; i < 12; i++)
        one[i] = i == 3 ? "AC" : bases[i];
    ok(dnabert_train(&m, one, 12, &o, loss, held, &e) == RC_INPUT, "refused: %s", e.text);
    dnabert_release(&m);
}

static void vectors(void)
{
    struct dnabert m;
    struct err e = { 0 };
    static float all[N * 16], alone[16];
    start(&m, &backend_cpu, false);
    bool good = !dnabert_embed(&m, bases, N, DNA_MEAN_CLS, all, NULL, NULL, &e);
    double off = 0, apart = 0;
    for (int i = 0; good && i < N; i += 7) {
        good = !dnabert_embed(&m, bases + i, 1, DNA_MEAN_CLS, alone, NULL, NULL, &e);
        for (int k = 0; k < 16; k++) {
            const double d = fabs((double)alone[k] - (double)all[i * 16 + k]);
            off = d <= off ? off : d;
        }
    }
    for (int k = 0; k < 16; k++)
        apart += fabs((double)all[k] - (double)all[16 + k]);
    ok(good && off <= 1e-6, "a vector alone and among others: off by %.1e %s", off, e.text);
    ok(apart > 1e-3, "other sequences have other vectors: %.3f apart", apart);
    ok(dnabert_embed(&m, bases, 1, DNA_LONG, all, NULL, NULL, &e) == RC_INPUT, "refused: %s",
       e.text);
    const char *shorter = "AC";
    ok(dnabert_embed(&m, &shorter, 1, DNA_MEAN_CLS, all, NULL, NULL, &e) == RC_INPUT, "refused: %s",
       e.text);
    dnabert_release(&m);
    struct dnabert_config c = tiny();
    c.n_tokens = 70;
    ok(dnabert_init(&m, &c, &backend_cpu, false, &e) == RC_INPUT, "refused: %s", e.text);
}

/* The way that makes only [CLS] rows must give what all rows give. */
static void cls_alone(const struct backend *b, double bound)
{
    static struct probe p;
    double all[16 * 16], alone[16 * 16], worst = 0, least = 1;
    start(&p.m, b, false);
    p.b = (struct dna_batch){ .id = p.id, .rank = p.rank, .first = p.first, .row_key = p.key };
    for (int i = 0; i < 2; i++)
        dna_batch_add(&p.b, &p.m.config, p.word,
                      kmer_tokens(bases[i], BASES - (size_t)i * 50, 3, p.word), (uint64_t)i);
    tape_init(&p.t, b, false);
    const size_t n = p.b.n_chunks * p.m.config.d;
    struct tensor *x = dnabert_cls(&p.t, &p.b, dnabert_encode(&p.m, &p.t, &p.b, 0));
    reals_to_f64(b, all, x->x, n);
    tape_reset(&p.t);
    x = dnabert_encode_cls(&p.m, &p.t, &p.b);
    reals_to_f64(b, alone, x->x, n);
    for (size_t i = 0; i < n; i++) {
        const double d = all[i] - alone[i];
        worst = !(d <= worst) ? d : worst;
        worst = !(-d <= worst) ? -d : worst;
        least = all[i] < least ? all[i] : least;
    }
    ok(x->rows == p.b.n_chunks && p.b.n_chunks == 5 && worst <= bound && least < 0,
       "[CLS] rows alone are as among all rows, %s: %g", b->name, worst);
    tape_release(&p.t);
    dnabert_release(&p.m);
}

int main(void)
{
    threads_init(2);
    make();
    gradients();
    spans();
    learning();
    vectors();
    cls_alone(&backend_ref, 1e-13);
    cls_alone(&backend_cpu, 1e-5);
    threads_stop();
    return tap_end();
}
