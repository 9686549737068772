/* The small operations on edges and groups, the inverse and the optimisers; see small_body.h, which
 * comes before, as does small_edge.h. */

/* A register of the processor that the file is compiled for. Said outright, because gcc turns the
 * two loops below inside out; and no longer than a register, because gcc takes a longer one through
 * memory. */
#ifdef __AVX512F__
#define LANE_BYTES 64
#elif defined __AVX__
#define LANE_BYTES 32
#else
#define LANE_BYTES 16
#endif
typedef REAL lane __attribute__((vector_size(LANE_BYTES), aligned(sizeof(REAL)), may_alias));
enum {
    SPREAD_COLUMNS = 64, /* that stay in the processor */
    SPREAD_LANES = SPREAD_COLUMNS * sizeof(REAL) / LANE_BYTES
};

static void spread_lanes(const struct op_spread *o, size_t i, size_t at)
{
    const struct edges *e = o->e;
    const REAL *x = (const REAL *)o->x + at, scale = e->scale ? (REAL)e->scale[i] : 1;
    lane sum[SPREAD_LANES] = { { 0 } }, *y = (lane *)((REAL *)o->y + i * o->d + at);
    for (uint32_t k = e->first[i]; k < e->first[i + 1]; k++) {
        const REAL w = e->weight ? (REAL)e->weight[k] : 1;
        const lane *from = (const lane *)(x + e->from[k] * o->d);
        for (int j = 0; j < SPREAD_LANES; j++)
            sum[j] += w * from[j];
    }
    for (int j = 0; j < SPREAD_LANES; j++)
        y[j] = sum[j] * scale;
}

static void spread_rest(const struct op_spread *o, size_t i, size_t at)
{
    const struct edges *e = o->e;
    const REAL *x = (const REAL *)o->x + at;
    REAL *y = (REAL *)o->y + i * o->d + at;
    const size_t m = o->d - at;
    memset(y, 0, m * sizeof *y);
    for (uint32_t k = e->first[i]; k < e->first[i + 1]; k++)
        add_row(y, x + e->from[k] * o->d, e->weight ? (REAL)e->weight[k] : 1, m);
    for (size_t j = 0; e->scale && j < m; j++)
        y[j] *= (REAL)e->scale[i];
}

static void spread_rows(void *ctx, size_t block, int worker)
{
    const struct op_spread *o = ctx;
    (void)worker;
    for (size_t i = block * SMALL_ROWS; i < o->e->n_to && i < (block + 1) * SMALL_ROWS; i++) {
        size_t at = 0;
        for (; o->d - at >= SPREAD_COLUMNS; at += SPREAD_COLUMNS)
            spread_lanes(o, i, at);
        if (at < o->d)
            spread_rest(o, i, at);
    }
}

static void spread_forward(const struct op_spread *o)
{
    threads_for(blocks(o->e->n_to, SMALL_ROWS), spread_rows, (void *)(uintptr_t)o);
}

static REAL spread_weight_back(const struct edges *e, uint32_t k)
{
    return (REAL)((e->weight ? e->weight[e->back_edge[k]] : 1) *
                  (e->scale ? e->scale[e->back_to[k]] : 1));
}

static void spread_lanes_back(const struct op_spread *o, size_t i, size_t at)
{
    const struct edges *e = o->e;
    const REAL *dy = (const REAL *)o->dy + at;
    lane sum[SPREAD_LANES] = { { 0 } }, *dx = (lane *)((REAL *)o->dx + i * o->d + at);
    for (uint32_t k = e->back_first[i]; k < e->back_first[i + 1]; k++) {
        const REAL w = spread_weight_back(e, k);
        const lane *from = (const lane *)(dy + e->back_to[k] * o->d);
        for (int j = 0; j < SPREAD_LANES; j++)
            sum[j] += w * from[j];
    }
    for (int j = 0; j < SPREAD_LANES; j++)
        dx[j] += sum[j];
}

static void spread_back_rows(void *ctx, size_t block, int worker)
{
    const struct op_spread *o = ctx;
    const struct edges *e = o->e;
    (void)worker;
    for (size_t i = block * SMALL_ROWS; i < e->n_from && i < (block + 1) * SMALL_ROWS; i++) {
        size_t at = 0;
        for (; o->d - at >= SPREAD_COLUMNS; at += SPREAD_COLUMNS)
            spread_lanes_back(o, i, at);
        for (uint32_t k = e->back_first[i]; at < o->d && k < e->back_first[i + 1]; k++)
            add_row((REAL *)o->dx + i * o->d + at,
                    (const REAL *)o->dy + e->back_to[k] * o->d + at, spread_weight_back(e, k),
                    o->d - at);
    }
}

static void spread_backward(const struct op_spread *o)
{
    threads_for(blocks(o->e->n_from, SMALL_ROWS), spread_back_rows, (void *)(uintptr_t)o);
}

static REAL kept(const struct dropout *drop, size_t row, size_t head, size_t col)
{
    return (REAL)dropout_factor(drop, row, (uint32_t)head, col);
}

static void cross_group(const struct op_cross_attention *o, size_t g, REAL *share)
{
    const size_t w = o->d / o->heads, nk = o->k_first[g + 1] - o->k_first[g];
    const REAL *q = o->q, *k = (const REAL *)o->k + o->k_first[g] * o->d,
               *v = (const REAL *)o->v + o->k_first[g] * o->d;
    REAL *y = o->y;
    for (size_t h = 0; h < o->heads; h++)
        for (size_t i = o->q_first[g]; i < o->q_first[g + 1]; i++, share += nk) {
            REAL top = -INFINITY;
            double sum = 0;
            for (size_t j = 0; j < nk; j++) {
                share[j] = (REAL)o->scale * dot_row(q + i * o->d + h * w, k + j * o->d + h * w, w);
                top = share[j] > top ? share[j] : top;
            }
            for (size_t j = 0; j < nk; j++) {
                share[j] = F(exp)(share[j] - top);
                sum += (double)share[j];
            }
            memset(y + i * o->d + h * w, 0, w * sizeof *y);
            for (size_t j = 0; j < nk; j++) {
                share[j] = (REAL)((double)share[j] / sum);
                add_row(y + i * o->d + h * w, v + j * o->d + h * w,
                        share[j] * kept(&o->drop, i, h, j), w);
            }
        }
}

static void cross_group_back(const struct op_cross_attention *o, size_t g, const REAL *share)
{
    const size_t w = o->d / o->heads, at = o->k_first[g] * o->d,
                 nk = o->k_first[g + 1] - o->k_first[g];
    const REAL *q = o->q, *k = (const REAL *)o->k + at, *v = (const REAL *)o->v + at, *dy = o->dy;
    REAL *dq = o->dq, *dk = o->dk, *dv = o->dv, *ds = o->work;
    for (size_t h = 0; h < o->heads; h++)
        for (size_t i = o->q_first[g]; i < o->q_first[g + 1]; i++, share += nk) {
            const size_t here = i * o->d + h * w;
            double mean = 0;
            for (size_t j = 0; j < nk; j++) {
                const size_t there = j * o->d + h * w;
                const REAL f = kept(&o->drop, i, h, j);
                ds[j] = f * dot_row(dy + here, v + there, w);
                mean += (double)ds[j] * (double)share[j];
                if (dv)
                    add_row(dv + at + there, dy + here, share[j] * f, w);
            }
            for (size_t j = 0; j < nk; j++) {
                const size_t there = j * o->d + h * w;
                const REAL f = (REAL)o->scale * share[j] * (REAL)((double)ds[j] - mean);
                if (dq)
                    add_row(dq + here, k + there, f, w);
                if (dk)
                    add_row(dk + at + there, q + here, f, w);
            }
        }
}

static void cross_attention_forward(const struct op_cross_attention *o)
{
    REAL *share = o->share;
    for (size_t g = 0; g < o->n_groups; g++) {
        cross_group(o, g, share);
        share +=
            o->heads * (o->q_first[g + 1] - o->q_first[g]) * (o->k_first[g + 1] - o->k_first[g]);
    }
}

static void cross_attention_backward(const struct op_cross_attention *o)
{
    const REAL *share = o->share;
    for (size_t g = 0; g < o->n_groups; g++) {
        cross_group_back(o, g, share);
        share +=
            o->heads * (o->q_first[g + 1] - o->q_first[g]) * (o->k_first[g + 1] - o->k_first[g]);
    }
}

static void invert_forward(const struct op_invert *o)
{
    const int n = (int)o->n;
    REAL *y = o->y;
    memcpy(y, o->x, o->n * o->n * sizeof *y);
    openblas_set_num_threads(1); /* its sums depend on the number */
    *o->singular = INVERT_FACTOR(LAPACK_ROW_MAJOR, n, n, y, n, o->pivot) ||
                   INVERT_SOLVE(LAPACK_ROW_MAJOR, n, y, n, o->pivot);
    for (size_t i = 0; *o->singular && i < o->n * o->n; i++)
        y[i] = (REAL)NAN;
}

/* dX = - Y' dY Y' */
static void invert_backward(const struct op_invert *o)
{
    const size_t n = o->n;
    REAL *half = o->work, *all = half + n * n;
    product_shared((struct shared_product){ 'T', 'N', n, n, n, n, n, o->y, o->dy, 0, half });
    product_shared((struct shared_product){ 'N', 'T', n, n, n, n, n, half, o->y, 0, all });
    add_row(o->dx, all, -1, n * n);
}

static void descend(const struct op_descend *o)
{
    REAL *p = o->p, *m = o->m, *v = o->v;
    const REAL *grad = o->g;
    const double fix1 = 1 - pow(o->beta1, (double)o->step),
                 fix2 = 1 - pow(o->beta2, (double)o->step);
    for (size_t i = 0; i < o->n; i++) {
        double g = (double)grad[i], mi = (double)m[i], vi = (double)v[i];
        if (o->clip > 0)
            g = g > o->clip ? o->clip : g < -o->clip ? -o->clip : g;
        if (o->kind == DESCENT_ADAMW)
            p[i] = (REAL)((1 - o->rate * o->decay) * (double)p[i]);
        else
            g += o->decay * (double)p[i];
        switch (o->kind) {
        case DESCENT_SGD:
            mi = o->momentum * mi + g;
            p[i] = (REAL)((double)p[i] - o->rate * mi);
            break;
        case DESCENT_ADAM:
        case DESCENT_ADAMW:
            mi = o->beta1 * mi + (1 - o->beta1) * g;
            vi = o->beta2 * vi + (1 - o->beta2) * g * g;
            p[i] = (REAL)((double)p[i] - o->rate / fix1 * mi / (sqrt(vi) / sqrt(fix2) + o->eps));
            break;
        case DESCENT_RMSPROP:
            vi = o->beta2 * vi + (1 - o->beta2) * g * g;
            p[i] = (REAL)((double)p[i] - o->rate * g / (sqrt(vi) + o->eps));
            break;
        }
        m[i] = (REAL)mi;
        v[i] = (REAL)vi;
    }
}

/* Each filling's file ends with its table. */
#define SMALL_TABLE                                                                                \
    {                                                                                              \
        product_forward, product_backward, pair_forward, pair_backward, map_forward, map_backward, \
            sum_forward, sum_backward, softmax_forward, softmax_backward, batch_norm_forward,      \
            batch_norm_backward, spread_forward, spread_backward, edge_attention_forward,          \
            edge_attention_backward, cross_attention_forward, cross_attention_backward,            \
            invert_forward, invert_backward, descend                                               \
    }
