/* import.h and its parts: what counts as a count, names of genes, sheets, labels, droplets. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/rng.h"
#include "lib/io/counts.h"
#include "lib/io/droplets.h"
#include "lib/io/genes.h"
#include "lib/io/h5ad.h"
#include "lib/io/import.h"
#include "lib/io/lzf.h"
#include "lib/io/number.h"
#include "tests/tap.h"

static char dir[] = "/tmp/test_import.XXXXXX";

static const char *in_dir(const char *name)
{
    static char path[8][256];
    static int k;
    k = (k + 1) % 8;
    snprintf(path[k], sizeof path[k], "%s/%s", dir, name);
    return path[k];
}

static const char *put(const char *name, const char *text)
{
    struct outfile o;
    struct err e = { 0 };
    const char *path = in_dir(name);
    if (outfile_open(&o, path, &e) || fputs(text, o.f) < 0 || outfile_commit(&o, &e))
        ok(false, "can write '%s': %s", path, e.text);
    return path;
}

/* ---- parts ---- */

static bool taken(double v, uint32_t want, bool bad)
{
    struct counts_check c = { 0 };
    return counts_take(&c, v, 0, 0) == want && counts_bad(&c) == bad;
}

static const char *verdict(const double *v, size_t n)
{
    static struct err e;
    struct counts_check c = { 0 };
    err_clear(&e);
    for (size_t i = 0; i < n; i++)
        counts_take(&c, v[i], i, 7);
    counts_verdict(&c, &e);
    return e.text;
}

static void counts(void)
{
    ok(taken(525, 525, false) && taken(0, 0, false) && taken(-0.0, 0, false) &&
           taken(2147483647, 2147483647, false),
       "whole numbers from 0 to 2^31 - 1 are counts");
    ok(taken(524.9999999999999, 525, false) && taken(0.9999995, 1, false) &&
           taken(1e6 + 0.4, 1000000, false) && taken(1e-9, 0, false),
       "values within 1e-6 of a whole number are that number");
    ok(taken(0.99999, 0, true) && taken(2.5, 0, true) && taken(-1, 0, true) &&
           taken(NAN, 0, true) && taken(INFINITY, 0, true) && taken(2147483648.0, 0, true) &&
           taken(1e300, 0, true),
       "fractions, negatives, NaN, Inf and what does not fit are none");
    const double logs[] = { 0.3, 1.2, 3.4, 0.7 }, scaled[] = { -0.3, 1.2, -3.4, 0.7 },
                 norm[] = { 33.3, 812.1, 3.4, 0.7 }, nan_[] = { 1, 2, NAN };
    double few[100];
    for (size_t i = 0; i < 100; i++)
        few[i] = i == 41 ? 2.5 : 3;
    ok(strstr(verdict(logs, 4), "look log-normalised") != NULL, "%s", verdict(logs, 4));
    ok(strstr(verdict(scaled, 4), "look scaled") != NULL, "%s", verdict(scaled, 4));
    ok(strstr(verdict(norm, 4), "look normalised") != NULL, "%s", verdict(norm, 4));
    ok(strstr(verdict(nan_, 3), "cell 3, feature 8 is not a number") != NULL, "%s",
       verdict(nan_, 3));
    ok(strstr(verdict(few, 100), "2.5 of cell 42, feature 8 is no whole") != NULL, "%s",
       verdict(few, 100));
}

static void numbers(void)
{
    static const char *const good[] = {
        "0", "12", "-3", "+4", "3.0", ".5", "5.", "3.000000e+00", "1E2", "123456789012345678901"
    };
    static const double want[] = { 0, 12, -3, 4, 3, 0.5, 5, 3, 100, 123456789012345678901.0 };
    static const char *const bad[] = { "",   " 1", "1 ",  "12abc", "0x10",  "nan", "inf",  ".",
                                       "e5", "1e", "1e+", "--1",   "1.2.3", "1,5", "1e400" };
    bool all = true;
    double v;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        all = all && number_parse(good[i], &v) && near(v, want[i], 0, 1e-15);
    ok(all, "decimal numbers are read");
    all = true;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (number_parse(bad[i], &v)) {
            note("'%s' was taken for %g", bad[i], v);
            all = false;
        }
    ok(all, "anything else is no number");
    uint64_t w;
    ok(number_whole("18446744073709551615", &w, NULL) && w == UINT64_MAX &&
           !number_whole("18446744073709551616", &w, NULL) && !number_whole("-1", &w, NULL),
       "whole numbers are read up to 2^64 - 1 and not beyond");
}

static void lzf(void)
{
    static const unsigned char in[] = { 2, 'a', 'b', 'c', 0x20, 2, 0xe0, 1, 0 };
    unsigned char out[64];
    ok(lzf_unpack(in, sizeof in, out, 64) == 16 && memcmp(out, "abcabccccccccccc", 16) == 0,
       "LZF: literals, a copy, a long copy that overlaps itself");
    bool refused = true;
    for (size_t n = 1; n < sizeof in; n++) /* a cut may fall between two instructions */
        refused = refused && (n == 4 || n == 6 || lzf_unpack(in, n, out, 64) == 0);
    ok(refused, "cut LZF is refused");
    ok(lzf_unpack(in, sizeof in, out, 15) == 0, "LZF that does not fit is refused");
    ok(lzf_unpack((const unsigned char[]){ 0, 'x', 0x20, 1 }, 4, out, 64) == 0,
       "LZF that copies from before the start is refused");
}

static void genes(void)
{
    enum species s;
    ok(gene_ensembl("ENSG00000000003") == 15 && gene_ensembl("ENSMUSG00000000001.4") == 18 &&
           !gene_ensembl("ENST00000000003") && !gene_ensembl("ENSG0000000000") &&
           !gene_ensembl("ENSG00000000003.") && !gene_ensembl("ENSG00000000003x") &&
           !gene_ensembl("ENSA") && !gene_ensembl("") && !gene_ensembl("ENS"),
       "Ensembl gene ids are told from other texts");
    ok(gene_prefix("hg19_TP53", &s) == 5 && s == SPECIES_HUMAN &&
           gene_prefix("mm10___Trp53", &s) == 7 && s == SPECIES_MOUSE && !gene_prefix("hg19", &s) &&
           !gene_prefix("TP53_x", &s),
       "assembly prefixes name their species");
    static const char *const human[] = { "TP53", "C1orf112", "MT-CO1", "ACTB", "GAPDH", "RPL3" };
    static const char *const mouse[] = { "Trp53", "1700001C02Rik", "mt-Co1", "Actb",
                                         "H2-K1", "Rpl3",          "Gapdh" };
    static const char *const none[] = { "gene0", "gene1", "gene2" };
    static const char *const id[] = { "ENSMUSG00000000001.4", "ENSMUSG00000000003", "TP53" };
    static const char *const cell[] = { "AAACATTGCACTAG-1", "lane2_ACGTACGTACGT",
                                        "TTTGCATGGGAGTG" };
    ok(genes_species(human, 6) == SPECIES_HUMAN && genes_species(mouse, 7) == SPECIES_MOUSE &&
           genes_species(id, 3) == SPECIES_MOUSE && genes_species(none, 3) == SPECIES_UNKNOWN &&
           genes_species(none, 0) == SPECIES_UNKNOWN,
       "species are told by the case of symbols or by ids, and not from names that say nothing");
    ok(genes_likeness(human, 6) > genes_likeness(cell, 3) &&
           genes_likeness(id, 3) > genes_likeness(cell, 3) && genes_likeness(cell, 3) < 0,
       "genes look more like genes than barcodes do");
}

/* 100 cells of about 2000 counts and n_empty droplets of about 5. */
static void droplets(void)
{
    struct err e = { 0 };
    size_t n = 3000, n_keep = 0, right = 0;
    uint64_t threshold = 0, *total = malloc(n * sizeof *total);
    unsigned char *keep = malloc(n);
    for (size_t r = 0; r < n; r++) {
        bool cell = r % 30 == 7;
        total[r] = (cell ? 1500u : 3u) + rng_below(1, RNG_TEST, r, 0, cell ? 1000 : 5);
    }
    ok(!droplets_call(total, n, keep, &n_keep, &threshold, &e), "droplets are told from cells");
    for (size_t r = 0; r < n; r++)
        right += keep[r] == (r % 30 == 7);
    ok(n_keep == 100 && right == n && threshold > 7 && threshold <= 1500,
       "exactly the 100 cells are kept, threshold %llu", (unsigned long long)threshold);
    for (size_t r = 0; r < n; r++)
        total[r] = 500 + rng_below(1, RNG_TEST, r, 1, 20000);
    ok(!droplets_call(total, n, keep, &n_keep, &threshold, &e) && n_keep == n && threshold == 0,
       "a list of cells is left as it is");
    free(keep);
    free(total);
}

/* ---- whole imports ---- */

static bool reads(const char *path, const struct import_options *o, struct cells *c,
                  struct import_report *rep)
{
    struct err e = { 0 };
    if (!import_any(path, o, c, rep, &e))
        return true;
    note("%s", e.text);
    return false;
}

static const struct import_options human = { .species = SPECIES_HUMAN };

static bool refuses(const char *path, const struct import_options *o, const char *want)
{
    struct cells c;
    struct import_report rep;
    struct err e = { 0 };
    enum rc rc = import_any(path, o, &c, &rep, &e);
    bool good = rc == RC_INPUT && strstr(e.text, want) && !c.count.indptr && !c.cell;
    if (!good)
        note("status %d: %s", rc, e.text);
    if (!rc)
        cells_release(&c);
    return good;
}

static void tables(void)
{
    struct cells c;
    struct import_report rep;
    const char *path = put("a.csv", "gene,AAACCCAA,AAACCCAC\nTP53,1,0\nMT-CO1,3.0,0.9999999999\n");
    ok(reads(path, &human, &c, &rep) && c.count.n_rows == 2 && c.count.n_cols == 2 &&
           rep.total == 5 && rep.nnz == 3 && rep.n_rounded == 1 &&
           strcmp(c.gene[1], "MT-CO1") == 0 && strcmp(c.cell[1], "AAACCCAC") == 0 &&
           strcmp(rep.sample, "a") == 0,
       "genes in rows are read");
    uint64_t id = (uint64_t)table_find(&c.obs, "cell_id")->i64[1];
    ok(id == cell_id_of(rep.sha256, "AAACCCAC"), "a cell's id is that of checksum and barcode");
    cells_release(&c);
    path = put("b.tsv", "\xef\xbb\xbf\"TP53\"\t\"ACTB\"\n\"c1\"\t1\t0\n\"c2\"\t2\t5\n");
    ok(reads(path, &human, &c, &rep) && rep.total == 8 && strcmp(c.gene[1], "ACTB") == 0,
       "an R header, quotes and a byte order mark are understood, and columns that look like "
       "genes");
    cells_release(&c);
    path = put("b2.tsv", "x\ta1\ta2\tx3\nb1\t1\t0\t1\nb2\t2\t5\t1\n");
    ok(reads(path, &human, &c, &rep) && strcmp(c.gene[0], "b1") == 0 && c.count.n_rows == 3,
       "genes are in the rows where names say nothing");
    cells_release(&c);
    path = put("c.txt", "barcode RPL3 RPS4\nx1 1 2\nx2 3 4\n");
    ok(reads(path, &human, &c, &rep) && strcmp(c.gene[1], "RPS4") == 0 && rep.total == 10,
       "blanks separate where nothing else does; the corner says that rows are cells");
    cells_release(&c);
    path = put("d.csv", "gene,AAACCCAA,AAACCCAA\nTP53,1,2\nTP53,4,0\nACTB,0,7\n");
    ok(reads(path, &human, &c, &rep) && rep.n_genes == 2 && rep.n_genes_merged == 1 &&
           rep.n_barcodes_renamed == 1 && strcmp(c.cell[0], "AAACCCAA") == 0 &&
           strcmp(c.cell[1], "AAACCCAA-1") == 0 && c.count.value[0] == 5,
       "equal genes are summed, equal barcodes get a suffix, both are counted");
    cells_release(&c);
    ok(refuses(put("e.csv", "gene,a,b\nTP53,1\n"), &human, "line 2 has 2 fields, the header has 3"),
       "a short first row is refused");
    ok(refuses(put("f.csv", "gene,a\nTP53,2147483647\nTP53,1\n"), &human,
               "does not fit in 31 bits"),
       "a sum that does not fit is refused");
    ok(refuses(put("g.csv", "gene,a\n,1\n"), &human, "feature 1 has no name"),
       "a gene without a name is refused");
    ok(refuses(put("h.csv", "gene,a\n\"x\"y,1\n"), &human, "text after a closing quote"),
       "text behind a quoted field is refused");
    const struct import_options guess = { .species = SPECIES_UNKNOWN };
    ok(refuses(put("i.csv", "gene,a\ng1,1\ng2,2\n"), &guess, "give --species"),
       "an unclear species is asked for");
    const struct import_options layer = { .species = SPECIES_HUMAN, .layer = "counts" };
    ok(refuses(in_dir("a.csv"), &layer, "no layers"), "a layer of a table is refused");
}

static void folders(void)
{
    struct cells c;
    struct import_report rep;
    const struct import_options guess = { .species = SPECIES_UNKNOWN };
    put("mix/genome/matrix.mtx", "%%MatrixMarket matrix coordinate integer general\n"
                                 "4 3 6\n1 1 9\n2 1 1\n3 2 7\n4 2 5\n1 3 5\n3 3 5\n");
    put("mix/genome/barcodes.tsv", "A\nB\nC\n");
    put("mix/genome/genes.tsv", "hg19_ENSG00000000003.1\thg19_TSPAN6\n"
                                "mm10_ENSMUSG00000000001\tmm10_Gnai3\n"
                                "mm10_ENSMUSG00000000003\tmm10_Pbsn\n"
                                "mm10_ENSMUSG00000000028\tmm10_Cdc45\n");
    ok(reads(in_dir("mix"), &guess, &c, &rep) && rep.mixture && rep.n_cells_unclear == 1 &&
           strcmp(table_find(&c.obs, "species")->text[0], "human") == 0 &&
           strcmp(table_find(&c.obs, "species")->text[1], "mouse") == 0 &&
           !table_find(&c.obs, "species")->text[2] &&
           strcmp(table_find(&c.var, "species")->text[0], "human") == 0 &&
           strcmp(c.gene[0], "hg19_ENSG00000000003") == 0 && rep.n_versions_cut == 1,
       "a mixture of species in a nested folder is told, gene by gene and cell by cell");
    cells_release(&c);
    put("pre/GSM1_matrix.mtx", "%%MatrixMarket matrix coordinate real general\n% c\n"
                               "3 2 3\n1 1 3.0\n3 1 8\n3 2 1\n");
    put("pre/GSM1_barcodes.tsv", "A\r\nB\r\n");
    put("pre/GSM1_features.tsv", "ENSG00000000003\tTSPAN6\tGene Expression\n"
                                 "ENSG00000000005\tTNMD\tGene Expression\n"
                                 "CD3\tCD3\tAntibody Capture\n");
    ok(reads(in_dir("pre"), &guess, &c, &rep) && rep.n_genes == 2 && rep.total == 3 &&
           rep.n_features_dropped == 1 && strcmp(rep.type[0].name, "Antibody Capture") == 0 &&
           rep.species == SPECIES_HUMAN &&
           strcmp(table_find(&c.var, "gene_name")->text[1], "TNMD") == 0,
       "files with a prefix are found; antibodies are dropped and counted");
    cells_release(&c);
    ok(reads(in_dir("pre/GSM1_matrix.mtx"), &guess, &c, &rep) && rep.n_genes == 2,
       "the matrix file by itself will do");
    cells_release(&c);
    put("turned/matrix.mtx", "%%MatrixMarket matrix coordinate integer general\n2 3 1\n2 3 4\n");
    put("turned/barcodes.tsv", "A\nB\n");
    put("turned/features.tsv", "TP53\nACTB\nGAPDH\n");
    ok(reads(in_dir("turned"), &guess, &c, &rep) && c.count.n_rows == 2 && c.count.index[0] == 2 &&
           c.count.indptr[1] == 0,
       "a matrix of cells x genes is understood from its sizes");
    cells_release(&c);
}

static void labels(void)
{
    struct cells c;
    struct import_report rep;
    put("l.csv", "gene,A-1,B-1,C-1\nTP53,1,2,3\nACTB,1,1,1\n");
    struct import_options o = { .species = SPECIES_HUMAN };
    o.labels = put("l1.tsv", "Barcode\tx\tCell.Type\nC-1\t1\tT cell\nA-1\t2\tNA\nQ-1\t3\tB cell\n");
    ok(reads(in_dir("l.csv"), &o, &c, &rep) && rep.n_labelled == 1 &&
           rep.n_label_rows_unused == 1 && !table_find(&c.obs, "label")->text[0] &&
           !table_find(&c.obs, "label")->text[1] &&
           strcmp(table_find(&c.obs, "label")->text[2], "T cell") == 0,
       "labels are joined by barcode; cells without one are missing");
    cells_release(&c);
    o.labels = put("l2.csv", "\"celltype\"\n\"A.1\",\"x, y\"\n\"B.1\",\"z\"\n");
    ok(reads(in_dir("l.csv"), &o, &c, &rep) && rep.n_labelled == 2 && rep.n_notes == 1 &&
           strcmp(table_find(&c.obs, "label")->text[0], "x, y") == 0,
       "R row names with dots for dashes are joined, and that is said: %s", rep.note[0]);
    cells_release(&c);
    o.labels = put("l3.tsv", "barcode\tcluster_7\nA\tx\nB\ty\n");
    ok(reads(in_dir("l.csv"), &o, &c, &rep) && rep.n_labelled == 2,
       "the only other column holds the labels; barcodes are joined without their -1");
    cells_release(&c);
    o.labels = put("l4.tsv", "barcode\tlabel\nA-1\tx\nA-1\ty\n");
    ok(refuses(in_dir("l.csv"), &o, "'A-1' has two different labels"),
       "two labels of one barcode are refused");
    o.labels = put("l5.tsv", "barcode\tlabel\nQ\tx\nR\ty\n");
    ok(refuses(in_dir("l.csv"), &o, "no barcode of"), "labels of other cells are refused");
    o.label_column = "nothing";
    ok(refuses(in_dir("l.csv"), &o, "has no column 'nothing'"),
       "a column that is not there is refused");
    o.labels = NULL;
    ok(refuses(in_dir("l.csv"), &o, "there is no column 'nothing'"),
       "a column that the source has not is refused");
}

/* What import wrote, import reads: the same cells under the same ids. */
static void ours_again(void)
{
    struct cells c, d;
    struct import_report rep, again;
    struct err e = { 0 };
    struct import_options o = { .species = SPECIES_MOUSE, .sample = "s1" };
    o.labels = put("o.tsv", "barcode\tlabel\nA-1\tx\n");
    const struct import_options none = { .species = SPECIES_UNKNOWN };
    ok(reads(in_dir("l.csv"), &o, &c, &rep) && !h5ad_write(in_dir("o.h5ad"), &c, NULL, &e) &&
           reads(in_dir("o.h5ad"), &none, &d, &again),
       "a file of ours is imported again");
    bool same = d.count.n_rows == 3 && again.total == rep.total && again.n_labelled == 1 &&
                strcmp(again.where, "X") == 0;
    for (size_t i = 0; same && i < 3; i++)
        same = table_find(&c.obs, "cell_id")->i64[i] == table_find(&d.obs, "cell_id")->i64[i] &&
               strcmp(table_find(&d.obs, "species")->text[i], "mouse") == 0 &&
               strcmp(table_find(&d.obs, "sample")->text[i], "s1") == 0 &&
               strcmp(c.cell[i], d.cell[i]) == 0;
    ok(same && d.obs.n_cols == c.obs.n_cols, "its cells keep ids, samples, species and labels");
    cells_release(&c);
    cells_release(&d);
}

int main(void)
{
    if (!mkdtemp(dir))
        return 1;
    counts();
    numbers();
    lzf();
    genes();
    droplets();
    tables();
    folders();
    labels();
    ours_again();
    char cmd[128];
    snprintf(cmd, sizeof cmd, "rm -rf '%s'", dir);
    return system(cmd) == 0 ? tap_end() : 1;
}
