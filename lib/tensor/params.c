#include "lib/tensor/params.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"

enum {
    ALIGN_ITEMS = 16, /* every parameter starts on a cache line in float */
    PIECE = 1024      /* first weights at a time */
};

void params_init(struct params *p, const struct backend *b)
{
    *p = (struct params){ .b = b };
}

void params_release(struct params *p)
{
    free(p->item);
    void *const block[] = { p->x, p->g, p->m, p->v, p->low };
    for (size_t i = 0; i < sizeof block / sizeof *block; i++)
        backend_give(p->b, block[i]);
    *p = (struct params){ 0 };
}

enum rc params_add(struct params *p, const char *name, size_t rows, size_t cols, int n_dims,
                   bool decay, struct err *e)
{
    assert(!p->x && strlen(name) < sizeof p->item->name);
    struct param *more = realloc(p->item, (p->n + 1) * sizeof *more);
    if (!more)
        return err_set(e, RC_FAIL, "no memory for parameter '%s'", name);
    p->item = more;
    struct param *q = &p->item[p->n++];
    *q = (struct param){ .rows = rows, .cols = cols, .n_dims = n_dims, .begin = p->n_items,
                         .decay = decay };
    snprintf(q->name, sizeof q->name, "%s", name);
    p->n_items += (rows * cols + ALIGN_ITEMS - 1) / ALIGN_ITEMS * ALIGN_ITEMS;
    return RC_OK;
}

static void *block(const struct params *p)
{
    size_t bytes = (p->n_items * p->b->real_bytes + 63) / 64 * 64;
    void *x = backend_get(p->b, bytes ? bytes : 64);
    if (x)
        backend_zero(p->b, x, bytes);
    return x;
}

enum rc params_alloc(struct params *p, bool training, struct err *e)
{
    p->x = block(p);
    if (training) {
        p->g = block(p);
        p->m = block(p);
        p->v = block(p);
    }
    if (!p->x || (training && (!p->g || !p->m || !p->v)))
        return err_set(e, RC_FAIL, "no memory for %zu parameters", p->n_items);
    for (size_t i = 0; i < p->n; i++) {
        struct param *q = &p->item[i];
        const size_t at = q->begin * p->b->real_bytes;
        q->t = (struct tensor){ .rows = q->rows,
                                .cols = q->cols,
                                .ld = q->cols,
                                .x = (char *)p->x + at,
                                .g = p->g ? (char *)p->g + at : NULL };
    }
    return RC_OK;
}

enum rc params_keep_low(struct params *p, struct err *e)
{
    if (!p->b->round || p->low)
        return RC_OK;
    p->low = backend_get(p->b, p->n_items * sizeof(uint16_t));
    if (!p->low)
        return err_set(e, RC_FAIL, "no memory for %zu parameters in bf16", p->n_items);
    for (size_t i = 0; i < p->n; i++)
        if (p->item[i].cols % 8 == 0)
            p->item[i].t.low = (uint16_t *)p->low + p->item[i].begin;
    return RC_OK;
}

void params_round(const struct params *p)
{
    if (p->low)
        p->b->round(p->x, p->n_items, p->low);
}

struct param *params_find(const struct params *p, const char *name)
{
    for (size_t i = 0; i < p->n; i++)
        if (strcmp(p->item[i].name, name) == 0)
            return &p->item[i];
    return NULL;
}

size_t params_index(const struct params *p, const char *name)
{
    struct param *q = params_find(p, name);
    assert(q);
    return (size_t)(q - p->item);
}

static bool ends_with(const char *s, const char *tail)
{
    size_t n = strlen(s), m = strlen(tail);
    return n >= m && strcmp(s + n - m, tail) == 0;
}

static bool is_norm(const char *name)
{
    return strstr(name, "LayerNorm.") || strstr(name, "cat_ln.");
}

void params_randomise_one(struct params *p, size_t i, double sd, uint64_t seed)
{
    const struct param *q = &p->item[i];
    const uint64_t id = hash_text(q->name);
    const bool bias = ends_with(q->name, "bias"), norm = is_norm(q->name);
    float f[PIECE]; /* the same first weights for every backend */
    const size_t all = q->rows * q->cols;
    for (size_t at = 0, n; at < all; at += n) {
        n = all - at < PIECE ? all - at : PIECE;
        for (size_t k = 0; k < n; k++)
            f[k] = (float)(bias ? 0 : norm ? 1 : sd * rng_normal(seed, RNG_INIT, id, at + k));
        reals_from_f32(p->b, (char *)q->t.x + at * p->b->real_bytes, f, n);
    }
}

void params_randomise(struct params *p, double sd, uint64_t seed)
{
    for (size_t i = 0; i < p->n; i++)
        params_randomise_one(p, i, sd, seed);
}

void params_zero_gradients(struct params *p)
{
    backend_zero(p->b, p->g, p->n_items * p->b->real_bytes);
}
