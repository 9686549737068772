#include "lib/io/h5.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/file.h"
#include "lib/io/lzf.h"

void h5_setup(void)
{
    /* After a write that failed (full disk) HDF5's own tidying at exit runs into freed memory. We
     * close what we open, and need no tidying. */
    H5dont_atexit();
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    lzf_register();
}

/* Of a failed system call only what the system said: the rest holds times and addresses. */
static herr_t first_description(unsigned n, const H5E_error2_t *err, void *text)
{
    if (n != 0 || !err->desc)
        return 0;
    const char *system = strstr(err->desc, "error message = '");
    const char *from = system ? system + strlen("error message = '") : err->desc;
    snprintf(text, 256, "%.*s", (int)strcspn(from, system ? "'\n" : "\n"), from);
    return 0;
}

enum rc h5_err(struct err *e, enum rc rc, const char *fmt, ...)
{
    char text[ERR_TEXT_MAX - 300], why[256] = "";
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, first_description, why);
    H5Eclear2(H5E_DEFAULT);
    return err_set(e, rc, "%s%s%s", text, *why ? ": " : "", why);
}

enum rc h5_open(const char *path, hid_t *file, struct err *e)
{
    struct stat st;
    *file = -1;
    h5_setup();
    if (stat(path, &st) != 0)
        return err_set(e, RC_INPUT, "cannot open '%s': %s", path, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return err_set(e, RC_INPUT, "'%s' is a folder, not an HDF5 file", path);
    if (st.st_size == 0)
        return err_set(e, RC_INPUT, "'%s' is empty", path);
    hid_t fapl = H5Pcreate(H5P_FILE_ACCESS);
    /* Handles left open by an error path must not keep the file open. */
    H5Pset_fclose_degree(fapl, H5F_CLOSE_STRONG);
    *file = H5Fopen(path, H5F_ACC_RDONLY, fapl);
    /* The reason is asked for at once: the next call empties HDF5's error stack. */
    enum rc rc = *file >= 0 ? RC_OK : h5_err(e, RC_INPUT, "cannot read '%s' as HDF5", path);
    H5Pclose(fapl);
    return rc;
}

enum rc h5_open_image(const void *data, size_t n_bytes, hid_t *file, struct err *e)
{
    h5_setup();
    hid_t fapl = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_fclose_degree(fapl, H5F_CLOSE_STRONG);
    H5Pset_fapl_core(fapl, 1 << 16, 0);
    union {
        const void *in;
        void *out;
    } image = { data }; /* the library copies it, but takes it without const */
    *file = -1;
    if (n_bytes && H5Pset_file_image(fapl, image.out, n_bytes) >= 0)
        *file = H5Fopen("image", H5F_ACC_RDONLY, fapl);
    enum rc rc = *file >= 0 ? RC_OK : h5_err(e, RC_INPUT, "cannot read %zu bytes as HDF5", n_bytes);
    H5Pclose(fapl);
    return rc;
}

uint64_t h5_file_bytes(hid_t at)
{
    hsize_t n = 0;
    hid_t file = H5Iget_file_id(at);
    if (file >= 0) {
        H5Fget_filesize(file, &n);
        H5Fclose(file);
    }
    return n;
}

/* A soft link may lead to an external one: that step is refused here. */
static herr_t refuse_external(const char *file, const char *group, const char *to_file,
                              const char *to, unsigned *flags, hid_t fapl, void *ctx)
{
    (void)file, (void)group, (void)to_file, (void)to, (void)flags, (void)fapl, (void)ctx;
    return -1;
}

/* The list lives as long as the library: closing it would empty the error stack. */
static hid_t open_object(hid_t at, const char *name)
{
    static hid_t lapl = -1;
    if (lapl < 0) {
        lapl = H5Pcreate(H5P_LINK_ACCESS);
        H5Pset_elink_cb(lapl, refuse_external, NULL);
    }
    return H5Oopen(at, name, lapl);
}

enum h5_kind h5_kind_of(hid_t at, const char *name, struct err *e)
{
    if (!*name || strchr(name, '/') || strcmp(name, ".") == 0)
        return H5_ABSENT;
    htri_t there = H5Lexists(at, name, H5P_DEFAULT);
    H5L_info_t link;
    if (there <= 0) {
        H5Eclear2(H5E_DEFAULT);
        return H5_ABSENT;
    }
    if (H5Lget_info(at, name, &link, H5P_DEFAULT) < 0) {
        h5_err(e, RC_INPUT, "'%s' cannot be read", name);
        return H5_BROKEN;
    }
    if (link.type != H5L_TYPE_HARD && link.type != H5L_TYPE_SOFT) {
        err_set(e, RC_INPUT, "'%s' is a link to another file, which is not followed", name);
        return H5_BROKEN;
    }
    hid_t id = open_object(at, name);
    if (id < 0) {
        h5_err(e, RC_INPUT, "'%s' is %s", name,
               link.type == H5L_TYPE_SOFT ? "a link that leads nowhere" : "damaged");
        return H5_BROKEN;
    }
    H5I_type_t type = H5Iget_type(id);
    H5Oclose(id);
    if (type == H5I_GROUP || type == H5I_DATASET)
        return type == H5I_GROUP ? H5_GROUP : H5_DATASET;
    err_set(e, RC_INPUT, "'%s' is neither a group nor a data set", name);
    return H5_BROKEN;
}

static enum rc want_kind(hid_t at, const char *name, enum h5_kind want, struct err *e)
{
    enum h5_kind kind = h5_kind_of(at, name, e);
    const char *what = want == H5_GROUP ? "group" : "data set";
    if (kind == H5_BROKEN)
        return RC_INPUT;
    if (kind == H5_ABSENT)
        return err_set(e, RC_INPUT, "there is no %s '%s'", what, name);
    if (kind != want)
        return err_set(e, RC_INPUT, "'%s' is no %s", name, what);
    return RC_OK;
}

enum rc h5_group_open(hid_t at, const char *name, hid_t *group, struct err *e)
{
    *group = -1;
    if (want_kind(at, name, H5_GROUP, e))
        return RC_INPUT;
    *group = open_object(at, name);
    return *group >= 0 ? RC_OK : h5_err(e, RC_INPUT, "cannot open group '%s'", name);
}

static bool is_bool(hid_t type)
{
    hid_t base = H5Tget_super(type);
    bool yes = base >= 0 && H5Tget_size(base) == 1 && H5Tget_class(base) == H5T_INTEGER;
    if (base >= 0)
        H5Tclose(base);
    return yes;
}

static enum h5_type type_of(hid_t type)
{
    switch (H5Tget_class(type)) {
    case H5T_INTEGER:
        return H5Tget_sign(type) == H5T_SGN_NONE ? H5_UNSIGNED : H5_SIGNED;
    case H5T_FLOAT:
        return H5_FLOAT;
    case H5T_STRING:
        return H5_TEXT;
    case H5T_ENUM:
        return is_bool(type) ? H5_BOOL : H5_OTHER;
    case H5T_COMPOUND:
        return H5_COMPOUND_TYPE;
    default:
        return H5_OTHER;
    }
}

const char *h5_type_name(enum h5_type t)
{
    static const char *const name[] = { "signed whole numbers",
                                        "unsigned whole numbers",
                                        "fractional numbers",
                                        "texts",
                                        "booleans",
                                        "compounds",
                                        "of an unknown type" };
    return name[t];
}

/* Filters must be there, and chunks must be whole. */
static enum rc check_filters(const struct h5_data *d, hid_t dcpl, bool unpack, struct err *e)
{
    int n = H5Pget_nfilters(dcpl);
    for (int i = 0; i < n; i++) {
        unsigned flags = 0, cd[8] = { 0 }, config;
        size_t n_cd = 8;
        char name[64] = "";
        H5Z_filter_t id =
            H5Pget_filter2(dcpl, (unsigned)i, &flags, &n_cd, cd, sizeof name, name, &config);
        if (id >= 0 && H5Zfilter_avail(id) > 0)
            continue;
        H5Eclear2(H5E_DEFAULT);
        return err_set(e, RC_INPUT, "'%s' needs HDF5 filter %d%s%s, which is not installed",
                       d->name, (int)id, *name ? " " : "", name);
    }
    return n > 0 && unpack ? h5_check_chunks(d, dcpl, e) : RC_OK;
}

/* No filter in use packs better than about 1032 to 1 (deflate), so a declared size far above the
 * stored bytes is a mistake or an attack; 64 MiB of fill values are let through. */
static enum rc check_storage(const struct h5_data *d, size_t item_bytes, bool unpack, struct err *e)
{
    uint64_t stored = H5Dget_storage_size(d->id);
    uint64_t limit = ((uint64_t)1 << 26) + (stored < UINT64_MAX / 4096 ? stored * 2048 : stored);
    if (item_bytes && d->n_items > limit / item_bytes)
        return err_set(e, RC_INPUT, "'%s' declares %llu values but stores %llu bytes", d->name,
                       (unsigned long long)d->n_items, (unsigned long long)stored);
    hid_t dcpl = H5Dget_create_plist(d->id);
    enum rc rc = RC_OK;
    hsize_t chunk[H5S_MAX_RANK];
    H5D_layout_t layout = H5Pget_layout(dcpl);
    if (layout == H5D_VIRTUAL || H5Pget_external_count(dcpl) > 0)
        rc = err_set(e, RC_INPUT, "'%s' lies in other files, which are not read", d->name);
    int n = layout == H5D_CHUNKED ? H5Pget_chunk(dcpl, H5S_MAX_RANK, chunk) : 0;
    uint64_t bytes = item_bytes;
    for (int i = 0; !rc && i < n; i++)
        if ((bytes *= chunk[i] ? chunk[i] : 1) > limit || bytes > (uint64_t)1 << 31)
            rc = err_set(e, RC_INPUT, "'%s' declares chunks of %llu bytes but stores %llu", d->name,
                         (unsigned long long)bytes, (unsigned long long)stored);
    if (!rc && n > 0)
        rc = check_filters(d, dcpl, unpack, e);
    H5Pclose(dcpl);
    return rc;
}

static enum rc describe(struct h5_data *d, bool unpack, struct err *e)
{
    hid_t type = H5Dget_type(d->id), space = H5Dget_space(d->id);
    enum rc rc = RC_OK;
    size_t item_bytes = 0;
    hsize_t dim[H5S_MAX_RANK] = { 0 };
    int n_dims = space < 0 ? -1 : H5Sget_simple_extent_ndims(space);
    if (type < 0 || n_dims < 0)
        rc = h5_err(e, RC_INPUT, "'%s' is damaged", d->name);
    else if (n_dims > H5_MAX_DIMS || H5Sget_simple_extent_type(space) == H5S_NULL)
        rc = err_set(e, RC_INPUT, "'%s' is no scalar, vector or matrix", d->name);
    if (!rc) {
        d->type = type_of(type);
        item_bytes = H5Tget_size(type);
        d->n_dims = n_dims;
        H5Sget_simple_extent_dims(space, dim, NULL);
        d->n_items = 1;
    }
    for (int i = 0; !rc && i < n_dims; i++) {
        d->dim[i] = dim[i];
        if (dim[i] && d->n_items > UINT64_MAX / 16 / dim[i])
            rc = err_set(e, RC_INPUT, "'%s' declares more values than can be counted", d->name);
        else
            d->n_items *= dim[i];
    }
    if (type >= 0)
        H5Tclose(type);
    if (space >= 0)
        H5Sclose(space);
    return rc ? rc : check_storage(d, item_bytes, unpack, e);
}

static enum rc open_data(hid_t at, const char *name, bool unpack, struct h5_data *d, struct err *e)
{
    *d = (struct h5_data){ .id = -1 };
    if (want_kind(at, name, H5_DATASET, e))
        return RC_INPUT;
    d->id = open_object(at, name);
    d->name = text_new("%s", name);
    if (d->id < 0)
        h5_err(e, RC_INPUT, "cannot open data set '%s'", name);
    else if (!d->name)
        err_set(e, RC_FAIL, "no memory for a name");
    else if (!describe(d, unpack, e))
        return RC_OK;
    h5_data_close(d);
    return e ? e->rc : RC_INPUT;
}

enum rc h5_data_open(hid_t at, const char *name, struct h5_data *d, struct err *e)
{
    return open_data(at, name, true, d, e);
}

enum rc h5_data_open_packed(hid_t at, const char *name, struct h5_data *d, struct err *e)
{
    return open_data(at, name, false, d, e);
}

enum rc h5_data_open_ref(hid_t from, const char *attr, struct h5_data *d, struct err *e)
{
    hobj_ref_t ref = 0;
    *d = (struct h5_data){ .id = -1 };
    hid_t a = H5Aopen(from, attr, H5P_DEFAULT);
    hid_t type = a >= 0 ? H5Aget_type(a) : -1, space = a >= 0 ? H5Aget_space(a) : -1;
    bool good = type >= 0 && space >= 0 && H5Tequal(type, H5T_STD_REF_OBJ) > 0 &&
                H5Sget_simple_extent_npoints(space) == 1 && H5Aread(a, type, &ref) >= 0;
    hid_t id = good ? H5Rdereference2(from, H5P_DEFAULT, H5R_OBJECT, &ref) : -1;
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(a);
    if (id < 0)
        return h5_err(e, RC_INPUT, "attribute '%s' leads nowhere", attr);
    H5Eclear2(H5E_DEFAULT);
    if (H5Iget_type(id) != H5I_DATASET) {
        H5Oclose(id);
        return err_set(e, RC_INPUT, "attribute '%s' leads to no data set", attr);
    }
    d->id = id;
    d->name = text_new("%s", attr);
    if (!d->name) {
        H5Dclose(id);
        return err_set(e, RC_FAIL, "no memory for a name");
    }
    if (!describe(d, true, e))
        return RC_OK;
    h5_data_close(d);
    return e ? e->rc : RC_INPUT;
}

void h5_data_close(struct h5_data *d)
{
    if (d->name && d->id >= 0)
        H5Dclose(d->id);
    free(d->name);
    *d = (struct h5_data){ .id = -1 };
}

enum rc h5_data_want_1d(const struct h5_data *d, uint64_t n, struct err *e)
{
    if (d->n_dims != 1)
        return err_set(e, RC_INPUT, "'%s' has %d dimensions, not one", d->name, d->n_dims);
    if (n != UINT64_MAX && d->n_items != n)
        return err_set(e, RC_INPUT, "'%s' has %llu entries, not %llu", d->name,
                       (unsigned long long)d->n_items, (unsigned long long)n);
    return RC_OK;
}
