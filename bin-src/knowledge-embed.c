/* knowledge-embed: vectors of genes from a network, gene families, co-expression or promoters. */
#include <stdlib.h>
#include <string.h>

#include "lib/app/dnabert_file.h"
#include "lib/app/knowledge_source.h"
#include "lib/base/log.h"
#include "lib/base/sha256.h"
#include "lib/base/tool.h"
#include "lib/data/kmer.h"
#include "lib/io/json.h"
#include "lib/io/knowledge.h"
#include "lib/io/tables.h"

static const char *vocab_path, *tables_path, *hgnc_path, *levels, *pairs_out, *text_out;
static const char *model_path, *fasta_out, *method = "dnabert", *scale = "counts";
static struct opt_list pair_files, genomes, sites, sequences;
static uint64_t dim = 768, passes = 10, cells_per_matrix = 3000, least_cells = 30;
static uint64_t upstream = 500, downstream = 2000, word = 5;
static double above = 0.8, most_unknown = 0.5;
static bool exact, hogwild;

static const struct opt opts[] = {
    OPT_STR("vocab", &vocab_path, "FILE", "vocab.tsv: a row is made for each token"),
    OPT_STR("tables", &tables_path, "DIR", "gene tables, for names that are not Ensembl ids"),
    OPT_LIST("pairs", &pair_files, "FILE",
             "grn: networks (TRRUST, CollecTRI, DoRothEA, PECA2, ..)"),
    OPT_STR("levels", &levels, "LETTERS", "grn: confidence to take, e.g. ABC; all without it"),
    OPT_STR("hgnc", &hgnc_path, "FILE", "family: HGNC's genes with their groups, JSON"),
    OPT_U64("cells", &cells_per_matrix, "N", "coexpression: cells drawn from each matrix"),
    OPT_U64("least-cells", &least_cells, "N", "coexpression: cells that express both genes"),
    OPT_F64("above", &above, "R", "coexpression: correlation that a pair must exceed"),
    OPT_CHOICE("scale", &scale, "counts|log2cp10k", "coexpression: what is correlated"),
    OPT_LIST("genome", &genomes, "FILE", "promoter: FASTA of each species, plain, gzip or bgzip"),
    OPT_LIST("tss", &sites, "FILE", "promoter: start sites for each genome (BED or table)"),
    OPT_LIST("sequences", &sequences, "SPECIES=FILE",
             "promoter: FASTA named after genes, or bare lines"),
    OPT_CHOICE("method", &method, "dnabert|dnalong|kmer", "promoter: how bases become a vector"),
    OPT_STR("model", &model_path, "DIR", "promoter: DNABERT (config.json, model.safetensors)"),
    OPT_U64("word", &word, "K", "promoter: bases of a word for kmer, 1 to 6"),
    OPT_U64("upstream", &upstream, "N", "promoter: bases before the start site"),
    OPT_U64("downstream", &downstream, "N", "promoter: bases from the start site on"),
    OPT_F64("most-unknown", &most_unknown, "X", "promoter: share of N above which there is no row"),
    OPT_STR("fasta-out", &fasta_out, "FILE", "promoter: also write the windows"),
    OPT_U64("dim", &dim, "K", "numbers of a vector"),
    OPT_U64("passes", &passes, "N", "gene2vec: passes over the pairs"),
    OPT_FLAG("exact", &exact, "gene2vec: one order of updates, the same bytes each time (default)"),
    OPT_FLAG("hogwild", &hogwild, "gene2vec: faster, threads race: NOT reproducible"),
    OPT_STR("pairs-out", &pairs_out, "FILE", "also write the pairs: name<TAB>name"),
    OPT_STR("text", &text_out, "FILE", "also write learned vectors: name<TAB>v1 v2 .."),
    OPT_END,
};

static const struct tool tool = {
    "knowledge-embed",
    "KIND [CELLS.h5ad...]",
    "vectors of genes from prior knowledge",
    "KIND says where knowledge comes from:\n\n"
    "  grn           regulator and target, a line for each network that has the pair\n"
    "  family        two genes of one HGNC group; mouse genes by their one-to-one\n"
    "                homologs in the vocabulary\n"
    "  coexpression  genes that correlate over the cells which express both, a line\n"
    "                for each matrix where they do; CELLS as qc-filter writes them\n"
    "  promoter      the bases around the start site, through DNABERT (mean [CLS] over\n"
    "                chunks, or dnalong's pooling) or as word shares with an SVD (kmer)\n\n"
    "For the first three gene2vec (skip-gram, 5 negatives, gensim's rules) learns a vector\n"
    "for each gene in a pair, from the pairs of its own species. Other genes get a random\n"
    "row of the same spread; `present` in the output tells them apart. <pad> and <mask>\n"
    "are zero.\n\n"
    "  knowledge-embed grn --tables tables --vocab vocab.tsv \\\n"
    "      --pairs trrust_rawdata.human.tsv collectri_human.csv --out grn.safetensors\n"
    "  knowledge-embed coexpression a.h5ad b.h5ad --vocab vocab.tsv --out co.safetensors\n"
    "  knowledge-embed promoter --genome hg38.fa.gz --tss genes.bed --model dnabert6 \\\n"
    "      --tables tables --vocab vocab.tsv --out promoter.safetensors\n\n"
    "Read the null in the report of coexpression: the pairs that pass after each gene's\n"
    "counts were shuffled among its own cells. Where it is near the number of pairs, most\n"
    "of them are chance.\n\n"
    "Promoters: letters other than ACGT (N, and what lies beyond the end of a chromosome)\n"
    "make unknown words, lower case counts as upper case, and of several start sites of a\n"
    "gene the first is taken. A plain genome with FILE.fai beside it is read by that index,\n"
    "any other is read through once. --sequences gives promoters as they are: FASTA whose\n"
    "names are symbols, Ensembl ids or EPDnew's SYMBOL_1; a sequence without a name or of no\n"
    "known gene makes no row, but tells how far random rows of its species spread. Without\n"
    "any gene's promoter all rows are random, and `present` says so.",
    opts,
    1,
    -1
};

static enum rc need(const char *kind, const char *what, bool given, bool wanted, struct err *e)
{
    if (given == wanted)
        return RC_OK;
    return err_set(e, RC_USAGE, given ? "%s does not take %s" : "%s needs %s", kind, what);
}

static enum rc check_promoter(struct err *e)
{
    if (genomes.n != sites.n || !(genomes.n + sequences.n))
        return err_set(e, RC_USAGE,
                       "promoter needs --genome and --tss, as many of one as of the other, or "
                       "--sequences");
    if (!tables_path)
        return err_set(e, RC_USAGE, "promoter needs --tables");
    if ((strcmp(method, "kmer") == 0) == (model_path != NULL))
        return err_set(e, RC_USAGE,
                       "--model goes with --method dnabert and dnalong, and only there");
    if (upstream > 1000000 || downstream < 1 || downstream > 1000000)
        return err_set(e, RC_USAGE, "--upstream is 0 to 1000000, --downstream 1 to 1000000");
    if (upstream + downstream < KMER_MAX || word < 1 || word > KMER_MAX)
        return err_set(e, RC_USAGE, "a window has %d bases or more, --word is 1 to %d", KMER_MAX,
                       KMER_MAX);
    if (!(most_unknown >= 0 && most_unknown < 1))
        return err_set(e, RC_USAGE, "--most-unknown is from 0 to below 1");
    return RC_OK;
}

static enum rc check_kind(const struct tool_args *a, enum knowledge_kind kind, struct err *e)
{
    const char *name = a->arg.item[0];
    const bool is_grn = kind == KNOWLEDGE_GRN, is_co = kind == KNOWLEDGE_COEXPRESSION,
               is_promoter = kind == KNOWLEDGE_PROMOTER;
    if (need(name, "--pairs", pair_files.n > 0, is_grn, e) ||
        need(name, "--hgnc", hgnc_path != NULL, kind == KNOWLEDGE_FAMILY, e) ||
        need(name, "files of cells", a->arg.n > 1, is_co, e) ||
        (!is_grn && need(name, "--levels", levels != NULL, false, e)) ||
        (is_grn && need(name, "--tables", tables_path != NULL, true, e)) ||
        (is_co && need(name, "--tables", tables_path != NULL, false, e)))
        return RC_USAGE;
    if (is_promoter && check_promoter(e))
        return RC_USAGE;
    if (!is_promoter && (need(name, "--genome", genomes.n > 0, false, e) ||
                         need(name, "--tss", sites.n > 0, false, e) ||
                         need(name, "--sequences", sequences.n > 0, false, e) ||
                         need(name, "--model", model_path != NULL, false, e) ||
                         need(name, "--fasta-out", fasta_out != NULL, false, e)))
        return RC_USAGE;
    if (is_promoter && (need(name, "--pairs-out", pairs_out != NULL, false, e) ||
                        need(name, "--hogwild", hogwild, false, e)))
        return RC_USAGE;
    return RC_OK;
}

static enum rc check_call(const struct tool_args *a, enum knowledge_kind *kind, struct err *e)
{
    const char *name = a->arg.item[0];
    int i = KNOWLEDGE_PROMOTER;
    while (i <= KNOWLEDGE_GRN && strcmp(name, knowledge_kind_name((enum knowledge_kind)i)) != 0)
        i++;
    if (i > KNOWLEDGE_GRN)
        return err_set(e, RC_USAGE, "'%s' is none of grn, family, coexpression, promoter", name);
    *kind = (enum knowledge_kind)i;
    if (!vocab_path)
        return err_set(e, RC_USAGE, "--vocab is missing");
    if (check_kind(a, *kind, e))
        return RC_USAGE;
    if (exact && hogwild)
        return err_set(e, RC_USAGE, "--exact and --hogwild exclude each other");
    if (dim < 1 || dim > 65536 || passes < 1 || passes > 1000000)
        return err_set(e, RC_USAGE, "--dim is 1 to 65536, --passes 1 to 1000000");
    if (least_cells < 2 || least_cells > UINT32_MAX || cells_per_matrix < 2)
        return err_set(e, RC_USAGE, "--least-cells and --cells are 2 or more");
    return tool_need_out(a, e);
}

/* What the vectors were made by, for the file and the report. */
static struct knowledge_note note;

static void tell(void *ctx, size_t n_done)
{
    progress_at(ctx, n_done);
}

static json_t *report(const struct knowledge_source *s, const struct knowledge_table *k,
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
    return json_pack("{s:s, s:s, s:b, s:I, s:I, s:I, s:I, s:o, s:O}", "kind",
                     knowledge_kind_name(k->kind), "method", note.method, "reproducible", !hogwild,
                     "dim", (json_int_t)k->dim, "passes", (json_int_t)passes, "seed",
                     (json_int_t)seed, "tokens", (json_int_t)k->n_tokens, "species", species,
                     "inputs", s->list);
}

static enum rc learn(struct knowledge_source *s, enum knowledge_kind kind,
                     const struct tool_args *a, struct knowledge_table *k,
                     struct knowledge_counts *c, struct err *e)
{
    struct sgns_options o = sgns_defaults();
    struct progress p;
    o.passes = (uint32_t)passes;
    o.seed = a->seed;
    o.hogwild = hogwild;
    o.progress = tell;
    o.ctx = &p;
    note.method = hogwild ? "gene2vec-hogwild, not reproducible" : "gene2vec";
    progress_start(&p, "pairs", s->pairs.n * (size_t)passes);
    enum rc rc = knowledge_learn(k, kind, s->v, &s->pairs, (size_t)dim, &o, c, e);
    progress_end(&p);
    return rc;
}

static enum rc promoter(struct knowledge_source *s, const struct tool_args *a,
                        struct knowledge_table *k, struct knowledge_counts *c, struct err *e)
{
    static char label[DNABERT_LABEL];
    struct promoter_options o = { .method = strcmp(method, "kmer") == 0      ? PROMOTER_KMER
                                            : strcmp(method, "dnalong") == 0 ? PROMOTER_DNALONG
                                                                             : PROMOTER_MEAN_CLS,
                                  .model = model_path,
                                  .backend = a->backend,
                                  .k = (int)word,
                                  .dim = (size_t)dim,
                                  .upstream = upstream,
                                  .downstream = downstream,
                                  .most_unknown = most_unknown,
                                  .seed = a->seed,
                                  .fasta_out = fasta_out };
    const struct promoter_inputs in = { genomes.item, sites.item, genomes.n, sequences.item,
                                        sequences.n };
    double spare_sd[2] = { 0, 0 };
    *c = (struct knowledge_counts){ 0 };
    note.method = o.method == PROMOTER_KMER ? "kmer-svd" : method;
    enum rc rc = knowledge_promoters(s, &in, &o, k, spare_sd, label, e);
    note.model = label;
    if (!rc && (rc = knowledge_fill(k, s->v, a->seed, spare_sd, c, e)))
        knowledge_table_release(k);
    return rc;
}

static enum rc write_all(const struct knowledge_source *s, const struct tool_args *a,
                         const struct knowledge_table *k, const struct knowledge_counts *c,
                         struct err *e)
{
    char sha[SHA256_HEX];
    enum rc rc = sha256_file(vocab_path, sha, NULL, e);
    note.vocab_sha256 = sha;
    note.n_pairs = s->pairs.n;
    if (!rc && pairs_out)
        rc = pairs_write_text(pairs_out, &s->pairs, s->v, e);
    if (!rc && text_out)
        rc = knowledge_write_text(text_out, k, s->v, e);
    if (!rc)
        rc = knowledge_write(a->out, k, &note, e);
    if (!rc && a->report)
        rc = json_write(a->report, report(s, k, c, a->seed), e);
    return rc;
}

/* The pairs of a kind. */
static enum rc gather(struct knowledge_source *s, enum knowledge_kind kind,
                      const struct tool_args *a, struct err *e)
{
    const struct coexpression_options o = {
        .pearson = { .scale = strcmp(scale, "counts") == 0 ? PEARSON_COUNTS : PEARSON_LOG2CP10K,
                     .least_cells = (uint32_t)least_cells,
                     .above = above },
        .cells = cells_per_matrix,
        .seed = a->seed
    };
    enum rc rc = kind == KNOWLEDGE_FAMILY ? knowledge_add_families(s, hgnc_path, e) : RC_OK;
    for (int i = 0; !rc && i < pair_files.n; i++)
        rc = knowledge_add_network(s, pair_files.item[i], levels, e);
    if (!rc && kind == KNOWLEDGE_GRN)
        knowledge_tell_networks(s);
    for (int i = 1; !rc && kind == KNOWLEDGE_COEXPRESSION && i < a->arg.n; i++)
        rc = knowledge_add_matrix(s, a->arg.item[i], &o, e);
    return rc;
}

static enum rc make_table(struct knowledge_source *s, enum knowledge_kind kind,
                          const struct tool_args *a, struct err *e)
{
    struct knowledge_table k;
    struct knowledge_counts c;
    enum rc rc;
    note.model = "";
    if (kind == KNOWLEDGE_PROMOTER) {
        rc = promoter(s, a, &k, &c, e);
    } else {
        rc = gather(s, kind, a, e);
        if (!rc)
            rc = learn(s, kind, a, &k, &c, e);
    }
    if (rc)
        return rc;
    rc = write_all(s, a, &k, &c, e);
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
    struct knowledge_source s = { .v = &v, .tables = &t, .list = json_array() };
    rc = s.list ? vocab_read(vocab_path, &v, e) : err_set(e, RC_FAIL, "no memory");
    if (!rc && tables_path)
        rc = tables_read(tables_path, &t, e);
    if (!rc)
        rc = make_table(&s, kind, a, e);
    json_decref(s.list);
    pairs_release(&s.pairs);
    gene_tables_release(&t);
    vocab_release(&v);
    free(pair_files.item);
    free(genomes.item);
    free(sites.item);
    free(sequences.item);
    return rc;
}

int main(int argc, char **argv)
{
    return tool_main(&tool, run, argc, argv);
}
