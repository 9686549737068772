#include "lib/nn/split.h"

#include <stdlib.h>

#include "lib/base/rng.h"

const char *part_name(enum part p)
{
    return p == PART_TRAIN ? "train" : p == PART_VAL ? "val" : "test";
}

struct draw {
    uint32_t class_of;
    uint64_t number, id;
    size_t at;
};

static int draw_order(const void *a, const void *b)
{
    const struct draw *x = a, *y = b;
    if (x->class_of != y->class_of)
        return x->class_of < y->class_of ? -1 : 1;
    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    if (x->id != y->id)
        return x->id < y->id ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

/* Cells by class, within a class by their draw; the caller frees. NULL: no memory. */
static struct draw *draw_all(const uint32_t *class_of, const uint64_t *cell_id, size_t n,
                             uint64_t seed)
{
    struct draw *d = malloc((n + 1) * sizeof *d);
    for (size_t i = 0; d && i < n; i++)
        d[i] = (struct draw){ class_of[i], rng_u64(seed, RNG_SPLIT, cell_id[i], 0), cell_id[i], i };
    if (d)
        qsort(d, n, sizeof *d, draw_order);
    return d;
}

enum rc split_stratified(const uint32_t *class_of, const uint64_t *cell_id, size_t n,
                         size_t n_classes, uint64_t seed, enum part *part, struct err *e)
{
    struct draw *d = draw_all(class_of, cell_id, n, seed);
    if (!d)
        return err_set(e, RC_FAIL, "no memory to split %zu cells", n);
    size_t from = 0;
    for (uint32_t c = 0; c < n_classes; c++) {
        size_t to = from;
        while (to < n && d[to].class_of == c)
            to++;
        size_t fifth = (2 * (to - from) + 5) / 10; /* of n / 5, half up */
        for (size_t i = from; i < to; i++)
            part[d[i].at] = i - from < fifth       ? PART_TEST
                            : i - from < 2 * fifth ? PART_VAL
                                                   : PART_TRAIN;
        from = to;
    }
    free(d);
    return RC_OK;
}

enum rc split_held_out(const uint32_t *class_of, const uint64_t *cell_id, size_t n,
                       size_t n_classes, double share, uint64_t seed, unsigned char *held,
                       struct err *e)
{
    struct draw *d = draw_all(class_of, cell_id, n, seed);
    if (!d)
        return err_set(e, RC_FAIL, "no memory to split %zu cells", n);
    size_t from = 0, to;
    for (uint32_t c = 0; c < n_classes; c++, from = to) {
        for (to = from; to < n && d[to].class_of == c;)
            to++;
        const size_t m = to - from;
        size_t out = (size_t)((double)m * share + 0.5);
        out = out || m < 2 || share <= 0 ? out : 1;
        out = m && out >= m ? m - 1 : out;
        for (size_t i = from; i < to; i++)
            held[d[i].at] = i - from < out;
    }
    free(d);
    return RC_OK;
}

enum rc split_folds(const uint32_t *class_of, const uint64_t *cell_id, size_t n, size_t n_folds,
                    uint64_t seed, uint32_t *fold, struct err *e)
{
    struct draw *d = draw_all(class_of, cell_id, n, seed);
    if (!d)
        return err_set(e, RC_FAIL, "no memory to split %zu cells", n);
    for (size_t i = 0; i < n; i++)
        fold[d[i].at] = (uint32_t)(i % n_folds);
    free(d);
    return RC_OK;
}
