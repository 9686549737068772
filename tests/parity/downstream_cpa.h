/* cpa_tiny: forward in both modes, losses, gradients of both kinds of step, the penalty,
 * alternating updates with running statistics, the other dose curves, R2; with and without gene
 * embeddings. Bounds of the README there: forward 1e-10, gradients 1e-9 of the tensor's largest
 * entry, after updates 1e-8, R2 1e-9. */
#ifndef GC_TESTS_PARITY_DOWNSTREAM_CPA_H
#define GC_TESTS_PARITY_DOWNSTREAM_CPA_H

#include "lib/nn/cpa.h"
#include "lib/nn/metrics_stat.h"
#include "tests/parity/downstream_net.h"

struct cpa_case {
    struct cpa m;
    struct cpa_batch b;
    const char *prefix; /* "" or "genes." */
};

static void cpa_config_of(struct cpa_config *c, const struct golden *g, const json_t *h,
                          bool variant)
{
    *c = (struct cpa_config){
        .n_genes = golden_dim(g, "x", 1),
        .n_drugs = golden_dim(g, "drugs", 1),
        .d = json_count(h, "dim"),
        .width = json_count(h, "autoencoder_width"),
        .depth = json_count(h, "autoencoder_depth"),
        .adversary_width = json_count(h, "adversary_width"),
        .adversary_depth = json_count(h, "adversary_depth"),
        .doser_width = json_count(h, "dosers_width"),
        .doser_depth = json_count(h, "dosers_depth"),
        .d_embedding = variant ? golden_dim(g, "emb", 1) : 0,
        .adversary = json_float(h, "reg_adversary"),
        .penalty = json_float(h, "penalty_adversary"),
        .rate = json_float(h, "autoencoder_lr"),
        .decay = json_float(h, "autoencoder_wd"),
        .adversary_rate = json_float(h, "adversary_lr"),
        .adversary_decay = json_float(h, "adversary_wd"),
        .doser_rate = json_float(h, "dosers_lr"),
        .doser_decay = json_float(h, "dosers_wd"),
    };
    for (; c->n_covariates < CPA_MAX_COVARIATES; c->n_covariates++) {
        char name[64];
        snprintf(name, sizeof name, "param.covariates_embeddings.%zu.weight", c->n_covariates);
        if (!golden_find(g, "%s", name))
            break;
        c->n_classes[c->n_covariates] = golden_dim(g, name, 0);
    }
}

/* Start weights; those of the projection stand outside of param.*. */
static void cpa_load(struct params *p, const struct golden *g)
{
    for (size_t i = 0; i < p->n; i++) {
        char name[256];
        const struct param *q = &p->item[i];
        const size_t n = q->rows * q->cols;
        snprintf(name, sizeof name, "%s%s", strcmp(q->name, "gene_proj.weight") ? "param." : "",
                 q->name);
        reals_from_f64(p->b, q->t.x, golden_numbers(g, name, n), n);
    }
    memset(p->m, 0, p->n_items * p->b->real_bytes);
    memset(p->v, 0, p->n_items * p->b->real_bytes);
}

static void cpa_open(struct cpa_case *c, const struct golden *g, const json_t *hparams,
                     const char *prefix)
{
    struct err e = { 0 };
    struct cpa_config config;
    const bool variant = *prefix != '\0';
    cpa_config_of(&config, g, hparams, variant);
    *c = (struct cpa_case){ .prefix = prefix };
    if (cpa_init(&c->m, &config, &backend_ref, true, &e))
        refuse("%s", e.text);
    cpa_load(&c->m.params, g);
    c->b.n = golden_dim(g, "x", 0);
    c->b.x = golden_numbers(g, "x", c->b.n * config.n_genes);
    c->b.dose = golden_numbers(g, "drugs", c->b.n * config.n_drugs);
    c->b.embedding = variant ? golden_numbers(g, "emb", config.n_genes * config.d_embedding) : NULL;
    for (size_t k = 0; k < config.n_covariates; k++) {
        char name[32];
        snprintf(name, sizeof name, "cov%zu", k);
        c->b.class_of[k] = golden_indices(g, name, c->b.n, config.n_classes[k]);
    }
    if (cpa_batch_check(&c->m, &c->b, &e))
        refuse("%s", e.text);
}

static void cpa_values(struct golden *g, const struct cpa_case *c, struct tape *t,
                       const struct cpa_out *out, const char *mode)
{
    const struct {
        const char *name;
        const struct tensor *x;
    } part[] = { { "latent_basal", out->basal },
                 { "doser", out->dose },
                 { "latent_treated", out->treated },
                 { "mean", out->mean },
                 { "var", out->var },
                 { "adv_drug_logits", out->drug_logits } };
    char name[64];
    for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
        snprintf(name, sizeof name, "%s%s.%s", c->prefix, mode, part[i].name);
        compare_values(g, name, t, part[i].x);
    }
    for (size_t k = 0; k < c->m.config.n_covariates; k++) {
        snprintf(name, sizeof name, "%s%s.adv_cov%zu_logits", c->prefix, mode, k);
        compare_values(g, name, t, out->logits[k]);
    }
}

static void cpa_start(struct cpa_case *c, struct tape *t, struct cpa_out *out)
{
    tape_init(t, &backend_ref, true);
    params_zero_gradients(&c->m.params);
    cpa_forward(&c->m, t, &c->b, true, out);
}

static void cpa_compare_losses(struct golden *g, const struct cpa_losses *l, const json_t *want)
{
    compare_number(g, "loss_reconstruction", l->reconstruction,
                   json_float(want, "loss_reconstruction"));
    compare_number(g, "loss_adv_drugs", l->drugs, json_float(want, "loss_adv_drugs"));
    compare_number(g, "loss_adv_covariates", l->covariates,
                   json_float(want, "loss_adv_covariates"));
    compare_number(g, "penalty_adv_drugs", l->drug_penalty, json_float(want, "penalty_adv_drugs"));
    compare_number(g, "penalty_adv_covariates", l->covariate_penalty,
                   json_float(want, "penalty_adv_covariates"));
}

/* Only the parameters whose gradient the folder has: a step moves no others. */
static void cpa_gradients(struct golden *g, const struct cpa_case *c, const char *kind)
{
    char prefix[64];
    double most = 0;
    const struct params *p = &c->m.params;
    snprintf(prefix, sizeof prefix, "%s%s.", c->prefix, kind);
    compare_begin(g, 1e-9);
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < p->n; i++) {
            const struct param *q = &p->item[i];
            const size_t m = q->rows * q->cols;
            char name[256];
            snprintf(name, sizeof name, "%s%s", prefix, q->name);
            if (!golden_find(g, "%s", name))
                continue;
            const double *x = param_numbers(p, q, p->g);
            for (size_t k = 0; k < m; k++)
                most = fabs(x[k]) > most ? fabs(x[k]) : most;
            if (pass)
                compare_gradient(g, name, x, golden_numbers(g, name, m), m, 1e-3 * most);
        }
    compare_end(g, "%s", prefix);
    params_all_known(p, g, prefix);
}

static void cpa_passes(struct golden *g, struct cpa_case *c, const json_t *want)
{
    struct tape t;
    struct cpa_out out;
    struct cpa_losses l;
    struct err e = { 0 };
    compare_begin(g, 1e-10);
    tape_init(&t, &backend_ref, false);
    cpa_forward(&c->m, &t, &c->b, false, &out);
    cpa_values(g, c, &t, &out, "eval");
    tape_release(&t);
    cpa_start(c, &t, &out);
    if (cpa_autoencoder_loss(&c->m, &t, &c->b, &out, &l, &e))
        refuse("%s", e.text);
    cpa_values(g, c, &t, &out, "train");
    cpa_compare_losses(g, &l, json_part(want, "iteration0_ae_step"));
    compare_end(g, "%sforward in both modes, losses", c->prefix);
    tape_backward(&t);
    cpa_gradients(g, c, "grad_ae");
    tape_release(&t);
    cpa_start(c, &t, &out);
    compare_begin(g, 1e-10);
    if (cpa_adversary_loss(&c->m, &t, &c->b, &out, &l, &e))
        refuse("%s", e.text);
    cpa_compare_losses(g, &l, json_part(want, "iteration1_adversary_step_from_the_start"));
    if (!*c->prefix) {
        compare_values(g, "train.penalty_input_grad.drug", &t, out.drug_slope);
        for (size_t k = 0; k < c->m.config.n_covariates; k++) {
            char name[64];
            snprintf(name, sizeof name, "train.penalty_input_grad.cov%zu", k);
            compare_values(g, name, &t, out.slope[k]);
        }
    }
    compare_end(g, "%sadversary step: losses and slopes", c->prefix);
    tape_backward(&t);
    cpa_gradients(g, c, "grad_adv");
    tape_release(&t);
}

/* The sum of all penalties alone, without its weight. */
static void cpa_penalties(struct golden *g, struct cpa_case *c)
{
    struct tape t;
    struct cpa_out out;
    struct tensor *slope;
    const double one = 1;
    cpa_start(c, &t, &out);
    tape_seed(&t, cpa_penalty(&c->m, &t, out.basal, "adversary_drugs", &slope), &one);
    for (size_t k = 0; k < c->m.config.n_covariates; k++) {
        char name[64];
        snprintf(name, sizeof name, "adversary_covariates.%zu", k);
        tape_seed(&t, cpa_penalty(&c->m, &t, out.basal, name, &slope), &one);
    }
    tape_backward(&t);
    cpa_gradients(g, c, "grad_penalty");
    tape_release(&t);
}

static void cpa_updates(struct golden *g, struct cpa_case *c, const json_t *want)
{
    const json_t *each = json_part(want, "four_iterations");
    uint64_t n_auto = 0, n_adversary = 0;
    struct err e = { 0 };
    char key[64];
    compare_begin(g, 1e-8);
    for (size_t i = 0; i < json_array_size(each); i++) {
        struct tape t;
        struct cpa_out out;
        struct cpa_losses l;
        cpa_start(c, &t, &out);
        if (i % 3 == 0 ? cpa_autoencoder_loss(&c->m, &t, &c->b, &out, &l, &e)
                       : cpa_adversary_loss(&c->m, &t, &c->b, &out, &l, &e))
            refuse("%s", e.text);
        tape_backward(&t);
        if (i % 3 == 0)
            cpa_step_autoencoder(&c->m, ++n_auto);
        else
            cpa_step_adversaries(&c->m, ++n_adversary);
        cpa_compare_losses(g, &l, json_array_get(each, i));
        tape_release(&t);
    }
    snprintf(key, sizeof key, "%safter4.", c->prefix);
    params_values(&c->m.params, g, key);
    compare_end(g, "%s%zu alternating updates and running statistics", c->prefix,
                json_array_size(each));
    params_all_known(&c->m.params, g, key);
}

static void cpa_curves(struct golden *g, const struct cpa_case *c)
{
    static const char *const name[] = { "sigm", "logsigm" };
    const size_t n = c->b.n, d = c->m.config.n_drugs;
    for (int k = 0; k < 2; k++) {
        struct cpa m;
        struct err e = { 0 };
        struct tape t;
        struct cpa_config config = c->m.config;
        char key[32];
        config.doser = k ? CPA_DOSER_LOGSIGM : CPA_DOSER_SIGM;
        if (cpa_init(&m, &config, &backend_ref, true, &e))
            refuse("%s", e.text);
        static const char *const part[] = { "beta", "bias" };
        for (int i = 0; i < 2; i++) {
            snprintf(key, sizeof key, "%s.%s", name[k], part[i]);
            reals_from_f64(m.params.b, net_get(&m.params, "dosers.%s", part[i])->x,
                           golden_numbers(g, key, d), d);
        }
        tape_init(&t, &backend_ref, true);
        struct tensor *y = cpa_dose(&m, &t, c->b.dose, n);
        double *seed = room(n * d, sizeof *seed);
        for (size_t i = 0; i < n * d; i++)
            seed[i] = ((double)i + 1) / 10;
        compare_begin(g, 1e-10);
        snprintf(key, sizeof key, "%s.doser", name[k]);
        compare_values(g, key, &t, y);
        tape_seed(&t, y, seed);
        tape_backward(&t);
        for (int i = 0; i < 2; i++) {
            snprintf(key, sizeof key, "dosers.%s", part[i]);
            const struct param *q = params_find(&m.params, key);
            const double *got = param_numbers(&m.params, q, m.params.g);
            snprintf(key, sizeof key, "%s.grad_%s", name[k], part[i]);
            compare_gradient(g, key, got, golden_numbers(g, key, d), d, 0);
        }
        compare_end(g, "%s", name[k]);
        tape_release(&t);
        cpa_release(&m);
    }
}

/* Means over the rows of x [n, d] that are in; variances (population) where var is not NULL. */
static void cpa_moments(const double *x, const bool *in, size_t n, size_t d, double *mean,
                        double *var)
{
    double count = 0;
    memset(mean, 0, d * sizeof *mean);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; in[i] && j < d; j++) {
            mean[j] += x[i * d + j];
            count += j == 0;
        }
    for (size_t j = 0; j < d; j++) {
        mean[j] /= count;
        double s = 0;
        for (size_t i = 0; i < n; i++)
            s += in[i] ? (x[i * d + j] - mean[j]) * (x[i * d + j] - mean[j]) : 0;
        if (var)
            var[j] = s / count;
    }
}

static double cpa_r2_of(const double *truth, const double *got, const json_t *genes, size_t d)
{
    if (!genes)
        return r2_score(truth, got, d);
    const size_t n = json_array_size(genes);
    double *a = room(n, sizeof *a), *b = room(n, sizeof *b);
    for (size_t i = 0; i < n; i++) {
        const json_int_t j = json_integer_value(json_array_get(genes, i));
        if (j < 0 || (size_t)j >= d)
            refuse("DE gene %lld of %zu", (long long)j, d);
        a[i] = truth[j];
        b[i] = got[j];
    }
    return r2_score(a, b, n);
}

/* All control cells under the drugs and covariates of the condition's first cell. */
static void cpa_predict(const struct cpa_case *c, const struct golden *g, size_t first,
                        double *mean, double *var)
{
    const size_t n = golden_dim(g, "r2.control", 0), d = c->m.config.n_genes,
                 n_drugs = c->m.config.n_drugs, n_all = golden_dim(g, "r2.drugs", 0);
    struct cpa_batch b = { .n = n,
                           .x = golden_numbers(g, "r2.control", n * d),
                           .embedding = c->b.embedding };
    const double *dose = golden_numbers(g, "r2.drugs", n_all * n_drugs);
    double *same = room(n * n_drugs, sizeof *same);
    bool *all = room(n, sizeof *all);
    for (size_t i = 0; i < n; i++) {
        memcpy(same + i * n_drugs, dose + first * n_drugs, n_drugs * sizeof *same);
        all[i] = true;
    }
    b.dose = same;
    for (size_t k = 0; k < c->m.config.n_covariates; k++) {
        char name[32];
        snprintf(name, sizeof name, "r2.cov%zu", k);
        const uint32_t *class = golden_indices(g, name, n_all, c->m.config.n_classes[k]);
        uint32_t *of = room(n, sizeof *of);
        for (size_t i = 0; i < n; i++)
            of[i] = class[first];
        b.class_of[k] = of;
    }
    struct tape t;
    struct cpa_out out;
    tape_init(&t, &backend_ref, false);
    cpa_forward(&c->m, &t, &b, false, &out);
    cpa_moments(values_of(&t, out.mean), all, n, d, mean, NULL);
    cpa_moments(values_of(&t, out.var), all, n, d, var, NULL);
    tape_release(&t);
}

static const char *const cpa_score[4] = { "R2_mean", "R2_mean_DE", "R2_var", "R2_var_DE" };

static void cpa_r2(struct golden *g, const struct cpa_case *c, const json_t *want)
{
    const json_t *each = json_part(want, "per_condition");
    const size_t n = golden_dim(g, "r2.cells", 0), d = c->m.config.n_genes,
                 n_conditions = json_object_size(each);
    const double *cells = golden_numbers(g, "r2.cells", n * d);
    const uint32_t *of = golden_indices(g, "r2.condition", n, n_conditions);
    double sum[2][4] = { { 0 } }, *v = room(4 * d, sizeof *v);
    size_t n_large = 0;
    bool *in = room(n, sizeof *in);
    compare_begin(g, 1e-9);
    for (size_t k = 0; k < n_conditions; k++) {
        char key[32];
        size_t first = n, count = 0;
        snprintf(key, sizeof key, "c%zu", k);
        const json_t *one = json_part(each, key), *de = json_part(one, "de");
        for (size_t i = 0; i < n; i++) {
            in[i] = of[i] == k;
            count += in[i];
            first = in[i] && first == n ? i : first;
        }
        if (!count)
            refuse("condition %zu has no cells", k);
        cpa_moments(cells, in, n, d, v, v + d);
        cpa_predict(c, g, first, v + 2 * d, v + 3 * d);
        const double got[4] = { cpa_r2_of(v, v + 2 * d, NULL, d), cpa_r2_of(v, v + 2 * d, de, d),
                                cpa_r2_of(v + d, v + 3 * d, NULL, d),
                                cpa_r2_of(v + d, v + 3 * d, de, d) };
        n_large += count > 30;
        for (int i = 0; i < 4; i++) {
            compare_number(g, cpa_score[i], got[i], json_float(one, cpa_score[i]));
            sum[0][i] += got[i];
            sum[1][i] += count > 30 ? got[i] : 0;
        }
    }
    const json_t *mean = json_part(want, "mean_over_all_conditions"),
                 *large = json_part(want, "mean_over_conditions_above_30_cells");
    for (int i = 0; i < 4; i++) {
        compare_number(g, cpa_score[i], sum[0][i] / (double)n_conditions,
                       json_float(mean, cpa_score[i]));
        if (n_large)
            compare_number(g, cpa_score[i], sum[1][i] / (double)n_large,
                           json_float(large, cpa_score[i]));
    }
    compare_end(g, "R2 of %zu conditions", n_conditions);
}

/* The release's own file of weights lacks the adversaries of the covariates. */
static void cpa_state(struct golden *g, const struct cpa_case *c, const char *dir)
{
    struct golden pt;
    golden_open(&pt, dir, "cpa_tiny_state.pt");
    compare_begin(g, 0);
    for (size_t i = 0; i < c->m.params.n; i++) {
        char name[256];
        const struct param *q = &c->m.params.item[i];
        const size_t n = q->rows * q->cols;
        snprintf(name, sizeof name, "param.%s", q->name);
        if (strncmp(q->name, "adversary_covariates.", 21) != 0)
            compare_tensor(g, name, golden_numbers(&pt, q->name, n), n);
    }
    compare_end(g, "cpa_tiny_state.pt against param.*");
    weights_close(&pt.w);
}

static void parity_cpa(const char *dir)
{
    static const char *const prefix[] = { "", "genes." }, *const key[] = { "plain", "genes" };
    struct golden g;
    json_t *want = json_of(dir, "expected.json");
    const json_t *hparams = json_part(want, "hparams");
    golden_open(&g, dir, "cpa_tiny.safetensors");
    for (int k = 0; k < 2; k++) {
        struct cpa_case c;
        const json_t *one = json_part(want, key[k]);
        cpa_open(&c, &g, hparams, prefix[k]);
        if (!k) {
            cpa_state(&g, &c, dir);
            cpa_penalties(&g, &c);
            cpa_curves(&g, &c);
            cpa_load(&c.m.params, &g); /* running statistics have moved */
        }
        cpa_passes(&g, &c, one);
        cpa_load(&c.m.params, &g);
        cpa_updates(&g, &c, one);
        if (!k)
            cpa_r2(&g, &c, json_part(want, "r2"));
        cpa_release(&c.m);
    }
    weights_close(&g.w);
    json_decref(want);
}

#endif
