#include "lib/nn/grad_share.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A node of the tree whose leaves have one owner, and which is part of no larger such node. */
struct share_node {
    int owner;
    size_t from, to;
    char *x; /* own: its block; of another rank: the slice that came */
};

void grad_share_init(struct grad_share *s, struct grad_tree *tree, bool keep)
{
    *s = (struct grad_share){ .tree = tree, .keep = keep };
}

void grad_share_release(struct grad_share *s)
{
    free(s->node);
    free(s->send);
    free(s->recv);
    if (s->tree)
        backend_give(s->tree->b, s->room);
    *s = (struct grad_share){ 0 };
}

static size_t up(size_t x)
{
    return (x + OP_SUM_ITEMS - 1) / OP_SUM_ITEMS * OP_SUM_ITEMS;
}

static struct share_range slice_of(const struct dist *d, struct share_range piece, int rank)
{
    const size_t n = (piece.to - piece.from + OP_SUM_ITEMS - 1) / OP_SUM_ITEMS;
    const size_t from = piece.from + dist_first(d, n, rank) * OP_SUM_ITEMS;
    const size_t to = piece.from + dist_first(d, n, rank + 1) * OP_SUM_ITEMS;
    return (struct share_range){ from < piece.to ? from : piece.to, to < piece.to ? to : piece.to };
}

struct share_range grad_share_slice(const struct grad_share *s, size_t piece, int rank)
{
    return slice_of(s->tree->d, s->piece[piece], rank);
}

size_t grad_share_own(const struct grad_share *s, int rank)
{
    size_t n = 0;
    for (size_t k = 0; k < s->n_pieces; k++) {
        const struct share_range r = grad_share_slice(s, k, rank);
        n += r.to - r.from;
    }
    return n;
}

static size_t count_nodes(const struct dist *d, size_t n, size_t from, size_t count)
{
    if (dist_owner(d, n, from) == dist_owner(d, n, from + count - 1))
        return 1;
    const size_t left = grad_tree_left(count);
    return count_nodes(d, n, from, left) + count_nodes(d, n, from + left, count - left);
}

static void list_nodes(struct grad_share *s, size_t from, size_t count)
{
    const struct dist *d = s->tree->d;
    const int owner = dist_owner(d, s->tree->n, from);
    if (owner == dist_owner(d, s->tree->n, from + count - 1)) {
        s->node[s->n_nodes++] = (struct share_node){ owner, from, from + count, NULL };
        return;
    }
    const size_t left = grad_tree_left(count);
    list_nodes(s, from, left);
    list_nodes(s, from + left, count - left);
}

/* Blocks of this rank's nodes are the parts that its tree holds. */
static void find_own(struct grad_share *s)
{
    const struct grad_tree *t = s->tree;
    int next = 0;
    for (size_t i = 0; i < s->n_nodes; i++) {
        struct share_node *k = &s->node[i];
        if (k->owner != t->d->rank)
            continue;
        assert(next < t->n_parts && t->part[next].from == k->from && t->part[next].to == k->to);
        k->x = t->part[next++].x;
    }
    assert(next == t->n_parts);
}

/* A sum needs room for each of its nodes at each rank; spreading for each piece at each rank. */
static enum rc grow(struct grad_share *s, size_t n_nodes, struct err *e)
{
    const size_t ranks = (size_t)s->tree->d->size;
    const size_t most = ranks * (n_nodes > SHARE_PIECES ? n_nodes : (size_t)SHARE_PIECES);
    if (n_nodes > s->most_nodes) {
        struct share_node *more = realloc(s->node, n_nodes * sizeof *more);
        s->node = more ? more : s->node;
        s->most_nodes = more ? n_nodes : s->most_nodes;
    }
    if (most > s->most_transfers) {
        struct backend_transfer *a = realloc(s->send, most * sizeof *a);
        s->send = a ? a : s->send;
        struct backend_transfer *b = realloc(s->recv, most * sizeof *b);
        s->recv = b ? b : s->recv;
        s->most_transfers = a && b ? most : s->most_transfers;
    }
    return n_nodes <= s->most_nodes && most <= s->most_transfers
               ? RC_OK
               : err_set(e, RC_FAIL, "no memory for gradients of %d ranks", s->tree->d->size);
}

enum rc grad_share_start(struct grad_share *s, struct err *e)
{
    const struct grad_tree *t = s->tree;
    s->done = t->n_items;
    s->n_pieces = s->n_nodes = 0;
    s->broken = false;
    const enum rc rc = grow(s, count_nodes(t->d, t->n, 0, t->n), e);
    if (rc)
        return rc;
    list_nodes(s, 0, t->n);
    find_own(s);
    return RC_OK;
}

static void add_transfer(struct backend_transfer *list, size_t *n, size_t most, int peer,
                         void *data, size_t n_bytes)
{
    assert(*n < most);
    if (n_bytes)
        list[(*n)++] = (struct backend_transfer){ peer, data, n_bytes };
}

static void send_to(struct grad_share *s, int peer, void *data, size_t n_bytes)
{
    add_transfer(s->send, &s->n_send, s->most_transfers, peer, data, n_bytes);
}

static void recv_from(struct grad_share *s, int peer, void *data, size_t n_bytes)
{
    add_transfer(s->recv, &s->n_recv, s->most_transfers, peer, data, n_bytes);
}

static void exchange(struct grad_share *s)
{
    s->tree->b->memory->ranks->exchange(s->send, s->n_send, s->recv, s->n_recv);
    s->n_send = s->n_recv = 0;
}

/* Room for what others send for a slice. A block that grows was read by all that was queued before:
 * giving it back waits. */
static bool make_room(struct grad_share *s, size_t n_bytes)
{
    if (n_bytes > s->room_bytes) {
        backend_give(s->tree->b, s->room);
        s->room = backend_get(s->tree->b, n_bytes);
        s->room_bytes = s->room ? n_bytes : 0;
    }
    return n_bytes <= s->room_bytes;
}

static bool trade_nodes(struct grad_share *s, struct share_range piece)
{
    const struct grad_tree *t = s->tree;
    const size_t size = t->b->real_bytes;
    const struct share_range mine = slice_of(t->d, piece, t->d->rank);
    const size_t bytes = (mine.to - mine.from) * size;
    if (!make_room(s, bytes * s->n_nodes))
        return false;
    char *room = s->room;
    for (size_t i = 0; i < s->n_nodes; i++) {
        struct share_node *k = &s->node[i];
        for (int r = 0; k->owner == t->d->rank && r < t->d->size; r++) {
            const struct share_range of = slice_of(t->d, piece, r);
            if (r != t->d->rank)
                send_to(s, r, k->x + of.from * size, (of.to - of.from) * size);
        }
        if (k->owner == t->d->rank)
            continue;
        k->x = room;
        room += bytes;
        recv_from(s, k->owner, k->x, bytes);
    }
    exchange(s);
    return true;
}

/* The sum of leaves [from, from + n), of which *next is the first node, in the block of that node.
 */
static char *climb(struct grad_share *s, struct share_range mine, size_t from, size_t n,
                   size_t *next)
{
    const struct grad_tree *t = s->tree;
    const struct share_node *k = &s->node[*next];
    if (k->from == from && k->to == from + n) {
        ++*next;
        return k->owner == t->d->rank ? k->x + mine.from * t->b->real_bytes : k->x;
    }
    const size_t left = grad_tree_left(n);
    char *x = climb(s, mine, from, left, next);
    const char *y = climb(s, mine, from + left, n - left, next);
    t->b->axpy(&(struct op_axpy){ mine.to - mine.from, 1, y, x });
    return x;
}

static void add_slice(struct grad_share *s, struct share_range mine)
{
    const struct grad_tree *t = s->tree;
    const size_t size = t->b->real_bytes;
    size_t next = 0;
    if (mine.from == mine.to)
        return;
    char *to = (char *)t->g + mine.from * size;
    const char *sum = climb(s, mine, 0, t->n, &next);
    if (sum != to)
        backend_copy(t->b, to, sum, (mine.to - mine.from) * size);
}

/* Slices of one piece of an array, from their owners to all. */
static void spread(struct grad_share *s, struct share_range piece, char *x, size_t items,
                   size_t item_bytes)
{
    const struct dist *d = s->tree->d;
    const struct share_range mine = slice_of(d, piece, d->rank);
    const size_t n = (mine.to + items - 1) / items - mine.from / items;
    for (int r = 0; r < d->size; r++) {
        const struct share_range of = slice_of(d, piece, r);
        const size_t m = of.from == of.to ? 0 : (of.to + items - 1) / items - of.from / items;
        if (r == d->rank)
            continue;
        if (mine.from < mine.to)
            send_to(s, r, x + mine.from / items * item_bytes, n * item_bytes);
        recv_from(s, r, x + of.from / items * item_bytes, m * item_bytes);
    }
}

void grad_share_from(struct grad_share *s, size_t from)
{
    const struct grad_tree *t = s->tree;
    const struct backend_ranks *ranks = t->b->memory->ranks;
    const struct share_range piece = { up(from), s->done };
    if (s->broken || piece.from >= piece.to)
        return;
    assert(s->n_pieces < SHARE_PIECES);
    s->piece[s->n_pieces++] = piece;
    s->done = piece.from;
    ranks->beside();
    grad_tree_join(s->tree, piece.from, piece.to - piece.from);
    s->broken = !trade_nodes(s, piece);
    if (!s->broken)
        add_slice(s, slice_of(t->d, piece, t->d->rank));
    if (!s->broken && !s->keep) {
        spread(s, piece, t->g, 1, t->b->real_bytes);
        exchange(s);
    }
    ranks->back();
}

enum rc grad_share_finish(struct grad_share *s, struct err *e)
{
    assert(s->broken || s->done == 0);
    s->tree->b->memory->ranks->meet();
    return s->broken ? err_set(e, RC_FAIL, "no memory for gradients of other ranks") : RC_OK;
}

void grad_share_spread(struct grad_share *s, void *x, size_t items, size_t item_bytes)
{
    for (size_t k = 0; k < s->n_pieces; k++)
        spread(s, s->piece[k], x, items, item_bytes);
    exchange(s);
}

void grad_share_collect(struct grad_share *s, const void *own, void *whole)
{
    const struct dist *d = s->tree->d;
    const size_t size = s->tree->b->real_bytes;
    size_t at = 0;
    for (size_t k = 0; k < s->n_pieces; k++)
        for (int r = 0; r < d->size; r++) {
            const struct share_range of = grad_share_slice(s, k, r);
            const size_t bytes = (of.to - of.from) * size;
            char *to = whole ? (char *)whole + of.from * size : NULL;
            if (r == d->rank) {
                char *from = (char *)own + at * size;
                if (d->rank == 0)
                    backend_copy(s->tree->b, to, from, bytes);
                else
                    send_to(s, 0, from, bytes);
                at += of.to - of.from;
            } else if (d->rank == 0) {
                recv_from(s, r, to, bytes);
            }
        }
    exchange(s);
}

double grad_share_bytes(int n_ranks, size_t n_leaves, size_t n_items, size_t real_bytes, bool keep)
{
    const struct dist d = { .size = n_ranks };
    const double others = n_ranks - 1, block = (double)n_items * (double)real_bytes;
    const double parts = (double)((n_items + OP_SUM_ITEMS - 1) / OP_SUM_ITEMS) * sizeof(double);
    if (n_ranks == 1)
        return 0;
    /* Every node goes to the owners of all slices but its own rank's: the ranks' shares of slices,
     * which differ by a block at most, are equal on average. */
    const double nodes = (double)count_nodes(&d, n_leaves, 0, n_leaves);
    return nodes * block * others / n_ranks + others * block + (keep ? others * parts : 0);
}
