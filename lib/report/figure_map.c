/* Scatter maps: figure 3 m is map m by species, 3 m + 1 the same by cell type, 3 m + 2 by sample.
 *
 * Colours belong to names: they are given out once, by falling number of cells in the first map
 * that is there, so that a cell type has one colour in all maps. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/map.h"
#include "lib/report/figures.h"
#include "lib/report/format.h"

/* More dots than this hide each other and make a heavy page. */
enum { MAX_DOTS = 4000, MAX_NAME = 20 };

struct group {
    const char *name; /* NULL: cells without a name, or with one that got no colour */
    size_t n;
};

struct groups {
    struct group g[N_COLOURS + 1]; /* the last one with a NULL name holds the rest */
    size_t n;
};

static int by_size(const void *a, const void *b)
{
    const struct group *x = a, *y = b;
    if (x->n != y->n)
        return x->n < y->n ? 1 : -1;
    return strcmp(x->name, y->name);
}

enum colour_by { BY_SPECIES, BY_TYPE, BY_SAMPLE, N_COLOUR_BY };

static const char *const *names_of(const struct map_facts *m, enum colour_by by)
{
    return by == BY_TYPE ? m->label : by == BY_SAMPLE ? m->sample : m->species;
}

/* The largest groups of the map, then the rest as one. False when memory is short. */
static bool find_groups(const struct map_facts *m, enum colour_by by, struct groups *out)
{
    struct map seen;
    struct group *g = calloc(m->n + 1, sizeof *g);
    const char *const *name = names_of(m, by);
    size_t n = 0, rest = 0;
    bool good = g != NULL;
    map_init(&seen);
    for (size_t i = 0; good && i < m->n; i++) {
        uint64_t at = MAP_NONE;
        if (!name[i]) {
            rest++;
            continue;
        }
        good = map_add(&seen, name[i], n, &at, NULL) == RC_OK;
        if (at == MAP_NONE)
            g[n++].name = name[i];
        g[at == MAP_NONE ? n - 1 : at].n++;
    }
    map_release(&seen);
    *out = (struct groups){ 0 };
    if (good && n)
        qsort(g, n, sizeof *g, by_size);
    for (size_t i = 0; good && i < n; i++) {
        if (i < N_COLOURS)
            out->g[out->n++] = g[i];
        else
            rest += g[i].n;
    }
    if (good && rest)
        out->g[out->n++] = (struct group){ NULL, rest };
    free(g);
    return good;
}

static size_t group_of(const struct groups *g, const char *name)
{
    for (size_t i = 0; i < g->n; i++)
        if (g->g[i].name && name && strcmp(g->g[i].name, name) == 0)
            return i;
    return g->n; /* the rest, wherever it is drawn */
}

static int by_key(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Cells with a key up to this one are drawn: a sample that does not depend on their order. */
static uint64_t key_limit(const struct map_facts *m)
{
    if (m->n <= MAX_DOTS)
        return UINT64_MAX;
    uint64_t *key = malloc(m->n * sizeof *key), limit = 0;
    if (!key)
        return limit;
    memcpy(key, m->key, m->n * sizeof *key);
    qsort(key, m->n, sizeof *key, by_key);
    limit = key[MAX_DOTS - 1];
    free(key);
    return limit;
}

/* Both axes by one scale, to 0..1000 with the middle in the middle. */
static void points(const struct map_facts *m, enum colour_by by, const struct groups *g,
                   struct figure *f)
{
    double x0 = m->x[0], x1 = x0, y0 = m->y[0], y1 = y0;
    for (size_t i = 0; i < m->n; i++) {
        x0 = fmin(x0, m->x[i]);
        x1 = fmax(x1, m->x[i]);
        y0 = fmin(y0, m->y[i]);
        y1 = fmax(y1, m->y[i]);
    }
    double span = fmax(x1 - x0, y1 - y0), scale = span > 0 ? 1000 / span : 0;
    uint64_t limit = key_limit(m);
    size_t n_drawn = 0;
    const char *const *name = names_of(m, by);
    figure_block(f, "points");
    for (size_t i = 0; i < m->n; i++) {
        if (m->key[i] > limit || n_drawn++ >= MAX_DOTS) /* ids may repeat */
            continue;
        size_t k = group_of(g, name[i]);
        figure_row(f, "%.0f\t%.0f\t%zu", 500 + scale * (m->x[i] - (x0 + x1) / 2),
                   500 + scale * (m->y[i] - (y0 + y1) / 2), k < g->n ? k : g->n - 1);
    }
    figure_block_end(f);
}

static const struct map_facts *first_map(const struct results *r)
{
    for (int i = 0; i < N_MAPS; i++)
        if (r->map[i].present)
            return &r->map[i];
    return NULL;
}

static void count_in(const struct map_facts *m, enum colour_by by, struct groups *g)
{
    const char *const *name = names_of(m, by);
    for (size_t i = 0; i < g->n; i++)
        g->g[i].n = 0;
    for (size_t i = 0; i < m->n; i++) {
        size_t k = group_of(g, name[i]);
        if (k == g->n && (!g->n || g->g[g->n - 1].name) && g->n <= N_COLOURS)
            g->g[g->n++] = (struct group){ NULL, 0 };
        g->g[k == g->n ? k - 1 : k].n++;
    }
}

static void key(const struct groups *g, struct figure *f, enum colour_by by)
{
    char word[N_COLOURS + 1][256], number[FORMAT_MAX];
    const char *words[N_COLOURS + 1], *colours[N_COLOURS + 1];
    size_t n = 0, longest = 0;
    for (size_t from = 0; from < g->n; from++) {
        struct markup name = { 0 };
        const char *s = g->g[from].name;
        /* Cut by characters here, so that the count behind it stays. */
        size_t bytes = 0, chars = 0;
        for (; s && s[bytes] && chars < MAX_NAME; chars++) {
            size_t len = utf8_length(s + bytes);
            bytes += len ? len : 1;
        }
        if (!s)
            markup_raw(&name, by == BY_SPECIES ? "not known" : "other or none");
        else
            markup_bytes(&name, s, bytes);
        if (s && s[bytes])
            markup_raw(&name, "…");
        snprintf(word[n], sizeof word[n], "%s (%s)", name.s ? name.s : "",
                 format_count(number, (double)g->g[from].n));
        markup_release(&name);
        longest = utf8_count(word[n]) > longest ? utf8_count(word[n]) : longest;
        words[n] = word[n];
        colours[n] = g->g[from].name ? figure_colour[from] : FIGURE_GREY;
        n++;
    }
    bool wide = n <= 3 || longest > 26;
    size_t rows = wide ? n : (n + 1) / 2;
    figure_number(f, "has_rest", g->n && !g->g[g->n - 1].name);
    figure_number(f, "key_wide", wide);
    figure_size(f, 360, 360 + 18 * (double)rows);
    figure_key(f, words, colours, n, 358);
}

static bool fill(const struct results *r, size_t which, struct figure *f)
{
    static const char *const suffix[] = { "species", "type", "sample" };
    static const char *const words[] = { "species", "cell type", "sample" };
    const struct map_facts *m = &r->map[which / N_COLOUR_BY], *first = first_map(r);
    const enum colour_by by = (enum colour_by)(which % N_COLOUR_BY);
    struct groups g;
    char name[64], title[128];
    if (!m->present || !first || !find_groups(first, by, &g))
        return false;
    count_in(m, by, &g);
    snprintf(name, sizeof name, "%s-%s", m->stage, suffix[by]);
    snprintf(title, sizeof title, "%s: map of the cells, coloured by %s", m->title,
             words[by]);
    figure_init(f, name, title);
    key(&g, f, by);
    points(m, by, &g, f);
    return true;
}

static size_t count(const struct results *r)
{
    (void)r;
    return N_COLOUR_BY * N_MAPS;
}

const struct figure_kind figure_map = { "map", count, fill };
