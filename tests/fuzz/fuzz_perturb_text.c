/* lib/io/perturb_file: whatever the bytes of a table, it is refused with a sentence or becomes a
 * set that keeps its promises. */
#include "lib/io/perturb_file.h"
#include "tests/fuzz/fuzz_file.h"
#include "tests/fuzz/perturb_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct perturb_rules rules = { PERTURB_AUTO, 1e4, 1 };
    struct perturb_set s;
    struct err e = { 0 };
    const char *path = fuzz_file("perturb", data, size);
    const enum rc rc = perturb_file_read(path, NULL, &rules, &s, &e);
    perturb_fuzz_check(&s, rc, &e);
    remove(path);
    return 0;
}
