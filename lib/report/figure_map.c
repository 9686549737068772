/* Scatter maps: figure 3 m is map m by species, 3 m + 1 the same by cell type, 3 m + 2 by sample.
 *
 * Colours belong to names: they are given out once, by falling number of cells in the first map
 * that is there, so that a cell type has one colour in all maps. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/map.h"
#include "lib/io/labels.h"
#include "lib/report/figures.h"
#include "lib/report/format.h"
#include "lib/report/map_number.h"

/* More dots than this hide each other and make a heavy page. More groups than colours share them: the
 * number of a group stands on the map as well as in the legend. */
enum { MAX_DOTS = 4000, MAX_NAME = 20, MAX_GROUPS = 3 * N_COLOURS, SIDE = 360, FILE_SIDE = 560, LEGEND_ROW = 18 };

struct group {
    const char *name; /* NULL: cells without a name, or with one that got no colour */
    size_t n;
};

struct groups {
    struct group g[MAX_GROUPS + 2]; /* then the unsure ones, then with a NULL name the rest */
    size_t n;
};

/* No type: grey, below the others, without a number. */
static bool is_unsure(const struct group *g)
{
    return g->name && strcmp(g->name, label_not_sure) == 0;
}

static int by_size(const void *a, const void *b)
{
    const struct group *x = a, *y = b;
    if (is_unsure(x) != is_unsure(y))
        return is_unsure(x) ? 1 : -1;
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
        if (i < MAX_GROUPS || is_unsure(&g[i]))
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
struct frame {
    double x, y, scale; /* the middle */
};

static struct frame frame_of(const struct map_facts *m)
{
    double x0 = m->x[0], x1 = x0, y0 = m->y[0], y1 = y0;
    for (size_t i = 0; i < m->n; i++) {
        x0 = fmin(x0, m->x[i]);
        x1 = fmax(x1, m->x[i]);
        y0 = fmin(y0, m->y[i]);
        y1 = fmax(y1, m->y[i]);
    }
    const double span = fmax(x1 - x0, y1 - y0);
    return (struct frame){ (x0 + x1) / 2, (y0 + y1) / 2, span > 0 ? 1000 / span : 0 };
}

static double across(const struct frame *f, double x)
{
    return 500 + f->scale * (x - f->x);
}

static double up(const struct frame *f, double y)
{
    return 500 + f->scale * (y - f->y);
}

static void points(const struct map_facts *m, enum colour_by by, const struct groups *g,
                   struct figure *f)
{
    const struct frame frame = frame_of(m);
    uint64_t limit = key_limit(m);
    size_t n_drawn = 0;
    const char *const *name = names_of(m, by);
    figure_block(f, "points");
    for (size_t i = 0; i < m->n; i++) {
        if (m->key[i] > limit || n_drawn++ >= MAX_DOTS) /* ids may repeat */
            continue;
        size_t k = group_of(g, name[i]);
        figure_row(f, "%.0f\t%.0f\t%zu", across(&frame, m->x[i]), up(&frame, m->y[i]),
                   k < g->n ? k : g->n - 1);
    }
    figure_block_end(f);
}

/* Numbers on the map, where colours alone would not tell the groups apart. */
static bool numbered(const struct groups *g, enum colour_by by)
{
    return by != BY_SPECIES && g->n > 2;
}

/* False when memory is short. */
static bool numbers(const struct map_facts *m, enum colour_by by, const struct groups *g,
                    double side, struct figure *f)
{
    const struct frame frame = frame_of(m);
    const char *const *name = names_of(m, by);
    double *x = malloc(m->n * sizeof *x), *y = malloc(m->n * sizeof *y);
    const bool good = x && y;
    const double r = 7.5 * 1040 / (side - 16); /* px to the axes of map.gp */
    double at[MAX_GROUPS][2];
    size_t group[MAX_GROUPS], n = 0, n_named = 0;
    char variable[32];
    for (size_t k = 0; good && numbered(g, by) && k < g->n; k++) {
        if (!g->g[k].name || is_unsure(&g->g[k]))
            continue;
        n_named++;
        if (!g->g[k].n) /* not on this map */
            continue;
        size_t n_cells = 0;
        for (size_t i = 0; i < m->n; i++)
            if (name[i] && strcmp(name[i], g->g[k].name) == 0) {
                x[n_cells] = across(&frame, m->x[i]);
                y[n_cells++] = up(&frame, m->y[i]);
            }
        const size_t i = map_number_cell(x, y, n_cells);
        at[n][0] = x[i];
        at[n][1] = y[i];
        group[n++] = n_named;
    }
    map_number_spread(at, n, r);
    for (size_t k = 0; k < n; k++) {
        snprintf(variable, sizeof variable, "number_x%zu", group[k]);
        figure_number(f, variable, round(at[k][0]));
        snprintf(variable, sizeof variable, "number_y%zu", group[k]);
        figure_number(f, variable, round(at[k][1]));
    }
    figure_number(f, "n_numbers", (double)n_named);
    figure_number(f, "number_radius", round(r));
    free(x);
    free(y);
    return good;
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
        if (k == g->n && (!g->n || g->g[g->n - 1].name) && g->n <= MAX_GROUPS + 1)
            g->g[g->n++] = (struct group){ NULL, 0 };
        g->g[k == g->n ? k - 1 : k].n++;
    }
}

static void key(const struct groups *g, struct figure *f, enum colour_by by, double side)
{
    char word[MAX_GROUPS + 2][256], number[FORMAT_MAX], place[16];
    const char *words[MAX_GROUPS + 2], *colours[MAX_GROUPS + 2];
    size_t n = 0, n_grey = 0, longest = 0;
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
        const bool grey = !s || is_unsure(&g->g[from]);
        snprintf(place, sizeof place, "%zu ", n + 1);
        snprintf(word[n], sizeof word[n], "%s%s (%s)", !grey && numbered(g, by) ? place : "",
                 name.s ? name.s : "", format_count(number, (double)g->g[from].n));
        markup_release(&name);
        longest = utf8_count(word[n]) > longest ? utf8_count(word[n]) : longest;
        words[n] = word[n];
        colours[n] = !grey ? figure_colour[from % N_COLOURS] : s || !n_grey ? FIGURE_GREY : "#cccccc";
        n_grey += grey;
        n++;
    }
    /* Letters of 12 px are about 6.5 wide; a square and its gap take 28. */
    const size_t fit = (size_t)(side / (28 + 6.5 * (double)longest)),
                 columns = n <= 3 || fit < 1 ? 1 : fit > 3 ? 3 : fit,
                 rows = (n + columns - 1) / columns;
    figure_number(f, "n_grey", (double)n_grey);
    figure_number(f, "key_columns_wanted", (double)columns);
    figure_size(f, side, side + LEGEND_ROW * (double)rows);
    figure_key(f, words, colours, n, side - 2);
}

/* px: few cells are large dots, many small ones; together they cover about as much of the map. */
static double dot_size(const struct map_facts *m, double side)
{
    const double n = (double)(m->n < MAX_DOTS ? m->n : MAX_DOTS);
    return fmin(fmax(0.17 * side / sqrt(n), 2.6), 7);
}

/* False, with nothing to release, when memory is short. */
static bool draw(const struct map_facts *m, enum colour_by by, const struct groups *g, double side,
                 struct figure *f)
{
    f->dot = dot_size(m, side);
    key(g, f, by, side);
    const bool good = numbers(m, by, g, side, f);
    if (good)
        points(m, by, g, f);
    else
        figure_release(f);
    return good;
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
    return draw(m, by, &g, SIDE, f);
}

bool map_fill(const struct map_facts *m, const char *name, const char *title, double side,
              struct figure *f)
{
    struct groups g;
    if (!m->n || !find_groups(m, BY_TYPE, &g))
        return false;
    figure_init(f, name, title);
    return draw(m, BY_TYPE, &g, side, f);
}

enum rc map_save(const struct map_facts *m, const char *templates, const char *title,
                 const char *path, struct err *e)
{
    struct figure f;
    struct markup svg = { 0 };
    enum rc rc = RC_OK;
    if (!map_fill(m, "map", title, FILE_SIDE, &f))
        rc = err_set(e, RC_FAIL, "no memory for a map of %zu cells", m->n);
    else {
        rc = figure_draw(&f, templates, "map", &svg, e);
        figure_release(&f);
    }
    if (!rc)
        rc = figure_save(&svg, path, e);
    markup_release(&svg);
    return rc;
}

static size_t count(const struct results *r)
{
    (void)r;
    return N_COLOUR_BY * N_MAPS;
}

const struct figure_kind figure_map = { "map", count, fill };
