/* Chunks with filters, unpacked by ourselves: are they whole?
 *
 * HDF5 1.10 trusts that a chunk unpacks to the bytes of its shape and reads past the end of a
 * shorter one. So each chunk is fetched as it is stored (H5Dread_chunk) and its filters are undone
 * from the last to the first: deflate and LZF change the size, shuffle keeps it, Fletcher-32 has
 * four bytes behind. Other filters are not judged here. */
#include <stdlib.h>
#include <string.h>

#include "lib/io/h5filter.h"

struct pipeline {
    struct h5_filters filters;
    struct h5_unpacker unpacker;
    unsigned char *stored; /* of room bytes */
    size_t room;
};

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
        free(p->stored);
        p->stored = malloc(stored);
        p->room = p->stored ? stored : 0;
        if (!p->stored)
            return err_set(e, RC_FAIL, "no memory for a chunk of '%s'", d->name);
    }
    if (H5Dread_chunk(d->id, H5P_DEFAULT, at, &skipped, p->stored) < 0)
        return h5_err(e, RC_INPUT, "cannot read '%s'", d->name);
    const unsigned char *whole;
    enum rc rc =
        h5_unpack(&p->unpacker, &p->filters, p->stored, (size_t)stored, skipped, &whole);
    if (rc == RC_FAIL)
        return err_set(e, RC_FAIL, "no memory for a chunk of '%s'", d->name);
    return rc ? err_set(e, RC_INPUT, "'%s': a chunk is damaged: it does not unpack to %zu bytes",
                        d->name, p->filters.chunk_bytes)
              : RC_OK;
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
    if (H5Pget_chunk(dcpl, H5S_MAX_RANK, chunk) != d->n_dims || !h5_filters_of(dcpl, &p.filters))
        return RC_OK;
    hid_t type = H5Dget_type(d->id);
    /* Compounds may hold such texts inside: their size in the file is not to be asked for. */
    bool known = H5Tget_class(type) != H5T_COMPOUND || H5Tdetect_class(type, H5T_STRING) <= 0;
    p.filters.item_bytes = stored_bytes(type, d->id);
    H5Tclose(type);
    p.filters.chunk_bytes = p.filters.item_bytes;
    for (int i = 0; i < d->n_dims; i++)
        p.filters.chunk_bytes *= (size_t)chunk[i];
    if (!known)
        return RC_OK;
    enum rc rc = check_all(d, &p, chunk, e);
    h5_unpacker_release(&p.unpacker);
    free(p.stored);
    return rc;
}
