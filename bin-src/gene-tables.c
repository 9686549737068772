/* gene-tables: genes.tsv and aliases.tsv from whatever public gene tables are there. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/tool.h"
#include "lib/cell/gene_build.h"
#include "lib/io/gene_source.h"
#include "lib/io/json.h"
#include "lib/io/textout.h"

static const char *inputs;

static const struct opt opts[] = {
    OPT_STR("inputs", &inputs, "DIR", "folder that holds gene_reference/ (the cache's view)"),
    OPT_END,
};

static const struct tool tool = {
    "gene-tables",
    "",
    "Make gene and alias tables from public ones",
    "Writes DIR/genes.tsv (id name species biotype core token median homolog; species 0\n"
    "human, 1 mouse; token -1 and median - until vocab and median fill them) and\n"
    "DIR/aliases.tsv (name id species).\n\n"
    "  gene-tables --inputs cache/view --out results/demo/tables --report tables.json\n\n"
    "It takes what it finds below DIR/gene_reference. Ids come from one table a species,\n"
    "the first there of: cellxgene_gencode, sclucid_biotypes, annotables, celltypist\n"
    "(GENCODE 44, human only), biomart. The others add older names. Ids lose versions and\n"
    "_PAR_Y. A name of two ids stays with the better biotype, then the lower id.\n\n"
    "core: protein_coding, lncRNA or miRNA and, where genecompass/*_gene_names.txt is\n"
    "there, named in it. When no table has biotypes they are guessed from the names (the\n"
    "report says \"guessed\"): HGNC and MGI name by kind, so MIR21, LINC00461, TP53-AS1 and\n"
    "RPL21P28 tell theirs, other names are taken for protein-coding, and genes without a\n"
    "name for other. With only symbols of mouse genes (Ensembl105_Human2Mouse_Genes.csv)\n"
    "a mouse gene's id is mm:SYMBOL, which says that its Ensembl id is not known.\n\n"
    "Homologs are one-to-one: pairs of core genes by type (one2one, one2many,\n"
    "many2many), confidence, same name, gene order, ids; each is taken while both genes\n"
    "are free. Pairs that are not one2one, of low confidence and of different names are\n"
    "left out. Symbols alone are used when no table has pairs of ids.",
    opts,
    0,
    0
};

/* ---- one table after another ---- */

/* Ranks of one table: its current names, former ones, aliases. */
enum { KINDS = 4 };

struct work {
    struct gene_build b;
    const char *reference[2]; /* path of the table that gave the ids */
    struct {
        bool there;
        size_t n_rows;
    } seen[GENE_MAX_RANKS / KINDS]; /* by place in gene_sources */
    size_t n_pairs_read;            /* from tables with ids */
};

static const char *cell(const struct table *t, const char *name, size_t row)
{
    const struct column *c = table_find(t, name);
    return c && c->text[row] ? c->text[row] : "";
}

static int kind_of(const char *text)
{
    return *text >= '0' && *text < '0' + KINDS ? *text - '0' : 0;
}

static enum rc add_names(struct work *w, const struct gene_source *s, int rank,
                         const struct table *t, struct err *e)
{
    const bool first = s->role == GENE_ROLE_NAMES && !w->reference[s->species];
    enum rc rc = RC_OK;
    if (first)
        w->reference[s->species] = s->path;
    else if (!w->reference[s->species])
        return RC_OK; /* names of ids that nothing else knows */
    for (size_t r = 0; r < t->n_rows && !rc; r++) {
        const char *id = cell(t, "id", r), *name = cell(t, "name", r);
        if (!first)
            rc =
                gene_build_name(&w->b, s->species, id, name, rank + kind_of(cell(t, "kind", r)), e);
        else if (*id)
            rc = gene_build_gene(&w->b, s->species, id, name, cell(t, "biotype", r), e);
    }
    return rc;
}

static enum rc add_list(struct work *w, const struct gene_source *s, const struct table *t,
                        struct err *e)
{
    for (size_t r = 0; r < t->n_rows; r++)
        if (*cell(t, "name", r) && gene_build_listed(&w->b, s->species, cell(t, "name", r), e))
            return e->rc;
    return RC_OK;
}

static enum pair_type type_of(const char *text)
{
    return strcmp(text, "ortholog_one2one") == 0    ? PAIR_ONE2ONE
           : strcmp(text, "ortholog_one2many") == 0 ? PAIR_ONE2MANY
                                                    : PAIR_MANY2MANY;
}

/* 0 to 100; anything else counts as not known, 0. */
static int score_of(const char *text)
{
    char *end;
    double x = strtod(text, &end);
    return end != text && x >= 0 && x <= 100 ? (int)x : 0;
}

static enum rc add_pairs(struct work *w, const struct table *t, struct err *e)
{
    for (size_t r = 0; r < t->n_rows; r++) {
        const char *human = cell(t, "human", r), *mouse = cell(t, "mouse", r);
        if (!*human || !*mouse)
            continue;
        w->n_pairs_read++;
        if (gene_build_pair(&w->b, human, mouse, type_of(cell(t, "type", r)),
                            cell(t, "confidence", r)[0] == '1', score_of(cell(t, "score", r)), e))
            return e->rc;
    }
    return RC_OK;
}

/* ---- symbols only ---- */

/* How many rows name this symbol: tells one2one from the rest, as BioMart does. */
static enum rc count_names(const struct table *t, const char *column, struct map *at, size_t *count,
                           struct err *e)
{
    for (size_t r = 0; r < t->n_rows; r++) {
        uint64_t old = MAP_NONE;
        if (!*cell(t, "mouse", r) || !*cell(t, "human", r))
            continue;
        if (map_add(at, cell(t, column, r), r, &old, e))
            return e->rc;
        count[old == MAP_NONE ? r : old]++;
    }
    return RC_OK;
}

/* Names lead to ids through the reference; a name of two ids leads nowhere here. */
static enum rc index_names(const struct gene_side *a, struct map *names, struct map *twice,
                           struct err *e)
{
    for (size_t i = 0; i < a->n; i++) {
        uint64_t old = MAP_NONE;
        if (map_add(names, a->gene[i].name, i, &old, e) ||
            (old != MAP_NONE && map_add(twice, a->gene[i].name, i, NULL, e)))
            return e->rc;
    }
    return RC_OK;
}

static enum rc symbol_pairs(struct work *w, const struct table *t, const struct map *names,
                            const struct map *twice, const struct map *at, size_t *const count[2],
                            struct err *e)
{
    for (size_t r = 0; r < t->n_rows; r++) {
        const char *name[2] = { cell(t, "human", r), cell(t, "mouse", r) };
        const char *id[2] = { NULL, NULL };
        if (!*name[0] || !*name[1])
            continue;
        for (int sp = 0; sp < 2; sp++) {
            uint64_t g = map_get(&names[sp], name[sp]);
            if (g != MAP_NONE && map_get(&twice[sp], name[sp]) == MAP_NONE)
                id[sp] = w->b.of[sp].gene[g].id;
        }
        if (!id[0] || !id[1]) {
            w->b.pairs_unknown++;
            continue;
        }
        size_t h = count[0][map_get(&at[0], name[0])], m = count[1][map_get(&at[1], name[1])];
        if (gene_build_pair(&w->b, id[0], id[1],
                            h == 1 && m == 1   ? PAIR_ONE2ONE
                            : h == 1 || m == 1 ? PAIR_ONE2MANY
                                               : PAIR_MANY2MANY,
                            1, 0, e))
            return e->rc;
    }
    return RC_OK;
}

static enum rc add_symbol_pairs(struct work *w, const struct table *t, struct err *e)
{
    struct map names[2], twice[2], at[2];
    size_t *count[2] = { calloc(t->n_rows + 1, sizeof *count[0]),
                         calloc(t->n_rows + 1, sizeof *count[1]) };
    enum rc rc = count[0] && count[1] ? RC_OK : err_set(e, RC_FAIL, "no memory for homologs");
    for (int sp = 0; sp < 2; sp++) {
        map_init(&names[sp]);
        map_init(&twice[sp]);
        map_init(&at[sp]);
        if (!rc)
            rc = index_names(&w->b.of[sp], &names[sp], &twice[sp], e);
        if (!rc)
            rc = count_names(t, sp ? "mouse" : "human", &at[sp], count[sp], e);
    }
    if (!rc)
        rc = symbol_pairs(w, t, names, twice, at, count, e);
    for (int sp = 0; sp < 2; sp++) {
        map_release(&names[sp]);
        map_release(&twice[sp]);
        map_release(&at[sp]);
        free(count[sp]);
    }
    return rc;
}

/* Mouse genes from names when no table has their ids. */
static enum rc add_mouse_symbol(struct work *w, const char *name, struct err *e)
{
    char id[128];
    if (!*name || snprintf(id, sizeof id, "mm:%s", name) >= (int)sizeof id)
        return RC_OK;
    return gene_build_gene(&w->b, SPECIES_MOUSE, id, name, NULL, e);
}

static enum rc mouse_from_symbols(struct work *w, const struct gene_source *s,
                                  const struct table *t, struct err *e)
{
    const char *column = s->role == GENE_ROLE_LIST ? "name" : "mouse";
    for (size_t r = 0; r < t->n_rows; r++)
        if (add_mouse_symbol(w, cell(t, column, r), e))
            return e->rc;
    w->reference[SPECIES_MOUSE] = "symbols";
    return RC_OK;
}

/* ---- the run ---- */

static const char *role_name(enum gene_role r)
{
    static const char *const name[] = { "ids and names", "further names", "list of names",
                                        "homolog pairs", "homolog symbols" };
    return name[r];
}

static json_t *source_numbers(const struct work *w)
{
    json_t *all = json_array();
    for (size_t i = 0; i < gene_n_sources; i++) {
        const struct gene_source *s = &gene_sources[i];
        json_t *j = json_pack("{s:s, s:s, s:b, s:I}", "path", s->path, "role", role_name(s->role),
                              "present", w->seen[i].there, "rows", (json_int_t)w->seen[i].n_rows);
        json_int_t n = 0;
        for (size_t k = 0; k < KINDS && s->role <= GENE_ROLE_EXTRA; k++)
            n += (json_int_t)w->b.of[s->species].counts.from_rank[KINDS * i + k];
        if (s->role <= GENE_ROLE_EXTRA)
            json_object_set_new(j, "aliases", json_integer(n));
        json_array_append_new(all, j);
    }
    return all;
}

static enum rc use_table(struct work *w, const struct gene_source *s, size_t i,
                         const struct table *t, struct err *e)
{
    switch (s->role) {
    case GENE_ROLE_NAMES:
    case GENE_ROLE_EXTRA:
        return add_names(w, s, KINDS * (int)i, t, e);
    case GENE_ROLE_LIST:
        return add_list(w, s, t, e);
    case GENE_ROLE_PAIRS:
        return add_pairs(w, t, e);
    case GENE_ROLE_SYMBOLS:
        break;
    }
    return w->n_pairs_read ? RC_OK : add_symbol_pairs(w, t, e);
}

/* Tables of one kind after another; a mouse without ids gets its genes just before the lists. */
static enum rc read_all(struct work *w, struct err *e)
{
    for (size_t pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < gene_n_sources; i++) {
            const struct gene_source *s = &gene_sources[i];
            const bool names = s->role <= GENE_ROLE_EXTRA;
            /* Pass 0: tables of ids, then symbols if those gave no mouse. Pass 1: the rest. */
            const bool as_genes =
                pass == 0 &&
                (s->role == GENE_ROLE_SYMBOLS || (s->role == GENE_ROLE_LIST && s->species == 1)) &&
                (!w->reference[1] || strcmp(w->reference[1], "symbols") == 0);
            struct table t;
            bool there;
            if (pass == 0 ? !names && !as_genes : names)
                continue;
            if (gene_source_read(s, inputs, &there, &t, e))
                return e->rc;
            enum rc rc = !there     ? RC_OK
                         : as_genes ? mouse_from_symbols(w, s, &t, e)
                                    : use_table(w, s, i, &t, e);
            w->seen[i].there = there;
            w->seen[i].n_rows = t.n_rows;
            table_release(&t);
            if (rc)
                return rc;
        }
    if (!w->reference[0] && !w->reference[1])
        return err_set(e, RC_INPUT, "no gene table below '%s/gene_reference'", inputs);
    return RC_OK;
}

static json_t *side_numbers(const struct work *w, enum species sp)
{
    const struct gene_counts *c = &w->b.of[sp].counts;
    json_t *kind = json_object();
    for (enum gene_biotype k = GENE_PROTEIN; k < GENE_N_BIOTYPES; k++)
        json_object_set_new(kind, gene_biotype_name(k), json_integer((json_int_t)c->by_biotype[k]));
    return json_pack(
        "{s:s?, s:s, s:I, s:I, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "reference",
        w->reference[sp], "biotypes", c->guessed ? "guessed" : "reference", "genes",
        (json_int_t)c->n_genes, "core", (json_int_t)c->n_core, "by_biotype", kind, "repeated_ids",
        (json_int_t)c->repeated_ids, "called_by_id", (json_int_t)c->shared_names, "aliases",
        (json_int_t)c->alias_names, "retired_ids", (json_int_t)c->alias_ids, "retired_ids_lost",
        (json_int_t)c->retired_lost, "mangled_names", (json_int_t)c->alias_mangled,
        "ambiguous_names", (json_int_t)c->ambiguous_names, "listed",
        (json_int_t)(w->b.of[sp].list.n ? c->n_listed : 0));
}

static json_t *pair_numbers(const struct gene_build *b)
{
    static const char *const name[] = { "one2one", "one2many", "many2many" };
    json_t *given = json_object(), *taken = json_object();
    size_t sum = 0;
    for (int k = 0; k < PAIR_N_TYPES; k++) {
        json_object_set_new(given, name[k], json_integer((json_int_t)b->pairs_given[k]));
        json_object_set_new(taken, name[k], json_integer((json_int_t)b->pairs_taken[k]));
        sum += b->pairs_taken[k];
    }
    return json_pack("{s:I, s:o, s:o, s:I, s:I, s:I}", "pairs", (json_int_t)sum, "rows_given",
                     given, "taken", taken, "rows_with_unknown_gene", (json_int_t)b->pairs_unknown,
                     "rows_not_core", (json_int_t)b->pairs_not_core, "rows_doubtful",
                     (json_int_t)b->pairs_doubtful);
}

static json_t *numbers(const struct work *w)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "human", side_numbers(w, 0), "mouse",
                     side_numbers(w, 1), "homologs", pair_numbers(&w->b), "sources",
                     source_numbers(w));
}

static enum rc write_all(struct work *w, const struct tool_args *a, struct err *e)
{
    struct table genes, aliases;
    if (gene_build_finish(&w->b, &genes, &aliases, e))
        return e->rc;
    char *path[2] = { text_new("%s/genes.tsv", a->out), text_new("%s/aliases.tsv", a->out) };
    enum rc rc = path[0] && path[1] ? RC_OK : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc)
        rc = table_write(path[0], &genes, '\t', true, false, e);
    if (!rc)
        rc = table_write(path[1], &aliases, '\t', true, false, e);
    if (!rc && a->report)
        rc = json_write(a->report, numbers(w), e);
    const struct gene_counts *h = &w->b.of[0].counts, *m = &w->b.of[1].counts;
    if (!rc)
        log_say("human: %zu genes, %zu core%s; mouse: %zu genes, %zu core%s; %zu homolog pairs, "
                "%zu aliases",
                h->n_genes, h->n_core, h->guessed ? " (guessed from names)" : "", m->n_genes,
                m->n_core, m->guessed ? " (guessed from names)" : "",
                w->b.pairs_taken[0] + w->b.pairs_taken[1] + w->b.pairs_taken[2], aliases.n_rows);
    free(path[0]);
    free(path[1]);
    table_release(&genes);
    table_release(&aliases);
    return rc;
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    if (tool_need_out(a, e))
        return e->rc;
    if (!inputs)
        return err_set(e, RC_USAGE, "--inputs is missing");
    struct work w = { 0 };
    gene_build_init(&w.b);
    enum rc rc = read_all(&w, e);
    if (!rc)
        rc = write_all(&w, a, e);
    gene_build_release(&w.b);
    return rc;
}

int main(int argc, char **argv)
{
    return tool_main(&tool, run, argc, argv);
}
