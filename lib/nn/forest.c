/* Values are replaced by their ranks within a feature once, before any tree: a node then sorts
 * whole numbers, and counts, which are mostly 0, need no sorting of their least value at all.
 *
 *   forest_fit -> rank_feature for each; grow_tree for each:
 *     split_node -> best_cut -> try_feature for some features -> scan_cuts
 * Example: values 0 0 3 1 of classes A A B A. Ranks 0 0 2 1; after sorting A A | A | B; the best
 * cut is behind the third, at (1 + 3) / 2 = 2. */
#include "lib/nn/forest.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/base/thread.h"

enum { CELLS_PER_TASK = 64 };

/* A leaf has no children: feature is LEAF, a and b bound its votes. */
#define LEAF UINT32_MAX
struct node {
    double threshold; /* to a when x <= threshold, else to b */
    uint32_t feature, a, b;
};

struct vote {
    uint32_t class_of;
    float share;
};

struct forest_tree {
    struct node *node;
    struct vote *vote;
    size_t n_nodes, node_room, n_votes, vote_room;
    bool failed; /* no memory */
};

/* What all trees read. */
struct ground {
    const struct mat *x;
    const uint32_t *class_of;
    const struct forest_options *o;
    struct forest *f;
    uint32_t *rank; /* [d,n] place of the value among the feature's distinct ones */
    double *value;  /* [d,n] the distinct values, rising */
};

/* One tree while it grows. */
struct grower {
    const struct ground *g;
    struct forest_tree *t;
    uint64_t id, draws;
    uint32_t *sample, *spare; /* [n] of the bootstrap, a node's side by side */
    uint32_t *feature;        /* [d] in the order they are drawn */
    uint64_t *key;            /* [n] rank above class */
    size_t *left, *all;       /* [C] */
};

struct cut {
    double gain;
    uint32_t feature, rank; /* samples of at most that rank go left */
    double threshold;
    bool found;
};

/* Shell's sort with Ciura's gaps, continued by 2.25: no worst case worth the name on what a forest
 * sorts, and the order of equal keys is nobody's business. */
static void sort_keys(uint64_t *key, size_t n)
{
    static const size_t gap[] = { 1149241, 510774, 227011, 100894, 44842, 19930, 8858, 3937, 1750,
                                  701,     301,    132,    57,     23,    10,    4,    1 };
    for (size_t k = 0; k < sizeof gap / sizeof *gap; k++)
        for (size_t i = gap[k]; i < n; i++) {
            const uint64_t v = key[i];
            size_t j = i;
            for (; j >= gap[k] && key[j - gap[k]] > v; j -= gap[k])
                key[j] = key[j - gap[k]];
            key[j] = v;
        }
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The distinct values of a feature, and each sample's place among them. */
static void rank_feature(void *ctx, size_t j, int worker)
{
    (void)worker;
    struct ground *g = ctx;
    const size_t n = g->x->n;
    double *v = g->value + j * n;
    uint32_t m = 0;
    for (size_t i = 0; i < n; i++)
        v[i] = mat_row(g->x, i)[j];
    qsort(v, n, sizeof *v, by_value);
    for (size_t i = 0; i < n; i++)
        if (!m || v[i] > v[m - 1])
            v[m++] = v[i];
    for (size_t i = 0; i < n; i++) {
        const double x = mat_row(g->x, i)[j];
        const double *at = bsearch(&x, v, m, sizeof *v, by_value);
        g->rank[j * n + i] = (uint32_t)(at - v);
    }
}

static uint64_t draw(struct grower *w, uint64_t below)
{
    return rng_below(w->g->o->seed, RNG_FOREST, w->id, w->draws++, below);
}

static double squares(const size_t *count, size_t n_classes)
{
    double sum = 0;
    for (size_t c = 0; c < n_classes; c++)
        sum += (double)count[c] * (double)count[c];
    return sum;
}

/* The cuts of a feature whose keys lie sorted, the least rank's in front and counted in w->left. */
static void scan_cuts(struct grower *w, uint32_t feature, size_t n, size_t n_least, uint32_t least,
                      struct cut *best)
{
    const size_t n_classes = w->g->f->n_classes, min_leaf = w->g->o->min_leaf;
    const double *value = w->g->value + feature * w->g->x->n;
    double l = squares(w->left, n_classes), r = 0;
    for (size_t c = 0; c < n_classes; c++)
        r += (double)(w->all[c] - w->left[c]) * (double)(w->all[c] - w->left[c]);
    uint32_t rank = least;
    for (size_t i = n_least; i < n; i++) {
        const uint32_t next = (uint32_t)(w->key[i - n_least] >> 32);
        if (next != rank && i >= min_leaf && n - i >= min_leaf) {
            const double gain = l / (double)i + r / (double)(n - i);
            if (!best->found || gain > best->gain) {
                double at = value[rank] + (value[next] - value[rank]) / 2;
                if (!(at < value[next])) /* neighbours among doubles */
                    at = value[rank];
                *best = (struct cut){ gain, feature, rank, at, true };
            }
        }
        rank = next;
        const size_t c = (uint32_t)w->key[i - n_least];
        const double before = (double)w->left[c], right = (double)(w->all[c] - w->left[c]);
        l += 2 * before + 1;
        r -= 2 * right - 1;
        w->left[c]++;
    }
}

/* False: the feature is the same in all samples of the node. */
static bool try_feature(struct grower *w, uint32_t feature, const uint32_t *sample, size_t n,
                        struct cut *best)
{
    const struct ground *g = w->g;
    const uint32_t *rank = g->rank + feature * g->x->n;
    uint32_t least = UINT32_MAX, most = 0;
    for (size_t i = 0; i < n; i++) {
        least = rank[sample[i]] < least ? rank[sample[i]] : least;
        most = rank[sample[i]] > most ? rank[sample[i]] : most;
    }
    if (least == most)
        return false;
    size_t m = 0;
    memset(w->left, 0, g->f->n_classes * sizeof *w->left);
    for (size_t i = 0; i < n; i++) {
        const uint32_t s = sample[i];
        if (rank[s] == least)
            w->left[g->class_of[s]]++;
        else
            w->key[m++] = (uint64_t)rank[s] << 32 | g->class_of[s];
    }
    sort_keys(w->key, m);
    scan_cuts(w, feature, n, n - m, least, best);
    return true;
}

/* Features without replacement: n_try of them, and on until one is not constant. */
static struct cut best_cut(struct grower *w, const uint32_t *sample, size_t n)
{
    const size_t d = w->g->x->d, n_try = w->g->o->n_try;
    struct cut best = { 0 };
    bool any = false;
    for (size_t k = 0; k < d && (k < n_try || !any); k++) {
        const size_t at = k + draw(w, d - k);
        const uint32_t feature = w->feature[at];
        w->feature[at] = w->feature[k];
        w->feature[k] = feature;
        any = try_feature(w, feature, sample, n, &best) || any;
    }
    return best;
}

static void *grow(void *p, size_t *room, size_t want, size_t size)
{
    if (want <= *room)
        return p;
    void *more = realloc(p, (2 * *room + want) * size);
    if (more)
        *room = 2 * *room + want;
    return more;
}

static uint32_t add_node(struct forest_tree *t)
{
    struct node *more = grow(t->node, &t->node_room, t->n_nodes + 1, sizeof *more);
    if (!more) {
        t->failed = true;
        return 0;
    }
    t->node = more;
    t->node[t->n_nodes] = (struct node){ .feature = LEAF };
    return (uint32_t)t->n_nodes++;
}

static void make_leaf(struct grower *w, uint32_t at, size_t n)
{
    struct forest_tree *t = w->t;
    const size_t n_classes = w->g->f->n_classes, from = t->n_votes;
    for (size_t c = 0; c < n_classes; c++) {
        if (!w->all[c])
            continue;
        struct vote *more = grow(t->vote, &t->vote_room, t->n_votes + 1, sizeof *more);
        if (!more) {
            t->failed = true;
            return;
        }
        t->vote = more;
        t->vote[t->n_votes++] =
            (struct vote){ (uint32_t)c, (float)((double)w->all[c] / (double)n) };
    }
    t->node[at].a = (uint32_t)from;
    t->node[at].b = (uint32_t)t->n_votes;
}

/* Samples of at most the cut's rank to the front, the order kept; how many. */
static size_t part(struct grower *w, uint32_t *sample, size_t n, const struct cut *c)
{
    const uint32_t *rank = w->g->rank + c->feature * w->g->x->n;
    size_t l = 0, r = 0;
    for (size_t i = 0; i < n; i++)
        if (rank[sample[i]] <= c->rank)
            sample[l++] = sample[i];
        else
            w->spare[r++] = sample[i];
    memcpy(sample + l, w->spare, r * sizeof *sample);
    return l;
}

/* Grows the tree below node `at` from its samples: a pure or too small node is a leaf; the smaller
 * side of a cut is grown by a call, so at most log2 n calls stand, the larger one in the loop. */
static void split_node(struct grower *w, uint32_t at, uint32_t *sample, size_t n)
{
    const size_t n_classes = w->g->f->n_classes;
    while (!w->t->failed) {
        size_t kinds = 0;
        struct cut c = { 0 };
        memset(w->all, 0, n_classes * sizeof *w->all);
        for (size_t i = 0; i < n; i++)
            kinds += !w->all[w->g->class_of[sample[i]]]++;
        if (kinds > 1 && n >= 2 * w->g->o->min_leaf)
            c = best_cut(w, sample, n);
        if (!c.found) {
            make_leaf(w, at, n);
            return;
        }
        const size_t l = part(w, sample, n, &c);
        const uint32_t a = add_node(w->t), b = add_node(w->t);
        if (w->t->failed)
            return;
        w->t->node[at] = (struct node){ c.threshold, c.feature, a, b };
        const bool left_small = l <= n - l;
        split_node(w, left_small ? a : b, left_small ? sample : sample + l, left_small ? l : n - l);
        at = left_small ? b : a;
        sample = left_small ? sample + l : sample;
        n = left_small ? n - l : l;
    }
}

static void grow_tree(void *ctx, size_t k, int worker)
{
    (void)worker;
    const struct ground *g = ctx;
    const size_t n = g->x->n, d = g->x->d, n_classes = g->f->n_classes;
    struct grower w = { .g = g, .t = &g->f->tree[k], .id = k };
    w.sample = malloc(n * sizeof *w.sample);
    w.spare = malloc(n * sizeof *w.spare);
    w.feature = malloc(d * sizeof *w.feature);
    w.key = malloc(n * sizeof *w.key);
    w.left = malloc(n_classes * sizeof *w.left);
    w.all = malloc(n_classes * sizeof *w.all);
    w.t->failed = !w.sample || !w.spare || !w.feature || !w.key || !w.left || !w.all;
    for (size_t i = 0; !w.t->failed && i < n; i++)
        w.sample[i] = (uint32_t)draw(&w, n);
    for (size_t j = 0; !w.t->failed && j < d; j++)
        w.feature[j] = (uint32_t)j;
    const uint32_t root = w.t->failed ? 0 : add_node(w.t);
    if (!w.t->failed)
        split_node(&w, root, w.sample, n);
    void *const owned[] = { w.sample, w.spare, w.feature, w.key, w.left, w.all };
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
}

void forest_release(struct forest *f)
{
    for (size_t k = 0; f->tree && k < f->n_trees; k++) {
        free(f->tree[k].node);
        free(f->tree[k].vote);
    }
    free(f->tree);
    *f = (struct forest){ 0 };
}

enum rc forest_fit(const struct mat *x, const uint32_t *class_of, size_t n_classes,
                   const struct forest_options *o, struct forest *f, struct err *e)
{
    struct forest_options with = *o;
    *f = (struct forest){ .n_trees = o->n_trees, .n_classes = n_classes, .d = x->d };
    if (!x->n || !x->d || !n_classes || x->n >= UINT32_MAX || x->d >= UINT32_MAX)
        return err_set(e, RC_INPUT, "a forest on %zu rows of %zu features cannot grow", x->n, x->d);
    with.n_try = o->n_try ? o->n_try : (size_t)sqrt((double)x->d);
    with.min_leaf = o->min_leaf ? o->min_leaf : 1;
    struct ground g = { .x = x, .class_of = class_of, .o = &with, .f = f };
    f->tree = calloc(o->n_trees + 1, sizeof *f->tree);
    g.rank = malloc(x->n * x->d * sizeof *g.rank);
    g.value = malloc(x->n * x->d * sizeof *g.value);
    bool failed = !f->tree || !g.rank || !g.value;
    if (!failed) {
        threads_for(x->d, rank_feature, &g);
        threads_for(o->n_trees, grow_tree, &g);
    }
    for (size_t k = 0; !failed && k < o->n_trees; k++)
        failed = f->tree[k].failed;
    free(g.rank);
    free(g.value);
    if (!failed)
        return RC_OK;
    forest_release(f);
    return err_set(e, RC_FAIL, "no memory for %zu trees on %zu rows", o->n_trees, x->n);
}

struct asking {
    const struct forest *f;
    const struct mat *x;
    double *sum; /* [n,C] */
    uint32_t *said;
    double *share;
};

static void ask_some(void *ctx, size_t k, int worker)
{
    (void)worker;
    const struct asking *a = ctx;
    const size_t n_classes = a->f->n_classes, from = k * CELLS_PER_TASK;
    const size_t to = from + CELLS_PER_TASK < a->x->n ? from + CELLS_PER_TASK : a->x->n;
    for (size_t i = from; i < to; i++) {
        const double *x = mat_row(a->x, i);
        double *sum = a->sum + i * n_classes;
        for (size_t t = 0; t < a->f->n_trees; t++) {
            const struct forest_tree *tree = &a->f->tree[t];
            const struct node *n = tree->node;
            while (n->feature != LEAF)
                n = &tree->node[x[n->feature] <= n->threshold ? n->a : n->b];
            for (uint32_t v = n->a; v < n->b; v++)
                sum[tree->vote[v].class_of] += (double)tree->vote[v].share;
        }
        size_t best = 0;
        for (size_t c = 1; c < n_classes; c++)
            if (sum[c] > sum[best])
                best = c;
        a->said[i] = (uint32_t)best;
        a->share[i] = a->f->n_trees ? sum[best] / (double)a->f->n_trees : 0;
    }
}

enum rc forest_predict(const struct forest *f, const struct mat *x, uint32_t *said, double *share,
                       struct err *e)
{
    assert(x->d == f->d);
    struct asking a = { f, x, calloc(x->n * f->n_classes + 1, sizeof *a.sum), said, share };
    if (!a.sum)
        return err_set(e, RC_FAIL, "no memory for %zu predictions", x->n);
    threads_for((x->n + CELLS_PER_TASK - 1) / CELLS_PER_TASK, ask_some, &a);
    free(a.sum);
    return RC_OK;
}
