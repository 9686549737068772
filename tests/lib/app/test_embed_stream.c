/* The order of events in embed: the first cells are in the result's file before the input is read
 * to its end and before anybody has asked for the hash of the weights. Times are not looked at. */
#define _GNU_SOURCE /* memmem */
#include "lib/app/embed_stream.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/app/model_file.h"
#include "lib/base/file.h"
#include "lib/base/thread.h"
#include "lib/io/h5ad.h"
#include "lib/io/h5ad_writer.h"
#include "lib/io/tables.h"
#include "lib/io/textout.h"
#include "tests/tap.h"

enum { GENES = 40, V = GENES + 2, D = 8, MANY = 60000, FEW = 40 };

static char dir[] = "/tmp/gc-stream-XXXXXX";
static char gene_name[GENES][16];

static bool put(const char *name, const char *text)
{
    char *path = text_new("%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    const bool good = f && fputs(text, f) >= 0 && fclose(f) == 0;
    free(path);
    return good;
}

/* A folder as pretrain leaves it. */
static bool make_model(void)
{
    struct model_config c = model_config_base(V);
    struct model m;
    struct vocab v;
    struct medians med;
    struct err e = { 0 };
    c.n_layers = 1;
    c.n_heads = 2;
    c.d = D;
    c.ffn = 16;
    c.max_genes = 16;
    memset(c.use_knowledge, 0, sizeof c.use_knowledge);
    vocab_init(&v);
    medians_init(&med);
    bool good =
        !vocab_add(&v, &(struct vocab_entry){ "<pad>", "<pad>", "-", SPECIES_UNKNOWN, -1 }, &e) &&
        !vocab_add(&v, &(struct vocab_entry){ "<mask>", "<mask>", "-", SPECIES_UNKNOWN, -1 }, &e);
    for (int i = 0; good && i < GENES; i++) {
        snprintf(gene_name[i], sizeof gene_name[i], "ENSG%011d", i + 1);
        good = !vocab_add(&v,
                          &(struct vocab_entry){ gene_name[i], gene_name[i], "protein_coding",
                                                 SPECIES_HUMAN, -1 },
                          &e) &&
               !medians_add(&med, &(struct median){ gene_name[i], 9, 1 + i % 3 }, &e);
    }
    char *vocab = text_new("%s/vocab.tsv", dir), *medians = text_new("%s/medians.tsv", dir);
    good = good && !vocab_write(vocab, &v, &e) && !medians_write(medians, &med, &e) &&
           put("genes.tsv", "id\tname\tspecies\tbiotype\tcore\ttoken\tmedian\thomolog\n"
                            "ENSG00000000001\tA\t0\tprotein_coding\t1\t-1\t-\t-\n") &&
           put("aliases.tsv", "name\tid\tspecies\n") &&
           !model_init(&m, &c, &backend_ref, false, 0, &e);
    if (good) {
        model_randomise(&m, 5);
        good = !model_save(&m, dir, &e);
        model_release(&m);
    }
    vocab_release(&v);
    medians_release(&med);
    free(vocab);
    free(medians);
    return ok(good, "a model folder%s", e.text);
}

/* n cells of all genes, as qc-filter leaves them. */
static bool make_cells(const char *path, size_t n)
{
    struct cells c;
    struct err e = { 0 };
    cells_init(&c);
    table_init(&c.obs, n);
    table_init(&c.var, GENES);
    c.cell = calloc(n + 1, sizeof *c.cell);
    c.gene = calloc(GENES + 1, sizeof *c.gene);
    c.count = (struct csr){ .n_rows = n, .n_cols = GENES };
    c.count.indptr = calloc(n + 1, sizeof *c.count.indptr);
    c.count.index = malloc((n * GENES + 1) * sizeof *c.count.index);
    c.count.value = malloc((n * GENES + 1) * sizeof *c.count.value);
    for (size_t i = 0; i < n; i++) {
        c.cell[i] = "cell";
        c.count.indptr[i + 1] = (i + 1) * GENES;
        for (uint32_t j = 0; j < GENES; j++) {
            c.count.index[i * GENES + j] = j;
            c.count.value[i * GENES + j] = (uint32_t)(1 + (i + j * 7) % 11);
        }
    }
    for (int j = 0; j < GENES; j++)
        c.gene[j] = gene_name[j];
    struct column *source = table_add(&c.var, "n_source", COLUMN_I64);
    for (int j = 0; source && j < GENES; j++)
        source->i64[j] = 1;
    const enum rc rc = table_fill_text(&c.obs, "species", "human", &e);
    const bool good = source && !rc && !h5ad_write(path, &c, NULL, &e);
    cells_release(&c);
    return ok(good, "%zu cells%s", n, e.text);
}

struct watch {
    struct embedder *m;
    struct cell_blocks *in;
    struct h5ad_writer w;
    size_t n, calls;
    bool only_first;
    float *x; /* [FEW, D] unless only_first */
};

static bool file_has(const char *path, const void *what, size_t n)
{
    char *data = NULL;
    size_t size = 0;
    const bool good = !file_read(path, 1 << 24, &data, &size, NULL) && memmem(data, size, what, n);
    free(data);
    return good;
}

static enum rc take(void *ctx, const float *x, size_t n, struct err *e)
{
    struct watch *k = ctx;
    if (!k->only_first) {
        memcpy(k->x + k->n * D, x, n * D * sizeof *x);
        k->n += n;
        k->calls++;
        return RC_OK;
    }
    ok(n == H5AD_CHUNK_ROWS, "the first batch is a chunk of %d cells: %zu", (int)H5AD_CHUNK_ROWS,
       n);
    ok(k->in->first > 0 && k->in->first < k->in->head.count.n_rows,
       "it is there after %zu of %zu cells were read", k->in->first, k->in->head.count.n_rows);
    ok(!k->m->hash.done, "and before there is a hash of the weights");
    ok(!k->m->model.folded.table, "and before the table of the vocabulary is folded");
    ok(!h5ad_writer_add_obsm(&k->w, "X_genecompass", x, n, D, e) &&
           file_has(k->w.o.tmp, x, n * D * sizeof *x),
       "its vectors are in the file");
    return err_set(e, RC_CHECK, "enough");
}

static void first_cells(const char *path, struct watch *k)
{
    struct embedder m;
    struct cell_blocks in;
    struct embed_report rep;
    struct err e = { 0 };
    char *out = text_new("%s/out.h5ad", dir), *weights = text_new("%s/model.safetensors", dir);
    char want[SHA256_HEX];
    k->m = &m;
    k->in = &in;
    if (ok(!embedder_open(&m, dir, &backend_ref, &(struct embedder_wants){ .hash = true }, &e) &&
               !cell_blocks_open(&in, path, &(struct import_options){ .species = SPECIES_UNKNOWN },
                                 out, &e),
           "model and cells open%s", e.text)) {
        if (k->only_first)
            ok(!h5ad_writer_open(&k->w, out, &e), "a result%s", e.text);
        const enum rc rc = embed_stream(&m, &in, 0, take, k, &rep, &e);
        ok(rc == (k->only_first ? RC_CHECK : RC_OK), "the stream ends as it was asked to: %s",
           e.text);
        if (k->only_first)
            h5ad_writer_abort(&k->w);
        const char *hash = embedder_sha256(&m, &e);
        ok(hash && !sha256_file(weights, want, NULL, &e) && strcmp(hash, want) == 0,
           "the hash is that of the file with the weights%s", e.text);
        cell_blocks_close(&in);
    }
    embedder_close(&m);
    free(out);
    free(weights);
}

int main(void)
{
    static float with_one[FEW * D], with_three[FEW * D];
    if (!mkdtemp(dir))
        return 1;
    char *many = text_new("%s/many.h5ad", dir), *few = text_new("%s/few.h5ad", dir);
    threads_init(1);
    if (make_model() && make_cells(many, MANY) && make_cells(few, FEW)) {
        first_cells(many, &(struct watch){ .only_first = true });
        struct watch one = { .x = with_one }, three = { .x = with_three };
        first_cells(few, &one);
        threads_init(3);
        first_cells(few, &three);
        ok(one.n == FEW && three.n == FEW && one.calls == three.calls && one.calls > 1 &&
               memcmp(with_one, with_three, sizeof with_one) == 0,
           "a thread that reads changes neither batches nor bits");
    }
    folder_remove(dir);
    free(many);
    free(few);
    threads_stop();
    return tap_end();
}
