/* lib/io/dataset_read: a folder with any state.json (up to the first zero byte) beside an Arrow
 * file of any bytes (behind it) is refused with a sentence, or its rows keep their promises. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/io/dataset.h"
#include "tests/fuzz/fuzz.h"

static char folder[] = "/tmp/gc-fuzz-dataset-XXXXXX", state[64], rows[64];

static void leave(void)
{
    rmdir(folder);
}

static void enter(void)
{
    if (!mkdtemp(folder) || atexit(leave))
        abort();
    snprintf(state, sizeof state, "%s/state.json", folder);
    snprintf(rows, sizeof rows, "%s/a.arrow", folder);
}

static enum rc look(void *ctx, const struct dataset_cell *d, struct err *e)
{
    size_t *n = ctx;
    (void)e;
    if (d->row != (*n)++ || d->cell.species > 1)
        abort();
    for (uint32_t i = 0; i < d->cell.n; i++)
        if (d->cell.token[i] < 2)
            abort();
    return RC_OK;
}

static void put(const char *path, const void *data, size_t n)
{
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(data, 1, n, f) != n || fclose(f) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = { 0 };
    size_t n = 0;
    if (!*state)
        enter();
    const uint8_t *end = size ? memchr(data, 0, size) : NULL;
    const size_t head = end ? (size_t)(end - data) : size;
    put(state, data, head);
    if (end)
        put(rows, end + 1, size - head - 1);
    if (dataset_read(folder, look, &n, &e) && !e.text[0])
        abort();
    unlink(state);
    unlink(rows);
    return 0;
}
