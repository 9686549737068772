/* lib/report/plan: tables of rates and formulas of any bytes are refused, or every row has a
 * number. The bytes are a table of formulas; behind a form feed, one of rates. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/report/plan.h"
#include "tests/fuzz/fuzz.h"

static void put(const char *path, const void *data, size_t n)
{
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(data, 1, n, f) != n || fclose(f) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char path[2][64];
    struct plan p;
    struct err e = { 0 };
    const uint8_t *feed = size ? memchr(data, '\f', size) : NULL;
    size_t n = feed ? (size_t)(feed - data) : size;
    for (int i = 0; i < 2; i++)
        snprintf(path[i], sizeof path[i], "/tmp/gc-fuzz-plan-%d-%ld", i, (long)getpid());
    put(path[0], data, n);
    if (feed)
        put(path[1], feed + 1, size - n - 1);
    plan_init(&p);
    enum rc rc = feed ? plan_read_rates(&p, path[1], &e) : RC_OK;
    if (!rc)
        rc = plan_read_formulas(&p, path[0], &e);
    if (rc && !e.text[0])
        abort();
    for (size_t i = 0; i < p.n; i++)
        if (!isfinite(p.row[i].value) || p.row[i].value < 0 ||
            plan_find(&p, p.row[i].name) != &p.row[i])
            abort();
    plan_release(&p);
    unlink(path[0]);
    unlink(path[1]);
    return 0;
}
