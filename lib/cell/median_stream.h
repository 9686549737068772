/* Exact medians of the non-zero normalised counts of every gene, over more cells than fit in memory.
 *
 *   x = (count * 10000) / total, in that order in double; total: the cell's, over all mapped genes
 *   median: the middle x of a gene's non-zero ones, for an even number the mean of the two middle
 *
 * The caller streams all cells once; median_stream_next then says whether they must be streamed
 * again. One pass is enough while the values fit in the memory allowed. Otherwise the pass counts
 * values in bins (a positive double read as a whole number keeps its order, so a bin is a range of
 * bits), which tells the bin that each gene's middle values lie in; the next pass keeps only the
 * values of those bins, or, when even those are too many, counts them in finer bins. The result
 * is exact, whatever the memory: with m bytes and n genes a pass of counting narrows the ranges by
 * m / (16 n) or more, so 10^8 cells and 1 GiB take two passes, and the least memory allowed at most
 * fifteen. */
#ifndef GC_CELL_MEDIAN_STREAM_H
#define GC_CELL_MEDIAN_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

struct median_search; /* one range of values that is looked through for one gene */

struct median_stream {
    size_t n_genes, bytes;
    int pass; /* from 0 */
    uint64_t *n; /* [n_genes] non-zero values, owned as everything here */
    double *low, *high; /* [n_genes] the two middle values once found */
    struct median_search *search;
    size_t n_search;
    uint32_t *first_search; /* [n_genes + 1] */
    /* While values are kept: */
    bool gathering;
    uint64_t *key;
    uint32_t *key_search;
    size_t n_keys, room, max_keys;
    /* While values are counted: n_search rows of n_bins */
    uint64_t *bin;
    size_t n_bins;
};

/* bytes: memory for values and bins. RC_USAGE: less than 512 bytes a gene. */
enum rc median_stream_init(struct median_stream *s, size_t n_genes, size_t bytes, struct err *e);
void median_stream_release(struct median_stream *s);
/* One cell: n genes (each below n_genes, none twice) with counts above 0. RC_INPUT: a count above
 * the total, or a total of 2^53 and more, which a double cannot hold. */
enum rc median_stream_cell(struct median_stream *s, const uint32_t *gene, const uint32_t *count,
                           size_t n, uint64_t total, struct err *e);
/* Ends a pass. *again: stream all cells once more, in any order. RC_INPUT: this pass brought other
 * values than the first. */
enum rc median_stream_next(struct median_stream *s, bool *again, struct err *e);
/* When no pass is left: the median of a gene with s->n[gene] > 0. */
double median_stream_get(const struct median_stream *s, size_t gene);

#endif
