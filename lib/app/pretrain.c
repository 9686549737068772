#include "lib/app/pretrain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/app/checkpoint.h"
#include "lib/app/model_file.h"
#include "lib/base/file.h"
#include "lib/io/json.h"
#include "lib/io/tables.h"

struct pretrain_options pretrain_defaults(void)
{
    return (struct pretrain_options){ .backend = "auto",
                                      .dtype = "f32",
                                      .epochs = 3,
                                      .batch = 32,
                                      .warmup = 10000,
                                      .eval_every = 100,
                                      .checkpoint_every = 500,
                                      .keep = 2,
                                      .micro_rows = 8192,
                                      .lr = 5e-5,
                                      .weight_decay = 0.01,
                                      .clip = 1,
                                      .mask_rate = 0.15,
                                      .id_weight = 0.2,
                                      .held_out = 0.02,
                                      .species = "both",
                                      .sampler = "shuffle",
                                      .lengths = "true",
                                      .device_batch = 10,
                                      .eval_cells = 4096 };
}

enum rc pretrain_check(const struct pretrain_options *o, struct err *e)
{
    const struct {
        bool bad;
        const char *what;
    } rule[] = {
        { !o->shards, "--shards is missing" },
        { !o->config, "--config is missing" },
        { !o->out, "--out is missing" },
        { o->batch < 1 || o->batch > 1 << 20, "--batch is 1 to 1048576" },
        { o->steps < 0 || o->epochs < 0 || o->warmup < 0,
          "--steps, --epochs and --warmup are not below 0" },
        { !o->steps && !o->epochs, "--steps or --epochs must be above 0" },
        { o->checkpoint_every < 1 || o->keep < 1, "--checkpoint-every and --keep are at least 1" },
        { o->cells < 0 || o->eval_cells < 0 || o->device_batch < 1,
          "--cells and --eval-cells are not below 0, --device-batch is at least 1" },
        { o->eval_every < 0, "--eval-every is not below 0" },
        { o->micro_rows < 1, "--micro-rows is at least 1" },
        { !(o->mask_rate > 0 && o->mask_rate <= 1), "--mask-rate is within (0, 1]" },
        { !(o->id_weight >= 0 && o->id_weight <= 1), "--id-weight is within [0, 1]" },
        { !(o->held_out >= 0 && o->held_out < 1), "--held-out is within [0, 1)" },
        { !(o->lr > 0) || !(o->weight_decay >= 0) || !(o->clip >= 0),
          "--lr is above 0, --weight-decay and --clip are not below 0" },
    };
    for (size_t i = 0; i < sizeof rule / sizeof *rule; i++)
        if (rule[i].bad)
            return err_set(e, RC_USAGE, "%s", rule[i].what);
    return RC_OK;
}

static enum rc add_beside(struct pretrain *p, const char *folder, const char *name, bool must,
                          struct err *e)
{
    char **path = &p->beside[p->n_beside];
    const enum rc rc = model_table_path(folder, name, must, path, e);
    p->n_beside += *path != NULL;
    return rc;
}

/* Options that change what is computed, in words. */
static void options_text(const struct pretrain *p, char *text, size_t n)
{
    const struct pretrain_options *o = p->o;
    const struct model_config *c = &p->model.config;
    const int at = snprintf(
        text, n, "%d%d%d%d %d %s %lld %lld %s %s %lld ", c->use_knowledge[0], c->use_knowledge[1],
        c->use_knowledge[2], c->use_knowledge[3], c->use_values, o->species, (long long)o->cells,
        (long long)o->eval_cells, o->sampler, o->lengths, (long long)o->device_batch);
    text += at;
    n -= (size_t)at;
    snprintf(text, n, "%s %llu %llu %lld %.17g %lld %.17g %.17g %.17g %.17g %.17g %lld%s",
             checkpoint_rounding(p->model.params.b->name), (unsigned long long)o->seed, (unsigned long long)p->steps,
             (long long)o->batch, o->lr, (long long)o->warmup, o->weight_decay, o->clip,
             o->mask_rate, o->id_weight, o->held_out, (long long)o->micro_rows,
             o->shuffle_knowledge ? " shuffled" : "");
}

/* A stage's manifest has the sums of all its shards: then nobody need read a corpus through for
 * them. */
static enum rc add_cells(const struct pretrain *p, struct sha256 *sum, struct err *e)
{
    const struct shard_set *s = &p->shards;
    char hex[SHA256_HEX], *path = text_new("%s/MANIFEST.tsv", p->o->shards);
    enum rc rc = path ? RC_OK : err_set(e, RC_FAIL, "no memory for a path");
    const bool closed = path && file_exists(path);
    if (closed)
        rc = sha256_file(path, hex, NULL, e);
    if (closed && !rc)
        rc = sha256_add(sum, hex, strlen(hex), e);
    free(path);
    if (closed)
        return rc;
    for (size_t i = 0; !rc && i < s->n_cells; i++) {
        const struct token_cell c = shard_set_cell(s, i);
        rc = sha256_add(sum, &c.cell_id, sizeof c.cell_id, e);
        if (!rc)
            rc = sha256_add(sum, c.token, c.n * sizeof *c.token, e);
        if (!rc)
            rc = sha256_add(sum, c.value, c.n * sizeof *c.value, e);
    }
    return rc;
}

/* Every option and every input by its bytes: what must agree for a run to be the same run. */
enum rc pretrain_fingerprint(struct pretrain *p, struct err *e)
{
    struct sha256 s;
    char hex[SHA256_HEX], text[512];
    enum rc rc = sha256_init(&s, e);
    if (rc)
        return rc;
    options_text(p, text, sizeof text);
    rc = sha256_add(&s, text, strlen(text), e);
    const size_t n = 1 + p->n_beside + p->o->n_knowledge;
    for (size_t i = 0; !rc && i < n; i++) {
        const char *file = i == 0             ? p->o->config
                           : i <= p->n_beside ? p->beside[i - 1]
                                              : p->o->knowledge[i - 1 - p->n_beside];
        rc = sha256_file(file, hex, NULL, e);
        if (!rc)
            rc = sha256_add(&s, hex, strlen(hex), e);
    }
    if (!rc)
        rc = add_cells(p, &s, e);
    if (rc) {
        sha256_release(&s);
        return rc;
    }
    return sha256_end(&s, p->fingerprint, e);
}

/* The files that embed wants beside a model. */
static enum rc find_beside(struct pretrain *p, struct err *e)
{
    const struct pretrain_options *o = p->o;
    enum rc rc = add_beside(p, o->shards, "vocab.tsv", true, e);
    if (!rc)
        rc = add_beside(p, o->shards, "medians.tsv", true, e);
    if (!rc && o->tables)
        rc = add_beside(p, o->tables, "genes.tsv", true, e);
    if (!rc && o->tables)
        rc = add_beside(p, o->tables, "aliases.tsv", false, e);
    return rc;
}

static void make_trainer(struct pretrain *p)
{
    const struct pretrain_options *o = p->o;
    p->steps = o->steps ? (uint64_t)o->steps : (uint64_t)o->epochs * p->sampler.steps_per_epoch;
    /* Without values in the model the loss is that of genes alone (spec/03 section 5). */
    const double id_weight = p->model.config.use_values ? o->id_weight : 1;
    const uint64_t warmup = (uint64_t)o->warmup < p->steps ? (uint64_t)o->warmup : p->steps;
    trainer_init(
        &p->trainer, &p->model,
        &(struct train_options){ .optim = { o->lr, o->weight_decay, o->clip, warmup, p->steps },
                                 .mask_rate = o->mask_rate,
                                 .mask_share = 0.8,
                                 .random_share = 0.1,
                                 .id_weight = id_weight,
                                 .value_weight = 1 - id_weight,
                                 .dropout = true,
                                 .seed = o->seed,
                                 .micro_rows = (size_t)o->micro_rows });
}

/* All ranks must see the same options and inputs. */
static enum rc compare_ranks(struct pretrain *p, struct err *e)
{
    char of_first[SHA256_HEX];
    memcpy(of_first, p->fingerprint, sizeof of_first);
    enum rc rc = dist_bcast(p->dist, of_first, sizeof of_first, e);
    if (rc)
        return rc;
    if (memcmp(of_first, p->fingerprint, sizeof of_first) != 0)
        rc = err_set(e, RC_INPUT, "its options or inputs are not those of rank 0");
    return dist_agree(p->dist, rc, e);
}

static enum rc open_own(struct pretrain *p, struct err *e)
{
    const struct pretrain_options *o = p->o;
    char *vocab = text_new("%s/vocab.tsv", o->shards);
    enum rc rc = vocab ? shard_set_open(&p->shards, o->shards, e)
                       : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc)
        rc = vocab_read(vocab, &p->vocab, e);
    free(vocab);
    if (!rc)
        rc = find_beside(p, e);
    if (!rc)
        rc = pretrain_model(p, e);
    if (!rc)
        rc = pretrain_cells(p, e);
    if (rc)
        return rc;
    make_trainer(p);
    return pretrain_fingerprint(p, e);
}

enum rc pretrain_open(struct pretrain *p, const struct pretrain_options *o, struct dist *d,
                      struct err *e)
{
    *p = (struct pretrain){ .o = o, .dist = d, .lock = -1 };
    enum rc rc = dist_agree(d, open_own(p, e), e);
    if (rc)
        return rc;
    trainer_share(&p->trainer, d);
    rc = compare_ranks(p, e);
    return rc ? rc : trainer_connect(&p->trainer, o->shard_optimizer, e);
}

void pretrain_close(struct pretrain *p)
{
    loader_close(&p->loader);
    run_log_close(&p->log, NULL);
    trainer_release(&p->trainer);
    sampler_release(&p->sampler);
    baseline_release(&p->base);
    model_release(&p->model);
    vocab_release(&p->vocab);
    shard_set_close(&p->shards);
    free(p->train);
    free(p->held);
    for (size_t i = 0; i < p->n_beside; i++)
        free(p->beside[i]);
    if (p->lock >= 0)
        close(p->lock);
    *p = (struct pretrain){ .lock = -1 };
}

static json_t *knowledge_json(const struct pretrain *p)
{
    json_t *k = json_object();
    for (int i = 0; i < N_KNOWLEDGE; i++)
        if (p->model.config.use_knowledge[i])
            json_object_set_new(k, knowledge_name[i],
                                json_pack("{s:b, s:I}", "given", p->has_knowledge[i], "present",
                                          (json_int_t)p->n_present[i]));
    return k;
}

enum rc pretrain_report(const struct pretrain *p, const char *path, struct err *e)
{
    const struct model_config *c = &p->model.config;
    json_t *j = json_pack(
        "{s:s, s:I, s:I, s:I, s:I, s:I, s:i, s:i, s:i, s:i, s:i, s:o}", "backend",
        p->model.params.b->name, "parameters", (json_int_t)model_n_parameters(&p->model), "steps",
        (json_int_t)p->steps, "train_cells", (json_int_t)p->n_train, "held_out_cells",
        (json_int_t)p->n_held, "tokens", (json_int_t)p->vocab.n, "layers", (int)c->n_layers,
        "heads", (int)c->n_heads, "width", (int)c->d, "feed_forward", (int)c->ffn, "max_genes",
        (int)c->max_genes, "knowledge", knowledge_json(p));
    json_t *more = json_pack("{s:b, s:s, s:s, s:f, s:f}", "values", c->use_values, "species",
                             p->o->species, "sampler", p->o->sampler, "entropy", p->base.entropy,
                             "value_variance", p->base.value_variance);
    if (j && json_object_update(j, more)) {
        json_decref(j);
        j = NULL;
    }
    json_decref(more);
    return json_write(path, j, e);
}
