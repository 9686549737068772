/* lib/app/perturb_model: whatever the bytes, a file is refused with a sentence or is a model that
 * predicts for each of its nodes. */
#include <stdlib.h>
#include <string.h>

#include "lib/app/perturb_predict_model.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct st_file f;
    struct perturb_model m;
    struct tape tape;
    struct err e = { 0 };
    if (st_view(&f, data, size, &e))
        return 0;
    if (perturb_model_from(&m, &f, &backend_ref, &e)) {
        if (!e.text[0] || m.gene || m.mean)
            abort();
        st_close(&f);
        return 0;
    }
    const size_t d = m.m.config.n_genes;
    double *out = malloc(d * sizeof *out);
    if (!out || !m.node.n || !m.controls.n || m.controls.d != d)
        abort();
    tape_init(&tape, &backend_ref, false);
    for (uint32_t i = 0; i < m.node.n && i < 4; i++)
        if (gears_predict(&m.m, &tape, m.embedding, m.controls.x, 1, &i, 1, 1, out, &e))
            abort();
    tape_release(&tape);
    perturb_model_release(&m);
    st_close(&f);
    free(out);
    return 0;
}
