/* bench-knowledge: how fast the stages of prior knowledge are.
 *   bench-knowledge gene2vec --pairs FILE [--dim K] [--passes N] [--hogwild] [--threads N]
 *   bench-knowledge coexpression --genes N --cells N [--density X] [--threads N]
 *   bench-knowledge dnabert --sequences N --bases N [--layers N --heads N --width N --ffn N]
 * One JSON line; the fastest of --repeat runs counts. FILE: two names a line (bench/gensim-bench.py
 * takes the same). cpu_share, of gene2vec and dnabert: processor time over wall time x threads in
 * that run; a rate over it is what a machine without neighbours would give. Counts are drawn with
 * the gene frequencies of a droplet experiment. flops of coexpression are those of the dense
 * products: four of 2 genes^2 cells each, the two symmetric ones by half; sgemm_gflops is this
 * machine's product rate in the same run. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/rng.h"
#include "lib/base/thread.h"
#include "lib/base/tool.h"
#include "lib/cell/pearson.h"
#include "lib/cell/sgns.h"
#include "lib/data/names.h"
#include "lib/io/network.h"
#include "lib/nn/dnabert_embed.h"
#include "lib/tensor/product_rate.h"

static const char *pairs_path;
static int64_t repeat = 3;
static uint64_t dim = 768, passes = 3, genes = 5000, cells = 2896, sequences = 8, n_bases = 2500;
static uint64_t layers = 12, heads = 12, width = 768, ffn = 3072;
static double density = 0.15;
static bool hogwild;

static const struct opt opts[] = {
    OPT_STR("pairs", &pairs_path, "FILE", "gene2vec: two names a line"),
    OPT_U64("dim", &dim, "K", "gene2vec: numbers of a vector"),
    OPT_U64("passes", &passes, "N", "gene2vec: passes of a run"),
    OPT_FLAG("hogwild", &hogwild, "gene2vec: threads race"),
    OPT_U64("genes", &genes, "N", "coexpression: columns"),
    OPT_U64("cells", &cells, "N", "coexpression: rows"),
    OPT_F64("density", &density, "X", "coexpression: share of counts that are not 0"),
    OPT_U64("sequences", &sequences, "N", "dnabert: promoters"),
    OPT_U64("bases", &n_bases, "N", "dnabert: bases of each"),
    OPT_U64("layers", &layers, "N", "dnabert"),
    OPT_U64("heads", &heads, "N", "dnabert"),
    OPT_U64("width", &width, "N", "dnabert"),
    OPT_U64("ffn", &ffn, "N", "dnabert"),
    OPT_I64("repeat", &repeat, "N", "runs; the fastest counts"),
    OPT_END,
};

static enum rc put(json_t *j, struct err *e)
{
    char *text = j ? json_dumps(j, JSON_REAL_PRECISION(6)) : NULL;
    json_decref(j);
    if (!text)
        return err_set(e, RC_FAIL, "no memory");
    puts(text);
    free(text);
    return RC_OK;
}

/* ---- gene2vec ---- */

/* The fastest run so far. */
struct timing {
    double seconds, cpu_share;
    double start, cpu; /* of the run that is under way */
};

static void timing_start(struct timing *t)
{
    t->start = clock_s();
    t->cpu = processor_s();
}

static void timing_end(struct timing *t)
{
    const double took = clock_s() - t->start;
    if (took >= t->seconds)
        return;
    t->seconds = took;
    t->cpu_share = (processor_s() - t->cpu) / (took * threads_count());
}

static enum rc train(const struct pairs *p, size_t n, uint64_t seed, struct timing *t,
                     struct sgns_counts *c, struct err *e)
{
    struct sgns s;
    struct sgns_options o = sgns_defaults();
    enum rc rc = sgns_alloc(&s, n, (size_t)dim, e);
    if (rc)
        return rc;
    uint64_t *key = calloc(n, sizeof *key);
    for (size_t i = 0; key && i < n; i++)
        key[i] = i;
    if (!key) {
        sgns_release(&s);
        return err_set(e, RC_FAIL, "no memory");
    }
    sgns_start(&s, seed, key);
    o.passes = (uint32_t)passes;
    o.seed = seed;
    o.hogwild = hogwild;
    timing_start(t);
    rc = sgns_train(&s, p, &o, c, e);
    timing_end(t);
    free(key);
    sgns_release(&s);
    return rc;
}

static enum rc gene2vec(const struct tool_args *a, struct err *e)
{
    struct network n;
    struct sgns_counts c = { 0 };
    struct timing t = { .seconds = INFINITY };
    if (!pairs_path)
        return err_set(e, RC_USAGE, "gene2vec needs --pairs");
    enum rc rc = network_read(pairs_path, NULL, &n, e);
    if (rc)
        return rc;
    for (int64_t i = 0; !rc && i < repeat; i++)
        rc = train(&n.pairs, n.gene.n, a->seed, &t, &c, e);
    if (!rc)
        rc = put(json_pack("{s:s, s:s, s:I, s:I, s:I, s:i, s:f, s:f, s:f, s:f}", "bench",
                           "gene2vec", "mode", hogwild ? "hogwild" : "exact", "dim",
                           (json_int_t)dim, "genes", (json_int_t)n.gene.n, "pairs",
                           (json_int_t)n.pairs.n, "threads", threads_count(), "seconds", t.seconds,
                           "cpu_share", t.cpu_share, "pairs_per_s", (double)c.lines / t.seconds,
                           "kept", (double)c.kept / (double)c.lines),
                 e);
    network_release(&n);
    return rc;
}

/* ---- coexpression ---- */

/* Gene g is expressed in a share of cells that falls like 1 / rank; counts are small. */
static enum rc make_counts(struct csr *c, struct err *e)
{
    const size_t n = (size_t)genes, m = (size_t)cells;
    double *share = malloc((n + 1) * sizeof *share), all = 0;
    if (!share)
        return err_set(e, RC_FAIL, "no memory");
    for (size_t g = 0; g < n; g++)
        all += 1 / (1 + 8 * (double)g / (double)n);
    for (size_t g = 0; g < n; g++)
        share[g] = fmin(0.98, density * (double)n / all / (1 + 8 * (double)g / (double)n));
    size_t nnz = 0;
    enum rc rc = csr_alloc(c, m, n, (size_t)(1.2 * density * (double)(n * m)) + 1000, e);
    for (size_t r = 0; !rc && r < m; r++) {
        for (uint32_t g = 0; g < n && nnz < (size_t)(1.2 * density * (double)(n * m)); g++)
            if (rng_unit(1, RNG_TEST, r, g) < share[g]) {
                c->index[nnz] = g;
                c->value[nnz++] = 1 + (uint32_t)(3 * pow(rng_unit(2, RNG_TEST, r, g), 6) * 4);
            }
        c->indptr[r + 1] = nnz;
    }
    free(share);
    return rc;
}

static enum rc coexpression(struct err *e)
{
    struct csr c;
    struct pearson_options o = pearson_defaults();
    struct pearson_counts n = { 0 };
    double seconds = INFINITY;
    enum rc rc = make_counts(&c, e);
    if (rc)
        return rc;
    for (int64_t i = 0; !rc && i < repeat; i++) {
        const double start = clock_s();
        rc = pearson_pairs(&c, &o, NULL, &n, e);
        const double took = clock_s() - start;
        seconds = took < seconds ? took : seconds;
    }
    const double flops = 3 * 2 * (double)n.genes * (double)n.genes * (double)cells;
    const double sgemm = product_rate(&backend_cpu, RATE_CPU) * 1e-9;
    if (!rc)
        rc = put(json_pack("{s:s, s:I, s:I, s:f, s:I, s:i, s:f, s:f, s:f, s:f}", "bench",
                           "coexpression", "genes", (json_int_t)n.genes, "cells", (json_int_t)cells,
                           "density", (double)csr_nnz(&c) / (double)(genes * cells),
                           "pairs_defined", (json_int_t)n.defined, "threads", threads_count(),
                           "seconds", seconds, "dense_gflops", flops / seconds * 1e-9,
                           "sgemm_gflops", sgemm, "share_of_sgemm", flops / seconds * 1e-9 / sgemm),
                 e);
    csr_release(&c);
    return rc;
}

/* ---- dnabert ---- */

static enum rc embed(struct dnabert *m, const char *const *s, struct timing *t, struct err *e)
{
    float *out = malloc((size_t)sequences * m->config.d * sizeof *out);
    if (!out)
        return err_set(e, RC_FAIL, "no memory");
    enum rc rc = dnabert_embed(m, s, 1, DNA_MEAN_CLS, out, NULL, NULL, e);
    for (int64_t i = 0; !rc && i < repeat; i++) {
        timing_start(t);
        rc = dnabert_embed(m, s, (size_t)sequences, DNA_MEAN_CLS, out, NULL, NULL, e);
        timing_end(t);
    }
    free(out);
    return rc;
}

static enum rc dnabert(const struct tool_args *a, struct err *e)
{
    struct dnabert m;
    const struct backend *b;
    if (backend_need(a->backend, &b, e))
        return RC_SKIP;
    struct dnabert_config c = dnabert_config_base();
    c.n_layers = (uint32_t)layers;
    c.n_heads = (uint32_t)heads;
    c.d = (uint32_t)width;
    c.ffn = (uint32_t)ffn;
    enum rc rc = dnabert_init(&m, &c, b, false, e);
    if (rc)
        return rc;
    dnabert_randomise(&m, a->seed);
    const char **s = calloc((size_t)sequences, sizeof *s);
    char *text = malloc((size_t)(sequences * (n_bases + 1)));
    for (uint64_t i = 0; s && text && i < sequences; i++) {
        s[i] = text + i * (n_bases + 1);
        for (uint64_t k = 0; k < n_bases; k++)
            text[i * (n_bases + 1) + k] = "ACGT"[rng_below(1, RNG_TEST, i, k, 4)];
        text[i * (n_bases + 1) + n_bases] = '\0';
    }
    struct timing t = { .seconds = INFINITY };
    rc = s && text ? embed(&m, s, &t, e) : err_set(e, RC_FAIL, "no memory");
    const size_t words = (size_t)(sequences * (n_bases - 5)),
                 tokens = words + 2 * (size_t)sequences * dna_chunks(&c, (size_t)n_bases - 5);
    if (!rc)
        rc = put(json_pack("{s:s, s:I, s:I, s:I, s:i, s:f, s:f, s:f, s:s}", "bench", "dnabert",
                           "layers", (json_int_t)layers, "width", (json_int_t)width, "tokens",
                           (json_int_t)tokens, "threads", threads_count(), "seconds", t.seconds,
                           "cpu_share", t.cpu_share, "tokens_per_s", (double)tokens / t.seconds,
                           "dtype", strstr(b->name, "bf16") ? "bf16" : "f32"),
                 e);
    free(s);
    free(text);
    dnabert_release(&m);
    return rc;
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    const char *what = a->arg.item[0];
    if (repeat < 1 || dim < 1 || passes < 1 || genes < 2 || cells < 2 || sequences < 1 ||
        n_bases < 6 || !(density > 0 && density <= 1))
        return err_set(e, RC_USAGE, "a size that cannot be");
    if (strcmp(what, "gene2vec") == 0)
        return gene2vec(a, e);
    if (strcmp(what, "coexpression") == 0)
        return coexpression(e);
    if (strcmp(what, "dnabert") == 0)
        return dnabert(a, e);
    return err_set(e, RC_USAGE, "'%s' is none of gene2vec, coexpression, dnabert", what);
}

int main(int argc, char **argv)
{
    static const struct tool tool = { "bench-knowledge",
                                      "gene2vec|coexpression|dnabert",
                                      "speed of the stages of prior knowledge",
                                      "Prints one JSON line.",
                                      opts,
                                      1,
                                      1 };
    return tool_main(&tool, run, argc, argv);
}
