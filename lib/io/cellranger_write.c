#include "lib/io/cellranger_write.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/map.h"
#include "lib/data/genename.h"
#include "lib/io/h5.h"
#include "lib/io/textout.h"

/* ---- MTX ---- */

static enum rc write_lines(const char *folder, const char *file, const char *const *a,
                           const char *const *b, const char *last, size_t n, struct err *e)
{
    char *path = text_new("%s/%s", folder, file);
    struct textout o;
    if (!path)
        return err_set(e, RC_FAIL, "no memory for a path");
    enum rc rc = textout_open(&o, path, e);
    for (size_t i = 0; i < n && !rc; i++)
        textout_put(&o, "%s%s%s%s%s\n", a[i], b ? "\t" : "", b ? b[i] : "", last ? "\t" : "",
                    last ? last : "");
    if (!rc)
        rc = textout_close(&o, e);
    free(path);
    return rc;
}

/* genes x cells, counted from 1, cell by cell. */
static enum rc write_mtx(const char *folder, const char *file, const struct csr *c, struct err *e)
{
    char *path = text_new("%s/%s", folder, file);
    struct textout o;
    if (!path)
        return err_set(e, RC_FAIL, "no memory for a path");
    enum rc rc = textout_open(&o, path, e);
    if (!rc) {
        textout_put(&o,
                    "%%%%MatrixMarket matrix coordinate integer general\n%%\n%zu %zu %" PRIu64 "\n",
                    c->n_cols, c->n_rows, csr_nnz(c));
        for (size_t r = 0; r < c->n_rows; r++)
            for (uint64_t k = c->indptr[r]; k < c->indptr[r + 1]; k++)
                textout_put(&o, "%" PRIu32 " %zu %" PRIu32 "\n", c->index[k] + 1, r + 1,
                            c->value[k]);
        rc = textout_close(&o, e);
    }
    free(path);
    return rc;
}

enum rc cr_write_mtx3(const char *folder, const struct cr_matrix *m, struct err *e)
{
    const struct csr *c = m->count;
    if (write_lines(folder, "barcodes.tsv.gz", m->cell, NULL, NULL, c->n_rows, e) ||
        write_lines(folder, "features.tsv.gz", m->id, m->name, "Gene Expression", c->n_cols, e))
        return e->rc;
    return write_mtx(folder, "matrix.mtx.gz", c, e);
}

enum rc cr_write_mtx2(const char *folder, const struct cr_matrix *m, struct err *e)
{
    const struct csr *c = m->count;
    if (write_lines(folder, "barcodes.tsv", m->cell, NULL, NULL, c->n_rows, e) ||
        write_lines(folder, "genes.tsv", m->id, m->name, NULL, c->n_cols, e))
        return e->rc;
    return write_mtx(folder, "matrix.mtx", c, e);
}

/* ---- HDF5 ---- */

/* Texts of one fixed length, padded with zeros, as Cell Ranger stores them. one: the same text for
 * all entries. */
static enum rc put_fixed(hid_t at, const char *name, const char *const *v, const char *one,
                         size_t n, struct err *e)
{
    size_t width = one ? strlen(one) : 1;
    for (size_t i = 0; v && i < n; i++)
        width = strlen(v[i]) > width ? strlen(v[i]) : width;
    width = width ? width : 1;
    char *text = calloc(n + 1, width);
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, width);
    H5Tset_strpad(type, H5T_STR_NULLPAD);
    for (size_t i = 0; text && i < n; i++) {
        const char *s = one ? one : v[i];
        memcpy(text + i * width, s, strlen(s));
    }
    enum rc rc = text ? h5_put_data(at, name, type, type, 1, &(uint64_t){ n }, text, NULL, e)
                      : err_set(e, RC_FAIL, "no memory for %zu texts", n);
    H5Tclose(type);
    free(text);
    return rc;
}

static enum rc put_features(hid_t matrix, const struct cr_matrix *m, struct err *e)
{
    const size_t n = m->count->n_cols;
    hid_t g;
    if (h5_new_group(matrix, "features", &g, e))
        return e->rc;
    enum rc rc = put_fixed(g, "_all_tag_keys", NULL, "genome", 1, e);
    if (!rc)
        rc = put_fixed(g, "feature_type", NULL, "Gene Expression", n, e);
    if (!rc)
        rc = put_fixed(g, "genome", NULL, m->genome, n, e);
    if (!rc)
        rc = put_fixed(g, "id", m->id, NULL, n, e);
    if (!rc)
        rc = put_fixed(g, "name", m->name, NULL, n, e);
    H5Gclose(g);
    return rc;
}

static enum rc put_counts(hid_t g, const struct cr_matrix *m, struct err *e)
{
    const struct csr *c = m->count;
    const uint64_t nnz = csr_nnz(c), dim[] = { c->n_rows + 1 };
    const int64_t shape[] = { (int64_t)c->n_cols, (int64_t)c->n_rows };
    enum rc rc = put_fixed(g, "barcodes", m->cell, NULL, c->n_rows, e);
    if (!rc)
        rc = h5_put_data(g, "data", H5T_STD_I32LE, H5T_NATIVE_UINT32, 1, &nnz, c->value, NULL, e);
    if (!rc)
        rc =
            h5_put_data(g, "indices", H5T_STD_I64LE, H5T_NATIVE_UINT32, 1, &nnz, c->index, NULL, e);
    if (!rc)
        rc = h5_put_data(g, "indptr", H5T_STD_I64LE, H5T_NATIVE_UINT64, 1, dim, c->indptr, NULL, e);
    if (!rc)
        rc = h5_put_data(g, "shape", H5T_STD_I32LE, H5T_NATIVE_INT64, 1, &(uint64_t){ 2 }, shape,
                         NULL, e);
    return rc ? rc : put_features(g, m, e);
}

static enum rc put_root(hid_t file, const struct cr_matrix *m, struct err *e)
{
    enum rc rc = h5_put_attr_text(file, "filetype", "matrix", e);
    if (!rc)
        rc = h5_put_attr_text(file, "chemistry_description", "Simulated", e);
    if (!rc)
        rc = h5_put_attr_texts(file, "library_ids", &m->library, 1, e);
    if (!rc)
        rc = h5_put_attr_i64(file, "original_gem_groups", &(int64_t){ 1 }, 1, e);
    if (!rc)
        rc = h5_put_attr_i64(file, "version", &(int64_t){ 2 }, 1, e);
    hid_t g;
    if (!rc)
        rc = h5_new_group(file, "matrix", &g, e);
    if (!rc) {
        rc = put_counts(g, m, e);
        H5Gclose(g);
    }
    return rc;
}

enum rc cr_write_h5(const char *path, const struct cr_matrix *m, struct err *e)
{
    struct outfile o;
    hid_t file;
    for (uint64_t k = 0; k < csr_nnz(m->count); k++)
        if (m->count->value[k] > INT32_MAX)
            return err_set(e, RC_INPUT, "'%s': count %" PRIu32 " does not fit in 31 bits", path,
                           m->count->value[k]);
    if (outfile_reserve(&o, path, e))
        return e->rc;
    if (h5_create(o.tmp, &file, e)) {
        outfile_abort(&o);
        return e->rc;
    }
    enum rc rc = put_root(file, m, e);
    struct err late = { 0 };
    enum rc closed = h5_finish(file, path, rc ? &late : e);
    rc = rc ? rc : closed;
    return outfile_close(&o, rc, e);
}

/* ---- CSV ---- */

/* The name of row i, which make.unique gives .1, .2, ... when it was there before. */
static enum rc unique_name(struct map *seen, const char *name, char *to, size_t room, struct err *e)
{
    uint64_t old = MAP_NONE;
    if (!make_name(name, to, room))
        return err_set(e, RC_INPUT, "gene name '%s' is too long", name);
    if (map_add(seen, to, 0, &old, e))
        return e->rc;
    for (unsigned k = 1; old != MAP_NONE; k++) {
        make_name(name, to, room);
        size_t n = strlen(to);
        if (snprintf(to + n, room - n, ".%u", k) >= (int)(room - n))
            return err_set(e, RC_INPUT, "gene name '%s' is too long", name);
        if (map_add(seen, to, 0, &old, e))
            return e->rc;
    }
    return RC_OK;
}

static enum rc put_rows(struct textout *o, const struct csr *by_gene, const struct cr_matrix *m,
                        struct map *seen, struct err *e)
{
    char name[256];
    for (size_t c = 0; c < by_gene->n_cols; c++)
        textout_put(o, ",\"%s\"", m->cell[c]);
    textout_text(o, "\n");
    for (size_t g = 0; g < by_gene->n_rows; g++) {
        if (unique_name(seen, m->name[g], name, sizeof name, e))
            return e->rc;
        textout_put(o, "\"%s\"", name);
        uint64_t k = by_gene->indptr[g];
        for (size_t c = 0; c < by_gene->n_cols; c++) {
            bool here = k < by_gene->indptr[g + 1] && by_gene->index[k] == c;
            if (here)
                textout_put(o, ",%" PRIu32, by_gene->value[k++]);
            else
                textout_text(o, ",0");
        }
        textout_text(o, "\n");
    }
    return RC_OK;
}

enum rc cr_write_csv(const char *path, const struct cr_matrix *m, struct err *e)
{
    struct csr by_gene;
    struct textout o;
    struct map seen;
    if (csr_transpose(m->count, &by_gene, e))
        return e->rc;
    map_init(&seen);
    enum rc rc = textout_open(&o, path, e);
    if (!rc && !(rc = put_rows(&o, &by_gene, m, &seen, e)))
        rc = textout_close(&o, e);
    else if (rc)
        textout_abort(&o); /* harmless when it did not open */
    map_release(&seen);
    csr_release(&by_gene);
    return rc;
}
