/* lib/io/loom.c: a loom file of any content is refused or read well. */
#include "tests/fuzz/hdf5_fuzz.h"

static const double numbers[] = { 1, 2, 3, 4 };

static const struct fuzz_item loom[] = {
    { "matrix", { 3, 4 }, fuzz_genes_by_cells, NULL },
    { "row_attrs/Gene", { 3 }, NULL, fuzz_names },
    { "row_attrs/Accession", { 3 }, NULL, fuzz_ids },
    { "col_attrs/CellID", { 4 }, NULL, fuzz_cells },
    { "col_attrs/ClusterName", { 4 }, NULL, fuzz_cells },
    { "col_attrs/n", { 4 }, numbers, NULL },
    { "layers/spliced", { 3, 4 }, fuzz_genes_by_cells, NULL },
    { "layers/counts", { 3, 4 }, fuzz_genes_by_cells, NULL },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_build(data, size, loom, sizeof loom / sizeof *loom, NULL, 0, loom_read);
}
