/* dnabert_tiny: words, chunks, hidden rows, vectors of sequences and the masked loss, on ref and
 * cpu. Bounds of the folder's README: 1e-10 in double, 1e-5 in float; last_hidden_state is stored
 * in float, so 1e-6 of its size is what it can tell. */
#ifndef GC_TESTS_PARITY_KNOWLEDGE_DNABERT_H
#define GC_TESTS_PARITY_KNOWLEDGE_DNABERT_H

#include "lib/app/dnabert_file.h"
#include "lib/data/kmer.h"
#include "lib/io/safetensors.h"
#include "tests/parity/knowledge.h"

struct dna_case {
    struct dnabert *m;
    const struct st_file *want;
    const char *name; /* "seq0" */
    struct dna_batch b;
    double bound;
};

/* A tensor of the folder as doubles; the caller frees. */
static double *dna_wanted(const struct dna_case *c, const char *what, size_t *n)
{
    char *name = text_new("%s.%s", c->name, what);
    struct err e = { 0 };
    const struct st_tensor *t = st_find(c->want, name);
    free(name);
    if (!t)
        return NULL;
    double *x = malloc((t->n_items + 1) * sizeof *x);
    if (!x || st_get_f64(t, x, &e))
        abort();
    *n = t->n_items;
    return x;
}

static void dna_compare(const struct dna_case *c, const char *what, const double *got, size_t n_got,
                        double bound)
{
    size_t n = 0;
    double *want = dna_wanted(c, what, &n);
    const double off = want && n == n_got ? worst(got, want, n) : NAN;
    ok(off <= bound, "dnabert_tiny, %s: %s %s: %zu numbers, off by %.1e", c->m->params.b->name,
       c->name, what, n, off);
    free(want);
}

static double *dna_values(const struct dna_case *c, const struct tensor *x)
{
    double *v = malloc((x->rows * x->cols + 1) * sizeof *v);
    if (!v)
        abort();
    reals_to_f64(c->m->params.b, v, x->x, x->rows * x->cols);
    return v;
}

/* Hidden rows, row by row without padding; a golden tensor with fewer rows a chunk than the longest
 * one has each 64th. */
static void dna_hidden(const struct dna_case *c, const double *got)
{
    size_t n = 0, longest = 0, compared = 0;
    const size_t d = c->m->config.d, chunks = c->b.n_chunks;
    double *want = dna_wanted(c, "last_hidden_state", &n), off = 0;
    for (size_t k = 0; k < chunks; k++)
        longest = c->b.first[k + 1] - c->b.first[k] > longest ? c->b.first[k + 1] - c->b.first[k]
                                                              : longest;
    const size_t rows = n / d / chunks, step = rows < longest ? 64 : 1;
    for (size_t k = 0; want && k < chunks; k++)
        for (size_t r = 0; r < rows; r++) {
            if (r * step >= c->b.first[k + 1] - c->b.first[k])
                continue;
            const double o =
                worst(got + (c->b.first[k] + r * step) * d, want + (k * rows + r) * d, d);
            off = o <= off ? off : o;
            compared++;
        }
    ok(compared > 0 && off <= (c->bound < 1e-6 ? 1e-6 : c->bound),
       "dnabert_tiny, %s: %s: %zu hidden rows, off by %.1e", c->m->params.b->name, c->name,
       compared, off);
    free(want);
}

/* The golden ids are padded to the longest chunk; rows without mask are not ours. */
static bool dna_same_ids(const struct dna_case *c, const char *what, const uint32_t *id)
{
    size_t n = 0, n_mask = 0, row = 0;
    double *want = dna_wanted(c, what, &n), *mask = dna_wanted(c, "attention_mask", &n_mask);
    bool same = want && mask && n == n_mask;
    for (size_t i = 0; same && i < n; i++)
        if (mask[i] > 0.5)
            same = row < c->b.n_rows && near(id[row++], want[i], 0, 0);
    same = same && row == c->b.n_rows;
    free(want);
    free(mask);
    return same;
}

static void dna_vectors(const struct dna_case *c, struct tape *t)
{
    const size_t d = c->m->config.d, n = c->b.n_chunks;
    struct tensor *last = dnabert_encode(c->m, t, &c->b, 0);
    struct tensor *cls = dnabert_cls(t, &c->b, last), *pool = dnabert_pool(c->m, t, cls);
    double *h = dna_values(c, last), *x = dna_values(c, cls), *y = dna_values(c, pool);
    double *mean = calloc(2 * d + dnabert_long_work(&c->m->config, n), sizeof *mean);
    if (!mean)
        abort();
    dna_hidden(c, h);
    dna_compare(c, "cls", x, n * d, c->bound);
    dna_compare(c, "pooler", y, n * d, c->bound);
    for (size_t k = 0; k < n; k++)
        for (size_t i = 0; i < d; i++)
            mean[i] += x[k * d + i] / (double)n;
    dna_compare(c, "embedding_mean_cls", mean, d, c->bound);
    dnabert_long(c->m, y, n, mean + d, mean + 2 * d);
    dna_compare(c, "embedding_dnalong", mean + d, d, c->bound);
    free(h);
    free(x);
    free(y);
    free(mean);
    tape_reset(t);
}

static void dna_masked_loss(struct dna_case *c, struct tape *t)
{
    size_t n = 0, n_label = 0, n_mask = 0;
    double *id = dna_wanted(c, "mlm_input_ids", &n), *label = dna_wanted(c, "mlm_labels", &n_label),
           *mask = dna_wanted(c, "attention_mask", &n_mask);
    if (!id || !label || !mask || n != n_label || n != n_mask)
        abort();
    c->b.masked = calloc(n, sizeof *c->b.masked);
    c->b.label = calloc(n, sizeof *c->b.label);
    c->b.n_masked = 0;
    for (size_t i = 0, row = 0; i < n; i++) {
        if (!(mask[i] > 0.5))
            continue;
        c->b.id[row] = (uint32_t)id[i];
        if (label[i] >= 0) {
            c->b.masked[c->b.n_masked] = (uint32_t)row;
            c->b.label[c->b.n_masked++] = (uint32_t)label[i];
        }
        row++;
    }
    struct tensor *last = dnabert_encode(c->m, t, &c->b, 0);
    const double loss = dnabert_loss(c->m, t, &c->b, last, 1 / (double)c->b.n_masked);
    dna_compare(c, "mlm_loss", &loss, 1, c->bound);
    free(id);
    free(label);
    free(mask);
    free(c->b.masked);
    free(c->b.label);
    tape_reset(t);
}

static void dna_sequence(struct dnabert *m, const struct st_file *want, const char *name,
                         const char *bases)
{
    const size_t n = strlen(bases);
    uint32_t *word = calloc(n + 1, sizeof *word);
    const size_t words = kmer_tokens(bases, n, m->config.k, word),
                 chunks = dna_chunks(&m->config, words), rows = words + 2 * chunks;
    struct dna_case c = { m, want, name, { 0 }, m->params.b->type == REAL_F64 ? 1e-10 : 1e-5 };
    struct tape t;
    c.b.id = calloc(rows, sizeof *c.b.id);
    c.b.rank = calloc(rows, sizeof *c.b.rank);
    c.b.row_key = calloc(rows, sizeof *c.b.row_key);
    c.b.first = calloc(chunks + 1, sizeof *c.b.first);
    if (!word || !c.b.id || !c.b.rank || !c.b.row_key || !c.b.first)
        abort();
    dna_batch_add(&c.b, &m->config, word, words, 1);
    tape_init(&t, m->params.b, false);
    if (ok(dna_same_ids(&c, "input_ids", c.b.id), "dnabert_tiny, %s: %s: %zu words in %zu chunks",
           m->params.b->name, name, words, chunks)) {
        dna_vectors(&c, &t);
        dna_masked_loss(&c, &t);
    }
    tape_release(&t);
    free(word);
    free(c.b.id);
    free(c.b.rank);
    free(c.b.row_key);
    free(c.b.first);
}

/* vocab.txt of the published model: our numbers of words are its line numbers. */
static void dna_vocabulary(const char *dir)
{
    struct lines l;
    struct err e = { 0 };
    bool more = false, same = true;
    uint32_t n = 0;
    char *p = data_path(dir, "dnabert_tiny", "prior_knowledge/promoter", "dnabert6_vocab.txt");
    if (!p) {
        skip("dnabert_tiny: the published vocabulary is not here");
        return;
    }
    if (lines_open(&l, p, &e))
        abort();
    while (!lines_next(&l, &more, &e) && more) {
        uint32_t is = 0;
        if (n >= KMER_FIRST)
            same = same && kmer_tokens(l.text, l.n_bytes, 6, &is) == 1 && is == n;
        n++;
    }
    lines_close(&l);
    ok(same && n == kmer_n_tokens(6), "dnabert_tiny: %u words are numbered as in vocab.txt", n);
    free(p);
}

static void parity_dnabert(const char *dir)
{
    static const struct backend *const backend[] = { &backend_ref, &backend_cpu };
    char *p[3] = { path_in(dir, "dnabert_tiny", "sequences.tsv"),
                   path_in(dir, "dnabert_tiny", "expected.safetensors"),
                   text_new("%s/dnabert_tiny", dir) };
    struct st_file want;
    struct err e = { 0 };
    char label[DNABERT_LABEL];
    if (!file_exists(p[0]) || !file_exists(p[1])) {
        skip("dnabert_tiny: not in this folder");
    } else if (ok(!st_open(&want, p[1], &e), "dnabert_tiny: its numbers are read%s", e.text)) {
        dna_vocabulary(dir);
        for (int i = 0; i < 2; i++) {
            struct dnabert m;
            struct table t;
            if (!ok(!dnabert_load(&m, p[2], backend[i], false, label, &e),
                    "dnabert_tiny, %s: the model is read%s", backend[i]->name, e.text) ||
                tsv_read_need(p[0], "sequence", &t, &e))
                continue;
            const struct column *s = table_find(&t, "sequence");
            for (size_t r = 0; r < t.n_rows; r++) {
                char *name = text_new("seq%zu", r);
                dna_sequence(&m, &want, name, s->text[r]);
                free(name);
            }
            table_release(&t);
            dnabert_release(&m);
        }
        st_close(&want);
    }
    for (int i = 0; i < 3; i++)
        free(p[i]);
}

#endif
