/* What a set of vectors says of its cells: whether cells of one name lie together. Measured on the
 * vectors themselves, not on a 2-d map of them. */
#ifndef GC_NN_NEIGHBOURHOOD_H
#define GC_NN_NEIGHBOURHOOD_H

#include "lib/data/names.h"
#include "lib/data/table.h"
#include "lib/nn/knn.h"

/* A text column of obs as numbers. */
struct naming {
    struct names names;
    uint32_t *of; /* [n] UINT32_MAX where the cell has no name; owned */
    size_t n, n_named;
};

/* A column that is not there, or holds no text, names no cell. On failure *s is empty. */
enum rc naming_init(struct naming *s, const struct table *obs, const char *column, struct err *e);
void naming_release(struct naming *s);

/* Of a cell's nearest cells that have a name, the share with the cell's own: mean over the named
 * cells that have a named neighbour; NaN without any. */
double naming_same_share(const struct naming *s, const struct knn *near);

/* Over the named cells: mean silhouette of the names, and how far groups [n] agree with them. */
struct naming_fit {
    double silhouette, ari, nmi;
};
enum rc naming_fit(const struct naming *s, const struct mat *x, const uint32_t *group,
                   size_t n_groups, struct naming_fit *out, struct err *e);

#endif
