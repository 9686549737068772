/* knowledge-embed: vectors of genes from a network, gene families or co-expression. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/sha256.h"
#include "lib/base/tool.h"
#include "lib/cell/knowledge.h"
#include "lib/cell/pearson.h"
#include "lib/io/h5ad.h"
#include "lib/io/hgnc.h"
#include "lib/io/json.h"
#include "lib/io/knowledge.h"
#include "lib/io/network.h"
#include "lib/io/tables.h"

static const char *vocab_path, *tables_path, *hgnc_path, *levels, *pairs_out, *text_out;
static struct opt_list pair_files;
static uint64_t dim = 768, passes = 10, cells_per_matrix = 3000, least_cells = 30;
static double above = 0.8;
static const char *scale = "counts";

static const struct opt opts[] = {
    OPT_STR("vocab", &vocab_path, "FILE", "vocab.tsv: a row is made for each token"),
    OPT_STR("tables", &tables_path, "DIR", "gene tables, for names that are not Ensembl ids"),
    OPT_LIST("pairs", &pair_files, "FILE", "grn: networks (TRRUST, CollecTRI, DoRothEA, gene2vec)"),
    OPT_STR("levels", &levels, "LETTERS", "grn: confidence to take, e.g. ABC; all without it"),
    OPT_STR("hgnc", &hgnc_path, "FILE", "family: HGNC's genes with their groups, JSON"),
    OPT_U64("cells", &cells_per_matrix, "N", "coexpression: cells drawn from each matrix"),
    OPT_U64("least-cells", &least_cells, "N", "coexpression: cells that express both genes"),
    OPT_F64("above", &above, "R", "coexpression: correlation that a pair must exceed"),
    OPT_CHOICE("scale", &scale, "counts|log2cp10k", "coexpression: what is correlated"),
    OPT_U64("dim", &dim, "K", "numbers of a vector"),
    OPT_U64("passes", &passes, "N", "passes over the pairs"),
    OPT_STR("pairs-out", &pairs_out, "FILE", "also write the pairs: name<TAB>name"),
    OPT_STR("text", &text_out, "FILE", "also write learned vectors: name<TAB>v1 v2 .."),
    OPT_END,
};

static const struct tool tool = {
    "knowledge-embed",
    "KIND [CELLS.h5ad...]",
    "vectors of genes from prior knowledge",
    "KIND says where pairs of genes come from:\n\n"
    "  grn           regulator and target, a line for each network that has the pair\n"
    "  family        two genes of one HGNC group; mouse genes by their one-to-one\n"
    "                homologs in the vocabulary\n"
    "  coexpression  genes that correlate over the cells which express both, a line\n"
    "                for each matrix where they do; CELLS as qc-filter writes them\n\n"
    "gene2vec (skip-gram, 5 negatives, gensim's rules) learns a vector for each gene in\n"
    "a pair, from the pairs of its own species. Other genes get a random row of the same\n"
    "spread; `present` in the output tells them apart. <pad> and <mask> are zero.\n\n"
    "  knowledge-embed grn --tables tables --vocab vocab.tsv \\\n"
    "      --pairs trrust_rawdata.human.tsv collectri_human.csv --out grn.safetensors\n"
    "  knowledge-embed coexpression a.h5ad b.h5ad --vocab vocab.tsv --out co.safetensors\n\n"
    "Read the null in the report of coexpression: the pairs that pass after each gene's\n"
    "counts were shuffled among its own cells. Where it is near the number of pairs, most\n"
    "of them are chance.",
    opts,
    1,
    -1
};

/* What all kinds fill: pairs of tokens, and their part of the report. */
struct source {
    const struct vocab *v;
    const struct gene_tables *tables; /* empty without --tables */
    struct pairs pairs;
    json_t *list; /* of inputs, for the report */
};

static int32_t token_of(const struct source *s, enum species sp, const char *name)
{
    const uint32_t row = gene_tables_find(s->tables, sp, name);
    const int32_t t = vocab_token(s->v, row == GENE_NONE ? name : s->tables->gene[row].id);
    return t >= 0 && s->v->entry[t].species == sp ? t : -1;
}

static const struct column *text_column(const struct cells *c, const char *name)
{
    const struct column *x = table_find(&c->obs, name);
    return x && x->kind == COLUMN_TEXT ? x : NULL;
}

/* ---- grn ---- */

static void tokens_of(const struct source *s, enum species sp, const struct network *n, int32_t *to,
                      size_t *found)
{
    *found = 0;
    for (size_t i = 0; i < n->gene.n; i++) {
        to[i] = token_of(s, sp, n->gene.at[i]);
        *found += to[i] >= 0;
    }
}

/* A file is of the species that knows more of its names. */
static enum rc network_tokens(const struct source *s, const struct network *n, const char *path,
                              int32_t *to, enum species *sp, size_t *found, struct err *e)
{
    size_t human, mouse;
    tokens_of(s, SPECIES_MOUSE, n, to, &mouse);
    tokens_of(s, SPECIES_HUMAN, n, to, &human);
    if (human == mouse)
        return err_set(e, RC_INPUT,
                       "'%s': %zu of its %zu genes are known in human and as many in mouse", path,
                       human, n->gene.n);
    *sp = human > mouse ? SPECIES_HUMAN : SPECIES_MOUSE;
    tokens_of(s, *sp, n, to, found);
    return RC_OK;
}

static enum rc add_network(struct source *s, const char *path, struct err *e)
{
    struct network n;
    struct pairs p = { 0 };
    enum species sp = SPECIES_UNKNOWN;
    size_t found = 0;
    enum rc rc = network_read(path, levels, &n, e);
    if (rc)
        return rc;
    int32_t *to = calloc(n.gene.n + 1, sizeof *to);
    rc = to ? network_tokens(s, &n, path, to, &sp, &found, e)
            : err_set(e, RC_FAIL, "no memory for %zu genes", n.gene.n);
    for (size_t i = 0; !rc && i < n.pairs.n; i++)
        if (to[n.pairs.at[i].a] >= 0 && to[n.pairs.at[i].b] >= 0)
            rc = pairs_add(&p, (uint32_t)to[n.pairs.at[i].a], (uint32_t)to[n.pairs.at[i].b], e);
    pairs_distinct(&p); /* two names of a gene make one pair */
    if (!rc)
        rc = pairs_append(&s->pairs, &p, e);
    if (!rc) {
        const char *slash = strrchr(path, '/');
        log_say("%s: %zu pairs, %s", path, p.n, species_name(sp));
        json_array_append_new(
            s->list, json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "file",
                               slash ? slash + 1 : path, "species", species_name(sp), "rows",
                               (json_int_t)n.n_rows, "left_for_level", (json_int_t)n.n_left,
                               "directed", (json_int_t)n.n_directed, "self", (json_int_t)n.n_self,
                               "undirected", (json_int_t)n.pairs.n, "genes", (json_int_t)n.gene.n,
                               "genes_in_vocab", (json_int_t)found, "pairs", (json_int_t)p.n));
    }
    free(to);
    pairs_release(&p);
    network_release(&n);
    return rc;
}

static enum rc grn(struct source *s, struct err *e)
{
    enum rc rc = RC_OK;
    for (int i = 0; !rc && i < pair_files.n; i++)
        rc = add_network(s, pair_files.item[i], e);
    return rc;
}

/* ---- family ---- */

/* The members of one species as {family, token}; m has room for all. Returns how many. */
static size_t members_of(const struct source *s, const struct hgnc *h, const int32_t *human,
                         enum species sp, struct member *m)
{
    size_t n = 0;
    for (size_t i = 0; i < h->n_members; i++) {
        const int32_t t = human[h->member[i].item];
        const int32_t to = t < 0 || sp == SPECIES_HUMAN ? t : s->v->entry[t].homolog;
        if (to >= 0)
            m[n++] = (struct member){ h->member[i].group, (uint32_t)to };
    }
    return n;
}

static enum rc add_families(struct source *s, const struct hgnc *h, const int32_t *human,
                            enum species sp, struct err *e)
{
    struct member *m = calloc(h->n_members + 1, sizeof *m);
    const size_t before = s->pairs.n;
    if (!m)
        return err_set(e, RC_FAIL, "no memory for %zu members of families", h->n_members);
    size_t n = members_of(s, h, human, sp, m);
    enum rc rc = pairs_of_groups(&s->pairs, m, &n, e);
    size_t families = 0;
    for (size_t i = 0; i < n; i++)
        families += i == 0 || m[i].group != m[i - 1].group;
    free(m);
    if (rc)
        return rc;
    log_say("%s: %zu families, %zu pairs", species_name(sp), families, s->pairs.n - before);
    json_array_append_new(s->list,
                          json_pack("{s:s, s:I, s:I, s:I}", "species", species_name(sp), "families",
                                    (json_int_t)families, "members", (json_int_t)n, "pairs",
                                    (json_int_t)(s->pairs.n - before)));
    return RC_OK;
}

static enum rc family(struct source *s, struct err *e)
{
    struct hgnc h;
    enum rc rc = hgnc_read(hgnc_path, &h, e);
    if (rc)
        return rc;
    int32_t *human = calloc(h.n_genes + 1, sizeof *human);
    if (!human)
        rc = err_set(e, RC_FAIL, "no memory for %zu genes", h.n_genes);
    for (size_t g = 0; !rc && g < h.n_genes; g++) {
        human[g] = h.ensembl[g] ? token_of(s, SPECIES_HUMAN, h.ensembl[g]) : -1;
        if (human[g] < 0)
            human[g] = token_of(s, SPECIES_HUMAN, h.symbol[g]);
    }
    for (int sp = 0; !rc && sp < 2; sp++)
        rc = add_families(s, &h, human, (enum species)sp, e);
    free(human);
    hgnc_release(&h);
    return rc;
}

/* ---- coexpression ---- */

/* The one species of a matrix. */
static enum rc species_of(const struct cells *c, enum species *sp, struct err *e)
{
    const struct column *x = text_column(c, "species");
    *sp = SPECIES_UNKNOWN;
    for (size_t r = 0; r < c->obs.n_rows; r++) {
        const enum species now = x && x->text[r] ? species_parse(x->text[r]) : SPECIES_UNKNOWN;
        if (now == SPECIES_UNKNOWN || (r && now != *sp))
            return err_set(e, RC_INPUT, "cell %zu: its species is %s", r,
                           now == SPECIES_UNKNOWN ? "not told" : "another than that of the first");
        *sp = now;
    }
    return RC_OK;
}

/* The token of a gene in cells of a species: there, a mouse gene may carry its homolog's human id.
 */
static int32_t cell_token(const struct source *s, enum species sp, const char *id)
{
    const int32_t t = vocab_token(s->v, id);
    if (t < 0 || s->v->entry[t].species == sp)
        return t;
    return s->v->entry[t].homolog;
}

/* Keeps the drawn cells; stream: a key of the matrix, from its cells. */
static enum rc draw_cells(const struct cells *c, uint64_t seed, struct csr *out, uint64_t *stream,
                          struct err *e)
{
    const struct column *id = table_find(&c->obs, "cell_id");
    if (!id || id->kind != COLUMN_I64)
        return err_set(e, RC_INPUT, "no whole numbers 'cell_id' in obs");
    unsigned char *keep = calloc(c->obs.n_rows + 1, 1);
    if (!keep)
        return err_set(e, RC_FAIL, "no memory for %zu cells", c->obs.n_rows);
    enum rc rc = sample_rows((const uint64_t *)id->i64, c->obs.n_rows, (size_t)cells_per_matrix,
                             seed, keep, e);
    if (!rc)
        rc = csr_select(&c->count, keep, NULL, c->count.n_cols, out, e);
    *stream = 0;
    for (size_t r = 0; r < c->obs.n_rows; r++)
        *stream ^= (uint64_t)id->i64[r] >> 32;
    free(keep);
    return rc;
}

struct matrix_result {
    struct pearson_counts real, chance;
    size_t n_pairs; /* of two genes of the vocabulary */
};

static enum rc correlate(struct source *s, const struct cells *c, const struct csr *count,
                         enum species sp, uint64_t stream, uint64_t seed, struct matrix_result *m,
                         struct err *e)
{
    struct pearson_options o = { .scale = strcmp(scale, "counts") == 0 ? PEARSON_COUNTS
                                                                       : PEARSON_LOG2CP10K,
                                 .least_cells = (uint32_t)least_cells,
                                 .above = above,
                                 .seed = seed,
                                 .stream = stream };
    struct pairs p = { 0 };
    const size_t before = s->pairs.n;
    enum rc rc = pearson_pairs(count, &o, &p, &m->real, e);
    o.shuffled = 1;
    if (!rc)
        rc = pearson_pairs(count, &o, NULL, &m->chance, e);
    for (size_t i = 0; !rc && i < p.n; i++) {
        const int32_t a = cell_token(s, sp, c->gene[p.at[i].a]),
                      b = cell_token(s, sp, c->gene[p.at[i].b]);
        if (a >= 0 && b >= 0)
            rc = pairs_add(&s->pairs, (uint32_t)a, (uint32_t)b, e);
    }
    m->n_pairs = s->pairs.n - before;
    pairs_release(&p);
    return rc;
}

static enum rc add_matrix(struct source *s, const char *path, uint64_t seed, struct err *e)
{
    struct cells c;
    struct csr drawn = { 0 };
    struct matrix_result m = { 0 };
    enum species sp = SPECIES_UNKNOWN;
    uint64_t stream = 0;
    enum rc rc = h5ad_read(path, &c, e);
    if (rc)
        return rc;
    rc = species_of(&c, &sp, e);
    if (!rc)
        rc = draw_cells(&c, seed, &drawn, &stream, e);
    if (!rc)
        rc = correlate(s, &c, &drawn, sp, stream, seed, &m, e);
    if (!rc) {
        const struct column *sample = text_column(&c, "sample");
        const char *name = c.obs.n_rows && sample && sample->text[0] ? sample->text[0] : "";
        log_say("%s: %llu pairs above %g, %llu after a shuffle", path,
                (unsigned long long)m.real.above, above, (unsigned long long)m.chance.above);
        json_array_append_new(
            s->list,
            json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "sample", name, "species",
                      species_name(sp), "cells", (json_int_t)c.obs.n_rows, "cells_drawn",
                      (json_int_t)drawn.n_rows, "genes", (json_int_t)m.real.genes, "pairs_defined",
                      (json_int_t)m.real.defined, "pairs_above", (json_int_t)m.real.above,
                      "null_above", (json_int_t)m.chance.above, "pairs", (json_int_t)m.n_pairs));
    } else {
        err_wrap(e, "'%s'", path);
    }
    csr_release(&drawn);
    cells_release(&c);
    return rc;
}

static enum rc coexpression(struct source *s, const struct tool_args *a, struct err *e)
{
    enum rc rc = RC_OK;
    for (int i = 1; !rc && i < a->arg.n; i++)
        rc = add_matrix(s, a->arg.item[i], a->seed, e);
    return rc;
}

/* ---- all kinds ---- */

static enum rc need(const char *kind, const char *what, bool given, bool wanted, struct err *e)
{
    if (given == wanted)
        return RC_OK;
    return err_set(e, RC_USAGE, given ? "%s does not take %s" : "%s needs %s", kind, what);
}

static enum rc check_call(const struct tool_args *a, enum knowledge_kind *kind, struct err *e)
{
    static const enum knowledge_kind kinds[] = { KNOWLEDGE_GRN, KNOWLEDGE_FAMILY,
                                                 KNOWLEDGE_COEXPRESSION };
    const char *name = a->arg.item[0];
    int i = 0;
    while (i < 3 && strcmp(name, knowledge_kind_name(kinds[i])) != 0)
        i++;
    if (i == 3)
        return err_set(e, RC_USAGE, "'%s' is none of grn, family, coexpression", name);
    *kind = kinds[i];
    const bool is_grn = *kind == KNOWLEDGE_GRN, is_co = *kind == KNOWLEDGE_COEXPRESSION;
    if (!vocab_path)
        return err_set(e, RC_USAGE, "--vocab is missing");
    if (need(name, "--pairs", pair_files.n > 0, is_grn, e) ||
        need(name, "--hgnc", hgnc_path != NULL, *kind == KNOWLEDGE_FAMILY, e) ||
        need(name, "files of cells", a->arg.n > 1, is_co, e) ||
        (!is_grn && need(name, "--levels", levels != NULL, false, e)) ||
        (is_grn && need(name, "--tables", tables_path != NULL, true, e)) ||
        (is_co && need(name, "--tables", tables_path != NULL, false, e)))
        return RC_USAGE;
    if (dim < 1 || dim > 65536 || passes < 1 || passes > 1000000)
        return err_set(e, RC_USAGE, "--dim is 1 to 65536, --passes 1 to 1000000");
    if (least_cells < 2 || least_cells > UINT32_MAX || cells_per_matrix < 2)
        return err_set(e, RC_USAGE, "--least-cells and --cells are 2 or more");
    return tool_need_out(a, e);
}

static void tell(void *ctx, size_t n_done)
{
    progress_at(ctx, n_done);
}

static json_t *report(const struct source *s, const struct knowledge_table *k,
                      const struct knowledge_counts *c, uint64_t seed)
{
    json_t *species = json_object();
    for (int i = 0; i < 2; i++)
        json_object_set_new(
            species, species_name((enum species)i),
            json_pack("{s:I, s:I, s:I, s:I, s:f, s:I, s:I}", "pairs", (json_int_t)c->lines[i],
                      "distinct_pairs", (json_int_t)c->distinct[i], "genes_learned",
                      (json_int_t)c->learned[i], "genes_random", (json_int_t)c->filled[i],
                      "random_sd", c->sd[i], "lines_seen", (json_int_t)c->sgns[i].lines,
                      "lines_kept", (json_int_t)c->sgns[i].kept));
    return json_pack("{s:s, s:I, s:I, s:I, s:I, s:o, s:O}", "kind", knowledge_kind_name(k->kind),
                     "dim", (json_int_t)k->dim, "passes", (json_int_t)passes, "seed",
                     (json_int_t)seed, "tokens", (json_int_t)k->n_tokens, "species", species,
                     "inputs", s->list);
}

static enum rc learn_and_write(struct source *s, enum knowledge_kind kind,
                               const struct tool_args *a, struct err *e)
{
    struct knowledge_table k;
    struct knowledge_counts c;
    struct sgns_options o = sgns_defaults();
    struct progress p;
    char sha[SHA256_HEX];
    enum rc rc = sha256_file(vocab_path, sha, NULL, e);
    if (rc)
        return rc;
    o.passes = (uint32_t)passes;
    o.seed = a->seed;
    o.progress = tell;
    o.ctx = &p;
    progress_start(&p, "pairs", s->pairs.n * (size_t)passes);
    rc = knowledge_learn(&k, kind, s->v, &s->pairs, (size_t)dim, &o, &c, e);
    progress_end(&p);
    if (rc)
        return rc;
    if (pairs_out)
        rc = pairs_write_text(pairs_out, &s->pairs, s->v, e);
    if (!rc && text_out)
        rc = knowledge_write_text(text_out, &k, s->v, e);
    if (!rc)
        rc = knowledge_write(a->out, &k, sha, s->pairs.n, e);
    if (!rc && a->report)
        rc = json_write(a->report, report(s, &k, &c, a->seed), e);
    knowledge_table_release(&k);
    return rc;
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    enum knowledge_kind kind = KNOWLEDGE_GRN;
    enum rc rc = check_call(a, &kind, e);
    if (rc)
        return rc;
    struct vocab v;
    struct gene_tables t;
    vocab_init(&v);
    gene_tables_init(&t);
    struct source s = { .v = &v, .tables = &t, .list = json_array() };
    rc = s.list ? vocab_read(vocab_path, &v, e) : err_set(e, RC_FAIL, "no memory");
    if (!rc && tables_path)
        rc = tables_read(tables_path, &t, e);
    if (!rc && kind == KNOWLEDGE_GRN)
        rc = grn(&s, e);
    else if (!rc && kind == KNOWLEDGE_FAMILY)
        rc = family(&s, e);
    else if (!rc)
        rc = coexpression(&s, a, e);
    if (!rc)
        rc = learn_and_write(&s, kind, a, e);
    json_decref(s.list);
    pairs_release(&s.pairs);
    gene_tables_release(&t);
    vocab_release(&v);
    free(pair_files.item);
    return rc;
}

int main(int argc, char **argv)
{
    return tool_main(&tool, run, argc, argv);
}
