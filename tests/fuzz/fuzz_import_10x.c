/* lib/io/tenx.c: a Cell Ranger HDF5 of any content is refused or read well. The first byte of the
 * recipe says which version. */
#include "tests/fuzz/hdf5_fuzz.h"

static const double shape[] = { 3, 4 };

static const struct fuzz_item v3[] = {
    { "matrix/barcodes", { 4 }, NULL, fuzz_cells },
    { "matrix/data", { 5 }, fuzz_data, NULL },
    { "matrix/indices", { 5 }, fuzz_indices, NULL },
    { "matrix/indptr", { 5 }, fuzz_indptr, NULL },
    { "matrix/shape", { 2 }, shape, NULL },
    { "matrix/features/id", { 3 }, NULL, fuzz_ids },
    { "matrix/features/name", { 3 }, NULL, fuzz_names },
    { "matrix/features/feature_type", { 3 }, NULL, fuzz_types },
};

#define GENOME(g)                                                                                  \
    { g "/barcodes", { 4 }, NULL, fuzz_cells }, { g "/data", { 5 }, fuzz_data, NULL },             \
        { g "/indices", { 5 }, fuzz_indices, NULL }, { g "/indptr", { 5 }, fuzz_indptr, NULL },    \
        { g "/shape", { 2 }, shape, NULL }, { g "/genes", { 3 }, NULL, fuzz_ids },                 \
    {                                                                                              \
        g "/gene_names", { 3 }, NULL, fuzz_names                                                   \
    }

static const struct fuzz_item v2[] = { GENOME("hg19"), GENOME("mm10") };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t skip = size > 0;
    /* Version 2 with one genome or two. */
    if (size && data[0] % 3)
        return fuzz_build(data + skip, size - skip, v2, data[0] % 3 == 1 ? 7 : 14, NULL, 0,
                          tenx_read);
    return fuzz_build(data + skip, size - skip, v3, sizeof v3 / sizeof *v3, NULL, 0, tenx_read);
}
