#include "lib/nn/gears_data.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/map.h"
#include "lib/base/mt19937.h"

void gears_graph_release(struct gears_graph *g)
{
    free(g->from);
    free(g->to);
    free(g->weight);
    *g = (struct gears_graph){ 0 };
}

static enum rc graph_room(struct gears_graph *g, size_t n, struct err *e)
{
    *g = (struct gears_graph){ .from = malloc((n + 1) * sizeof *g->from),
                               .to = malloc((n + 1) * sizeof *g->to),
                               .weight = malloc((n + 1) * sizeof *g->weight) };
    if (g->from && g->to && g->weight)
        return RC_OK;
    gears_graph_release(g);
    return err_set(e, RC_FAIL, "no memory for a graph of %zu edges", n);
}

struct candidate {
    double weight;
    uint32_t from;
};

static int by_weight(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    if (x->weight < y->weight || x->weight > y->weight)
        return x->weight > y->weight ? -1 : 1;
    return (x->from > y->from) - (x->from < y->from);
}

/* The k + 1 largest of c[0..n) that are above least become edges to `to`. */
static void keep_largest(struct gears_graph *g, uint32_t to, struct candidate *c, size_t n,
                         size_t k, double least)
{
    qsort(c, n, sizeof *c, by_weight);
    for (size_t i = 0; i < n && i < k + 1; i++)
        if (c[i].weight > least) {
            g->from[g->n] = c[i].from;
            g->to[g->n] = to;
            g->weight[g->n++] = c[i].weight;
        }
}

/* Genes of each term; at [n_terms + 1]. */
static void turn_terms(const size_t *first, const uint32_t *term, size_t n_genes, size_t n_terms,
                       size_t *at, uint32_t *gene)
{
    memset(at, 0, (n_terms + 1) * sizeof *at);
    for (size_t k = 0; k < first[n_genes]; k++)
        at[term[k] + 1]++;
    for (size_t t = 0; t < n_terms; t++)
        at[t + 1] += at[t];
    for (uint32_t i = 0; i < n_genes; i++)
        for (size_t k = first[i]; k < first[i + 1]; k++)
            gene[at[term[k]]++] = i;
    for (size_t t = n_terms; t > 0; t--)
        at[t] = at[t - 1];
    at[0] = 0;
}

enum rc gears_graph_go(const size_t *first, const uint32_t *term, size_t n_genes, size_t n_terms,
                       size_t k, double least, struct gears_graph *g, struct err *e)
{
    const size_t most = k + 1 < n_genes ? k + 1 : n_genes;
    *g = (struct gears_graph){ 0 };
    for (size_t i = 0; i < first[n_genes]; i++)
        if (term[i] >= n_terms)
            return err_set(e, RC_INPUT, "term %u of %zu", term[i], n_terms);
    size_t *at = malloc((n_terms + 1) * sizeof *at);
    uint32_t *gene = malloc((first[n_genes] + 1) * sizeof *gene);
    uint32_t *both = calloc(n_genes + 1, sizeof *both);
    struct candidate *c = malloc((n_genes + 1) * sizeof *c);
    enum rc rc = at && gene && both && c ? graph_room(g, n_genes * most, e)
                                         : err_set(e, RC_FAIL, "no memory for %zu genes", n_genes);
    if (!rc)
        turn_terms(first, term, n_genes, n_terms, at, gene);
    for (uint32_t i = 0; !rc && i < n_genes; i++) {
        size_t n = 0;
        memset(both, 0, n_genes * sizeof *both);
        for (size_t a = first[i]; a < first[i + 1]; a++)
            for (size_t b = at[term[a]]; b < at[term[a] + 1]; b++)
                both[gene[b]]++;
        for (uint32_t j = 0; j < n_genes; j++) {
            const size_t all = first[i + 1] - first[i] + first[j + 1] - first[j] - both[j];
            const double w = all ? both[j] / (double)all : 0;
            if (w > least)
                c[n++] = (struct candidate){ w, j };
        }
        keep_largest(g, i, c, n, k, least);
    }
    free(at);
    free(gene);
    free(both);
    free(c);
    return rc;
}

/* Columns centred and of length 1; those without spread 0. */
static void unit_columns(struct mat *x)
{
    for (size_t j = 0; j < x->d; j++) {
        double mean = 0, length = 0;
        for (size_t i = 0; i < x->n; i++)
            mean += mat_row(x, i)[j];
        mean /= (double)x->n;
        for (size_t i = 0; i < x->n; i++) {
            mat_row(x, i)[j] -= mean;
            length += mat_row(x, i)[j] * mat_row(x, i)[j];
        }
        for (size_t i = 0; i < x->n; i++)
            mat_row(x, i)[j] = length > 0 ? mat_row(x, i)[j] / sqrt(length) : 0;
    }
}

enum rc gears_graph_correlation(const struct mat *r, size_t k, double least, struct gears_graph *g,
                                struct err *e)
{
    const size_t d = r->d, most = k + 1 < d ? k + 1 : d;
    *g = (struct gears_graph){ 0 };
    struct candidate *c = malloc((d + 1) * sizeof *c);
    enum rc rc = c ? graph_room(g, d * most, e) : err_set(e, RC_FAIL, "no memory");
    for (uint32_t i = 0; !rc && i < d; i++) {
        for (uint32_t j = 0; j < d; j++)
            c[j] = (struct candidate){ fabs(mat_row(r, i)[j]), j };
        keep_largest(g, i, c, d, k, least);
    }
    free(c);
    return rc;
}

enum rc gears_graph_coexpression(const struct mat *cells, size_t k, double least,
                                 struct gears_graph *g, struct err *e)
{
    const size_t d = cells->d;
    struct mat x = { 0 }, r = { 0 };
    *g = (struct gears_graph){ 0 };
    enum rc rc = mat_alloc(&x, cells->n, d, e);
    if (!rc)
        rc = mat_alloc(&r, d, d, e);
    if (!rc) {
        memcpy(x.x, cells->x, x.n * d * sizeof *x.x);
        unit_columns(&x);
        mat_mul_tn(&x, &x, &r);
        rc = gears_graph_correlation(&r, k, least, g, e);
    }
    mat_release(&x);
    mat_release(&r);
    return rc;
}

struct ranked_edge {
    double weight;
    size_t at;
    uint32_t to;
};

static int by_target(const void *a, const void *b)
{
    const struct ranked_edge *x = a, *y = b;
    if (x->to != y->to)
        return x->to < y->to ? -1 : 1;
    if (x->weight < y->weight || x->weight > y->weight)
        return x->weight > y->weight ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

enum rc gears_graph_trim(struct gears_graph *g, size_t k, struct err *e)
{
    struct ranked_edge *all = malloc((g->n + 1) * sizeof *all);
    bool *keep = calloc(g->n + 1, sizeof *keep);
    enum rc rc = all && keep ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu edges", g->n);
    for (size_t i = 0; !rc && i < g->n; i++)
        all[i] = (struct ranked_edge){ g->weight[i], i, g->to[i] };
    if (!rc)
        qsort(all, g->n, sizeof *all, by_target);
    for (size_t i = 0, rank = 0; !rc && i < g->n; i++) {
        rank = i && all[i].to == all[i - 1].to ? rank + 1 : 0;
        keep[all[i].at] = rank < k + 1;
    }
    size_t n = 0;
    for (size_t i = 0; !rc && i < g->n; i++)
        if (keep[i]) {
            g->from[n] = g->from[i];
            g->to[n] = g->to[i];
            g->weight[n++] = g->weight[i];
        }
    if (!rc)
        g->n = n;
    free(all);
    free(keep);
    return rc;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A perturbation's genes, in the arena. */
struct target {
    const char *gene[2];
    int n;
};

static enum rc read_target(const char *name, struct target *t, struct arena *memory, struct err *e)
{
    const char *plus = strchr(name, '+');
    *t = (struct target){ 0 };
    if (!plus || plus == name || !plus[1] || strchr(plus + 1, '+'))
        return err_set(e, RC_INPUT, "perturbation '%s' is not 'A+ctrl', 'ctrl+A' or 'A+B'", name);
    for (int k = 0; k < 2; k++) {
        char *part = arena_text(memory, k ? plus + 1 : name);
        if (!part)
            return err_set(e, RC_FAIL, "no memory for the name of a gene");
        if (!k)
            part[plus - name] = '\0';
        if (strcmp(part, "ctrl") != 0)
            t->gene[t->n++] = part;
    }
    return t->n ? RC_OK : err_set(e, RC_INPUT, "'%s' perturbs nothing", name);
}

/* Draws floor(share n) of item[0..n) (sorted already); their names are in front then. */
static enum rc draw(const char **item, size_t n, uint32_t seed, double share, size_t *n_drawn,
                    struct arena *memory, struct err *e)
{
    struct mt19937 m;
    uint32_t *order = arena_get(memory, (n + 1) * sizeof *order);
    const char **copy = arena_get(memory, (n + 1) * sizeof *copy);
    if (!order || !copy)
        return err_set(e, RC_FAIL, "no memory for %zu names", n);
    mt19937_seed(&m, seed);
    mt19937_permutation(&m, order, n);
    memcpy(copy, item, n * sizeof *copy);
    for (size_t i = 0; i < n; i++)
        item[i] = copy[order[i]];
    *n_drawn = (size_t)((double)n * share);
    return RC_OK;
}

/* Doubles of seen genes: those that are not drawn for training are held out. */
static enum rc hold_out_seen2(const char *const *name, size_t n, const int *unseen, uint32_t seed,
                              double share, enum gears_class *class_of, struct arena *memory,
                              struct err *e)
{
    const char **both = arena_get(memory, (n + 1) * sizeof *both);
    size_t n_both = 0, n_train;
    struct map train;
    if (!both)
        return err_set(e, RC_FAIL, "no memory for %zu names", n);
    for (size_t i = 0; i < n; i++)
        if (unseen[i] == 0)
            both[n_both++] = name[i];
    qsort(both, n_both, sizeof *both, by_text);
    enum rc rc = draw(both, n_both, seed, share, &n_train, memory, e);
    if (rc)
        return rc;
    map_init(&train);
    for (size_t i = 0; !rc && i < n_train; i++)
        rc = map_add(&train, both[i], i, NULL, e);
    for (size_t i = 0; !rc && i < n; i++)
        if (unseen[i] == 0 && map_get(&train, name[i]) == MAP_NONE)
            class_of[i] = GEARS_COMBO_SEEN2;
    map_release(&train);
    return rc;
}

/* Distinct genes of all targets by bytes; returns how many. */
static size_t distinct(const struct target *t, size_t n, const char **gene)
{
    size_t all = 0, kept = 0;
    for (size_t i = 0; i < n; i++)
        for (int k = 0; k < t[i].n; k++)
            gene[all++] = t[i].gene[k];
    qsort(gene, all, sizeof *gene, by_text);
    for (size_t i = 0; i < all; i++)
        if (!kept || strcmp(gene[kept - 1], gene[i]) != 0)
            gene[kept++] = gene[i];
    return kept;
}

enum rc gears_split_round(const char *const *name, size_t n, uint32_t seed, double gene_share,
                          double combo_share, enum gears_class *class_of, const char **seen_gene,
                          size_t *n_seen, struct arena *memory, struct err *e)
{
    struct target *t = arena_get(memory, (n + 1) * sizeof *t);
    const char **gene = arena_get(memory, (2 * n + 1) * sizeof *gene);
    int *unseen = arena_get(memory, (n + 1) * sizeof *unseen); /* -1: a single */
    struct map seen;
    if (!t || !gene || !unseen)
        return err_set(e, RC_FAIL, "no memory for %zu perturbations", n);
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < n; i++)
        rc = read_target(name[i], &t[i], memory, e);
    if (rc)
        return rc;
    size_t drawn;
    const size_t n_genes = distinct(t, n, gene);
    rc = draw(gene, n_genes, seed, gene_share, &drawn, memory, e);
    if (rc)
        return rc;
    map_init(&seen);
    for (size_t i = 0; !rc && i < drawn; i++)
        rc = map_add(&seen, gene[i], i, NULL, e);
    for (size_t i = 0; !rc && i < n; i++) {
        int not_seen = 0;
        for (int k = 0; k < t[i].n; k++)
            not_seen += map_get(&seen, t[i].gene[k]) == MAP_NONE;
        class_of[i] = !not_seen       ? GEARS_SEEN
                      : t[i].n == 1   ? GEARS_UNSEEN_SINGLE
                      : not_seen == 1 ? GEARS_COMBO_SEEN1
                                      : GEARS_COMBO_SEEN0;
        unseen[i] = t[i].n == 1 ? -1 : not_seen;
    }
    map_release(&seen);
    for (size_t i = 0; seen_gene && i < drawn; i++)
        seen_gene[i] = gene[i];
    if (n_seen)
        *n_seen = drawn;
    return rc ? rc : hold_out_seen2(name, n, unseen, seed, combo_share, class_of, memory, e);
}

enum rc gears_split(const char *const *name, size_t n, uint32_t seed, enum part *part,
                    enum gears_class *class_of, struct err *e)
{
    struct arena memory;
    arena_init(&memory, 1 << 16);
    const char **left = arena_get(&memory, (n + 1) * sizeof *left);
    size_t *which = arena_get(&memory, (n + 1) * sizeof *which), n_left = 0;
    enum gears_class *again = arena_get(&memory, (n + 1) * sizeof *again);
    enum rc rc = left && which && again ? gears_split_round(name, n, seed, 0.75, 0.75, class_of,
                                                            NULL, NULL, &memory, e)
                                        : err_set(e, RC_FAIL, "no memory for %zu perturbations", n);
    for (size_t i = 0; !rc && i < n; i++) {
        part[i] = class_of[i] == GEARS_SEEN ? PART_TRAIN : PART_TEST;
        if (part[i] == PART_TRAIN) {
            left[n_left] = name[i];
            which[n_left++] = i;
        }
    }
    if (!rc)
        rc = gears_split_round(left, n_left, seed, 0.9, 0.9, again, NULL, NULL, &memory, e);
    for (size_t i = 0; !rc && i < n_left; i++)
        if (again[i] != GEARS_SEEN) {
            part[which[i]] = PART_VAL;
            class_of[which[i]] = again[i];
        }
    arena_release(&memory);
    return rc;
}
