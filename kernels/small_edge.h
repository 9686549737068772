/* Graph attention (struct op_edge_attention in lib/tensor/small.h); see small_body.h, which comes
 * before. EXP(x) is e^x of the filling, for x at most 0.
 *
 * Heads lie side by side: for one edge and one number of a vector, all heads are one run of memory,
 * so that a processor with lanes takes them at once. Hence `turned`, a copy of s with heads inside.
 * Eight heads are what one block of random bits serves (kernels/dropout_bits.h). What is added up
 * lies in arrays of the function, so that the compiler knows that nothing else changes it. */

enum { EDGE_ROWS = 16, EDGE_HEADS = 8, EDGE_CHUNK = 64, EDGE_COLUMNS = 8 };

/* factor[k][0..8) of edges first..first + n for heads 8 * block..: dropout_factor of row = edge,
 * col = head. Philox of DROP_LANES edges side by side; room for n rounded up to these. */
static void edge_factors(const struct dropout *d, size_t first, size_t n, uint32_t block,
                         REAL factor[][EDGE_HEADS])
{
    if (!d->threshold) {
        for (size_t k = 0; k < n; k++)
            for (int h = 0; h < EDGE_HEADS; h++)
                factor[k][h] = 1;
        return;
    }
    const REAL scale = (REAL)dropout_scale(d);
    const uint32_t threshold = d->threshold;
    for (size_t at = 0; at < n; at += DROP_LANES) {
        uint32_t c0[DROP_LANES], c1[DROP_LANES], c2[DROP_LANES], c3[DROP_LANES];
        for (size_t i = 0; i < DROP_LANES; i++) {
            const uint64_t key = d->row_key[first + (at + i < n ? at + i : n - 1)];
            c0[i] = (uint32_t)key;
            c1[i] = (uint32_t)(key >> 32);
            c2[i] = block;
            c3[i] = (uint32_t)RNG_DROPOUT;
        }
        dropout_rounds(d, c0, c1, c2, c3);
        for (int i = 0; i < DROP_LANES; i++) {
            const uint32_t w[4] = { c0[i], c1[i], c2[i], c3[i] };
            REAL *f = factor[at + (size_t)i];
            for (int h = 0; h < 4; h++) {
                f[2 * h] = (w[h] & 0xffff) < threshold ? 0 : scale;
                f[2 * h + 1] = w[h] >> 16 < threshold ? 0 : scale;
            }
        }
    }
}

/* out[i,h] = sum_c x[i,h,c] a[h,c] */
static void head_sums(const REAL *x, const REAL *a, REAL *out, size_t n, size_t heads, size_t c)
{
    for (size_t i = 0; i < n; i++)
        for (size_t h = 0; h < heads; h++)
            out[i * heads + h] = dot_row(x + (i * heads + h) * c, a + h * c, c);
}

static void turn_rows(void *ctx, size_t block, int worker)
{
    const struct op_edge_attention *o = ctx;
    const size_t heads = o->heads, c = o->c, end = (block + 1) * SMALL_ROWS;
    (void)worker;
    for (size_t j = block * SMALL_ROWS; j < o->e->n_from && j < end; j++) {
        const REAL *from = (const REAL *)o->s + j * heads * c;
        REAL *to = (REAL *)o->turned + j * heads * c;
        for (size_t h = 0; h < heads; h++)
            for (size_t k = 0; k < c; k++)
                to[k * heads + h] = from[h * c + k];
    }
}

/* Scores of edge k into destination i, heads h0 .. h0 + n. */
static inline void edge_scores(const struct op_edge_attention *o, uint32_t k, size_t i, size_t h0,
                               size_t n, REAL score[EDGE_HEADS])
{
    const REAL *from = (const REAL *)o->sum_s + o->e->from[k] * o->heads + h0,
               *to = (const REAL *)o->sum_d + i * o->heads + h0, slope = (REAL)o->slope;
    LANES
    for (size_t h = 0; h < n; h++) {
        const REAL v = from[h] + to[h];
        score[h] = v > 0 ? v : slope * v;
    }
}

/* Shares of the edges of destination i, and their weights; n is a constant where it is EDGE_HEADS.
 */
static inline void edge_shares(const struct op_edge_attention *o, size_t i, size_t h0, size_t n)
{
    const struct edges *e = o->e;
    const size_t heads = o->heads;
    REAL top[EDGE_HEADS], v[EDGE_HEADS], factor[EDGE_CHUNK][EDGE_HEADS];
    double sum[EDGE_HEADS];
    LANES
    for (size_t h = 0; h < n; h++) {
        top[h] = -INFINITY;
        sum[h] = 0;
    }
    for (uint32_t k = e->first[i]; k < e->first[i + 1]; k++) {
        edge_scores(o, k, i, h0, n, v);
        LANES
        for (size_t h = 0; h < n; h++)
            top[h] = v[h] > top[h] ? v[h] : top[h];
    }
    for (uint32_t k = e->first[i]; k < e->first[i + 1]; k++) {
        edge_scores(o, k, i, h0, n, v);
        LANES
        for (size_t h = 0; h < n; h++) {
            v[h] = EXP(v[h] - top[h]);
            sum[h] += (double)v[h];
        }
        memcpy((REAL *)o->share + k * heads + h0, v, n * sizeof *v);
    }
    REAL part[EDGE_HEADS];
    LANES
    for (size_t h = 0; h < n; h++)
        part[h] = (REAL)(1 / sum[h]);
    for (uint32_t at = e->first[i]; at < e->first[i + 1]; at += EDGE_CHUNK) {
        const uint32_t end =
            e->first[i + 1] - at < EDGE_CHUNK ? e->first[i + 1] : at + (uint32_t)EDGE_CHUNK;
        edge_factors(&o->drop, at, end - at, (uint32_t)(h0 / EDGE_HEADS), factor);
        for (uint32_t k = at; k < end; k++) {
            REAL *share = (REAL *)o->share + k * heads + h0, w[EDGE_HEADS];
            memcpy(v, share, n * sizeof *v);
            LANES
            for (size_t h = 0; h < n; h++) {
                v[h] *= part[h];
                w[h] = v[h] * factor[k - at][h] / (REAL)heads;
            }
            memcpy(share, v, n * sizeof *v);
            memcpy((REAL *)o->weight + k * heads + h0, w, n * sizeof *w);
        }
    }
}

/* sum over edges of weight s, for numbers j0 .. j0 + m of the vectors, of which y gets the sum over
 * these heads. */
static inline void edge_sums(const struct op_edge_attention *o, size_t i, size_t h0, size_t n,
                             size_t j0, size_t m)
{
    const struct edges *e = o->e;
    const size_t heads = o->heads;
    REAL sum[EDGE_COLUMNS][EDGE_HEADS] = { { 0 } }, *y = (REAL *)o->y + i * o->c + j0;
    for (uint32_t k = e->first[i]; k < e->first[i + 1]; k++) {
        const REAL *s = (const REAL *)o->turned + (e->from[k] * o->c + j0) * heads + h0,
                   *weight = (const REAL *)o->weight + k * heads + h0;
        for (size_t j = 0; j < m; j++)
            LANES
        for (size_t h = 0; h < n; h++)
            sum[j][h] += weight[h] * s[j * heads + h];
    }
    for (size_t j = 0; j < m; j++)
        LANES
    for (size_t h = 0; h < n; h++)
        y[j] += sum[j][h];
}

static void edge_rows(void *ctx, size_t block, int worker)
{
    const struct op_edge_attention *o = ctx;
    const size_t heads = o->heads, c = o->c;
    (void)worker;
    for (size_t i = block * EDGE_ROWS; i < o->e->n_to && i < (block + 1) * EDGE_ROWS; i++) {
        memset((REAL *)o->y + i * c, 0, c * sizeof(REAL));
        for (size_t h = 0; h < heads; h += EDGE_HEADS) {
            const size_t n = heads - h < EDGE_HEADS ? heads - h : EDGE_HEADS;
            if (n == EDGE_HEADS)
                edge_shares(o, i, h, EDGE_HEADS);
            else
                edge_shares(o, i, h, n);
            for (size_t j = 0; j < c; j += EDGE_COLUMNS) {
                const size_t m = c - j < EDGE_COLUMNS ? c - j : EDGE_COLUMNS;
                if (n == EDGE_HEADS)
                    edge_sums(o, i, h, EDGE_HEADS, j, m);
                else
                    edge_sums(o, i, h, n, j, m);
            }
        }
    }
}

static void edge_attention_forward(const struct op_edge_attention *o)
{
    head_sums(o->s, o->a_s, o->sum_s, o->e->n_from, o->heads, o->c);
    head_sums(o->d, o->a_d, o->sum_d, o->e->n_to, o->heads, o->c);
    threads_for(blocks(o->e->n_from, SMALL_ROWS), turn_rows, (void *)(uintptr_t)o);
    threads_for(blocks(o->e->n_to, EDGE_ROWS), edge_rows, (void *)(uintptr_t)o);
}

/* Parts of o->work. */
static REAL *edge_d_score(const struct op_edge_attention *o)
{
    return o->work; /* [n_edges,H] */
}

static REAL *edge_d_sum_s(const struct op_edge_attention *o)
{
    return edge_d_score(o) + o->e->n_edges * o->heads; /* [n_from,H] */
}

static REAL *edge_d_sum_d(const struct op_edge_attention *o)
{
    return edge_d_sum_s(o) + o->e->n_from * o->heads; /* [n_to,H] */
}

/* Gradient of the scores of every edge, and of the sums of the destinations. With w the weight of
 * an edge, p its share and g = sum_c dy s: d score = (g w - p mean) slope, mean = sum over edges g
 * w. */
static inline void edge_heads_back(const struct op_edge_attention *o, size_t i, size_t h0, size_t n)
{
    const struct edges *e = o->e;
    const size_t heads = o->heads, c = o->c;
    const REAL *dy = (const REAL *)o->dy + i * c;
    double mean[EDGE_HEADS] = { 0 }, sum[EDGE_HEADS] = { 0 };
    REAL g[EDGE_HEADS], v[EDGE_HEADS], slope = (REAL)o->slope;
    for (uint32_t k = e->first[i]; k < e->first[i + 1]; k++) {
        const REAL *s = (const REAL *)o->turned + e->from[k] * heads * c + h0,
                   *weight = (const REAL *)o->weight + k * heads + h0;
        memset(g, 0, sizeof g);
        for (size_t j = 0; j < c; j++)
            LANES
        for (size_t h = 0; h < n; h++)
            g[h] += dy[j] * s[j * heads + h];
        LANES
        for (size_t h = 0; h < n; h++) {
            g[h] *= weight[h];
            mean[h] += (double)g[h];
        }
        memcpy(edge_d_score(o) + k * heads + h0, g, n * sizeof *g);
    }
    for (uint32_t k = e->first[i]; k < e->first[i + 1]; k++) {
        const REAL *share = (const REAL *)o->share + k * heads + h0;
        REAL *d_score = edge_d_score(o) + k * heads + h0;
        memcpy(g, d_score, n * sizeof *g);
        edge_scores(o, k, i, h0, n, v);
        LANES
        for (size_t h = 0; h < n; h++) {
            g[h] = (REAL)((double)g[h] - (double)share[h] * mean[h]) * (v[h] > 0 ? 1 : slope);
            sum[h] += (double)g[h];
        }
        memcpy(d_score, g, n * sizeof *g);
    }
    LANES
    for (size_t h = 0; h < n; h++)
        edge_d_sum_d(o)[i * heads + h0 + h] = (REAL)sum[h];
}

static void edge_scores_back(void *ctx, size_t block, int worker)
{
    const struct op_edge_attention *o = ctx;
    (void)worker;
    for (size_t i = block * EDGE_ROWS; i < o->e->n_to && i < (block + 1) * EDGE_ROWS; i++)
        for (size_t h = 0; h < o->heads; h += EDGE_HEADS)
            if (o->heads - h >= EDGE_HEADS)
                edge_heads_back(o, i, h, EDGE_HEADS);
            else
                edge_heads_back(o, i, h, o->heads - h);
}

/* Numbers j0 .. j0 + m of the vector of source j, heads h0 .. h0 + n. */
static inline void edge_source_back(const struct op_edge_attention *o, size_t j, size_t h0,
                                    size_t n, size_t j0, size_t m)
{
    const struct edges *e = o->e;
    const size_t heads = o->heads, c = o->c;
    const REAL *a = (const REAL *)o->a_s;
    REAL d[EDGE_COLUMNS][EDGE_HEADS] = { { 0 } }, *ds = (REAL *)o->ds + j * heads * c;
    double sum[EDGE_HEADS] = { 0 };
    for (uint32_t b = e->back_first[j]; b < e->back_first[j + 1]; b++) {
        const REAL *d_score = edge_d_score(o) + e->back_edge[b] * heads + h0,
                   *weight = (const REAL *)o->weight + e->back_edge[b] * heads + h0,
                   *dy = (const REAL *)o->dy + e->back_to[b] * c + j0;
        LANES
        for (size_t h = 0; h < n; h++)
            sum[h] += (double)d_score[h];
        for (size_t k = 0; k < m; k++)
            LANES
        for (size_t h = 0; h < n; h++)
            d[k][h] += dy[k] * weight[h];
    }
    LANES
    for (size_t h = 0; h < n; h++)
        edge_d_sum_s(o)[j * heads + h0 + h] = (REAL)sum[h];
    for (size_t h = 0; o->ds && h < n; h++)
        for (size_t k = 0; k < m; k++) {
            const size_t at = (h0 + h) * c + j0 + k;
            ds[at] += d[k][h] + (REAL)sum[h] * a[at];
        }
}

static void edge_sources_back(void *ctx, size_t block, int worker)
{
    const struct op_edge_attention *o = ctx;
    const size_t heads = o->heads, c = o->c, end = (block + 1) * SMALL_ROWS;
    (void)worker;
    for (size_t j = block * SMALL_ROWS; j < o->e->n_from && j < end; j++)
        for (size_t h = 0; h < heads; h += EDGE_HEADS)
            for (size_t k = 0; k < c; k += EDGE_COLUMNS) {
                const size_t m = c - k < EDGE_COLUMNS ? c - k : EDGE_COLUMNS;
                if (heads - h >= EDGE_HEADS)
                    edge_source_back(o, j, h, EDGE_HEADS, k, m);
                else
                    edge_source_back(o, j, h, heads - h, k, m);
            }
}

static void edge_attention_backward(const struct op_edge_attention *o)
{
    const struct edges *e = o->e;
    const size_t heads = o->heads, c = o->c;
    const REAL *d_sum_s = edge_d_sum_s(o), *d_sum_d = edge_d_sum_d(o), *s = o->s, *d = o->d,
               *a_d = o->a_d;
    REAL *dd = o->dd, *da_s = o->da_s, *da_d = o->da_d;
    threads_for(blocks(e->n_to, EDGE_ROWS), edge_scores_back, (void *)(uintptr_t)o);
    threads_for(blocks(e->n_from, SMALL_ROWS), edge_sources_back, (void *)(uintptr_t)o);
    for (size_t i = 0; i < e->n_to * heads; i++) {
        if (dd)
            add_row(dd + i * c, a_d + i % heads * c, d_sum_d[i], c);
        if (da_d)
            add_row(da_d + i % heads * c, d + i * c, d_sum_d[i], c);
    }
    for (size_t j = 0; da_s && j < e->n_from * heads; j++)
        add_row(da_s + j % heads * c, s + j * c, d_sum_s[j], c);
}
