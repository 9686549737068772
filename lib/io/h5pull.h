/* Whole numbers of long one-dimensional data sets, pulled forward window by window, unpacked by all
 * threads.
 *
 * Chunks are fetched as they are stored, one after another (HDF5 has one lock), and then unpacked
 * and turned to 32 bits by all threads at once, those of several data sets in one round: the values
 * and the columns of a sparse matrix. What is stored in another way (contiguous, big-endian, float16,
 * other filters) is read through HDF5, with the same result.
 *
 * A value is clean when it is a whole number from 0 to 2^31 - 1. A stretch that holds another one is
 * listed as odd, and its entries are undefined until the caller has read them himself
 * (h5_read_f64, h5_read_i64): the rare case pays, the usual one is a straight loop. */
#ifndef GC_IO_H5PULL_H
#define GC_IO_H5PULL_H

#include "lib/io/h5filter.h"

struct h5_span {
    uint64_t at, n;
};

struct h5_pull {
    struct h5_data d; /* owned, as are value and odd */
    int lane;
    size_t item_bytes;
    struct h5_filters filters;
    uint64_t chunk; /* entries of a chunk that is unpacked here; 0: HDF5 reads */
    uint32_t *value; /* entries [first, first + n) */
    uint64_t first, n, room;
    struct h5_span *odd; /* of the window, rising */
    size_t n_odd, room_odd;
    /* Over all clean stretches so far: */
    uint64_t n_nonzero;
    uint32_t high;
};

/* RC_INPUT: no such data set, not of one dimension, no numbers. whole: fractions are refused by
 * type. On failure *p needs no close. */
enum rc h5_pull_open(hid_t at, const char *name, bool whole, struct h5_pull *p, struct err *e);
void h5_pull_close(struct h5_pull *p);

/* What a round of unpacking needs; shared by the data sets that are pulled together. */
struct h5_puller {
    struct h5_unpacker *unpacker; /* one a thread; owned, as are the others */
    int n_unpackers;
    unsigned char *stored;
    size_t stored_bytes, room;
    struct pull_task *task;
    size_t n_tasks, task_room;
};
void h5_puller_release(struct h5_puller *q);

/* Moves the windows of p[0..n_pulls) forward so that they hold entries [at, at + n), at never
 * falling from call to call; h5_pull_at then is where entry `at` lies. What a window holds behind
 * them is kept for the next call. */
enum rc h5_pull_need(struct h5_puller *q, struct h5_pull *const *p, int n_pulls, uint64_t at,
                     uint64_t n, struct err *e);
static inline uint32_t *h5_pull_at(const struct h5_pull *p, uint64_t at)
{
    return p->value + (at - p->first);
}

#endif
