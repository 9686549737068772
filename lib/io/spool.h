/* Rows of counts on disk for a while: a temporary file without a name, written tile by tile and read
 * back as often as needed. What must be seen twice and does not fit in memory goes through here.
 *
 * A tile is some rows, packed to about 3 bytes an entry: the number of entries of each row (u32), the
 * columns (u16, or u32 from 65536 columns on), the counts (u8; 255 stands for the next of the
 * large ones), the large counts (u32). Packing and unpacking touch no file, so threads can do it. */
#ifndef GC_IO_SPOOL_H
#define GC_IO_SPOOL_H

#include "lib/data/csr.h"

struct spool_tile {
    uint64_t at; /* in the file */
    uint64_t nnz, n_bytes;
    size_t first, n_rows;
};

struct spool {
    int fd; /* -1: none */
    size_t n_rows, n_cols;
    uint64_t nnz, n_bytes;
    struct spool_tile *tile; /* owned */
    size_t n_tiles, room;
};

/* A new file in `folder` (NULL: TMPDIR, or /tmp). On failure *s needs no close. */
enum rc spool_open(struct spool *s, const char *folder, size_t n_cols, struct err *e);
/* Forgets its tiles; the file, if there is one, is written from its start again. */
void spool_reset(struct spool *s, size_t n_cols);
void spool_close(struct spool *s); /* harmless on a closed one */

/* Bytes that rows with nnz entries take at most. */
size_t spool_room(size_t n_rows, size_t nnz, size_t n_cols);
/* Packs rows [first, first + n) of c to `to`, which has the room; returns the bytes used. */
size_t spool_pack(const struct csr *c, size_t first, size_t n, unsigned char *to);
/* The other way round, into c, which has room for the rows and entries of tile t. */
void spool_unpack(const struct spool_tile *t, size_t n_cols, const unsigned char *from,
                  struct csr *c);

enum rc spool_add(struct spool *s, const unsigned char *packed, size_t n_bytes, size_t n_rows,
                  uint64_t nnz, struct err *e);
/* The two halves: gives the next tile its place; writes a tile that has one. The second, and
 * spool_get, may be called by several threads at once. */
enum rc spool_place(struct spool *s, size_t n_bytes, size_t n_rows, uint64_t nnz, struct err *e);
enum rc spool_put(const struct spool *s, size_t tile, const unsigned char *packed, struct err *e);
/* The bytes of tiles [first, first + n), which lie one behind the other. */
enum rc spool_get(const struct spool *s, size_t first, size_t n, unsigned char *to, struct err *e);

/* For one thread: packs and adds all of c; reads one tile as a matrix of its own, which the caller
 * releases. */
enum rc spool_add_rows(struct spool *s, const struct csr *c, struct err *e);
enum rc spool_get_rows(const struct spool *s, size_t tile, struct csr *c, struct err *e);
/* Only how many entries each row of a tile has. */
enum rc spool_get_lengths(const struct spool *s, size_t tile, uint32_t *n_of, struct err *e);

#endif
