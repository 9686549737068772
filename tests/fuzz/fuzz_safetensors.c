/* lib/io/safetensors: whatever the bytes, st_view refuses them or every tensor can be read. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "lib/io/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct st_file f;
    struct err e = { 0 };
    if (st_view(&f, data, size, &e)) {
        if (f.n || f.tensor || !e.text[0])
            abort(); /* a refusal leaves nothing and says why */
        return 0;
    }
    for (size_t i = 0; i < f.n; i++) {
        const struct st_tensor *t = &f.tensor[i];
        if (t->n_bytes > size)
            abort();
        if (t->type == ST_OTHER || t->n_items > size)
            continue;
        double *x = malloc(t->n_items * sizeof *x + 1);
        if (x && st_get_f64(t, x, &e))
            abort();
        free(x);
    }
    st_close(&f);
    return 0;
}
