/* ledger: cells that stand in the corpus more than once, and cells of a benchmark that stand in it. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/base/tool.h"
#include "lib/cell/ledger.h"
#include "lib/io/h5ad_rows.h"
#include "lib/io/json.h"
#include "lib/io/textout.h"

static struct opt_list sets;

static const struct opt opts[] = {
    OPT_LIST("sets", &sets, "FILE...",
             "cells that models are judged on; of those without a label none are"),
    OPT_END,
};

static const char text[] =
    "Cells are the same when their counts are: obs column content, which homolog-map\n"
    "makes, is a hash of them over all mapped genes.\n"
    "\n"
    "The folder --out gets\n"
    "  samples.tsv  per sample of the corpus: cells, cells without counts, repeated (the\n"
    "               same as one before in the sample), in_other_samples\n"
    "  sets.tsv     per sample of --sets with labels: cells, in_corpus, share\n"
    "  pairs.tsv    samples (or a set and a sample) that share cells, and how many\n"
    "               different ones\n"
    "A labelled sample that is in the corpus itself has a share of 1.\n"
    "\n"
    "Example:\n"
    "  ledger qc-filter/*/cells.h5ad --sets homolog-map/*/cells.h5ad --out ledger";

struct job {
    struct ledger ledger;
    struct map samples[2]; /* names to groups, of the corpus and of sets */
    const char **name;     /* [groups], in text */
    struct arena text;
    size_t n_unlabelled;
};

static enum rc group_of(struct job *j, const char *name, bool is_set, uint32_t *group,
                        struct err *e)
{
    uint64_t old = map_get(&j->samples[is_set], name);
    if (old != MAP_NONE) {
        *group = (uint32_t)old;
        return RC_OK;
    }
    enum rc rc = ledger_add_group(&j->ledger, is_set, group, e);
    if (!rc)
        rc = map_add(&j->samples[is_set], name, *group, NULL, e);
    const char **more = rc ? NULL : realloc(j->name, j->ledger.n_groups * sizeof *more);
    if (more) {
        j->name = more;
        j->name[*group] = arena_text(&j->text, name);
    }
    return rc || (more && more[*group]) ? rc : err_set(e, RC_FAIL, "no memory for samples");
}

static const struct column *texts(const struct table *t, const char *name)
{
    const struct column *c = table_find(t, name);
    return c && c->kind == COLUMN_TEXT ? c : NULL;
}

/* Cells of one sample lie together most often, so they are added a run at a time. */
static enum rc add_cells(struct job *j, const struct h5ad_rows *r, bool is_set, struct err *e)
{
    const struct table *obs = &r->head.obs;
    const struct column *content = table_find(obs, "content"), *sample = texts(obs, "sample"),
                        *label = texts(obs, "label");
    if (!content || content->kind != COLUMN_I64)
        return err_set(e, RC_INPUT, "'%s' has no obs column 'content': homolog-map makes it",
                       r->path);
    enum rc rc = RC_OK;
    for (size_t i = 0, k; !rc && i < obs->n_rows; i = k) {
        uint32_t group;
        const char *name = sample && sample->text[i] ? sample->text[i] : "";
        for (k = i + 1; k < obs->n_rows && sample && sample->text[k] &&
                        strcmp(sample->text[k], name) == 0;)
            k++;
        if (is_set && !label) {
            j->n_unlabelled++;
            continue;
        }
        rc = group_of(j, name, is_set, &group, e);
        if (!rc)
            rc = ledger_add(&j->ledger, group, content->i64 + i, k - i, e);
    }
    return rc;
}

static enum rc add_files(struct job *j, const struct opt_list *in, bool is_set, struct err *e)
{
    enum rc rc = RC_OK;
    for (int i = 0; !rc && i < in->n; i++) {
        static const char *const column[] = { "content", "sample", "label" };
        struct h5ad_rows r;
        rc = h5ad_rows_open_some(&r, in->item[i], column, 3, false, e);
        if (!rc) {
            rc = add_cells(j, &r, is_set, e);
            h5ad_rows_close(&r);
        }
    }
    return rc;
}

static enum rc open_in(struct textout *o, const char *folder, const char *name, struct err *e)
{
    char *path = text_new("%s/%s", folder, name);
    enum rc rc = path ? textout_open(o, path, e) : err_set(e, RC_FAIL, "no memory for a path");
    free(path);
    return rc;
}

static double share(uint64_t n, uint64_t of)
{
    return of ? (double)n / (double)of : 0;
}

static enum rc write_groups(const struct job *j, const char *folder, bool is_set, struct err *e)
{
    struct textout o;
    enum rc rc = open_in(&o, folder, is_set ? "sets.tsv" : "samples.tsv", e);
    if (rc)
        return rc;
    textout_text(&o, is_set ? "set\tcells\tno_counts\trepeated\tin_corpus\tshare\n"
                            : "sample\tcells\tno_counts\trepeated\tin_other_samples\tshare\n");
    for (size_t i = 0; i < j->ledger.n_groups; i++) {
        const struct ledger_group *g = &j->ledger.group[i];
        uint64_t n = is_set ? g->n_corpus : g->n_others;
        if (g->is_set == is_set)
            textout_put(&o, "%s\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%.6g\n",
                        j->name[i], g->n_cells, g->n_no_counts, g->n_again, n,
                        share(n, g->n_cells));
    }
    return textout_close(&o, e);
}

static enum rc write_pairs(const struct job *j, const char *folder, struct err *e)
{
    struct textout o;
    enum rc rc = open_in(&o, folder, "pairs.tsv", e);
    if (rc)
        return rc;
    textout_text(&o, "kind\ta\tb\tshared\n");
    for (size_t i = 0; i < j->ledger.n_pairs; i++) {
        const struct ledger_pair *p = &j->ledger.pair[i];
        bool set = j->ledger.group[p->a].is_set || j->ledger.group[p->b].is_set;
        textout_put(&o, "%s\t%s\t%s\t%" PRIu64 "\n", set ? "set" : "sample", j->name[p->a],
                    j->name[p->b], p->n);
    }
    return textout_close(&o, e);
}

/* What make ledger prints: the sums, then a line per set. */
static void say(const struct job *j)
{
    uint64_t n_cells = 0, n_again = 0, n_others = 0;
    for (size_t i = 0; i < j->ledger.n_groups; i++)
        if (!j->ledger.group[i].is_set) {
            n_cells += j->ledger.group[i].n_cells;
            n_again += j->ledger.group[i].n_again;
            n_others += j->ledger.group[i].n_others;
        }
    log_say("%" PRIu64 " cells, %" PRIu64 " different ones; %" PRIu64 " repeat one of their sample, "
            "%" PRIu64 " stand in another sample too",
            n_cells, j->ledger.n_distinct, n_again, n_others);
    for (size_t i = 0; i < j->ledger.n_groups; i++) {
        const struct ledger_group *g = &j->ledger.group[i];
        if (g->is_set)
            log_say("set '%s': %" PRIu64 " of %" PRIu64 " cells are in the corpus", j->name[i],
                    g->n_corpus, g->n_cells);
    }
}

static enum rc write_report(const struct job *j, const char *path, struct err *e)
{
    uint64_t n[2] = { 0 }, again = 0, others = 0, in_corpus = 0;
    for (size_t i = 0; i < j->ledger.n_groups; i++) {
        const struct ledger_group *g = &j->ledger.group[i];
        n[g->is_set] += g->n_cells;
        again += g->is_set ? 0 : g->n_again;
        others += g->is_set ? 0 : g->n_others;
        in_corpus += g->is_set ? g->n_corpus : 0;
    }
    return json_write(path,
                      json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "n_cells", (json_int_t)n[0],
                                "n_distinct", (json_int_t)j->ledger.n_distinct, "n_repeated",
                                (json_int_t)again, "n_in_other_samples", (json_int_t)others,
                                "set_cells", (json_int_t)n[1], "set_cells_in_corpus",
                                (json_int_t)in_corpus),
                      e);
}

static enum rc ledger(struct job *j, const struct tool_args *a, struct err *e)
{
    enum rc rc = ledger_init(&j->ledger, e);
    if (!rc)
        rc = add_files(j, &a->arg, false, e);
    if (!rc)
        rc = add_files(j, &sets, true, e);
    if (!rc)
        rc = ledger_count(&j->ledger, e);
    if (!rc)
        rc = write_groups(j, a->out, false, e);
    if (!rc)
        rc = write_groups(j, a->out, true, e);
    if (!rc)
        rc = write_pairs(j, a->out, e);
    if (!rc && a->report)
        rc = write_report(j, a->report, e);
    if (!rc)
        say(j);
    if (!rc && j->n_unlabelled)
        log_say("%zu samples of --sets have no labels and are left out", j->n_unlabelled);
    return rc;
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    struct job j = { .n_unlabelled = 0 };
    if (tool_need_out(a, e))
        return RC_USAGE;
    map_init(&j.samples[0]);
    map_init(&j.samples[1]);
    arena_init(&j.text, 1 << 12);
    enum rc rc = ledger(&j, a, e);
    ledger_release(&j.ledger);
    map_release(&j.samples[0]);
    map_release(&j.samples[1]);
    arena_release(&j.text);
    free(j.name);
    return rc;
}

int main(int argc, char **argv)
{
    static const struct tool tool = {
        "ledger", "IN.h5ad...", "Find cells that occur twice, and benchmarks in the corpus", text,
        opts,     1,            -1
    };
    return tool_main(&tool, run, argc, argv);
}
