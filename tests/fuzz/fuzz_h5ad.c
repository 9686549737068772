/* lib/io/h5ad and h5ad_rows, which read what our own stages wrote: a file of any content under the
 * right names is refused with a sentence, or read to cells that keep their promises, whole and row
 * by row the same. */
#include "lib/io/h5ad.h"
#include "lib/io/h5ad_rows.h"
#include "tests/fuzz/hdf5_fuzz.h"

static const double fuzz_codes[] = { 0, 1, -1, 0 }, fuzz_vectors[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
static const char *const fuzz_categories[] = { "B", "T" }, *const fuzz_uns[] = { "abcd" };

static const struct fuzz_item item[] = {
    { "X/data", { 5 }, fuzz_data, NULL },
    { "X/indices", { 5 }, fuzz_indices, NULL },
    { "X/indptr", { 5 }, fuzz_indptr, NULL },
    { "obs/_index", { 4 }, NULL, fuzz_cells },
    { "obs/label/codes", { 4 }, fuzz_codes, NULL },
    { "obs/label/categories", { 2 }, NULL, fuzz_categories },
    { "obs/cell_id", { 4 }, fuzz_vectors, NULL },
    { "var/_index", { 3 }, NULL, fuzz_names },
    { "obsm/X_genecompass", { 4, 2 }, fuzz_vectors, NULL },
    { "uns/text", { 1 }, NULL, fuzz_uns },
};
static const struct fuzz_attr attr[] = {
    { "X", "encoding-type", "csr_matrix", { 0 } },
    { "X", "shape", NULL, { 4, 3 } },
    { "obs", "_index", "_index", { 0 } },
    { "var", "_index", "_index", { 0 } },
    { "obs/label", "encoding-type", "categorical", { 0 } },
};

static void check_rows(const char *path, const struct cells *c)
{
    struct h5ad_rows r;
    struct err e = { 0 };
    if (h5ad_rows_open(&r, path, &e)) {
        if (!e.text[0] || c)
            abort(); /* what is read whole is read in rows */
        return;
    }
    enum rc rc = RC_OK;
    uint64_t at = 0;
    for (size_t first = 0, n; !rc && first < r.head.count.n_rows; first += n) {
        struct csr b;
        n = first % 2 ? 1 : h5ad_rows_block(&r, first);
        n = n > 2 ? 2 : n;
        rc = h5ad_rows_read(&r, first, n, &b, &e);
        if (!rc && (csr_check(&b, &e) ||
                    (c && memcmp(b.value, c->count.value + at, (size_t)csr_nnz(&b) * 4) != 0)))
            abort();
        at += rc ? 0 : csr_nnz(&b);
    }
    if (rc ? !e.text[0] || c : c && at != csr_nnz(&c->count))
        abort();
    h5ad_rows_close(&r);
}

static void check_file(const char *path, bool honest)
{
    struct cells c;
    struct err e = { 0 };
    float *v = NULL;
    size_t n_rows, n_cols;
    enum rc rc = h5ad_read(path, &c, &e);
    const bool has_x = !rc && c.count.indptr; /* a file of vectors has none */
    if (rc ? !e.text[0] || honest
           : has_x && (csr_check(&c.count, &e) || c.obs.n_rows != c.count.n_rows))
        abort();
    check_rows(path, has_x ? &c : NULL);
    if (!rc)
        cells_release(&c);
    err_clear(&e);
    if (h5ad_read_obsm(path, "X_genecompass", &v, &n_rows, &n_cols, &e) ? !e.text[0] : !v)
        abort();
    free(v);
    char text[8];
    err_clear(&e);
    if (h5ad_read_uns(path, "text", text, sizeof text, &e) ? !e.text[0] || honest
                                                           : !memchr(text, 0, sizeof text))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct recipe r = { data, size };
    const char *path = fuzz_file("cells.h5ad", "", 0);
    h5_setup();
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    if (file < 0)
        abort();
    for (size_t i = 0; i < sizeof item / sizeof *item; i++)
        fuzz_put(file, &item[i], &r);
    for (size_t i = 0; i < sizeof attr / sizeof *attr; i++)
        fuzz_put_attr(file, &attr[i], &r);
    H5Eclear2(H5E_DEFAULT);
    if (H5Fclose(file) < 0)
        abort();
    check_file(path, size == 0);
    unlink(path);
    (void)fuzz_build; /* the import targets' */
    return 0;
}
