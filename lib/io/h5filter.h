/* The filters of a chunked data set, undone by ourselves: deflate, LZF, shuffle, Fletcher-32.
 *
 * HDF5 unpacks with one thread and with zlib, and reads past the end of a chunk that unpacks to less
 * than its shape (1.10). So chunks are fetched as they are stored (H5Dread_chunk) and unpacked here,
 * by libdeflate, in whatever thread has a struct h5_unpacker; a chunk that does not come out at
 * its whole size is refused. */
#ifndef GC_IO_H5FILTER_H
#define GC_IO_H5FILTER_H

#include "lib/io/h5.h"

enum { H5_MAX_FILTERS = 8 };

struct h5_filters {
    H5Z_filter_t id[H5_MAX_FILTERS]; /* in the order of packing */
    int n;
    size_t item_bytes;  /* of one entry in the file: what shuffle works on */
    size_t chunk_bytes; /* unpacked */
    bool has_sum;       /* Fletcher-32, which only HDF5 itself compares */
};

/* False: some filter is of a kind that is not known here. chunk_bytes and item_bytes are set by the
 * caller. */
bool h5_filters_of(hid_t dcpl, struct h5_filters *f);

/* Room for unpacking; one a thread. */
struct h5_unpacker {
    void *inflate;             /* libdeflate's */
    unsigned char *room[2];    /* of room_bytes each; owned */
    size_t room_bytes;
};

void h5_unpacker_release(struct h5_unpacker *u);
/* Undoes the filters of the n stored bytes at `from`, but those whose bit is set in `skipped`. *to is
 * the unpacked chunk, in the unpacker's room (or `from` itself when nothing was to be done), valid
 * until the next call. RC_INPUT: it is not chunk_bytes long; RC_FAIL: memory. No sentence is set. */
enum rc h5_unpack(struct h5_unpacker *u, const struct h5_filters *f, const void *from, size_t n,
                  uint32_t skipped, const unsigned char **to);

#endif
