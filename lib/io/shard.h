/* Shards: tokenised cells, ragged, memory-mapped. Spec 01 section 8 (native form).
 *
 * A shard is an HDF5 file with contiguous little-endian datasets, found by H5Dget_offset and mapped:
 *   row      u64 [n_cells + 1]  first token of each cell; row[0] = 0
 *   token    u16 [row[n_cells]] token ids in rank order (highest value first); no <pad>, no species
 *   value    f32 [row[n_cells]] log2(1 + count / median)
 *   species  u8  [n_cells]      0 human, 1 mouse
 *   cell_id  u64 [n_cells]
 * A folder of shards is shard-00000.h5, shard-00001.h5, ... plus vocab.tsv and medians.tsv, the
 * copies that the tokens were made with, and cells.tsv (cell_id as 16 hex digits, sample, barcode,
 * species, label, length, n_nonzero), one line per cell in shard order. */
#ifndef GC_IO_SHARD_H
#define GC_IO_SHARD_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

/* One cell, borrowed from the mapping (or from whoever fills it). */
struct token_cell {
    uint64_t cell_id;
    uint8_t species;
    uint32_t n;
    const uint16_t *token; /* [n] */
    const float *value;    /* [n] */
};

struct shard_file; /* one mapped shard */

struct shard_set {
    struct shard_file *file; /* owned */
    size_t n_files;
    size_t n_cells;  /* over all shards, in order of file name */
    uint64_t n_tokens;
    size_t longest;  /* tokens of the longest cell */
};

/* Maps every shard-*.h5 of the folder and checks every promise (offsets never falling, lengths of the
 * datasets equal, species 0 or 1). */
enum rc shard_set_open(struct shard_set *s, const char *folder, struct err *e);
void shard_set_close(struct shard_set *s);
/* i < n_cells; borrowed until close. Safe from several threads. */
struct token_cell shard_set_cell(const struct shard_set *s, size_t i);

struct shard_writer {
    void *state; /* owned */
};
/* A new shard is started after cells_per_shard cells. */
enum rc shard_writer_open(struct shard_writer *w, const char *folder, size_t cells_per_shard,
                          struct err *e);
enum rc shard_writer_add(struct shard_writer *w, const struct token_cell *c, struct err *e);
enum rc shard_writer_close(struct shard_writer *w, struct err *e); /* writes the last shard */
void shard_writer_abort(struct shard_writer *w);

#endif
