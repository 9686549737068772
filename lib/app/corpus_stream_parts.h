/* What corpus_stream.c and corpus_stream_rank.c share. */
#ifndef GC_APP_CORPUS_STREAM_PARTS_H
#define GC_APP_CORPUS_STREAM_PARTS_H

#include "lib/app/corpus_stream.h"

struct stream_tile {
    size_t first, n_rows; /* in the block */
    unsigned char *packed;
    size_t n_bytes, nnz, room;
};

struct stream_work {
    struct csr rows; /* of a tile: counts of genes with a token */
    size_t row_room, room;
    unsigned char *packed; /* a tile as it lies in the spool */
    size_t packed_room;
    uint64_t *sort;
    size_t sort_room;
    struct token_work token;
};

/* Room in w->rows; false: memory is short. */
bool stream_grow_rows(struct stream_work *w, size_t n_rows, size_t nnz);
void stream_ranked_release(struct stream_ranked *r);

#endif
