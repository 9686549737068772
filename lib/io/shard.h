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
 * species, label, length, n_nonzero), one line per cell in shard order.
 *
 * index.h5 leads from a cell's id to its place in O(1): slot, u32 [m], m a power of two and at least
 * 1.5 times the cells, is a hash table with open addressing; the search starts at the id's low bits
 * (ids are hashes) and goes up by one, round the end; an entry is the place + 1, 0 is free. Of
 * several cells with one id the first in shard order is found. SHARD_INDEX_MAX cells at most, else
 * there is no index.
 *
 * Bytes of a cell with n tokens: 6 n + 17 (token 2, value 4; row 8, cell_id 8, species 1), and 6 to
 * 12 in the index: 12.3 kB at 2048 tokens, where the authors' datasets take 16.4 kB for any cell. */
#ifndef GC_IO_SHARD_H
#define GC_IO_SHARD_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/mapped.h"

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
    const uint32_t *slot; /* the index; NULL: none */
    uint64_t n_slots;
    struct mapped index_map;
};
#define SHARD_INDEX_MAX ((size_t)1 << 31)

/* Maps every shard-*.h5 of the folder and checks every promise (offsets never falling, lengths of the
 * datasets equal, species 0 or 1). */
enum rc shard_set_open(struct shard_set *s, const char *folder, struct err *e);
void shard_set_close(struct shard_set *s);
/* i < n_cells; borrowed until close. Safe from several threads. O(1) where all shards but the last
 * are of one size, as the writer makes them. For a shuffle without a list: lib/base/permute.h. */
struct token_cell shard_set_cell(const struct shard_set *s, size_t i);
/* The place of the cell with this id; SIZE_MAX: there is none, or no index. */
size_t shard_set_find(const struct shard_set *s, uint64_t cell_id);

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
