/* HDF5 files from a recipe of bytes, for the import targets.
 *
 * Random damage to the bytes of an HDF5 file mostly finds faults of the HDF5 library, which import
 * runs in a process of its own (lib/io/source_child.h; tests/lib/io/test_damage.c does that). Here
 * the file is well formed and its content is not: each target has a list of what an honest file
 * holds, and each byte of the recipe says how the next thing differs from it: absent, of another
 * type, length or rank, a link to something else, with other values. An empty recipe is honest. */
#ifndef GC_TESTS_HDF5_FUZZ_H
#define GC_TESTS_HDF5_FUZZ_H

#include <math.h>

#include "tests/fuzz/import_fuzz.h"

/* A data set of an honest file: numbers (v) or texts (t). dim[1] = 0: one dimension. */
struct fuzz_item {
    const char *path;
    unsigned dim[2];
    const double *v;
    const char *const *t;
};

/* An attribute of path: a text, or two whole numbers when text is NULL. */
struct fuzz_attr {
    const char *path, *name, *text;
    int64_t number[2];
};

struct recipe {
    const uint8_t *at;
    size_t left;
};

static uint8_t next(struct recipe *r)
{
    if (!r->left)
        return 0;
    r->left--;
    return *r->at++;
}

enum { FUZZ_MAX = 64 };

static hid_t fuzz_number_type(uint8_t b)
{
    const hid_t type[] = { H5T_STD_I32LE,  H5T_STD_I8LE,  H5T_STD_I64LE, H5T_STD_U8LE,
                           H5T_STD_U32LE,  H5T_STD_U64LE, H5T_STD_I32BE, H5T_IEEE_F32LE,
                           H5T_IEEE_F64LE, H5T_IEEE_F32BE };
    return H5Tcopy(type[b % (sizeof type / sizeof *type)]);
}

static hid_t fuzz_odd_type(uint8_t b)
{
    hid_t type;
    switch (b % 4) {
    case 0:
        type = H5Tcopy(H5T_C_S1);
        H5Tset_size(type, H5T_VARIABLE);
        return type;
    case 1:
        type = H5Tcopy(H5T_C_S1);
        H5Tset_size(type, 1 + b / 4);
        H5Tset_strpad(type, b & 4 ? H5T_STR_NULLPAD : H5T_STR_SPACEPAD);
        return type;
    case 2:
        type = H5Tenum_create(H5T_STD_I8LE);
        H5Tenum_insert(type, "FALSE", &(signed char){ 0 });
        H5Tenum_insert(type, "TRUE", &(signed char){ 1 });
        return type;
    default: /* what obs was before anndata 0.7 */
        type = H5Tcreate(H5T_COMPOUND, 16);
        hid_t text = H5Tcopy(H5T_C_S1);
        H5Tset_size(text, 4);
        H5Tinsert(type, b & 4 ? "index" : "name", 0, text);
        H5Tinsert(type, "cell_type", 4, H5T_STD_I8LE);
        H5Tinsert(type, b & 8 ? "q" : "cell type/x", 8, b & 16 ? H5T_IEEE_F64LE : H5T_STD_I64LE);
        H5Tclose(text);
        return type;
    }
}

static double fuzz_value(uint8_t b)
{
    static const double odd[] = { -1,           0,    1,   2,         3,   4,   2147483647,
                                  2147483648.0, 1e20, 0.5, 0.9999999, 255, NAN, INFINITY,
                                  -3,           65536 };
    return odd[b % 16];
}

/* Numbers or texts of n entries into an open data set. */
static void fuzz_fill(hid_t d, hid_t type, const struct fuzz_item *it, size_t n, bool odd,
                      struct recipe *r)
{
    H5T_class_t class = H5Tget_class(type);
    if (class == H5T_STRING) {
        const char *text[FUZZ_MAX];
        static char fixed[FUZZ_MAX * 65];
        size_t width = H5Tis_variable_str(type) > 0 ? 0 : H5Tget_size(type);
        static const char *const some[] = { "",         "a",      "ENSG00000000003.7",
                                            "hg19_A",   "mm10_A", "Gene Expression",
                                            "\xff\xfe", "ACTB" };
        memset(fixed, 0, sizeof fixed);
        for (size_t i = 0; i < n; i++) {
            text[i] = odd || !it->t ? some[next(r) % 8] : it->t[i % (it->dim[0] ? it->dim[0] : 1)];
            if (width)
                memcpy(fixed + i * width, text[i],
                       strlen(text[i]) < width ? strlen(text[i]) : width);
        }
        H5Dwrite(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, width ? (void *)fixed : (void *)text);
    } else if (class == H5T_INTEGER || class == H5T_FLOAT) {
        double v[FUZZ_MAX];
        for (size_t i = 0; i < n; i++)
            v[i] = odd || !it->v ? fuzz_value(next(r)) : it->v[i];
        H5Dwrite(d, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, v);
    } else {
        uint8_t bytes[FUZZ_MAX * 16];
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = i % 16 < 4 ? (uint8_t)('a' + i / 16) : next(r) % 3;
        H5Dwrite(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes);
    }
}

static hid_t fuzz_lcpl(void)
{
    hid_t lcpl = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(lcpl, 1);
    return lcpl;
}

static void fuzz_put(hid_t file, const struct fuzz_item *it, struct recipe *r)
{
    uint8_t op = next(r) % 16;
    hid_t lcpl = fuzz_lcpl();
    if (op == 1) {
        H5Pclose(lcpl);
        return; /* absent */
    }
    if (op == 2 || op == 3) { /* a link to itself, or to something else */
        static const char *const to[] = { "/", "/nowhere", "/obs", "/X", "/matrix", "/var/_index" };
        H5Lcreate_soft(op == 2 ? it->path : to[next(r) % 6], file, it->path, lcpl, H5P_DEFAULT);
        H5Pclose(lcpl);
        return;
    }
    if (op == 4) {
        hid_t g = H5Gcreate2(file, it->path, lcpl, H5P_DEFAULT, H5P_DEFAULT);
        if (g >= 0)
            H5Gclose(g);
        H5Pclose(lcpl);
        return;
    }
    hid_t type = op == 5   ? fuzz_odd_type(next(r))
                 : op == 6 ? fuzz_number_type(next(r))
                 : it->t   ? fuzz_odd_type(0)
                           : fuzz_number_type(0);
    hsize_t dim[3] = { it->dim[0], it->dim[1], 1 };
    int n_dims = it->dim[1] ? 2 : 1;
    bool odd = op >= 7 && op <= 10;
    if (op == 7 || op == 8)
        dim[op == 8 && n_dims == 2] = next(r) % 9;
    if (op == 9)
        n_dims = next(r) % 4;
    size_t n = 1;
    for (int i = 0; i < n_dims; i++)
        n *= (size_t)dim[i];
    odd = odd || (it->dim[1] ? n != (size_t)it->dim[0] * it->dim[1] : n != it->dim[0]);
    hid_t space = n_dims ? H5Screate_simple(n_dims, dim, NULL) : H5Screate(H5S_SCALAR);
    hid_t dcpl = H5Pcreate(H5P_DATASET_CREATE);
    if (op >= 11 && n && n_dims) { /* chunks of all or of two */
        hsize_t chunk[3];
        for (int i = 0; i < n_dims; i++)
            chunk[i] = op & 1 ? dim[i] : 1 + dim[i] / 2;
        H5Pset_chunk(dcpl, n_dims, chunk);
        if (op >= 12)
            H5Pset_shuffle(dcpl);
        if (op >= 13)
            H5Pset_deflate(dcpl, 1);
    }
    hid_t d = H5Dcreate2(file, it->path, type, space, lcpl, dcpl, H5P_DEFAULT);
    if (d >= 0) {
        if (n && n <= FUZZ_MAX)
            fuzz_fill(d, type, it, n, odd, r);
        H5Dclose(d);
    }
    H5Pclose(dcpl);
    H5Pclose(lcpl);
    H5Sclose(space);
    H5Tclose(type);
}

static void fuzz_put_attr(hid_t file, const struct fuzz_attr *a, struct recipe *r)
{
    static const char *const text[] = { "csr_matrix", "csc_matrix", "_index", "", "x", "csc" };
    uint8_t op = next(r) % 8;
    if (op == 1)
        return;
    hid_t at = H5Oopen(file, a->path, H5P_DEFAULT);
    if (at < 0)
        return;
    if (a->text && op != 2) {
        h5_put_attr_text(at, a->name, op == 3 ? text[next(r) % 6] : a->text, NULL);
    } else {
        int64_t v[2] = { a->number[0], a->number[1] };
        if (op == 3 || op == 4)
            v[op - 3] = (int64_t)next(r) - 3;
        if (op == 5)
            v[0] = INT64_C(1) << (next(r) % 63);
        h5_put_attr_i64(at, a->name, v, op == 6 ? 1 : 2, NULL);
    }
    H5Oclose(at);
}

/* Builds the file in memory; the caller closes it. */
static hid_t fuzz_make(const uint8_t *data, size_t size, const struct fuzz_item *item, size_t n,
                       const struct fuzz_attr *attr, size_t n_attr)
{
    struct recipe r = { data, size };
    h5_setup();
    hid_t fapl = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_fapl_core(fapl, 1 << 16, 0);
    H5Pset_fclose_degree(fapl, H5F_CLOSE_STRONG);
    hid_t file = H5Fcreate("recipe", H5F_ACC_TRUNC, H5P_DEFAULT, fapl);
    H5Pclose(fapl);
    if (file < 0)
        abort();
    /* Each with a recipe of its own, so that a changed byte changes one thing. */
    for (size_t i = 0; i < n; i++)
        fuzz_put(file, &item[i], &r);
    for (size_t i = 0; i < n_attr; i++)
        fuzz_put_attr(file, &attr[i], &r);
    H5Eclear2(H5E_DEFAULT);
    return file;
}

/* Builds the file and reads it. */
__attribute__((unused)) static int fuzz_build(const uint8_t *data, size_t size, const struct fuzz_item *item, size_t n,
                      const struct fuzz_attr *attr, size_t n_attr,
                      enum rc (*read)(int64_t file, const char *layer, struct source *s,
                                      struct err *e))
{
    struct source s;
    struct err e = { 0 };
    hid_t file = fuzz_make(data, size, item, n, attr, n_attr);
    fuzz_source_init(&s, size);
    enum rc rc = read(file, NULL, &s, &e);
    if (!size && rc)
        abort(); /* the honest file */
    H5Fclose(file);
    return fuzz_source(&s, rc, &e);
}

/* The honest counts: 4 cells x 3 genes. */
static const double fuzz_data[] = { 5, 1, 7, 300, 2 }, fuzz_indices[] = { 0, 2, 1, 0, 1 },
                    fuzz_indptr[] = { 0, 2, 3, 3, 5 },
                    fuzz_dense[] = { 5, 0, 1, 0, 7, 0, 0, 0, 0, 300, 2, 0 },
                    fuzz_genes_by_cells[] = { 5, 0, 0, 300, 0, 7, 0, 2, 1, 0, 0, 0 };
static const char *const fuzz_cells[] = { "AAAC-1", "AAAG-1", "AAAT-1", "AACC-1" };
static const char *const fuzz_ids[] = { "ENSG00000000003.2", "ENSG00000000005", "ENSG00000000419" };
static const char *const fuzz_names[] = { "TSPAN6", "TNMD", "DPM1" };
static const char *const fuzz_types[] = { "Gene Expression", "Gene Expression",
                                          "Antibody Capture" };

#endif
