/* audit: looks at all that a results folder says about itself, and at every byte. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/tool.h"
#include "lib/manifest/audit.h"
#include "lib/report/audit.h"

static struct audit_places places;

static const struct opt opts[] = {
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
    "  audit results/demo --source . --cache cache --out demo.audit\n\n"
    "stdout has the verdicts that are not 'holds', as lines: check, subject, verdict,\n"
    "detail. --out writes all of them: audit.tsv, audit.json and a page, audit.html.\n"
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

static enum rc verdict(const struct audit *a, const char *root, struct err *e)
{
    for (size_t i = 0; i < a->n && a->n_fails; i++)
        if (a->item[i].verdict == AUDIT_FAILS)
            return err_set(e, RC_CHECK, "'%s': %zu of %zu checks fail: %s '%s' %s%s", root,
                           a->n_fails, a->n, a->item[i].check, a->item[i].subject,
                           a->item[i].text, a->n_fails > 1 ? ", and others" : "");
    return RC_OK;
}

static enum rc run(const struct tool_args *t, struct err *e)
{
    const char *root = t->arg.item[0];
    struct chain c;
    struct audit a;
    double start = clock_s();
    if (chain_read(&c, root, e))
        return e->rc;
    audit_init(&a);
    enum rc rc = chain_hash(&c, e);
    double hashed = clock_s() - start;
    if (!rc)
        rc = audit_chain(&a, &c, &places, e);
    if (!rc && t->out)
        rc = audit_write(&a, t->out, e);
    if (!rc && t->report)
        rc = audit_json(&a, t->report, e);
    if (!rc) {
        print_troubles(&a);
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
