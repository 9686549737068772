/* What the parts of parity-downstream share: tensors and tables of the folder, comparisons, and the
 * end with a sentence when the folder lacks something or a shape is wrong. Nothing here knows a
 * size: all of them come from the folder. */
#ifndef GC_TESTS_PARITY_DOWNSTREAM_H
#define GC_TESTS_PARITY_DOWNSTREAM_H

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/file.h"
#include "lib/base/map.h"
#include "lib/io/lines.h"
#include "lib/io/number.h"
#include "lib/io/weights.h"
#include "lib/nn/mat.h"
#include "tests/tap.h"

static struct arena folder_memory; /* of everything that is read; dropped at the end */

/* The folder cannot be used: one failed test that says why, and the end. */
__attribute__((format(printf, 1, 2), noreturn, unused)) static void refuse(const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    ok(false, "%s", text);
    exit(tap_end());
}

__attribute__((unused)) static void *room(size_t n, size_t bytes)
{
    if (n >= ((size_t)1 << 40) / bytes)
        refuse("the folder asks for %zu numbers", n);
    void *p = arena_get_zero(&folder_memory, (n + 1) * bytes);
    if (!p)
        refuse("no memory for %zu bytes", n * bytes);
    return p;
}

__attribute__((unused)) static char *path_in(const char *dir, const char *name)
{
    char *path = text_new("%s/%s", dir, name);
    char *kept = path ? arena_text(&folder_memory, path) : NULL;
    free(path);
    if (!kept)
        refuse("no memory for a path");
    return kept;
}

__attribute__((unused)) static json_t *json_of(const char *dir, const char *name)
{
    json_error_t error;
    json_t *j = json_load_file(path_in(dir, name), 0, &error);
    if (!j)
        refuse("%s: line %d: %s", name, error.line, error.text);
    return j;
}

/* A key that must be there and be a number, a list and so on. */
__attribute__((unused)) static double json_float(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);
    if (!json_is_number(v))
        refuse("key '%s' is missing or no number", key);
    return json_number_value(v);
}

__attribute__((unused)) static size_t json_count(const json_t *o, const char *key)
{
    const double v = json_float(o, key);
    if (!(v >= 0 && v <= 1e9) || v > floor(v))
        refuse("key '%s' is %g, not a count", key, v);
    return (size_t)v;
}

__attribute__((unused)) static json_t *json_part(const json_t *o, const char *key)
{
    json_t *v = json_object_get(o, key);
    if (!v)
        refuse("key '%s' is missing", key);
    return v;
}

__attribute__((unused)) static const char *json_words(const json_t *v, const char *what)
{
    if (!json_is_string(v))
        refuse("%s is no text", what);
    return json_string_value(v);
}

__attribute__((unused)) static struct table table_in(const char *dir, const char *name,
                                                     const char *columns)
{
    struct table t = { 0 };
    struct err e = { 0 };
    if (columns ? tsv_read_need(path_in(dir, name), columns, &t, &e)
                : tsv_read(path_in(dir, name), '\t', &t, &e))
        refuse("%s", e.text);
    return t;
}

__attribute__((unused)) static double number_at(const struct table *t, size_t col, size_t row)
{
    double v = 0;
    if (!number_parse(t->col[col].text[row], &v))
        refuse("column '%s', row %zu: '%s' is no number", t->col[col].name, row + 1,
               t->col[col].text[row]);
    return v;
}

/* Tensors of one file, and the largest errors of what was compared since the last sentence. */
struct golden {
    const char *file;
    struct weights w;
    double worst, bound;
    char where[128];
    size_t compared;
};

__attribute__((unused)) static void golden_open(struct golden *g, const char *dir, const char *file)
{
    struct err e = { 0 };
    *g = (struct golden){ .file = file };
    if (weights_open(&g->w, path_in(dir, file), &e))
        refuse("%s", e.text);
}

__attribute__((format(printf, 2, 3), unused)) static const struct st_tensor *
golden_find(const struct golden *g, const char *fmt, ...)
{
    char name[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(name, sizeof name, fmt, ap);
    va_end(ap);
    return st_find(&g->w.st, name);
}

__attribute__((unused)) static const struct st_tensor *golden_need(const struct golden *g,
                                                                   const char *name)
{
    const struct st_tensor *t = st_find(&g->w.st, name);
    if (!t)
        refuse("%s: tensor '%s' is missing", g->file, name);
    return t;
}

/* The size of a dimension, counted from 0. */
__attribute__((unused)) static size_t golden_dim(const struct golden *g, const char *name, int k)
{
    const struct st_tensor *t = golden_need(g, name);
    if (k >= t->n_dims)
        refuse("%s: tensor '%s' has %d dimensions", g->file, name, t->n_dims);
    return t->dim[k];
}

__attribute__((unused)) static double *golden_numbers(const struct golden *g, const char *name,
                                                      size_t n)
{
    const struct st_tensor *t = golden_need(g, name);
    struct err e = { 0 };
    if (t->n_items != n)
        refuse("%s: tensor '%s' has %zu numbers, not %zu", g->file, name, (size_t)t->n_items, n);
    double *x = room(n, sizeof *x);
    if (st_get_f64(t, x, &e))
        refuse("%s: tensor '%s': %s", g->file, name, e.text);
    return x;
}

/* The same of a matrix: its last dimension (ones left out) is cols. Higher dimensions in front are
 * rows; a vector is a vector either way. */
__attribute__((unused)) static double *golden_matrix(const struct golden *g, const char *name,
                                                     size_t rows, size_t cols)
{
    const struct st_tensor *t = golden_need(g, name);
    int k = t->n_dims;
    while (k > 0 && t->dim[k - 1] == 1)
        k--;
    if (rows > 1 && cols > 1 && (!k || t->dim[k - 1] != cols))
        refuse("%s: tensor '%s' is not %zu x %zu", g->file, name, rows, cols);
    return golden_numbers(g, name, rows * cols);
}

/* Whole numbers in [0, below), or -1 where allowed. */
__attribute__((unused)) static int64_t *golden_wholes(const struct golden *g, const char *name,
                                                      size_t n, int64_t least, size_t below)
{
    double *x = golden_numbers(g, name, n);
    int64_t *y = room(n, sizeof *y);
    for (size_t i = 0; i < n; i++) {
        if (!(x[i] >= (double)least && x[i] < (double)below))
            refuse("%s: tensor '%s': number %zu is %g, not in %lld..%zu", g->file, name, i, x[i],
                   (long long)least, below);
        y[i] = (int64_t)x[i];
    }
    return y;
}

__attribute__((unused)) static uint32_t *golden_indices(const struct golden *g, const char *name,
                                                        size_t n, size_t below)
{
    const int64_t *x = golden_wholes(g, name, n, 0, below);
    uint32_t *y = room(n, sizeof *y);
    for (size_t i = 0; i < n; i++)
        y[i] = (uint32_t)x[i];
    return y;
}

/* got against want, absolutely where the largest wanted value is at most 1 and else relative to it.
 * A NaN fails. */
__attribute__((unused)) static void compare_numbers(struct golden *g, const char *name,
                                                    const double *got, const double *want, size_t n)
{
    double scale = 1, off = 0;
    for (size_t i = 0; i < n; i++)
        scale = fabs(want[i]) > scale ? fabs(want[i]) : scale;
    for (size_t i = 0; i < n; i++) {
        const double d = fabs(got[i] - want[i]) / scale;
        if (!(d <= off))
            off = d;
        if (isnan(d))
            break;
    }
    g->compared++;
    if (!(off <= g->worst)) {
        g->worst = off;
        snprintf(g->where, sizeof g->where, "%s", name);
    }
    if (!(off <= g->bound))
        ok(false, "%s: off by %.3g, more than %.3g", name, off, g->bound);
}

/* The same relative to the largest entry of the tensor whatever it is (gradients), but not below
 * floor: a gradient that is zero in exact arithmetic is rounding of its neighbours' sizes. */
__attribute__((unused)) static void compare_gradient(struct golden *g, const char *name,
                                                     const double *got, const double *want,
                                                     size_t n, double floor_scale)
{
    double scale = floor_scale;
    for (size_t i = 0; i < n; i++)
        scale = fabs(want[i]) > scale ? fabs(want[i]) : scale;
    double *a = room(2 * n, sizeof *a);
    for (size_t i = 0; i < n; i++) {
        a[i] = scale > 0 ? got[i] / scale : got[i];
        a[n + i] = scale > 0 ? want[i] / scale : want[i];
    }
    compare_numbers(g, name, a, a + n, n);
}

__attribute__((unused)) static void compare_tensor(struct golden *g, const char *name,
                                                   const double *got, size_t n)
{
    compare_numbers(g, name, got, golden_numbers(g, name, n), n);
}

__attribute__((unused)) static void compare_begin(struct golden *g, double bound)
{
    g->bound = bound;
    g->worst = 0;
    g->where[0] = '\0';
    g->compared = 0;
}

__attribute__((format(printf, 2, 3), unused)) static void compare_end(struct golden *g,
                                                                      const char *fmt, ...)
{
    char what[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    ok(g->compared > 0 && g->worst <= g->bound,
       "%s: %zu compared, largest error %.2g (bound %.0e)%s%s", what, g->compared, g->worst,
       g->bound, g->where[0] ? " at " : "", g->where);
}

#endif
