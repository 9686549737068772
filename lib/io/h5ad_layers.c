#include "lib/io/h5ad_layers.h"

#include <assert.h>

void h5ad_layers_close(struct h5ad_layers *l)
{
    for (size_t i = 0; i < l->n; i++)
        H5Dclose(l->id[i]);
    *l = (struct h5ad_layers){ 0 };
}

static hid_t create(hid_t at, const char *name, size_t n_rows, size_t n_cols)
{
    const hsize_t dim[2] = { n_rows, n_cols };
    hid_t dcpl = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(2, dim, NULL);
    H5Pset_obj_track_times(dcpl, false);
    H5Pset_alloc_time(dcpl, H5D_ALLOC_TIME_EARLY);
    hid_t id = H5Dcreate2(at, name, H5T_IEEE_F32LE, space, H5P_DEFAULT, dcpl, H5P_DEFAULT);
    H5Sclose(space);
    H5Pclose(dcpl);
    return id;
}

enum rc h5ad_layers_open(struct h5ad_layers *l, hid_t file, const char *const *name, size_t n,
                         size_t n_rows, size_t n_cols, struct err *e)
{
    hid_t group;
    assert(n <= H5AD_MAX_LAYERS);
    *l = (struct h5ad_layers){ .n_rows = n_rows, .n_cols = n_cols };
    enum rc rc = h5_new_group(file, "layers", &group, e);
    if (rc)
        return rc;
    for (size_t i = 0; !rc && i < n; i++) {
        const hid_t id = create(group, name[i], n_rows, n_cols);
        if (id < 0) {
            rc = h5_err(e, RC_FAIL, "cannot make layer '%s'", name[i]);
        } else {
            l->id[l->n++] = id;
            rc = h5_put_encoding(id, "array", "0.2.0", e);
        }
    }
    H5Gclose(group);
    if (rc)
        h5ad_layers_close(l);
    return rc;
}

enum rc h5ad_layers_put(struct h5ad_layers *l, size_t layer, size_t first, size_t n, const float *x,
                        struct err *e)
{
    const hsize_t at[2] = { 0, first }, size[2] = { l->n_rows, n };
    assert(layer < l->n && first <= l->n_cols && n <= l->n_cols - first);
    if (!n || !l->n_rows)
        return RC_OK;
    hid_t mem = H5Screate_simple(2, size, NULL), space = H5Dget_space(l->id[layer]);
    const bool good = mem >= 0 && space >= 0 &&
                      H5Sselect_hyperslab(space, H5S_SELECT_SET, at, NULL, size, NULL) >= 0 &&
                      H5Dwrite(l->id[layer], H5T_NATIVE_FLOAT, mem, space, H5P_DEFAULT, x) >= 0;
    if (mem >= 0)
        H5Sclose(mem);
    if (space >= 0)
        H5Sclose(space);
    return good ? RC_OK : h5_err(e, RC_FAIL, "cannot write columns %zu..%zu", first, first + n);
}
