/* lib/io/anndata.c and all below it: an .h5ad of any content is refused or read well. The first
 * byte of the recipe says which generation. */
#include "tests/fuzz/hdf5_fuzz.h"

static const double codes[] = { 0, 1, -1, 0 }, mask[] = { 0, 1, 0, 0 }, numbers[] = { 1, 2, 3, 4 };
static const char *const categories[] = { "B", "T" };

#define N_OF(a) (sizeof(a) / sizeof *(a))

static const struct fuzz_item modern[] = {
    { "X/data", { 5 }, fuzz_data, NULL },
    { "X/indices", { 5 }, fuzz_indices, NULL },
    { "X/indptr", { 5 }, fuzz_indptr, NULL },
    { "obs/_index", { 4 }, NULL, fuzz_cells },
    { "obs/cell_type/codes", { 4 }, codes, NULL },
    { "obs/cell_type/categories", { 2 }, NULL, categories },
    { "obs/n/values", { 4 }, numbers, NULL },
    { "obs/n/mask", { 4 }, mask, NULL },
    { "obs/cell_id", { 4 }, numbers, NULL },
    { "obs/species", { 4 }, NULL, fuzz_cells },
    { "var/_index", { 3 }, NULL, fuzz_names },
    { "var/gene_ids", { 3 }, NULL, fuzz_ids },
    { "var/feature_types", { 3 }, NULL, fuzz_types },
    { "raw/X", { 4, 3 }, fuzz_dense, NULL },
    { "raw/var/_index", { 3 }, NULL, fuzz_names },
    { "layers/counts", { 4, 3 }, fuzz_dense, NULL },
};
static const struct fuzz_attr modern_attr[] = {
    { "X", "encoding-type", "csr_matrix", { 0 } }, { "X", "shape", NULL, { 4, 3 } },
    { "obs", "_index", "_index", { 0 } },          { "var", "_index", "_index", { 0 } },
    { "raw/var", "_index", "_index", { 0 } },
};

/* Before 0.7; obs and var become compounds by recipe. */
static const struct fuzz_item old[] = {
    { "X", { 4, 3 }, fuzz_dense, NULL },
    { "obs/index", { 4 }, NULL, fuzz_cells },
    { "var/index", { 3 }, NULL, fuzz_names },
    { "raw.X/data", { 5 }, fuzz_data, NULL },
    { "raw.X/indices", { 5 }, fuzz_indices, NULL },
    { "raw.X/indptr", { 5 }, fuzz_indptr, NULL },
    { "raw.var/index", { 3 }, NULL, fuzz_ids },
    { "uns/cell_type_categories", { 2 }, NULL, categories },
};
static const struct fuzz_item compound[] = {
    { "X", { 4, 3 }, fuzz_dense, NULL },
    { "obs", { 4 }, NULL, fuzz_cells },
    { "var", { 3 }, NULL, fuzz_names },
    { "uns/cell_type_categories", { 2 }, NULL, categories },
};
static const struct fuzz_attr old_attr[] = {
    { "raw.X", "h5sparse_format", "csr", { 0 } },
    { "raw.X", "h5sparse_shape", NULL, { 4, 3 } },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size && data[0] % 3 == 1)
        return fuzz_build(data + 1, size - 1, old, N_OF(old), old_attr, N_OF(old_attr),
                          anndata_read);
    if (size && data[0] % 3 == 2) {
        /* Texts are no frame: op 5, then the compound. */
        uint8_t recipe[256] = { 0, 5, 7 | 16, 0, 0, 0, 5, 7 };
        size_t n = size - 1 < sizeof recipe - 8 ? size - 1 : sizeof recipe - 8;
        memcpy(recipe + 8, data + 1, n);
        if (size > 1)
            recipe[data[1] % 8] ^= data[size - 1];
        return fuzz_build(recipe, n + 8, compound, N_OF(compound), NULL, 0, anndata_read);
    }
    return fuzz_build(data + (size > 0), size - (size > 0), modern, N_OF(modern), modern_attr,
                      N_OF(modern_attr), anndata_read);
}
