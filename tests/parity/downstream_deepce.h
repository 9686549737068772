/* deepce_tiny: atom and bond features of real drugs, the network in both variants, metrics and the
 * choice of a replicate. Bounds of the README there: forward 1e-10, gradients 1e-9 of the tensor's
 * largest entry, after steps 1e-8, metrics 1e-9. Widths that the tensors do not tell are those of
 * the attention's shares. */
#ifndef GC_TESTS_PARITY_DOWNSTREAM_DEEPCE_H
#define GC_TESTS_PARITY_DOWNSTREAM_DEEPCE_H

#include "lib/nn/deepce.h"
#include "lib/nn/metrics_stat.h"
#include "tests/parity/downstream_molecules.h"
#include "tests/parity/downstream_net.h"

struct deepce_case {
    struct deepce m;
    struct deepce_batch b;
    double *label;
    size_t wide; /* atoms of the longest molecule */
    const char *prefix;
};

static size_t deepce_count(const struct golden *g, const char *fmt)
{
    size_t n = 0;
    char name[128];
    for (;; n++) {
        snprintf(name, sizeof name, "%s", "");
        const char *hole = strchr(fmt, '#');
        snprintf(name, sizeof name, "%.*s%zu%s", (int)(hole - fmt), fmt, n, hole + 1);
        if (!golden_find(g, "%s", name))
            return n;
    }
}

static void deepce_config_of(struct deepce_config *c, const struct golden *g, bool variant)
{
    *c = (struct deepce_config){
        .n_genes = golden_dim(g, "gene_vector", 0),
        .d_gene = golden_dim(g, "gene_vector", 1),
        .d = golden_dim(g, "param.gene_embed.weight", 0),
        .heads = golden_dim(g, "train.layer0.to_atoms.weights", 1),
        .layers = deepce_count(g, "param.drug_gene_attn.layers.#.fc.weight"),
        .inner =
            golden_dim(g, "param.drug_gene_attn.layers.0.positionwise_feedforward.fc_1.weight", 0),
        .d_hidden = golden_dim(g, "param.linear_1.weight", 0),
        .n_conv = deepce_count(g, "param.drug_fp.conv_layers.#.linear.weight"),
        .n_cells = golden_dim(g, "param.cell_id_embed.weight", 1),
        .d_cell = golden_dim(g, "param.cell_id_embed.weight", 0),
        .n_doses = golden_dim(g, "param.pert_idose_embed.weight", 1),
        .d_dose = golden_dim(g, "param.pert_idose_embed.weight", 0),
        .d_embedding = variant ? golden_dim(g, "emb", 1) : 0,
        .d_projected = variant ? golden_dim(g, "genes.param.emb_proj.weight", 0) : 0,
    };
    for (size_t l = 0; l < c->n_conv && l < DEEPCE_MAX_CONV; l++) {
        char name[96];
        snprintf(name, sizeof name, "param.drug_fp.conv_layers.%zu.linear.weight", l);
        c->conv[l] = golden_dim(g, name, 0);
    }
}

static void deepce_open(struct deepce_case *c, const struct golden *g, const char *prefix)
{
    struct err e = { 0 };
    struct deepce_config config;
    const bool variant = *prefix != '\0';
    char key[64];
    deepce_config_of(&config, g, variant);
    *c = (struct deepce_case){ .prefix = prefix };
    if (deepce_init(&c->m, &config, &backend_ref, true, &e))
        refuse("%s", e.text);
    snprintf(key, sizeof key, "%sparam.", prefix);
    params_load(&c->m.params, g, key);
    params_all_known(&c->m.params, g, key);
    struct deepce_batch *b = &c->b;
    b->n = golden_dim(g, "cell", 0);
    b->n_atoms = golden_dim(g, "atom_features", 0);
    b->n_bonds = golden_dim(g, "bond_features", 0);
    b->atom = golden_numbers(g, "atom_features", b->n_atoms * DEEPCE_ATOM);
    b->bond = golden_numbers(g, "bond_features", b->n_bonds * DEEPCE_BOND);
    b->gene_vector = golden_numbers(g, "gene_vector", config.n_genes * config.d_gene);
    b->embedding = variant ? golden_numbers(g, "emb", config.n_genes * config.d_embedding) : NULL;
    b->cell = golden_indices(g, "cell", b->n, config.n_cells);
    b->dose = golden_indices(g, "dose", b->n, config.n_doses);
    const uint32_t *signature = golden_indices(g, "atom_signature", b->n_atoms, b->n),
                   *ends = golden_indices(g, "bond_atoms", 2 * b->n_bonds, b->n_atoms);
    if (deepce_batch_init(b, &c->m, signature, ends, &e))
        refuse("%s", e.text);
    c->label = golden_numbers(g, "label", b->n * config.n_genes);
    c->wide = golden_dim(g, "mask", 1);
    const double *mask = golden_numbers(g, "mask", b->n * c->wide);
    for (size_t i = 0; i < b->n; i++)
        for (size_t j = 0; j < c->wide; j++)
            if ((mask[i * c->wide + j] > 0) != (j < b->atom_first[i + 1] - b->atom_first[i]))
                refuse("mask does not fit the atoms of signature %zu", i);
}

static void deepce_close(struct deepce_case *c)
{
    deepce_batch_release(&c->b);
    deepce_release(&c->m);
}

static void deepce_compare(struct golden *g, const struct deepce_case *c, struct tape *t,
                           const struct tensor *x, const char *name)
{
    char key[128];
    snprintf(key, sizeof key, "%s%s", c->prefix, name);
    if (golden_find(g, "%s", key))
        compare_values(g, key, t, x);
    else if (!*c->prefix) /* the variant has only the last ones */
        refuse("%s: tensor '%s' is missing", g->file, key);
}

/* Atom vectors and shares in the padded layout. */
static void deepce_padded(struct golden *g, const struct deepce_case *c, struct tape *t,
                          const struct deepce_out *out)
{
    const size_t n = c->b.n, d = c->m.config.d, heads = c->m.config.heads,
                 genes = c->m.config.n_genes, wide = c->wide;
    const double *atoms = values_of(t, out->atoms);
    double *all = room(n * wide * d, sizeof *all);
    for (size_t i = 0; i < n; i++)
        memcpy(all + i * wide * d, atoms + c->b.atom_first[i] * d,
               (c->b.atom_first[i + 1] - c->b.atom_first[i]) * d * sizeof *all);
    compare_tensor(g, "train.fingerprint", all, n * wide * d);
    for (size_t l = 0; l < c->m.config.layers; l++) {
        char name[64];
        const double *share = values_of(t, out->share[l]);
        double *w = room(n * heads * genes * wide, sizeof *w);
        for (size_t i = 0; i < n; i++) {
            const size_t k = c->b.atom_first[i + 1] - c->b.atom_first[i];
            for (size_t r = 0; r < heads * genes; r++, share += k)
                memcpy(w + (i * heads * genes + r) * wide, share, k * sizeof *w);
        }
        snprintf(name, sizeof name, "train.layer%zu.to_atoms.weights", l);
        compare_tensor(g, name, w, n * heads * genes * wide);
    }
}

static void deepce_evaluate(struct golden *g, struct deepce_case *c, const char *name)
{
    struct tape t;
    struct deepce_out out;
    char key[64];
    tape_init(&t, &backend_ref, false);
    deepce_forward(&c->m, &t, &c->b, false, &out);
    snprintf(key, sizeof key, "%s%s", c->prefix, name);
    compare_values(g, key, &t, out.predicted);
    tape_release(&t);
}

static void deepce_pass(struct deepce_case *c, struct tape *t, struct deepce_out *out, double *loss)
{
    struct err e = { 0 };
    tape_init(t, &backend_ref, true);
    params_zero_gradients(&c->m.params);
    deepce_forward(&c->m, t, &c->b, true, out);
    if (deepce_loss(t, out->predicted, c->label, loss, &e))
        refuse("%s", e.text);
}

/* The folder's param.* were written after its pass in train mode (num_batches_tracked is 1), while
 * eval.predict and the steps start before it: running statistics r1 = 0.9 r0 + 0.1 m become r0
 * again. One more pass gives r2 = 0.9 r1 + 0.1 m, so r0 = (1.9 r1 - r2) / 0.9. */
static void deepce_rewind(struct deepce_case *c, const struct golden *g)
{
    struct tape t;
    struct deepce_out out;
    double loss;
    struct params *p = &c->m.params;
    const struct st_tensor *seen =
        golden_find(g, "param.drug_fp.conv_layers.0.normalize.num_batches_tracked");
    double n_seen = 0;
    if (!seen || seen->n_items != 1 || st_get_f64(seen, &n_seen, NULL) || !(n_seen > 0))
        return;
    double **was = room(p->n, sizeof *was);
    for (size_t i = 0; i < p->n; i++)
        was[i] = param_numbers(p, &p->item[i], p->x);
    deepce_pass(c, &t, &out, &loss);
    tape_release(&t);
    for (size_t i = 0; i < p->n; i++) {
        const struct param *q = &p->item[i];
        if (!net_is_running(q))
            continue;
        const double *now = param_numbers(p, q, p->x);
        for (size_t k = 0; k < q->cols; k++)
            was[i][k] = (1.9 * was[i][k] - now[k]) / 0.9;
        reals_from_f64(p->b, q->t.x, was[i], q->cols);
    }
}

static void deepce_check(struct golden *g, struct deepce_case *c)
{
    struct tape t;
    struct deepce_out out;
    double loss;
    char name[64];
    compare_begin(g, 1e-10);
    deepce_evaluate(g, c, "eval.predict");
    deepce_pass(c, &t, &out, &loss);
    for (size_t l = 0; l < c->m.config.n_conv; l++) {
        snprintf(name, sizeof name, "train.conv%zu.out", l);
        deepce_compare(g, c, &t, out.conv[l], name);
    }
    deepce_compare(g, c, &t, out.genes, "train.gene_embed");
    for (size_t l = 0; l < c->m.config.layers; l++) {
        snprintf(name, sizeof name, "train.layer%zu.to_atoms.out", l);
        deepce_compare(g, c, &t, out.to_atoms[l], name);
        snprintf(name, sizeof name, "train.layer%zu.to_genes.out", l);
        deepce_compare(g, c, &t, out.to_genes[l], name);
        snprintf(name, sizeof name, "train.layer%zu.out", l);
        deepce_compare(g, c, &t, out.layer[l], name);
    }
    if (!*c->prefix)
        deepce_padded(g, c, &t, &out);
    deepce_compare(g, c, &t, out.attended, "train.attn_out");
    deepce_compare(g, c, &t, out.joined, "train.linear_1_in");
    deepce_compare(g, c, &t, out.hidden, "train.linear_1_out");
    deepce_compare(g, c, &t, out.predicted, "train.predict");
    snprintf(name, sizeof name, "%strain.loss", c->prefix);
    compare_tensor(g, name, &loss, 1);
    compare_end(g, "%sforward", c->prefix);
    tape_backward(&t);
    compare_begin(g, 1e-9);
    snprintf(name, sizeof name, "%sgrad.", c->prefix);
    params_gradients(&c->m.params, g, name);
    compare_end(g, "%sgradients", c->prefix);
    params_all_known(&c->m.params, g, name);
    tape_release(&t);
}

static void deepce_steps(struct golden *g, struct deepce_case *c, const json_t *want)
{
    const json_t *losses = json_part(want, "losses_of_three_steps");
    const size_t n = json_array_size(losses);
    char key[64];
    compare_begin(g, 1e-8);
    for (size_t i = 0; i < n; i++) {
        struct tape t;
        struct deepce_out out;
        double loss;
        deepce_pass(c, &t, &out, &loss);
        tape_backward(&t);
        deepce_step(&c->m, 2e-4, i + 1);
        compare_number(g, "loss of a step", loss, json_number_value(json_array_get(losses, i)));
        tape_release(&t);
    }
    snprintf(key, sizeof key, "%safter3.", c->prefix);
    params_values(&c->m.params, g, key);
    if (golden_find(g, "%seval.predict", key))
        deepce_evaluate(g, c, "after3.eval.predict");
    compare_end(g, "%s%zu steps and running statistics", c->prefix, n);
}

static void deepce_metrics(struct golden *g, const json_t *want)
{
    const size_t n = golden_dim(g, "metric.label", 0), d = golden_dim(g, "metric.label", 1);
    const double *label = golden_numbers(g, "metric.label", n * d),
                 *predicted = golden_numbers(g, "metric.predict", n * d);
    const double mse = mean_squared_error(predicted, label, n * d);
    struct err e = { 0 };
    double sum[2] = { 0 };
    compare_begin(g, 1e-9);
    compare_number(g, "mse", mse, json_float(want, "mse"));
    compare_number(g, "rmse", sqrt(mse), json_float(want, "rmse"));
    static const char *const kind[] = { "pearson", "spearman" };
    for (int k = 0; k < 2; k++) {
        const json_t *each = json_part(json_part(want, kind[k]), "per_signature");
        for (size_t i = 0; i < n; i++) {
            struct test_result r = pearson(label + i * d, predicted + i * d, d);
            if (k && spearman(label + i * d, predicted + i * d, d, &r, &e))
                refuse("%s", e.text);
            compare_number(g, kind[k], r.statistic, json_number_value(json_array_get(each, i)));
            sum[k] += r.statistic / (double)n;
        }
        compare_number(g, kind[k], sum[k], json_float(json_part(want, kind[k]), "mean"));
    }
    const char *key;
    json_t *both;
    json_object_foreach(json_part(want, "precision"), key, both)
    {
        for (int negative = 0; negative < 2; negative++) {
            double mean = 0, one;
            for (size_t i = 0; i < n; i++, mean += one / (double)n)
                if (deepce_precision(label + i * d, predicted + i * d, d, strtoul(key, NULL, 10),
                                     100, negative, &one, &e))
                    refuse("%s", e.text);
            compare_number(g, "precision", mean,
                           json_float(both, negative ? "negative" : "positive"));
        }
    }
    compare_end(g, "metrics");
}

/* Two replicates tie but for rounding: either is right. */
static void deepce_replicates(struct golden *g, const json_t *cases)
{
    struct err e = { 0 };
    size_t other = 0, n_cases = json_array_size(cases);
    compare_begin(g, 1e-9);
    for (size_t k = 0; k < n_cases; k++) {
        const json_t *one = json_array_get(cases, k);
        char name[64];
        snprintf(name, sizeof name, "replicates.%zu", k);
        const size_t n = golden_dim(g, name, 0), d = golden_dim(g, name, 1);
        double *rank = room(n, sizeof *rank);
        size_t chosen;
        if (deepce_choose_replicate(golden_numbers(g, name, n * d), n, d, rank, &chosen, &e))
            refuse("%s", e.text);
        for (size_t i = 0; i < n; i++)
            compare_number(g, name, rank[i],
                           json_number_value(json_array_get(json_part(one, "mean_rank"), i)));
        other += n > 2 && chosen != json_count(one, "chosen");
    }
    ok(other == 0, "replicates of %zu cases", n_cases);
    compare_end(g, "their mean ranks");
}

static void parity_deepce(const char *dir)
{
    static const char *const prefix[] = { "", "genes." }, *const key[] = { "plain", "genes" };
    struct golden g;
    json_t *want = json_of(dir, "expected.json");
    golden_open(&g, dir, "deepce_tiny.safetensors");
    parity_molecules(dir, &g);
    for (int k = 0; k < 2; k++) {
        struct deepce_case c;
        deepce_open(&c, &g, prefix[k]);
        deepce_rewind(&c, &g);
        deepce_check(&g, &c);
        deepce_close(&c);
        deepce_open(&c, &g, prefix[k]);
        deepce_rewind(&c, &g);
        deepce_steps(&g, &c, json_part(want, key[k]));
        deepce_close(&c);
    }
    deepce_metrics(&g, json_part(want, "metrics"));
    deepce_replicates(&g, json_part(want, "replicate_cases"));
    weights_close(&g.w);
    json_decref(want);
}

#endif
