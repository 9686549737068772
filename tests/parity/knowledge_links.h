/* gene2vec_links: vectors learned from the training pairs must tell held-out pairs from others as
 * well as gensim's do; and the three counts on the graph of training pairs, exactly. */
#ifndef GC_TESTS_PARITY_KNOWLEDGE_LINKS_H
#define GC_TESTS_PARITY_KNOWLEDGE_LINKS_H

#include "lib/base/log.h"
#include "lib/base/thread.h"
#include "lib/cell/sgns.h"
#include "tests/parity/knowledge.h"

enum { LINKS_DIM = 768, LINKS_SEEDS = 3 };

struct links {
    struct map gene; /* name to row, by first training pair */
    struct pairs train;
    uint32_t n_genes;
    uint64_t *key; /* of each gene */
    uint32_t **to; /* distinct neighbours of each gene, rising; held in one block */
    uint32_t *block, *degree;
    struct grid test;   /* gene gene label kind */
    uint32_t (*end)[2]; /* rows of the test pairs */
};

static uint32_t links_gene(struct links *k, const char *name)
{
    uint64_t old;
    struct err e = { 0 };
    if (map_add(&k->gene, name, k->n_genes, &old, &e))
        abort();
    return old == MAP_NONE ? k->n_genes++ : (uint32_t)old;
}

/* Positive line i (without self pairs) is test if i mod 10 = 0, unused if 1, else training. */
static void links_split(struct links *k, const struct grid *text, const struct grid *label)
{
    struct err e = { 0 };
    size_t i = 0;
    for (size_t r = 0; r < text->n_rows && r < label->n_rows; r++) {
        char *const *t = text->text + 2 * r;
        if (!(label->num[r] > 0.5) || strcmp(t[0], t[1]) == 0)
            continue;
        if (i++ % 10 >= 2) {
            const uint32_t a = links_gene(k, t[0]), b = links_gene(k, t[1]);
            if (pairs_add(&k->train, a, b, &e))
                abort();
        }
    }
}

static void links_graph(struct links *k)
{
    struct pairs d = { 0 };
    struct err e = { 0 };
    if (pairs_append(&d, &k->train, &e))
        abort();
    pairs_distinct(&d);
    k->degree = calloc(k->n_genes, sizeof *k->degree);
    k->to = calloc(k->n_genes, sizeof *k->to);
    k->block = calloc(2 * d.n + 1, sizeof *k->block);
    if (!k->degree || !k->to || !k->block)
        abort();
    for (size_t i = 0; i < d.n; i++) {
        k->degree[d.at[i].a]++;
        k->degree[d.at[i].b]++;
    }
    uint32_t *at = k->block;
    for (uint32_t g = 0; g < k->n_genes; g++) {
        k->to[g] = at;
        at += k->degree[g];
        k->degree[g] = 0;
    }
    /* Sorted by (a, b): lower neighbours of a gene come in rising order, before its higher ones. */
    for (size_t i = 0; i < d.n; i++)
        k->to[d.at[i].b][k->degree[d.at[i].b]++] = d.at[i].a;
    for (size_t i = 0; i < d.n; i++)
        k->to[d.at[i].a][k->degree[d.at[i].a]++] = d.at[i].b;
    pairs_release(&d);
}

static double common(const struct links *k, uint32_t x, uint32_t y, bool adamic)
{
    double sum = 0;
    for (uint32_t i = 0, j = 0; i < k->degree[x] && j < k->degree[y];) {
        const uint32_t a = k->to[x][i], b = k->to[y][j];
        if (a == b)
            sum += !adamic ? 1 : k->degree[a] > 1 ? 1 / log(k->degree[a]) : 0;
        i += a <= b;
        j += b <= a;
    }
    return sum;
}

struct scored {
    double score;
    bool positive;
};

static int by_score(const void *a, const void *b)
{
    const struct scored *x = a, *y = b;
    return (x->score > y->score) - (x->score < y->score);
}

/* Area under the ROC curve, ties count half. Sorts s. */
static double auroc(struct scored *s, size_t n)
{
    double below = 0, pos = 0, sum = 0;
    qsort(s, n, sizeof *s, by_score);
    for (size_t i = 0, j; i < n; i = j) {
        double p = 0, q = 0;
        for (j = i; j < n && !(s[j].score > s[i].score); j++) {
            p += s[j].positive;
            q += !s[j].positive;
        }
        sum += p * (below + q / 2);
        below += q;
        pos += p;
    }
    return sum / (pos * below);
}

enum scorer { DEGREE_PRODUCT, COMMON_NEIGHBOURS, ADAMIC_ADAR, COSINE, IN_OUT };

static double row_dot(const float *a, const float *b)
{
    double s = 0;
    for (int i = 0; i < LINKS_DIM; i++)
        s += (double)a[i] * (double)b[i];
    return s;
}

static double link_score(const struct links *k, const struct sgns *s, enum scorer how, uint32_t x,
                         uint32_t y)
{
    if (how == DEGREE_PRODUCT)
        return (double)k->degree[x] * k->degree[y];
    if (how == COMMON_NEIGHBOURS || how == ADAMIC_ADAR)
        return common(k, x, y, how == ADAMIC_ADAR);
    const float *vx = s->in + x * s->stride, *vy = s->in + y * s->stride;
    if (how == COSINE)
        return row_dot(vx, vy) / sqrt(row_dot(vx, vx) * row_dot(vy, vy));
    return row_dot(vx, s->out + y * s->stride) + row_dot(vy, s->out + x * s->stride);
}

/* pos against the negatives of one kind. */
static double links_auroc(const struct links *k, const struct sgns *s, enum scorer how,
                          const char *kind)
{
    struct scored *list = malloc((k->test.n_rows + 1) * sizeof *list);
    size_t n = 0;
    for (size_t r = 0; list && r < k->test.n_rows; r++) {
        const char *is = k->test.text[4 * r + 3];
        const bool positive = strcmp(is, "pos") == 0;
        if (positive || strcmp(is, kind) == 0)
            list[n++] =
                (struct scored){ link_score(k, s, how, k->end[r][0], k->end[r][1]), positive };
    }
    const double a = list ? auroc(list, n) : NAN;
    free(list);
    return a;
}

/* expected: rows of scorer seed set negatives n_pos n_neg auroc auprc. Mean over its seeds. */
static double links_expected(const struct grid *x, const char *scorer, const char *kind)
{
    double sum = 0;
    int n = 0;
    for (size_t r = 0; r < x->n_rows; r++)
        if (strcmp(x->text[4 * r], scorer) == 0 && strcmp(x->text[4 * r + 3], kind) == 0) {
            sum += x->num[4 * r + 2];
            n++;
        }
    return n ? sum / n : NAN;
}

static const char *const links_kind[3] = { "file", "uniform", "degree" };

static void links_baselines(const struct links *k, const struct grid *want)
{
    static const char *const name[3] = { "degree_product", "common_neighbours", "adamic_adar" };
    for (int how = DEGREE_PRODUCT; how <= ADAMIC_ADAR; how++)
        for (int i = 0; i < 3; i++) {
            const double got = links_auroc(k, NULL, (enum scorer)how, links_kind[i]),
                         is = links_expected(want, name[how], links_kind[i]);
            ok(near(got, is, 2e-6, 0), "gene2vec_links: %s against %s: %.6f (%.6f)", name[how],
               links_kind[i], got, is);
        }
}

/* 3 seeds of ours against the mean of gensim's, within 0.01. */
static void links_learned(const struct links *k, const struct grid *want, bool hogwild)
{
    double auc[2][3][LINKS_SEEDS], seconds = 0;
    const char *mode = hogwild ? "hogwild" : "exact";
    for (uint64_t seed = 1; seed <= LINKS_SEEDS; seed++) {
        struct sgns s;
        struct err e = { 0 };
        struct sgns_options o = sgns_defaults();
        o.seed = seed;
        o.hogwild = hogwild;
        const double start = clock_s();
        if (sgns_alloc(&s, k->n_genes, LINKS_DIM, &e))
            abort();
        sgns_start(&s, seed, k->key);
        if (!ok(!sgns_train(&s, &k->train, &o, NULL, &e), "gene2vec_links: %s, seed %d learns %s",
                mode, (int)seed, e.text))
            return;
        seconds += clock_s() - start;
        for (int how = 0; how < 2; how++)
            for (int i = 0; i < 3; i++)
                auc[how][i][seed - 1] = links_auroc(k, &s, how ? IN_OUT : COSINE, links_kind[i]);
        sgns_release(&s);
    }
    note("gene2vec_links: %s: %.0f pairs a second at %d numbers, %d threads", mode,
         (double)(LINKS_SEEDS * 10 * k->train.n) / seconds, LINKS_DIM, threads_count());
    for (int how = 0; how < 2; how++)
        for (int i = 0; i < 3; i++) {
            const char *name = how ? "gensim_in_out" : "gensim_cosine";
            const double is = links_expected(want, name, links_kind[i]), *x = auc[how][i];
            const double mean = (x[0] + x[1] + x[2]) / 3,
                         spread = fmax(x[0], fmax(x[1], x[2])) - fmin(x[0], fmin(x[1], x[2]));
            ok(near(mean, is, 0.01, 0),
               "gene2vec_links: %s, %s against %s: %.4f, 3 seeds within %.4f (gensim %.4f)", mode,
               how ? "in_out" : "cosine", links_kind[i], mean, spread, is);
        }
}

static void links_run(struct links *k, const struct grid *want)
{
    links_graph(k);
    k->end = calloc(k->test.n_rows + 1, sizeof *k->end);
    k->key = calloc(k->n_genes + 1, sizeof *k->key);
    bool known = k->end && k->key;
    for (size_t r = 0; known && r < k->test.n_rows; r++)
        for (int i = 0; i < 2; i++) {
            const uint64_t g = map_get(&k->gene, k->test.text[4 * r + (size_t)i]);
            known = known && g != MAP_NONE;
            k->end[r][i] = (uint32_t)g;
        }
    for (uint32_t g = 0; k->key && g < k->n_genes; g++)
        k->key[g] = g;
    if (!ok(known, "gene2vec_links: %zu training pairs, %u genes, all test genes among them",
            k->train.n, k->n_genes))
        return;
    links_baselines(k, want);
    links_learned(k, want, false);
    links_learned(k, want, true);
}

static void parity_links(const char *dir)
{
    static const char sub[] = "gene2vec_links", place[] = "prior_knowledge/gene2vec_pairs";
    struct links k = { 0 };
    struct grid text = { 0 }, label = { 0 }, want = { 0 };
    char *p[4] = { data_path(dir, sub, place, "train_text.txt"),
                   data_path(dir, sub, place, "train_label.txt"),
                   path_in(dir, sub, "test_pairs.tsv"), path_in(dir, sub, "expected_auc.tsv") };
    map_init(&k.gene);
    if (!file_exists(p[2]) || !file_exists(p[3])) {
        skip("gene2vec_links: not in this folder");
    } else if (!p[0] || !p[1]) {
        skip("gene2vec_links: the pairs of gene2vec (train_text.txt) are not here");
    } else {
        grid_read(&k.test, p[2], 4, 0, false);
        grid_read(&want, p[3], 4, 4, true);
        grid_read(&text, p[0], 2, 0, false);
        grid_read(&label, p[1], 0, 1, false);
        links_split(&k, &text, &label);
        links_run(&k, &want);
    }
    grid_release(&text);
    grid_release(&label);
    grid_release(&want);
    grid_release(&k.test);
    map_release(&k.gene);
    pairs_release(&k.train);
    free(k.key);
    free(k.to);
    free(k.block);
    free(k.degree);
    free(k.end);
    for (int i = 0; i < 4; i++)
        free(p[i]);
}

#endif
