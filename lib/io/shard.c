/* Reading shards. HDF5 says where each data set lies; after that the file is closed and only the
 * mapping is used, so cells can be read by many threads without a lock. */
#include "lib/io/shard.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/io/h5.h"
#include "lib/io/shard_names.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "shards are mapped as they lie: little-endian machines only"
#endif

struct shard_file {
    struct mapped map;
    size_t first, n_cells; /* first: number of the first cell in the set */
    const uint64_t *row;
    const uint16_t *token;
    const float *value;
    const uint8_t *species;
    const uint64_t *cell_id;
};

static enum rc check_layout(const struct h5_data *d, hid_t want, struct err *e)
{
    hid_t type = H5Dget_type(d->id), dcpl = H5Dget_create_plist(d->id);
    bool same = type >= 0 && H5Tequal(type, want) > 0;
    bool contiguous = dcpl >= 0 && H5Pget_layout(dcpl) == H5D_CONTIGUOUS;
    if (type >= 0)
        H5Tclose(type);
    if (dcpl >= 0)
        H5Pclose(dcpl);
    if (!same)
        return err_set(e, RC_INPUT, "'%s' is not of the type that shards have", d->name);
    if (!contiguous)
        return err_set(e, RC_INPUT, "'%s' is in chunks, which cannot be mapped", d->name);
    return RC_OK;
}

/* Where the data set lies in the mapping: n_items entries (UINT64_MAX: any number, told in *n). */
static enum rc place(const struct mapped *f, hid_t file, const char *name, hid_t type,
                     size_t item_bytes, uint64_t n_items, const void **at, uint64_t *n,
                     struct err *e)
{
    static const uint64_t nothing; /* where empty data sets point */
    struct h5_data d;
    if (h5_data_open(file, name, &d, e))
        return e->rc;
    enum rc rc = h5_data_want_1d(&d, n_items, e);
    if (!rc)
        rc = check_layout(&d, type, e);
    haddr_t offset = rc ? 0 : H5Dget_offset(d.id);
    if (rc || d.n_items == 0) {
        *at = &nothing;
    } else if (offset == HADDR_UNDEF || offset > f->bytes ||
               d.n_items > (f->bytes - offset) / item_bytes) {
        rc = err_set(e, RC_INPUT, "'%s' does not lie within the file", name);
    } else if (offset % item_bytes != 0) {
        rc = err_set(e, RC_INPUT, "'%s' lies at byte %llu, which cannot be mapped", name,
                     (unsigned long long)offset);
    } else {
        *at = (const char *)f->at + offset;
    }
    if (n)
        *n = d.n_items;
    h5_data_close(&d);
    return rc;
}

static enum rc place_all(struct shard_file *f, hid_t file, struct err *e)
{
    uint64_t n, n_tokens;
    const void *at;
    enum rc rc = place(&f->map, file, "row", H5T_STD_U64LE, 8, UINT64_MAX, &at, &n, e);
    if (rc)
        return rc;
    if (n == 0)
        return err_set(e, RC_INPUT, "'row' is empty");
    f->row = at;
    f->n_cells = (size_t)(n - 1);
    rc = place(&f->map, file, "token", H5T_STD_U16LE, 2, UINT64_MAX, &at, &n_tokens, e);
    f->token = at;
    if (!rc)
        rc = place(&f->map, file, "value", H5T_IEEE_F32LE, 4, n_tokens, &at, NULL, e);
    f->value = at;
    if (!rc)
        rc = place(&f->map, file, "species", H5T_STD_U8LE, 1, n - 1, &at, NULL, e);
    f->species = at;
    if (!rc)
        rc = place(&f->map, file, "cell_id", H5T_STD_U64LE, 8, n - 1, &at, NULL, e);
    f->cell_id = at;
    if (!rc && f->row[f->n_cells] != n_tokens)
        rc = err_set(e, RC_INPUT, "'row' ends with %llu, but %llu tokens are stored",
                     (unsigned long long)f->row[f->n_cells], (unsigned long long)n_tokens);
    return rc;
}

static enum rc check_cells(const struct shard_file *f, size_t *longest, struct err *e)
{
    if (f->row[0] != 0)
        return err_set(e, RC_INPUT, "'row' starts with %llu, not 0", (unsigned long long)f->row[0]);
    for (size_t i = 0; i < f->n_cells; i++) {
        if (f->row[i + 1] < f->row[i])
            return err_set(e, RC_INPUT, "cell %zu: 'row' falls from %llu to %llu", i,
                           (unsigned long long)f->row[i], (unsigned long long)f->row[i + 1]);
        uint64_t n = f->row[i + 1] - f->row[i];
        if (n > UINT32_MAX)
            return err_set(e, RC_INPUT, "cell %zu has %llu tokens", i, (unsigned long long)n);
        if (f->species[i] > 1)
            return err_set(e, RC_INPUT, "cell %zu: species %u is neither 0 nor 1", i,
                           f->species[i]);
        if (n > *longest)
            *longest = (size_t)n;
    }
    return RC_OK;
}

static enum rc open_one(struct shard_set *s, const char *path, struct err *e)
{
    struct shard_file *f = &s->file[s->n_files];
    hid_t file;
    *f = (struct shard_file){ .first = s->n_cells };
    enum rc rc = mapped_open(&f->map, path, MAPPED_READ, e);
    if (rc)
        return rc;
    s->n_files++; /* from here on close unmaps it */
    rc = h5_open(path, &file, e);
    if (rc)
        return rc;
    rc = place_all(f, file, e);
    H5Fclose(file);
    if (!rc)
        rc = check_cells(f, &s->longest, e);
    if (rc)
        return err_wrap(e, "'%s'", path);
    s->n_cells += f->n_cells;
    s->n_tokens += f->row[f->n_cells];
    return RC_OK;
}

/* Every entry must be free or a place: then a search ends, since there is always a free one. */
static enum rc check_index(const struct shard_set *s, struct err *e)
{
    uint64_t n = s->n_slots, used = 0;
    if (n == 0 || (n & (n - 1)) != 0)
        return err_set(e, RC_INPUT, "'slot' has %llu entries, no power of two",
                       (unsigned long long)n);
    for (uint64_t i = 0; i < n; i++) {
        used += s->slot[i] != 0;
        if (s->slot[i] > s->n_cells)
            return err_set(e, RC_INPUT, "'slot' leads to cell %u of %zu", s->slot[i], s->n_cells);
    }
    return used == s->n_cells && used < n
               ? RC_OK
               : err_set(e, RC_INPUT, "'slot' has %llu entries, but there are %zu cells",
                         (unsigned long long)used, s->n_cells);
}

static enum rc open_index(struct shard_set *s, const char *path, struct err *e)
{
    hid_t file;
    const void *at;
    enum rc rc = mapped_open(&s->index_map, path, MAPPED_READ, e);
    if (!rc)
        rc = h5_open(path, &file, e);
    if (rc)
        return rc;
    rc = place(&s->index_map, file, "slot", H5T_STD_U32LE, 4, UINT64_MAX, &at, &s->n_slots, e);
    H5Fclose(file);
    if (!rc) {
        s->slot = at;
        rc = check_index(s, e);
    }
    return rc ? err_wrap(e, "'%s'", path) : RC_OK;
}

size_t shard_set_find(const struct shard_set *s, uint64_t cell_id)
{
    if (!s->slot)
        return SIZE_MAX;
    for (uint64_t i = cell_id & (s->n_slots - 1); s->slot[i]; i = (i + 1) & (s->n_slots - 1))
        if (shard_set_cell(s, s->slot[i] - 1).cell_id == cell_id)
            return s->slot[i] - 1;
    return SIZE_MAX;
}

enum rc shard_set_open(struct shard_set *s, const char *folder, struct err *e)
{
    struct err own = { 0 };
    e = e ? e : &own;
    *s = (struct shard_set){ 0 };
    char **name;
    size_t n;
    enum rc rc = shard_names(folder, &name, &n, e);
    if (rc)
        return rc;
    if (n == 0)
        rc = err_set(e, RC_INPUT, "folder '%s' holds no shard-00000.h5", folder);
    s->file = calloc(n + 1, sizeof *s->file);
    if (!rc && !s->file)
        rc = err_set(e, RC_FAIL, "no memory for %zu shards", n);
    for (size_t i = 0; !rc && i < n; i++) {
        char *path = text_new("%s/%s", folder, name[i]);
        rc = path ? open_one(s, path, e) : err_set(e, RC_FAIL, "no memory for a path");
        free(path);
    }
    shard_names_free(name, n);
    char *path = rc ? NULL : text_new("%s/index.h5", folder);
    if (!rc && !path)
        rc = err_set(e, RC_FAIL, "no memory for a path");
    if (!rc && file_exists(path))
        rc = open_index(s, path, e);
    free(path);
    if (rc)
        shard_set_close(s);
    return rc;
}

void shard_set_close(struct shard_set *s)
{
    mapped_close(&s->index_map);
    for (size_t i = 0; i < s->n_files; i++)
        mapped_close(&s->file[i].map);
    free(s->file);
    *s = (struct shard_set){ 0 };
}

/* The last shard that begins at cell i or before, for shards of uneven size. */
static size_t search(const struct shard_set *s, size_t i)
{
    size_t lo = 0, hi = s->n_files;
    while (hi - lo > 1) {
        size_t mid = lo + (hi - lo) / 2;
        if (s->file[mid].first <= i)
            lo = mid;
        else
            hi = mid;
    }
    return lo;
}

struct token_cell shard_set_cell(const struct shard_set *s, size_t i)
{
    size_t per_shard = s->file[0].n_cells, lo = per_shard ? i / per_shard : 0;
    if (lo >= s->n_files || i - s->file[lo].first >= s->file[lo].n_cells) /* wraps below first */
        lo = search(s, i);
    const struct shard_file *f = &s->file[lo];
    size_t k = i - f->first;
    return (struct token_cell){ .cell_id = f->cell_id[k],
                                .species = f->species[k],
                                .n = (uint32_t)(f->row[k + 1] - f->row[k]),
                                .token = f->token + f->row[k],
                                .value = f->value + f->row[k] };
}
