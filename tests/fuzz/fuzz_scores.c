/* Predictions and tables of scores, a form feed between them: whatever the bytes, audit tells what
 * is wrong with them and does not fall over. */
#include "tests/fuzz/fuzz_file.h"

#include <string.h>

#include "lib/app/audit_scores.h"
#include "lib/base/file.h"

static void put(const char *folder, const char *name, const uint8_t *data, size_t size)
{
    char path[256];
    snprintf(path, sizeof path, "%s/s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(data, 1, size, f) != size || fclose(f) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *folder;
    struct audit a;
    struct err e = { 0 };
    char stage[256];
    if (folder_scratch("fuzz-scores", &folder, &e))
        abort();
    snprintf(stage, sizeof stage, "%s/s", folder);
    if (folder_make(stage, &e))
        abort();
    const uint8_t *cut = size ? memchr(data, '\f', size) : NULL;
    const size_t n = cut ? (size_t)(cut - data) : size, left = cut ? size - n - 1 : 0;
    put(folder, "predictions.tsv", data, n);
    put(folder, "metrics.tsv", data + size - left, left);
    put(folder, "summary.tsv", data + size - left, left);
    put(folder, "comparisons.tsv", data + size - left, left);
    const struct chain c = { .root = folder };
    audit_init(&a);
    if (audit_scores(&a, &c, "s", &e) || !a.n)
        abort();
    audit_release(&a);
    folder_remove(folder);
    free(folder);
    return 0;
}
