/* What the pickle and torch targets share: a walk over a tree that was read. */
#ifndef GC_TESTS_PICKLE_FUZZ_H
#define GC_TESTS_PICKLE_FUZZ_H

#include <stdlib.h>

#include "lib/io/pickle.h"

static volatile unsigned char fuzz_sink;

static void check_bytes(const char *text, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        fuzz_sink ^= (unsigned char)text[i];
}

static void check_array(const struct array *a)
{
    struct st_tensor t;
    struct err e = { 0 };
    void *copy;
    if (a->n_items > (1 << 16)) /* allowed, but no news in so many */
        return;
    if (array_tensor(a, &t, &copy, &e))
        return; /* memory */
    double *x = malloc((t.n_items + 1) * sizeof *x);
    if (x && st_get_f64(&t, x, &e))
        abort();
    free(x);
    free(copy);
}

static uint64_t walk(const struct pickle_value *v, int depth)
{
    uint64_t n = 1;
    if (depth > PICKLE_MAX_DEPTH + 2)
        abort();
    if (v->kind == PICKLE_ARRAY)
        check_array(v->array);
    else if (v->kind == PICKLE_TEXT || v->kind == PICKLE_BYTES || v->kind == PICKLE_LONG)
        check_bytes(v->text, v->n_bytes);
    else if (v->kind > PICKLE_ARRAY)
        abort(); /* only while reading */
    else if (v->kind >= PICKLE_LIST)
        for (size_t i = 0; i < v->list->n; i++)
            n += walk(&v->list->at[i], depth + 1);
    if (v->kind == PICKLE_DICT)
        for (size_t i = 0; i < v->list->n; i += 2)
            if (v->list->at[i].kind > PICKLE_TEXT || v->list->at[i].kind < PICKLE_INT)
                abort();
    return n;
}

static void check_tree(const struct pickle_value *root, size_t size)
{
    if (walk(root, 0) > PICKLE_SPREAD * ((uint64_t)size + 1))
        abort();
    (void)pickle_get(root, "a");
}

#endif
