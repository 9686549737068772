/* What the parts of parity-metrics share: tables of the folder, labels as numbers, comparisons with
 * keys of expected.json. A key that is asked for and not there fails. */
#ifndef GC_TESTS_PARITY_METRICS_H
#define GC_TESTS_PARITY_METRICS_H

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/io/lines.h"
#include "lib/nn/mat.h"
#include "tests/tap.h"

/* Equal to 1e-9 of the value, or absolutely where that is below 1: what the README promises. p
 * values down to 1e-200 are compared by their own tolerance. */
static void equals(const json_t *o, const char *what, const char *key, double got)
{
    const json_t *w = json_object_get(o, key);
    const double want = json_number_value(w);
    ok(json_is_number(w) && near(got, want, 1e-9, 1e-9), "%s %s: %.12g, expected %.12g", what, key,
       got, json_is_number(w) ? want : NAN);
}

static void dies(const char *why)
{
    printf("Bail out! %s\n", why);
    exit(4);
}

static void *room(size_t n, size_t bytes)
{
    void *p = calloc(n + 1, bytes);
    if (!p)
        dies("no memory");
    return p;
}

/* A table that expected.json asks for. */
static struct table table_of(const char *dir, const char *name)
{
    char *path = text_new("%s/%s", dir, name);
    struct table t = { 0 };
    struct err e = { 0 };
    if (!path || tsv_read(path, '\t', &t, &e))
        dies(e.text);
    free(path);
    return t;
}

static const char **texts(const struct table *t, const char *column)
{
    struct column *c = table_find(t, column);
    if (!c)
        dies(column);
    return c->text;
}

/* The caller frees. */
static double *numbers_of(const struct table *t, const char *column)
{
    const char **text = texts(t, column);
    double *x = room(t->n_rows, sizeof *x);
    for (size_t i = 0; i < t->n_rows; i++)
        x[i] = strtod(text[i], NULL);
    return x;
}

static uint32_t *indices_of(const struct table *t, const char *column)
{
    const char **text = texts(t, column);
    uint32_t *x = room(t->n_rows, sizeof *x);
    for (size_t i = 0; i < t->n_rows; i++)
        x[i] = (uint32_t)strtoul(text[i], NULL, 10);
    return x;
}

/* Distinct texts by rising bytes, and each item's number. */
struct factor {
    size_t n, n_levels;
    const char **level; /* owned; the texts are borrowed */
    uint32_t *of;
};

static int factor_order(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Levels of a and, when given, of b: one numbering for both. */
static struct factor factor_of(const char *const *a, const char *const *b, size_t n)
{
    struct factor f = { .n = n };
    f.level = room(2 * n, sizeof *f.level);
    f.of = room(n, sizeof *f.of);
    for (size_t i = 0; i < n; i++) {
        f.level[f.n_levels++] = a[i];
        if (b)
            f.level[f.n_levels++] = b[i];
    }
    qsort(f.level, f.n_levels, sizeof *f.level, factor_order);
    size_t kept = 0;
    for (size_t i = 0; i < f.n_levels; i++)
        if (!kept || strcmp(f.level[kept - 1], f.level[i]) != 0)
            f.level[kept++] = f.level[i];
    f.n_levels = kept;
    return f;
}

static uint32_t level_of(const struct factor *f, const char *text)
{
    const char **at = bsearch(&text, f->level, f->n_levels, sizeof *f->level, factor_order);
    return at ? (uint32_t)(at - f->level) : UINT32_MAX;
}

static void factor_number(const struct factor *f, const char *const *text, uint32_t *of)
{
    for (size_t i = 0; i < f->n; i++)
        of[i] = level_of(f, text[i]);
}

static struct factor factor_column(const struct table *t, const char *column)
{
    struct factor f = factor_of(texts(t, column), NULL, t->n_rows);
    factor_number(&f, texts(t, column), f.of);
    return f;
}

static void factor_release(struct factor *f)
{
    free(f->level);
    free(f->of);
    *f = (struct factor){ 0 };
}

#endif
