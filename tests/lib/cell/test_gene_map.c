/* From columns to genes and from genes to tokens: sums, homologs, and what is refused. */
#include <stdlib.h>
#include <string.h>

#include "lib/cell/gene_map.h"
#include "lib/cell/vocab_build.h"
#include "tests/tap.h"

static void add(struct gene_tables *t, const char *id, const char *name, enum species s, bool core,
                int32_t token, const char *homolog)
{
    struct err e = { 0 };
    struct gene g = { .id = id,
                      .name = name,
                      .species = s,
                      .biotype = BIOTYPE_PROTEIN,
                      .core = core,
                      .token = token,
                      .median = NAN };
    if (gene_tables_add(t, &g, &e)) {
        printf("%s\n", e.text);
        exit(1);
    }
    if (homolog)
        t->gene[t->n - 1].homolog = gene_tables_find_id(t, homolog);
}

static void make_tables(struct gene_tables *t)
{
    gene_tables_init(t);
    add(t, "H1", "TP53", SPECIES_HUMAN, true, -1, NULL);
    add(t, "H3", "ACTB", SPECIES_HUMAN, true, -1, NULL);
    add(t, "H2", "OTHER", SPECIES_HUMAN, false, -1, NULL);
    add(t, "M1", "Trp53", SPECIES_MOUSE, true, -1, "H1");
    add(t, "M2", "Actbl2", SPECIES_MOUSE, true, -1, "H3");
    add(t, "M3", "Actb", SPECIES_MOUSE, true, -1, "H3");
    add(t, "M4", "Only", SPECIES_MOUSE, true, -1, NULL);
    add(t, "M5", "Odd", SPECIES_MOUSE, true, -1, "H2");
    gene_tables_add_alias(t, SPECIES_MOUSE, "p53", "M1", NULL);
}

/* Two mouse cells; names as given. Cell 0 has count j + 1 in column j, cell 1 has 10 in all. */
static void make_cells(struct cells *c, const char *const *name, size_t n)
{
    struct err e = { 0 };
    cells_init(c);
    if (csr_alloc(&c->count, 2, n, 2 * n, &e))
        exit(1);
    for (uint32_t j = 0; j < n; j++) {
        c->count.index[j] = c->count.index[n + j] = j;
        c->count.value[j] = j + 1;
        c->count.value[n + j] = 10;
    }
    c->count.indptr[1] = n;
    c->count.indptr[2] = 2 * n;
    table_init(&c->obs, 2);
    table_init(&c->var, n);
    table_fill_text(&c->obs, "species", "mouse", &e);
    c->cell = calloc(3, sizeof *c->cell);
    c->gene = calloc(n + 1, sizeof *c->gene);
    c->cell[0] = "a", c->cell[1] = "b";
    for (size_t j = 0; j < n; j++)
        c->gene[j] = name[j];
}

static uint32_t count_of(const struct cells *c, size_t r, const char *gene)
{
    for (uint64_t k = c->count.indptr[r]; k < c->count.indptr[r + 1]; k++)
        if (strcmp(c->gene[c->count.index[k]], gene) == 0)
            return c->count.value[k];
    return 0;
}

static void test_map(const struct gene_tables *t)
{
    /* Two names of one gene, two mouse genes of one human gene, a version, an unknown name. */
    static const char *const name[] = { "Only", "Trp53", "p53", "Actb", "M2.5", "Nothing", "Odd" };
    struct cells c, out;
    struct gene_map_report r;
    struct err e = { 0 };
    make_cells(&c, name, 7);
    ok(!gene_map_cells(&c, t, true, &out, &r, &e) && r.n_columns == 7 && r.n_unmatched == 1 &&
           r.n_merged == 2 && r.n_homologs == 5 && r.n_genes == 4,
       "seven columns are four genes: one is unknown, two are summed %s", e.text);
    ok(count_of(&out, 0, "H1") == 2 + 3 && count_of(&out, 0, "H3") == 4 + 5 &&
           count_of(&out, 0, "M4") == 1 && count_of(&out, 0, "H2") == 7 &&
           count_of(&out, 1, "H3") == 20,
       "columns of one gene are summed under the human id");
    ok(out.count.n_cols == 4 && strcmp(out.gene[0], "H1") == 0 && strcmp(out.gene[1], "H2") == 0 &&
           strcmp(out.gene[2], "H3") == 0 && strcmp(out.gene[3], "M4") == 0,
       "genes stand by rising id");
    const struct column *source = table_find(&out.var, "source"),
                        *n_source = table_find(&out.var, "n_source"),
                        *gene_name = table_find(&out.var, "gene_name");
    ok(source && strcmp(source->text[2], "Actb;M2.5") == 0 && n_source->i64[2] == 2 &&
           strcmp(gene_name->text[2], "ACTB") == 0,
       "var names the gene and what it was summed from (%s)", source ? source->text[2] : "-");
    uint32_t row[4];
    ok(gene_map_done(&out) && !gene_map_done(&c) && !gene_map_ids(&out, t, row, &e) &&
           row[3] == gene_tables_find_id(t, "M4"),
       "a mapped file is known as such, and its human ids are found in mouse cells");
    out.gene[0] = "H9";
    ok(gene_map_ids(&out, t, row, &e) == RC_INPUT, "refused: %s", e.text);
    cells_release(&out);

    ok(!gene_map_cells_apart(&c, t, false, &out, &r, &e) && r.n_genes == 6 && r.n_merged == 0 &&
           out.count.n_cols == 6 && strcmp(out.gene[1], "M1") == 0 &&
           strcmp(out.gene[2], "M1") == 0 && out.count.value[1] == 2,
       "apart: columns of one gene stay, in their order");
    cells_release(&out);

    ok(!gene_map_cells(&c, t, false, &out, &r, &e) && r.n_homologs == 0 &&
           count_of(&out, 0, "M1") == 5,
       "without homologs mouse genes keep their ids");
    cells_release(&out);
    cells_release(&c);
}

static void test_second_name(const struct gene_tables *t)
{
    static const char *const name[] = { "ENSG99", "M4" };
    struct cells c;
    struct gene_map_report r;
    uint32_t row[2];
    make_cells(&c, name, 2);
    struct column *col = table_add(&c.var, "gene_name", COLUMN_TEXT);
    col->text[0] = "Trp53";
    col->text[1] = "Actb";
    gene_map_columns(&c, t, SPECIES_MOUSE, false, row, &r);
    ok(row[0] == gene_tables_find_id(t, "M1") && row[1] == gene_tables_find_id(t, "M4"),
       "gene_name is asked where the index leads nowhere, and only there");
    cells_release(&c);
}

static void test_species(const struct gene_tables *t)
{
    static const char *const name[] = { "Trp53" };
    struct cells c, out;
    struct gene_map_report r;
    struct err e = { 0 };
    enum species s;
    make_cells(&c, name, 1);
    ok(!gene_map_species(&c, &s, &e) && s == SPECIES_MOUSE, "the species of the cells is found");
    table_find(&c.obs, "species")->text[1] = "human";
    ok(gene_map_cells(&c, t, true, &out, &r, &e) == RC_INPUT && !out.gene, "refused: %s", e.text);
    table_find(&c.obs, "species")->text[1] = NULL;
    ok(gene_map_species(&c, &s, &e) == RC_INPUT, "refused: %s", e.text);
    table_release(&c.obs);
    table_init(&c.obs, 2);
    ok(gene_map_species(&c, &s, &e) == RC_INPUT, "refused: %s", e.text);
    cells_release(&c);
}

/* A plan that takes the cells' table over is the plan that copies it. */
static void test_take(const struct gene_tables *t, bool mixture)
{
    static const char *const name[] = { "H1", "M1", "M4" };
    struct cells c;
    struct gene_plan made, taken;
    struct gene_map_report r;
    struct err e = { 0 };
    make_cells(&c, name, 3);
    table_add(&c.obs, "sample", COLUMN_TEXT)->text[1] = "lung";
    if (mixture) {
        struct column *of = table_add(&c.var, "species", COLUMN_TEXT);
        for (size_t j = 0; j < 3; j++)
            of->text[j] = j ? "mouse" : "human";
        table_find(&c.obs, "species")->text[0] = NULL; /* of neither: leaves */
    }
    bool good = !gene_plan_make(&c, t, true, false, &made, &r, &e) &&
                !gene_plan_take(&c, t, true, false, &taken, &r, &e);
    size_t n = mixture ? 1 : 2;
    const struct cells *a = &made.out, *b = &taken.out;
    good = good && a->count.n_rows == n && b->count.n_rows == n && b->obs.n_rows == n &&
           a->count.n_cols == b->count.n_cols && a->obs.n_cols == b->obs.n_cols;
    for (size_t i = 0; good && i < n; i++)
        good = strcmp(a->cell[i], b->cell[i]) == 0;
    const char *sample = good ? table_find(&b->obs, "sample")->text[n - 1] : "";
    ok(good && sample && strcmp(sample, mixture ? "lung-mouse" : "lung") == 0 && !c.cell &&
           c.obs.n_cols == 0,
       "%s: a plan may take the table of cells: %s", mixture ? "a mixture" : "one species", e.text);
    gene_plan_release(&made);
    gene_plan_release(&taken);
    cells_release(&c);
}

static void test_vocab(struct gene_tables *t)
{
    struct vocab v;
    struct vocab_report r;
    struct err e = { 0 };
    ok(!vocab_build(t, &v, &r, &e) && v.n == 2 + 2 + 5 && r.n_human == 2 && r.n_mouse == 5,
       "core genes get tokens, human ones first %s", e.text);
    ok(vocab_token(&v, "H1") == 2 && vocab_token(&v, "H3") == 3 && vocab_token(&v, "M1") == 4 &&
           vocab_token(&v, "M5") == 8 && vocab_token(&v, "H2") == -1,
       "by rising id within a species");
    ok(v.entry[3].homolog == vocab_token(&v, "M3") &&
           v.entry[vocab_token(&v, "M2")].homolog == -1 && r.n_not_one_to_one == 1,
       "of two mouse genes the one of the same name is the homolog");
    ok(v.entry[vocab_token(&v, "M5")].homolog == -1 && r.n_homologs == 2,
       "a gene whose homolog is not core has none");
    vocab_release(&v);

    t->gene[0].token = 3; /* H1 */
    t->gene[3].token = 4; /* M1 */
    ok(vocab_build(t, &v, &r, &e) == RC_INPUT && v.n == 0, "refused: %s", e.text);
    t->gene[1].token = 2; /* H3 */
    ok(!vocab_build(t, &v, &r, &e) && v.n == 5 && vocab_token(&v, "H3") == 2 &&
           vocab_token(&v, "H1") == 3 && r.n_left_out == 4,
       "tokens that the tables give are kept, and no other is given %s", e.text);
    vocab_release(&v);
    t->gene[2].token = 5; /* H2, not core */
    ok(vocab_build(t, &v, &r, &e) == RC_INPUT, "refused: %s", e.text);
    t->gene[2].token = -1;
    t->gene[3].token = 2; /* M1 in front of the human genes */
    t->gene[1].token = 4;
    ok(vocab_build(t, &v, &r, &e) == RC_INPUT, "refused: %s", e.text);
}

int main(void)
{
    struct gene_tables t;
    make_tables(&t);
    test_map(&t);
    test_second_name(&t);
    test_species(&t);
    test_take(&t, false);
    test_take(&t, true);
    test_vocab(&t);
    gene_tables_release(&t);
    return tap_end();
}
