#include "lib/io/h5filter.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

#include "lib/io/lzf.h"

bool h5_filters_of(hid_t dcpl, struct h5_filters *f)
{
    int n = H5Pget_nfilters(dcpl);
    f->n = 0;
    f->has_sum = false;
    for (int i = 0; i < n; i++) {
        unsigned flags, cd[8], config;
        size_t n_cd = 8;
        H5Z_filter_t id =
            i < H5_MAX_FILTERS
                ? H5Pget_filter2(dcpl, (unsigned)i, &flags, &n_cd, cd, 0, NULL, &config)
                : -1;
        if (id != H5Z_FILTER_DEFLATE && id != H5Z_FILTER_SHUFFLE && id != H5Z_FILTER_FLETCHER32 &&
            id != LZF_FILTER)
            return false;
        f->id[f->n++] = id;
        f->has_sum = f->has_sum || id == H5Z_FILTER_FLETCHER32;
    }
    return true;
}

void h5_unpacker_release(struct h5_unpacker *u)
{
    if (u->inflate)
        libdeflate_free_decompressor(u->inflate);
    free(u->room[0]);
    free(u->room[1]);
    *u = (struct h5_unpacker){ 0 };
}

static bool grow(struct h5_unpacker *u, size_t n_bytes)
{
    if (!u->inflate)
        u->inflate = libdeflate_alloc_decompressor();
    if (n_bytes > u->room_bytes) {
        free(u->room[0]);
        free(u->room[1]);
        u->room[0] = malloc(n_bytes);
        u->room[1] = malloc(n_bytes);
        u->room_bytes = u->room[0] && u->room[1] ? n_bytes : 0;
    }
    return u->inflate && u->room_bytes;
}

/* Shuffle stores the first bytes of all entries, then the second ones, ...; bytes behind the last
 * whole entry stay where they are. */
static void unshuffle(const unsigned char *from, size_t n, size_t width, unsigned char *to)
{
    size_t items = n / width;
    for (size_t b = 0; b < width; b++)
        for (size_t i = 0; i < items; i++)
            to[i * width + b] = from[b * items + i];
    memcpy(to + items * width, from + items * width, n - items * width);
}

/* One filter undone from `at` to `to`; the new size, SIZE_MAX for a damaged chunk. */
static size_t undo(struct h5_unpacker *u, const struct h5_filters *f, H5Z_filter_t id,
                   const unsigned char *at, size_t n, unsigned char *to)
{
    size_t got = 0;
    switch (id) {
    case H5Z_FILTER_SHUFFLE:
        if (n > u->room_bytes)
            return SIZE_MAX;
        unshuffle(at, n, f->item_bytes, to);
        return n;
    case LZF_FILTER:
        return lzf_unpack(at, n, to, u->room_bytes);
    default:
        return libdeflate_zlib_decompress(u->inflate, at, n, to, u->room_bytes, &got) ==
                       LIBDEFLATE_SUCCESS
                   ? got
                   : SIZE_MAX;
    }
}

enum rc h5_unpack(struct h5_unpacker *u, const struct h5_filters *f, const void *from, size_t n,
                  uint32_t skipped, const unsigned char **to)
{
    const unsigned char *at = from;
    /* Room for what inflates to a little more as well: only the whole size is right. */
    if (!grow(u, f->chunk_bytes + 64))
        return RC_FAIL;
    for (int i = f->n - 1, room = 0; i >= 0; i--) {
        if (skipped >> i & 1)
            continue;
        if (f->id[i] == H5Z_FILTER_FLETCHER32) {
            if (n < 4)
                return RC_INPUT;
            n -= 4;
            continue;
        }
        if (f->id[i] == H5Z_FILTER_SHUFFLE && f->item_bytes <= 1)
            continue;
        n = undo(u, f, f->id[i], at, n, u->room[room]);
        if (n == SIZE_MAX)
            return RC_INPUT;
        at = u->room[room];
        room = !room;
    }
    *to = at;
    return n == f->chunk_bytes ? RC_OK : RC_INPUT;
}
