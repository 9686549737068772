/* bench-train: cells per second of pre-training or of embedding, on made-up cells.
 *   bench-train --config tiny|small|base --batch N --steps N --threads N [--lengths F]
 *               [--forward-only] [--repeat N] [--profile]
 *   bench-train --config tiny|small|base --draw-lengths N      a file for --lengths, on stdout
 * One JSON line, the keys of the peer's script; the fastest of --repeat passes over the same
 * batches counts, after one untimed step (on a device an untimed pass: each shape is planned once).
 * cpu_share: processor time over wall time x threads in that pass; well under 1 means that
 * something else had the cores. sgemm_gflops is this machine's product rate in the same run;
 * share_of_sgemm compares both by processor time, so that neighbours do not count. On a device both
 * give way to device_memory_peak_mb, all that was in use. --profile: a table of operations on
 * stderr (lib/tensor/profile.h), of the timed passes. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <math.h>

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/rng.h"
#include "lib/base/thread.h"
#include "lib/base/tool.h"
#include "lib/io/lines.h"
#include "lib/nn/cost.h"
#include "lib/nn/train.h"
#include "lib/tensor/cuda_facts.h"
#include "lib/tensor/product_rate.h"
#include "lib/tensor/profile.h"

/* Only in programs that are linked with the cuda kernels; elsewhere NULL. */
#pragma weak cuda_memory_peak

static struct {
    const char *config, *lengths, *dtype;
    int64_t batch, steps, repeat, micro_rows, draw, genes;
    bool forward_only, profile, fold, full;
    double dropout;
} opt = {
    .config = "small", .dtype = "f32", .batch = 8, .steps = 3, .repeat = 1, .micro_rows = 4096
};

static const struct opt opts[] = {
    OPT_CHOICE("config", &opt.config, "tiny|small|base", "shape of the model"),
    OPT_I64("batch", &opt.batch, "N", "cells of a step"),
    OPT_I64("steps", &opt.steps, "N", "steps of a pass"),
    OPT_I64("repeat", &opt.repeat, "N", "passes; the fastest counts"),
    OPT_I64("micro-rows", &opt.micro_rows, "N", "rows computed at a time, as in pretrain: memory"),
    OPT_CHOICE("dtype", &opt.dtype, "auto|f32|bf16",
               "numbers of the products; auto is bf16 where the processor has AMX"),
    OPT_STR("lengths", &opt.lengths, "FILE",
            "genes per cell, one number a line, repeated as needed"),
    OPT_FLAG("full-length", &opt.full, "every cell as long as the model takes"),
    OPT_I64("genes", &opt.genes, "N", "most genes of a cell, at most the model's own; 0: those"),
    OPT_FLAG("forward-only", &opt.forward_only, "embed: encoder only"),
    OPT_FLAG("fold", &opt.fold, "with --forward-only: tables of the vocabulary made beforehand"),
    OPT_I64("draw-lengths", &opt.draw, "N", "only print N lengths, as drawn where none are given"),
    OPT_FLAG("profile", &opt.profile, "seconds of each operation, on stderr"),
    OPT_F64("dropout", &opt.dropout, "NUM", "rate in all places"),
    OPT_END,
};

static struct model_config config_of(const char *name)
{
    struct model_config c = model_config_base(50558);
    if (strcmp(name, "small") == 0) {
        c.n_layers = 6;
        c.n_heads = 4;
        c.d = 256;
        c.ffn = 512;
    } else if (strcmp(name, "tiny") == 0) {
        c.n_layers = 2;
        c.n_heads = 4;
        c.d = 128;
        c.ffn = 256;
        c.n_tokens = 5000;
        c.max_genes = 256;
        c.knowledge_dim = 128;
    }
    return c;
}

struct cells {
    struct batch_cell *cell;
    size_t n;
    struct arena a;
    double n_genes;
};

/* Lengths: from the file, or log-normal round 1100 of 2048 as the peer draws them. */
static enum rc make_lengths(uint32_t *len, size_t n, uint32_t most, uint64_t seed, struct err *e)
{
    for (size_t i = 0; i < n; i++) {
        double x = exp(log(1100.0 * most / 2048) + 0.5 * rng_normal(seed, RNG_TEST, 1, i));
        len[i] = opt.full ? most : (uint32_t)fmin(fmax(x, 7), most);
    }
    if (!opt.lengths)
        return RC_OK;
    struct lines l;
    bool more = true;
    size_t k = 0;
    enum rc rc = lines_open(&l, opt.lengths, e);
    while (!rc && k < n && !(rc = lines_next(&l, &more, e)) && more)
        if (l.n_bytes)
            len[k++] = (uint32_t)fmin(fmax(strtod(l.text, NULL), 1), most);
    for (size_t i = k; k && i < n; i++)
        len[i] = len[i - k];
    lines_close(&l);
    return !rc && !k ? err_set(e, RC_INPUT, "'%s' holds no length", opt.lengths) : rc;
}

static enum rc print_lengths(size_t n, uint32_t most, struct err *e)
{
    uint32_t *len = calloc(n + 1, sizeof *len);
    if (!len)
        return err_set(e, RC_FAIL, "no memory for %zu lengths", n);
    enum rc rc = make_lengths(len, n, most, 7, e);
    for (size_t i = 0; !rc && i < n; i++)
        printf("%u\n", len[i]);
    free(len);
    return rc;
}

static enum rc make_cells(struct cells *s, const struct model_config *c, uint64_t seed,
                          struct err *e)
{
    s->n = (size_t)(opt.batch * opt.steps);
    arena_init(&s->a, 1 << 20);
    uint32_t *len = arena_get(&s->a, s->n * sizeof *len);
    uint32_t *perm = arena_get(&s->a, c->n_tokens * sizeof *perm);
    s->cell = arena_get(&s->a, s->n * sizeof *s->cell);
    if (!len || !perm || !s->cell)
        return err_set(e, RC_FAIL, "no memory");
    if (make_lengths(len, s->n, c->max_genes, 7, e))
        return e->rc;
    for (size_t i = 0; i < s->n; i++) {
        uint16_t *token = arena_get(&s->a, len[i] * sizeof *token);
        float *value = arena_get(&s->a, len[i] * sizeof *value);
        if (!token || !value)
            return err_set(e, RC_FAIL, "no memory");
        for (uint32_t k = 0; k < c->n_tokens; k++)
            perm[k] = k;
        rng_shuffle(seed, RNG_TEST, i, perm + 2, c->n_tokens - 2);
        for (uint32_t k = 0; k < len[i]; k++) {
            token[k] = (uint16_t)perm[2 + k];
            value[k] = 4 * (1 - (float)k / (float)len[i]);
        }
        s->cell[i] = (struct batch_cell){ i + 1, (uint8_t)(i % 2), len[i], token, value };
        s->n_genes += len[i];
    }
    return RC_OK;
}

/* As the tools have them: in a file, mapped. */
static enum rc make_knowledge(struct model *m, struct err *e)
{
    const size_t n = (size_t)m->config.n_tokens * m->config.knowledge_dim;
    struct outfile f;
    char *dir;
    enum rc rc = folder_scratch("bench-train", &dir, e);
    if (rc)
        return rc;
    char *path = text_new("%s/table", dir);
    rc = path ? outfile_open(&f, path, e) : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc) {
        for (size_t i = 0; i < n; i++) {
            const float x = 0.3f * (float)((double)(i * 2654435761u % 1000) / 500 - 1);
            fwrite(&x, sizeof x, 1, f.f);
        }
        rc = outfile_commit(&f, e);
    }
    for (int k = 0; !rc && k < N_KNOWLEDGE; k++)
        if (!(rc = mapped_open(&m->tables.file[k], path, MAPPED_OWN, e)))
            m->tables.knowledge[k] = m->tables.file[k].at;
    folder_remove(dir);
    free(dir);
    free(path);
    return rc;
}

static enum rc make_model(struct model *m, const struct model_config *c, const struct backend *b,
                          uint64_t seed, struct err *e)
{
    enum rc rc = model_init(m, c, b, !opt.forward_only, 0, e);
    if (rc)
        return rc;
    model_randomise(m, seed);
    return make_knowledge(m, e);
}

static enum rc forward(struct trainer *t, const struct batch_cell *cell, size_t n, struct err *e)
{
    struct batch b;
    struct model_out out = { .cells_only = true };
    const struct model_run run = { 0 };
    const struct model_config *c = &t->m->config;
    arena_reset(&t->batches);
    tape_reset(&t->tape);
    t->tape.training = false;
    enum rc rc = batch_build(&b, &t->batches, cell, n, c->max_genes, c->n_tokens,
                             t->m->tables.homolog, NULL, e);
    if (rc)
        return rc;
    model_encode(t->m, &t->tape, &b, &run, &out);
    return tape_check(&t->tape, e);
}

struct result {
    const struct cells *cells;
    double seconds, cpu, flop, loss; /* of the fastest pass, all cells */
};

/* The processor's own rate is no yardstick of a device, whose memory is told instead (of
 * bench-device comes its rate). */
static void print_yardstick(const struct backend *b, const struct result *r)
{
    if (b->memory) {
        printf("\"device_memory_peak_mb\": %.1f, ",
               cuda_memory_peak ? (double)cuda_memory_peak() * 1e-6 : 0);
        return;
    }
    const double sgemm = product_rate(&backend_cpu, RATE_CPU) * 1e-9;
    printf("\"sgemm_gflops\": %.1f, \"share_of_sgemm\": %.3f, ", sgemm,
           r->flop * threads_count() / r->cpu * 1e-9 / sgemm);
}

static void print_result(const struct backend *b, const struct result *r)
{
    const double n = (double)r->cells->n, workers = threads_count();
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    printf("{\"config\": \"%s\", \"dtype\": \"%s\", \"device\": \"%s\", \"isa\": \"%s\", "
           "\"mode\": \"%s\", \"fold\": %s, \"dropout\": %g, \"threads\": %d, \"batch\": %lld, "
           "\"steps\": %lld, \"micro_rows\": %lld, \"cells_per_s\": %.4f, \"nonpad_tokens_per_s\": "
           "%.1f, "
           "\"model_tflops\": %.6g, ",
           opt.config, strstr(b->name, "bf16") ? "bf16" : "f32", b->name, b->isa ? b->isa : "any",
           opt.forward_only ? "forward" : "train", opt.fold ? "true" : "false", opt.dropout,
           threads_count(), (long long)opt.batch, (long long)opt.steps, (long long)opt.micro_rows,
           n / r->seconds, r->cells->n_genes / r->seconds, r->flop / r->seconds * 1e-12);
    print_yardstick(b, r);
    printf("\"peak_rss_mb\": %.1f, \"mean_length\": %.1f, \"cpu_share\": %.3f, \"last\": %.6f}\n",
           (double)u.ru_maxrss / 1024, r->cells->n_genes / n, r->cpu / r->seconds / workers,
           r->loss);
}

/* What was queued on a device, the last step's work at least, belongs to the time. */
static enum rc wait_for(const struct backend *b, struct err *e)
{
    if (!b->memory)
        return RC_OK;
    b->memory->wait();
    const char *why = b->memory->trouble();
    return why ? err_set(e, RC_FAIL, "%s", why) : RC_OK;
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    const char *why;
    const struct backend *b = backend_find_dtype(a->backend, opt.dtype, &why);
    struct model_config c = config_of(opt.config);
    struct model m = { 0 };
    struct cells s = { 0 };
    struct trainer t = { 0 };
    if (!b)
        return err_set(e, RC_SKIP, "%s", why);
    if (why)
        log_say("%s", why);
    if (opt.draw > 0)
        return print_lengths((size_t)opt.draw, c.max_genes, e);
    if (opt.profile)
        b = profile_backend(b);
    if (opt.batch < 1 || opt.steps < 1 || opt.repeat < 1 || opt.micro_rows < 1)
        return err_set(e, RC_USAGE, "--batch, --steps, --repeat and --micro-rows are at least 1");
    if (opt.genes < 0 || opt.genes > c.max_genes)
        return err_set(e, RC_USAGE, "--genes is at most %u of this model", (unsigned)c.max_genes);
    if (opt.genes)
        c.max_genes = (uint32_t)opt.genes;
    c.hidden_dropout = c.attention_dropout = opt.dropout;
    enum rc rc = make_model(&m, &c, b, a->seed, e);
    if (!rc)
        rc = make_cells(&s, &c, a->seed, e);
    if (!rc && opt.fold && opt.forward_only)
        rc = model_fold(&m, e);
    const struct train_options o = { .optim = { 5e-5, 0.01, 1, 1, 1000000 },
                                     .mask_rate = 0.15,
                                     .mask_share = 0.8,
                                     .random_share = 0.1,
                                     .id_weight = 0.2,
                                     .value_weight = 0.8,
                                     .dropout = opt.dropout > 0,
                                     .seed = a->seed,
                                     .micro_rows = (size_t)opt.micro_rows };
    trainer_init(&t, &m, &o);
    if (opt.forward_only)
        tape_keep_weights(&t.tape, TAPE_KEEP_BYTES);
    double best = INFINITY, best_cpu = 0, flop = 0, masked = 0;
    struct train_result r = { 0 };
    for (int64_t pass = -1; !rc && pass < opt.repeat; pass++) {
        if (pass == 0)
            profile_reset();
        const double start = clock_s(), cpu = processor_s();
        masked = 0;
        for (int64_t k = 0; !rc && k < (pass < 0 && !b->memory ? 1 : opt.steps); k++) {
            const struct batch_cell *cell = s.cell + k * opt.batch;
            rc = opt.forward_only
                     ? forward(&t, cell, (size_t)opt.batch, e)
                     : trainer_step(&t, cell, (size_t)opt.batch, (uint64_t)k, 0, &r, e);
            masked += (double)r.n_masked;
        }
        if (!rc)
            rc = wait_for(b, e);
        const double took = clock_s() - start;
        if (pass >= 0 && took < best) {
            best = took;
            best_cpu = processor_s() - cpu;
        }
    }
    if (!rc)
        profile_print(stderr);
    for (size_t i = 0; i < s.n; i++)
        flop += cost_forward(&c, s.cell[i].n, 0);
    if (!opt.forward_only)
        flop = 3 * (flop + cost_forward(&c, -1, masked) - cost_forward(&c, -1, 0));
    if (!rc)
        print_result(b, &(struct result){ &s, best, best_cpu, flop, r.loss });
    trainer_release(&t);
    model_release(&m);
    arena_release(&s.a);
    return rc;
}

int main(int argc, char **argv)
{
    static const struct tool tool = { "bench-train",
                                      "",
                                      "Speed of training and embedding",
                                      "Prints one JSON line with the keys of the peer's script.",
                                      opts,
                                      0,
                                      0 };
    return tool_main(&tool, run, argc, argv);
}
