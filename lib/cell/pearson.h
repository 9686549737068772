/* Masked Pearson correlation of genes (spec 02 section 6): for genes x and y over the cells where
 * both are expressed, S = {i : count x_i >= 1 and y_i >= 1},
 *     r = (n Sxy - Sx Sy) / sqrt((n Sxx - Sx^2) (n Syy - Sy^2))
 * with n = |S| and the sums over S; undefined if n is below a least number or a variance is 0.
 *
 * With M = 1[x >= 1] these sums are the matrix products M'M, X'M, (X.X)'M and X'X. They are taken
 * as sparse products here: most counts are 0, and a dense product of 8,000 genes costs 20 times
 * more. */
#ifndef GC_CELL_PEARSON_H
#define GC_CELL_PEARSON_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/data/csr.h"
#include "lib/data/pairs.h"

enum pearson_scale {
    PEARSON_COUNTS,    /* sums of whole numbers: exact below 2^53 */
    PEARSON_LOG2CP10K, /* log2(1 + 10^4 count / total of the cell over all genes) */
};

enum { PEARSON_ALSO = 4 };

struct pearson_options {
    enum pearson_scale scale;
    uint32_t least_cells;      /* joint cells */
    double above;              /* pairs with r > above pass */
    double also[PEARSON_ALSO]; /* pairs above these are counted too: counts.also */
    size_t n_also;
    /* Each gene's values are dealt anew among its own expressing cells: what is left above the
     * threshold is chance. Keyed by seed, stream and gene. */
    int shuffled;
    uint64_t seed, stream;
    void (*progress)(void *ctx, size_t n_done); /* genes; may be NULL. Called by one thread */
    void *ctx;
};

struct pearson_counts {
    size_t genes;     /* expressed in least_cells cells or more */
    uint64_t defined; /* pairs with a correlation */
    uint64_t above;   /* of these, r > above */
    uint64_t also[PEARSON_ALSO];
};

/* What is known of one pair. */
struct pearson_entry {
    uint32_t n;
    double r; /* NaN: undefined */
};

struct pearson_options pearson_defaults(void);

/* All pairs of columns of c (cells x genes), in fixed tiles with memory that does not grow with the
 * number of pairs but for those that pass. passed: pairs of columns by rising column, added behind
 * what is there; may be NULL. */
enum rc pearson_pairs(const struct csr *c, const struct pearson_options *o, struct pairs *passed,
                      struct pearson_counts *counts, struct err *e);
/* The correlations of the columns x[0..n) with every other: entry[n, n_cols] (that of x itself
 * too).
 */
enum rc pearson_rows(const struct csr *c, const struct pearson_options *o, const uint32_t *x,
                     size_t n, struct pearson_entry *entry, struct err *e);

/* keep[n_rows]: at most n rows, uniformly drawn by (seed, id of the row); all when there are fewer.
 */
enum rc sample_rows(const uint64_t *id, size_t n_rows, size_t n, uint64_t seed, unsigned char *keep,
                    struct err *e);

#endif
