/* gears_tiny, around the network: both graphs, the split, DE genes and the metrics of spec 05
 * section 11. */
#ifndef GC_TESTS_PARITY_DOWNSTREAM_GEARS_DATA_H
#define GC_TESTS_PARITY_DOWNSTREAM_GEARS_DATA_H

#include "lib/base/mt19937.h"
#include "lib/data/names.h"
#include "lib/nn/gears_data.h"
#include "lib/nn/metrics_change.h"
#include "lib/nn/metrics_stat.h"
#include "lib/nn/perturbation.h"
#include "tests/parity/downstream.h"

static struct names gears_names(const struct table *t, size_t from_column)
{
    struct names s;
    struct err e = { 0 };
    uint32_t number;
    names_init(&s);
    for (size_t j = from_column; j < t->n_cols; j++)
        if (names_add(&s, t->col[j].name, &number, &e))
            refuse("%s", e.text);
    return s;
}

/* Edges as a map "source>target" would need texts: a matrix is enough at this size. */
static void gears_compare_graph(const struct gears_graph *g, const struct names *gene,
                                const char *dir, const char *file)
{
    struct table t = table_in(dir, file, "source,target,importance");
    double *w = room(gene->n * gene->n, sizeof *w), worst = 0;
    size_t other = t.n_rows == g->n ? 0 : 1;
    for (size_t k = 0; k < g->n; k++)
        w[g->from[k] * gene->n + g->to[k]] = g->weight[k];
    for (size_t k = 0; k < t.n_rows; k++) {
        const uint64_t a = map_get(&gene->map, table_find(&t, "source")->text[k]),
                       b = map_get(&gene->map, table_find(&t, "target")->text[k]);
        if (a == MAP_NONE || b == MAP_NONE)
            refuse("%s: row %zu names an unknown gene", file, k + 1);
        const double off = fabs(w[a * gene->n + b] - number_at(&t, 2, k));
        worst = off <= worst ? worst : off;
    }
    ok(other == 0 && worst <= 1e-10, "%s: %zu edges, %zu expected, weights off by %.1e", file, g->n,
       t.n_rows, worst);
    table_release(&t);
}

enum { GEARS_MOST_K = 999 }; /* of the files NAME_edges_K*.tsv that are looked for */

static void gears_go(const char *dir)
{
    struct table t = table_in(dir, "go_terms.tsv", "gene,terms");
    struct names gene, term;
    struct err e = { 0 };
    names_init(&gene);
    names_init(&term);
    size_t *first = room(t.n_rows + 1, sizeof *first), n = 0, most = 0;
    for (size_t i = 0; i < t.n_rows; i++)
        most += strlen(table_find(&t, "terms")->text[i]) + 1;
    uint32_t *of = room(most, sizeof *of), number;
    for (size_t i = 0; i < t.n_rows; i++) {
        char *text = arena_text(&folder_memory, table_find(&t, "terms")->text[i]), *save = NULL;
        if (names_add(&gene, table_find(&t, "gene")->text[i], &number, &e))
            refuse("%s", e.text);
        for (char *w = strtok_r(text, ",", &save); w; w = strtok_r(NULL, ",", &save))
            if (names_add(&term, w, &of[n++], &e))
                refuse("%s", e.text);
        first[i + 1] = n;
    }
    for (size_t k = 1; k <= GEARS_MOST_K; k++) {
        struct gears_graph g;
        char file[64];
        snprintf(file, sizeof file, "go_edges_K%zu.tsv", k);
        if (!file_exists(path_in(dir, file)))
            continue;
        if (gears_graph_go(first, of, gene.n, term.n, k, 0.1, &g, &e))
            refuse("%s", e.text);
        gears_compare_graph(&g, &gene, dir, file);
        gears_graph_release(&g);
    }
    names_release(&gene);
    names_release(&term);
    table_release(&t);
}

static void gears_coexpression(const char *dir, const json_t *want)
{
    struct table t = table_in(dir, "coexpress_cells.tsv", "condition");
    struct names gene = gears_names(&t, 1);
    const json_t *train = json_part(want, "train_conditions");
    struct err e = { 0 };
    struct mat x = { 0, gene.n, room(t.n_rows * gene.n, sizeof(double)) };
    for (size_t i = 0; i < t.n_rows; i++) {
        bool in = false;
        for (size_t k = 0; k < json_array_size(train); k++)
            in = in ||
                 strcmp(t.col[0].text[i], json_words(json_array_get(train, k), "a condition")) == 0;
        if (!in || !strstr(t.col[0].text[i], "ctrl")) /* doubles are left out */
            continue;
        for (size_t j = 0; j < gene.n; j++)
            mat_row(&x, x.n)[j] = number_at(&t, j + 1, i);
        x.n++;
    }
    ok(x.n == json_count(want, "cells_used"), "co-expression over %zu cells", x.n);
    for (size_t k = 1; k <= GEARS_MOST_K; k++) {
        struct gears_graph g;
        char file[64];
        snprintf(file, sizeof file, "coexpress_edges_K%zu.tsv", k);
        if (!file_exists(path_in(dir, file)))
            continue;
        if (gears_graph_coexpression(&x, k, 0.4, &g, &e))
            refuse("%s", e.text);
        gears_compare_graph(&g, &gene, dir, file);
        gears_graph_release(&g);
    }
    names_release(&gene);
    table_release(&t);
}

static void gears_generator(const json_t *want)
{
    const char *key;
    json_t *list;
    struct mt19937 m;
    size_t n = 0, other = 0;
    json_object_foreach((json_t *)(uintptr_t)want, key, list)
    {
        unsigned seed, size;
        if (sscanf(key, "mt19937_seed%u", &seed) == 1) {
            mt19937_seed(&m, seed);
            for (size_t i = 0; i < json_array_size(list); i++, n++)
                other += mt19937_next(&m) != (uint32_t)json_integer_value(json_array_get(list, i));
        }
        const char *of;
        json_t *order;
        if (strcmp(key, "permutations") != 0)
            continue;
        json_object_foreach(list, of, order)
        {
            if (sscanf(of, "seed %u, n %u", &seed, &size) != 2 || size != json_array_size(order))
                refuse("permutation '%s'", of);
            uint32_t *item = room(size, sizeof *item);
            mt19937_seed(&m, seed);
            mt19937_permutation(&m, item, size);
            for (size_t i = 0; i < size; i++, n++)
                other += item[i] != (uint32_t)json_integer_value(json_array_get(order, i));
        }
    }
    ok(n && !other, "numpy's generator: %zu numbers, %zu differ", n, other);
}

/* Is the name in the list? */
static bool gears_listed(const json_t *list, const char *name)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (strcmp(json_words(json_array_get(list, i), "a name"), name) == 0)
            return true;
    return false;
}

static void gears_split_seed(const struct table *t, uint32_t seed, const json_t *want)
{
    static const char *const part[] = { "train", "val", "test" }, *const class[] = {
        "", "unseen_single", "combo_seen0", "combo_seen1", "combo_seen2"
    };
    const char *const *name = t->col[0].text;
    const size_t n = t->n_rows;
    enum part *p = room(n, sizeof *p);
    enum gears_class *c = room(n, sizeof *c), *round = room(n, sizeof *round);
    const char **seen = room(2 * n, sizeof *seen);
    size_t n_seen, other = 0, all = 0;
    struct err e = { 0 };
    if (gears_split(name, n, seed, p, c, &e) ||
        gears_split_round(name, n, seed, 0.75, 0.75, round, seen, &n_seen, &folder_memory, &e))
        refuse("%s", e.text);
    const json_t *order = json_part(want, "seen_genes_in_order_of_the_draw");
    bool same = json_array_size(order) == n_seen;
    for (size_t i = 0; same && i < n_seen; i++)
        same = strcmp(seen[i], json_words(json_array_get(order, i), "a gene")) == 0;
    for (size_t k = 0; k < 3; k++)
        all += json_array_size(json_part(want, part[k]));
    for (size_t i = 0; i < n; i++) {
        other += !gears_listed(json_part(want, part[p[i]]), name[i]);
        if (p[i] == PART_TRAIN)
            continue;
        const json_t *groups =
            json_part(want, p[i] == PART_TEST ? "test_subgroup" : "val_subgroup");
        other += !gears_listed(json_part(groups, class[c[i]]), name[i]);
    }
    /* ctrl joins train */
    ok(same && other == 0 && all == n + 1 && gears_listed(json_part(want, "train"), "ctrl"),
       "split of %zu perturbations with seed %u: seen genes, parts and classes, %zu differ", n,
       seed, other);
}

static void gears_splits(const char *dir)
{
    struct table t = table_in(dir, "split_perturbations.tsv", "perturbation");
    json_t *want = json_of(dir, "split_expected.json"), *one;
    const char *seed;
    gears_generator(want);
    json_object_foreach(json_part(want, "seeds"), seed, one)
    {
        gears_split_seed(&t, (uint32_t)strtoul(seed, NULL, 10), one);
    }
    json_decref(want);
    table_release(&t);
}

/* Cells, their conditions, the moments. */
struct gears_cells {
    struct table t;
    struct names gene, condition;
    struct condition_moments m;
    uint32_t control;
};

static void gears_read_cells(struct gears_cells *c, const char *dir, const char *control)
{
    struct err e = { 0 };
    c->t = table_in(dir, "de_cells.tsv.gz", "condition");
    c->gene = gears_names(&c->t, 1);
    names_init(&c->condition);
    struct mat x = { c->t.n_rows, c->gene.n, room(c->t.n_rows * c->gene.n, sizeof(double)) };
    uint32_t *of = room(x.n, sizeof *of);
    for (size_t i = 0; i < x.n; i++) {
        if (names_add(&c->condition, c->t.col[0].text[i], &of[i], &e))
            refuse("%s", e.text);
        for (size_t j = 0; j < x.d; j++)
            mat_row(&x, i)[j] = number_at(&c->t, j + 1, i);
    }
    if (map_get(&c->condition.map, control) == MAP_NONE)
        refuse("de_cells.tsv.gz has no cells of '%s'", control);
    c->control = (uint32_t)map_get(&c->condition.map, control);
    if (condition_moments_init(&x, of, c->condition.n, &c->m, &e))
        refuse("%s", e.text);
}

/* Full ranking: values to 1e-6; genes whose |t| is within 1e-5 of the one beside may change
 * places. */
static void gears_ranking(const struct gears_cells *c, size_t k, const struct table *w,
                          const uint32_t *ranked, const double *score)
{
    size_t n = 0, other = 0;
    double worst = 0;
    for (size_t i = 0; i < w->n_rows; i++) {
        if (strcmp(table_find(w, "condition")->text[i], c->condition.at[k]) != 0)
            continue;
        const double r = number_at(w, 1, i), t = number_at(w, 3, i);
        const uint64_t gene = map_get(&c->gene.map, table_find(w, "gene")->text[i]);
        if (gene == MAP_NONE || !(r >= 0 && r < (double)c->gene.n))
            refuse("de_ranking.tsv.gz: row %zu", i + 1);
        const double off = fabs(score[gene] - t) / (1 + fabs(t));
        worst = off <= worst ? worst : off;
        other += !(fabs(fabs(score[ranked[(size_t)r]]) - fabs(t)) <= 1e-5);
        n++;
    }
    ok(n == c->gene.n && other == 0 && worst <= 1e-6,
       "ranking of '%s': %zu genes, %zu out of place, t off by %.1e", c->condition.at[k], n, other,
       worst);
}

struct gears_scores {
    struct golden g;
    double sum[10];
    size_t n;
};

static const char *const gears_score_name[10] = { "spearman_delta",
                                                  "pearson_delta",
                                                  "mse_top20",
                                                  "wrong_direction_top20",
                                                  "deviation_top20",
                                                  "spearman_delta_top20",
                                                  "mse_top20_non_dropout",
                                                  "wrong_direction_top20_non_dropout",
                                                  "deviation_top20_non_dropout",
                                                  "spearman_delta_top20_non_dropout" };

static void gears_lists(const struct gears_cells *c, const json_t *want, const char *key,
                        const uint32_t *gene, size_t n)
{
    const json_t *list = json_part(want, key);
    bool same = json_array_size(list) == n;
    for (size_t i = 0; same && i < n; i++)
        same = strcmp(json_words(json_array_get(list, i), "a gene"), c->gene.at[gene[i]]) == 0;
    ok(same, "%zu genes of %s", n, key);
}

static void gears_condition_scores(const struct gears_cells *c, size_t k, const double *predicted,
                                   const uint32_t *ranked, const json_t *want,
                                   struct gears_scores *s)
{
    struct err e = { 0 };
    struct change_metrics all, top, kept;
    const size_t d = c->gene.n, n_top = d < 20 ? d : 20;
    const struct change change = { d, predicted, mat_row(&c->m.mean, k),
                                   mat_row(&c->m.mean, c->control) };
    uint32_t gene[20], non_zero[20];
    size_t n_non_zero = 0;
    const size_t n_kept = change_non_dropout(&change, ranked, d, 20, gene);
    for (size_t i = 0; i < d && n_non_zero < 20; i++)
        if (fabs(change.truth[ranked[i]]) > 0)
            non_zero[n_non_zero++] = ranked[i];
    gears_lists(c, want, "top20", ranked, n_top);
    gears_lists(c, want, "top20_non_dropout", gene, n_kept);
    gears_lists(c, want, "top20_non_zero", non_zero, n_non_zero);
    if (change_metrics_get(&change, NULL, 0, &all, &e) ||
        change_metrics_get(&change, ranked, n_top, &top, &e) ||
        change_metrics_get(&change, gene, n_kept, &kept, &e))
        refuse("%s", e.text);
    const double got[10] = { all.spearman,   all.pearson,  top.mse,  (double)top.wrong_direction,
                             top.deviation,  top.spearman, kept.mse, (double)kept.wrong_direction,
                             kept.deviation, kept.spearman };
    const json_t *spec = json_part(want, "spec_metrics"),
                 *release = json_part(want, "release_compute_metrics");
    for (int i = 0; i < 10; i++) {
        const double w = json_float(spec, gears_score_name[i]);
        compare_numbers(&s->g, gears_score_name[i], &got[i], &w, 1);
        s->sum[i] += got[i];
    }
    double p20[20], t20[20];
    for (size_t i = 0; i < n_top; i++) {
        p20[i] = predicted[ranked[i]];
        t20[i] = change.truth[ranked[i]];
    }
    const double plain[4] = { all.mse, pearson(predicted, change.truth, d).statistic, top.mse,
                              pearson(p20, t20, n_top).statistic };
    static const char *const key[4] = { "mse", "pearson", "mse_de", "pearson_de" };
    for (int i = 0; i < 4; i++) {
        const double w = json_float(release, key[i]);
        compare_numbers(&s->g, key[i], &plain[i], &w, 1);
    }
    s->n++;
}

static void gears_metrics(const char *dir, const json_t *want)
{
    struct gears_cells c;
    struct gears_scores s = { 0 };
    struct err e = { 0 };
    struct table ranking = table_in(dir, "de_ranking.tsv.gz", "condition,rank,gene,t"),
                 guess = table_in(dir, "predictions.tsv", "gene");
    gears_read_cells(&c, dir, json_words(json_part(want, "control"), "control"));
    const size_t d = c.gene.n;
    uint32_t *ranked = room(d, sizeof *ranked);
    double *score = room(d, sizeof *score), *predicted = room(d, sizeof *predicted);
    const json_t *conditions = json_part(want, "conditions");
    compare_begin(&s.g, 1e-9);
    for (size_t k = 0; k < c.condition.n; k++) {
        const json_t *one = json_object_get(conditions, c.condition.at[k]);
        const struct column *column = table_find(&guess, c.condition.at[k]);
        if (!one)
            continue;
        if (!column || guess.n_rows != d)
            refuse("predictions.tsv lacks '%s'", c.condition.at[k]);
        for (size_t i = 0; i < d; i++) {
            const uint64_t gene = map_get(&c.gene.map, guess.col[0].text[i]);
            if (gene == MAP_NONE || !number_parse(column->text[i], &predicted[gene]))
                refuse("predictions.tsv: row %zu", i + 1);
        }
        if (changed_genes(&c.m, k, c.control, ranked, score, &e))
            refuse("%s", e.text);
        gears_ranking(&c, k, &ranking, ranked, score);
        gears_condition_scores(&c, k, predicted, ranked, one, &s);
    }
    const json_t *mean = json_part(want, "mean_over_perturbations");
    for (int i = 0; s.n && i < 10; i++) {
        const double w = json_float(mean, gears_score_name[i]), got = s.sum[i] / (double)s.n;
        compare_numbers(&s.g, gears_score_name[i], &got, &w, 1);
    }
    compare_end(&s.g, "metrics of %zu perturbations", s.n);
    condition_moments_release(&c.m);
    names_release(&c.gene);
    names_release(&c.condition);
    table_release(&c.t);
    table_release(&ranking);
    table_release(&guess);
}

#endif
