/* knowledge-report: what the tables of knowledge-embed are worth. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/knowledge_relation.h"
#include "lib/app/knowledge_worth.h"
#include "lib/base/file.h"
#include "lib/base/tool.h"
#include "lib/io/knowledge.h"
#include "lib/io/tables.h"
#include "lib/io/textout.h"

enum { KINDS = KNOWLEDGE_GRN + 1 };

static const char *vocab_path;
static struct opt_list relation_files, truth_files, beside_files;
static uint64_t dim = 128, passes = 10;

static const struct opt opts[] = {
    OPT_STR("vocab", &vocab_path, "FILE", "vocab.tsv of the tables"),
    OPT_LIST("relation", &relation_files, "KIND=FILE",
             "pairs that a kind learned from (--pairs-out)"),
    OPT_LIST("truth", &truth_files, "NAME=FILE", "networks that a benchmark takes as truth"),
    OPT_LIST("beside", &beside_files, "FILE", "baselines: other tables of kinds that are given"),
    OPT_U64("dim", &dim, "K", "numbers of a vector where held-out pairs are predicted"),
    OPT_U64("passes", &passes, "N", "passes there"),
    OPT_END,
};

static const struct tool tool = {
    "knowledge-report",
    "TABLE.safetensors...",
    "what tables of prior knowledge are worth",
    "For each table and species: genes covered and norms; of a gene's 10 nearest genes the\n"
    "share that is related to it, for each relation, beside a baseline table where one is\n"
    "given, a shuffled copy and random rows; how far its cosines agree with each other table's. "
    "For each relation:\n"
    "how well vectors learned without a tenth of its pairs tell these from pairs of equally\n"
    "busy genes, beside the product of degrees and Adamic-Adar on the graph. For each\n"
    "truth: the share of its pairs that a relation holds, which a benchmark on that truth\n"
    "must not count as found.\n\n"
    "--out is a folder: worth.tsv (kind, species, measure, of, rows, value, n) and\n"
    "leakage.tsv (truth, species, kind, pairs, held, share) for the leakage ledger.\n\n"
    "  knowledge-report grn.safetensors family.safetensors --vocab vocab.tsv \\\n"
    "      --relation grn=grn.pairs --relation family=family.pairs --out worth",
    opts,
    1,
    -1
};

struct job {
    struct vocab v;
    struct knowledge_table table[KINDS], beside[KINDS];
    bool has[KINDS], has_beside[KINDS], related[KINDS];
    struct pairs lines[KINDS], distinct[KINDS];
    struct textout tsv, leakage;
    struct gene_names names;
    uint64_t seed;
};

static void put(struct job *j, int kind, enum species s, const char *measure, const char *of,
                const char *rows, double value, size_t n)
{
    if (!isfinite(value)) /* what could not be measured has no row */
        return;
    textout_put(&j->tsv, "%s\t%s\t%s\t%s\t%s\t%.6g\t%zu\n",
                knowledge_kind_name((enum knowledge_kind)kind), species_name(s), measure,
                *of ? of : "-", *rows ? rows : "-", value, n);
}

static void coverage(struct job *j, int k, enum species s)
{
    struct worth_coverage c;
    worth_coverage_of(&j->table[k], &j->v, s, &c);
    const size_t all = c.present + c.random;
    put(j, k, s, "coverage", "", "", all ? (double)c.present / (double)all : 0, all);
    put(j, k, s, "norm", "", "learned", c.norm_present, c.present);
    put(j, k, s, "norm", "", "filled", c.norm_random, c.random);
}

static enum rc recovery(struct job *j, int k, enum species s, int relation, struct err *e)
{
    static const char *const name[] = { "table", "shuffled", "random", "baseline" };
    enum rc rc = RC_OK;
    for (int rows = WORTH_TABLE; !rc && rows <= WORTH_RANDOM + j->has_beside[k]; rows++) {
        const bool beside = rows > WORTH_RANDOM;
        struct worth_recovery r;
        rc = worth_recovery_of(beside ? &j->beside[k] : &j->table[k], &j->v, s,
                               &j->distinct[relation], beside ? WORTH_TABLE : (enum worth_rows)rows,
                               j->seed, &r, e);
        if (!rc && r.queries)
            put(j, k, s, "recovery", knowledge_kind_name((enum knowledge_kind)relation), name[rows],
                r.share, r.queries);
    }
    return rc;
}

static enum rc links(struct job *j, int k, enum species s, struct err *e)
{
    struct worth_links l;
    enum rc rc =
        worth_links_of(&j->v, s, &j->lines[k], (size_t)dim, (uint32_t)passes, j->seed, &l, e);
    if (rc || !l.test)
        return rc;
    put(j, k, s, "link AUROC", "", "gene2vec cosine", l.learned, l.test);
    put(j, k, s, "link AUROC", "", "degree product", l.degree, l.test);
    put(j, k, s, "link AUROC", "", "Adamic-Adar", l.adamic_adar, l.test);
    return RC_OK;
}

static enum rc agreement(struct job *j, int k, int other, enum species s, struct err *e)
{
    struct worth_agreement g;
    enum rc rc = worth_agreement_of(&j->table[k], &j->table[other], &j->v, s, j->seed, &g, e);
    if (rc || isnan(g.correlation))
        return rc;
    const char *of = knowledge_kind_name((enum knowledge_kind)other);
    put(j, k, s, "agreement", of, "table", g.correlation, g.genes);
    put(j, k, s, "agreement", of, "shuffled", g.null, g.genes);
    return RC_OK;
}

static enum rc measure(struct job *j, int k, enum species s, struct err *e)
{
    enum rc rc = RC_OK;
    coverage(j, k, s);
    if (j->related[k])
        rc = links(j, k, s, e);
    for (int r = 0; !rc && r < KINDS; r++)
        if (j->related[r])
            rc = recovery(j, k, s, r, e);
    for (int o = 0; !rc && o < k; o++)
        if (j->has[o])
            rc = agreement(j, k, o, s, e);
    return rc;
}

/* ---- inputs ---- */

static enum rc read_table(const struct vocab *v, const char *path, struct knowledge_table *to,
                          bool *has, struct err *e)
{
    struct knowledge_table k;
    enum rc rc = knowledge_read(path, v, &k, e);
    if (rc)
        return rc;
    if (has[k.kind]) {
        rc = err_set(e, RC_USAGE, "'%s': another table of kind %s", path,
                     knowledge_kind_name(k.kind));
        knowledge_table_release(&k);
        return rc;
    }
    to[k.kind] = k;
    has[k.kind] = true;
    return RC_OK;
}

/* The name in front of '=', or NULL; path is what follows. */
static char *name_of(const char *text, const char **path)
{
    const char *at = strchr(text, '=');
    *path = at ? at + 1 : NULL;
    return at && at > text ? text_new("%.*s", (int)(at - text), text) : NULL;
}

static enum rc read_relation(struct job *j, const char *text, const struct gene_names *g,
                             struct err *e)
{
    const char *path;
    char *name = name_of(text, &path);
    int k = 0;
    while (name && k < KINDS && strcmp(name, knowledge_kind_name((enum knowledge_kind)k)) != 0)
        k++;
    const bool good = name && k < KINDS;
    free(name);
    if (!good)
        return err_set(e, RC_USAGE, "--relation '%s' is not KIND=FILE", text);
    enum rc rc = relation_read(path, g, &j->lines[k], e);
    j->related[k] = true;
    if (!rc)
        rc = pairs_append(&j->distinct[k], &j->lines[k], e);
    pairs_distinct(&j->distinct[k]);
    return rc;
}

/* How much of a truth stands in each relation. */
static enum rc overlap(struct job *j, const char *text, struct err *e)
{
    struct pairs p = { 0 };
    size_t n_all = 0;
    enum species s = SPECIES_HUMAN;
    const char *path;
    char *name = name_of(text, &path);
    enum rc rc = !name ? err_set(e, RC_FAIL, "no memory for a name") : RC_OK;
    if (!rc)
        rc = truth_read(path, &j->names, &p, &n_all, &s, e);
    for (int k = 0; !rc && k < KINDS; k++) {
        if (!j->related[k] || !p.n)
            continue;
        const size_t held = pairs_common(&p, &j->distinct[k]);
        put(j, k, s, "truth in relation", name, "", (double)held / (double)p.n, p.n);
        textout_put(&j->leakage, "%s\t%s\t%s\t%zu\t%zu\t%.6g\n", name, species_name(s),
                    knowledge_kind_name((enum knowledge_kind)k), p.n, held,
                    (double)held / (double)p.n);
    }
    pairs_release(&p);
    free(name);
    return rc;
}

static enum rc read_all(struct job *j, const struct tool_args *a, struct err *e)
{
    enum rc rc = vocab_read(vocab_path, &j->v, e);
    if (!rc)
        rc = gene_names_fill(&j->names, &j->v, e);
    for (int i = 0; !rc && i < a->arg.n; i++)
        rc = read_table(&j->v, a->arg.item[i], j->table, j->has, e);
    for (int i = 0; !rc && i < beside_files.n; i++)
        rc = read_table(&j->v, beside_files.item[i], j->beside, j->has_beside, e);
    for (int i = 0; !rc && i < relation_files.n; i++)
        rc = read_relation(j, relation_files.item[i], &j->names, e);
    return rc;
}

static enum rc open_output(struct textout *o, const char *folder, const char *name,
                           const char *columns, struct err *e)
{
    char *path = text_new("%s/%s", folder, name);
    enum rc rc = path ? textout_open(o, path, e) : err_set(e, RC_FAIL, "no memory for a path");
    free(path);
    if (!rc)
        textout_text(o, columns);
    return rc;
}

static enum rc write_all(struct job *j, const char *folder, struct err *e)
{
    enum rc rc = open_output(&j->tsv, folder, "worth.tsv",
                             "kind\tspecies\tmeasure\tof\trows\tvalue\tn\n", e);
    if (rc)
        return rc;
    rc = open_output(&j->leakage, folder, "leakage.tsv",
                     "truth\tspecies\tkind\tpairs\theld\tshare\n", e);
    if (rc) {
        textout_abort(&j->tsv);
        return rc;
    }
    for (int i = 0; !rc && i < truth_files.n; i++)
        rc = overlap(j, truth_files.item[i], e);
    for (int k = 0; !rc && k < KINDS; k++)
        for (int s = 0; !rc && j->has[k] && s < 2; s++)
            rc = measure(j, k, (enum species)s, e);
    if (rc) {
        textout_abort(&j->leakage);
        textout_abort(&j->tsv);
        return rc;
    }
    rc = textout_close(&j->leakage, e);
    if (!rc)
        return textout_close(&j->tsv, e);
    textout_abort(&j->tsv);
    return rc;
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    static struct job j;
    if (!vocab_path)
        return err_set(e, RC_USAGE, "--vocab is missing");
    if (dim < 1 || dim > 65536 || passes < 1 || passes > 1000000)
        return err_set(e, RC_USAGE, "--dim is 1 to 65536, --passes 1 to 1000000");
    for (int i = 0; i < truth_files.n; i++)
        if (!strchr(truth_files.item[i], '=') || *truth_files.item[i] == '=')
            return err_set(e, RC_USAGE, "--truth '%s' is not NAME=FILE", truth_files.item[i]);
    enum rc rc = tool_need_out(a, e);
    if (rc)
        return rc;
    j.seed = a->seed;
    vocab_init(&j.v);
    rc = read_all(&j, a, e);
    if (!rc)
        rc = write_all(&j, a->out, e);
    for (int k = 0; k < KINDS; k++) {
        knowledge_table_release(&j.table[k]);
        knowledge_table_release(&j.beside[k]);
        pairs_release(&j.lines[k]);
        pairs_release(&j.distinct[k]);
    }
    gene_names_release(&j.names);
    vocab_release(&j.v);
    free(relation_files.item);
    free(truth_files.item);
    free(beside_files.item);
    return rc;
}

int main(int argc, char **argv)
{
    return tool_main(&tool, run, argc, argv);
}
