/* Bases to vectors: DNABERT, projected by a random matrix where its width is not the table's, or
 * shares of k-base words to principal components. All sequences go the same way; those without a
 * gene only tell how far vectors spread. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/dnabert_file.h"
#include "lib/app/knowledge_promoter.h"
#include "lib/base/log.h"
#include "lib/base/rng.h"
#include "lib/data/kmer.h"
#include "lib/nn/dnabert_embed.h"
#include "lib/nn/pca.h"

/* Rows x[n, d] to y[n, dim]: themselves, or times a fixed matrix of N(0, 1/d). */
static void project(const float *x, size_t n, size_t d, uint64_t seed, float *y, size_t dim)
{
    const uint64_t id = hash_text("promoter projection");
    memset(y, 0, n * dim * sizeof *y);
    for (size_t j = 0; j < dim; j++)
        for (size_t i = 0; i < d; i++) {
            if (d == dim && i != j)
                continue;
            const double a =
                d == dim ? 1 : rng_normal(seed, RNG_INIT, id, j * d + i) / sqrt((double)d);
            for (size_t r = 0; r < n; r++)
                y[r * dim + j] += (float)(a * (double)x[r * d + i]);
        }
}

static void hear(void *ctx, size_t n)
{
    progress_at(ctx, n);
}

static enum rc by_dnabert(const struct promoters *p, const struct promoter_options *o, float *y,
                          char *label, struct err *e)
{
    struct dnabert m;
    struct progress now;
    const struct backend *b;
    if (backend_need(o->backend, &b, e))
        return RC_SKIP;
    enum rc rc = dnabert_load(&m, o->model, b, false, label, e);
    if (rc)
        return rc;
    float *x = malloc((p->n * m.config.d + 1) * sizeof *x);
    progress_start(&now, "promoters", p->n);
    rc =
        x ? dnabert_embed(&m, (const char *const *)p->bases, p->n,
                          o->method == PROMOTER_DNALONG ? DNA_LONG : DNA_MEAN_CLS, x, hear, &now, e)
          : err_set(e, RC_FAIL, "no memory for %zu promoters", p->n);
    progress_end(&now);
    if (!rc)
        project(x, p->n, m.config.d, o->seed, y, o->dim);
    free(x);
    dnabert_release(&m);
    return rc;
}

/* Shares of the words of k bases that are known. */
static void shares(const char *bases, int k, uint32_t *word, double *to)
{
    const size_t n = kmer_tokens(bases, strlen(bases), k, word);
    size_t known = 0;
    for (size_t i = 0; i < n; i++) {
        if (word[i] < KMER_FIRST)
            continue;
        to[word[i] - KMER_FIRST]++;
        known++;
    }
    for (size_t i = 0; known && i < (size_t)1 << 2 * k; i++)
        to[i] /= (double)known;
}

static enum rc by_words(const struct promoters *p, const struct promoter_options *o, float *out,
                        struct err *e)
{
    struct mat x = { 0 }, y = { 0 };
    struct pca pca = { 0 };
    size_t length = 0;
    for (size_t r = 0; r < p->n; r++)
        length = strlen(p->bases[r]) > length ? strlen(p->bases[r]) : length;
    uint32_t *word = malloc((length + 1) * sizeof *word);
    enum rc rc = word ? mat_alloc(&x, p->n, (size_t)1 << 2 * o->k, e)
                      : err_set(e, RC_FAIL, "no memory for %zu words", length);
    for (size_t r = 0; !rc && r < p->n; r++)
        shares(p->bases[r], o->k, word, mat_row(&x, r));
    if (!rc)
        rc = pca_fit(&x, o->dim, &pca, e);
    if (!rc)
        rc = pca_apply(&pca, &x, &y, e);
    /* In units of the first component's spread: shares are of the order of 1e-3. */
    const double unit = rc ? 1 : 1 / sqrt(pca.variance[0]);
    memset(out, 0, p->n * o->dim * sizeof *out);
    for (size_t r = 0; !rc && r < p->n; r++)
        for (size_t i = 0; i < y.d; i++)
            out[r * o->dim + i] = (float)(mat_row(&y, r)[i] * unit);
    pca_release(&pca);
    mat_release(&x);
    mat_release(&y);
    free(word);
    return rc;
}

/* Mean over components of the standard deviation over the sequences of a species (n - 1). */
static double spread(const struct promoters *p, enum species s, const float *y, size_t dim)
{
    double sum = 0;
    for (size_t i = 0; i < dim; i++) {
        double mean = 0, square = 0;
        size_t n = 0;
        for (int pass = 0; pass < 2; pass++)
            for (size_t r = 0; r < p->n; r++) {
                if (p->of[r] != s)
                    continue;
                const double x = (double)y[r * dim + i], d = pass ? x - mean / (double)n : 0;
                n += pass == 0;
                mean += pass == 0 ? x : 0;
                square += d * d;
            }
        sum += n > 1 ? sqrt(square / (double)(n - 1)) : 0;
    }
    return sum / (double)dim;
}

enum rc promoter_vectors(const struct promoters *p, const struct promoter_options *o,
                         struct knowledge_table *k, double spare_sd[2], char *label, struct err *e)
{
    size_t with_gene[2] = { 0, 0 };
    float *y = malloc((p->n * o->dim + 1) * sizeof *y);
    if (!y)
        return err_set(e, RC_FAIL, "no memory for %zu promoters", p->n);
    enum rc rc = o->method == PROMOTER_KMER ? by_words(p, o, y, e) : by_dnabert(p, o, y, label, e);
    for (size_t r = 0; !rc && r < p->n; r++) {
        const uint32_t t = p->token[r];
        if (t == PROMOTER_NO_GENE)
            continue;
        memcpy(k->vector + t * k->dim, y + r * o->dim, k->dim * sizeof *y);
        k->present[t] = 1;
        with_gene[p->of[r]]++;
    }
    for (int s = 0; !rc && s < 2; s++)
        spare_sd[s] = with_gene[s] ? 0 : spread(p, (enum species)s, y, o->dim);
    free(y);
    return rc;
}
