/* The sum of n gradients in a fixed binary tree, whoever computed them.
 *
 * A node over leaves [a, a + n) is split behind the greatest power of two below n:
 *
 *            0..4                n = 5: ((0+1) + (2+3)) + 4
 *          /      \
 *        0..3      4             A node is joined by the owner of its first leaf, to whom the
 *       /    \                   owner of the right half sends it. With three ranks, which own
 *     0..1   2..3                leaves 0 1 | 2 3 | 4, rank 1 sends 2..3 to rank 0, then rank 2
 *                                sends 4; with one or two ranks the same additions are made
 *                                elsewhere, on the same numbers.
 *
 * Leaves come in rising order, and what makes a node is joined at once: a rank keeps at most
 * 2 log2(n) blocks, and for leaves of one rank that are 2^k only k. */
#ifndef GC_NN_GRAD_TREE_H
#define GC_NN_GRAD_TREE_H

#include "lib/nn/dist.h"
#include "lib/tensor/backend.h"

enum { GRAD_PARTS = 64 };

struct grad_part {
    size_t from, to; /* leaves: a node of the tree */
    void *x;         /* [n_items] */
};

struct grad_tree {
    const struct backend *b;
    struct dist *d;
    size_t n_items; /* reals of a gradient */
    void *g; /* the caller's, in the backend's memory: leaves come in it, the sum ends in it */
    size_t n, end;  /* leaves of this sum; end of those that this rank owns */
    struct grad_part part[GRAD_PARTS];
    void *spare[GRAD_PARTS]; /* blocks that no part uses */
    void *late[GRAD_PARTS];  /* to be added to the last leaf, newest first */
    int n_parts, n_spare, n_late;
    void *piece; /* of a block on its way here */
};

void grad_tree_init(struct grad_tree *t, const struct backend *b, struct dist *d, size_t n_items,
                    void *g);
void grad_tree_release(struct grad_tree *t);
/* A sum of n leaves; this rank pushes those that dist_first gives it, in rising order. */
void grad_tree_start(struct grad_tree *t, size_t n);
/* g holds leaf i, and may be filled with the next one after that; the last one of this rank stays
 * in it until finish. */
enum rc grad_tree_push(struct grad_tree *t, size_t i, struct err *e);
/* Instead of pushing the last leaf of this rank, before it is made in g: what is to be added to it
 * is noted, and grad_tree_join adds it to n items from `at` on, once they stand in g. */
void grad_tree_hold(struct grad_tree *t);
void grad_tree_join(struct grad_tree *t, size_t at, size_t n);
/* Size of the left half of a node over n leaves. */
size_t grad_tree_left(size_t n);
/* The sum of all leaves into g, on every rank. */
enum rc grad_tree_finish(struct grad_tree *t, struct err *e);

#endif
