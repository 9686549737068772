/* lib/app/dosage_labels: labels, lengths and lists of any bytes are refused with a sentence, or give each gene one
 * class and a length that is none or above 0. */
#include "lib/app/dosage_parts.h"
#include "tests/fuzz/fuzz_file.h"

static void check_labels(const char *path)
{
    struct dosage_genes g;
    struct err e = { 0 };
    size_t n_sensitive = 0;
    if (dosage_genes_read(&g, path, &e)) {
        if (!e.text[0] || g.gene)
            abort();
        return;
    }
    for (size_t i = 0; i < g.n; i++) {
        if (g.gene[i].class_of > 1 || !*g.gene[i].id)
            abort();
        n_sensitive += g.gene[i].class_of;
    }
    if (n_sensitive != g.n_sensitive || !n_sensitive || n_sensitive == g.n)
        abort();
    dosage_genes_release(&g);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char labels[] = "ensembl_id,gene_name,dosage_insensitive,dosage_sensitive\n"
                                 "ENSG1,A,,Yes\nENSG2,B,Yes,\n";
    struct dosage_genes g;
    struct err e = { 0 };
    const char *csv = fuzz_file("l.csv", data, size);
    check_labels(csv);
    unlink(csv);
    const char *known = fuzz_file("known.csv", labels, sizeof labels - 1);
    if (dosage_genes_read(&g, known, &e))
        abort();
    unlink(known);
    const char *tsv = fuzz_file("t.tsv", data, size);
    if (dosage_lengths_read(&g, tsv, &e) && !e.text[0])
        abort();
    for (size_t i = 0; i < g.n; i++)
        if (!(g.gene[i].length >= 0))
            abort();
    err_clear(&e);
    if (dosage_list_read(&g, tsv, &e) && !e.text[0])
        abort();
    unlink(tsv);
    dosage_genes_release(&g);
    return 0;
}
