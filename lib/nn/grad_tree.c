#include "lib/nn/grad_tree.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/arena.h"

enum { PIECE_ITEMS = 1 << 20 }; /* carried at a time; changes no sum */

void grad_tree_init(struct grad_tree *t, const struct backend *b, struct dist *d, size_t n_items,
                    void *g)
{
    *t = (struct grad_tree){ .b = b, .d = d, .n_items = n_items, .g = g };
}

static void *block_take(struct grad_tree *t)
{
    return t->n_spare ? t->spare[--t->n_spare] : backend_get(t->b, t->n_items * t->b->real_bytes);
}

/* g is the caller's and comes into no list. */
static void block_give(struct grad_tree *t, void *x)
{
    if (x == t->g)
        return;
    if (t->n_spare < GRAD_PARTS)
        t->spare[t->n_spare++] = x;
    else
        backend_give(t->b, x);
}

static void drop_part(struct grad_tree *t, int i)
{
    block_give(t, t->part[i].x);
    t->part[i] = t->part[--t->n_parts];
}

static void drop_all(struct grad_tree *t)
{
    while (t->n_parts)
        drop_part(t, t->n_parts - 1);
    while (t->n_late)
        block_give(t, t->late[--t->n_late]);
}

void grad_tree_release(struct grad_tree *t)
{
    drop_all(t);
    for (int i = 0; i < t->n_spare; i++)
        backend_give(t->b, t->spare[i]);
    free(t->piece);
    *t = (struct grad_tree){ 0 };
}

void grad_tree_start(struct grad_tree *t, size_t n)
{
    drop_all(t); /* of a sum that a failure ended */
    t->n = n;
    t->end = dist_first(t->d, n, t->d->rank + 1);
}

size_t grad_tree_left(size_t n)
{
    size_t half = 1;
    while (half * 2 < n)
        half *= 2;
    return half;
}

/* Whether leaves [from, to) are a node of the tree over n. */
static bool is_node(size_t n, size_t from, size_t to)
{
    size_t at = 0;
    while (n > 1 && !(from == at && to == at + n)) {
        const size_t left = grad_tree_left(n);
        if (to <= at + left) {
            n = left;
        } else if (from >= at + left) {
            at += left;
            n -= left;
        } else {
            return false;
        }
    }
    return from == at && to == at + n;
}

static void add(const struct grad_tree *t, const void *x, void *y, size_t n)
{
    t->b->axpy(&(struct op_axpy){ n, 1, x, y });
}

enum rc grad_tree_push(struct grad_tree *t, size_t i, struct err *e)
{
    size_t from = i;
    while (t->n_parts && t->part[t->n_parts - 1].to == from &&
           is_node(t->n, t->part[t->n_parts - 1].from, i + 1)) {
        const struct grad_part *p = &t->part[--t->n_parts];
        add(t, p->x, t->g, t->n_items);
        block_give(t, p->x);
        from = p->from;
    }
    void *x = i + 1 == t->end ? t->g : block_take(t);
    if (!x)
        return err_set(e, RC_FAIL, "no memory for gradients");
    if (x != t->g)
        backend_copy(t->b, x, t->g, t->n_items * t->b->real_bytes);
    assert(t->n_parts < GRAD_PARTS);
    t->part[t->n_parts++] = (struct grad_part){ from, i + 1, x };
    return RC_OK;
}

void grad_tree_hold(struct grad_tree *t)
{
    size_t from = t->end - 1;
    while (t->n_parts && t->part[t->n_parts - 1].to == from &&
           is_node(t->n, t->part[t->n_parts - 1].from, t->end)) {
        const struct grad_part *p = &t->part[--t->n_parts];
        t->late[t->n_late++] = p->x;
        from = p->from;
    }
    t->part[t->n_parts++] = (struct grad_part){ from, t->end, t->g };
}

void grad_tree_join(struct grad_tree *t, size_t at, size_t n)
{
    const size_t size = t->b->real_bytes;
    for (int i = 0; i < t->n_late; i++)
        add(t, (const char *)t->late[i] + at * size, (char *)t->g + at * size, n);
}

static int find_part(const struct grad_tree *t, size_t from, size_t to)
{
    for (int i = 0; i < t->n_parts; i++)
        if (t->part[i].from == from && t->part[i].to == to)
            return i;
    return -1;
}

/* Item by item, so that pieces change nothing. */
static enum rc add_from(struct grad_tree *t, int rank, void *y, struct err *e)
{
    const size_t size = t->b->real_bytes;
    if (!t->piece)
        t->piece = malloc(PIECE_ITEMS * size);
    if (!t->piece)
        return err_set(e, RC_FAIL, "no memory for gradients");
    enum rc rc = RC_OK;
    for (size_t at = 0; !rc && at < t->n_items; at += PIECE_ITEMS) {
        const size_t n = t->n_items - at < PIECE_ITEMS ? t->n_items - at : PIECE_ITEMS;
        rc = dist_recv(t->d, rank, t->piece, n * size, e);
        if (!rc)
            add(t, t->piece, (char *)y + at * size, n);
    }
    return rc;
}

static enum rc send_to(struct grad_tree *t, int rank, const void *x, struct err *e)
{
    const size_t size = t->b->real_bytes;
    enum rc rc = RC_OK;
    for (size_t at = 0; !rc && at < t->n_items; at += PIECE_ITEMS) {
        const size_t n = t->n_items - at < PIECE_ITEMS ? t->n_items - at : PIECE_ITEMS;
        rc = dist_send(t->d, rank, (const char *)x + at * size, n * size, e);
    }
    return rc;
}

/* Makes the node [from, from + n) at the owner of its first leaf. Every rank goes through the same
 * nodes in the same order, so that a send always meets its receive. */
static enum rc climb(struct grad_tree *t, size_t from, size_t n, struct err *e)
{
    struct dist *d = t->d;
    const int first = dist_owner(d, t->n, from), last = dist_owner(d, t->n, from + n - 1);
    if (first == last)
        return RC_OK; /* its owner has joined it already */
    const size_t left = grad_tree_left(n), mid = from + left;
    const int right = dist_owner(d, t->n, mid);
    enum rc rc = climb(t, from, left, e);
    if (!rc)
        rc = climb(t, mid, n - left, e);
    if (rc || (d->rank != first && d->rank != right))
        return rc;
    const int l = find_part(t, from, mid), r = find_part(t, mid, from + n);
    if (d->rank == first && first == right)
        add(t, t->part[r].x, t->part[l].x, t->n_items);
    else if (d->rank == first)
        rc = add_from(t, right, t->part[l].x, e);
    else
        rc = send_to(t, first, t->part[r].x, e);
    if (d->rank == first)
        t->part[l].to = from + n;
    if (r >= 0)
        drop_part(t, r);
    return rc;
}

enum rc grad_tree_finish(struct grad_tree *t, struct err *e)
{
    enum rc rc = climb(t, 0, t->n, e);
    const size_t bytes = t->n_items * t->b->real_bytes;
    const int root = rc ? -1 : find_part(t, 0, t->n);
    if (root >= 0 && t->part[root].x != t->g)
        backend_copy(t->b, t->g, t->part[root].x, bytes);
    drop_all(t);
    return rc ? rc : dist_bcast(t->d, t->g, bytes, e);
}
