/* The cells of one file to vectors, in memory that does not grow with the counts.
 *
 *   a thread of its own: blocks of the file -> tokens -> batches that wait   (token_reader.h)
 *   the caller's thread: the next batch -> encoder -> vectors -> take
 * Which cells make a batch depends on their tokens only, so the calls of take, and the sums of gene
 * vectors, are the same with and without the thread (--threads 1 has none). The first batch is
 * small: its vectors are there at once. */
#ifndef GC_APP_EMBED_STREAM_H
#define GC_APP_EMBED_STREAM_H

#include "lib/app/cell_input.h"
#include "lib/app/embedder.h"

/* The vectors x [n,D] of the next n cells, in their order; zeros for cells without a known gene.
 * HDF5 may be used inside: the reading thread keeps out of it meanwhile. */
typedef enum rc embed_stream_take(void *ctx, const float *x, size_t n, struct err *e);

/* All cells of *in, which was just opened. RC_INPUT before the first cell is read: fewer than `least`
 * of its genes are in the vocabulary. */
enum rc embed_stream(struct embedder *m, struct cell_blocks *in, double least,
                     embed_stream_take *take, void *ctx, struct embed_report *rep, struct err *e);

#endif
