/* quantify-index: a genome and its genes to the index that quantify counts with. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/thread.h"
#include "lib/base/tool.h"
#include "lib/io/json.h"
#include "lib/io/star.h"

static const char *genome, *genes;
static int64_t overhang = 100, sparse = 1, memory_gb = 31;

static const struct opt opts[] = {
    OPT_STR("genome", &genome, "FILE", "FASTA, plain or .gz"),
    OPT_STR("genes", &genes, "FILE", "GTF with exons and gene_id, plain or .gz"),
    OPT_I64("overhang", &overhang, "N", "bases on each side of a junction: read length - 1"),
    OPT_I64("sparse", &sparse, "N", "every Nth suffix only: less memory, slower counting"),
    OPT_I64("memory-gb", &memory_gb, "N", "memory that STAR may take"),
    OPT_END,
};

static const char text[] =
    "Runs STAR (Debian package rna-star) in genomeGenerate mode. Sequences and exons are\n"
    "checked before. Genomes of few bases get shorter index words, as STAR's manual says.\n"
    "A human genome wants 31 GB of memory, with --sparse 3 about 16.\n"
    "\n"
    "Example:\n"
    "  quantify-index --genome GRCh38.fa.gz --genes gencode.gtf.gz --out index";

/* STAR's manual: --genomeSAindexNbases min(14, log2(length) / 2 - 1), --genomeChrBinNbits
 * min(18, log2(length / sequences)). */
static void sizes(const struct fasta_facts *f, int *word, int *bin)
{
    double bits = log2((double)f->n_bases), each = bits - log2((double)f->n_sequences);
    *word = (int)fmax(1, fmin(14, floor(bits / 2 - 1)));
    *bin = (int)fmax(8, fmin(18, floor(each)));
}

static enum rc generate(const struct fasta_facts *f, const char *out, struct err *e)
{
    char number[6][32];
    int word, bin;
    struct star_call c;
    sizes(f, &word, &bin);
    snprintf(number[0], sizeof *number, "%d", threads_count());
    snprintf(number[1], sizeof *number, "%d", word);
    snprintf(number[2], sizeof *number, "%d", bin);
    snprintf(number[3], sizeof *number, "%lld", (long long)overhang);
    snprintf(number[4], sizeof *number, "%lld", (long long)sparse);
    snprintf(number[5], sizeof *number, "%lld", (long long)memory_gb * 1000000000LL);
    star_begin(&c, NULL);
    star_add(&c, "--runMode", "genomeGenerate", "--genomeDir", ".", "--genomeFastaFiles",
             "genome.fa", "--sjdbGTFfile", "genes.gtf", "--runThreadN", number[0],
             "--genomeSAindexNbases", number[1], "--genomeChrBinNbits", number[2], "--sjdbOverhang",
             number[3], "--genomeSAsparseD", number[4], "--limitGenomeGenerateRAM", number[5],
             (char *)NULL);
    return star_run(&c, out, e);
}

/* Drops what is no part of the index: copies, and what tells of times and this run. */
static void tidy(const char *out)
{
    static const char *const name[] = { "genome.fa", "genes.gtf", "Log.out", "star.log" };
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        char *path = text_new("%s/%s", out, name[i]);
        if (path)
            remove(path);
        free(path);
    }
    char *tmp = text_new("%s/_STARtmp", out);
    if (tmp)
        folder_remove(tmp);
    free(tmp);
}

/* STAR notes the command in the index; without the number of threads it is the same everywhere. */
static enum rc forget_threads(const char *out, struct err *e)
{
    struct outfile o;
    char *path = text_new("%s/genomeParameters.txt", out), *s = NULL;
    size_t n;
    enum rc rc = path ? file_read(path, 1 << 20, &s, &n, e) : err_set(e, RC_FAIL, "no memory");
    if (!rc)
        rc = outfile_open(&o, path, e);
    if (!rc) {
        for (const char *line = s; *line;) {
            const char *end = strchr(line, '\n');
            int len = end ? (int)(end - line) + 1 : (int)strlen(line);
            if (strncmp(line, "###", 3) != 0)
                fprintf(o.f, "%.*s", len, line);
            line += len;
        }
        rc = outfile_commit(&o, e);
    }
    free(s);
    free(path);
    return rc;
}

static enum rc build(const char *out, const char *report, struct err *e)
{
    struct fasta_facts f = { 0 };
    size_t n_exons = 0, n_elsewhere = 0;
    char *fa = text_new("%s/genome.fa", out), *gtf = text_new("%s/genes.gtf", out);
    enum rc rc = fa && gtf ? folder_make(out, e) : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc)
        rc = star_copy_genome(genome, fa, &f, e);
    if (!rc)
        rc = star_copy_genes(genes, gtf, fa, &n_exons, &n_elsewhere, e);
    if (!rc)
        rc = generate(&f, out, e);
    if (!rc)
        rc = forget_threads(out, e);
    tidy(out);
    free(fa);
    free(gtf);
    if (!rc && report)
        rc =
            json_write(report,
                       json_pack("{s:I, s:I, s:I, s:I}", "n_bases", (json_int_t)f.n_bases,
                                 "n_sequences", (json_int_t)f.n_sequences, "n_exons",
                                 (json_int_t)n_exons, "n_exons_elsewhere", (json_int_t)n_elsewhere),
                       e);
    if (!rc)
        log_say("%llu bases in %zu sequences, %zu exons; %zu exons lie on no sequence of them",
                (unsigned long long)f.n_bases, f.n_sequences, n_exons, n_elsewhere);
    return rc;
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    if (tool_need_out(a, e))
        return RC_USAGE;
    if (!genome || !genes)
        return err_set(e, RC_USAGE, "--%s is missing", genome ? "genes" : "genome");
    if (overhang < 1 || sparse < 1 || memory_gb < 1)
        return err_set(e, RC_USAGE, "--overhang, --sparse and --memory-gb are 1 or more");
    return build(a->out, a->report, e);
}

int main(int argc, char **argv)
{
    static const struct tool tool = { "quantify-index",
                                      "",
                                      "Make the index of a genome and its genes for quantify",
                                      text,
                                      opts,
                                      0,
                                      0 };
    return tool_main(&tool, run, argc, argv);
}
