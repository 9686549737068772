#include "lib/data/pairs.h"

#include <stdlib.h>
#include <string.h>

/* Indices of pairs are 32 bits wide in every consumer. */
#define PAIRS_MAX ((size_t)UINT32_MAX)

static enum rc room_for(struct pairs *p, size_t n, struct err *e)
{
    if (n > PAIRS_MAX - p->n)
        return err_set(e, RC_INPUT, "more than %zu pairs", PAIRS_MAX);
    if (p->n + n <= p->room)
        return RC_OK;
    size_t room = p->room ? p->room : 1024;
    while (room < p->n + n)
        room *= 2;
    struct pair *more = realloc(p->at, room * sizeof *more);
    if (!more)
        return err_set(e, RC_FAIL, "no memory for %zu pairs", room);
    p->at = more;
    p->room = room;
    return RC_OK;
}

enum rc pairs_add(struct pairs *p, uint32_t a, uint32_t b, struct err *e)
{
    if (a == b)
        return RC_OK;
    enum rc rc = room_for(p, 1, e);
    if (!rc)
        p->at[p->n++] = a < b ? (struct pair){ a, b } : (struct pair){ b, a };
    return rc;
}

enum rc pairs_append(struct pairs *p, const struct pairs *more, struct err *e)
{
    enum rc rc = room_for(p, more->n, e);
    if (rc || !more->n)
        return rc;
    memcpy(p->at + p->n, more->at, more->n * sizeof *more->at);
    p->n += more->n;
    return RC_OK;
}

static int compare(const void *x, const void *y)
{
    const struct pair *p = x, *q = y;
    if (p->a != q->a)
        return p->a < q->a ? -1 : 1;
    return (p->b > q->b) - (p->b < q->b);
}

void pairs_sort(struct pairs *p)
{
    if (p->n)
        qsort(p->at, p->n, sizeof *p->at, compare);
}

void pairs_distinct(struct pairs *p)
{
    pairs_sort(p);
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++)
        if (!n || compare(&p->at[n - 1], &p->at[i]) != 0)
            p->at[n++] = p->at[i];
    p->n = n;
}

void pairs_release(struct pairs *p)
{
    free(p->at);
    *p = (struct pairs){ 0 };
}

static int by_group(const void *x, const void *y)
{
    const struct member *p = x, *q = y;
    if (p->group != q->group)
        return p->group < q->group ? -1 : 1;
    return (p->item > q->item) - (p->item < q->item);
}

enum rc pairs_of_groups(struct pairs *p, struct member *m, size_t *n, struct err *e)
{
    size_t n_kept = 0;
    if (*n)
        qsort(m, *n, sizeof *m, by_group);
    for (size_t i = 0; i < *n; i++)
        if (!n_kept || by_group(&m[n_kept - 1], &m[i]) != 0)
            m[n_kept++] = m[i];
    *n = n_kept;
    enum rc rc = RC_OK;
    for (size_t i = 0; i < n_kept; i++)
        for (size_t j = i + 1; !rc && j < n_kept && m[j].group == m[i].group; j++)
            rc = pairs_add(p, m[i].item, m[j].item, e);
    return rc;
}
