/* trace: from a file, a row or a number back to bytes and addresses; from a cell on to what was
 * made. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/tool.h"
#include "lib/manifest/trace.h"

static const char *from;
static int64_t rows = 10;

static const struct opt opts[] = {
    OPT_STR("from", &from, "CELL",
            "forward: a cell's id (16 digits) or SAMPLE/BARCODE; FILE is RESULTS then"),
    OPT_I64("rows", &rows, "N", "lines of one kind to show; the others are counted"),
    OPT_END,
};

static const struct tool tool = {
    "trace",
    "FILE[:LINE|:NUMBER]",
    "Follow a file, a row of a table or a cell through the manifests",
    "Prints where a file of a results folder came from: its stage, weights, shards, cells\n"
    "of each sample, the stages read on the way, and the raw inputs with address, licence\n"
    "and SHA-256. With a line of a table (its header is line 1) also the predictions\n"
    "behind a score, or the token row behind a cell, and only the sample that it is about;\n"
    "with a number of the paper the places that it was taken from.\n\n"
    "  trace results/demo/annotate/metrics.tsv:17\n"
    "  trace results/demo/map/map.tsv:208\n"
    "  trace results/demo/report/scores-01.svg\n"
    "  trace results/demo/paper/numbers.tex:gcCellsKept\n"
    "  trace results/demo --from pbmc_1k_v2/AAACCTGAGACAGACC-1\n\n"
    "--from goes the other way: every line about the cell, every stage that read it.\n"
    "stdout is a table: kind, name, bytes, sha256, detail. Sums are those of the\n"
    "manifests; of FILE itself the bytes are hashed, status 4 when they differ.",
    opts,
    1,
    1
};

/* FILE:LINE or FILE:gcNUMBER; a file whose name has a colon and that at its end wins. */
static enum rc cut_line(char *file, size_t *line, const char **number, struct err *e)
{
    char *colon = strrchr(file, ':'), *end;
    *line = 0;
    *number = NULL;
    if (file_exists(file) || !colon)
        return RC_OK;
    if (strncmp(colon + 1, "gc", 2) == 0) {
        *number = colon + 1;
        *colon = '\0';
        return RC_OK;
    }
    if (strspn(colon + 1, "0123456789") != strlen(colon + 1))
        return RC_OK;
    unsigned long n = strtoul(colon + 1, &end, 10);
    if (end == colon + 1 || n < 2)
        return err_set(e, RC_USAGE, "the first line below the header is 2, not '%s'", colon + 1);
    *colon = '\0';
    *line = n;
    return RC_OK;
}

static enum rc back(const char *arg, struct err *e)
{
    char *file = text_new("%s", arg), *root = NULL, *name = NULL;
    const char *number = NULL;
    size_t line = 0;
    struct chain c;
    enum rc rc =
        file ? cut_line(file, &line, &number, e) : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc)
        rc = trace_root(file, &root, &name, e);
    if (!rc && !(rc = chain_read(&c, root, e))) {
        rc = trace_back(&(struct trace){ &c, stdout, (size_t)rows }, name, line, number, e);
        chain_release(&c);
    }
    free(file);
    free(root);
    free(name);
    return rc;
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    struct chain c;
    if (a->out || a->report)
        return err_set(e, RC_USAGE, "trace writes to stdout only");
    if (rows < 0)
        return err_set(e, RC_USAGE, "--rows is 0 or more");
    if (!from)
        return back(a->arg.item[0], e);
    if (chain_read(&c, a->arg.item[0], e))
        return e->rc;
    enum rc rc = trace_from(&(struct trace){ &c, stdout, (size_t)rows }, from, e);
    chain_release(&c);
    return rc;
}

int main(int argc, char **argv)
{
    return tool_main(&tool, run, argc, argv);
}
