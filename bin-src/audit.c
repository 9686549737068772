/* audit: looks at all that a results folder says about itself, and at every byte. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/audit_repeat.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/tool.h"
#include "lib/manifest/audit.h"
#include "lib/report/audit.h"

static struct audit_places places;
static int64_t level = 1, n_cells;
static const char *word = "audit";

static const struct opt opts[] = {
    OPT_I64("level", &level, "N", "0: bytes alone; 1 to 3: also do the work again, see above"),
    OPT_I64("cells", &n_cells, "N",
            "level 2: vectors from the weights of N cells, drawn; 0: of all"),
    OPT_STR("draw", &word, "WORD", "what the draw of --cells depends on: a word of your own"),
    OPT_STR("source", &places.source, "DIR", "checkout of the program that made RESULTS"),
    OPT_STR("cache", &places.cache, "DIR", "cache of fetch, to hash the raw inputs too"),
    OPT_END,
};

static const struct tool tool = {
    "audit",
    "RESULTS",
    "Check every byte of a results folder against what its stages wrote down",
    "Hashes every input, shard, checkpoint, table and figure below RESULTS, and compares\n"
    "each with the manifest of its stage, and each manifest with those of the stages\n"
    "that read it. Named on stdout: a file that is missing, changed or extra, a stage\n"
    "that was made from other bytes than lie there now, a parameter that differs.\n"
    "Only RESULTS is needed, wherever it lies; what it does not hold is 'open' unless\n"
    "--source or --cache say where to look.\n\n"
    "  --level 0  bytes and manifests only\n"
    "  --level 1  also counts all scores again from the predictions, and draws the page\n"
    "             with its figures again: the same bytes\n"
    "  --level 2  also maps and zero-shot scores from the vectors, the same bytes; vectors\n"
    "             from the weights by the backend ref, within a bound, and names from those\n"
    "             (with --cells of some cells alone, and no names)\n"
    "  --level 3  also trains again from the shards: the same weights\n\n"
    "  audit results/demo --level 2 --source . --cache cache --out demo.audit\n\n"
    "stdout has the verdicts that are not 'holds', as lines: check, subject, verdict,\n"
    "detail, and the tolerance table of level 2. --out writes all of them: audit.tsv,\n"
    "audit.json and a page, audit.html. What is done again lies in TMPDIR meanwhile.\n"
    "Status 0: nothing failed; 4: something did.",
    opts,
    1,
    1
};

static void print_troubles(const struct audit *a)
{
    for (size_t i = 0; i < a->n; i++)
        if (a->item[i].verdict != AUDIT_HOLDS)
            printf("%s\t%s\t%s\t%s\n", a->item[i].check, a->item[i].subject,
                   audit_word(a->item[i].verdict), a->item[i].text);
}

static void print_distances(const struct audit_distances *d)
{
    for (size_t i = 0; i < d->n; i++)
        printf("%s\t%s\t%s\t%.3g\tat most %.3g\n", "tolerance", d->item[i].subject, d->item[i].what,
               d->item[i].value, d->item[i].bound);
}

static enum rc repeat(struct audit *a, struct audit_distances *d, const struct chain *c,
                      int64_t threads, struct err *e)
{
    char tools[4096], *scratch = NULL;
    enum rc rc = tool_folder(tools, sizeof tools)
                     ? RC_OK
                     : err_set(e, RC_FAIL, "cannot tell where this program lies");
    if (!rc)
        rc = folder_scratch("audit", &scratch, e);
    const struct audit_repeat how = { tools, places.source, scratch, (int)threads, n_cells, word };
    if (!rc)
        rc = audit_repeat(a, d, c, (int)level, &how, e);
    if (scratch)
        folder_remove(scratch);
    free(scratch);
    return rc;
}

static enum rc verdict(const struct audit *a, const char *root, struct err *e)
{
    for (size_t i = 0; i < a->n && a->n_fails; i++)
        if (a->item[i].verdict == AUDIT_FAILS)
            return err_set(e, RC_CHECK, "'%s': %zu of %zu checks fail: %s '%s' %s%s", root,
                           a->n_fails, a->n, a->item[i].check, a->item[i].subject, a->item[i].text,
                           a->n_fails > 1 ? ", and others" : "");
    return RC_OK;
}

static enum rc run(const struct tool_args *t, struct err *e)
{
    const char *root = t->arg.item[0];
    struct chain c;
    struct audit a;
    struct audit_distances d = { .n = 0 };
    if (level < 0 || level > 3)
        return err_set(e, RC_USAGE, "--level is 0, 1, 2 or 3");
    if (n_cells < 0)
        return err_set(e, RC_USAGE, "--cells is 0 or more");
    double start = clock_s();
    if (chain_read(&c, root, e))
        return e->rc;
    audit_init(&a);
    enum rc rc = chain_hash(&c, e);
    double hashed = clock_s() - start;
    if (!rc)
        rc = audit_chain(&a, &c, &places, e);
    if (!rc && level > 0)
        rc = repeat(&a, &d, &c, t->threads, e);
    if (!rc && t->out)
        rc = audit_write(&a, t->out, e);
    if (!rc && t->report)
        rc = audit_json(&a, t->report, e);
    if (!rc) {
        print_troubles(&a);
        print_distances(&d);
        log_say("'%s': %zu checks: %zu hold, %zu fail, %zu open; %zu files, %.1f MB, "
                "hashed at %.2f GB/s",
                root, a.n, a.n - a.n_fails - a.n_open, a.n_fails, a.n_open, a.n_files,
                (double)a.n_bytes / 1e6, (double)a.n_bytes / 1e9 / (hashed > 0 ? hashed : 1));
        rc = verdict(&a, root, e);
    }
    audit_release(&a);
    chain_release(&c);
    return rc;
}

int main(int argc, char **argv)
{
    return tool_main(&tool, run, argc, argv);
}
