/* Chunks with filters, unpacked by ourselves: are they whole?
 *
 * HDF5 1.10 trusts that a chunk unpacks to the bytes of its shape and reads past the end of a
 * shorter one. So each chunk is fetched as it is stored (H5Dread_chunk) and its filters are undone
 * from the last to the first: deflate and LZF change the size, shuffle keeps it, Fletcher-32 has
 * four bytes behind. Other filters are not judged here. */
#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

#include "lib/io/h5.h"
#include "lib/io/lzf.h"

enum { MAX_FILTERS = 8 };

struct pipeline {
    H5Z_filter_t filter[MAX_FILTERS];
    int n;
    size_t chunk_bytes; /* unpacked */
    struct libdeflate_decompressor *inflate;
    unsigned char *a, *b; /* of room bytes */
    size_t room;
};

/* False: some filter is of a kind that is not judged. */
static bool known_filters(hid_t dcpl, struct pipeline *p)
{
    p->n = H5Pget_nfilters(dcpl);
    for (int i = 0; i < p->n; i++) {
        unsigned flags, cd[8], config;
        size_t n_cd = 8;
        H5Z_filter_t id =
            i < MAX_FILTERS ? H5Pget_filter2(dcpl, (unsigned)i, &flags, &n_cd, cd, 0, NULL, &config)
                            : -1;
        if (id != H5Z_FILTER_DEFLATE && id != H5Z_FILTER_SHUFFLE && id != H5Z_FILTER_FLETCHER32 &&
            id != LZF_FILTER)
            return false;
        p->filter[i] = id;
    }
    return true;
}

/* Undoes the filters of n bytes in p->a; is the result chunk_bytes long? */
static bool is_whole(struct pipeline *p, size_t n, uint32_t skipped)
{
    for (int i = p->n - 1; i >= 0; i--) {
        if (skipped >> i & 1 || p->filter[i] == H5Z_FILTER_SHUFFLE)
            continue;
        if (p->filter[i] == H5Z_FILTER_FLETCHER32) {
            if (n < 4)
                return false;
            n -= 4; /* HDF5 compares the sum itself */
            continue;
        }
        size_t got = 0;
        if (p->filter[i] == LZF_FILTER)
            got = lzf_unpack(p->a, n, p->b, p->room);
        else if (libdeflate_zlib_decompress(p->inflate, p->a, n, p->b, p->room, &got) !=
                 LIBDEFLATE_SUCCESS)
            return false;
        unsigned char *swap = p->a;
        p->a = p->b;
        p->b = swap;
        n = got;
    }
    return n == p->chunk_bytes;
}

static enum rc check_one(const struct h5_data *d, struct pipeline *p, const hsize_t *at,
                         uint64_t file_bytes, struct err *e)
{
    hsize_t stored = 0;
    uint32_t skipped = 0;
    if (H5Dget_chunk_storage_size(d->id, at, &stored) < 0 || stored == 0) {
        H5Eclear2(H5E_DEFAULT);
        return RC_OK; /* never written: HDF5 gives its fill value */
    }
    if (stored > file_bytes || stored > (hsize_t)1 << 32)
        return err_set(e, RC_INPUT, "'%s': a chunk of %llu bytes is larger than the file", d->name,
                       (unsigned long long)stored);
    if (stored > p->room) {
        unsigned char *a = realloc(p->a, stored);
        p->a = a ? a : p->a;
        unsigned char *b = realloc(p->b, stored);
        p->b = b ? b : p->b;
        if (!a || !b)
            return err_set(e, RC_FAIL, "no memory for a chunk of '%s'", d->name);
        p->room = stored;
    }
    if (H5Dread_chunk(d->id, H5P_DEFAULT, at, &skipped, p->a) < 0)
        return h5_err(e, RC_INPUT, "cannot read '%s'", d->name);
    return is_whole(p, (size_t)stored, skipped)
               ? RC_OK
               : err_set(e, RC_INPUT, "'%s': a chunk is damaged: it does not unpack to %zu bytes",
                         d->name, p->chunk_bytes);
}

/* The bytes of one entry in the file: texts of any length are a size, an address and an index. */
static size_t stored_bytes(hid_t type, hid_t of)
{
    size_t address = 8, size = 8;
    hid_t file = H5Iget_file_id(of), fcpl = file >= 0 ? H5Fget_create_plist(file) : -1;
    if (fcpl >= 0) {
        H5Pget_sizes(fcpl, &address, &size);
        H5Pclose(fcpl);
    }
    if (file >= 0)
        H5Fclose(file);
    return H5Tis_variable_str(type) > 0 ? 4 + address + 4 : H5Tget_size(type);
}

static enum rc check_all(const struct h5_data *d, struct pipeline *p, const hsize_t *chunk,
                         struct err *e)
{
    hsize_t at[H5_MAX_DIMS] = { 0 };
    uint64_t file_bytes = h5_file_bytes(d->id);
    for (bool more = d->n_items > 0; more;) {
        if (check_one(d, p, at, file_bytes, e))
            return e ? e->rc : RC_INPUT;
        int i = d->n_dims - 1;
        for (; i >= 0; i--) {
            at[i] += chunk[i];
            if (at[i] < d->dim[i])
                break;
            at[i] = 0;
        }
        more = i >= 0;
    }
    return RC_OK;
}

enum rc h5_check_chunks(const struct h5_data *d, hid_t dcpl, struct err *e)
{
    struct pipeline p = { 0 };
    hsize_t chunk[H5S_MAX_RANK];
    if (H5Pget_chunk(dcpl, H5S_MAX_RANK, chunk) != d->n_dims || !known_filters(dcpl, &p))
        return RC_OK;
    hid_t type = H5Dget_type(d->id);
    /* Compounds may hold such texts inside: their size in the file is not to be asked for. */
    bool known = H5Tget_class(type) != H5T_COMPOUND || H5Tdetect_class(type, H5T_STRING) <= 0;
    p.chunk_bytes = stored_bytes(type, d->id);
    H5Tclose(type);
    for (int i = 0; i < d->n_dims; i++)
        p.chunk_bytes *= (size_t)chunk[i];
    if (!known)
        return RC_OK;
    p.room = p.chunk_bytes + 64;
    p.a = malloc(p.room);
    p.b = malloc(p.room);
    p.inflate = libdeflate_alloc_decompressor();
    enum rc rc = p.a && p.b && p.inflate
                     ? check_all(d, &p, chunk, e)
                     : err_set(e, RC_FAIL, "no memory for a chunk of '%s'", d->name);
    libdeflate_free_decompressor(p.inflate);
    free(p.a);
    free(p.b);
    return rc;
}
