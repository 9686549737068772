/* lib/io/archive_member: archives of any bytes give a member, or are refused with a sentence. The
 * bytes go to libarchive, which is to be believed about its own memory; ours is the walk. */
#include "lib/io/archive_member.h"
#include "tests/fuzz/fuzz_file.h"

static volatile unsigned char sink;

enum { ENOUGH = 1 << 22 }; /* a few bytes may unpack to gigabytes */

static enum rc take(void *ctx, const void *data, size_t n, struct err *e)
{
    size_t *all = ctx;
    unsigned char sum = 0;
    for (size_t i = 0; i < n; i++)
        sum = (unsigned char)(sum ^ ((const unsigned char *)data)[i]);
    sink = sum;
    *all += n;
    return *all > ENOUGH ? err_set(e, RC_INPUT, "enough") : RC_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = { 0 };
    size_t n = 0;
    const char *path = fuzz_file("archive", data, size);
    if (archive_member(path, "a/member.txt", take, &n, &e) && !e.text[0])
        abort();
    unlink(path);
    return 0;
}
