/* Gene tables, vocabulary and medians: what names lead to, and files that break a promise. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/io/tables.h"
#include "tests/tap.h"

static char folder[] = "/tmp/test_tables.XXXXXX";

static char *put(const char *name, const char *text)
{
    struct err e = { 0 };
    struct outfile o;
    char *path = text_new("%s/%s", folder, name);
    if (!path || outfile_open(&o, path, &e))
        exit(1);
    fputs(text, o.f);
    if (outfile_commit(&o, &e))
        exit(1);
    return path;
}

static void put_tables(const char *genes, const char *aliases)
{
    free(put("genes.tsv", genes));
    free(put("aliases.tsv", aliases));
}

#define HEAD "id\tname\tspecies\tbiotype\tcore\ttoken\tmedian\thomolog\n"
static const char good_genes[] = HEAD "ENSG1\tTP53\t0\tprotein_coding\t1\t2\t1.5\t-\n"
                                      "ENSG2\tACTB\t0\tprotein_coding\t1\t-1\t-\t-\n"
                                      "ENSG3\tMT-CO1\t0\tother\t0\t-1\t-\t-\n"
                                      "ENSG4\t-\t0\tlncRNA\t1\t3\t-\t-\n"
                                      "ENSMUSG1\tTrp53\t1\tprotein_coding\t1\t4\t-\tENSG1\n"
                                      "ENSMUSG2\tmt-Co1\t1\tMt\t0\t-1\t-\tENSG3\n"
                                      "ENSMUSG3\tTP53\t1\tmiRNA\t1\t5\t-\t-\n";
static const char good_aliases[] = "name\tid\tspecies\n"
                                   "P53\tENSG1\t0\n"
                                   "P53\tENSG2\t0\n"
                                   "ACTB\tENSG1\t0\n"
                                   "Tp53\tENSMUSG1\t1\n";

static const char *found(const struct gene_tables *t, enum species s, const char *name)
{
    uint32_t row = gene_tables_find(t, s, name);
    return row == GENE_NONE ? "-" : t->gene[row].id;
}

static void test_lookup(const struct gene_tables *t)
{
    static const struct {
        enum species species;
        const char *name, *id, *what;
    } want[] = {
        { SPECIES_HUMAN, "TP53", "ENSG1", "a name" },
        { SPECIES_MOUSE, "TP53", "ENSMUSG3", "the same name in the other species" },
        { SPECIES_HUMAN, "P53", "ENSG1", "an alias, the first of two rows" },
        { SPECIES_MOUSE, "P53", "-", "an alias of the other species" },
        { SPECIES_HUMAN, "ACTB", "ENSG2", "a name that is also an alias" },
        { SPECIES_HUMAN, "tp53", "-", "a name in other letters" },
        { SPECIES_HUMAN, "ENSG2", "ENSG2", "an id" },
        { SPECIES_HUMAN, "ENSG2.14", "ENSG2", "an id with a version" },
        { SPECIES_HUMAN, "ENSG2.", "-", "an id with an empty version" },
        { SPECIES_HUMAN, "ENSG2.1b", "-", "an id with a version that is no number" },
        { SPECIES_HUMAN, "ENSMUSG1", "-", "an id of the other species" },
        { SPECIES_MOUSE, "ENSMUSG1.3", "ENSMUSG1", "a mouse id with a version" },
        { SPECIES_HUMAN, "TP53.1", "-", "a name with a number behind it, as R makes them" },
        { SPECIES_HUMAN, "", "-", "an empty name" },
        { SPECIES_HUMAN, "-", "-", "the sign for no name" },
    };
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        const char *id = found(t, want[i].species, want[i].name);
        ok(strcmp(id, want[i].id) == 0, "%s: '%s' leads to %s", want[i].what, want[i].name, id);
    }
}

static void test_good(void)
{
    struct gene_tables t;
    struct err e = { 0 };
    put_tables(good_genes, good_aliases);
    if (!ok(!tables_read(folder, &t, &e) && t.n == 7, "tables are read %s", e.text))
        return;
    test_lookup(&t);
    ok(t.gene[2].mito && t.gene[5].mito && !t.gene[0].mito,
       "mitochondrial is by biotype or by name");
    ok(t.gene[4].homolog == 0 && t.gene[5].homolog == 2 && t.gene[6].homolog == GENE_NONE,
       "homologs are rows of human genes");
    ok(t.gene[0].median == 1.5 && isnan(t.gene[1].median), "the decimal text is the median");
    ok(gene_tables_have_tokens(&t), "one token is enough to have tokens");

    struct vocab v;
    struct medians m;
    vocab_init(&v);
    medians_init(&m);
    struct vocab_entry x = { .id = "ENSG2", .name = "", .biotype = "", .homolog = -1 };
    vocab_add(&v, &x, &e);
    x.id = "ENSG1";
    vocab_add(&v, &x, &e);
    medians_add(&m, &(struct median){ "ENSG1", 1, 9 }, &e);
    medians_add(&m, &(struct median){ "ENSG4", 1, 7 }, &e);
    gene_tables_fill_tokens(&t, &v);
    gene_tables_fill_medians(&t, &m);
    ok(t.gene[0].token == 2 && t.gene[1].token == 0, "only genes without a token are given one");
    ok(t.gene[0].median == 1.5 && t.gene[3].median == 7, "and the same for medians");
    vocab_release(&v);
    medians_release(&m);
    gene_tables_release(&t);
    gene_tables_release(&t);
}

static void test_bad_tables(void)
{
    static const struct {
        const char *genes, *aliases, *why;
    } bad[] = {
        { "id\tname\n", "name\tid\tspecies\n", "no column 'species'" },
        { HEAD "E1\tA\t2\tMt\t1\t-1\t-\t-\n", "name\tid\tspecies\n", "'2', not a whole number" },
        { HEAD "E1\tA\t0\tMt\t1x\t-1\t-\t-\n", "name\tid\tspecies\n", "row 1: column 'core'" },
        { HEAD "E1\tA\t0\tMt\t1\t70000\t-\t-\n", "name\tid\tspecies\n", "column 'token'" },
        { HEAD "E1\tA\t0\tMt\t1\t1\t-\t-\n", "name\tid\tspecies\n", "is a special's" },
        { HEAD "E1\tA\t0\tMt\t1\t-1\t0\t-\n", "name\tid\tspecies\n", "not a number above 0" },
        { HEAD "E1\tA\t0\tMt\t1\t-1\tnan\t-\n", "name\tid\tspecies\n", "not a number above 0" },
        { HEAD "E1\tA\t0\tMt\t1\t-1\tinf\t-\n", "name\tid\tspecies\n", "not a number above 0" },
        { HEAD "E1\tA\t0\ttRNA\t1\t-1\t-\t-\n", "name\tid\tspecies\n", "unknown biotype 'tRNA'" },
        { HEAD "\tA\t0\tMt\t1\t-1\t-\t-\n", "name\tid\tspecies\n", "a gene without id" },
        { HEAD "E1\tA\t0\tMt\t1\t-1\t-\t-\nE1\tB\t0\tMt\t1\t-1\t-\t-\n", "name\tid\tspecies\n",
          "row 2: gene 'E1' is there twice" },
        { HEAD "E1\tA\t0\tMt\t1\t-1\t-\t-\nE2\tA\t0\tMt\t1\t-1\t-\t-\n", "name\tid\tspecies\n",
          "two human genes are called 'A'" },
        { HEAD "E1\tA\t0\tMt\t1\t9\t-\t-\nE2\tB\t0\tMt\t1\t9\t-\t-\n", "name\tid\tspecies\n",
          "token 9 is of two genes" },
        { HEAD "E1\tA\t1\tMt\t1\t-1\t-\tE7\n", "name\tid\tspecies\n", "not among the genes" },
        { HEAD "E1\tA\t1\tMt\t1\t-1\t-\tE1\n", "name\tid\tspecies\n", "is no human gene" },
        { HEAD "E1\tA\t0\tMt\t1\t-1\t-\tE1\n", "name\tid\tspecies\n", "only mouse genes" },
        { HEAD "E1\tA\t0\tMt\t1\t-1\t-\t-\n", "name\tid\tspecies\nB\tE2\t0\n",
          "which there is not" },
        { HEAD "E1\tA\t0\tMt\t1\t-1\t-\t-\n", "name\tid\tspecies\nB\tE1\t1\n", "other species" },
        { HEAD "E1\tA\t0\tMt\t1\t-1\n", "name\tid\tspecies\n", "fields" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct gene_tables t;
        struct err e = { 0 };
        put_tables(bad[i].genes, bad[i].aliases);
        enum rc rc = tables_read(folder, &t, &e);
        ok(rc == RC_INPUT && strstr(e.text, bad[i].why) && t.n == 0, "refused: %s", e.text);
    }
    struct gene_tables t;
    struct err e = { 0 };
    ok(tables_read("/nonexistent", &t, &e) == RC_INPUT && strstr(e.text, "has neither"),
       "refused: %s", e.text);
}

#define VHEAD "token\tid\tname\tspecies\tbiotype\thomolog\n"
#define SPECIALS "0\t<pad>\t<pad>\t-\t-\t-1\n1\t<mask>\t<mask>\t-\t-\t-1\n"

static void test_vocab(void)
{
    static const char good[] = VHEAD SPECIALS "2\tENSG1\tTP53\thuman\tprotein_coding\t4\n"
                                              "3\tENSG2\t\thuman\tlncRNA\t-1\n"
                                              "4\tENSMUSG1\tTrp53\tmouse\tprotein_coding\t2\n";
    struct vocab v;
    struct err e = { 0 };
    char *path = put("vocab.tsv", good), *copy = text_new("%s/copy.tsv", folder), *text = NULL;
    size_t n = 0;
    ok(!vocab_read(path, &v, &e) && v.n == 5 && vocab_token(&v, "ENSMUSG1") == 4 &&
           vocab_token(&v, "TP53") == -1 && v.entry[3].homolog == -1 &&
           v.entry[4].species == SPECIES_MOUSE,
       "a vocabulary is read %s", e.text);
    ok(!vocab_write(copy, &v, &e) && !file_read(copy, 1 << 20, &text, &n, &e) &&
           strcmp(text, good) == 0,
       "and written back byte for byte %s", e.text);
    free(text);
    free(copy);
    ok(vocab_write("/dev/full", &v, &e) != RC_OK, "a full disk is told: %s", e.text);
    vocab_release(&v);
    static const char *const bad[][2] = {
        { VHEAD "0\t<mask>\t\t-\t-\t-1\n1\t<pad>\t\t-\t-\t-1\n", "the first two tokens" },
        { VHEAD SPECIALS "3\tE\tA\thuman\tMt\t-1\n", "token 3 stands where 2 should" },
        { VHEAD SPECIALS "2\tE\tA\thuman\tMt\t-1\n3\tE\tA\thuman\tMt\t-1\n", "'E' has two tokens" },
        { VHEAD SPECIALS "2\tE\tA\tdog\tMt\t-1\n", "'dog' is none of" },
        { VHEAD SPECIALS "2\tE\tA\t-\tMt\t-1\n", "has no species" },
        { VHEAD SPECIALS "2\tE\tA\tmouse\tMt\t-1\n3\tF\tA\thuman\tMt\t-1\n",
          "behind a mouse gene" },
        { VHEAD SPECIALS "2\tE\tA\thuman\tMt\t3\n", "no gene's token" },
        { VHEAD SPECIALS "2\tE\tA\thuman\tMt\t3\n3\tF\tA\thuman\tMt\t2\n", "of the same species" },
        { VHEAD SPECIALS "2\tE\tA\thuman\tMt\t3\n3\tF\tA\tmouse\tMt\t-1\n", "another homolog" },
        { VHEAD "0\t<pad>\t\thuman\t-\t-1\n1\t<mask>\t\t-\t-\t-1\n", "has a species" },
        { VHEAD "0\t<pad>\t\t-\t-\t1\n1\t<mask>\t\t-\t-\t-1\n", "has a homolog" },
        { VHEAD SPECIALS "2\tE\tA\thuman\tMt\t-2\n", "column 'homolog'" },
        { VHEAD, "the first two tokens" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        free(put("vocab.tsv", bad[i][0]));
        err_clear(&e);
        enum rc rc = vocab_read(path, &v, &e);
        ok(rc == RC_INPUT && strstr(e.text, bad[i][1]) && v.n == 0, "refused: %s", e.text);
    }
    free(path);
}

static void test_medians(void)
{
    static const char good[] = "id\tn_nonzero\tmedian\nENSG1\t3\t1.4179\nENSG2\t18446744\t0.25\n";
    struct medians m;
    struct err e = { 0 };
    char *path = put("medians.tsv", good), *copy = text_new("%s/copy.tsv", folder), *text = NULL;
    size_t n = 0;
    ok(!medians_read(path, &m, &e) && m.n == 2 && medians_find(&m, "ENSG2")->median == 0.25 &&
           !medians_find(&m, "ENSG3"),
       "medians are read %s", e.text);
    ok(!medians_write(copy, &m, &e) && !file_read(copy, 1 << 20, &text, &n, &e) &&
           strcmp(text, good) == 0,
       "and written back byte for byte %s", e.text);
    free(text);
    free(copy);
    medians_release(&m);
    static const char *const bad[][2] = {
        { "id\tn_nonzero\tmedian\nA\t1\t0\n", "not a number above 0" },
        { "id\tn_nonzero\tmedian\nA\t1\tnan\n", "not a number above 0" },
        { "id\tn_nonzero\tmedian\nA\t-1\t1\n", "column 'n_nonzero'" },
        { "id\tn_nonzero\tmedian\nA\t1\t1\nA\t1\t1\n", "row 2: 'A' has two medians" },
        { "id\tmedian\nA\t1\n", "no column 'n_nonzero'" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        free(put("medians.tsv", bad[i][0]));
        err_clear(&e);
        ok(medians_read(path, &m, &e) == RC_INPUT && strstr(e.text, bad[i][1]) && m.n == 0,
           "refused: %s", e.text);
    }
    free(path);
}

int main(void)
{
    if (!mkdtemp(folder))
        return 1;
    test_good();
    test_bad_tables();
    test_vocab();
    test_medians();
    static const char *const names[] = { "genes.tsv", "aliases.tsv", "vocab.tsv", "medians.tsv",
                                         "copy.tsv" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = text_new("%s/%s", folder, names[i]);
        unlink(path);
        free(path);
    }
    ok(rmdir(folder) == 0, "nothing else is left in the folder");
    return tap_end();
}
