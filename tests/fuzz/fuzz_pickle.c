/* lib/io/pickle: whatever the bytes, they are refused with a sentence, or every value of the tree
 * can be reached by recursion, in bounded time, and every array's numbers be read. */
#include "tests/fuzz/fuzz.h"

#include "tests/fuzz/pickle_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pickle p;
    struct err e = { 0 };
    size_t used;
    if (pickle_read(&p, data, size, NULL, NULL, &used, &e)) {
        if (p.made || p.root.kind != PICKLE_NONE || !e.text[0])
            abort(); /* a refusal leaves nothing and says why */
        return 0;
    }
    if (!used || used > size)
        abort();
    check_tree(&p.root, size);
    pickle_release(&p);
    return 0;
}
