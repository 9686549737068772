/* Which scores belong together, and in which order a reader sees them. */
#include <stdlib.h>
#include <string.h>

#include "lib/report/figures.h"

bool score_is_model(const struct score *s)
{
    return strncmp(s->method, "genecompass", 11) == 0 && !strstr(s->method, "random") &&
           !strstr(s->method, "untrained");
}

const char *score_method_words(const char *m)
{
    static const struct {
        const char *name, *words;
    } known[] = {
        { "genecompass", "this run's model" },
        { "genecompass+logistic", "this run's model + logistic" },
        { "genecompass+knn", "this run's model + neighbours" },
        { "random-weights+logistic", "random weights + logistic" },
        { "random-weights+knn", "random weights + neighbours" },
        { "hvg+logistic", "variable genes + logistic" },
        { "genecompass+frozen", "this run's model, head trained" },
        { "genecompass+full", "this run's model, all trained" },
        { "random-weights+frozen", "random weights, head trained" },
        { "random-weights+full", "random weights, all trained" },
        { "shuffled-knowledge+frozen", "permuted knowledge, head trained" },
        { "shuffled-knowledge+full", "permuted knowledge, all trained" },
        { "tosica", "TOSICA" },
        { "geneformer-small", "small Geneformer" },
        { "geneformer-small-untrained", "small Geneformer, not pretrained" },
        { "hvg+svm", "variable genes + linear SVM" },
        { "hvg+forest", "variable genes + random forest" },
        { "pca+logistic", "variable genes, PCA + logistic" },
        { "pca+knn", "variable genes, PCA + neighbours" },
        { "random-weights", "random weights" },
        { "genecompass-z", "this run's model, z among matched deletions" },
        { "genecompass-without-knowledge", "its knowledge taken away" },
        { "trained-without-knowledge", "trained without knowledge" },
        { "random-weights-z", "random weights, z among matched deletions" },
        { "random-weights-without-knowledge", "random weights, knowledge taken away" },
        { "released", "this run's model, as released" },
        { "word-rows", "words alone" },
        { "co-expression", "co-expression of counts" },
        { "correlation", "correlation of counts" },
        { "hvg+pca", "variable genes, PCA" },
        { "shuffled-cells", "cells in any order" },
        { "majority", "most frequent label" },
        { "came", "CAME" },
        { "genecompass+came", "CAME with this run's gene vectors" },
        { "genecompass-without-knowledge+logistic", "the model, knowledge zeroed + logistic" },
        { "random-weights-without-knowledge+logistic", "random weights, no knowledge + logistic" },
        { "shuffled-labels+full", "this run's model, all trained, labels shuffled" },
        { "shuffled-labels+logistic", "this run's model + logistic, labels shuffled" },
        { "word-rows+logistic", "its word table alone + logistic" },
        { "gene-length", "length of the gene" },
        { "expression+logistic", "expression statistics + logistic" },
        { "expression-and-length+logistic", "expression statistics and length + logistic" },
        { "logistic-1to1", "1-to-1 homologs + logistic" },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].name, m) == 0)
            return known[i].words;
    return m;
}

const char *scores_main_metric(const struct results *r)
{
    static const char *const wanted[] = { "macro_f1", "macro-f1", "f1_macro", "accuracy" };
    for (size_t k = 0; k < sizeof wanted / sizeof *wanted; k++)
        for (size_t i = 0; i < r->scores.n; i++)
            if (strcmp(r->scores.s[i].metric, wanted[k]) == 0)
                return r->scores.s[i].metric;
    return r->scores.n ? r->scores.s[0].metric : NULL;
}

static bool same_set(const struct score *a, const struct score *b)
{
    return strcmp(a->task, b->task) == 0 && strcmp(a->dataset, b->dataset) == 0;
}

/* The wanted word is taken where the data set has it, else any: older runs know no variants. */
static bool counts(const struct results *r, const struct score *s, const char *metric)
{
    if (strcmp(s->metric, metric) != 0)
        return false;
    bool clean = strcmp(s->variant, "clean") == 0, test = strcmp(s->split, "test") == 0;
    for (size_t i = 0; i < r->scores.n && !(clean && test); i++) {
        const struct score *o = &r->scores.s[i];
        if (strcmp(o->metric, metric) != 0 || !same_set(o, s))
            continue;
        if (!clean && strcmp(o->variant, "clean") == 0)
            return false;
        if (!test && strcmp(o->split, "test") == 0)
            return false;
    }
    return true;
}

/* The first score of data set number `which`, or NULL; *n_sets is their number when which is past
 * the end. */
static const struct score *set_at(const struct results *r, const char *metric, size_t which,
                                  size_t *n_sets)
{
    const struct score *last = NULL;
    *n_sets = 0;
    for (size_t i = 0; i < r->scores.n; i++) {
        const struct score *s = &r->scores.s[i];
        if (!counts(r, s, metric) || (last && same_set(last, s)))
            continue;
        last = s;
        if ((*n_sets)++ == which)
            return s;
    }
    return NULL;
}

size_t scores_groups(const struct results *r, const char *metric)
{
    size_t n = 0;
    if (metric)
        set_at(r, metric, SIZE_MAX, &n);
    return n;
}

static int by_mean(const void *a, const void *b)
{
    const struct score *x = *(const struct score *const *)a;
    const struct score *y = *(const struct score *const *)b;
    bool mx = score_is_model(x), my = score_is_model(y);
    if (mx != my)
        return mx ? -1 : 1;
    if (x->mean != y->mean)
        return x->mean < y->mean ? 1 : -1;
    return strcmp(x->method, y->method);
}

size_t scores_group(const struct results *r, const char *metric, size_t which,
                    const struct score ***row)
{
    size_t n = 0, n_sets;
    const struct score *first = set_at(r, metric, which, &n_sets);
    *row = first ? calloc(r->scores.n, sizeof **row) : NULL;
    if (!*row)
        return 0;
    for (size_t i = 0; i < r->scores.n; i++)
        if (same_set(&r->scores.s[i], first) && counts(r, &r->scores.s[i], metric))
            (*row)[n++] = &r->scores.s[i];
    qsort(*row, n, sizeof **row, by_mean);
    return n;
}
