/* corpus-ledger: is the plan of the corpus sound, and what became of its cells? */
#include <inttypes.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/base/tool.h"
#include "lib/io/corpus_plan.h"
#include "lib/io/json.h"
#include "lib/report/corpus_ledger.h"

static struct opt_list input_files;
static const char *samples, *results, *reference = "reference/corpus.tsv", *sums;

static const struct opt opts[] = {
    OPT_LIST("inputs", &input_files, "FILE", "manifests of inputs: hold `inputs:` rows to them"),
    OPT_STR("samples", &samples, "FILE", "samples table: hold its samples to the plan"),
    OPT_STR("results", &results, "DIR", "a results folder; without it only the plan is checked"),
    OPT_STR("reference", &reference, "FILE", "the published numbers of cells"),
    OPT_STR("sums", &sums, "FILE", "where the sums go, with their distance to the published ones"),
    OPT_END,
};

static const char text[] =
    "PLAN is a table of manifests/corpus/: a row per sample with accession, species,\n"
    "tissue, source, kind, where, bytes, sha256, licence, chemistry. The first cell that\n"
    "breaks a promise is named with file, row and column, and the status is 3.\n"
    "\n"
    "--out is a row per sample, planned or not: cells in its source, cells imported,\n"
    "cells left after each rule of qc-filter, cells kept, and why it was lost or is still\n"
    "open. Reports that do not agree with each other end the run with status 4.\n"
    "\n"
    "Example:\n"
    "  corpus-ledger manifests/corpus/*.tsv --inputs manifests/inputs/demo.tsv\n"
    "  corpus-ledger manifests/corpus/*.tsv --results results/demo \\\n"
    "      --out ledger.tsv --sums sums.tsv";

static enum rc read_plan(struct corpus_plan *p, const struct tool_args *a, struct err *e)
{
    enum rc rc = RC_OK;
    for (int i = 0; !rc && i < a->arg.n; i++)
        rc = corpus_plan_read(p, a->arg.item[i], e);
    if (!rc && samples)
        rc = corpus_plan_check_samples(p, samples, e);
    if (rc || !input_files.n)
        return rc;
    struct inputs in;
    inputs_init(&in);
    for (int i = 0; !rc && i < input_files.n; i++)
        rc = inputs_read(&in, input_files.item[i], e);
    if (!rc)
        rc = inputs_finish(&in, e);
    if (!rc)
        rc = corpus_plan_check_inputs(p, &in, e);
    inputs_release(&in);
    return rc;
}

static void say_plan(const struct corpus_plan *p)
{
    size_t n[3] = { 0 }, n_unsized = 0;
    uint64_t bytes = 0;
    for (size_t i = 0; i < p->n; i++) {
        n[p->row[i].kind]++;
        bytes += p->row[i].bytes;
        n_unsized += !p->row[i].bytes;
    }
    log_say("%zu samples: %zu of counts, %zu of reads, %zu of which only the accession is known; "
            "%" PRIu64 " bytes and %zu samples of unknown size",
            p->n, n[CORPUS_COUNTS], n[CORPUS_READS], n[CORPUS_ACCESSION], bytes, n_unsized);
}

static enum rc write_ledger(const struct corpus_ledger *l, const struct tool_args *a, struct err *e)
{
    enum rc rc = corpus_ledger_write(l, a->out, e);
    if (!rc && sums)
        rc = corpus_ledger_write_sums(l, sums, e);
    for (int s = 0; !rc && s < 3; s++) {
        const struct corpus_ledger_sum *t = &l->sum[s];
        log_say("%s: %" PRIu64 " samples kept, %" PRIu64 " lost, %" PRIu64 " open; %" PRIu64
                " of %" PRIu64 " cells kept; the paper has %" PRIu64 ", distance %" PRId64,
                t->what, t->n[LEDGER_KEPT], t->n[LEDGER_LOST], t->n[LEDGER_OPEN], t->kept, t->in,
                t->published, (int64_t)t->kept - (int64_t)t->published);
    }
    if (!rc && a->report)
        rc = json_write(a->report,
                        json_pack("{s:I, s:I, s:I, s:I, s:I}", "n_samples", (json_int_t)l->n,
                                  "n_lost", (json_int_t)l->sum[2].n[LEDGER_LOST], "cells_in",
                                  (json_int_t)l->sum[2].in, "cells_kept",
                                  (json_int_t)l->sum[2].kept, "distance",
                                  (json_int_t)l->sum[2].kept - (json_int_t)l->sum[2].published),
                        e);
    return rc;
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    struct corpus_plan p;
    struct corpus_ledger l;
    if (results && tool_need_out(a, e))
        return RC_USAGE;
    if (!results && (a->out || sums || a->report))
        return err_set(e, RC_USAGE, "a ledger wants --results");
    corpus_plan_init(&p);
    enum rc rc = read_plan(&p, a, e);
    if (!rc)
        say_plan(&p);
    if (!rc && results && !(rc = corpus_ledger_read(&l, &p, results, reference, e))) {
        rc = write_ledger(&l, a, e);
        corpus_ledger_release(&l);
    }
    corpus_plan_release(&p);
    return rc;
}

int main(int argc, char **argv)
{
    static const struct tool tool = { "corpus-ledger",
                                      "[PLAN...]",
                                      "Check the plan of the corpus, and account for its cells",
                                      text,
                                      opts,
                                      0,
                                      -1 };
    int status = tool_main(&tool, run, argc, argv);
    free(input_files.item);
    return status;
}
