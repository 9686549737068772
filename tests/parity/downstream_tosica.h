/* tosica_tiny: the mask from gene sets, the network in both layouts, gradients, three steps of SGD.
 * Bound 1e-10 (README there), 1e-9 for gradients, 1e-8 after steps. */
#ifndef GC_TESTS_PARITY_DOWNSTREAM_TOSICA_H
#define GC_TESTS_PARITY_DOWNSTREAM_TOSICA_H

#include "lib/io/gmt.h"
#include "lib/nn/attention_share.h"
#include "lib/nn/tosica.h"
#include "tests/parity/downstream_net.h"

struct tosica_case {
    struct tosica m;
    struct tosica_batch b;
    double rate; /* of the first epoch */
    size_t n_epochs;
};

static void tosica_open(struct tosica_case *c, const char *dir, struct golden *g)
{
    struct err e = { 0 };
    struct golden pth;
    json_t *j = json_of(dir, "config.json");
    const json_t *optimizer = json_part(j, "optimizer");
    const struct tosica_config config = { .n_genes = json_count(j, "n_genes"),
                                          .n_tokens = json_count(j, "n_tokens"),
                                          .d = json_count(j, "embed_dim"),
                                          .depth = json_count(j, "depth"),
                                          .heads = json_count(j, "heads"),
                                          .mlp_ratio = json_count(j, "mlp_ratio"),
                                          .n_classes = json_count(j, "classes"),
                                          .norm_eps = json_float(j, "layer_norm_eps"),
                                          .layout = TOSICA_RELEASED };
    c->rate = json_float(optimizer, "lr");
    c->n_epochs = json_count(optimizer, "epochs");
    c->b.n = json_count(j, "batch");
    if (tosica_init(&c->m, &config, &backend_ref, true, &e))
        refuse("%s", e.text);
    golden_open(&pth, dir, "model.pth");
    params_load(&c->m.params, &pth, "");
    compare_begin(g, 0);
    params_values(&c->m.params, g, "state.");
    compare_end(g, "model.pth against state.*");
    params_all_known(&c->m.params, g, "state.");
    weights_close(&pth.w);
    c->b.x = golden_numbers(g, "x", c->b.n * config.n_genes);
    c->b.label = golden_indices(g, "y", c->b.n, config.n_classes);
    json_decref(j);
}

static void tosica_mask(struct tosica_case *c, const char *dir)
{
    struct err e = { 0 };
    struct gene_sets s;
    struct map genes;
    json_t *j = json_of(dir, "config.json");
    const json_t *rule = json_part(j, "mask_from_gmt");
    struct table t = table_in(dir, "mask.tsv", "gene");
    size_t other = 0;
    map_init(&genes);
    for (size_t i = 0; i < t.n_rows; i++)
        if (map_add(&genes, t.col[0].text[i], i, NULL, &e))
            refuse("%s", e.text);
    if (gmt_read(path_in(dir, "sets.gmt"), &genes, &s, &e))
        refuse("%s", e.text);
    size_t *listed = room(s.n, sizeof *listed), *hits = room(s.n, sizeof *hits);
    uint32_t *kept = room(s.n + 1, sizeof *kept);
    for (size_t i = 0; i < s.n; i++) {
        listed[i] = s.set[i].n_listed;
        hits[i] = s.set[i].n;
    }
    const size_t n =
        tosica_choose_sets(listed, hits, s.n, t.n_rows, json_count(rule, "max_g"),
                           json_count(rule, "more_hits_than"), json_count(rule, "max_gs"), kept);
    if (n != t.n_cols - 1 || n != c->m.config.n_tokens || t.n_rows != c->m.config.n_genes)
        refuse("%zu sets of %zu genes become tokens, mask.tsv has %zu", n, t.n_rows, t.n_cols - 1);
    struct mat mask = { n, t.n_rows, room(n * t.n_rows, sizeof(double)) };
    for (size_t k = 0; k < n; k++) {
        const struct gene_set *set = kept[k] < s.n ? &s.set[kept[k]] : NULL;
        other += set && strcmp(set->name, t.col[k + 1].name) != 0;
        for (size_t i = 0; i < (set ? set->n : t.n_rows); i++)
            mat_row(&mask, k)[set ? set->gene[i] : i] = 1;
        for (size_t i = 0; i < t.n_rows; i++)
            other += fabs(mat_row(&mask, k)[i] - number_at(&t, k + 1, i)) > 0;
    }
    ok(other == 0, "sets.gmt: %zu sets kept, their names and the mask equal mask.tsv", n);
    const double *was = param_numbers(
        &c->m.params, params_find(&c->m.params, "feature_embed.fe.mask"), c->m.params.x);
    struct tosica *m = &c->m;
    tosica_set_mask(m, &mask);
    const size_t n_mask = n * c->m.config.d * t.n_rows;
    const double *now =
        param_numbers(&m->params, params_find(&m->params, "feature_embed.fe.mask"), m->params.x);
    ok(memcmp(was, now, n_mask * sizeof *now) == 0, "and the one of the network");
    gene_sets_release(&s);
    map_release(&genes);
    table_release(&t);
    json_decref(j);
}

static void tosica_attention(struct golden *g, const struct tosica_case *c, struct tape *t,
                             const struct tosica_out *out, size_t i)
{
    const size_t wide = c->m.config.n_tokens + 1, d = c->m.config.d, heads = c->m.config.heads;
    char name[64];
    double *got = room(c->b.n * heads * wide * wide, sizeof *got);
    const double *q = values_of(t, out->q[i]), *k = values_of(t, out->k[i]);
    for (size_t cell = 0; cell < c->b.n; cell++)
        for (size_t h = 0; h < heads; h++) {
            const size_t at = cell * wide * d + h * (d / heads);
            attention_share(q + at, k + at, wide, d, d / heads,
                            got + (cell * heads + h) * wide * wide, wide);
        }
    snprintf(name, sizeof name, "expected.block%zu.attention", i);
    compare_tensor(g, name, got, c->b.n * heads * wide * wide);
}

static void tosica_read_out(struct golden *g, const struct tosica_case *c, struct tape *t,
                            const struct tosica_out *out, const char *name)
{
    struct err e = { 0 };
    const size_t n = c->b.n * c->m.config.n_tokens;
    double *rollout = room(n, sizeof *rollout);
    if (tosica_rollout(&c->m, t, out, c->b.n, rollout, &e))
        refuse("%s", e.text);
    compare_tensor(g, name, rollout, n);
}

static void tosica_check(struct golden *g, struct tosica_case *c)
{
    struct tape t;
    struct tosica_out out;
    char name[64];
    tape_init(&t, &backend_ref, true);
    params_zero_gradients(&c->m.params);
    tosica_forward(&c->m, &t, &c->b, &out);
    compare_begin(g, 1e-10);
    compare_values(g, "expected.tokens", &t, out.tokens);
    for (size_t i = 0; i < c->m.config.depth; i++) {
        snprintf(name, sizeof name, "expected.block%zu.input", i);
        compare_values(g, name, &t, out.input[i]);
        snprintf(name, sizeof name, "expected.block%zu.output", i);
        compare_values(g, name, &t, out.output[i]);
        tosica_attention(g, c, &t, &out, i);
    }
    compare_values(g, "expected.final_norm", &t, out.norm);
    compare_values(g, "expected.latent", &t, out.latent);
    compare_values(g, "expected.logits", &t, out.logits);
    compare_tensor(g, "expected.loss", &out.loss, 1);
    tosica_read_out(g, c, &t, &out, "expected.rollout");
    compare_end(g, "forward, released layout");
    tape_backward(&t);
    compare_begin(g, 1e-9);
    params_gradients(&c->m.params, g, "grad.");
    compare_end(g, "gradients");
    params_all_known(&c->m.params, g, "grad.");
    tape_release(&t);
}

static void tosica_straight(struct golden *g, struct tosica_case *c)
{
    struct tape t;
    struct tosica_out out;
    c->m.config.layout = TOSICA_STRAIGHT;
    tape_init(&t, &backend_ref, true);
    params_zero_gradients(&c->m.params);
    tosica_forward(&c->m, &t, &c->b, &out);
    compare_begin(g, 1e-10);
    compare_values(g, "straight.tokens", &t, out.tokens);
    compare_values(g, "straight.logits", &t, out.logits);
    compare_tensor(g, "straight.loss", &out.loss, 1);
    tosica_read_out(g, c, &t, &out, "straight.rollout");
    compare_end(g, "forward, a token for each set");
    tape_backward(&t);
    compare_begin(g, 1e-9);
    const struct param *w = params_find(&c->m.params, "feature_embed.fe.weight");
    const size_t n = w->rows * w->cols;
    compare_gradient(g, "straight.grad.feature_embed.fe.weight",
                     param_numbers(&c->m.params, w, c->m.params.g),
                     golden_numbers(g, "straight.grad.feature_embed.fe.weight", n), n, 0);
    compare_end(g, "gradient of its masked layer");
    tape_release(&t);
    c->m.config.layout = TOSICA_RELEASED;
}

static void tosica_steps(struct golden *g, struct tosica_case *c)
{
    const size_t n = golden_dim(g, "after3_losses", 0);
    double *loss = room(n, sizeof *loss), *rate = room(n, sizeof *rate);
    for (size_t i = 0; i < n; i++) {
        struct tape t;
        struct tosica_out out;
        tape_init(&t, &backend_ref, true);
        params_zero_gradients(&c->m.params);
        tosica_forward(&c->m, &t, &c->b, &out);
        tape_backward(&t);
        loss[i] = out.loss;
        rate[i] = tosica_rate(c->rate, i, c->n_epochs);
        tosica_step(&c->m, rate[i]);
        tape_release(&t);
    }
    compare_begin(g, 1e-8);
    compare_tensor(g, "after3_rates", rate, n);
    compare_tensor(g, "after3_losses", loss, n);
    for (size_t i = 0; i < c->m.params.n; i++) {
        char name[128];
        const struct param *q = &c->m.params.item[i];
        snprintf(name, sizeof name, "after3.%s", q->name);
        if (golden_find(g, "%s", name) || !strstr(q->name, ".mask"))
            compare_tensor(g, name, param_numbers(&c->m.params, q, c->m.params.x),
                           q->rows * q->cols);
    }
    compare_end(g, "%zu steps", n);
}

static void parity_tosica(const char *dir)
{
    struct golden g;
    struct tosica_case c = { 0 };
    golden_open(&g, dir, "tosica_tiny.safetensors");
    tosica_open(&c, dir, &g);
    tosica_mask(&c, dir);
    tosica_check(&g, &c);
    tosica_straight(&g, &c);
    tosica_steps(&g, &c);
    tosica_release(&c.m);
    weights_close(&g.w);
}

#endif
