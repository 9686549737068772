/* bench-loader: cells per second that the loader alone makes ready for training, from mapped
 * shards. bench-loader [SHARDS] --batch N --steps N [--genes N] [--cells N] Without SHARDS a folder
 * of made-up cells is written first (--cells of --genes genes each) and removed. One JSON line:
 * cells/s and genes/s of one core (the loader is one thread, its processor time counts), and of a
 * plain copy of the same cells, which is what the memory allows. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/rng.h"
#include "lib/base/tool.h"
#include "lib/io/shard.h"
#include "lib/nn/loader.h"

enum { VOCABULARY = 50558 };

static struct {
    int64_t batch, steps, genes, cells, micro_rows, repeat;
} opt = {
    .batch = 64, .steps = 200, .genes = 2048, .cells = 4000, .micro_rows = 8192, .repeat = 3
};

static const struct opt opts[] = {
    OPT_I64("batch", &opt.batch, "N", "cells of a step"),
    OPT_I64("steps", &opt.steps, "N", "steps of a pass"),
    OPT_I64("repeat", &opt.repeat, "N", "passes; the fastest counts"),
    OPT_I64("micro-rows", &opt.micro_rows, "N", "as in pretrain"),
    OPT_I64("genes", &opt.genes, "N", "genes of each made-up cell"),
    OPT_I64("cells", &opt.cells, "N", "made-up cells"),
    OPT_END,
};

/* Distinct tokens in a scattered order, as ranks have them. */
static enum rc make_shards(const char *folder, uint64_t seed, struct err *e)
{
    struct shard_writer w;
    const size_t n = (size_t)opt.genes;
    uint16_t *token = malloc(n * sizeof *token);
    float *value = malloc(n * sizeof *value);
    uint32_t *all = malloc(VOCABULARY * sizeof *all);
    enum rc rc = token && value && all ? shard_writer_open(&w, folder, 1 << 14, e)
                                       : err_set(e, RC_FAIL, "no memory");
    for (int64_t c = 0; !rc && c < opt.cells; c++) {
        const uint64_t step = 2 * rng_below(seed, RNG_TEST, (uint64_t)c, 0, VOCABULARY / 4) + 1;
        for (size_t i = 0; i < n; i++) {
            token[i] = (uint16_t)(2 + (i * step + (uint64_t)c) % (VOCABULARY - 2));
            value[i] = 4 * (1 - (float)i / (float)n);
        }
        const struct token_cell cell = { hash_text("cell") + (uint64_t)c, (uint8_t)(c & 1),
                                         (uint32_t)n, token, value };
        rc = shard_writer_add(&w, &cell, e);
    }
    if (!rc)
        rc = shard_writer_close(&w, e);
    free(token);
    free(value);
    free(all);
    return rc;
}

static struct batch_cell cell_of(const void *ctx, size_t i)
{
    const struct token_cell c = shard_set_cell(ctx, i);
    return (struct batch_cell){ c.cell_id, c.species, c.n, c.token, c.value };
}

/* One pass of the loader with nobody else at work. */
static enum rc pass(const struct shard_set *s, uint64_t seed, double *seconds, double *n_cells,
                    double *n_genes, struct err *e)
{
    struct sampler sampler;
    struct loader l;
    const struct cell_source cells = { s->n_cells, cell_of, s };
    const struct collate c = { .mask = { 0.15, 0.8, 0.1, seed, 0, VOCABULARY },
                               .max_genes = 2048,
                               .n_tokens = VOCABULARY,
                               .micro_rows = (size_t)opt.micro_rows,
                               .size = 1 };
    *n_cells = *n_genes = 0;
    enum rc rc = sampler_init(&sampler, seed, s->n_cells, (size_t)opt.batch, e);
    const double start = processor_s();
    if (!rc)
        rc = loader_open(&l, &sampler, &cells, &c, 0, (uint64_t)opt.steps, e);
    for (int64_t k = 0; !rc && k < opt.steps; k++) {
        struct step_batch *step;
        rc = loader_next(&l, &step, e);
        *n_genes += rc ? 0 : (double)step->n_genes;
        *n_cells += rc ? 0 : (double)step->n_cells;
    }
    *seconds = processor_s() - start;
    loader_close(&l);
    sampler_release(&sampler);
    return rc;
}

static double copy_s(const struct shard_set *s)
{
    char *to = malloc(s->longest * 6 + 1);
    const double start = processor_s();
    for (int64_t i = 0; to && i < opt.steps * opt.batch; i++) {
        const struct token_cell c = shard_set_cell(s, (size_t)i % s->n_cells);
        memcpy(to, c.token, c.n * 2);
        memcpy(to + 2 * (size_t)c.n, c.value, c.n * 4);
        __asm__ volatile("" ::"r"(to) : "memory");
    }
    free(to);
    return processor_s() - start;
}

static void remove_shards(const char *folder)
{
    static const char *const name[] = { "shard-00000.h5", "shard-00001.h5", "index.h5" };
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        char *path = text_new("%s/%s", folder, name[i]);
        if (path)
            unlink(path);
        free(path);
    }
    rmdir(folder);
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    char made[] = "/tmp/bench-loader-XXXXXX";
    struct shard_set s = { 0 };
    if (opt.batch < 1 || opt.steps < 1 || opt.genes < 1 || opt.genes > VOCABULARY - 2 ||
        opt.cells < 1 || opt.cells > 1 << 15 || opt.repeat < 1 || opt.micro_rows < 1)
        return err_set(e, RC_USAGE, "numbers are at least 1, --cells at most 32768");
    const char *folder = a->arg.n ? a->arg.item[0] : mkdtemp(made);
    enum rc rc = folder ? RC_OK : err_set(e, RC_FAIL, "cannot make a folder in /tmp");
    if (!rc && !a->arg.n)
        rc = make_shards(folder, a->seed, e);
    if (!rc)
        rc = shard_set_open(&s, folder, e);
    double best = 0, seconds, n_cells = 1, n_genes = 0;
    for (int64_t k = 0; !rc && k < opt.repeat; k++) {
        rc = pass(&s, a->seed, &seconds, &n_cells, &n_genes, e);
        if (!rc && (k == 0 || seconds < best))
            best = seconds;
    }
    if (!rc)
        printf("{\"cells_per_s_core\": %.0f, \"genes_per_s_core\": %.0f, \"mean_genes\": %.0f, "
               "\"batch\": %lld, \"steps\": %lld, \"copy_cells_per_s\": %.0f}\n",
               n_cells / best, n_genes / best, n_genes / n_cells, (long long)opt.batch,
               (long long)opt.steps, (double)(opt.batch * opt.steps) / copy_s(&s));
    shard_set_close(&s);
    if (folder && !a->arg.n)
        remove_shards(folder);
    return rc;
}

int main(int argc, char **argv)
{
    static const struct tool tool = {
        "bench-loader", "[SHARDS]", "Speed of the loader alone", "Prints one JSON line.", opts, 0, 1
    };
    return tool_main(&tool, run, argc, argv);
}
