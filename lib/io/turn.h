/* Entries of a matrix in any order to rows in their order, in fixed memory: for matrices whose file
 * is sorted by gene, or not at all, and which do not fit in memory.
 *
 * Entries are gathered until there are some. These are sorted by row (in the order in which they
 * came within a row), cut into bins of some rows, and each bin goes to a temporary file as a tile
 * (lib/io/spool.h). At the end the tiles of the first bin, one of every round, are read and joined
 * row by row, then those of the second. So every entry is written once and read once; a bin that
 * holds far more than its share is read several times, some rows at each.
 *
 * Fewer entries than the source keeps in memory never see a file. */
#ifndef GC_IO_TURN_H
#define GC_IO_TURN_H

#include "lib/io/source.h"

struct entry {
    uint32_t row, col, value;
};

struct turn {
    struct source *to;
    size_t n_rows, n_cols;
    struct entry *entry; /* [round] what was gathered; owned */
    size_t n, room, round;
    struct spool bins; /* tile k n_bins + b: bin b of round k */
    size_t n_bins, bin_rows, n_rounds;
};

/* n_entries: how many will come, about; 0: unknown. On failure *t is empty. */
enum rc turn_begin(struct turn *t, struct source *to, size_t n_rows, size_t n_cols,
                   uint64_t n_entries, struct err *e);
/* What is needed before entry [n] can be written. */
enum rc turn_room(struct turn *t, struct err *e);
static inline enum rc turn_add(struct turn *t, uint32_t row, uint32_t col, uint32_t value,
                               struct err *e)
{
    enum rc rc = t->n == t->room ? turn_room(t, e) : RC_OK;
    if (!rc)
        t->entry[t->n++] = (struct entry){ row, col, value };
    return rc;
}
/* The entries of a block whose rows are the columns of the result, from `first` on. */
enum rc turn_add_rows(struct turn *t, const struct csr *columns, size_t first, struct err *e);
/* All rows to the source, behind those that it has. */
enum rc turn_end(struct turn *t, struct err *e);
void turn_release(struct turn *t); /* harmless on an empty one */

/* The rows of *by_feature are features and its columns cells: to `to` with cells in rows.
 * *by_feature keeps its sizes only. */
enum rc turn_source(struct source *by_feature, struct source *to, struct err *e);

#endif
