/* Figure 3a: a score against the size of the corpus, a panel per depth, a line per species and kind
 * of knowledge; simple methods and random weights as level lines.
 *
 * Sizes stand at equal distances in their order. Lines of one size are set apart a little, so that
 * their intervals can be told. The axis has the tenths that hold every mean, interval and level:
 * six lines within 0.2 cannot be told apart on an axis from 0 to 1. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/report/figures.h"
#include "lib/report/format.h"

enum { MAX_NUMBERS = 16, MAX_SERIES = 6, MAX_LEVELS = 4, WORD = 24, TOP = 40, PLOT = 400 };

/* SIZE-SPECIES-KINDS-LAYERS+logistic */
struct model_name {
    size_t size, layers;
    char species[WORD], kinds[WORD];
};

static bool parse(const char *method, struct model_name *m)
{
    int end = 0;
    return sscanf(method, "%9zu-%23[a-z]-%23[a-z]-%9zu+logistic%n", &m->size, m->species, m->kinds,
                  &m->layers, &end) == 4 &&
           end > 0 && !method[end];
}

struct plot {
    const struct score *of; /* any of its scores: data set and metric */
    size_t size[MAX_NUMBERS], n_sizes, layers[MAX_NUMBERS], n_layers;
    struct model_name series[MAX_SERIES]; /* species and kinds alone */
    size_t n_series;
    double low, high; /* of all that is drawn; low > high: nothing so far */
};

static void stretch(struct plot *p, double x)
{
    p->low = x < p->low ? x : p->low;
    p->high = x > p->high ? x : p->high;
}

static void add_number(size_t *list, size_t *n, size_t x)
{
    size_t at = 0;
    while (at < *n && list[at] < x)
        at++;
    if ((at < *n && list[at] == x) || *n == MAX_NUMBERS)
        return;
    memmove(list + at + 1, list + at, (*n - at) * sizeof *list);
    list[at] = x;
    (*n)++;
}

static size_t place_of(const size_t *list, size_t n, size_t x)
{
    size_t at = 0;
    while (at < n && list[at] != x)
        at++;
    return at;
}

static bool same_series(const struct model_name *a, const struct model_name *b)
{
    return strcmp(a->species, b->species) == 0 && strcmp(a->kinds, b->kinds) == 0;
}

/* By species, then with knowledge before without: the order of the names does it. */
static int by_series(const void *a, const void *b)
{
    const struct model_name *x = a, *y = b;
    const int d = strcmp(x->species, y->species);
    return d ? d : strcmp(x->kinds, y->kinds);
}

static bool same_plot(const struct score *a, const struct score *b)
{
    return strcmp(a->dataset, b->dataset) == 0 && strcmp(a->metric, b->metric) == 0 &&
           strcmp(a->split, b->split) == 0 && strcmp(a->variant, b->variant) == 0;
}

static bool drawn_metric(const struct score *s)
{
    return strcmp(s->split, "test") == 0 && strcmp(s->variant, "clean") == 0 &&
           (strcmp(s->metric, "macro_f1") == 0 || strcmp(s->metric, "accuracy") == 0);
}

/* The plot number `which`, or their number when it is past the end. */
static size_t find_plot(const struct results *r, size_t which, const struct score **of)
{
    size_t n = 0;
    const struct score *last = NULL;
    *of = NULL;
    for (size_t i = 0; i < r->scores.n; i++) {
        const struct score *s = &r->scores.s[i];
        struct model_name m;
        if (!drawn_metric(s) || !parse(s->method, &m) || (last && same_plot(last, s)))
            continue;
        last = s;
        if (n++ == which)
            *of = s;
    }
    return n;
}

size_t scaling_count(const struct results *r)
{
    const struct score *of;
    return find_plot(r, SIZE_MAX, &of);
}

static void lay_out(const struct results *r, struct plot *p)
{
    for (size_t i = 0; i < r->scores.n; i++) {
        struct model_name m;
        if (!same_plot(p->of, &r->scores.s[i]) || !parse(r->scores.s[i].method, &m))
            continue;
        add_number(p->layers, &p->n_layers, m.layers);
        if (!m.size)
            continue;
        add_number(p->size, &p->n_sizes, m.size);
        size_t k = 0;
        while (k < p->n_series && !same_series(&p->series[k], &m))
            k++;
        if (k == p->n_series && k < MAX_SERIES)
            p->series[p->n_series++] = m;
    }
    if (p->n_series)
        qsort(p->series, p->n_series, sizeof *p->series, by_series);
}

static double panel_at(const struct plot *p, size_t panel)
{
    return (double)panel * ((double)p->n_sizes + 0.4);
}

/* A line's points, panel by panel; an empty row breaks the line. */
static void points(const struct results *r, struct plot *p, struct figure *f)
{
    figure_block(f, "points");
    for (size_t k = 0; k < p->n_series; k++)
        for (size_t l = 0; l < p->n_layers; l++) {
            for (size_t z = 0; z < p->n_sizes; z++)
                for (size_t i = 0; i < r->scores.n; i++) {
                    const struct score *s = &r->scores.s[i];
                    struct model_name m;
                    if (!same_plot(p->of, s) || !parse(s->method, &m) || m.size != p->size[z] ||
                        m.layers != p->layers[l] || !same_series(&m, &p->series[k]))
                        continue;
                    const double x = panel_at(p, l) + (double)z +
                                     0.08 * ((double)k - ((double)p->n_series - 1) / 2);
                    const double lo = isnan(s->lo) ? s->mean : s->lo;
                    const double hi = isnan(s->hi) ? s->mean : s->hi;
                    figure_row(f, "%.6g\t%.9g\t%.9g\t%.9g\t%zu", x, s->mean, lo, hi, k + 1);
                    stretch(p, lo);
                    stretch(p, hi);
                }
            figure_row(f, "%s", "");
        }
    figure_block_end(f);
}

struct level {
    const char *method, *words, *colour;
};
static const struct level levels[MAX_LEVELS] = {
    { "hvg+logistic", "variable genes + logistic", "#000000" },
    { "pca+knn", "variable genes, PCA + neighbours", "#CC79A7" },
    { "majority", "most frequent label", FIGURE_GREY },
    { "", "the same shape, random weights", "#E69F00" },
};

/* x from, x to, height, which: random weights in the panel of their depth, the rest in all. */
static void level_lines(const struct results *r, struct plot *p, struct figure *f)
{
    figure_block(f, "levels");
    for (size_t i = 0; i < r->scores.n; i++) {
        const struct score *s = &r->scores.s[i];
        struct model_name m;
        size_t k = MAX_LEVELS;
        if (!same_plot(p->of, s))
            continue;
        for (size_t j = 0; j + 1 < MAX_LEVELS; j++)
            if (strcmp(levels[j].method, s->method) == 0)
                k = j;
        const bool random = parse(s->method, &m) && !m.size;
        for (size_t l = 0; l < p->n_layers; l++)
            if (k < MAX_LEVELS || (random && l == place_of(p->layers, p->n_layers, m.layers))) {
                stretch(p, s->mean);
                figure_row(f, "%.6g\t%.6g\t%.9g\t%zu", panel_at(p, l) - 0.5,
                           panel_at(p, l) + (double)p->n_sizes - 0.5, s->mean,
                           random ? (size_t)MAX_LEVELS : k + 1);
            }
    }
    figure_block_end(f);
}

/* Tenths around everything, within what a score can be. */
static void height(const struct plot *p, struct figure *f)
{
    const double low = floor(p->low * 10 + 1e-9) / 10, high = ceil(p->high * 10 - 1e-9) / 10;
    figure_number(f, "y_min", low > 0 ? low : 0);
    figure_number(f, "y_max", high < 1 ? high : 1);
}

static void axes(const struct plot *p, struct figure *f)
{
    char text[MAX_NUMBERS][WORD], depth[MAX_NUMBERS][WORD], number[FORMAT_MAX];
    const char *words[MAX_NUMBERS], *depths[MAX_NUMBERS];
    for (size_t i = 0; i < p->n_sizes; i++) {
        snprintf(text[i], WORD, "%s", format_count(number, (double)p->size[i]));
        words[i] = text[i];
    }
    for (size_t i = 0; i < p->n_layers; i++) {
        snprintf(depth[i], WORD, p->layers[i] == 1 ? "%zu layer" : "%zu layers", p->layers[i]);
        depths[i] = depth[i];
    }
    figure_number(f, "n_sizes", (double)p->n_sizes);
    figure_number(f, "n_panels", (double)p->n_layers);
    figure_words(f, "sizes", words, p->n_sizes);
    figure_words(f, "panels", depths, p->n_layers);
}

static double legend(const struct plot *p, struct figure *f)
{
    static const char *const known[] = { "both", "human", "mouse" };
    static const char *const colour[] = { "#009E73", "#0072B2", "#D55E00" };
    char text[MAX_SERIES][2 * WORD + 24];
    const char *words[MAX_SERIES + MAX_LEVELS], *colours[MAX_SERIES + MAX_LEVELS];
    size_t n = 0;
    markup_raw(&f->script, "array dash[16]\n");
    for (; n < p->n_series; n++) {
        const struct model_name *m = &p->series[n];
        const bool plain = strcmp(m->kinds, "none") == 0;
        size_t c = 0;
        while (c < 2 && strcmp(known[c], m->species) != 0)
            c++;
        snprintf(text[n], sizeof text[n], "%s, %s knowledge",
                 strcmp(m->species, "both") == 0 ? "human and mouse" : m->species,
                 plain ? "without" : "with");
        words[n] = text[n];
        colours[n] = colour[c];
        markup_fmt(&f->script, "dash[%zu] = %d\n", n + 1, plain ? 2 : 1);
    }
    for (size_t i = 0; i < MAX_LEVELS; i++, n++) {
        words[n] = levels[i].words;
        colours[n] = levels[i].colour;
        markup_fmt(&f->script, "dash[%zu] = 3\n", n + 1);
    }
    const double top = TOP + PLOT + 56;
    figure_number(f, "n_series", (double)p->n_series);
    figure_key(f, words, colours, n, top);
    return top + 18 * (double)((n + 1) / 2) + 8;
}

bool scaling_fill(const struct results *r, size_t which, const char *name, struct figure *f,
                  double *notes_top)
{
    struct plot p = { .low = 1, .high = 0 };
    char title[256];
    if (which >= find_plot(r, which, &p.of) || !p.of)
        return false;
    lay_out(r, &p);
    if (!p.n_sizes)
        return false;
    snprintf(title, sizeof title, "%.60s of cell types in %.100s, by the size of the corpus",
             strcmp(p.of->metric, "macro_f1") == 0 ? "macro-F1" : p.of->metric, p.of->dataset);
    figure_init(f, name, title);
    const char *const heading[] = { f->title, "cells of the corpus" };
    axes(&p, f);
    points(r, &p, f);
    level_lines(r, &p, f);
    height(&p, f);
    figure_words(f, "heading", heading, 2);
    figure_number(f, "plot_top", TOP);
    figure_number(f, "plot_bottom", TOP + PLOT);
    *notes_top = legend(&p, f);
    figure_size(f, 720, *notes_top);
    return true;
}
