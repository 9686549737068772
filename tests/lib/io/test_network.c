/* lib/io/network and lib/io/hgnc: every layout is read, every broken promise refused by line. */
#include "lib/io/network.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "lib/base/file.h"
#include "lib/io/hgnc.h"
#include "tests/tap.h"

static char dir[] = "/tmp/gc-test-XXXXXX";
static char *path;

static const char *put(const char *text)
{
    FILE *f = fopen(path, "wb");
    if (!f || fputs(text, f) < 0 || fclose(f) != 0)
        abort();
    return path;
}

static const char *name(const struct network *n, uint32_t i)
{
    return n->gene.at[i];
}

static void layouts(void)
{
    struct network n;
    struct err e = { 0 };
    ok(!network_read(put("TF\tTG\tScore\tFDR\tREs\nPOU5F1\tNANOG\t9.5\t0.001\tchr1_5_9;chr1_20_30\n"
                         "SOX2\tNANOG\t3\t0.01\t\n"),
                     NULL, &n, &e) &&
           n.n_rows == 2 && n.pairs.n == 2 && n.gene.n == 3,
       "PECA2: TF and TG, elements may be none %s", e.text);
    network_release(&n);
    ok(!network_read(
           put("\"source\",\"target\",\"weight\"\n\"MYC\",\"TERT\",1\n\"TERT\",\"MYC\",-1\n"
               "\"SPI1\",\"SPI1\",1\n\"MYC\",\"TERT\",1\n\n"),
           NULL, &n, &e) &&
           n.n_rows == 4 && n.n_directed == 3 && n.n_self == 1 && n.pairs.n == 1 && n.gene.n == 3,
       "CollecTRI: quoted commas; a pair both ways is one, one with itself none");
    ok(!strcmp(name(&n, n.pairs.at[0].a), "MYC") && !strcmp(name(&n, n.pairs.at[0].b), "TERT"),
       "the pair is of these genes");
    network_release(&n);
    network_release(&n);
    const char *dorothea =
        "tf\tconfidence\ttarget\tmor\nA1\tD\tB1\t1\r\nA1\tA\tC1\t1\nA2\tB\tC1\t-1\n";
    ok(!network_read(put(dorothea), NULL, &n, &e) && n.pairs.n == 3 && n.n_left == 0,
       "DoRothEA: all levels");
    network_release(&n);
    ok(!network_read(put(dorothea), "AB", &n, &e) && n.pairs.n == 2 && n.n_left == 1 &&
           n.gene.n == 3,
       "or those asked for; genes of other rows are not there");
    network_release(&n);
    ok(!network_read(put("TF\tgene_symbol\tinteraction\tposition\nAATF\tBAX\tRepression\t1;2\n"),
                     "A", &n, &e) &&
           n.pairs.n == 1 && n.gene.n == 2,
       "TRRUST with a header, whose words are no genes; it has no levels");
    network_release(&n);
    ok(!network_read(put("AATF\tBAX\tRepression\t1;2\nAATF\tMYC\tUnknown\t3\n"), NULL, &n, &e) &&
           n.n_rows == 2 && n.pairs.n == 2,
       "TRRUST as its site gives it");
    network_release(&n);
    ok(!network_read(put("GPNMB BAP1\nGPR34 CARD16"), NULL, &n, &e) && n.pairs.n == 2,
       "gene2vec: two names a line, the last one without an end");
    network_release(&n);
    gzFile g = gzopen(path, "wb");
    gzputs(g, dorothea);
    gzclose(g);
    ok(!network_read(path, NULL, &n, &e) && n.pairs.n == 3, "gzip");
    network_release(&n);
}

static void refused(const char *what, const char *text, const char *levels, const char *said)
{
    struct network n;
    struct err e = { 0 };
    const bool good = network_read(put(text), levels, &n, &e) == RC_INPUT && strstr(e.text, said) &&
                      strstr(e.text, path) && !n.gene.at && !n.pairs.at;
    if (!ok(good, "%s: refused", what))
        note("said: %s", e.text);
}

static void bad_networks(void)
{
    struct network n;
    struct err e = { 0 };
    refused("an empty file", "", NULL, "is empty");
    refused("a header alone", "source,target\n", NULL, "holds no pairs");
    refused("levels that no row has", "tf\tconfidence\ttarget\nA\tD\tB\n", "AB", "of these levels");
    refused("a table of something else", "gene_id\tlength\tvalue\nA\t3\t4\n", NULL,
            "no columns of a regulator");
    refused("a row that is short", "source,target,weight\nA,B,1\nA,B\n", NULL,
            "line 3: 2 fields instead of 3");
    refused("a row that is long", "A B\nA B C\n", NULL, "line 2: 3 fields instead of 2");
    refused("a gene without a name", "source,target,weight\nA,,1\n", NULL, "line 2: a gene");
    refused("a confidence that is no letter", "tf\tconfidence\ttarget\nA\tgood\tB\n", NULL,
            "'good' is no letter");
    char wide[400] = "source\ttarget";
    for (int i = 0; i < 80; i++)
        strcat(wide, "\tx");
    refused("a hundred columns", wide, NULL, "82 columns");
    ok(network_read(dir, NULL, &n, &e) == RC_INPUT && network_read("/no/such", NULL, &n, &e),
       "a folder, or nothing: refused");
    put("source,target\nA,B\nA,C\n");
    FILE *f = fopen(path, "ab");
    fwrite("A,\0B\n", 1, 5, f);
    fclose(f);
    ok(network_read(path, NULL, &n, &e) == RC_INPUT, "a zero byte: refused");
}

static void groups(void)
{
    struct hgnc h;
    struct err e = { 0 };
    ok(!hgnc_read(put("{\"response\":{\"docs\":["
                      "{\"symbol\":\"A\",\"ensembl_gene_id\":\"ENSG1\",\"gene_family_id\":[7,9]},"
                      "{\"symbol\":\"B\"},"
                      "{\"symbol\":\"C\",\"gene_group_id\":[7]},"
                      "{\"symbol\":\"D\",\"gene_family_id\":[]}]}}"),
                  &h, &e) &&
           h.n_genes == 2 && h.n_members == 3 && h.n_docs == 4,
       "genes with families, under the old word and the new%s", e.text);
    ok(!strcmp(h.symbol[0], "A") && !strcmp(h.ensembl[0], "ENSG1") && !h.ensembl[1] &&
           h.member[1].group == 9 && h.member[2].item == 1,
       "ids and members are there");
    struct pairs p = { 0 };
    size_t n = h.n_members;
    ok(!pairs_of_groups(&p, h.member, &n, &e) && p.n == 1 && n == 3,
       "the family of two makes a pair");
    pairs_release(&p);
    hgnc_release(&h);
    struct member m[] = { { 2, 5 }, { 1, 3 }, { 2, 4 }, { 2, 5 }, { 2, 6 }, { 1, 4 } };
    n = 6;
    ok(!pairs_of_groups(&p, m, &n, &e) && p.n == 4 && n == 5,
       "three of a family make three pairs, however often one is named");
    pairs_release(&p);
    static const char *const bad[][2] = {
        { "", "byte" },
        { "[]", "response.docs" },
        { "{\"response\":{\"docs\":{}}}", "response.docs" },
        { "{\"response\":{\"docs\":[3]}}", "entry 0 is not an object" },
        { "{\"response\":{\"docs\":[{\"gene_family_id\":[1]}]}}", "entry 0 has no symbol" },
        { "{\"response\":{\"docs\":[{\"symbol\":\"A\",\"gene_family_id\":1}]}}", "no list" },
        { "{\"response\":{\"docs\":[{\"symbol\":\"A\",\"gene_family_id\":[\"x\"]}]}}",
          "no whole number" },
        { "{\"response\":{\"docs\":[{\"symbol\":\"A\",\"gene_family_id\":[-1]}]}}",
          "no whole number" },
        { "{\"response\":{\"docs\":[{\"symbol\":\"A\"}]}}", "no gene with a family" },
        { "{\"response\":{\"docs\":[", "byte" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (!ok(hgnc_read(put(bad[i][0]), &h, &e) == RC_INPUT && strstr(e.text, bad[i][1]) &&
                    strstr(e.text, path) && !h.member,
                "refused: %s", bad[i][1]))
            note("said: %s", e.text);
    ok(hgnc_read(dir, &h, &e) == RC_INPUT && hgnc_read("/no/such", &h, &e) == RC_INPUT,
       "a folder, or nothing: refused");
    /* A gzip stream without its end. */
    gzFile g = gzopen(path, "wb");
    for (int i = 0; i < 2000; i++)
        gzprintf(g, "%d ", i * i);
    gzclose(g);
    char *data;
    size_t n_bytes;
    if (file_read(path, 1 << 20, &data, &n_bytes, &e) || truncate(path, (off_t)n_bytes / 2) != 0)
        abort();
    free(data);
    ok(hgnc_read(path, &h, &e) == RC_INPUT && strstr(e.text, "cut or damaged"),
       "half a gzip: refused");
}

int main(void)
{
    if (!mkdtemp(dir))
        return 1;
    path = text_new("%s/table", dir);
    layouts();
    bad_networks();
    groups();
    char *rm = text_new("rm -rf '%s'", dir);
    ok(system(rm) == 0, "clean up");
    free(rm);
    free(path);
    return tap_end();
}
