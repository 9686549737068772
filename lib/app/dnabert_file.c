#include "lib/app/dnabert_file.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/data/kmer.h"
#include "lib/io/json.h"
#include "lib/io/safetensors.h"

/* Numbers of config.json; the first that is not one is told. */
struct taker {
    const json_t *o;
    struct err *e;
    enum rc rc;
};

static double number(struct taker *t, const char *key, double otherwise)
{
    const json_t *v = json_object_get(t->o, key);
    if (!v && otherwise >= 0)
        return otherwise;
    const double x = json_number_value(v);
    if (json_is_number(v) && x >= 0 && x < 1e9)
        return x;
    if (!t->rc)
        t->rc = err_set(t->e, RC_INPUT, "'%s' is not a number", key);
    return 0;
}

static enum rc take_config(struct dnabert_config *c, const json_t *o, char *label, struct err *e)
{
    struct taker t = { o, e, RC_OK };
    const char *act = json_string_value(json_object_get(o, "hidden_act"));
    const char *says = json_string_value(json_object_get(o, "genecompass_label"));
    *c = dnabert_config_base();
    c->n_layers = (uint32_t)number(&t, "num_hidden_layers", -1);
    c->n_heads = (uint32_t)number(&t, "num_attention_heads", -1);
    c->d = (uint32_t)number(&t, "hidden_size", -1);
    c->ffn = (uint32_t)number(&t, "intermediate_size", -1);
    c->max_positions = (uint32_t)number(&t, "max_position_embeddings", -1);
    c->n_tokens = (uint32_t)number(&t, "vocab_size", -1);
    c->type_vocab = (uint32_t)number(&t, "type_vocab_size", 2);
    c->norm_eps = number(&t, "layer_norm_eps", 1e-12);
    c->dropout = number(&t, "hidden_dropout_prob", 0.1);
    for (c->k = 1; c->k < KMER_MAX && kmer_n_tokens(c->k) != c->n_tokens;)
        c->k++;
    snprintf(label, DNABERT_LABEL, "%s", says ? says : "");
    if (!t.rc && act && strcmp(act, "gelu") != 0)
        return err_set(e, RC_INPUT, "'hidden_act' is not \"gelu\", the only one known here");
    return t.rc;
}

static enum rc read_config(struct dnabert_config *c, const char *path, char *label, struct err *e)
{
    char *text;
    size_t n;
    json_error_t je;
    enum rc rc = file_read(path, 1 << 20, &text, &n, e);
    if (rc)
        return rc;
    json_t *o = json_loadb(text, n, JSON_REJECT_DUPLICATES, &je);
    free(text);
    if (!json_is_object(o))
        rc = err_set(e, RC_INPUT, "no JSON object: line %d: %s", je.line, je.text);
    if (!rc)
        rc = take_config(c, o, label, e);
    json_decref(o);
    return rc ? (err_wrap(e, "'%s'", path), rc) : RC_OK;
}

static enum rc take_param(struct dnabert *m, const struct param *p, const struct st_file *f,
                          struct err *e)
{
    const struct st_tensor *s = st_find(f, p->name);
    if (!s)
        return err_set(e, RC_INPUT, "no tensor '%s'", p->name);
    const uint64_t rows = s->n_dims == 2 ? s->dim[0] : 1,
                   cols = s->n_dims ? s->dim[s->n_dims - 1] : 1;
    if (s->n_dims != p->n_dims || rows != p->rows || cols != p->cols)
        return err_set(e, RC_INPUT, "tensor '%s' is not %zu x %zu", p->name, p->rows, p->cols);
    double *x = malloc((s->n_items + 1) * sizeof *x);
    if (!x)
        return err_set(e, RC_FAIL, "no memory for '%s'", p->name);
    enum rc rc = st_get_f64(s, x, e);
    if (!rc)
        reals_from_f64(m->params.b, p->t.x, x, s->n_items);
    free(x);
    return rc;
}

/* What HF stores beside parameters, or ties. */
static bool is_extra(const char *name)
{
    static const char *const known[] = {
        "bert.embeddings.position_ids", "cls.predictions.decoder.weight",
        "cls.predictions.decoder.bias", "cls.seq_relationship.weight",
        "cls.seq_relationship.bias",    NULL
    };
    for (int i = 0; known[i]; i++)
        if (strcmp(known[i], name) == 0)
            return true;
    return strncmp(name, "classifier.", 11) == 0;
}

static enum rc take_all(struct dnabert *m, const struct st_file *f, struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < m->params.n; i++)
        rc = take_param(m, &m->params.item[i], f, e);
    for (size_t i = 0; !rc && i < f->n; i++)
        if (!params_find(&m->params, f->tensor[i].name) && !is_extra(f->tensor[i].name))
            rc = err_set(e, RC_INPUT, "tensor '%s', which this model has not", f->tensor[i].name);
    return rc;
}

static bool is_shape(const struct st_file *f, const char *name, uint32_t rows, uint32_t cols)
{
    const struct st_tensor *s = st_find(f, name);
    return s && s->n_dims == 2 && s->dim[0] == rows && s->dim[1] == cols;
}

/* Before memory is taken: a configuration of other sizes than the file's tensors. */
static enum rc check_sizes(const struct dnabert_config *c, const struct st_file *f, struct err *e)
{
    bool same = is_shape(f, "bert.embeddings.word_embeddings.weight", c->n_tokens, c->d) &&
                is_shape(f, "bert.embeddings.position_embeddings.weight", c->max_positions, c->d) &&
                is_shape(f, "bert.embeddings.token_type_embeddings.weight", c->type_vocab, c->d);
    for (unsigned l = 0; same && l < c->n_layers; l++) {
        char name[96];
        snprintf(name, sizeof name, "bert.encoder.layer.%u.intermediate.dense.weight", l);
        same = is_shape(f, name, c->ffn, c->d);
    }
    return same ? RC_OK
                : err_set(e, RC_INPUT, "the tensors are not of the sizes that config.json tells");
}

enum rc dnabert_load(struct dnabert *m, const char *folder, const struct backend *b, bool training,
                     char *label, struct err *e)
{
    struct dnabert_config c;
    struct st_file f = { 0 };
    char *path[2] = { text_new("%s/config.json", folder),
                      text_new("%s/model.safetensors", folder) };
    *m = (struct dnabert){ 0 };
    enum rc rc = path[0] && path[1] ? read_config(&c, path[0], label, e)
                                    : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc)
        rc = st_open(&f, path[1], e);
    if (!rc) {
        c.lstm = st_find(&f, "rnn.weight_ih_l0") != NULL;
        rc = check_sizes(&c, &f, e);
        if (!rc)
            rc = dnabert_init(m, &c, b, training, e);
        if (!rc)
            rc = take_all(m, &f, e);
        if (rc)
            err_wrap(e, "'%s'", path[1]);
    }
    if (rc)
        dnabert_release(m);
    st_close(&f);
    free(path[0]);
    free(path[1]);
    return rc;
}

static enum rc write_config(const struct dnabert_config *c, const char *path, const char *label,
                            struct err *e)
{
    json_t *o = json_pack(
        "{s:[s], s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:i}", "architectures",
        "BertForMaskedLM", "hidden_act", "gelu", "vocab_size", (json_int_t)c->n_tokens,
        "hidden_size", (json_int_t)c->d, "num_hidden_layers", (json_int_t)c->n_layers,
        "num_attention_heads", (json_int_t)c->n_heads, "intermediate_size", (json_int_t)c->ffn,
        "max_position_embeddings", (json_int_t)c->max_positions, "type_vocab_size",
        (json_int_t)c->type_vocab, "layer_norm_eps", c->norm_eps, "hidden_dropout_prob", c->dropout,
        "attention_probs_dropout_prob", c->dropout, "kmer", c->k);
    if (o && label && *label)
        json_object_set_new(o, "genecompass_label", json_string(label));
    return json_write(path, o, e);
}

static enum rc write_weights(const struct dnabert *m, const char *path, struct err *e)
{
    static const char *const meta[][2] = { { "format", "pt" } };
    const struct params *p = &m->params;
    struct st_tensor *t = calloc(p->n + 1, sizeof *t);
    float *all = malloc((p->n_items + 1) * sizeof *all);
    enum rc rc = t && all ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu weights", p->n_items);
    for (size_t i = 0; !rc && i < p->n; i++) {
        const struct param *q = &p->item[i];
        reals_to_f32(p->b, all + q->begin, q->t.x, q->rows * q->cols);
        t[i] = (struct st_tensor){ .name = (char *)(uintptr_t)q->name,
                                   .type = ST_F32,
                                   .n_dims = q->n_dims,
                                   .dim = { q->n_dims == 2 ? q->rows : q->cols, q->cols },
                                   .data = all + q->begin };
    }
    if (!rc)
        rc = st_write(path, t, p->n, meta, 1, e);
    free(t);
    free(all);
    return rc;
}

enum rc dnabert_save(const struct dnabert *m, const char *folder, const char *label, struct err *e)
{
    char *path[2] = { text_new("%s/config.json", folder),
                      text_new("%s/model.safetensors", folder) };
    enum rc rc = path[0] && path[1] ? write_config(&m->config, path[0], label, e)
                                    : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc)
        rc = write_weights(m, path[1], e);
    free(path[0]);
    free(path[1]);
    return rc;
}
