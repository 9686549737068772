/* lib/app/knowledge_relation: pairs of names of any bytes are refused with a sentence, or are pairs
 * of tokens of the vocabulary. */
#include "lib/app/knowledge_relation.h"
#include "tests/fuzz/fuzz_file.h"

static void check(const struct pairs *p, size_t n_tokens)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->at[i].a >= n_tokens || p->at[i].b >= n_tokens)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const name[] = { "TP53", "A", "ACTB", "Trp53", "a", "Actb" };
    struct vocab v;
    struct gene_names g;
    struct pairs p = { 0 };
    struct err e = { 0 };
    enum species s;
    size_t n_all;
    vocab_init(&v);
    const struct vocab_entry none = { .id = "<pad>",
                                      .name = "-",
                                      .biotype = "-",
                                      .species = SPECIES_UNKNOWN,
                                      .homolog = -1 },
                             mask = { .id = "<mask>",
                                      .name = "-",
                                      .biotype = "-",
                                      .species = SPECIES_UNKNOWN,
                                      .homolog = -1 };
    if (vocab_add(&v, &none, &e) || vocab_add(&v, &mask, &e))
        abort();
    for (size_t i = 0; i < 6; i++) {
        char id[16];
        snprintf(id, sizeof id, "ENS%zu", i);
        const struct vocab_entry x = { .id = id,
                                       .name = name[i],
                                       .biotype = "-",
                                       .species = i < 3 ? SPECIES_HUMAN : SPECIES_MOUSE,
                                       .homolog = -1 };
        if (vocab_add(&v, &x, &e))
            abort();
    }
    if (gene_names_fill(&g, &v, &e))
        abort();
    const char *path = fuzz_file("pairs", data, size);
    if (relation_read(path, &g, &p, &e) && !e.text[0])
        abort();
    check(&p, v.n);
    pairs_release(&p);
    err_clear(&e);
    if (truth_read(path, &g, &p, &n_all, &s, &e) ? !e.text[0] : n_all < p.n)
        abort();
    check(&p, v.n);
    pairs_release(&p);
    unlink(path);
    gene_names_release(&g);
    vocab_release(&v);
    return 0;
}
