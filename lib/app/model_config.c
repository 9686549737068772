#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/model_file.h"
#include "lib/base/file.h"

static const char *const use_name[N_KNOWLEDGE] = { "use_promoter", "use_co_exp", "use_gene_family",
                                                   "use_peca_grn" };

/* Takes fields of one JSON object; remembers the first trouble. */
struct taker {
    const json_t *o;
    const char *path;
    struct err *e;
    enum rc rc;
};

static uint32_t take_count(struct taker *t, const char *key, int64_t otherwise)
{
    const json_t *v = json_object_get(t->o, key);
    if (!v && otherwise >= 0)
        return (uint32_t)otherwise;
    if (json_is_integer(v) && json_integer_value(v) > 0 && json_integer_value(v) <= UINT32_MAX)
        return (uint32_t)json_integer_value(v);
    if (!t->rc)
        t->rc = err_set(t->e, RC_INPUT, "'%s': '%s' is not a count", t->path, key);
    return 0;
}

static double take_number(struct taker *t, const char *key, double otherwise)
{
    const json_t *v = json_object_get(t->o, key);
    if (json_is_number(v))
        return json_number_value(v);
    if (v && !t->rc)
        t->rc = err_set(t->e, RC_INPUT, "'%s': '%s' is not a number", t->path, key);
    return otherwise;
}

static bool take_flag(struct taker *t, const char *key, bool otherwise)
{
    const json_t *v = json_object_get(t->o, key);
    if (json_is_boolean(v))
        return json_is_true(v);
    if (v && !t->rc)
        t->rc = err_set(t->e, RC_INPUT, "'%s': '%s' is not true or false", t->path, key);
    return otherwise;
}

static void want_text(struct taker *t, const char *key, const char *only)
{
    const json_t *v = json_object_get(t->o, key);
    if (v && !(json_is_string(v) && strcmp(json_string_value(v), only) == 0) && !t->rc)
        t->rc = err_set(t->e, RC_INPUT, "'%s': '%s' is not \"%s\", the only one known here",
                        t->path, key, only);
}

enum rc model_config_read(struct model_config *c, const char *path, struct err *e)
{
    char *text;
    size_t n;
    if (file_read(path, 1 << 20, &text, &n, e))
        return e ? e->rc : RC_INPUT;
    json_error_t je;
    json_t *o = json_loadb(text, n, JSON_REJECT_DUPLICATES, &je);
    free(text);
    if (!json_is_object(o)) {
        json_decref(o);
        return err_set(e, RC_INPUT, "'%s' is no JSON object: line %d: %s", path, je.line, je.text);
    }
    struct taker t = { o, path, e, RC_OK };
    *c = (struct model_config){ 0 };
    c->n_layers = take_count(&t, "num_hidden_layers", -1);
    c->n_heads = take_count(&t, "num_attention_heads", -1);
    c->d = take_count(&t, "hidden_size", -1);
    c->ffn = take_count(&t, "intermediate_size", -1);
    c->max_genes = take_count(&t, "max_position_embeddings", -1);
    c->n_tokens = take_count(&t, "vocab_size", 0); /* 0: a template, the vocabulary says it */
    c->knowledge_dim = take_count(&t, "knowledge_size", 768);
    c->type_vocab = take_count(&t, "type_vocab_size", 2);
    c->norm_eps = take_number(&t, "layer_norm_eps", 1e-12);
    c->hidden_dropout = take_number(&t, "hidden_dropout_prob", 0.02);
    c->attention_dropout = take_number(&t, "attention_probs_dropout_prob", 0.02);
    c->init_sd = take_number(&t, "initializer_range", 0.02);
    c->use_values = take_flag(&t, "use_values", true);
    for (int k = 0; k < N_KNOWLEDGE; k++)
        c->use_knowledge[k] = take_flag(&t, use_name[k], true);
    want_text(&t, "hidden_act", "gelu");
    want_text(&t, "position_embedding_type", "absolute");
    if (!take_flag(&t, "use_cls_token", true) && !t.rc)
        t.rc = err_set(e, RC_INPUT, "'%s': models without a species token are not known here",
                       path);
    if (!t.rc && c->n_tokens && model_config_check(c, e))
        t.rc = err_wrap(e, "'%s'", path);
    json_decref(o);
    return t.rc;
}

enum rc model_config_write(const struct model_config *c, const char *path, struct err *e)
{
    json_t *o = json_pack(
        "{s:[s], s:f, s:s, s:f, s:i, s:f, s:i, s:i, s:f, s:i, s:s, s:i, s:i, s:i, s:s, s:s, s:i, "
        "s:b, s:b, s:i}",
        "architectures", "BertForMaskedLM", "attention_probs_dropout_prob", c->attention_dropout,
        "hidden_act", "gelu", "hidden_dropout_prob", c->hidden_dropout, "hidden_size", (int)c->d,
        "initializer_range", c->init_sd, "intermediate_size", (int)c->ffn, "knowledge_size",
        (int)c->knowledge_dim, "layer_norm_eps", c->norm_eps, "max_position_embeddings",
        (int)c->max_genes, "model_type", "bert", "num_attention_heads", (int)c->n_heads,
        "num_hidden_layers", (int)c->n_layers, "pad_token_id", 0, "position_embedding_type",
        "absolute", "torch_dtype", "float32", "type_vocab_size", (int)c->type_vocab,
        "use_cls_token", 1, "use_values", c->use_values, "vocab_size", (int)c->n_tokens);
    for (int k = 0; o && k < N_KNOWLEDGE; k++)
        json_object_set_new(o, use_name[k], json_boolean(c->use_knowledge[k]));
    char *text = o ? json_dumps(o, JSON_INDENT(2) | JSON_SORT_KEYS) : NULL;
    json_decref(o);
    if (!text)
        return err_set(e, RC_FAIL, "no memory for '%s'", path);
    struct outfile f;
    enum rc rc = outfile_open(&f, path, e);
    if (!rc) {
        fprintf(f.f, "%s\n", text);
        rc = outfile_commit(&f, e);
    }
    free(text);
    return rc;
}
