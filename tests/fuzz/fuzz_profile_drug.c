/* lib/app/profile_drug_lists and profile_drug_inputs: lists of drugs and genes and tables of
 * signatures of any bytes are refused with a sentence, or hold one signature of each drug, cell
 * line and dose, with finite numbers. */
#include <math.h>

#include "lib/app/profile_drug_parts.h"
#include "tests/fuzz/fuzz_file.h"

static void check_drugs(const char *path)
{
    struct drugs d;
    struct err e = { 0 };
    if (drugs_read(&d, path, true, &e)) {
        if (!e.text[0] || d.smiles)
            abort();
        return;
    }
    for (size_t i = 0; i < d.id.n; i++)
        if (!d.molecule[i].n_atoms || !*d.id.at[i])
            abort();
    drugs_release(&d);
}

static void check_genes(const char *path)
{
    struct profile_genes g;
    struct err e = { 0 };
    if (profile_genes_read(&g, path, &e)) {
        if (!e.text[0])
            abort();
        return;
    }
    for (size_t k = 0; k < g.x.n * g.x.d; k++)
        if (!isfinite(g.x.x[k]))
            abort();
    profile_genes_release(&g);
}

static void check_signatures(const char *path, const char *drugs, const char *genes)
{
    const struct profile_options o = { .signatures = path, .drugs = drugs, .genes = genes };
    struct profile_inputs in;
    struct err e = { 0 };
    if (profile_inputs_read(&in, &o, &e)) {
        if (!e.text[0] || in.of)
            abort();
        return;
    }
    for (size_t i = 0; i < in.value.n; i++) {
        if (in.of[i].drug >= in.drugs.id.n || in.of[i].cell >= PROFILE_CELLS ||
            in.of[i].dose >= PROFILE_DOSES)
            abort();
        for (size_t k = 0; k < i; k++)
            if (in.of[k].drug == in.of[i].drug && in.of[k].cell == in.of[i].cell &&
                in.of[k].dose == in.of[i].dose)
                abort();
    }
    for (size_t k = 0; k < in.value.n * in.value.d; k++)
        if (!isfinite(in.value.x[k]))
            abort();
    profile_inputs_release(&in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char known[] = "D1,CCO\nD2,C\n", vector[] = "G1,1,2\nG2,3,4\n";
    char path[3][160];
    const char *csv = fuzz_file("s.csv", data, size);
    snprintf(path[0], sizeof path[0], "%s", csv);
    snprintf(path[1], sizeof path[1], "%s", fuzz_file("d.csv", known, sizeof known - 1));
    snprintf(path[2], sizeof path[2], "%s", fuzz_file("g.csv", vector, sizeof vector - 1));
    if (smiles_built_in()) {
        check_drugs(path[0]);
        check_signatures(path[0], path[1], path[2]);
    }
    check_genes(path[0]);
    for (int i = 0; i < 3; i++)
        unlink(path[i]);
    return 0;
}
