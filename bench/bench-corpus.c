/* bench-corpus: cells per second from a count file to ranked tokens.
 *   bench-corpus --input FILE.h5ad|FILE.h5 --tables DIR [--species 0|1] [--threads N] [--repeat R]
 *                [--shards DIR]
 * The work of the peer's corpus_bench.py, by preset `paper`: read (cells and genes by name, counts),
 * qc (names to genes, mouse to human, the rules), tokenise (divide, rank, cut). One JSON line with the
 * peer's keys; the fastest of --repeat runs counts. tokens_sha256 is over the tokens of all cells
 * that stay, int32, and is the peer's. Hashing is not timed, there as here. With --shards the shards
 * are written as well, once, after the timed runs: seconds.shards and cells_per_s.with_shards. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "lib/app/corpus_stream.h"
#include "lib/base/sha256.h"
#include "lib/base/spill.h"
#include "lib/base/thread.h"
#include "lib/base/tool.h"
#include "lib/io/h5frame.h"
#include "lib/io/shard.h"
#include "lib/io/tables.h"

static const char *input, *tables, *shards;
static int64_t species, repeat = 1;

static const struct opt opts[] = {
    OPT_STR("input", &input, "FILE", "counts in rows: .h5ad (CSR), or Cell Ranger's .h5"),
    OPT_STR("tables", &tables, "DIR", "folder with genes.tsv and aliases.tsv"),
    OPT_I64("species", &species, "N", "0 human, 1 mouse"),
    OPT_I64("repeat", &repeat, "N", "runs; the fastest counts"),
    OPT_STR("shards", &shards, "DIR", "write shards there, as a second figure"),
    OPT_END,
};

enum { MAX_LENGTH = 2048, CELLS_PER_SHARD = 4096 };
enum step { READ, QC, TOKENISE, TOTAL, N_STEPS };
static const char *const step_name[N_STEPS] = { "read", "qc", "tokenise", "total" };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

struct open_input {
    hid_t file, group;
    struct h5frame obs, var;
    struct arena text;
    const char **cell, **gene;
    size_t n_cells, n_genes;
    struct sparse_rows rows;
};

static enum rc read_texts(hid_t at, const char *name, struct open_input *in, const char ***text,
                          size_t *n, struct err *e)
{
    struct h5_data d;
    if (h5_data_open(at, name, &d, e))
        return e->rc;
    enum rc rc = h5_read_texts(&d, &in->text, text, n, e);
    h5_data_close(&d);
    return rc;
}

/* Cell Ranger 3: names are those of the features, as scanpy has them. */
static enum rc open_10x(struct open_input *in, struct err *e)
{
    hid_t f;
    enum rc rc = h5_group_open(in->file, "matrix", &in->group, e);
    if (!rc)
        rc = read_texts(in->group, "barcodes", in, &in->cell, &in->n_cells, e);
    if (!rc && !(rc = h5_group_open(in->group, "features", &f, e))) {
        rc = read_texts(f, "name", in, &in->gene, &in->n_genes, e);
        H5Gclose(f);
    }
    return rc;
}

static enum rc open_h5ad(struct open_input *in, struct err *e)
{
    enum rc rc = h5frame_read(in->file, "obs", &in->obs, e);
    if (!rc)
        rc = h5frame_read(in->file, "var", &in->var, e);
    if (!rc)
        rc = h5_group_open(in->file, "X", &in->group, e);
    in->cell = in->obs.index;
    in->gene = in->var.index;
    in->n_cells = in->obs.table.n_rows;
    in->n_genes = in->var.table.n_rows;
    return rc;
}

static void input_close(struct open_input *in)
{
    sparse_rows_close(&in->rows);
    h5frame_release(&in->obs);
    h5frame_release(&in->var);
    arena_release(&in->text);
    if (in->group >= 0)
        H5Gclose(in->group);
    if (in->file >= 0)
        H5Fclose(in->file);
}

static enum rc input_open(struct open_input *in, struct err *e)
{
    *in = (struct open_input){ .file = -1, .group = -1 };
    spill_arena(&in->text, 1 << 16);
    enum rc rc = h5_open(input, &in->file, e);
    bool tenx = !rc && h5_kind_of(in->file, "matrix", NULL) == H5_GROUP;
    if (!rc)
        rc = tenx ? open_10x(in, e) : open_h5ad(in, e);
    if (!rc)
        rc = sparse_rows_open(in->group, in->n_cells, in->n_genes, false, &in->rows, e);
    if (rc) {
        input_close(in);
        return err_wrap(e, "'%s'", input);
    }
    return RC_OK;
}

struct result {
    double best[N_STEPS], shards;
    size_t cells_in, cells_out;
    uint64_t nnz, tokens;
    char sha256[SHA256_HEX];
};

struct sink {
    struct sha256 hash;
    double hashing;
    size_t n_cells;
    uint64_t n_tokens;
    struct shard_writer *shards; /* NULL: none */
};

/* Tokens as int32, the way the peer keeps them. */
static enum rc take(void *ctx, size_t cell, const uint16_t *token, const float *value, uint32_t n,
                    struct err *e)
{
    struct sink *s = ctx;
    int32_t wide[MAX_LENGTH];
    double start = now();
    for (uint32_t i = 0; i < n; i++)
        wide[i] = token[i];
    enum rc rc = sha256_add(&s->hash, wide, n * sizeof *wide, e);
    s->hashing += now() - start;
    s->n_cells++;
    s->n_tokens += n;
    const struct token_cell c = {
        .cell_id = cell + 1, .species = (uint8_t)species, .n = n, .token = token, .value = value
    };
    return rc || !s->shards ? rc : shard_writer_add(s->shards, &c, e);
}

/* One run; seconds by step. */
static enum rc once(const struct gene_tables *t, struct shard_writer *w, double at[N_STEPS],
                    struct result *r, struct err *e)
{
    struct open_input in;
    struct corpus_stream s;
    struct sink sink = { .shards = w };
    const struct qc_rules rules = qc_rules_of(QC_PAPER);
    double start = now(), mark = start;
    if (input_open(&in, e))
        return e->rc;
    at[READ] = now() - mark;
    mark = now();
    enum rc rc = corpus_stream_init(&s, t, (enum species)species, in.gene, in.n_genes, in.n_cells, e);
    if (rc) {
        input_close(&in);
        return rc;
    }
    at[QC] = now() - mark;
    for (size_t first = 0, n; !rc && first < in.n_cells; first += n) {
        struct csr block;
        mark = now();
        n = sparse_rows_block(&in.rows, first);
        rc = sparse_rows_read(&in.rows, first, n, &block, e);
        at[READ] += now() - mark;
        mark = now();
        if (!rc)
            rc = corpus_stream_add(&s, &block, first, e);
        at[QC] += now() - mark;
    }
    mark = now();
    if (!rc)
        rc = counts_verdict(&in.rows.check, e);
    if (!rc)
        rc = corpus_stream_judge(&s, &rules, e);
    at[QC] += now() - mark;
    mark = now();
    if (!rc)
        rc = sha256_init(&sink.hash, e);
    if (!rc)
        rc = corpus_stream_rank(&s, MAX_LENGTH, take, &sink, e);
    at[TOKENISE] = now() - mark - sink.hashing;
    at[TOTAL] = now() - start - sink.hashing;
    if (!rc)
        rc = sha256_end(&sink.hash, r->sha256, e);
    r->cells_in = in.n_cells;
    r->nnz = in.rows.indptr[in.n_cells];
    r->cells_out = sink.n_cells;
    r->tokens = sink.n_tokens;
    corpus_stream_release(&s);
    input_close(&in);
    return rc;
}

static enum rc with_shards(const struct gene_tables *t, struct result *r, struct err *e)
{
    struct shard_writer w;
    double at[N_STEPS], start;
    enum rc rc = shard_writer_open(&w, shards, CELLS_PER_SHARD, e);
    if (rc)
        return rc;
    rc = once(t, &w, at, r, e);
    start = now();
    if (!rc)
        rc = shard_writer_close(&w, e);
    else
        shard_writer_abort(&w);
    r->shards = at[TOTAL] + now() - start;
    return rc;
}

static void print(const struct result *r)
{
    struct rusage u;
    const char *slash = strrchr(input, '/');
    getrusage(RUSAGE_SELF, &u);
    printf("{\"file\": \"%s\", \"cells_in\": %zu, \"nnz\": %llu, \"cells_out\": %zu, "
           "\"tokens\": %llu, \"threads\": %d, \"seconds\": {",
           slash ? slash + 1 : input, r->cells_in, (unsigned long long)r->nnz, r->cells_out,
           (unsigned long long)r->tokens, threads_count());
    for (int i = 0; i < N_STEPS; i++)
        printf("%s\"%s\": %.4f", i ? ", " : "", step_name[i], r->best[i]);
    if (shards)
        printf(", \"with_shards\": %.4f", r->shards);
    printf("}, \"cells_per_s\": {");
    for (int i = 0; i < N_STEPS; i++)
        printf("%s\"%s\": %.0f", i ? ", " : "", step_name[i], (double)r->cells_in / r->best[i]);
    if (shards)
        printf(", \"with_shards\": %.0f", (double)r->cells_in / r->shards);
    printf("}, \"peak_rss_mib\": %ld, \"tokens_sha256\": \"%s\"}\n", u.ru_maxrss / 1024, r->sha256);
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    struct gene_tables t;
    struct result r = { 0 };
    (void)a;
    if (!input || !tables)
        return err_set(e, RC_USAGE, "--%s is missing", input ? "tables" : "input");
    if (repeat < 1 || species < 0 || species > 1)
        return err_set(e, RC_USAGE, "--repeat is at least 1, --species is 0 or 1");
    enum rc rc = tables_read(tables, &t, e);
    if (rc)
        return rc;
    for (int64_t k = 0; !rc && k < repeat; k++) {
        double at[N_STEPS];
        rc = once(&t, NULL, at, &r, e);
        for (int i = 0; !rc && i < N_STEPS; i++)
            r.best[i] = k && r.best[i] < at[i] ? r.best[i] : at[i];
    }
    if (!rc && shards)
        rc = with_shards(&t, &r, e);
    if (!rc)
        print(&r);
    gene_tables_release(&t);
    return rc;
}

int main(int argc, char **argv)
{
    static const struct tool tool = { "bench-corpus", "",
                                      "Speed of the corpus: counts to ranked tokens",
                                      "Prints one JSON line with the keys of the peer's script.",
                                      opts, 0, 0 };
    return tool_main(&tool, run, argc, argv);
}
