/* lib/io/perturb_file: an .h5ad of any content is refused or becomes a set that keeps its promises.
 * The first byte says whether X is dense. */
#include "tests/fuzz/hdf5_fuzz.h"

#include "lib/io/perturb_file.h"
#include "tests/fuzz/perturb_fuzz.h"

static const double expression[] = { 1.5, 0.25, 2, 3, 0.5 };
static const char *const conditions[] = { "ctrl", "TNMD+ctrl", "DPM1+TNMD", "ctrl" };

#define N_OF(a) (sizeof(a) / sizeof *(a))

static const struct fuzz_item sparse[] = {
    { "X/data", { 5 }, expression, NULL },        { "X/indices", { 5 }, fuzz_indices, NULL },
    { "X/indptr", { 5 }, fuzz_indptr, NULL },     { "obs/_index", { 4 }, NULL, fuzz_cells },
    { "obs/condition", { 4 }, NULL, conditions }, { "var/_index", { 3 }, NULL, fuzz_ids },
    { "var/gene_name", { 3 }, NULL, fuzz_names },
};
static const struct fuzz_item dense[] = {
    { "X", { 4, 3 }, fuzz_dense, NULL },
    { "obs/_index", { 4 }, NULL, fuzz_cells },
    { "obs/condition", { 4 }, NULL, conditions },
    { "var/_index", { 3 }, NULL, fuzz_names },
};
static const struct fuzz_attr attr[] = {
    { "obs", "_index", "_index", { 0 } },
    { "var", "_index", "_index", { 0 } },
    { "X", "encoding-type", "csr_matrix", { 0 } },
    { "X", "shape", NULL, { 4, 3 } },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const bool is_dense = size && data[0] % 2;
    const struct perturb_rules rules = { size && data[0] & 4 ? PERTURB_COUNTS : PERTURB_AUTO, 1e4,
                                         1 };
    struct perturb_set s;
    struct err e = { 0 };
    hid_t file = is_dense ? fuzz_make(data + 1, size - 1, dense, N_OF(dense), attr, 2)
                          : fuzz_make(data + (size > 0), size - (size > 0), sparse, N_OF(sparse),
                                      attr, N_OF(attr));
    const enum rc rc = perturb_file_from(file, NULL, &rules, &s, &e);
    if (!size && rc)
        abort(); /* the honest file */
    H5Fclose(file);
    perturb_fuzz_check(&s, rc, &e);
    return 0;
}
