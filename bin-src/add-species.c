/* add-species: tokens, knowledge and weights for the genes of a second species. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/model_file.h"
#include "lib/app/species_model.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/sha256.h"
#include "lib/base/tool.h"
#include "lib/io/gene_source.h"
#include "lib/io/json.h"
#include "lib/io/knowledge.h"
#include "lib/io/tables.h"
#include "lib/io/textout.h"

static const char *vocab_path, *tables_path, *inputs_path, *medians_path, *model_path;
static const char *species = "mouse", *worst = "many2many";
static struct opt_list tables_of_knowledge, own_tables;

static const struct opt opts[] = {
    OPT_STR("vocab", &vocab_path, "FILE", "vocab.tsv of one species"),
    OPT_STR("tables", &tables_path, "DIR", "gene tables of both species"),
    OPT_STR("inputs", &inputs_path, "DIR",
            "public tables with BioMart's homologs; without, those of --tables, one to one"),
    OPT_CHOICE("species", &species, "mouse", "species to add (behind human)"),
    OPT_CHOICE("worst-tier", &worst, "one2one|one2many|many2many", "pairs below it do not count"),
    OPT_LIST("knowledge", &tables_of_knowledge, "FILE", "tables of the vocabulary, to be extended"),
    OPT_LIST("own", &own_tables, "FILE",
             "tables of the new vocabulary, for the new species' own rows"),
    OPT_STR("model", &model_path, "DIR", "model of the vocabulary, to be extended"),
    OPT_STR("medians", &medians_path, "FILE", "medians of the new species' cells, for its tokens"),
    OPT_END,
};

static const struct tool tool = {
    "add-species",
    "",
    "A second species for a vocabulary, its knowledge and a model of one",
    "Tokens of the vocabulary stay; core genes of the new species follow by rising id. A\n"
    "gene's row of knowledge, and its word in the model, come from its homologs:\n\n"
    "  one2one    the row of its homolog\n"
    "  one2many   the mean of the homologs' rows, scaled to their mean length\n"
    "  many2many  likewise\n"
    "  none       a random row of the spread that rows of the new species have\n\n"
    "The best tier of a gene counts, and of that tier pairs of high confidence where there\n"
    "are any. --own tables replace these rows where they have one, scaled so that rows of\n"
    "both species have one mean length. A third species has no room yet: species are human\n"
    "and mouse throughout.\n\n"
    "--out is a folder: vocab.tsv, homologs.tsv (gene, token, tier, homologs), a\n"
    "KIND.safetensors for each table, and model/ for embed. docs/add-a-species.md walks\n"
    "through an example.\n\n"
    "  add-species --vocab human/vocab.tsv --tables tables --inputs cache/view \\\n"
    "      --knowledge human/grn.safetensors --model human/step-200 \\\n"
    "      --medians mouse.medians.tsv --out both",
    opts,
    0,
    0
};

struct job {
    struct gene_tables t;
    struct vocab old, now;
    struct arena text;
    struct homology_pair *pair;
    size_t n_pairs, room;
    struct species_links links;
    struct knowledge_table table[N_KNOWLEDGE], own[N_KNOWLEDGE];
    bool has[N_KNOWLEDGE], has_own[N_KNOWLEDGE];
    char vocab_sha256[SHA256_HEX];
    json_t *kinds;
    uint64_t seed;
};

/* ---- homologs ---- */

static enum rc add_pair(struct job *j, const char *gene, const char *homolog,
                        enum homology_tier tier, bool sure, struct err *e)
{
    if (j->n_pairs == j->room) {
        const size_t room = j->room ? 2 * j->room : 4096;
        struct homology_pair *more = realloc(j->pair, room * sizeof *more);
        if (!more)
            return err_set(e, RC_FAIL, "no memory for %zu pairs of homologs", room);
        j->pair = more;
        j->room = room;
    }
    const char *a = arena_text(&j->text, gene), *b = arena_text(&j->text, homolog);
    if (!a || !b)
        return err_set(e, RC_FAIL, "no memory for a pair of homologs");
    j->pair[j->n_pairs++] = (struct homology_pair){ a, b, tier, sure };
    return RC_OK;
}

static enum rc add_table(struct job *j, const struct table *t, struct err *e)
{
    const struct column *human = table_find(t, "human"), *mouse = table_find(t, "mouse"),
                        *type = table_find(t, "type"), *sure = table_find(t, "confidence");
    enum rc rc = RC_OK;
    for (size_t r = 0; !rc && r < t->n_rows; r++) {
        enum homology_tier tier;
        if (!*human->text[r] || !*mouse->text[r] || !homology_tier_parse(type->text[r], &tier))
            continue;
        rc = add_pair(j, mouse->text[r], human->text[r], tier, strcmp(sure->text[r], "1") == 0, e);
    }
    return rc;
}

static enum rc public_homologs(struct job *j, struct err *e)
{
    for (size_t i = 0; i < gene_n_sources; i++) {
        struct table t;
        bool there;
        if (gene_sources[i].role != GENE_ROLE_PAIRS)
            continue;
        enum rc rc = gene_source_read(&gene_sources[i], inputs_path, &there, &t, e);
        if (rc)
            return rc;
        rc = there ? add_table(j, &t, e) : RC_OK;
        table_release(&t);
        if (rc)
            return rc;
    }
    return j->n_pairs ? RC_OK
                      : err_set(e, RC_INPUT, "no table of homologs below '%s'", inputs_path);
}

static enum rc own_homologs(struct job *j, struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < j->t.n; i++) {
        const struct gene *g = &j->t.gene[i];
        if (g->homolog != GENE_NONE)
            rc = add_pair(j, g->id, j->t.gene[g->homolog].id, TIER_ONE2ONE, true, e);
    }
    return rc;
}

static enum rc write_homologs(const struct job *j, const char *folder, struct err *e)
{
    struct textout o;
    char *path = text_new("%s/homologs.tsv", folder);
    enum rc rc = path ? textout_open(&o, path, e) : err_set(e, RC_FAIL, "no memory for a path");
    free(path);
    if (rc)
        return rc;
    textout_text(&o, "gene\ttoken\ttier\thomologs\n");
    for (size_t g = 0; g < j->links.n; g++) {
        const size_t t = j->links.first_token + g;
        textout_put(&o, "%s\t%zu\t%s\t", j->now.entry[t].id, t,
                    homology_tier_name(j->links.tier[g]));
        for (size_t k = j->links.first[g]; k < j->links.first[g + 1]; k++)
            textout_put(&o, "%s%s", k > j->links.first[g] ? "," : "",
                        j->now.entry[j->links.source[k]].id);
        textout_text(&o, j->links.first[g] == j->links.first[g + 1] ? "-\n" : "\n");
    }
    return textout_close(&o, e);
}

/* ---- knowledge ---- */

static enum rc read_tables(struct knowledge_table *to, bool *has, const struct opt_list *list,
                           const struct vocab *v, struct err *e)
{
    enum rc rc = RC_OK;
    for (int i = 0; !rc && i < list->n; i++) {
        struct knowledge_table k;
        rc = knowledge_read(list->item[i], v, &k, e);
        if (rc)
            break;
        if (has[k.kind]) {
            rc = err_set(e, RC_USAGE, "'%s': another table of kind %s", list->item[i],
                         knowledge_kind_name(k.kind));
            knowledge_table_release(&k);
            break;
        }
        to[k.kind] = k;
        has[k.kind] = true;
    }
    return rc;
}

static json_t *rows_report(const struct species_rows *r)
{
    return json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:f}", "one2one", (json_int_t)r->through[TIER_ONE2ONE],
        "one2many", (json_int_t)r->through[TIER_ONE2MANY], "many2many",
        (json_int_t)r->through[TIER_MANY2MANY], "own_only", (json_int_t)r->through[TIER_NONE],
        "random", (json_int_t)r->random, "norm_before", r->norm_old, "norm_new", r->norm_new,
        "own_rows_scaled_by", r->scale);
}

/* Each table to its extension, on disk and in memory. */
static enum rc extend_tables(struct job *j, const char *folder, struct err *e)
{
    enum rc rc = RC_OK;
    const struct knowledge_note note = { j->vocab_sha256, "homologs", "", 0 };
    for (int k = 0; !rc && k < N_KNOWLEDGE; k++) {
        struct knowledge_table longer;
        struct species_rows r;
        if (!j->has[k])
            continue;
        rc = species_table(&j->table[k], &j->now, &j->links, j->has_own[k] ? &j->own[k] : NULL,
                           j->seed, &longer, &r, e);
        if (rc)
            return err_wrap(e, "kind %s", knowledge_kind_name((enum knowledge_kind)k));
        knowledge_table_release(&j->table[k]);
        j->table[k] = longer;
        char *path =
            text_new("%s/%s.safetensors", folder, knowledge_kind_name((enum knowledge_kind)k));
        rc = path ? knowledge_write(path, &longer, &note, e)
                  : err_set(e, RC_FAIL, "no memory for a path");
        free(path);
        json_object_set_new(j->kinds, knowledge_kind_name((enum knowledge_kind)k), rows_report(&r));
    }
    return rc;
}

/* ---- model ---- */

static enum rc copy_file(const char *from, const char *folder, const char *name, struct err *e)
{
    char *to = text_new("%s/%s", folder, name);
    enum rc rc = to ? file_copy(from, to, e) : err_set(e, RC_FAIL, "no memory for a path");
    free(to);
    return rc;
}

/* Old genes keep the medians that the model was taught with: another would change its cells. */
static enum rc write_medians(const struct job *j, const char *folder, struct err *e)
{
    struct medians m, new;
    char *from = text_new("%s/medians.tsv", model_path), *to = text_new("%s/medians.tsv", folder);
    enum rc rc = from && to ? medians_read(from, &m, e) : err_set(e, RC_FAIL, "no memory");
    if (!rc) {
        rc = medians_read(medians_path, &new, e);
        for (size_t i = 0; !rc && i < new.n; i++)
            if (vocab_token(&j->now, new.item[i].id) >= (int32_t)j->old.n &&
                !medians_find(&m, new.item[i].id))
                rc = medians_add(&m, &new.item[i], e);
        if (!rc)
            rc = medians_write(to, &m, e);
        medians_release(&new);
        medians_release(&m);
    }
    free(from);
    free(to);
    return rc;
}

/* What embed needs beside the weights. */
static enum rc write_beside(const struct job *j, const char *folder, struct err *e)
{
    static const char *const name[] = { "genes.tsv", "aliases.tsv" };
    char *path = text_new("%s/vocab.tsv", folder);
    enum rc rc = path ? vocab_write(path, &j->now, e) : err_set(e, RC_FAIL, "no memory");
    free(path);
    if (!rc)
        rc = write_medians(j, folder, e);
    for (int i = 0; !rc && i < 2; i++) {
        path = text_new("%s/%s", tables_path, name[i]);
        if (!path)
            rc = err_set(e, RC_FAIL, "no memory for a path");
        else if (i == 0 || file_exists(path))
            rc = copy_file(path, folder, name[i], e);
        free(path);
    }
    return rc;
}

static enum rc extend_model(const struct job *j, const struct tool_args *a, enum species s,
                            struct err *e)
{
    struct model old, now;
    const struct backend *b;
    const struct knowledge_table *table[N_KNOWLEDGE];
    for (int k = 0; k < N_KNOWLEDGE; k++)
        table[k] = j->has[k] ? &j->table[k] : NULL;
    if (backend_need(a->backend, &b, e))
        return RC_SKIP;
    enum rc rc = model_load(&old, model_path, b, false, 0, e);
    if (rc)
        return rc;
    rc = species_model(&old, &j->now, s, &j->links, table, a->seed, &now, e);
    model_release(&old);
    if (rc)
        return err_wrap(e, "'%s'", model_path);
    char *folder = text_new("%s/model", a->out);
    rc = folder ? model_save(&now, folder, e) : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc)
        rc = write_beside(j, folder, e);
    free(folder);
    model_release(&now);
    return rc;
}

/* ---- the call ---- */

static enum rc check(const struct tool_args *a, struct err *e)
{
    if (!vocab_path || !tables_path)
        return err_set(e, RC_USAGE, "--%s is missing", vocab_path ? "tables" : "vocab");
    if ((model_path != NULL) != (medians_path != NULL))
        return err_set(e, RC_USAGE, "--model and --medians go together");
    return tool_need_out(a, e);
}

static enum rc write_all(struct job *j, const struct tool_args *a, enum species s, struct err *e)
{
    char *path = text_new("%s/vocab.tsv", a->out);
    enum rc rc = path ? vocab_write(path, &j->now, e) : err_set(e, RC_FAIL, "no memory");
    if (!rc)
        rc = sha256_file(path, j->vocab_sha256, NULL, e);
    free(path);
    if (!rc)
        rc = write_homologs(j, a->out, e);
    if (!rc)
        rc = extend_tables(j, a->out, e);
    if (!rc && model_path)
        rc = extend_model(j, a, s, e);
    const size_t *n = j->links.n_genes;
    if (!rc)
        log_say("%zu tokens and %zu more: %zu one to one, %zu one to many, %zu many to many, %zu "
                "without homolog",
                j->old.n, j->links.n, n[TIER_ONE2ONE], n[TIER_ONE2MANY], n[TIER_MANY2MANY],
                n[TIER_NONE]);
    if (!rc && a->report)
        rc = json_write(a->report,
                        json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:O}", "species", species,
                                  "tokens_before", (json_int_t)j->old.n, "tokens_new",
                                  (json_int_t)j->links.n, "one2one", (json_int_t)n[TIER_ONE2ONE],
                                  "one2many", (json_int_t)n[TIER_ONE2MANY], "many2many",
                                  (json_int_t)n[TIER_MANY2MANY], "without_homolog",
                                  (json_int_t)n[TIER_NONE], "kinds", j->kinds),
                        e);
    return rc;
}

static enum rc add_all(struct job *j, const struct tool_args *a, struct err *e)
{
    const enum species s = species_parse(species);
    enum homology_tier tier = TIER_MANY2MANY;
    homology_tier_parse(worst, &tier);
    enum rc rc = vocab_read(vocab_path, &j->old, e);
    if (!rc)
        rc = tables_read(tables_path, &j->t, e);
    if (!rc)
        rc = inputs_path ? public_homologs(j, e) : own_homologs(j, e);
    if (!rc)
        rc = species_vocab(&j->t, &j->old, s, &j->now, e);
    if (!rc)
        rc = species_links_make(&j->now, j->old.n, j->pair, j->n_pairs, tier, &j->links, e);
    if (!rc)
        rc = read_tables(j->table, j->has, &tables_of_knowledge, &j->old, e);
    if (!rc)
        rc = read_tables(j->own, j->has_own, &own_tables, &j->now, e);
    return rc ? rc : write_all(j, a, s, e);
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    static struct job j;
    enum rc rc = check(a, e);
    if (rc)
        return rc;
    j.seed = a->seed;
    j.kinds = json_object();
    vocab_init(&j.old);
    vocab_init(&j.now);
    gene_tables_init(&j.t);
    arena_init(&j.text, 1 << 20);
    rc = add_all(&j, a, e);
    for (int k = 0; k < N_KNOWLEDGE; k++) {
        knowledge_table_release(&j.table[k]);
        knowledge_table_release(&j.own[k]);
    }
    species_links_release(&j.links);
    free(j.pair);
    arena_release(&j.text);
    gene_tables_release(&j.t);
    vocab_release(&j.now);
    vocab_release(&j.old);
    json_decref(j.kinds);
    free(tables_of_knowledge.item);
    free(own_tables.item);
    return rc;
}

int main(int argc, char **argv)
{
    return tool_main(&tool, run, argc, argv);
}
