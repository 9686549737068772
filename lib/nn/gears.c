#include "lib/nn/gears.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/nn/net.h"

static enum rc add_mlp(struct params *p, const char *name, size_t in, size_t mid, size_t out,
                       struct err *e)
{
    char part[96];
    enum rc rc = RC_OK;
    for (int i = 0; !rc && i < 2; i++) {
        snprintf(part, sizeof part, "%s.network.%d", name, 3 * i);
        rc = net_add_linear(p, part, i ? out : mid, i ? mid : in, true, e);
        snprintf(part, sizeof part, "%s.network.%d", name, 3 * i + 1);
        rc = rc ? rc : net_add_batch_norm(p, part, i ? out : mid, true, e);
    }
    return rc;
}

static enum rc declare(struct gears *m, struct err *e)
{
    struct params *p = &m->params;
    const size_t g = m->config.n_genes, d = m->config.d;
    const struct {
        const char *name;
        size_t rows, cols;
        int n_dims;
    } plain[] = { { "gene_emb.weight", g, d, 2 },
                  { "emb_pos.weight", g, d, 2 },
                  { "pert_emb.weight", m->config.n_nodes, d, 2 },
                  { "indv_w1", g, d, 2 },
                  { "indv_b1", 1, g, 1 },
                  { "indv_w2", g, d + 1, 2 },
                  { "indv_b2", 1, g, 1 },
                  { "pert_w.weight", d, 1, 2 },
                  { "pert_w.bias", 1, d, 1 } };
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < sizeof plain / sizeof *plain; i++)
        rc = params_add(p, plain[i].name, plain[i].rows, plain[i].cols, plain[i].n_dims, true, e);
    static const char *const norm[] = { "bn_emb", "bn_pert_base", "bn_pert_base_trans" };
    for (size_t i = 0; !rc && i < sizeof norm / sizeof *norm; i++)
        rc = net_add_batch_norm(p, norm[i], d, true, e);
    if (!rc)
        rc = net_add_linear(p, "layers_emb_pos.0.lin", d, d, true, e);
    if (!rc)
        rc = net_add_linear(p, "sim_layers.0.lin", d, d, true, e);
    const char *const mlp[] = { "emb_trans_v2", "pert_fuse", "recovery_w", "cross_gene_state" };
    for (size_t i = 0; !rc && i < 4; i++)
        rc = add_mlp(p, mlp[i], i == 3 ? g : d, i == 2 ? 2 * d : d, d, e);
    if (!rc && m->config.project)
        rc = net_add_linear(p, "gene_proj", d, m->config.d_embedding, false, e);
    return rc;
}

enum rc gears_init(struct gears *m, const struct gears_config *c, const struct gears_edges *go,
                   const struct gears_edges *coexpress, const struct backend *b, bool training,
                   struct err *e)
{
    *m = (struct gears){ .config = *c };
    if (!c->n_genes || !c->n_nodes || !c->d ||
        (c->d_embedding && !c->project && c->d_embedding != c->d))
        return err_set(
            e, RC_INPUT,
            "a network of %zu genes, %zu nodes, width %zu and embeddings of %zu cannot be",
            c->n_genes, c->n_nodes, c->d, c->d_embedding);
    params_init(&m->params, b);
    enum rc rc = tape_small_check(b, e);
    if (!rc && links_convolution(&m->go, c->n_nodes, go->to, go->from, go->weight, go->n, e))
        rc = err_wrap(e, "perturbation graph");
    if (!rc && links_convolution(&m->coexpress, c->n_genes, coexpress->to, coexpress->from,
                                 coexpress->weight, coexpress->n, e))
        rc = err_wrap(e, "co-expression graph");
    if (!rc)
        rc = declare(m, e);
    if (!rc)
        rc = params_alloc(&m->params, training, e);
    if (rc)
        gears_release(m);
    return rc;
}

void gears_release(struct gears *m)
{
    links_release(&m->go);
    links_release(&m->coexpress);
    params_release(&m->params);
    *m = (struct gears){ 0 };
}

void gears_randomise(struct gears *m, uint64_t seed)
{
    net_initialise(&m->params, seed);
    for (size_t i = 0; i < m->params.n; i++) {
        struct param *q = &m->params.item[i];
        if (strstr(q->name, "_emb.weight") || strcmp(q->name, "emb_pos.weight") == 0)
            net_normal(&m->params, q, 1, seed);
        if (strncmp(q->name, "indv_w", 6) == 0)
            net_normal(&m->params, q, sqrt(2.0 / (double)(q->rows + q->cols)), seed);
    }
}

/* Rows of cells x genes from tables of genes: the first cell by the convolution, the others from
 * their own gene alone. */
static enum rc tile_genes(struct gears_batch *b, const struct gears *m, struct err *e)
{
    const size_t g = m->config.n_genes, n = b->n;
    const struct edges *c = &m->coexpress.e;
    const size_t n_edges = c->n_edges + (n - 1) * g;
    uint32_t *end = malloc((2 * n_edges + 1) * sizeof *end), *from = end ? end + n_edges : NULL;
    double *w = malloc((n_edges + 1) * sizeof *w);
    enum rc rc = end && w ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu cells", n);
    size_t k = 0;
    for (uint32_t i = 0; !rc && i < g; i++)
        for (uint32_t j = c->first[i]; j < c->first[i + 1]; j++, k++) {
            end[k] = i;
            from[k] = c->from[j];
            w[k] = c->weight[j];
        }
    for (size_t i = g; !rc && i < n * g; i++, k++) {
        end[k] = (uint32_t)i;
        from[k] = (uint32_t)(i % g);
        w[k] = 1;
    }
    if (!rc)
        rc = links_init(&b->genes, n * g, g, end, from, w, n_edges, false, e);
    free(end);
    free(w);
    return rc;
}

static enum rc link_perturbed(struct gears_batch *b, const struct gears *m, const uint32_t *first,
                              const uint32_t *node, struct err *e)
{
    const size_t g = m->config.n_genes, n_nodes = first[b->n];
    uint32_t *to = malloc((2 * n_nodes + 1) * 2 * sizeof *to), *from = to ? to + 2 * n_nodes : NULL,
             *row = malloc((b->n * g + 1) * 2 * sizeof *row), *cell = row ? row + b->n * g : NULL;
    enum rc rc = to && row ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu cells", b->n);
    size_t k = 0, r = 0;
    for (size_t i = 0; !rc && i < b->n; i++) {
        if (first[i] == first[i + 1])
            continue;
        for (uint32_t j = first[i]; j < first[i + 1]; j++) {
            to[k] = (uint32_t)b->n_perturbed;
            from[k++] = node[j];
        }
        for (size_t j = 0; j < g; j++, r++) {
            row[r] = (uint32_t)(i * g + j);
            cell[r] = (uint32_t)b->n_perturbed;
        }
        b->n_perturbed++;
    }
    const size_t twice = b->n_perturbed == 1;
    for (size_t j = 0, once = k; !rc && twice && j < once; j++) {
        to[k] = 1;
        from[k++] = from[j];
    }
    if (!rc)
        rc = links_init(&b->sums, b->n_perturbed + twice, m->config.n_nodes, to, from, NULL, k,
                        false, e);
    if (!rc)
        rc = links_init(&b->spread, b->n * g, b->n_perturbed + twice, row, cell, NULL, r, false, e);
    free(to);
    free(row);
    return rc;
}

enum rc gears_batch_init(struct gears_batch *b, const struct gears *m, size_t n, const double *x,
                         const double *embedding, const uint32_t *first, const uint32_t *node,
                         struct err *e)
{
    *b = (struct gears_batch){ .n = n, .x = x, .embedding = embedding };
    assert(!embedding == !m->config.d_embedding);
    if (!n)
        return err_set(e, RC_INPUT, "a batch without cells");
    enum rc rc = m->config.shared ? RC_OK : tile_genes(b, m, e);
    if (!rc)
        rc = link_perturbed(b, m, first, node, e);
    if (rc)
        gears_batch_release(b);
    return rc;
}

void gears_batch_release(struct gears_batch *b)
{
    links_release(&b->genes);
    links_release(&b->sums);
    links_release(&b->spread);
    *b = (struct gears_batch){ 0 };
}

/* max_norm 1 of PyTorch's Embedding. */
static void shorten(const struct params *p, const char *name, struct tape *t)
{
    struct tensor *w = net_get(p, "%s", name);
    double *x = tape_values(t, w);
    for (size_t i = 0; x && i < w->rows; i++) {
        double norm = 0, *row = x + i * w->cols;
        for (size_t j = 0; j < w->cols; j++)
            norm += row[j] * row[j];
        norm = sqrt(norm);
        if (!(norm > 1))
            continue;
        for (size_t j = 0; j < w->cols; j++)
            row[j] *= 1 / (norm + 1e-7);
        reals_from_f64(p->b, (char *)w->x + i * w->cols * p->b->real_bytes, row, w->cols);
    }
}

static struct tensor *mlp(const struct params *p, struct tape *t, struct tensor *x,
                          const char *name, bool train)
{
    for (int i = 0; i < 2; i++) {
        char part[96];
        snprintf(part, sizeof part, "%s.network.%d", name, 3 * i);
        x = net_linear(p, t, x, part, ACT_NONE);
        snprintf(part, sizeof part, "%s.network.%d", name, 3 * i + 1);
        x = net_batch_norm(p, t, x, part, train);
        if (!i)
            x = tape_act(t, x, ACT_RELU);
    }
    return x;
}

/* conv(x) = A (x W') + b. */
static struct tensor *convolve(const struct params *p, struct tape *t, const char *table,
                               const char *lin, const struct links *l)
{
    struct tensor *x =
        tape_linear(t, net_get(p, "%s", table), net_get(p, "%s.weight", lin), NULL, ACT_NONE);
    return tape_pair(t, PAIR_ADD, tape_spread(t, x, &l->e), 1, net_get(p, "%s.bias", lin));
}

/* Rows of genes for every cell. */
static struct tensor *rows_of_cells(const struct gears *m, struct tape *t,
                                    const struct gears_batch *b, struct tensor *base)
{
    const size_t rows = b->n * m->config.n_genes;
    uint32_t *gene = tape_memory(t, rows * sizeof *gene);
    for (size_t i = 0; gene && i < rows; i++)
        gene[i] = (uint32_t)(i % m->config.n_genes);
    return tape_gather(t, base, gene, rows, SIZE_MAX);
}

/* [G, H]: what every cell starts from. */
static struct tensor *shared_base(struct gears *m, struct tape *t, const struct gears_batch *b,
                                  bool train, struct gears_out *out)
{
    const struct params *p = &m->params;
    if (m->config.d_embedding) {
        struct tensor *x =
            tape_input_f64(t, b->embedding, m->config.n_genes, m->config.d_embedding);
        return m->config.project ? net_linear(p, t, x, "gene_proj", ACT_NONE) : x;
    }
    shorten(p, "gene_emb.weight", t);
    shorten(p, "emb_pos.weight", t);
    out->bn_emb = net_batch_norm(p, t, net_get(p, "gene_emb.weight"), "bn_emb", train);
    out->coexpress = convolve(p, t, "emb_pos.weight", "layers_emb_pos.0.lin", &m->coexpress);
    struct tensor *x =
        tape_pair(t, PAIR_ADD, tape_act(t, out->bn_emb, ACT_RELU), 0.2, out->coexpress);
    return out->base_mlp = mlp(p, t, x, "emb_trans_v2", train);
}

/* [n G, H] */
static struct tensor *base_of(struct gears *m, struct tape *t, const struct gears_batch *b,
                              bool train, struct gears_out *out)
{
    const struct params *p = &m->params;
    shorten(p, "gene_emb.weight", t);
    shorten(p, "emb_pos.weight", t);
    const size_t rows = b->n * m->config.n_genes;
    struct tensor *x = rows_of_cells(m, t, b, net_get(p, "gene_emb.weight"));
    out->bn_emb = net_batch_norm(p, t, x, "bn_emb", train);
    out->coexpress = convolve(p, t, "emb_pos.weight", "layers_emb_pos.0.lin", &b->genes);
    if (m->config.d_embedding) {
        x = tape_input_f64(t, b->embedding, rows, m->config.d_embedding);
        return m->config.project ? net_linear(p, t, x, "gene_proj", ACT_NONE) : x;
    }
    x = tape_pair(t, PAIR_ADD, tape_act(t, out->bn_emb, ACT_RELU), 0.2, out->coexpress);
    return out->base_mlp = mlp(p, t, x, "emb_trans_v2", train);
}

static struct tensor *perturb(const struct gears *m, struct tape *t, const struct gears_batch *b,
                              struct tensor *base, bool train, struct gears_out *out)
{
    const struct params *p = &m->params;
    shorten(p, "pert_emb.weight", t);
    out->go = convolve(p, t, "pert_emb.weight", "sim_layers.0.lin", &m->go);
    if (!b->n_perturbed)
        return m->config.shared ? rows_of_cells(m, t, b, base) : base;
    struct tensor *sum = mlp(p, t, tape_spread(t, out->go, &b->sums.e), "pert_fuse", train);
    out->fused = tape_rows(t, sum, 0, b->n_perturbed);
    /* A shared base is laid under every cell's block of rows. */
    return tape_pair(t, PAIR_ADD, tape_spread(t, sum, &b->spread.e), 1, base);
}

/* delta [n, G] */
static struct tensor *decode(const struct gears *m, struct tape *t, const struct gears_batch *b,
                             bool train, struct gears_out *out)
{
    const struct params *p = &m->params;
    const size_t g = m->config.n_genes, d = m->config.d;
    struct tensor *w = tape_pair(t, PAIR_MUL, out->recovered, 1, net_get(p, "indv_w1"));
    w = tape_shape(t, tape_sum(t, w, false, 1), b->n, g);
    out->w = w = tape_pair(t, PAIR_ADD, w, 1, net_get(p, "indv_b1"));
    out->cross = mlp(p, t, w, "cross_gene_state", train);
    struct tensor *w2 = net_get(p, "indv_w2");
    uint32_t *first = tape_memory(t, g * sizeof *first); /* column 0 of w2 */
    for (size_t j = 0; first && j < g; j++)
        first[j] = (uint32_t)(j * (d + 1));
    struct tensor *own = tape_gather(t, tape_shape(t, w2, g * (d + 1), 1), first, g, SIZE_MAX);
    struct tensor *y =
        tape_linear(t, out->cross, tape_columns(t, w2, 1, d), net_get(p, "indv_b2"), ACT_NONE);
    return tape_add(t, tape_pair(t, PAIR_MUL, w, 1, tape_shape(t, own, 1, g)), 1, y);
}

void gears_forward(struct gears *m, struct tape *t, const struct gears_batch *b, bool train,
                   struct gears_out *out)
{
    const struct params *p = &m->params;
    *out = (struct gears_out){ 0 };
    struct tensor *x = m->config.shared ? shared_base(m, t, b, train, out)
                                        : base_of(m, t, b, train, out);
    x = perturb(m, t, b, x, train, out);
    out->bn_base = net_batch_norm(p, t, x, "bn_pert_base", train);
    out->recovered = mlp(p, t, tape_act(t, out->bn_base, ACT_RELU), "recovery_w", train);
    x = decode(m, t, b, train, out);
    out->predicted = tape_add(t, x, 1, tape_input_f64(t, b->x, b->n, m->config.n_genes));
}

static int sign(double x)
{
    return (x > 0) - (x < 0);
}

enum rc gears_loss(struct tape *t, struct tensor *predicted, const struct gears_target *target,
                   double *loss, double *without_direction, struct err *e)
{
    const size_t n = predicted->rows, g = predicted->cols;
    double power = 0, turn = 0;
    size_t *n_cells = tape_memory(t, (target->n_conditions + 1) * sizeof *n_cells);
    double *p = tape_values(t, predicted), *dp = tape_memory(t, n * g * sizeof *dp);
    if (tape_check(t, e))
        return RC_FAIL;
    memset(dp, 0, n * g * sizeof *dp);
    memset(n_cells, 0, (target->n_conditions + 1) * sizeof *n_cells);
    for (size_t i = 0; i < n; i++)
        n_cells[target->condition_of[i]]++;
    for (size_t i = 0; i < n; i++) {
        const uint32_t c = target->condition_of[i];
        const double share =
            1 / ((double)n_cells[c] * (double)target->n_genes[c] * (double)target->n_conditions);
        for (size_t k = 0; k < target->n_genes[c]; k++) {
            const size_t j = target->gene[c][k], at = i * g + j;
            const double off = p[at] - target->y[at], mean = target->control_mean[j];
            const int differ = sign(target->y[at] - mean) - sign(p[at] - mean);
            power += share * off * off * (target->square ? 1 : off * off);
            turn += share * differ * differ;
            dp[at] = share * off * (target->square ? 2 : 4 * off * off);
        }
    }
    *loss = power + target->direction * turn;
    if (without_direction)
        *without_direction = power;
    if (t->training)
        tape_seed(t, predicted, dp);
    return tape_check(t, e);
}

static bool is_used(const struct param *q, const void *model)
{
    const struct gears *m = model;
    static const char *const never[] = { "pert_w.", "bn_pert_base_trans." }, *const original[] = {
        "gene_emb.", "emb_pos.", "bn_emb.", "emb_trans_v2.", "layers_emb_pos."
    };
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        if (strncmp(q->name, never[i], strlen(never[i])) == 0)
            return false;
    for (size_t i = 0; m->config.d_embedding && i < sizeof original / sizeof *original; i++)
        if (strncmp(q->name, original[i], strlen(original[i])) == 0)
            return false;
    return true;
}

void gears_step(struct gears *m, double rate, double decay, uint64_t step)
{
    net_descend(&m->params,
                (struct op_descend){ .kind = DESCENT_ADAM,
                                     .rate = rate,
                                     .decay = decay,
                                     .clip = 1,
                                     .beta1 = 0.9,
                                     .beta2 = 0.999,
                                     .eps = 1e-8,
                                     .step = step },
                is_used, m);
}
