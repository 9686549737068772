/* quantify: raw reads of single cells to counts, a Cell Ranger 3 folder that import reads. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/tool.h"
#include "lib/io/accession.h"
#include "lib/io/json.h"
#include "lib/io/star_solo.h"

static const char *index_folder, *chemistry, *whitelist, *feature = "gene", *cells = "emptydrops";
static struct opt_list runs;

static const struct opt opts[] = {
    OPT_STR("index", &index_folder, "DIR", "index of quantify-index"),
    OPT_CHOICE("chemistry", &chemistry, "10xv2|10xv3|dropseq", "where barcode and UMI stand"),
    OPT_STR("whitelist", &whitelist, "FILE",
            "the barcodes there are, one a line, plain or .gz; 10x chemistries need it"),
    OPT_LIST("run", &runs, "SRR", "runs of the Sequence Read Archive instead of files"),
    OPT_CHOICE("feature", &feature, "gene|gene-full",
               "count reads of exons, or of introns too (as Cell Ranger 7 and later)"),
    OPT_CHOICE("cells", &cells, "emptydrops|knee|all",
               "which barcodes are cells: as Cell Ranger 3 and later, as Cell Ranger 2, or all"),
    OPT_END,
};

static const char text[] =
    "READS are FASTQ files by pairs, the one with barcodes first, plain or all gzip:\n"
    "  quantify L1_R1.fastq.gz L1_R2.fastq.gz L2_R1.fastq.gz L2_R2.fastq.gz --index index \\\n"
    "      --chemistry 10xv3 --whitelist 3M-february-2018.txt.gz --out counts\n"
    "  import counts --species human --out cells.h5ad\n"
    "\n"
    "STAR (Debian package rna-star) counts, with the settings by which its manual follows\n"
    "Cell Ranger 4. --out becomes matrix.mtx.gz, features.tsv.gz, barcodes.tsv.gz; barcodes\n"
    "without a count are left out. Same reads, same bytes, for any number of threads.\n"
    "\n"
    "--run fetches by fasterq-dump (Debian package sra-toolkit). Of a run's files the index\n"
    "reads (shorter than barcode and UMI) are left aside; the first of the two others has\n"
    "the barcodes.";

/* --- reads of a run --------------------------------------------------------------------------- */

struct reads {
    char *path[2 * 64]; /* owned */
    size_t n;
};

/* Of DIR/RUN_1.fastq ... DIR/RUN_4.fastq the two that hold a barcode and more. */
static enum rc pick_files(const char *dir, const char *run, const struct chemistry *c,
                          struct reads *r, struct err *e)
{
    size_t found = 0;
    for (int i = 1; i <= 4; i++) {
        char *path = text_new("%s/%s_%d.fastq", dir, run, i);
        struct reads_facts f = { 0 };
        if (path && file_exists(path) && star_look_at_reads(path, &f, e)) {
            free(path);
            return e->rc;
        }
        const bool fits = f.length >= (size_t)(c->barcode + c->umi);
        found += fits;
        if (fits && found <= 2)
            r->path[r->n++] = path;
        else
            free(path);
    }
    return found == 2 ? RC_OK
                      : err_set(e, RC_INPUT,
                                "run '%s' has %zu files of reads that could hold barcode and UMI "
                                "of %s, not 2: was it submitted without its barcodes?",
                                run, found, c->name);
}

static enum rc fetch_runs(const char *dir, const struct chemistry *c, struct reads *r,
                          struct err *e)
{
    enum rc rc = folder_make(dir, e);
    for (int i = 0; !rc && i < runs.n; i++) {
        struct star_call call;
        star_begin(&call, "fasterq-dump");
        star_add(&call, "--split-files", "--include-technical", "--outdir", ".", runs.item[i],
                 (char *)NULL);
        rc = star_run(&call, dir, e);
        if (!rc)
            rc = pick_files(dir, runs.item[i], c, r, e);
    }
    return rc;
}

/* --- the call -----------------------------------------------------------------------------------
 */

static enum rc write_report(const char *path, struct solo_result *r, struct err *e)
{
    const struct star_counts *c = &r->counts;
    return json_write(path,
                      json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:O}", "chemistry",
                                chemistry, "feature", feature, "cells", cells, "n_reads",
                                (json_int_t)r->n_reads, "n_cells", (json_int_t)c->n_cells,
                                "n_genes", (json_int_t)c->n_genes, "n_barcodes",
                                (json_int_t)c->n_barcodes, "nnz", (json_int_t)c->nnz, "total",
                                (json_int_t)c->total, "star", r->summary),
                      e);
}

static enum rc count(struct solo *s, const struct tool_args *a, struct err *e)
{
    struct solo_result r;
    if (solo_count(s, a->out, &r, e))
        return e->rc;
    enum rc rc = a->report ? write_report(a->report, &r, e) : RC_OK;
    if (!rc)
        log_say("%zu cells x %zu genes, %llu molecules in %llu entries", r.counts.n_cells,
                r.counts.n_genes, (unsigned long long)r.counts.total,
                (unsigned long long)r.counts.nnz);
    if (!rc && !r.counts.n_cells)
        log_warn("no cell has a count: do chemistry, whitelist and index fit the reads?");
    json_decref(r.summary);
    return rc;
}

static enum rc check_call(const struct tool_args *a, const struct chemistry *c, struct err *e)
{
    if (!index_folder)
        return err_set(e, RC_USAGE, "--index is missing");
    if (c->wants_whitelist && !whitelist)
        return err_set(e, RC_USAGE, "%s has a list of barcodes: --whitelist is missing", c->name);
    if ((a->arg.n > 0) == (runs.n > 0))
        return err_set(e, RC_USAGE, "wants files of reads or --run, one of both");
    if (a->arg.n % 2)
        return err_set(e, RC_USAGE, "reads come in pairs of files, not %d", a->arg.n);
    if (a->arg.n > 2 * 64 || runs.n > 64)
        return err_set(e, RC_USAGE, "more than 64 pairs of files");
    for (int i = 0; i < runs.n; i++)
        if (!accession_is_run(runs.item[i]))
            return err_set(e, RC_USAGE, "'%s' is no run such as SRR1234567", runs.item[i]);
    return RC_OK;
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    if (tool_need_out(a, e))
        return RC_USAGE;
    if (!chemistry)
        return err_set(e, RC_USAGE, "--chemistry is missing");
    const struct chemistry *c = chemistry_find(chemistry);
    if (check_call(a, c, e))
        return RC_USAGE;
    struct reads fetched = { .n = 0 };
    struct solo s = { .chemistry = c,
                      .index = index_folder,
                      .whitelist = whitelist,
                      .feature = strcmp(feature, "gene") == 0 ? "Gene" : "GeneFull",
                      .cells = cells,
                      .read = a->arg.item,
                      .n_reads = (size_t)a->arg.n };
    char *dir = text_new("%s/reads.part", a->out);
    enum rc rc = dir ? RC_OK : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc && runs.n)
        rc = fetch_runs(dir, c, &fetched, e);
    if (runs.n) {
        s.read = (const char *const *)fetched.path;
        s.n_reads = fetched.n;
    }
    if (!rc)
        rc = count(&s, a, e);
    if (dir && runs.n)
        folder_remove(dir);
    for (size_t i = 0; i < fetched.n; i++)
        free(fetched.path[i]);
    free(dir);
    return rc;
}

int main(int argc, char **argv)
{
    static const struct tool tool = {
        "quantify", "[READS...]", "Count raw reads of single cells by STARsolo", text, opts, 0, -1
    };
    int status = tool_main(&tool, run, argc, argv);
    free(runs.item);
    return status;
}
