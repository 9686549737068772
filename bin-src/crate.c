/* crate: results in the standards that archives, search engines and security officers read. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/tool.h"
#include "lib/report/crate.h"

static const char *build, *source = ".";

static const struct opt opts[] = {
    OPT_STR("build", &build, "FILE",
            "what the programs are made of: `make` writes BUILD/build.tsv"),
    OPT_STR("source", &source, "DIR", "the checkout that they were made from"),
    OPT_END,
};

static const struct tool tool = {
    "crate",
    "RESULTS",
    "Describe a results folder in the standards of others",
    "Reads the manifests, reports and logs of the stages in RESULTS. --out DIR gets\n"
    "  ro-crate-metadata.json    RO-Crate (Provenance Run Crate): the makefile a workflow,\n"
    "                            each stage a step, with program, parameters, inputs,\n"
    "                            outputs and sums. It belongs into RESULTS itself:\n"
    "                            `make crate` puts a copy there\n"
    "  workflow/                 that makefile and its fragments, from --source\n"
    "  croissant.json            the corpus for data set search (Croissant)\n"
    "  croissant-benchmarks.json predictions and scores, likewise\n"
    "  bom.cdx.json              programs, libraries, compiler, sources (CycloneDX)\n"
    "  model-card.md             the newest weights: size, training, scores, limits\n"
    "  data-sheet.md             the corpus: samples, rules, losses, inputs, licences\n"
    "  README.md                 what lies where, and how to check it; a copy goes into\n"
    "                            RESULTS, too\n"
    "  build.tsv                 a copy of --build\n\n"
    "  crate results/demo --build build/build.tsv --out results/demo/crate\n\n"
    "No number is typed: the cards say where each was read. Nothing is hashed but the\n"
    "manifests; that files have the sums that stand there is what `audit` tells.",
    opts,
    1,
    1
};

enum { N_FILES = 8 };

static enum rc write_all(const struct crate *k, const char *out, struct err *e)
{
    static const char *const name[N_FILES] = { "build.tsv",      "bom.cdx.json",
                                               "croissant.json", "croissant-benchmarks.json",
                                               "model-card.md",  "data-sheet.md",
                                               "README.md",      "ro-crate-metadata.json" };
    char *path[N_FILES];
    enum rc rc = RC_OK;
    for (int i = 0; i < N_FILES; i++)
        if (!(path[i] = text_new("%s/%s", out, name[i])))
            rc = err_set(e, RC_FAIL, "no memory for a path");
    if (!rc)
        rc = file_copy(build, path[0], e);
    if (!rc)
        rc = crate_bom(k, path[1], e);
    if (!rc)
        rc = crate_corpus(k, path[2], e);
    if (!rc)
        rc = crate_benchmarks(k, path[3], e);
    if (!rc)
        rc = crate_model_card(k, path[4], e);
    if (!rc)
        rc = crate_data_sheet(k, path[5], e);
    if (!rc)
        rc = crate_readme(k, path[6], e);
    if (!rc)
        rc = crate_workflow(k, source, out, e);
    if (!rc) /* last: it has the sums of the others */
        rc = crate_ro(k, out, path[7], e);
    for (int i = 0; i < N_FILES; i++)
        free(path[i]);
    return rc;
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    struct chain c;
    struct crate k;
    if (a->report)
        return err_set(e, RC_USAGE, "crate writes no --report");
    if (!build)
        return err_set(e, RC_USAGE, "--build FILE is missing");
    if (tool_need_out(a, e) || chain_read(&c, a->arg.item[0], e))
        return e->rc;
    enum rc rc = crate_read(&k, &c, build, e);
    if (!rc) {
        rc = folder_make(a->out, e);
        if (!rc)
            rc = write_all(&k, a->out, e);
        if (!rc)
            log_say("'%s': %zu stages described in '%s'", c.root, c.n_stages, a->out);
        crate_release(&k);
    }
    chain_release(&c);
    return rc;
}

int main(int argc, char **argv)
{
    return tool_main(&tool, run, argc, argv);
}
