/* The sum of gradients over ranks where the backend has memory of its own: the additions of
 * grad_tree.h, the same bits for any number of ranks, without a rank through which all must pass.
 *
 *   block of gradients   |  piece 2  |  piece 1  |  piece 0 (heads)  |      the backward pass ends
 * pieces from slices of a piece    |0 |1 |2 |3 |0 |1 |2 |3 | 0  | 1  | 2  | 3  |      the back:
 * each is sent at once
 *
 * Rank r owns slice r of every piece. When a piece stands, each rank sends each other one its nodes
 * of the tree, cut to the slice of that rank, which adds them as the tree says. Then owners send
 * the sums to all (2 (R - 1) / R of the block sent by each rank, as of a ring), or, where optimiser
 * states are shared out, keep them, make their part of the step, and send weights instead. All of
 * it is queued beside the backward pass (struct backend_ranks).
 *
 * Slices begin at multiples of OP_SUM_ITEMS, so that the norm is added in the order of one device,
 * too. */
#ifndef GC_NN_GRAD_SHARE_H
#define GC_NN_GRAD_SHARE_H

#include "lib/nn/grad_tree.h"

enum { SHARE_PIECES = 256 };

struct share_range {
    size_t from, to; /* items of the block */
};

struct grad_share {
    struct grad_tree *tree;
    bool keep;   /* slices stay with their owners */
    bool broken; /* no memory: nothing more is queued */
    size_t done; /* items [done, n_items) were queued */
    struct share_range piece[SHARE_PIECES];
    size_t n_pieces;
    struct share_node *node; /* [n_nodes] of this sum, in rising order: each is owned by one rank */
    size_t n_nodes, most_nodes;
    struct backend_transfer *send, *recv; /* room for most_transfers each */
    size_t n_send, n_recv, most_transfers;
    char *room; /* in the backend's memory: what came from others */
    size_t room_bytes;
};

void grad_share_init(struct grad_share *s, struct grad_tree *tree, bool keep);
void grad_share_release(struct grad_share *s);
/* Behind grad_tree_start; the last leaf of this rank is held (grad_tree_hold), where it has leaves.
 */
enum rc grad_share_start(struct grad_share *s, struct err *e);
/* Gradients from item `from` on stand, as far as this rank is concerned. Every rank calls it with
 * the same numbers, falling, and 0 in the end. */
void grad_share_from(struct grad_share *s, size_t from);
/* The first queue waits for all of it. RC_FAIL: memory. */
enum rc grad_share_finish(struct grad_share *s, struct err *e);

/* Slice of a rank in a piece; may be empty. */
struct share_range grad_share_slice(const struct grad_share *s, size_t piece, int rank);
/* Items of all slices of a rank, of a whole step. */
size_t grad_share_own(const struct grad_share *s, int rank);
/* All ranks get all slices of x, an array that has item_bytes for every `items` items of the block.
 */
void grad_share_spread(struct grad_share *s, void *x, size_t items, size_t item_bytes);
/* Rank 0 gets the whole of an array of reals, of which each rank has its slices one behind the
 * other. */
void grad_share_collect(struct grad_share *s, const void *own, void *whole);

/* Bytes that all ranks together send for the sum of n_leaves gradients: of gradients, and with keep
 * of weights and of the norm's parts. */
double grad_share_bytes(int n_ranks, size_t n_leaves, size_t n_items, size_t real_bytes, bool keep);

#endif
