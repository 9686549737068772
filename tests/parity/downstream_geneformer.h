/* geneformer_tiny: rank lists, the network, its gradients and four steps of AdamW. Padded positions
 * of the folder do not exist here (cells lie one behind another), so rows of padded queries are not
 * compared: nothing depends on them. Bound 1e-10 (README there), 1e-9 for gradients. */
#ifndef GC_TESTS_PARITY_DOWNSTREAM_GENEFORMER_H
#define GC_TESTS_PARITY_DOWNSTREAM_GENEFORMER_H

#include "lib/nn/attention_share.h"
#include "lib/nn/geneformer.h"
#include "tests/parity/downstream_net.h"
#include "tests/parity/downstream_ranks.h"

struct geneformer_case {
    struct geneformer m;
    struct geneformer_batch b;
    size_t width; /* of the padded layout */
    uint32_t *at; /* [n_rows] its place there */
};

static void geneformer_open(struct geneformer *m, const char *dir)
{
    struct err e = { 0 };
    struct golden w;
    json_t *j = json_of(dir, "config.json");
    const struct geneformer_config c = {
        .n_tokens = json_count(j, "vocab_size"),
        .d = json_count(j, "hidden_size"),
        .layers = json_count(j, "num_hidden_layers"),
        .heads = json_count(j, "num_attention_heads"),
        .inner = json_count(j, "intermediate_size"),
        .n_positions = json_count(j, "max_position_embeddings"),
        .n_types = json_count(j, "type_vocab_size"),
        .norm_eps = json_float(j, "layer_norm_eps"),
        .hidden_dropout = json_float(j, "hidden_dropout_prob"),
        .attention_dropout = json_float(j, "attention_probs_dropout_prob"),
    };
    if (strcmp(json_words(json_part(j, "hidden_act"), "hidden_act"), "relu") != 0)
        refuse("hidden_act is not relu");
    if (geneformer_init(m, &c, &backend_ref, true, &e))
        refuse("%s", e.text);
    golden_open(&w, dir, "model.safetensors");
    params_load(&m->params, &w, "");
    weights_close(&w.w);
    json_decref(j);
}

static void geneformer_read(struct geneformer_case *c, const struct golden *g)
{
    struct err e = { 0 };
    const size_t n = golden_dim(g, "input_ids", 0), wide = golden_dim(g, "input_ids", 1);
    const uint32_t *id = golden_indices(g, "input_ids", n * wide, UINT32_MAX),
                   *mask = golden_indices(g, "attention_mask", n * wide, 2);
    const int64_t *label = golden_wholes(g, "labels", n * wide, -100, c->m.config.n_tokens);
    uint32_t *first = room(n + 1, sizeof *first), *ids = room(n * wide, sizeof *ids),
             *rank = room(n * wide, sizeof *rank), *asked = room(n * wide, sizeof *asked),
             *labels = room(n * wide, sizeof *labels);
    c->at = room(n * wide, sizeof *c->at);
    c->width = wide;
    c->b = (struct geneformer_batch){
        .n_cells = n, .first = first, .id = ids, .rank = rank, .asked = asked, .label = labels
    };
    for (size_t i = 0; i < n; i++) {
        size_t length = 0;
        while (length < wide && mask[i * wide + length])
            length++;
        for (size_t j = 0; j < wide; j++)
            if ((mask[i * wide + j] || label[i * wide + j] >= 0) && j >= length)
                refuse("cell %zu has tokens or labels behind its padding", i);
        for (size_t j = 0; j < length; j++) {
            const size_t r = c->b.n_rows++;
            ids[r] = id[i * wide + j];
            rank[r] = (uint32_t)j;
            c->at[r] = (uint32_t)(i * wide + j);
            if (label[i * wide + j] >= 0) {
                asked[c->b.n_asked] = (uint32_t)r;
                labels[c->b.n_asked++] = (uint32_t)label[i * wide + j];
            }
        }
        first[i + 1] = (uint32_t)c->b.n_rows;
    }
    if (geneformer_check(&c->m, &c->b, &e))
        refuse("%s", e.text);
}

/* Rows that exist here. */
static void geneformer_rows(struct golden *g, const struct geneformer_case *c, const char *name,
                            struct tape *t, const struct tensor *x)
{
    const size_t d = x->cols;
    const double *want = golden_numbers(g, name, c->b.n_cells * c->width * d);
    double *here = room(c->b.n_rows * d, sizeof *here);
    for (size_t r = 0; r < c->b.n_rows; r++)
        memcpy(here + r * d, want + c->at[r] * d, d * sizeof *here);
    compare_numbers(g, name, values_of(t, x), here, c->b.n_rows * d);
}

static void geneformer_attention(struct golden *g, const struct geneformer_case *c, size_t l,
                                 struct tape *t, const struct geneformer_out *out)
{
    char name[64];
    const size_t heads = c->m.config.heads, d = c->m.config.d, w = c->width;
    snprintf(name, sizeof name, "expected.layer%zu.attention", l);
    const double *want = golden_numbers(g, name, c->b.n_cells * heads * w * w),
                 *q = values_of(t, out->q[l]), *k = values_of(t, out->k[l]);
    double *got = room(w * w, sizeof *got);
    for (size_t i = 0; i < c->b.n_cells; i++)
        for (size_t h = 0; h < heads; h++) {
            const size_t at = c->b.first[i], n = c->b.first[i + 1] - at;
            memset(got, 0, w * w * sizeof *got);
            attention_share(q + at * d + h * (d / heads), k + at * d + h * (d / heads), n, d,
                            d / heads, got, w);
            compare_numbers(g, name, got, want + (i * heads + h) * w * w, n * w);
        }
}

static void geneformer_forward(struct golden *g, struct geneformer_case *c)
{
    struct tape t;
    struct geneformer_out out;
    char name[64];
    tape_init(&t, &backend_ref, true);
    params_zero_gradients(&c->m.params);
    geneformer_encode(&c->m, &t, &c->b, &out);
    compare_begin(g, 1e-10);
    geneformer_rows(g, c, "expected.embedding", &t, out.embedding);
    for (size_t l = 0; l < c->m.config.layers; l++) {
        snprintf(name, sizeof name, "expected.layer%zu.output", l);
        geneformer_rows(g, c, name, &t, out.layer[l]);
        geneformer_attention(g, c, l, &t, &out);
    }
    struct tensor *last = out.layer[c->m.config.layers - 1];
    geneformer_rows(g, c, "expected.logits", &t,
                    geneformer_logits(&c->m, &t, geneformer_transform(&c->m, &t, last)));
    compare_number(g, "expected.loss", geneformer_loss(&c->m, &t, &c->b, &out),
                   *golden_numbers(g, "expected.loss", 1));
    compare_end(g, "forward");
    tape_backward(&t);
    compare_begin(g, 1e-9);
    params_gradients(&c->m.params, g, "grad.");
    compare_end(g, "gradients");
    params_all_known(&c->m.params, g, "grad.");
    tape_release(&t);
}

/* Every padded position of the first cell as a row of its own: what a call without mask sees. */
static void geneformer_alone(struct golden *g, const struct geneformer_case *c)
{
    const size_t n = golden_dim(g, "expected.logits_first_cell_alone", 1);
    struct tape t;
    struct geneformer_out out;
    uint32_t *rank = room(n, sizeof *rank), first[2] = { 0, (uint32_t)n };
    struct err e = { 0 };
    for (size_t j = 0; j < n; j++)
        rank[j] = (uint32_t)j;
    const size_t all = golden_dim(g, "input_ids", 0) * c->width;
    const struct geneformer_batch b = { .n_cells = 1,
                                        .n_rows = n,
                                        .first = first,
                                        .rank = rank,
                                        .id = golden_indices(g, "input_ids", all, UINT32_MAX) };
    if (n > c->width || geneformer_check(&c->m, &b, &e))
        refuse("expected.logits_first_cell_alone has another length; %s", e.text);
    tape_init(&t, &backend_ref, false);
    geneformer_encode(&c->m, &t, &b, &out);
    struct tensor *z = geneformer_transform(&c->m, &t, out.layer[c->m.config.layers - 1]);
    compare_begin(g, 1e-10);
    compare_values(g, "expected.logits_first_cell_alone", &t, geneformer_logits(&c->m, &t, z));
    compare_end(g, "a cell alone, without a mask");
    tape_release(&t);
}

static void geneformer_steps(struct golden *g, struct geneformer_case *c)
{
    const size_t n = golden_dim(g, "after4_rates", 0);
    const double *rate = golden_numbers(g, "after4_rates", n);
    double *loss = room(n, sizeof *loss);
    for (size_t i = 0; i < n; i++) {
        struct tape t;
        struct geneformer_out out;
        tape_init(&t, &backend_ref, true);
        params_zero_gradients(&c->m.params);
        geneformer_encode(&c->m, &t, &c->b, &out);
        loss[i] = geneformer_loss(&c->m, &t, &c->b, &out);
        tape_backward(&t);
        net_adamw(&c->m.params, rate[i], 0.001, i + 1);
        tape_release(&t);
    }
    compare_begin(g, 1e-8);
    compare_tensor(g, "after4_losses", loss, n);
    params_values(&c->m.params, g, "after4.");
    compare_end(g, "%zu steps", n);
}

static void parity_geneformer(const char *dir)
{
    struct golden g;
    struct geneformer_case c = { 0 };
    golden_open(&g, dir, "geneformer_tiny.safetensors");
    geneformer_open(&c.m, dir);
    geneformer_read(&c, &g);
    geneformer_forward(&g, &c);
    geneformer_alone(&g, &c);
    geneformer_steps(&g, &c);
    parity_ranks(dir);
    geneformer_release(&c.m);
    weights_close(&g.w);
}

#endif
