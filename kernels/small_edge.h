/* Graph attention (struct op_edge_attention in lib/tensor/small.h); see small_body.h, which comes
 * before. EXP(x) is e^x of the filling, for x at most 0.
 *
 * Heads lie side by side: for one edge and one number of a vector, all heads are one run of memory,
 * so that a processor with lanes takes them at once. Hence `turned`, a copy of s with heads inside.
 * Eight heads are what one block of random bits serves (kernels/dropout_bits.h). */

enum { EDGE_ROWS = 16, EDGE_HEADS = 8, EDGE_CHUNK = 64 };

/* factor[k][0..8) of edges first..first + n for heads 8 * block..: dropout_factor of row = edge, col =
 * head; Philox of DROP_LANES edges side by side. */
static void edge_factors(const struct dropout *d, size_t first, size_t n, uint32_t block,
                         REAL factor[][EDGE_HEADS])
{
    enum { LANES = 8 };
    const REAL scale = d->threshold ? (REAL)dropout_scale(d) : 1;
    for (size_t at = 0; at < n; at += LANES) {
        uint32_t c0[LANES], c1[LANES], c2[LANES], c3[LANES];
        uint32_t k0 = (uint32_t)d->seed, k1 = (uint32_t)(d->seed >> 32);
        for (size_t i = 0; d->threshold && i < LANES; i++) {
            const uint64_t key = d->row_key[first + (at + i < n ? at + i : n - 1)];
            c0[i] = (uint32_t)key;
            c1[i] = (uint32_t)(key >> 32);
            c2[i] = block;
            c3[i] = (uint32_t)RNG_DROPOUT;
        }
        for (int round = 0; d->threshold && round < 10; round++) {
            for (int i = 0; i < LANES; i++) {
                const uint64_t p0 = (uint64_t)0xD2511F53u * c0[i], p1 = (uint64_t)0xCD9E8D57u * c2[i];
                c0[i] = (uint32_t)(p1 >> 32) ^ c1[i] ^ k0;
                c1[i] = (uint32_t)p1;
                c2[i] = (uint32_t)(p0 >> 32) ^ c3[i] ^ k1;
                c3[i] = (uint32_t)p0;
            }
            k0 += 0x9E3779B9u;
            k1 += 0xBB67AE85u;
        }
        for (size_t i = 0; i < LANES && at + i < n; i++)
            for (int h = 0; h < EDGE_HEADS; h++) {
                REAL *f = &factor[at + i][h];
                *f = 1;
                if (!d->threshold)
                    continue;
                const uint32_t w = h < 2 ? c0[i] : h < 4 ? c1[i] : h < 6 ? c2[i] : c3[i];
                *f = (h % 2 ? w >> 16 : w & 0xffff) < d->threshold ? 0 : scale;
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

static inline REAL edge_score(const struct op_edge_attention *o, size_t from, size_t to, size_t h)
{
    const REAL v = ((const REAL *)o->sum_s)[from * o->heads + h] +
                   ((const REAL *)o->sum_d)[to * o->heads + h];
    return v > 0 ? v : (REAL)o->slope * v;
}

/* Destination i, heads h0 .. h0 + n; called with a constant n where it is EDGE_HEADS. */
static inline void edge_heads(const struct op_edge_attention *o, size_t i, size_t h0, size_t n)
{
    const struct edges *e = o->e;
    const size_t heads = o->heads, c = o->c;
    REAL top[EDGE_HEADS], factor[EDGE_CHUNK][EDGE_HEADS];
    double sum[EDGE_HEADS];
    REAL *sums = (REAL *)o->sums + i * heads * c + h0;
    for (size_t h = 0; h < n; h++) {
        top[h] = -INFINITY;
        sum[h] = 0;
    }
    for (uint32_t k = e->first[i]; k < e->first[i + 1]; k++) {
        REAL *share = (REAL *)o->share + k * heads + h0;
        for (size_t h = 0; h < n; h++) {
            share[h] = edge_score(o, e->from[k], i, h0 + h);
            top[h] = share[h] > top[h] ? share[h] : top[h];
        }
    }
    for (uint32_t k = e->first[i]; k < e->first[i + 1]; k++) {
        REAL *share = (REAL *)o->share + k * heads + h0;
        for (size_t h = 0; h < n; h++) {
            share[h] = EXP(share[h] - top[h]);
            sum[h] += (double)share[h];
        }
    }
    for (size_t h = 0; h < n; h++)
        sum[h] = 1 / sum[h];
    for (uint32_t at = e->first[i]; at < e->first[i + 1]; at += EDGE_CHUNK) {
        const uint32_t end =
            e->first[i + 1] - at < EDGE_CHUNK ? e->first[i + 1] : at + (uint32_t)EDGE_CHUNK;
        edge_factors(&o->drop, at, end - at, (uint32_t)(h0 / EDGE_HEADS), factor);
        for (uint32_t k = at; k < end; k++) {
            REAL *share = (REAL *)o->share + k * heads + h0,
                 *weight = (REAL *)o->weight + k * heads + h0;
            const REAL *s = (const REAL *)o->turned + e->from[k] * heads * c + h0;
            for (size_t h = 0; h < n; h++) {
                share[h] = (REAL)((double)share[h] * sum[h]);
                weight[h] = share[h] * factor[k - at][h] / (REAL)heads;
            }
            for (size_t j = 0; j < c; j++)
                for (size_t h = 0; h < n; h++)
                    sums[j * heads + h] += weight[h] * s[j * heads + h];
        }
    }
}

static void edge_rows(void *ctx, size_t block, int worker)
{
    const struct op_edge_attention *o = ctx;
    const size_t heads = o->heads, c = o->c;
    (void)worker;
    for (size_t i = block * EDGE_ROWS; i < o->e->n_to && i < (block + 1) * EDGE_ROWS; i++) {
        REAL *sums = (REAL *)o->sums + i * heads * c, *y = (REAL *)o->y + i * c;
        memset(sums, 0, heads * c * sizeof *sums);
        for (size_t h = 0; h < heads; h += EDGE_HEADS)
            if (heads - h >= EDGE_HEADS)
                edge_heads(o, i, h, EDGE_HEADS);
            else
                edge_heads(o, i, h, heads - h);
        for (size_t j = 0; j < c; j++) {
            y[j] = 0;
            for (size_t h = 0; h < heads; h++)
                y[j] += sums[j * heads + h];
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

static REAL *edge_d_turned(const struct op_edge_attention *o)
{
    return edge_d_sum_d(o) + o->e->n_to * o->heads; /* [n_from,C,H] */
}

/* Gradient of the scores of every edge, and of the sums of the destinations. With w the weight of an
 * edge, p its share and g = sum_c dy s: d score = (g w - p mean) slope, mean = sum over edges g w. */
static inline void edge_heads_back(const struct op_edge_attention *o, size_t i, size_t h0, size_t n)
{
    const struct edges *e = o->e;
    const size_t heads = o->heads, c = o->c;
    const REAL *dy = (const REAL *)o->dy + i * c;
    double mean[EDGE_HEADS] = { 0 }, sum[EDGE_HEADS] = { 0 };
    for (uint32_t k = e->first[i]; k < e->first[i + 1]; k++) {
        const REAL *s = (const REAL *)o->turned + e->from[k] * heads * c + h0,
                   *weight = (const REAL *)o->weight + k * heads + h0;
        REAL *d_score = edge_d_score(o) + k * heads + h0, g[EDGE_HEADS] = { 0 };
        for (size_t j = 0; j < c; j++)
            for (size_t h = 0; h < n; h++)
                g[h] += dy[j] * s[j * heads + h];
        for (size_t h = 0; h < n; h++) {
            d_score[h] = g[h] * weight[h];
            mean[h] += (double)d_score[h];
        }
    }
    for (uint32_t k = e->first[i]; k < e->first[i + 1]; k++) {
        const REAL *share = (const REAL *)o->share + k * heads + h0;
        REAL *d_score = edge_d_score(o) + k * heads + h0;
        for (size_t h = 0; h < n; h++) {
            const REAL v = edge_score(o, e->from[k], i, h0 + h);
            d_score[h] = (REAL)((double)d_score[h] - (double)share[h] * mean[h]) *
                         (v > 0 ? 1 : (REAL)o->slope);
            sum[h] += (double)d_score[h];
        }
    }
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

static inline void edge_source_back(const struct op_edge_attention *o, size_t j, size_t h0, size_t n)
{
    const struct edges *e = o->e;
    const size_t heads = o->heads, c = o->c;
    REAL *turned = edge_d_turned(o) + j * heads * c + h0;
    double sum[EDGE_HEADS] = { 0 };
    for (uint32_t b = e->back_first[j]; b < e->back_first[j + 1]; b++) {
        const REAL *d_score = edge_d_score(o) + e->back_edge[b] * heads + h0,
                   *weight = (const REAL *)o->weight + e->back_edge[b] * heads + h0,
                   *dy = (const REAL *)o->dy + e->back_to[b] * c;
        for (size_t h = 0; h < n; h++)
            sum[h] += (double)d_score[h];
        for (size_t k = 0; k < c; k++)
            for (size_t h = 0; h < n; h++)
                turned[k * heads + h] += dy[k] * weight[h];
    }
    for (size_t h = 0; h < n; h++)
        edge_d_sum_s(o)[j * heads + h0 + h] = (REAL)sum[h];
}

static void edge_sources_back(void *ctx, size_t block, int worker)
{
    const struct op_edge_attention *o = ctx;
    const size_t heads = o->heads, c = o->c, end = (block + 1) * SMALL_ROWS;
    (void)worker;
    for (size_t j = block * SMALL_ROWS; j < o->e->n_from && j < end; j++) {
        REAL *turned = edge_d_turned(o) + j * heads * c;
        memset(turned, 0, heads * c * sizeof *turned);
        for (size_t h = 0; h < heads; h += EDGE_HEADS)
            if (heads - h >= EDGE_HEADS)
                edge_source_back(o, j, h, EDGE_HEADS);
            else
                edge_source_back(o, j, h, heads - h);
        REAL *ds = o->ds ? (REAL *)o->ds + j * heads * c : NULL;
        for (size_t h = 0; ds && h < heads; h++)
            for (size_t k = 0; k < c; k++)
                ds[h * c + k] += turned[k * heads + h] +
                                 edge_d_sum_s(o)[j * heads + h] * ((const REAL *)o->a_s)[h * c + k];
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
