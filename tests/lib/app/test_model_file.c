/* Model folders in the authors' form: both vocabularies, the size of Small, half
 * precision, the value encoders of an older class, and what is refused by a tensor's name. */
#include "lib/app/model_file.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/io/weights.h"
#include "tests/tap.h"

static char dir[] = "/tmp/gc-model-XXXXXX";
static const struct backend *ref;

/* The authors' class of Small with a width of its own; values of the encoder as wanted. */
static struct model_config tiny(uint32_t n_tokens, enum value_encoder values)
{
    struct model_config c = model_config_base(n_tokens);
    c.n_layers = 1;
    c.n_heads = 2;
    c.d = 8;
    c.ffn = 16;
    c.max_genes = 16;
    c.knowledge_dim = 5;
    c.value_encoder = values;
    return c;
}

static bool make(struct model *m, const struct model_config *c)
{
    struct err e = { 0 };
    if (!ok(!model_init(m, c, ref, false, 0, &e), "a model of %u tokens is made%s", c->n_tokens,
            e.text))
        return false;
    model_randomise(m, 7);
    const size_t n = (size_t)c->n_tokens * c->knowledge_dim;
    for (int k = 0; k < N_KNOWLEDGE; k++) {
        m->tables.knowledge[k] = c->use_knowledge[k] ? malloc(n * sizeof(float)) : NULL;
        for (size_t i = 0; m->tables.knowledge[k] && i < n; i++)
            m->tables.knowledge[k][i] = (float)((i + (size_t)k) % 17) / 16 - 0.5f;
    }
    m->tables.homolog[2] = c->n_tokens - 1;
    for (size_t i = 0; i < m->params.n; i++) { /* no bias is 0, no norm is 1 */
        struct param *p = &m->params.item[i];
        double *x = p->t.x;
        for (size_t k = 0; k < p->cols && p->rows == 1; k++)
            x[k] += (float)(k % 5) / 32;
        for (size_t k = 0; k < p->rows * p->cols; k++)
            x[k] = (double)(float)x[k]; /* as the file will have it */
    }
    return true;
}

static char *at(const char *name)
{
    return text_new("%s/%s", dir, name);
}

/* model.safetensors of the folder becomes pytorch_model.bin with the changes of edit, which may
 * change the n tensors, and returns how many are left. */
typedef size_t edit_fn(struct st_tensor *t, size_t n);

static bool to_bin(edit_fn *edit)
{
    struct weights w;
    struct err e = { 0 };
    char *from = at("model.safetensors"), *to = at("pytorch_model.bin");
    bool good = !weights_open(&w, from, &e);
    struct st_tensor *t = calloc(w.st.n + N_MODEL_TIES + 1, sizeof *t);
    if (good) {
        size_t n = w.st.n;
        memcpy(t, w.st.tensor, n * sizeof *t);
        for (int i = 0; i < N_MODEL_TIES; i++) {
            t[n] = *st_find(&w.st, model_tie[i].of);
            t[n++].name = (char *)(uintptr_t)model_tie[i].alias;
        }
        good = !torch_write(to, t, edit ? edit(t, n) : n, &e) && unlink(from) == 0;
        weights_close(&w);
    }
    if (!good)
        note("%s", e.text);
    free(t);
    free(from);
    free(to);
    return good;
}

static struct st_tensor *pick(struct st_tensor *t, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(t[i].name, name) == 0)
            return &t[i];
    abort();
}

static bool same_params(const struct model *a, const struct model *b)
{
    return a->params.n_items == b->params.n_items &&
           memcmp(a->params.x, b->params.x, a->params.n_items * sizeof(double)) == 0 &&
           memcmp(a->tables.homolog, b->tables.homolog, a->config.n_tokens * 4) == 0;
}

static void vocabularies(void)
{
    static const uint32_t n_tokens[] = { 50558, 36092 };
    for (int i = 0; i < 2; i++) {
        const struct model_config c = tiny(n_tokens[i], VALUE_PLAIN);
        struct model m, again;
        struct err e = { 0 };
        if (!make(&m, &c))
            continue;
        ok(!model_save(&m, dir, &e) && to_bin(NULL) && !model_load(&again, dir, ref, false, 0, &e),
           "one of %u tokens loads from pytorch_model.bin%s", c.n_tokens, e.text);
        ok(same_params(&m, &again), "as it was");
        ok(again.config.knowledge_dim == 5 &&
               memcmp(m.tables.knowledge[3], again.tables.knowledge[3],
                      (size_t)c.n_tokens * 5 * sizeof(float)) == 0,
           "with its knowledge");
        ok(!model_tables_write(&again.tables, &e), "which is to be written to%s", e.text);
        memset(again.tables.knowledge[3], 0, 20);
        model_release(&again);
        ok(!model_load(&again, dir, ref, false, 0, &e) &&
               memcmp(m.tables.knowledge[3], again.tables.knowledge[3],
                      (size_t)c.n_tokens * 5 * sizeof(float)) == 0,
           "writing to a loaded table leaves the file alone%s", e.text);
        model_release(&m);
        model_release(&again);
    }
}

/* The count of spec/03 section 8, and what the older block adds to Small. */
static void sizes(void)
{
    struct model_config c = model_config_base(50558);
    struct model m;
    c.n_layers = 6;
    c.n_heads = 4;
    c.d = 256;
    c.ffn = 512;
    ok(!model_init(&m, &c, ref, false, 0, NULL) && model_n_parameters(&m) == 17996671,
       "Small has 17,996,671 numbers");
    model_release(&m);
    for (int v = VALUE_JOINT; v <= VALUE_OWN; v++) {
        c.value_encoder = (enum value_encoder)v;
        ok(!model_init(&m, &c, ref, false, 0, NULL) && model_n_parameters(&m) == 17996671 + 132096,
           "and 132,096 more with value encoder %d", v);
        model_release(&m);
    }
    c.use_values = false;
    struct err e = { 0 };
    ok(model_init(&m, &c, ref, false, 0, &e) == RC_INPUT && strstr(e.text, "use_values"),
       "an encoder of values that are not used is refused");
}

static void *kept[256]; /* numbers of edits, until the file is written */
static int n_kept;

static size_t to_bf16(struct st_tensor *t, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (t[i].type != ST_F32)
            continue;
        uint16_t *half = kept[n_kept++] = malloc(t[i].n_items * 2 + 2);
        for (size_t k = 0; k < t[i].n_items; k++)
            memcpy(&half[k], (const char *)t[i].data + 4 * k + 2, 2); /* the upper bytes: cut off */
        t[i].type = ST_BF16;
        t[i].n_bytes = 2 * t[i].n_items;
        t[i].data = half;
    }
    return n;
}

static void half_precision(void)
{
    const struct model_config c = tiny(40, VALUE_PLAIN);
    struct model m, again;
    struct err e = { 0 };
    if (!make(&m, &c))
        return;
    if (ok(!model_save(&m, dir, &e) && to_bin(to_bf16) &&
               !model_load(&again, dir, ref, false, 0, &e),
           "a checkpoint in bfloat16 loads%s", e.text)) {
        const double *x = m.params.x, *y = again.params.x;
        double worst = 0;
        for (size_t i = 0; i < m.params.n_items; i++)
            worst = fmax(worst, fabs(x[i] - y[i]) - 0x1p-7 * fabs(x[i])); /* 8 bits, cut */
        ok(worst <= 0 && !same_params(&m, &again), "with 8 bits of each number");
        model_release(&again);
    }
    while (n_kept)
        free(kept[--n_kept]);
    model_release(&m);
}

/* ---- refusals ---- */

static size_t lose(struct st_tensor *t, size_t n)
{
    *pick(t, n, "bert.encoder.layer.0.attention.self.key.weight") = t[n - 1];
    return n - 1;
}
static size_t lose_buffer(struct st_tensor *t, size_t n)
{
    *pick(t, n, "bert.embeddings.co_exp_knowledge") = t[n - 1];
    return n - 1;
}
static size_t turn(struct st_tensor *t, size_t n)
{
    struct st_tensor *x = pick(t, n, "bert.encoder.layer.0.intermediate.dense.weight");
    const uint64_t rows = x->dim[0];
    x->dim[0] = x->dim[1];
    x->dim[1] = rows;
    return n;
}
static size_t rename_one(struct st_tensor *t, size_t n)
{
    pick(t, n, "bert.embeddings.position_ids")->name = (char *)(uintptr_t) "bert.embeddings.rotary";
    return n;
}
static size_t untie(struct st_tensor *t, size_t n)
{
    static const float other[40];
    pick(t, n, "cls.predictions.decoder.bias")->data = other;
    return n;
}
static size_t half_block(struct st_tensor *t, size_t n)
{
    static const float x[64];
    t[n] =
        (struct st_tensor){ .name = (char *)(uintptr_t) "bert.embeddings.values_embeddings.weight",
                            .type = ST_F32,
                            .n_dims = 2,
                            .dim = { 8, 8 },
                            .n_items = 64,
                            .n_bytes = 256,
                            .data = x };
    return n + 1;
}

static void refusals(void)
{
    static const struct {
        edit_fn *edit;
        const char *why, *what;
    } bad[] = {
        { lose, "lacks tensor 'bert.encoder.layer.0.attention.self.key.weight'",
          "a missing tensor" },
        { lose_buffer, "lacks tensor 'bert.embeddings.co_exp_knowledge'", "a missing table" },
        { turn, "tensor 'bert.encoder.layer.0.intermediate.dense.weight' has 2 dimensions",
          "a tensor that is turned" },
        { rename_one, "holds tensor 'bert.embeddings.rotary'", "a tensor of another model" },
        { untie, "tensor 'cls.predictions.decoder.bias' is not the same", "an alias of its own" },
        { half_block, "holds tensor 'bert.embeddings.values_embeddings.weight'",
          "a part of a value encoder" },
    };
    const struct model_config c = tiny(40, VALUE_PLAIN);
    struct model m, again;
    if (!make(&m, &c))
        return;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err e = { 0 };
        bool there = !model_save(&m, dir, &e) && to_bin(bad[i].edit);
        enum rc rc = model_load(&again, dir, ref, false, 0, &e);
        if (!ok(there && rc == RC_INPUT && strstr(e.text, bad[i].why) &&
                    strstr(e.text, "pytorch_model.bin") && !again.params.x,
                "refuses %s", bad[i].what))
            note("status %d: %s", rc, e.text);
    }
    model_release(&m);
    char *bin = at("pytorch_model.bin");
    struct err e = { 0 };
    unlink(bin);
    ok(model_load(&again, dir, ref, false, 0, &e) == RC_INPUT &&
           strstr(e.text, "neither model.safetensors nor pytorch_model.bin"),
       "refuses a folder without weights");
    free(bin);
}

/* ---- value encoders ---- */

static size_t other_names(struct st_tensor *t, size_t n)
{
    static const char *const from[] = { "first", "norm", "second" };
    static const char *const to[] = { "zz_linear", "b.ln", "a.1" };
    static const char *const what[] = { "weight", "bias" };
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 2; k++) {
            char *old = text_new(VALUE_BLOCK ".%s.%s", from[i], what[k]);
            char *new = kept[n_kept++] =
                text_new("bert.embeddings.old_values.%s.%s", to[i], what[k]);
            pick(t, n, old)->name = new;
            free(old);
        }
    return n;
}

static const double *par(const struct model *m, const char *name)
{
    const struct param *p = params_find(&m->params, name);
    if (!p)
        abort();
    return p->t.x;
}

/* y = W x + b with W [rows, cols]. */
static void times(double *y, const double *w, const double *b, const double *x, size_t rows,
                  size_t cols)
{
    for (size_t i = 0; i < rows; i++) {
        y[i] = b[i];
        for (size_t k = 0; k < cols; k++)
            y[i] += w[i * cols + k] * x[k];
    }
}

static void normalise(double *x, const double *gamma, const double *beta, double eps)
{
    double mean = 0, var = 0;
    for (int i = 0; i < 8; i++)
        mean += x[i] / 8;
    for (int i = 0; i < 8; i++)
        var += (x[i] - mean) * (x[i] - mean) / 8;
    for (int i = 0; i < 8; i++)
        x[i] = (x[i] - mean) / sqrt(var + eps) * gamma[i] + beta[i];
}

static void quick_gelu(double *x)
{
    for (int i = 0; i < 8; i++)
        x[i] /= 1 + exp(-1.702 * x[i]);
}

/* The encoder's input for one gene of a human cell at rank 0, written out from spec/03 sections 3
 * and 8. to: 8 numbers. */
static void by_hand(const struct model *m, size_t token, double value, double *to)
{
    double in[8 + 1], x[6 * 8], h[8];
    size_t n = 0;
    memcpy(in, par(m, "bert.embeddings.word_embeddings.weight") + token * 8, 8 * sizeof *in);
    in[8] = value;
    if (m->config.value_encoder == VALUE_JOINT) {
        times(h, par(m, VALUE_BLOCK ".first.weight"), par(m, VALUE_BLOCK ".first.bias"), in, 8, 9);
        normalise(h, par(m, VALUE_BLOCK ".norm.weight"), par(m, VALUE_BLOCK ".norm.bias"), 1e-5);
        quick_gelu(h);
        times(x, par(m, VALUE_BLOCK ".second.weight"), par(m, VALUE_BLOCK ".second.bias"), h, 8, 8);
        n = 8;
    } else {
        memcpy(x, in, 8 * sizeof *x);
        times(h, par(m, VALUE_BLOCK ".first.weight"), par(m, VALUE_BLOCK ".first.bias"), &value, 8,
              1);
        for (int i = 0; i < 8; i++)
            h[i] = fmax(h[i], 0);
        times(x + 8, par(m, VALUE_BLOCK ".second.weight"), par(m, VALUE_BLOCK ".second.bias"), h, 8,
              8);
        normalise(x + 8, par(m, VALUE_BLOCK ".norm.weight"), par(m, VALUE_BLOCK ".norm.bias"),
                  1e-5);
        n = 16;
    }
    for (int k = 0; k < N_KNOWLEDGE; k++) {
        char weight[96], bias[96];
        double row[5];
        if (!m->config.use_knowledge[k])
            continue;
        for (int i = 0; i < 5; i++)
            row[i] = (double)m->tables.knowledge[k][token * 5 + (size_t)i];
        snprintf(weight, sizeof weight, "bert.embeddings.%s_embeddings.linear1.weight",
                 knowledge_name[k]);
        snprintf(bias, sizeof bias, "bert.embeddings.%s_embeddings.linear1.bias",
                 knowledge_name[k]);
        times(x + n, par(m, weight), par(m, bias), row, 8, 5);
        n += 8;
    }
    times(h, par(m, "bert.embeddings.concat_embeddings.cat_fc.weight"),
          par(m, "bert.embeddings.concat_embeddings.cat_fc.bias"), x, 8, n);
    normalise(h, par(m, "bert.embeddings.concat_embeddings.cat_ln.weight"),
              par(m, "bert.embeddings.concat_embeddings.cat_ln.bias"), 1e-5);
    quick_gelu(h);
    times(to, par(m, "bert.embeddings.concat_embeddings.cat_proj.weight"),
          par(m, "bert.embeddings.concat_embeddings.cat_proj.bias"), h, 8, 8);
    for (int i = 0; i < 8; i++)
        to[i] += par(m, "bert.embeddings.token_type_embeddings.weight")[i] +
                 par(m, "bert.embeddings.position_embeddings.weight")[i];
    normalise(to, par(m, "bert.embeddings.LayerNorm.weight"),
              par(m, "bert.embeddings.LayerNorm.bias"), 1e-12);
}

/* Largest difference of the encoder's input from by_hand, over two cells of one gene each. */
static double off_by(struct model *m)
{
    static const uint16_t token[] = { 3, 5 };
    static const float value[] = { 1.25f, 2.5f };
    const struct batch_cell cell[] = {
        { .cell_id = 1, .n = 1, .token = token, .value = value },
        { .cell_id = 2, .n = 1, .token = token + 1, .value = value + 1 }
    };
    struct arena a;
    struct tape t;
    struct batch b;
    struct tensor *hidden[2] = { 0 };
    struct model_out out = { .hidden = hidden };
    const struct model_run run = { 0 };
    double worst = 0;
    arena_init(&a, 0);
    tape_init(&t, ref, false);
    if (batch_build(&b, &a, cell, 2, 16, m->config.n_tokens, m->tables.homolog, NULL, NULL))
        abort();
    model_encode(m, &t, &b, &run, &out);
    for (int c = 0; c < 2; c++) {
        double want[8];
        by_hand(m, token[c], (double)value[c], want);
        const double *got = (const double *)hidden[0]->x + (b.first[c] + 1) * 8;
        for (int i = 0; i < 8; i++)
            worst = fmax(worst, fabs(got[i] - want[i]));
    }
    tape_release(&t);
    arena_release(&a);
    return worst;
}

static void value_encoders(void)
{
    static const char *const what[] = { NULL, "of word and value", "of the value alone" };
    for (int k = 0; k < 4; k++) { /* both, with and without knowledge */
        const enum value_encoder v = k % 2 ? VALUE_OWN : VALUE_JOINT;
        struct model_config c = tiny(40, v);
        struct model m, again;
        struct err e = { 0 };
        for (int i = 0; i < N_KNOWLEDGE; i++)
            c.use_knowledge[i] = k < 2;
        if (!make(&m, &c))
            continue;
        if (ok(!model_save(&m, dir, &e) && to_bin(other_names) &&
                   !model_load(&again, dir, ref, false, 0, &e),
               "a model with an encoder %s loads, whatever the names of its parts%s", what[v],
               e.text)) {
            ok(again.config.value_encoder == v && same_params(&m, &again), "by their shapes");
            const double off = off_by(&again);
            ok(off <= 1e-12, "and gives what is worked out by hand (%.2g off)", off);
            model_release(&again);
        }
        while (n_kept)
            free(kept[--n_kept]);
        model_release(&m);
    }
}

int main(void)
{
    const char *why;
    ref = backend_find("ref", &why);
    if (!ref || !mkdtemp(dir))
        return 1;
    vocabularies();
    sizes();
    half_precision();
    refusals();
    value_encoders();
    char *rm = text_new("rm -r '%s'", dir);
    ok(system(rm) == 0, "clean up");
    free(rm);
    return tap_end();
}
