/* Each rule of lib/cell/gene_build.h on a few genes. */
#include <stdlib.h>
#include <string.h>

#include "lib/cell/gene_build.h"
#include "tests/tap.h"

static struct err e;
static struct table genes, aliases;

static const char *gene_cell(const char *id, const char *column)
{
    static char number[32];
    const struct column *c = table_find(&genes, column), *ids = table_find(&genes, "id");
    for (size_t r = 0; r < genes.n_rows; r++)
        if (strcmp(ids->text[r], id) == 0) {
            if (c->kind == COLUMN_TEXT)
                return c->text[r];
            snprintf(number, sizeof number, "%d", (int)c->i64[r]);
            return number;
        }
    return "absent";
}

static const char *alias_of(const char *name, int species)
{
    for (size_t r = 0; r < aliases.n_rows; r++)
        if (aliases.col[2].i64[r] == species && strcmp(aliases.col[0].text[r], name) == 0)
            return aliases.col[1].text[r];
    return "none";
}

static bool gene_is(const char *id, const char *column, const char *want)
{
    const char *got = gene_cell(id, column);
    if (strcmp(got, want) != 0)
        note("%s of %s is %s", column, id, got);
    return strcmp(got, want) == 0;
}

static bool alias_is(const char *name, int species, const char *want)
{
    const char *got = alias_of(name, species);
    if (strcmp(got, want) != 0)
        note("%s leads to %s", name, got);
    return strcmp(got, want) == 0;
}

struct row {
    int species;
    const char *id, *name, *biotype;
};

static void add_genes(struct gene_build *b, const struct row *r, size_t n)
{
    for (size_t i = 0; i < n; i++)
        gene_build_gene(b, r[i].species, r[i].id, r[i].name, r[i].biotype, &e);
}

static void finish(struct gene_build *b)
{
    ok(gene_build_finish(b, &genes, &aliases, &e) == RC_OK, "the tables are made %s", e.text);
}

static void drop(struct gene_build *b)
{
    gene_build_release(b);
    table_release(&genes);
    table_release(&aliases);
}

static void test_names(void)
{
    static const struct row r[] = {
        { 0, "ENSG3.7", "C", "lincRNA" },
        { 0, "ENSG1_PAR_Y", "A", "protein_coding" },
        { 0, "ENSG1.2", "A", "protein_coding" },
        { 0, "ENSG2", "SHARED", "processed_pseudogene" },
        { 0, "ENSG9", "SHARED", "protein_coding" },
        { 0, "ENSG4", "D-1", "miRNA" },
        { 0, "ENSG5", "D_1", "Mt_tRNA" },
        { 0, "ENSG6", "", "TEC" },
        { 0, "ENSG7", "E.1", "protein_coding" },
        { 0, "ENSG8", "E-1", "protein_coding" },
        { 0, "ENSGA", "F-1", "protein_coding" },
        { 0, "ENSGB", "F 1", "protein_coding" },
    };
    struct gene_build b;
    gene_build_init(&b);
    add_genes(&b, r, sizeof r / sizeof *r);
    gene_build_name(&b, 0, "ENSG1", "OLD", 3, &e);
    gene_build_name(&b, 0, "ENSG3", "OLD", 5, &e); /* a worse table */
    gene_build_name(&b, 0, "ENSG1", "TWO", 3, &e);
    gene_build_name(&b, 0, "ENSG9", "TWO", 3, &e); /* the same table */
    gene_build_name(&b, 0, "ENSG3", "BETTER", 3, &e);
    gene_build_name(&b, 0, "ENSG1", "BETTER", 3, &e);
    gene_build_name(&b, 0, "ENSG3", "A", 2, &e);     /* A is a gene's name now */
    gene_build_name(&b, 0, "ENSG1", "ENSG5", 2, &e); /* an id is no name */
    gene_build_name(&b, 0, "ENSG100.1", "C", 3, &e); /* retired, its name is known */
    gene_build_name(&b, 0, "ENSG101", "OLD", 3, &e); /* retired, an alias is known */
    gene_build_name(&b, 0, "ENSG102", "LOST", 3, &e);
    gene_build_name(&b, 0, "ENSG4", "OLD-4", 3, &e);
    finish(&b);
    ok(genes.n_rows == 11 && b.of[0].counts.repeated_ids == 1, "an id given twice is one gene");
    ok(gene_is("ENSG1", "name", "A") && gene_is("ENSG3", "biotype", "lncRNA"),
       "versions leave the id, lincRNA is lncRNA");
    ok(gene_is("ENSG5", "biotype", "Mt") && gene_is("ENSG6", "biotype", "other"),
       "Mt and other are told");
    ok(gene_is("ENSG9", "name", "SHARED") && gene_is("ENSG2", "name", "ENSG2"),
       "a shared name stays with the better biotype");
    ok(gene_is("ENSG6", "name", "ENSG6"), "a gene without a name is called by its id");
    ok(alias_is("OLD", 0, "ENSG1"), "the better table says whose an older name is");
    ok(alias_is("BETTER", 0, "ENSG1"), "of two in one table, the one of the better biotype");
    ok(alias_is("TWO", 0, "none") && alias_is("A", 0, "none") && alias_is("ENSG5", 0, "none"),
       "no alias: two genes in one table, a name of now, an id");
    ok(alias_is("ENSG100", 0, "ENSG3") && alias_is("ENSG101", 0, "ENSG1") &&
           alias_is("ENSG102", 0, "none"),
       "retired ids follow their name, or are lost");
    ok(b.of[0].counts.retired_lost == 1 && b.of[0].counts.alias_ids == 2, "and are counted");
    ok(alias_is("D.1", 0, "ENSG4") && alias_is("OLD.4", 0, "ENSG4"), "mangled names are aliases");
    ok(alias_is("E.1", 0, "none"), "not where a gene has the name");
    ok(alias_is("F.1", 0, "none"), "not where two genes would");
    bool rising = true;
    for (size_t i = 1; i < aliases.n_rows; i++)
        rising = rising && strcmp(aliases.col[0].text[i - 1], aliases.col[0].text[i]) < 0;
    for (size_t i = 1; i < genes.n_rows; i++)
        rising = rising && strcmp(genes.col[0].text[i - 1], genes.col[0].text[i]) < 0;
    ok(rising, "both tables rise");
    drop(&b);
}

static void test_core(void)
{
    static const struct row r[] = {
        { 0, "ENSG1", "A", "protein_coding" },
        { 0, "ENSG2", "B", "lncRNA" },
        { 0, "ENSG3", "C", "miRNA" },
        { 0, "ENSG4", "D", "snRNA" },
        { 0, "ENSG5", "NEW", "protein_coding" },
        { 1, "ENSMUSG1", "X", "protein_coding" },
        { 1, "ENSMUSG2", "Y", "IG_V_gene" },
    };
    struct gene_build b;
    gene_build_init(&b);
    add_genes(&b, r, sizeof r / sizeof *r);
    gene_build_name(&b, 0, "ENSG5", "OLD", 3, &e);
    gene_build_name(&b, 0, "ENSG2", "A", 3, &e);
    static const char *const list[] = { "A", "C", "D", "OLD", "NOBODY" };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        gene_build_listed(&b, 0, list[i], &e);
    finish(&b);
    ok(gene_is("ENSG1", "core", "1") && gene_is("ENSG3", "core", "1"),
       "listed and coding or micro");
    ok(gene_is("ENSG4", "core", "0"), "listed, but of another kind: not core");
    ok(gene_is("ENSG2", "core", "0"), "not listed: its old name is another gene's now");
    ok(gene_is("ENSG5", "core", "1"), "listed under an older name");
    ok(gene_is("ENSMUSG1", "core", "1") && gene_is("ENSMUSG2", "core", "0"),
       "without a list the kind decides");
    drop(&b);
}

static void test_homologs(void)
{
    static const struct row r[] = {
        { 0, "H1", "A", "protein_coding" },  { 0, "H2", "B", "protein_coding" },
        { 0, "H3", "C", "protein_coding" },  { 0, "H4", "D", "snoRNA" },
        { 0, "H5", "E", "protein_coding" },  { 1, "M1", "A", "protein_coding" },
        { 1, "M2", "B1", "protein_coding" }, { 1, "M3", "b", "protein_coding" },
        { 1, "M4", "D", "protein_coding" },  { 1, "M5", "F", "protein_coding" },
        { 1, "M6", "G", "protein_coding" },  { 0, "H6", "K", "protein_coding" },
        { 1, "M7", "K", "protein_coding" },  { 1, "M8", "Z", "protein_coding" },
    };
    struct gene_build b;
    gene_build_init(&b);
    add_genes(&b, r, sizeof r / sizeof *r);
    gene_build_pair(&b, "H2", "M1", PAIR_MANY2MANY, 1, 100, &e);
    gene_build_pair(&b, "H1.3", "M1", PAIR_ONE2ONE, 0, 0, &e);
    gene_build_pair(&b, "H2", "M2", PAIR_ONE2MANY, 0, 100, &e);
    gene_build_pair(&b, "H2", "M3", PAIR_ONE2MANY, 0, 50, &e);
    gene_build_pair(&b, "H4", "M4", PAIR_ONE2ONE, 1, 100, &e);
    gene_build_pair(&b, "H3", "M5", PAIR_ONE2MANY, 1, 25, &e);
    gene_build_pair(&b, "H3", "M6", PAIR_ONE2MANY, 1, 75, &e);
    gene_build_pair(&b, "H5", "M5", PAIR_MANY2MANY, 0, 100, &e);
    gene_build_pair(&b, "H6", "M7", PAIR_ONE2MANY, 0, 100, &e);
    gene_build_pair(&b, "H6", "M8", PAIR_ONE2MANY, 1, 0, &e);
    gene_build_pair(&b, "H9", "M5", PAIR_ONE2ONE, 1, 100, &e);
    finish(&b);
    ok(gene_is("M1", "homolog", "H1"), "one2one goes before a better score");
    ok(gene_is("M3", "homolog", "H2") && gene_is("M2", "homolog", "-"),
       "of two alike, the same name, whatever its case");
    ok(gene_is("M6", "homolog", "H3"), "then the gene order");
    ok(gene_is("M8", "homolog", "H6"), "confidence goes before names and order");
    ok(gene_is("M4", "homolog", "-"), "a gene that is not core has no homolog");
    ok(gene_is("M5", "homolog", "-"), "low confidence, many and another name: left out");
    ok(gene_is("H1", "homolog", "-"), "only mouse rows name a homolog");
    ok(b.pairs_unknown == 1 && b.pairs_not_core == 1 && b.pairs_taken[PAIR_ONE2ONE] == 1 &&
           b.pairs_taken[PAIR_ONE2MANY] == 3,
       "all is counted");
    drop(&b);
}

static bool known(const void *ctx, const char *text, size_t n)
{
    (void)ctx;
    static const char *const name[] = { "RPL21", "NANOG", "CAS", "AQ" };
    for (size_t i = 0; i < sizeof name / sizeof *name; i++)
        if (strlen(name[i]) == n && memcmp(name[i], text, n) == 0)
            return true;
    return false;
}

static void test_guess(void)
{
    static const struct {
        const char *name;
        enum gene_biotype want;
    } t[] = { { "TP53", GENE_PROTEIN },
              { "CASP3", GENE_PROTEIN },
              { "AQP1", GENE_PROTEIN },
              { "RPL21", GENE_PROTEIN },
              { "RPL21P28", GENE_OTHER },
              { "NANOGP8", GENE_OTHER },
              { "ZNF877P", GENE_OTHER },
              { "MTND1P14", GENE_OTHER },
              { "Rpl21-ps4", GENE_OTHER },
              { "MIR21", GENE_MIRNA },
              { "MIRLET7A1", GENE_MIRNA },
              { "MIR22HG", GENE_LNCRNA },
              { "Mir155", GENE_MIRNA },
              { "MIRAGE", GENE_PROTEIN },
              { "LINC00461", GENE_LNCRNA },
              { "TP53-AS1", GENE_LNCRNA },
              { "SNHG1", GENE_LNCRNA },
              { "HOXA-AS2", GENE_LNCRNA },
              { "RNU6-1", GENE_OTHER },
              { "SNORD3A", GENE_OTHER },
              { "RNF2", GENE_PROTEIN },
              { "U2AF1", GENE_PROTEIN },
              { "U6", GENE_OTHER },
              { "TRBV11-2", GENE_OTHER },
              { "TRAF2", GENE_PROTEIN },
              { "TRADD", GENE_PROTEIN },
              { "TRAC", GENE_OTHER },
              { "IGHG1", GENE_OTHER },
              { "IGHM", GENE_OTHER },
              { "IGHMBP2", GENE_PROTEIN },
              { "MT-TF", GENE_MT },
              { "mt-Rnr1", GENE_MT },
              { "MT-ND1", GENE_PROTEIN },
              { "Gnai3", GENE_PROTEIN },
              { "ENSG00000290825", GENE_OTHER } };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        enum gene_biotype got = gene_guess_biotype("ENSG0", t[i].name, known, NULL);
        ok(got == t[i].want, "%s sounds like %s", t[i].name, gene_biotype_name(got));
    }
    ok(gene_guess_biotype("ENSG7", "ENSG7", known, NULL) == GENE_OTHER, "no name, no kind");
}

static void test_guessed_table(void)
{
    static const struct row r[] = { { 0, "ENSG1", "RPL21", NULL },
                                    { 0, "ENSG2", "RPL21P3", "" },
                                    { 0, "ENSG3", "MIR7", NULL },
                                    { 0, "ENSG4", "ENSG4", NULL } };
    struct gene_build b;
    gene_build_init(&b);
    add_genes(&b, r, 4);
    finish(&b);
    ok(b.of[0].counts.guessed && !b.of[1].counts.guessed && b.of[0].counts.n_core == 2,
       "kinds are guessed where none is given");
    ok(gene_is("ENSG2", "core", "0") && gene_is("ENSG3", "biotype", "miRNA"), "and decide on core");
    drop(&b);
}

static void test_refused(void)
{
    struct gene_build b;
    char longest[400];
    gene_build_init(&b);
    memset(longest, 'E', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    ok(gene_build_gene(&b, 0, longest, "A", "", &e) == RC_INPUT, "too long: %s", e.text);
    ok(gene_build_gene(&b, 0, "", "A", "", &e) == RC_INPUT, "no id: %s", e.text);
    ok(gene_build_name(&b, 0, "", "A", 1, &e) == RC_OK && !b.of[0].n_names, "half a name is none");
    finish(&b);
    ok(genes.n_rows == 0 && aliases.n_rows == 0, "nothing in, nothing out");
    drop(&b);
}

int main(void)
{
    test_names();
    test_core();
    test_homologs();
    test_guess();
    test_guessed_table();
    test_refused();
    return tap_end();
}
