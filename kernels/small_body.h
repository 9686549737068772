/* The small operations for one type of number; contracts in lib/tensor/small.h. No include guard:
 * kernels/small_ref.c and kernels/small_cpu.c include it with
 *   REAL       double or float
 *   MULTIPLY   (ta, tb, m, n, k, a, ld_a, b, ld_b, beta, c, ld_c): C = op(A) op(B) + beta C on the
 *              calling thread
 *   F(x)       math function of that type, e.g. F(exp)
 *   EXP(x)     e^x for x at most 0
 *   LANES      before a loop whose rounds may go side by side
 * Sums over more than a row are in double in both. Work is cut into blocks of rows of the output,
 * so the number of threads changes nothing. */

enum { SMALL_ROWS = 64, SMALL_ITEMS = 1 << 14 };

static size_t blocks(size_t n, size_t size)
{
    return (n + size - 1) / size;
}

/* to[0..d) += w * from[0..d) */
static void add_row(REAL *to, const REAL *from, REAL w, size_t d)
{
    for (size_t j = 0; j < d; j++)
        to[j] += w * from[j];
}

static REAL dot_row(const REAL *a, const REAL *b, size_t d)
{
    REAL s = 0;
    for (size_t j = 0; j < d; j++)
        s += a[j] * b[j];
    return s;
}

/* rows `at`.. of op(a): a pointer into a. */
static const REAL *rows_of(const REAL *a, bool transposed, size_t ld, size_t at)
{
    return a + (transposed ? at : at * ld);
}

/* One product c = op(a) op(b) + beta c, rows of c shared out. */
struct shared_product {
    char ta, tb;
    size_t m, n, k, ld_a, ld_b;
    const REAL *a, *b;
    REAL beta, *c;
};

static void product_rows(void *ctx, size_t block, int worker)
{
    const struct shared_product *p = ctx;
    (void)worker;
    const size_t at = block * SMALL_ROWS, m = p->m - at < SMALL_ROWS ? p->m - at : SMALL_ROWS;
    MULTIPLY(p->ta, p->tb, m, p->n, p->k, rows_of(p->a, p->ta == 'T', p->ld_a, at), p->ld_a, p->b,
             p->ld_b, p->beta, p->c + at * p->n, p->n);
}

static void product_shared(struct shared_product p)
{
    if (p.m && p.n)
        threads_for(blocks(p.m, SMALL_ROWS), product_rows, &p);
}

static void product_forward(const struct op_product *o)
{
    product_shared((struct shared_product){ o->ta ? 'T' : 'N', o->tb ? 'T' : 'N', o->n, o->m, o->k,
                                            o->ta ? o->n : o->k, o->tb ? o->k : o->m, o->a, o->b, 0,
                                            o->y });
}

/* A = op(a): dA = dY B', dB = A' dY; the gradient of a transposed one is the transposed of that. */
static void product_backward(const struct op_product *o)
{
    const size_t ld_a = o->ta ? o->n : o->k, ld_b = o->tb ? o->k : o->m;
    if (o->da && !o->ta)
        product_shared((struct shared_product){ 'N', o->tb ? 'N' : 'T', o->n, o->k, o->m, o->m,
                                                ld_b, o->dy, o->b, 1, o->da });
    if (o->da && o->ta)
        product_shared((struct shared_product){ o->tb ? 'T' : 'N', 'T', o->k, o->n, o->m, ld_b,
                                                o->m, o->b, o->dy, 1, o->da });
    if (o->db && !o->tb)
        product_shared((struct shared_product){ o->ta ? 'N' : 'T', 'N', o->k, o->m, o->n, ld_a,
                                                o->m, o->a, o->dy, 1, o->db });
    if (o->db && o->tb)
        product_shared((struct shared_product){ 'T', o->ta ? 'T' : 'N', o->m, o->k, o->n, o->m,
                                                ld_a, o->dy, o->a, 1, o->db });
}

static void pair_rows(void *ctx, size_t block, int worker)
{
    const struct op_pair *o = ctx;
    (void)worker;
    const REAL *x = o->x, *z = o->z, c = (REAL)o->c;
    REAL *y = o->y;
    const size_t d = o->d, step = o->d_z > 1 || d == 1;
    for (size_t i = block * SMALL_ROWS; i < o->n && i < (block + 1) * SMALL_ROWS; i++) {
        const REAL *zi = z + i % o->n_z * o->d_z;
        for (size_t j = 0; j < d; j++)
            y[i * d + j] = o->kind == PAIR_ADD ? x[i * d + j] + c * zi[j * step]
                                               : c * x[i * d + j] * zi[j * step];
    }
}

static void pair_forward(const struct op_pair *o)
{
    threads_for(blocks(o->n, SMALL_ROWS), pair_rows, (void *)(uintptr_t)o);
}

static void pair_back_rows(void *ctx, size_t block, int worker)
{
    const struct op_pair *o = ctx;
    (void)worker;
    const REAL *z = o->z, *dy = o->dy, c = (REAL)o->c;
    REAL *dx = o->dx;
    const size_t d = o->d, step = o->d_z > 1 || d == 1;
    for (size_t i = block * SMALL_ROWS; i < o->n && i < (block + 1) * SMALL_ROWS; i++) {
        const REAL *zi = z + i % o->n_z * o->d_z;
        for (size_t j = 0; j < d; j++)
            dx[i * d + j] += o->kind == PAIR_ADD ? dy[i * d + j] : c * dy[i * d + j] * zi[j * step];
    }
}

/* Row r of z is summed over the rows that it stands for, in order; columns at.. at + m of it. */
static void pair_back_z(const struct op_pair *o, size_t r, size_t at, size_t m)
{
    const REAL *x = o->x, *dy = o->dy, c = (REAL)o->c;
    REAL *dz = (REAL *)o->dz + r * o->d_z;
    const size_t d = o->d, step = o->d_z > 1 || d == 1;
    for (size_t i = r; i < o->n; i += o->n_z)
        for (size_t j = at; j < at + m; j++)
            dz[j * step] += c * (o->kind == PAIR_ADD ? dy[i * d + j] : dy[i * d + j] * x[i * d + j]);
}

/* Blocks of rows of z, then of columns where z has them. */
enum { PAIR_COLUMNS = 32 };

static void pair_back_z_block(void *ctx, size_t task, int worker)
{
    const struct op_pair *o = ctx;
    (void)worker;
    const size_t wide = o->d_z > 1 ? blocks(o->d, PAIR_COLUMNS) : 1, block = task / wide,
                 at = o->d_z > 1 ? task % wide * PAIR_COLUMNS : 0,
                 m = o->d_z > 1 && o->d - at > PAIR_COLUMNS ? PAIR_COLUMNS : o->d - at;
    for (size_t r = block * SMALL_ROWS; r < o->n_z && r < (block + 1) * SMALL_ROWS; r++)
        pair_back_z(o, r, at, m);
}

static void pair_backward(const struct op_pair *o)
{
    if (o->dx)
        threads_for(blocks(o->n, SMALL_ROWS), pair_back_rows, (void *)(uintptr_t)o);
    if (o->dz)
        threads_for(blocks(o->n_z, SMALL_ROWS) * (o->d_z > 1 ? blocks(o->d, PAIR_COLUMNS) : 1),
                    pair_back_z_block, (void *)(uintptr_t)o);
}

static inline REAL map_value(enum map_kind kind, REAL x, REAL c)
{
    switch (kind) {
    case MAP_TANH:
        return F(tanh)(x);
    case MAP_RELU:
        return x > 0 ? x : 0 * x; /* NaN stays */
    case MAP_SIGMOID:
        return 1 / (1 + F(exp)(-x));
    case MAP_LEAKY:
        return x > 0 ? x : c * x;
    case MAP_SOFTPLUS: /* no overflow */
        return (x > 0 ? x : 0) + F(log1p)(F(exp)(-F(fabs)(x)));
    case MAP_LOG:
        return F(log)(x + c);
    case MAP_EXP:
        return F(exp)(x);
    case MAP_RSQRT:
        return 1 / F(sqrt)(x + c);
    case MAP_INVERSE:
        return 1 / (x + c);
    case MAP_SQUARE:
        return x * x;
    case MAP_ABS:
        return F(fabs)(x);
    case MAP_FLOOR:
        return x < c ? c : x;
    case MAP_STEP:
        return x > 0;
    }
    return x;
}

/* y = f(x) is at hand. */
static inline REAL map_slope(enum map_kind kind, REAL x, REAL y, REAL c)
{
    switch (kind) {
    case MAP_TANH:
        return 1 - y * y;
    case MAP_RELU:
        return x > 0;
    case MAP_SIGMOID:
        return y * (1 - y);
    case MAP_LEAKY:
        return x > 0 ? 1 : c;
    case MAP_SOFTPLUS:
        return 1 / (1 + F(exp)(-x));
    case MAP_LOG:
        return 1 / (x + c);
    case MAP_EXP:
        return y;
    case MAP_RSQRT:
        return -y / (2 * (x + c));
    case MAP_INVERSE:
        return -y * y;
    case MAP_SQUARE:
        return 2 * x;
    case MAP_ABS:
        return (REAL)((x > 0) - (x < 0));
    case MAP_FLOOR:
        return x < c ? (REAL)0 : (REAL)1;
    case MAP_STEP:
        return 0;
    }
    return 1;
}

/* A loop of its own for each kind, so that what is inside is a formula without a question. */
#define MAP_KINDS(LOOP)                                                                            \
    LOOP(MAP_TANH) LOOP(MAP_RELU) LOOP(MAP_SIGMOID) LOOP(MAP_LEAKY) LOOP(MAP_SOFTPLUS)             \
    LOOP(MAP_LOG) LOOP(MAP_EXP) LOOP(MAP_RSQRT) LOOP(MAP_INVERSE) LOOP(MAP_SQUARE) LOOP(MAP_ABS)   \
    LOOP(MAP_FLOOR) LOOP(MAP_STEP)

static void map_block(void *ctx, size_t block, int worker)
{
    const struct op_map *o = ctx;
    (void)worker;
    const size_t end = o->m < (block + 1) * SMALL_ITEMS ? o->m : (block + 1) * SMALL_ITEMS;
    const REAL *restrict x = o->x, c = (REAL)o->c;
    REAL *restrict y = o->y;
#define LOOP(k)                                                                                    \
    case k:                                                                                        \
        for (size_t i = block * SMALL_ITEMS; i < end; i++)                                         \
            y[i] = map_value(k, x[i], c);                                                          \
        break;
    switch (o->kind) {
        MAP_KINDS(LOOP)
    }
#undef LOOP
}

static void map_forward(const struct op_map *o)
{
    threads_for(blocks(o->m, SMALL_ITEMS), map_block, (void *)(uintptr_t)o);
}

static void map_back_block(void *ctx, size_t block, int worker)
{
    const struct op_map *o = ctx;
    (void)worker;
    const size_t end = o->m < (block + 1) * SMALL_ITEMS ? o->m : (block + 1) * SMALL_ITEMS;
    const REAL *restrict x = o->x, *restrict y = o->y, *restrict dy = o->dy, c = (REAL)o->c;
    REAL *restrict dx = o->dx;
#define LOOP(k)                                                                                    \
    case k:                                                                                        \
        for (size_t i = block * SMALL_ITEMS; i < end; i++)                                         \
            dx[i] += dy[i] * map_slope(k, x[i], y[i], c);                                          \
        break;
    switch (o->kind) {
        MAP_KINDS(LOOP)
    }
#undef LOOP
}

static void map_backward(const struct op_map *o)
{
    threads_for(blocks(o->m, SMALL_ITEMS), map_back_block, (void *)(uintptr_t)o);
}

static void sum_forward(const struct op_sum *o)
{
    const REAL *x = o->x;
    REAL *y = o->y;
    const size_t n_out = o->over_rows ? o->d : o->n, n_in = o->over_rows ? o->n : o->d;
    for (size_t i = 0; i < n_out; i++) {
        double s = 0;
        for (size_t k = 0; k < n_in; k++)
            s += (double)x[o->over_rows ? k * o->d + i : i * o->d + k];
        y[i] = (REAL)(o->c * s);
    }
}

static void sum_backward(const struct op_sum *o)
{
    const REAL *dy = o->dy;
    REAL *dx = o->dx;
    for (size_t i = 0; i < o->n; i++)
        for (size_t j = 0; j < o->d; j++)
            dx[i * o->d + j] += (REAL)o->c * dy[o->over_rows ? j : i];
}

static void softmax_forward(const struct op_softmax *o)
{
    const REAL *x = o->x;
    REAL *y = o->y;
    for (size_t i = 0; i < o->n; i++, x += o->d, y += o->d) {
        REAL top = x[0];
        double s = 0;
        for (size_t j = 1; j < o->d; j++)
            top = x[j] > top ? x[j] : top;
        for (size_t j = 0; j < o->d; j++) {
            y[j] = F(exp)(x[j] - top);
            s += (double)y[j];
        }
        for (size_t j = 0; j < o->d; j++)
            y[j] = (REAL)((double)y[j] / s);
    }
}

static void softmax_backward(const struct op_softmax *o)
{
    const REAL *y = o->y, *dy = o->dy;
    REAL *dx = o->dx;
    for (size_t i = 0; i < o->n; i++, y += o->d, dy += o->d, dx += o->d) {
        double s = 0;
        for (size_t j = 0; j < o->d; j++)
            s += (double)y[j] * (double)dy[j];
        for (size_t j = 0; j < o->d; j++)
            dx[j] += y[j] * (REAL)((double)dy[j] - s);
    }
}

/* A task owns a cache line of columns and walks the rows from the first to the last: a column's sum has
 * the order of its rows, and the columns side by side fill the lanes. */
enum { NORM_COLUMNS = 16 };

/* Mean and biased variance of columns at .. at + m, m at most NORM_COLUMNS. */
static void norm_moments(const REAL *x, size_t n, size_t d, size_t m, double *restrict mean,
                         double *restrict var)
{
    for (size_t j = 0; j < m; j++)
        mean[j] = var[j] = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < m; j++)
            mean[j] += (double)x[i * d + j];
    for (size_t j = 0; j < m; j++)
        mean[j] /= (double)n;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < m; j++)
            var[j] += ((double)x[i * d + j] - mean[j]) * ((double)x[i * d + j] - mean[j]);
    for (size_t j = 0; j < m; j++)
        var[j] /= (double)n;
}

static void norm_columns(void *ctx, size_t block, int worker)
{
    const struct op_batch_norm *o = ctx;
    (void)worker;
    const size_t d = o->d, n = o->n, at = block * NORM_COLUMNS,
                 m = d - at < NORM_COLUMNS ? d - at : NORM_COLUMNS;
    const REAL *x = (const REAL *)o->x + at, *gamma = o->gamma, *beta = o->beta;
    REAL *y = (REAL *)o->y + at, *run_mean = o->running_mean, *run_var = o->running_var;
    double mean[NORM_COLUMNS], var[NORM_COLUMNS], g[NORM_COLUMNS], b[NORM_COLUMNS];
    if (o->train)
        norm_moments(x, n, d, m, mean, var);
    for (size_t j = 0; j < m; j++) {
        const size_t k = at + j;
        if (o->train) {
            const double whole = n > 1 ? var[j] * (double)n / (double)(n - 1) : var[j];
            run_mean[k] = (REAL)((1 - o->momentum) * (double)run_mean[k] + o->momentum * mean[j]);
            run_var[k] = (REAL)((1 - o->momentum) * (double)run_var[k] + o->momentum * whole);
        } else {
            mean[j] = (double)run_mean[k];
            var[j] = (double)run_var[k];
        }
        o->mean[k] = mean[j];
        var[j] = o->rstd[k] = 1 / sqrt(var[j] + o->eps);
        g[j] = gamma ? (double)gamma[k] : 1;
        b[j] = beta ? (double)beta[k] : 0;
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < m; j++)
            y[i * d + j] = (REAL)(((double)x[i * d + j] - mean[j]) * var[j] * g[j] + b[j]);
}

static void batch_norm_forward(const struct op_batch_norm *o)
{
    if (o->n)
        threads_for(blocks(o->d, NORM_COLUMNS), norm_columns, (void *)(uintptr_t)o);
}

/* With h = dy gamma: dx = rstd (h - mean(h) - xhat mean(h xhat)); with running statistics the two
 * means are not there. */
static void norm_back_columns(void *ctx, size_t block, int worker)
{
    const struct op_batch_norm *o = ctx;
    (void)worker;
    const size_t d = o->d, n = o->n, at = block * NORM_COLUMNS,
                 m = d - at < NORM_COLUMNS ? d - at : NORM_COLUMNS;
    const REAL *x = (const REAL *)o->x + at, *gamma = o->gamma, *dy = (const REAL *)o->dy + at;
    REAL *dx = o->dx, *dgamma = o->dgamma, *dbeta = o->dbeta;
    double s[NORM_COLUMNS] = { 0 }, sx[NORM_COLUMNS] = { 0 }, g[NORM_COLUMNS] = { 0 };
    const double *mean = o->mean + at, *rstd = o->rstd + at;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < m; j++) {
            s[j] += (double)dy[i * d + j];
            sx[j] += (double)dy[i * d + j] * ((double)x[i * d + j] - mean[j]) * rstd[j];
        }
    for (size_t j = 0; j < m; j++) {
        if (dgamma)
            dgamma[at + j] += (REAL)sx[j];
        if (dbeta)
            dbeta[at + j] += (REAL)s[j];
        g[j] = (gamma ? (double)gamma[at + j] : 1) * rstd[j];
        s[j] = o->train ? s[j] / (double)n : 0;
        sx[j] = o->train ? sx[j] / (double)n : 0;
    }
    for (size_t i = 0; dx && i < n; i++)
        for (size_t j = 0; j < m; j++)
            dx[i * d + at + j] +=
                (REAL)(g[j] * ((double)dy[i * d + j] - s[j] -
                               ((double)x[i * d + j] - mean[j]) * rstd[j] * sx[j]));
}

static void batch_norm_backward(const struct op_batch_norm *o)
{
    if (o->n)
        threads_for(blocks(o->d, NORM_COLUMNS), norm_back_columns, (void *)(uintptr_t)o);
}
