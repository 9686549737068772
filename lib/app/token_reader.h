/* Counts of one file to tokens: names to genes, mouse to human, ranking.
 *
 *   token_reader_open    the file's names and obs -> which column is which gene, by species
 *   token_reader_block   some of its cells -> the tokens of each
 * What a column stands for depends on the cell's species; a file may hold both. In a mixture (var
 * says of which species a column is) only the columns of a cell's own species count. */
#ifndef GC_APP_TOKEN_READER_H
#define GC_APP_TOKEN_READER_H

#include "lib/app/cell_tokens.h"
#include "lib/app/embedder.h"

struct token_reader {
    const struct embedder *m;
    struct token_reader_columns {
        uint32_t *col_to; /* [columns] gene or UINT32_MAX; owned; NULL: columns are genes */
        size_t n_genes;
        struct token_columns columns;
        bool used;
    } of[2]; /* by species */
    signed char *species; /* [cells]; owned */
    int64_t *cell_id;     /* [cells] borrowed from head's obs; NULL: the row */
    struct token_work work;
    size_t max_genes; /* of a cell, the highest ranks; the model's unless set after token_reader_open */
    struct embed_report rep; /* of columns from the start, of cells as they are read */
};

/* head: names, obs and var; stays with the caller, its obs must live as long as *r. On failure *r is
 * empty. */
enum rc token_reader_open(struct token_reader *r, const struct embedder *m,
                          const struct cells *head, struct err *e);
void token_reader_close(struct token_reader *r);

/* One cell: its row in the file, and its tokens (w->n may be 0), borrowed. */
typedef enum rc token_reader_take(void *ctx, size_t row, uint64_t cell_id, enum species s,
                                  const struct token_work *w, struct err *e);
/* Cells [first, first + rows->n_rows) of the file, tidy; in their order to take. */
enum rc token_reader_block(struct token_reader *r, const struct csr *rows, size_t first,
                           token_reader_take *take, void *ctx, struct err *e);

/* A whole file in memory: the tokens of the cells that have any, added to *out; their rows are those
 * of c. RC_INPUT: a cell without a species. */
enum rc embedder_tokens(const struct embedder *m, const struct cells *c, struct cell_tokens *out,
                        struct embed_report *rep, struct err *e);
/* RC_INPUT with the share and a hint when fewer than `least` of the genes have a token. */
enum rc embedder_check_overlap(const struct embed_report *rep, double least, struct err *e);

#endif
