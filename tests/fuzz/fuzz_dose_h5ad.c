/* lib/io/dose_file: an .h5ad of any content is refused or becomes a set that keeps its promises.
 * The first byte says whether doses are texts, and whether types and parts are asked for. */
#include "tests/fuzz/hdf5_fuzz.h"

#include <string.h>

#include "lib/io/dose_file.h"

static const double expression[] = { 1.5, 0.25, 2, 3, 0.5 }, doses[] = { 0, 5, 10, 5 };
static const char *const drugs[] = { "control", "Dex", "Dex", "Dex" };
static const char *const dose_texts[] = { "0", "0.5", "1", "5e-1" };
static const char *const types[] = { "A549", "A549", "A549", "A549" };
static const char *const parts[] = { "train", "ood", "test", "train" };

#define N_OF(a) (sizeof(a) / sizeof *(a))
#define ITEMS(doses, texts)                                                                        \
    {                                                                                              \
        { "X/data", { 5 }, expression, NULL }, { "X/indices", { 5 }, fuzz_indices, NULL },         \
            { "X/indptr", { 5 }, fuzz_indptr, NULL }, { "obs/_index", { 4 }, NULL, fuzz_cells },   \
            { "obs/drug", { 4 }, NULL, drugs }, { "obs/dose", { 4 }, doses, texts },               \
            { "obs/type", { 4 }, NULL, types }, { "obs/part", { 4 }, NULL, parts },                \
            { "var/_index", { 3 }, NULL, fuzz_ids },                                               \
    }
static const struct fuzz_item numbers[] = ITEMS(doses, NULL), texts[] = ITEMS(NULL, dose_texts);
static const struct fuzz_attr attr[] = {
    { "obs", "_index", "_index", { 0 } },
    { "var", "_index", "_index", { 0 } },
    { "X", "encoding-type", "csr_matrix", { 0 } },
    { "X", "shape", NULL, { 4, 3 } },
};

static void check(struct dose_set *s)
{
    size_t n = 0;
    if (!s->n_drugs || !s->n_types || s->n_conditions < 3)
        abort();
    for (size_t c = 0; c < s->n_conditions; c++) {
        const struct dose_condition *k = &s->condition[c];
        n += k->n_cells;
        if (!k->n_cells || k->type >= s->n_types ||
            (k->drug == DOSE_CONTROL ? k->dose > 0 : k->drug >= s->n_drugs || !(k->dose > 0)) ||
            (k->drug != DOSE_CONTROL && k->dose > s->largest[k->drug]))
            abort();
    }
    if (n != s->x.n_cells)
        abort();
    for (uint32_t t = 0; t < s->n_types; t++)
        if (s->condition[dose_set_control(s, t)].type != t)
            abort();
    for (size_t i = 0; i < s->x.n_cells; i++) {
        if (s->of[i] >= s->n_conditions || (s->given && s->given[i] >= DOSE_NOT_GIVEN))
            abort();
        for (uint64_t k = s->x.indptr[i]; k < s->x.indptr[i + 1]; k++)
            if (s->x.index[k] >= s->x.n_genes || !(s->x.value[k] > 0))
                abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t how = size ? data[0] : 0;
    const struct dose_names names = { "drug", "dose", how & 2 ? "type" : NULL,
                                      how & 4 ? "part" : NULL };
    const struct dose_rules rules = { { PERTURB_AUTO, 1e4, 1 }, "control", how & 8 };
    struct dose_set s;
    struct err e = { 0 };
    hid_t file = fuzz_make(data + (size > 0), size - (size > 0), how & 1 ? texts : numbers,
                           N_OF(numbers), attr, N_OF(attr));
    const enum rc rc = dose_file_from(file, &names, &rules, &s, &e);
    H5Fclose(file);
    if (rc) {
        if (!size || !e.text[0] || s.condition || s.x.indptr)
            abort();
        return 0;
    }
    check(&s);
    if (dose_set_genes(&s, 2, &e))
        abort();
    check(&s);
    dose_set_release(&s);
    return 0;
}
