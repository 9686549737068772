/* The encoder without gradients gives the bits of the one with them, however cells are grouped,
 * whether all rows are asked for or the cells' own, whether weights stay packed or not. */
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/thread.h"
#include "lib/nn/finetune.h"
#include "lib/nn/knowledge_shuffle.h"
#include "tests/lib/nn/tiny.h"

enum { D = 32, N = 4 * CELLS, MOST_ROWS = N * (GENES + 1) }; /* of several groups */

static struct batch_cell many[N];
static double all[MOST_ROWS * D], part[MOST_ROWS * D];

static struct model_config config_of(enum value_encoder encoder)
{
    struct model_config c = tiny();
    c.n_layers = 2;
    c.d = D;
    c.ffn = 2 * D;
    c.max_genes = GENES;
    c.knowledge_dim = 16;
    c.use_knowledge[KNOW_FAMILY] = true;
    c.value_encoder = encoder;
    return c;
}

/* Rows of the last layer, or of the cells alone, to x; 0 after a failure. layers: through the path
 * that keeps every layer. */
static size_t encode(struct model *m, size_t n, bool layers, bool cells_only, size_t keep,
                     double *x)
{
    struct arena a;
    struct tape t;
    struct batch b;
    struct err e = { 0 };
    struct tensor *hidden[3];
    struct model_out out = { .hidden = layers ? hidden : NULL, .cells_only = cells_only };
    const struct model_run run = { 0 };
    arena_init(&a, 1 << 16);
    tape_init(&t, m->params.b, false);
    tape_keep_weights(&t, keep);
    bool good = !batch_build(&b, &a, many, n, GENES, V, m->tables.homolog, NULL, &e);
    for (int round = 0; good && round < (keep ? 2 : 1);
         round++) { /* the second finds them packed */
        tape_reset(&t);
        model_encode(m, &t, &b, &run, &out);
        good = !tape_check(&t, &e);
    }
    const size_t rows = good ? out.last->rows : 0;
    if (good)
        reals_to_f64(m->params.b, x, out.last->x, rows * D);
    tape_release(&t);
    arena_release(&a);
    return rows;
}

/* Whether rows 0 of cells in `rows` are those of x. */
static bool cells_are(const double *rows, const double *x)
{
    for (size_t c = 0, row = 0; c < N; row += many[c++].n + 1)
        if (memcmp(rows + row * D, x + c * D, D * sizeof *x) != 0)
            return false;
    return true;
}

static void same_bits(struct model *m, const char *name)
{
    const size_t n = encode(m, N, true, false, 0, all);
    ok(n > 4000 && encode(m, N, false, false, 0, part) == n &&
           memcmp(all, part, n * D * sizeof *all) == 0,
       "%s: %zu rows, all at once or in groups: the same bits", name, n);
    ok(encode(m, N, false, true, 0, part) == N && cells_are(all, part),
       "%s: the cells' rows alone likewise", name);
    ok(encode(m, N, true, true, 0, part) == N && cells_are(all, part), "%s: and out of all layers",
       name);
    ok(encode(m, N, false, true, 1 << 20, part) == N && cells_are(all, part),
       "%s: with weights that stay packed", name);
    ok(encode(m, N, false, true, 5000, part) == N && cells_are(all, part),
       "%s: with room for some of them", name);
    for (int threads = 1; threads < 4; threads++) {
        threads_init(threads);
        ok(encode(m, N, false, true, 0, part) == N && cells_are(all, part), "%s: on %d threads",
           name, threads);
    }
}

/* A cell among a few: the block is computed for them. Among many: it is folded. */
static void folds(struct model *m, const char *name)
{
    static float few[D], every[N * D];
    struct err e = { 0 };
    size_t wrong = 0;
    bool good = !finetune_encode(m, many, N, 300, every, NULL, NULL, &e) && !m->folded.table;
    for (size_t c = 0; good && c < N; c += 17) {
        good = !finetune_encode(m, many + c, 1, 300, few, NULL, NULL, &e);
        wrong += memcmp(few, every + c * D, sizeof few) != 0;
    }
    ok(good && !wrong, "%s: cells alone and among %d: the same bits%s", name, N, e.text);
    for (size_t i = 0; i < m->params.n_items; i++) /* nothing is remembered of other weights */
        if (m->params.b->type == REAL_F32)
            ((float *)m->params.x)[i] *= 1.5f;
        else
            ((double *)m->params.x)[i] *= 1.5;
    good = !finetune_encode(m, many, 1, 300, few, NULL, NULL, &e);
    ok(good && memcmp(few, every, sizeof few) != 0, "%s: other weights, other vectors", name);
}

/* A table in a file gives the bits of one in memory, also when it is written to. */
static void of_a_file(struct model *m, const char *name)
{
    const size_t bytes = (size_t)V * 16 * sizeof(float);
    char path[] = "/tmp/test-encode-XXXXXX";
    struct model_tables *t = &m->tables;
    float *own = t->knowledge[KNOW_FAMILY];
    struct err e = { 0 };
    const int fd = mkstemp(path);
    if (fd < 0 || write(fd, own, bytes) != (ssize_t)bytes || close(fd) != 0)
        abort();
    ok(!mapped_open(&t->file[1], path, MAPPED_OWN, &e), "%s: a table in a file%s", name, e.text);
    unlink(path);
    encode(m, N, false, true, 0, all);
    t->knowledge[KNOW_FAMILY] = t->file[1].at;
    ok(model_table_file(t, KNOW_FAMILY) == &t->file[1] && !model_table_file(t, KNOW_GRN) &&
           encode(m, N, false, true, 0, part) == N && memcmp(all, part, N * D * sizeof *all) == 0,
       "%s: its rows give the same bits", name);
    ok(!knowledge_shuffle(m, 2, 9, &e) && encode(m, N, false, true, 0, part) == N &&
           memcmp(all, part, N * D * sizeof *all) != 0,
       "%s: when genes change places, other ones%s", name, e.text);
    t->knowledge[KNOW_FAMILY] = own;
    ok(!knowledge_shuffle(m, 2, 9, &e) && encode(m, N, false, true, 0, all) == N &&
           memcmp(all, part, N * D * sizeof *all) == 0,
       "%s: those of a table in memory%s", name, e.text);
    t->knowledge[KNOW_FAMILY] = t->file[1].at;
    ok(!knowledge_forget(m, &e) && encode(m, N, false, true, 0, part) == N &&
           memcmp(all, part, N * D * sizeof *all) != 0,
       "%s: forgotten ones count%s", name, e.text);
    t->knowledge[KNOW_FAMILY] = own;
    mapped_close(&t->file[1]);
}

int main(void)
{
    static const char *const names[] = { "ref", "cpu", "cpu-avx2", "cpu-bf16", "cpu-avx512bf16" };
    make_cells();
    for (size_t c = 0; c < N; c++) {
        many[c] = cells[c % CELLS];
        many[c].cell_id = c;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (int encoder = VALUE_PLAIN; encoder <= VALUE_OWN; encoder++) {
            const char *why;
            const struct backend *b = backend_find(names[i], &why);
            const struct model_config c = config_of((enum value_encoder)encoder);
            struct model m;
            struct err e = { 0 };
            char name[64];
            snprintf(name, sizeof name, "%s, encoder %d", names[i], encoder);
            if (!b) {
                skip("%s: %s", name, why);
                continue;
            }
            if (!ok(!model_init(&m, &c, b, false, 0, &e), "%s: a model%s", name, e.text))
                continue;
            model_randomise(&m, 5);
            m.tables.knowledge[KNOW_FAMILY] = malloc((size_t)V * 16 * sizeof(float));
            for (size_t k = 0; m.tables.knowledge[KNOW_FAMILY] && k < (size_t)V * 16; k++)
                m.tables.knowledge[KNOW_FAMILY][k] = (float)(k * 37 % 101) / 50 - 1;
            same_bits(&m, name);
            of_a_file(&m, name);
            folds(&m, name);
            model_release(&m);
        }
    threads_stop();
    return tap_end();
}
