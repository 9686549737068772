/* lib/io/fasta, lib/io/tss, lib/data/kmer: windows on either strand, at the ends, with N and lower
 * case, with an index and without, plain and gzip; and what is refused. */
#include "lib/io/fasta.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "lib/base/file.h"
#include "lib/data/kmer.h"
#include "lib/io/tss.h"
#include "tests/tap.h"

static char dir[] = "/tmp/gc-test-XXXXXX";
static char *path, *fai, *gz;

static const char *put_at(const char *to, const char *text)
{
    FILE *f = fopen(to, "wb");
    if (!f || fputs(text, f) < 0 || fclose(f) != 0)
        abort();
    return to;
}

static const char *put(const char *text)
{
    return put_at(path, text);
}

static const char *put_gz(const char *text)
{
    gzFile f = gzopen(gz, "wb");
    if (!f || gzputs(f, text) < 0 || gzclose(f) != Z_OK)
        abort();
    return gz;
}

/* Positions 0..: chr1 ACGTACGTAA CCCCGGGGTT nnAC, 2 TTTTT */
static const char genome[] = ">chr1 first\nACGTACGTAA\nCCCCGGGGtt\nnRAC\n>2\nTTTTT\n";
static const char good_fai[] = "chr1\t24\t12\t10\t11\n2\t5\t42\t5\t6\n";

struct wanted {
    const char *sequence;
    int64_t start, end;
    bool reverse, found;
    const char *bases;
};

static const struct wanted wanted[] = { { "chr1", 0, 4, false, true, "ACGT" },
                                        { "1", 8, 14, false, true, "AACCCC" },
                                        { "chr1", 8, 14, true, true, "GGGGTT" },
                                        { "chr1", 18, 22, false, true, "TTNN" },
                                        { "chr1", -3, 3, false, true, "NNNACG" },
                                        { "chr1", 22, 27, false, true, "ACNNN" },
                                        { "chr1", 22, 27, true, true, "NNNGT" },
                                        { "chr2", 1, 4, true, true, "AAA" },
                                        { "chr1", 40, 43, false, true, "NNN" },
                                        { "chr3", 0, 2, false, false, "NN" },
                                        { "chr1", 3, 24, false, true, "TACGTAACCCCGGGGTTNNAC" } };
enum { N = sizeof wanted / sizeof *wanted };

static bool windows(const char *from, bool by_index, struct err *e)
{
    struct fasta_window w[N];
    char bases[N][32];
    struct fasta_facts f;
    for (int i = 0; i < N; i++)
        w[i] = (struct fasta_window){ .sequence = i == 1 ? "chr1" : wanted[i].sequence,
                                      .start = wanted[i].start,
                                      .end = wanted[i].end,
                                      .reverse = wanted[i].reverse,
                                      .bases = bases[i] };
    *e = (struct err){ 0 };
    if (fasta_windows(from, w, N, &f, e))
        return false;
    bool same = f.n_sequences == 2 && f.n_bases == 29 && f.by_index == by_index;
    for (int i = 0; i < N; i++) {
        size_t known = 0;
        for (const char *c = wanted[i].bases; *c; c++)
            known += *c != 'N';
        if (strcmp(bases[i], wanted[i].bases) != 0 || w[i].found != wanted[i].found ||
            w[i].n_known != known) {
            note("window %d: %s, wanted %s", i, bases[i], wanted[i].bases);
            same = false;
        }
    }
    return same;
}

static void genomes(void)
{
    struct err e;
    ok(windows(put(genome), false, &e), "no index: read through; ends, strands, N, lower case %s",
       e.text);
    ok(windows(put_gz(genome), false, &e), "gzip: the same %s", e.text);
    put_at(fai, good_fai);
    ok(windows(put(genome), true, &e), "an index: the same %s", e.text);
    put_at(fai, "chr1\t24\t11\t10\t11\n2\t5\t42\t5\t6\n");
    ok(!windows(path, true, &e) && e.rc == RC_INPUT && strstr(e.text, "index"),
       "an index that does not fit is refused: %s", e.text);
    put_at(fai, "chr1\t24\t12\t10\t11\n2\t50\t42\t5\t6\n");
    ok(!windows(put(">chr1\nAC\n"), true, &e) && e.rc == RC_INPUT, "so is a shorter file: %s",
       e.text);
    put_at(fai, "chr1\t24\n");
    ok(!windows(path, true, &e) && e.rc == RC_INPUT && strstr(e.text, "line 1"),
       "so is a row of two fields: %s", e.text);
    unlink(fai);
}

static void refused(const char *text, const char *why)
{
    struct fasta_window w = { .sequence = "a", .start = 0, .end = 2, .bases = (char[3]){ 0 } };
    struct fasta_facts f;
    struct err e = { 0 };
    ok(fasta_windows(put(text), &w, 1, &f, &e) == RC_INPUT && strstr(e.text, why), "refused: %s",
       e.text);
}

static void words(void)
{
    uint32_t t[16];
    ok(kmer_tokens("AAAAAAT", 7, 6, t) == 2 && t[0] == KMER_FIRST && t[1] == KMER_FIRST + 1,
       "AAAAAA, AAAAAT are the first words");
    ok(kmer_tokens("gggggg", 6, 6, t) == 1 && t[0] == kmer_n_tokens(6) - 1,
       "GGGGGG is the last, in any case");
    ok(kmer_tokens("AAANAAAA", 8, 3, t) == 6 && t[0] == KMER_FIRST && t[1] == KMER_UNK &&
           t[3] == KMER_UNK && t[4] == KMER_FIRST,
       "every word with an N is unknown");
    ok(kmer_tokens("AAAAA", 5, 6, t) == 0, "five bases have no word of six");
}

static void sites(void)
{
    struct tss_table t;
    struct err e = { 0 };
    ok(!tss_read(put("#chr\tstart\tend\tname\tscore\tstrand\tEnsembl_ID\n"
                     "chr1\t100\t200\tA\t0\t+\tE1\nchr1\t100\t200\tB\t0\t-\tE2\n"),
                 &t, &e) &&
           t.n == 2 && t.at[0].at == 100 && !t.at[0].reverse && t.at[1].at == 199 &&
           t.at[1].reverse && !strcmp(t.at[1].id, "E2") && !strcmp(t.at[1].name, "B"),
       "a BED with a header: the first base on the strand %s", e.text);
    tss_release(&t);
    ok(!tss_read(put("chr1\t100\t200\tA\t0\t-\n"), &t, &e) && t.n == 1 && t.at[0].at == 199 &&
           !t.at[0].id,
       "a BED without one");
    tss_release(&t);
    ok(!tss_read(put("gene_id\tchrom\ttss\tstrand\nE1\t1\t101\t-1\n"), &t, &e) &&
           t.at[0].at == 100 && t.at[0].reverse,
       "start sites as BioMart counts them");
    tss_release(&t);
    ok(!tss_read(put("ensgene\tsymbol\tchr\tstart\tend\tstrand\n"
                     "E1\tA\t1\t101\t101\t1\nE2\tB\t1\t101\t200\t-1\n"),
                 &t, &e) &&
           t.n == 2 && t.at[0].at == 100 && t.at[1].at == 199 && !strcmp(t.at[0].id, "E1"),
       "genes as Ensembl's table places them: from 1, closed");
    tss_release(&t);
    static const char *const bad[] = { "",
                                       "chr1\t1\t2\n",
                                       "chr1\t5\t5\tA\t0\t+\n",
                                       "chr1\t1\t2\tA\t0\t.\n",
                                       "chr1\tx\t2\tA\t0\t+\n",
                                       "ensgene\tchr\tstart\tend\tstrand\nE\t1\t0\t9\t1\n",
                                       "chr1\t1\t2\t\t0\t+\n",
                                       "chr\tname\n",
                                       "chr1\t1\t2\tA\t0\t+\nchr1\t1\t2\n" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        e = (struct err){ 0 };
        ok(tss_read(put(bad[i]), &t, &e) == RC_INPUT && !t.at && e.text[0], "refused: %s", e.text);
    }
}

static void lists(void)
{
    struct sequences s;
    struct err e = { 0 };
    ok(!sequences_read(put(">a x\nAC\ngt\n\n>b\nTT\n"), &s, &e) && s.n == 2 &&
           !strcmp(s.bases[0], "ACGT") && !strcmp(s.name[0], "a") && !strcmp(s.bases[1], "TT"),
       "sequences of a FASTA file");
    sequences_release(&s);
    ok(!sequences_read(put("ACg\nTT\n"), &s, &e) && s.n == 2 && !strcmp(s.bases[0], "ACG") &&
           !s.name[0],
       "bare lines are sequences");
    sequences_release(&s);
    ok(sequences_read(put("AC1\n"), &s, &e) == RC_INPUT && !s.bases, "refused: %s", e.text);
    ok(sequences_read(put("AC\n>a\nAC\n"), &s, &e) == RC_INPUT && !s.bases, "refused: %s", e.text);
    ok(sequences_read(put(""), &s, &e) == RC_INPUT && !s.bases, "refused: %s", e.text);
}

int main(void)
{
    if (!mkdtemp(dir))
        abort();
    path = text_new("%s/f", dir);
    fai = text_new("%s/f.fai", dir);
    gz = text_new("%s/f.gz", dir);
    genomes();
    refused("", "no sequence");
    refused("ACGT\n", "no '>NAME'");
    refused(">a\nAC\n>a\nAC\n", "twice");
    refused(">a\nAC\n>chra\nAC\n", "twice");
    refused(">a\nA1\n", "no base");
    words();
    sites();
    lists();
    unlink(path);
    unlink(gz);
    rmdir(dir);
    free(path);
    free(fai);
    free(gz);
    return tap_end();
}
