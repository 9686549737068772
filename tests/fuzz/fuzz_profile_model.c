/* lib/app/profile_drug_model: whatever the bytes, a file is refused with a sentence or is a model
 * that predicts. */
#include <stdlib.h>

#include "lib/app/profile_drug_model.h"
#include "lib/app/profile_drug_parts.h"
#include "tests/fuzz/fuzz.h"

/* Ethanol without its bonds' order mattering: two kinds of atoms, two bonds. */
static void predict(const struct profile_model *m)
{
    static struct molecule_atom atom[] = { { "C", 1, 3, 3, 0, false, false },
                                           { "C", 2, 2, 2, 0, false, false },
                                           { "O", 1, 1, 1, 0, false, false } };
    static struct molecule_bond bond[] = { { 0, 1, BOND_SINGLE, false, false },
                                           { 1, 2, BOND_SINGLE, false, false } };
    struct molecule ethanol = { 3, 2, atom, bond };
    const struct drugs d = { .molecule = &ethanol };
    const struct signature of = { .cell = (uint32_t)m->n_cells - 1,
                                  .dose = (uint32_t)m->n_doses - 1 };
    const uint32_t row = 0;
    struct profile_batch batch = { 0 };
    struct tape tape;
    struct deepce_out out;
    struct err e = { 0 };
    if (profile_batch_make(&batch, &m->m, &d, &of, &row, 1, &m->gene_vector, &m->vectors, &e))
        abort();
    tape_init(&tape, &backend_ref, false);
    deepce_forward(&m->m, &tape, &batch.b, false, &out);
    if (tape_check(&tape, &e) || out.predicted->rows * out.predicted->cols != m->n_genes)
        abort();
    tape_release(&tape);
    profile_batch_release(&batch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct st_file f;
    struct profile_model m;
    struct err e = { 0 };
    if (st_view(&f, data, size, &e))
        return 0;
    if (profile_model_from(&m, &f, &backend_ref, &e)) {
        if (!e.text[0] || m.gene || m.cell)
            abort();
    } else {
        predict(&m);
        profile_model_release(&m);
    }
    st_close(&f);
    return 0;
}
