/* lib/app/dose_model: whatever the bytes, a file is refused with a sentence or is a model that
 * predicts for each of its drugs. */
#include <stdlib.h>

#include "lib/app/dose_model.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct st_file f;
    struct dose_model m;
    struct tape tape;
    struct err e = { 0 };
    if (st_view(&f, data, size, &e))
        return 0;
    if (dose_model_from(&m, &f, &backend_ref, &e)) {
        if (!e.text[0] || m.gene || m.controls)
            abort();
        st_close(&f);
        return 0;
    }
    double *out = malloc(2 * m.n_genes * sizeof *out);
    if (!out || !m.n_drugs || !m.controls[0].n)
        abort();
    tape_init(&tape, &backend_ref, false);
    for (uint32_t d = 0; d < m.n_drugs && d < 4; d++) {
        const struct cpa_question q = { .cells = &m.controls[0],
                                        .drug = d,
                                        .dose = 0.5,
                                        .vectors = m.vectors.n ? &m.vectors : NULL };
        if (cpa_predict(&m.m, &tape, &q, out, out + m.n_genes, &e))
            abort();
    }
    tape_release(&tape);
    dose_model_release(&m);
    st_close(&f);
    free(out);
    return 0;
}
