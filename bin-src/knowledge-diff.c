/* knowledge-diff: tables of prior knowledge beside others of the same kinds, e.g. the authors'. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/knowledge_diff.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/tool.h"
#include "lib/io/knowledge.h"
#include "lib/io/tables.h"
#include "lib/io/textout.h"

enum { KINDS = KNOWLEDGE_GRN + 1 };

static const char *vocab_path, *with_vocab;
static struct opt_list with;

static const struct opt opts[] = {
    OPT_STR("vocab", &vocab_path, "FILE", "vocab.tsv of the tables"),
    OPT_LIST("with", &with, "FILE", "the other tables"),
    OPT_STR("with-vocab", &with_vocab, "FILE", "their vocab.tsv; --vocab without it"),
    OPT_END,
};

static const struct tool tool = {
    "knowledge-diff",
    "TABLE.safetensors...",
    "Tables of prior knowledge beside others of the same kinds",
    "For each kind that is on both sides and each species: genes, genes of both\n"
    "vocabularies (by id), genes present, mean length of rows, share of rows that look\n"
    "random, and Mantel's test: whether the two sides agree on which genes are alike\n"
    "(correlation of the cosines of all pairs of up to 1000 genes; p from 99 permutations),\n"
    "over genes that are present here and do not look random there.\n\n"
    "A row looks random when none of its species is more like it than chance allows. That\n"
    "is true of some learned rows too, and of 1 in 100 random ones it is not: the shares\n"
    "among our own present and absent rows, which are known, stand beside it.\n\n"
    "--out is a folder: diff.tsv (kind, species, measure, value, n).\n\n"
    "  knowledge-diff grn.safetensors --vocab vocab.tsv --with authors/grn.safetensors \\\n"
    "      --with-vocab authors/vocab.tsv --out diff",
    opts,
    1,
    -1
};

struct tables {
    struct knowledge_table k[KINDS];
    bool has[KINDS];
};

static void tables_release(struct tables *t)
{
    for (int k = 0; k < KINDS; k++)
        knowledge_table_release(&t->k[k]);
}

static enum rc read_one(struct tables *t, const char *path, const struct vocab *v, struct err *e)
{
    struct knowledge_table k;
    enum rc rc = knowledge_read(path, v, &k, e);
    if (rc)
        return rc;
    if (t->has[k.kind]) {
        rc = err_set(e, RC_USAGE, "'%s': another table of kind %s", path,
                     knowledge_kind_name(k.kind));
        knowledge_table_release(&k);
        return rc;
    }
    t->k[k.kind] = k;
    t->has[k.kind] = true;
    return RC_OK;
}

struct output {
    struct textout tsv;
    const char *kind, *species;
};

static void put(struct output *o, const char *measure, double value, size_t n)
{
    if (isnan(value))
        return;
    textout_put(&o->tsv, "%s\t%s\t%s\t%.6g\t%zu\n", o->kind, o->species, measure, value, n);
}

static void put_all(struct output *o, const struct knowledge_diff *d)
{
    put(o, "genes ours", (double)d->ours.genes, d->ours.genes);
    put(o, "genes theirs", (double)d->theirs.genes, d->theirs.genes);
    put(o, "genes of both vocabularies", (double)d->shared, d->shared);
    put(o, "present ours", (double)d->ours.present, d->ours.genes);
    put(o, "mean length ours", d->ours.norm, d->ours.genes);
    put(o, "mean length theirs", d->theirs.norm, d->theirs.genes);
    put(o, "look random theirs", d->theirs.present_rows.share, d->theirs.present_rows.n_asked);
    put(o, "look random ours present", d->ours.present_rows.share, d->ours.present_rows.n_asked);
    put(o, "look random ours absent", d->ours.absent_rows.share, d->ours.absent_rows.n_asked);
    put(o, "known in both, of those asked", (double)d->both, d->both);
    put(o, "mantel r", d->mantel.r, d->n);
    put(o, "mantel p", d->mantel.p, d->n);
}

static enum rc one_kind(struct output *o, int k, const struct tables *a, const struct vocab *v,
                        const struct tables *b, const struct vocab *w, uint64_t seed, struct err *e)
{
    enum rc rc = RC_OK;
    o->kind = knowledge_kind_name((enum knowledge_kind)k);
    for (int s = 0; !rc && s < 2; s++) {
        struct knowledge_diff d;
        o->species = species_name((enum species)s);
        rc = knowledge_diff_of(&a->k[k], v, &b->k[k], w, (enum species)s, seed, &d, e);
        if (!rc)
            put_all(o, &d);
        if (!rc && !isnan(d.mantel.r))
            log_say("%s, %s: Mantel r %.3f (p %.2f) over %zu genes", o->kind, o->species,
                    d.mantel.r, d.mantel.p, d.n);
    }
    return rc;
}

static enum rc compare(const struct tables *a, const struct vocab *v, const struct tables *b,
                       const struct vocab *w, const struct tool_args *args, struct err *e)
{
    struct output o = { 0 };
    int n = 0;
    for (int k = 0; k < KINDS; k++)
        n += a->has[k] && b->has[k];
    if (!n)
        return err_set(e, RC_INPUT, "no kind is on both sides");
    char *path = text_new("%s/diff.tsv", args->out);
    enum rc rc = path ? textout_open(&o.tsv, path, e) : err_set(e, RC_FAIL, "no memory for a path");
    free(path);
    if (rc)
        return rc;
    textout_text(&o.tsv, "kind\tspecies\tmeasure\tvalue\tn\n");
    for (int k = 0; !rc && k < KINDS; k++)
        if (a->has[k] && b->has[k])
            rc = one_kind(&o, k, a, v, b, w, args->seed, e);
    if (!rc)
        return textout_close(&o.tsv, e);
    textout_abort(&o.tsv);
    return rc;
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    static struct tables ours, theirs;
    struct vocab v, w;
    if (!vocab_path || !with.n)
        return err_set(e, RC_USAGE, "--%s is missing", vocab_path ? "with" : "vocab");
    if (tool_need_out(a, e))
        return RC_USAGE;
    vocab_init(&v);
    vocab_init(&w);
    enum rc rc = vocab_read(vocab_path, &v, e);
    if (!rc)
        rc = vocab_read(with_vocab ? with_vocab : vocab_path, &w, e);
    for (int i = 0; !rc && i < a->arg.n; i++)
        rc = read_one(&ours, a->arg.item[i], &v, e);
    for (int i = 0; !rc && i < with.n; i++)
        rc = read_one(&theirs, with.item[i], &w, e);
    if (!rc)
        rc = compare(&ours, &v, &theirs, &w, a, e);
    tables_release(&ours);
    tables_release(&theirs);
    vocab_release(&v);
    vocab_release(&w);
    free(with.item);
    return rc;
}

int main(int argc, char **argv)
{
    return tool_main(&tool, run, argc, argv);
}
