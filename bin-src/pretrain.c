/* pretrain: masked genes and values, spec/03 sections 5 and 7, spec/04.
 *
 *   open_run    shards, vocabulary, knowledge, model; the run's fingerprint
 *   begin       the newest checkpoint, or first weights
 *   loop        steps, evaluation, checkpoints, log.jsonl
 * Numbers that depend on the machine (seconds, tokens/s) go to speed.log, everything else is the
 * same for equal options and inputs. */
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/checkpoint.h"
#include "lib/app/knowledge_file.h"
#include "lib/app/model_file.h"
#include "lib/app/run_log.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/rng.h"
#include "lib/base/tool.h"
#include "lib/io/json.h"
#include "lib/io/shard.h"
#include "lib/io/tables.h"
#include "lib/nn/sampler.h"
#include "lib/nn/train.h"

static struct {
    const char *shards, *config, *tables;
    struct opt_list knowledge;
    bool resume, restart_if_changed;
    int64_t steps, epochs, batch, warmup, eval_every, checkpoint_every, keep, micro_rows;
    double lr, weight_decay, clip, mask_rate, id_weight, held_out;
} opt = { .epochs = 3, .batch = 32, .warmup = 10000, .eval_every = 100, .checkpoint_every = 500,
          .keep = 2, .micro_rows = 8192, .lr = 5e-5, .weight_decay = 0.01, .clip = 1,
          .mask_rate = 0.15, .id_weight = 0.2, .held_out = 0.02 };

static const struct opt opts[] = {
    OPT_STR("shards", &opt.shards, "DIR", "tokenised cells, as tokenize writes them"),
    OPT_LIST("knowledge", &opt.knowledge, "FILE", "outputs of knowledge-embed"),
    OPT_STR("config", &opt.config, "FILE", "shape of the model: config.json of a published model; "
                                           "vocab_size and knowledge_size come from the data"),
    OPT_STR("tables", &opt.tables, "DIR", "gene tables, copied beside the weights for embed"),
    OPT_FLAG("resume", &opt.resume, "go on from the newest checkpoint in --out, if there is one"),
    OPT_FLAG("restart-if-changed", &opt.restart_if_changed,
             "with --resume: a run of other options is removed and begun again"),
    OPT_I64("steps", &opt.steps, "N", "steps in all; 0: as many as --epochs need"),
    OPT_I64("epochs", &opt.epochs, "N", "passes over the training cells"),
    OPT_I64("batch", &opt.batch, "N", "cells of a step, over all ranks"),
    OPT_F64("lr", &opt.lr, "NUM", "largest learning rate"),
    OPT_I64("warmup", &opt.warmup, "N", "steps until it is reached"),
    OPT_F64("weight-decay", &opt.weight_decay, "NUM", "for all but biases and LayerNorms"),
    OPT_F64("clip", &opt.clip, "NUM", "largest gradient norm; 0: no clipping"),
    OPT_F64("mask-rate", &opt.mask_rate, "NUM", "share of genes that are hidden"),
    OPT_F64("id-weight", &opt.id_weight, "NUM", "weight of the gene loss; the value loss has the rest"),
    OPT_F64("held-out", &opt.held_out, "NUM", "share of cells that are never trained on"),
    OPT_I64("eval-every", &opt.eval_every, "N", "steps between evaluations on those; 0: never"),
    OPT_I64("checkpoint-every", &opt.checkpoint_every, "N", "steps between checkpoints"),
    OPT_I64("keep", &opt.keep, "N", "newest checkpoints to keep"),
    OPT_I64("micro-rows", &opt.micro_rows, "N", "rows computed at a time: memory. Part of the result"),
    OPT_END,
};

struct run {
    const struct tool_args *a;
    struct shard_set shards;
    struct vocab vocab;
    struct model model;
    struct trainer trainer;
    struct sampler sampler;
    struct train_baseline base;
    struct batch_cell *train, *held; /* [n_train], [n_held]; borrow from the shards */
    size_t n_train, n_held, n_present[N_KNOWLEDGE];
    bool has_knowledge[N_KNOWLEDGE];
    char *beside[8]; /* files copied beside each checkpoint */
    size_t n_beside;
    char fingerprint[SHA256_HEX];
    uint64_t steps;
    struct run_log log;
};

static volatile sig_atomic_t stop_asked;

static void ask_stop(int sig)
{
    (void)sig;
    stop_asked = 1;
}

static enum rc check_options(const struct tool_args *a, struct err *e)
{
    const struct {
        bool bad;
        const char *what;
    } rule[] = {
        { !opt.shards, "--shards is missing" },
        { !opt.config, "--config is missing" },
        { opt.batch < 1 || opt.batch > 1 << 20, "--batch is 1 to 1048576" },
        { opt.steps < 0 || opt.epochs < 0 || opt.warmup < 0, "--steps, --epochs and --warmup are not below 0" },
        { !opt.steps && !opt.epochs, "--steps or --epochs must be above 0" },
        { opt.checkpoint_every < 1 || opt.keep < 1, "--checkpoint-every and --keep are at least 1" },
        { opt.eval_every < 0, "--eval-every is not below 0" },
        { opt.micro_rows < 1, "--micro-rows is at least 1" },
        { !(opt.mask_rate > 0 && opt.mask_rate <= 1), "--mask-rate is within (0, 1]" },
        { !(opt.id_weight >= 0 && opt.id_weight <= 1), "--id-weight is within [0, 1]" },
        { !(opt.held_out >= 0 && opt.held_out < 1), "--held-out is within [0, 1)" },
        { !(opt.lr > 0) || !(opt.weight_decay >= 0) || !(opt.clip >= 0), "--lr is above 0, --weight-decay and --clip are not below 0" },
    };
    for (size_t i = 0; i < sizeof rule / sizeof *rule; i++)
        if (rule[i].bad)
            return err_set(e, RC_USAGE, "%s", rule[i].what);
    return tool_need_out(a, e);
}

static enum rc add_beside(struct run *r, const char *folder, const char *name, bool must,
                          struct err *e)
{
    char *plain = text_new("%s/%s", folder, name), *gz = text_new("%s/%s.gz", folder, name);
    if (!plain || !gz) {
        free(plain);
        free(gz);
        return err_set(e, RC_FAIL, "no memory for a path");
    }
    char **use = file_exists(plain) ? &plain : file_exists(gz) ? &gz : NULL;
    enum rc rc = use || !must ? RC_OK
                              : err_set(e, RC_INPUT, "'%s' has no '%s'", folder, name);
    if (use) {
        r->beside[r->n_beside++] = *use;
        *use = NULL;
    }
    free(plain);
    free(gz);
    return rc;
}

/* Every option and every input by its bytes: what must agree for a run to be the same run. */
static enum rc fingerprint(struct run *r, struct err *e)
{
    struct sha256 s;
    char hex[SHA256_HEX], text[512];
    enum rc rc = sha256_init(&s, e);
    if (rc)
        return rc;
    snprintf(text, sizeof text, "%s %llu %llu %lld %.17g %lld %.17g %.17g %.17g %.17g %.17g %lld",
             r->model.params.b->name, (unsigned long long)r->a->seed, (unsigned long long)r->steps,
             (long long)opt.batch, opt.lr, (long long)opt.warmup, opt.weight_decay, opt.clip,
             opt.mask_rate, opt.id_weight, opt.held_out, (long long)opt.micro_rows);
    rc = sha256_add(&s, text, strlen(text), e);
    const char *files[64] = { opt.config };
    int n = 1;
    for (size_t i = 0; i < r->n_beside; i++)
        files[n++] = r->beside[i];
    for (int i = 0; i < opt.knowledge.n && n < 64; i++)
        files[n++] = opt.knowledge.item[i];
    for (int i = 0; !rc && i < n; i++) {
        rc = sha256_file(files[i], hex, NULL, e);
        if (!rc)
            rc = sha256_add(&s, hex, strlen(hex), e);
    }
    for (size_t i = 0; !rc && i < r->shards.n_cells; i++) {
        const struct token_cell c = shard_set_cell(&r->shards, i);
        rc = sha256_add(&s, &c.cell_id, sizeof c.cell_id, e);
        if (!rc)
            rc = sha256_add(&s, c.token, c.n * sizeof *c.token, e);
        if (!rc)
            rc = sha256_add(&s, c.value, c.n * sizeof *c.value, e);
    }
    if (rc) {
        sha256_release(&s);
        return rc;
    }
    return sha256_end(&s, r->fingerprint, e);
}

/* Cells are held out by their id alone: the same ones whatever else is in the corpus. */
static enum rc split_cells(struct run *r, struct err *e)
{
    const size_t n = r->shards.n_cells;
    r->train = malloc((n + 1) * sizeof *r->train);
    r->held = malloc((n + 1) * sizeof *r->held);
    enum rc rc = train_baseline_init(&r->base, (uint32_t)r->vocab.n, e);
    if (!r->train || !r->held)
        rc = err_set(e, RC_FAIL, "no memory for %zu cells", n);
    for (size_t i = 0; !rc && i < n; i++) {
        const struct token_cell c = shard_set_cell(&r->shards, i);
        const struct batch_cell b = { c.cell_id, c.species, c.n, c.token, c.value };
        if (!c.n)
            continue;
        if (rng_unit(r->a->seed, RNG_SPLIT, c.cell_id, 0) < opt.held_out) {
            r->held[r->n_held++] = b;
            continue;
        }
        r->train[r->n_train++] = b;
        train_baseline_add(&r->base, &b, r->model.config.max_genes);
    }
    if (!rc)
        train_baseline_finish(&r->base);
    return rc ? rc : sampler_init(&r->sampler, r->a->seed, r->n_train, (size_t)opt.batch, e);
}

static enum rc make_model(struct run *r, struct err *e)
{
    struct model_config c;
    const char *why;
    const struct backend *b = backend_find(r->a->backend, &why);
    if (!b)
        return err_set(e, RC_SKIP, "no backend '%s': %s", r->a->backend, why);
    const size_t n = (size_t)opt.knowledge.n;
    struct knowledge_file *k = calloc(n + 1, sizeof *k);
    enum rc rc = k ? model_config_read(&c, opt.config, e) : err_set(e, RC_FAIL, "no memory");
    for (size_t i = 0; !rc && i < n; i++)
        rc = knowledge_file_read(&k[i], opt.knowledge.item[i], (uint32_t)r->vocab.n, e);
    if (!rc && c.n_tokens && c.n_tokens != r->vocab.n)
        rc = err_set(e, RC_INPUT, "'%s' is for %u tokens, the vocabulary has %zu", opt.config,
                     c.n_tokens, r->vocab.n);
    for (size_t i = 0; !rc && i < n; i++) {
        c.knowledge_dim = k[i].dim;
        r->has_knowledge[k[i].kind] = true;
        r->n_present[k[i].kind] = k[i].n_present;
    }
    if (!rc) {
        c.n_tokens = (uint32_t)r->vocab.n;
        rc = model_init(&r->model, &c, b, true, 0, e);
    }
    if (!rc)
        rc = knowledge_give(&r->model, k, n, e);
    if (!rc)
        homologs_give(&r->model, &r->vocab);
    for (size_t i = 0; k && i < n; i++)
        knowledge_file_release(&k[i]);
    free(k);
    return rc;
}

static enum rc open_run(struct run *r, struct err *e)
{
    char *vocab = text_new("%s/vocab.tsv", opt.shards);
    enum rc rc = vocab ? shard_set_open(&r->shards, opt.shards, e)
                       : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc)
        rc = vocab_read(vocab, &r->vocab, e);
    free(vocab);
    if (!rc)
        rc = add_beside(r, opt.shards, "vocab.tsv", true, e);
    if (!rc)
        rc = add_beside(r, opt.shards, "medians.tsv", true, e);
    if (!rc && opt.tables)
        rc = add_beside(r, opt.tables, "genes.tsv", true, e);
    if (!rc && opt.tables)
        rc = add_beside(r, opt.tables, "aliases.tsv", false, e);
    if (!rc)
        rc = make_model(r, e);
    if (!rc)
        rc = split_cells(r, e);
    if (rc)
        return rc;
    r->steps = opt.steps ? (uint64_t)opt.steps
                         : (uint64_t)opt.epochs * r->sampler.steps_per_epoch;
    const struct train_options o = {
        .optim = { opt.lr, opt.weight_decay, opt.clip,
                   (uint64_t)opt.warmup < r->steps ? (uint64_t)opt.warmup : r->steps, r->steps },
        .mask_rate = opt.mask_rate, .mask_share = 0.8, .random_share = 0.1,
        .id_weight = opt.id_weight, .value_weight = 1 - opt.id_weight, .dropout = true,
        .seed = r->a->seed, .micro_rows = (size_t)opt.micro_rows,
    };
    trainer_init(&r->trainer, &r->model, &o);
    return fingerprint(r, e);
}

static void close_run(struct run *r)
{
    run_log_close(&r->log, NULL);
    trainer_release(&r->trainer);
    sampler_release(&r->sampler);
    train_baseline_release(&r->base);
    model_release(&r->model);
    vocab_release(&r->vocab);
    shard_set_close(&r->shards);
    free(r->train);
    free(r->held);
    for (size_t i = 0; i < r->n_beside; i++)
        free(r->beside[i]);
}

static enum rc save(struct run *r, uint64_t step, struct err *e)
{
    enum rc rc = checkpoint_save(&r->model, r->a->out, step, r->fingerprint, r->beside,
                                 r->n_beside, e);
    return rc ? rc : checkpoint_prune(r->a->out, (size_t)opt.keep, e);
}

static enum rc evaluate(struct run *r, uint64_t step, struct err *e)
{
    struct train_eval v;
    if (!r->n_held)
        return RC_OK;
    enum rc rc = trainer_evaluate(&r->trainer, r->held, r->n_held, &r->base, &v, e);
    if (rc)
        return rc;
    if (step == 0 || !opt.eval_every) {
        char *path = text_new("%s/baselines.json", r->a->out);
        rc = path ? json_write(path, json_pack("{s:f, s:f, s:f, s:i, s:i, s:s}", "id_loss",
                                               v.base_id_loss, "value_loss", v.base_value_loss,
                                               "accuracy", v.base_accuracy, "cells",
                                               (int)v.n_cells, "masked", (int)v.n_masked, "what",
                                               "gene by its share in the training cells, value by "
                                               "its mean there"), e)
                  : err_set(e, RC_FAIL, "no memory for a path");
        free(path);
    }
    return rc ? rc : run_log_eval(&r->log, step, &v, e);
}

/* From the newest checkpoint or from first weights; *step is where to go on. */
static enum rc begin(struct run *r, uint64_t *step, struct err *e)
{
    enum rc rc = folder_make(r->a->out, e);
    uint64_t newest = UINT64_MAX;
    if (!rc)
        rc = checkpoint_newest(r->a->out, &newest, e);
    if (rc)
        return rc;
    if (newest != UINT64_MAX && !opt.resume)
        return err_set(e, RC_USAGE, "'%s' holds a run already (step %llu); give --resume or another "
                       "--out", r->a->out, (unsigned long long)newest);
    *step = 0;
    if (newest != UINT64_MAX) {
        rc = checkpoint_load(&r->model, r->a->out, newest, r->fingerprint, e);
        if (rc == RC_INPUT && opt.restart_if_changed) {
            log_warn("%s; begun again", e->text);
            err_clear(e);
            rc = checkpoint_prune(r->a->out, 0, e);
            newest = UINT64_MAX;
        }
    }
    if (!rc && newest != UINT64_MAX) {
        *step = newest;
        log_say("goes on at step %llu of %llu", (unsigned long long)newest,
                (unsigned long long)r->steps);
        return run_log_open(&r->log, r->a->out, newest, e);
    }
    if (!rc) {
        model_randomise(&r->model, r->a->seed);
        rc = run_log_open(&r->log, r->a->out, UINT64_MAX, e);
    }
    return rc ? rc : evaluate(r, 0, e);
}

static enum rc one_step(struct run *r, uint64_t step, struct train_result *t, struct err *e)
{
    const uint32_t *index;
    uint64_t epoch;
    const size_t n = sampler_step(&r->sampler, step, &index, &epoch);
    struct batch_cell *cell = malloc(n * sizeof *cell);
    if (!cell)
        return err_set(e, RC_FAIL, "no memory for %zu cells", n);
    for (size_t i = 0; i < n; i++)
        cell[i] = r->train[index[i]];
    const double start = clock_s();
    enum rc rc = trainer_step(&r->trainer, cell, n, step, epoch, t, e);
    free(cell);
    return rc ? rc : run_log_step(&r->log, step + 1, t, clock_s() - start, e);
}

static enum rc loop(struct run *r, uint64_t from, struct err *e)
{
    struct progress p;
    enum rc rc = RC_OK;
    progress_start(&p, "steps", (size_t)(r->steps - from));
    for (uint64_t step = from; !rc && step < r->steps; step++) {
        struct train_result t;
        rc = one_step(r, step, &t, e);
        const uint64_t done = step + 1;
        if (!rc && opt.eval_every &&
            (done % (uint64_t)opt.eval_every == 0 || done == r->steps))
            rc = evaluate(r, done, e);
        const bool last = done == r->steps;
        if (!rc && (last || stop_asked || done % (uint64_t)opt.checkpoint_every == 0))
            rc = save(r, done, e);
        if (!rc && stop_asked && !last)
            rc = err_set(e, RC_FAIL, "stopped at step %llu of %llu; --resume goes on",
                         (unsigned long long)done, (unsigned long long)r->steps);
        snprintf(p.note, sizeof p.note, "gene loss %.3f, value loss %.3f", t.id_loss,
                 t.value_loss);
        progress_at(&p, (size_t)(done - from));
    }
    if (!rc)
        progress_end(&p);
    return rc;
}

static enum rc report(const struct run *r, struct err *e)
{
    if (!r->a->report)
        return RC_OK;
    const struct model_config *c = &r->model.config;
    json_t *k = json_object();
    for (int i = 0; i < N_KNOWLEDGE; i++)
        if (c->use_knowledge[i])
            json_object_set_new(k, knowledge_name[i],
                                json_pack("{s:b, s:I}", "given", r->has_knowledge[i], "present",
                                          (json_int_t)r->n_present[i]));
    return json_write(r->a->report,
                      json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:i, s:i, s:i, s:i, s:i, s:o}",
                                "backend", r->model.params.b->name, "parameters",
                                (json_int_t)model_n_parameters(&r->model), "steps",
                                (json_int_t)r->steps, "train_cells", (json_int_t)r->n_train,
                                "held_out_cells", (json_int_t)r->n_held, "tokens",
                                (json_int_t)r->vocab.n, "layers", (int)c->n_layers, "heads",
                                (int)c->n_heads, "width", (int)c->d, "feed_forward",
                                (int)c->ffn, "max_genes", (int)c->max_genes, "knowledge", k),
                      e);
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    struct run r = { .a = a };
    uint64_t from = 0;
    enum rc rc = check_options(a, e);
    if (rc)
        return rc;
    rc = open_run(&r, e);
    if (!rc) {
        log_say("%zu cells to learn from, %zu held out; %zu parameters; %llu steps on %s",
                r.n_train, r.n_held, model_n_parameters(&r.model), (unsigned long long)r.steps,
                r.model.params.b->name);
        signal(SIGINT, ask_stop);
        signal(SIGTERM, ask_stop);
        rc = begin(&r, &from, e);
    }
    if (!rc)
        rc = loop(&r, from, e);
    if (!rc)
        rc = run_log_close(&r.log, e);
    if (!rc)
        rc = report(&r, e);
    close_run(&r);
    free(opt.knowledge.item);
    return rc;
}

int main(int argc, char **argv)
{
    static const struct tool tool = {
        "pretrain", "", "Learns hidden genes and their values from tokenised cells",
        "The model of the GeneCompass paper: 15 % of each cell's genes are hidden, the model says\n"
        "which gene and which value stood there. --out is a folder; step-N/ in it holds a model\n"
        "that embed and other tools take, log.jsonl the losses of every step.\n\n"
        "  pretrain --shards results/demo/tokenize --config model.json \\\n"
        "           --knowledge grn.safetensors --steps 1000 --out run\n\n"
        "Ctrl-C writes a checkpoint first; the same call with --resume goes on to the same bytes.",
        opts, 0, 0
    };
    return tool_main(&tool, run, argc, argv);
}
