/* lib/io/smiles: whatever the text, it is refused with a sentence or becomes a molecule whose
 * promises hold and whose features can be taken. */
#include <stdlib.h>
#include <string.h>

#include "lib/io/smiles.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct molecule m;
    struct err e = { 0 };
    double x[MOLECULE_ATOM];
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    text[strcspn(text, "\n")] = '\0';
    const enum rc rc = smiles_read(text, &m, &e);
    free(text);
    if (rc) {
        if (!e.text[0] || m.atom || m.bond)
            abort();
        return 0;
    }
    if (!m.n_atoms || molecule_check(&m, &e))
        abort();
    for (size_t i = 0; i < m.n_atoms; i++)
        if (m.atom[i].total_h < 0 || molecule_atom_features(&m.atom[i], x, &e))
            abort();
    smiles_release(&m);
    return 0;
}
