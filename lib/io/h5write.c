/* Writing HDF5 objects without time stamps. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/spill.h"
#include "lib/io/h5.h"

enum rc h5_create(const char *path, hid_t *file, struct err *e)
{
    h5_setup();
    hid_t fcpl = H5Pcreate(H5P_FILE_CREATE), fapl = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_obj_track_times(fcpl, false); /* the root group */
    H5Pset_fclose_degree(fapl, H5F_CLOSE_STRONG);
    *file = H5Fcreate(path, H5F_ACC_TRUNC, fcpl, fapl);
    enum rc rc = *file >= 0 ? RC_OK : h5_err(e, RC_FAIL, "cannot write '%s'", path);
    H5Pclose(fapl);
    H5Pclose(fcpl);
    return rc;
}

enum rc h5_finish(hid_t file, const char *path, struct err *e)
{
    bool bad = H5Fflush(file, H5F_SCOPE_GLOBAL) < 0;
    if (bad)
        h5_err(e, RC_FAIL, "cannot write '%s'", path);
    if (H5Fclose(file) < 0 && !bad) {
        bad = true;
        h5_err(e, RC_FAIL, "cannot write '%s'", path);
    }
    H5Eclear2(H5E_DEFAULT);
    return bad ? RC_FAIL : RC_OK;
}

enum rc h5_new_group(hid_t at, const char *name, hid_t *group, struct err *e)
{
    hid_t gcpl = H5Pcreate(H5P_GROUP_CREATE);
    H5Pset_obj_track_times(gcpl, false);
    *group = H5Gcreate2(at, name, H5P_DEFAULT, gcpl, H5P_DEFAULT);
    enum rc rc = *group >= 0 ? RC_OK : h5_err(e, RC_FAIL, "cannot write group '%s'", name);
    H5Pclose(gcpl);
    return rc;
}

static hid_t text_type(void)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, H5T_VARIABLE);
    H5Tset_cset(type, H5T_CSET_UTF8);
    return type;
}

/* Takes over space. */
static enum rc put_attr(hid_t at, const char *name, hid_t file_type, hid_t mem_type, hid_t space,
                        const void *v, struct err *e)
{
    hid_t attr = H5Acreate2(at, name, file_type, space, H5P_DEFAULT, H5P_DEFAULT);
    bool bad = attr < 0;
    if (!bad && v && H5Sget_simple_extent_npoints(space) > 0)
        bad = H5Awrite(attr, mem_type, v) < 0;
    enum rc rc = bad ? h5_err(e, RC_FAIL, "cannot write attribute '%s'", name) : RC_OK;
    if (attr >= 0)
        H5Aclose(attr);
    H5Sclose(space);
    return rc;
}

enum rc h5_put_attr_text(hid_t at, const char *name, const char *text, struct err *e)
{
    hid_t type = text_type();
    enum rc rc = put_attr(at, name, type, type, H5Screate(H5S_SCALAR), &text, e);
    H5Tclose(type);
    return rc;
}

enum rc h5_put_attr_texts(hid_t at, const char *name, const char *const *v, size_t n, struct err *e)
{
    hid_t type = text_type();
    hsize_t dim = n;
    enum rc rc = put_attr(at, name, type, type, H5Screate_simple(1, &dim, NULL), v, e);
    H5Tclose(type);
    return rc;
}

enum rc h5_put_attr_i64(hid_t at, const char *name, const int64_t *v, size_t n, struct err *e)
{
    hsize_t dim = n;
    return put_attr(at, name, H5T_STD_I64LE, H5T_NATIVE_INT64, H5Screate_simple(1, &dim, NULL), v,
                    e);
}

enum rc h5_put_attr_bool(hid_t at, const char *name, bool v, struct err *e)
{
    /* h5py's boolean: an enumeration over int8. */
    hid_t type = H5Tenum_create(H5T_STD_I8LE);
    H5Tenum_insert(type, "FALSE", &(signed char){ 0 });
    H5Tenum_insert(type, "TRUE", &(signed char){ 1 });
    signed char b = v;
    enum rc rc = put_attr(at, name, type, type, H5Screate(H5S_SCALAR), &b, e);
    H5Tclose(type);
    return rc;
}

/* Entries [at, at + n) of a data set of one dimension. */
static bool write_span(hid_t d, hid_t mem_type, hsize_t at, hsize_t n, const void *v)
{
    hid_t file = H5Dget_space(d), mem = H5Screate_simple(1, &n, NULL);
    bool good = file >= 0 && mem >= 0 &&
                H5Sselect_hyperslab(file, H5S_SELECT_SET, &at, NULL, &n, NULL) >= 0 &&
                H5Dwrite(d, mem_type, mem, file, H5P_DEFAULT, v) >= 0;
    if (mem >= 0)
        H5Sclose(mem);
    if (file >= 0)
        H5Sclose(file);
    return good;
}

/* Long ones a piece at a time, which gives the same file: what is written is spilled memory. */
static bool write_all(hid_t d, hid_t mem_type, hid_t space, const void *v)
{
    const hsize_t n = (hsize_t)H5Sget_simple_extent_npoints(space);
    const size_t item = H5Tget_size(mem_type);
    bool good = true;
    if (H5Sget_simple_extent_ndims(space) != 1 || n <= SPILL_STEP)
        return n == 0 || H5Dwrite(d, mem_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, v) >= 0;
    for (hsize_t at = 0, m; good && at < n; at += m) {
        m = n - at < SPILL_STEP ? n - at : SPILL_STEP;
        good = write_span(d, mem_type, at, m, (const char *)v + (size_t)at * item);
        spill_rest();
    }
    return good;
}

/* Takes over space. v NULL: nothing is written yet. */
static enum rc put(hid_t at, const char *name, hid_t file_type, hid_t mem_type, hid_t space,
                   const void *v, hid_t *id, struct err *e)
{
    hid_t dcpl = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_obj_track_times(dcpl, false);
    hid_t d = H5Dcreate2(at, name, file_type, space, H5P_DEFAULT, dcpl, H5P_DEFAULT);
    bool bad = d < 0 || (v && !write_all(d, mem_type, space, v));
    if (bad)
        h5_err(e, RC_FAIL, "cannot write '%s'", name);
    H5Pclose(dcpl);
    H5Sclose(space);
    if (bad) {
        if (d >= 0)
            H5Dclose(d);
        return RC_FAIL;
    }
    if (id)
        *id = d;
    else
        H5Dclose(d);
    return RC_OK;
}

enum rc h5_put_data(hid_t at, const char *name, hid_t file_type, hid_t mem_type, int n_dims,
                    const uint64_t *dim, const void *v, hid_t *id, struct err *e)
{
    hsize_t d[H5_MAX_DIMS] = { 0 };
    for (int i = 0; i < n_dims; i++)
        d[i] = dim[i];
    return put(at, name, file_type, mem_type, H5Screate_simple(n_dims, d, NULL), v, id, e);
}

/* As many texts at a time as HDF5 turns to their stored form at once (1 MiB of 16 bytes each),
 * which it does from the last to the first: the heap of the file is the same as after one call. */
enum { TEXTS = 1 << 16 };

static bool write_texts(hid_t d, hid_t type, const char *const *v, size_t n)
{
    const char **full = malloc((n < TEXTS ? n + 1 : TEXTS) * sizeof *full);
    bool good = full != NULL;
    for (size_t at = 0, m; good && at < n; at += m) {
        m = n - at < TEXTS ? n - at : TEXTS;
        for (size_t i = 0; i < m; i++)
            full[i] = v[at + i] ? v[at + i] : "";
        good = write_span(d, type, at, m, full);
        spill_rest();
    }
    free(full);
    return good;
}

enum rc h5_put_texts(hid_t at, const char *name, const char *const *v, size_t n, hid_t *id,
                     struct err *e)
{
    const bool scalar = n == SIZE_MAX;
    const char *one = scalar && v[0] ? v[0] : "";
    const hsize_t dim = n;
    hid_t type = text_type(), d = -1;
    enum rc rc =
        put(at, name, type, type, scalar ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &dim, NULL),
            scalar ? &one : NULL, &d, e);
    if (!rc && !scalar && !write_texts(d, type, v, n))
        rc = h5_err(e, RC_FAIL, "cannot write '%s'", name);
    H5Tclose(type);
    if (!rc && id)
        *id = d;
    else if (d >= 0)
        H5Dclose(d);
    return rc;
}

enum rc h5_put_encoding(hid_t at, const char *type, const char *version, struct err *e)
{
    if (h5_put_attr_text(at, "encoding-type", type, e))
        return RC_FAIL;
    return h5_put_attr_text(at, "encoding-version", version, e);
}

enum rc h5_put_string_array(hid_t at, const char *name, const char *const *v, size_t n,
                            struct err *e)
{
    hid_t id;
    if (h5_put_texts(at, name, v, n, &id, e))
        return RC_FAIL;
    enum rc rc = h5_put_encoding(id, "string-array", "0.2.0", e);
    H5Dclose(id);
    return rc;
}
