/* Cells as users hand them over: what import reads, or a file that one of our stages wrote. */
#ifndef GC_APP_CELL_INPUT_H
#define GC_APP_CELL_INPUT_H

#include "lib/data/cells.h"
#include "lib/io/h5ad_rows.h"
#include "lib/io/import.h"

/* On failure *c is empty. RC_INPUT names file, place and trouble. */
enum rc cell_input_read(const char *path, const struct import_options *o, struct cells *c,
                        struct err *e);

/* The same in blocks, in memory that does not grow with the counts. */
struct cell_blocks {
    struct cells head; /* names, obs, var; of the counts only the sizes; known from the start */
    size_t first;      /* the next cell */
    /* private: one of the two */
    struct h5ad_rows ours;
    struct import_stream *others;
};

/* beside: the output, in whose folder a large source waits. On failure *b is empty. */
enum rc cell_blocks_open(struct cell_blocks *b, const char *path, const struct import_options *o,
                         const char *beside, struct err *e);
/* Cells from b->first on, which moves; rows->n_rows is 0 behind the last. The caller releases *rows. */
enum rc cell_blocks_next(struct cell_blocks *b, struct csr *rows, struct err *e);
void cell_blocks_close(struct cell_blocks *b);

#endif
