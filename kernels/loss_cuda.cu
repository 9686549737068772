/* Losses on a device. id_loss in chunks of ID_ROWS rows, so that the logits of all rows never
 * exist: 1 logits = z e^T + b           product, bias in its epilogue 2 a block owns a row: largest
 * logit and its class, sum of exponentials, loss; then the logits become the gradient in place,
 * scale (softmax - [label])       three passes, 16 bytes an item 3 dz += g e, de += g^T z products;
 * db += column sums of g. With bf16 step 2 is two passes, 10 bytes an item, the gradient is written
 * rounded and db adds what is rounded (2 bytes an item). For V = 50,558 a chunk is 104 MB of
 * logits, and the products are 77 flops a byte of it at D = 768. With bf16, e is packed once, z
 * once per chunk. */
#include "kernels/cuda_ops.h"

#include "kernels/cuda_pack.h"
#include "kernels/cuda_sums.h"
#include "kernels/cuda_tree.h"

enum { ID_ROWS = 512 };

struct id_work {
    size_t rows, logits, losses, sums, packs; /* bytes; rows: of a chunk */
};

static struct id_work id_work_of(const struct cuda *c, const struct op_id_loss *o)
{
    struct id_work w = { .rows = o->n < ID_ROWS ? o->n : (size_t)ID_ROWS,
                         .logits = 0,
                         .losses = 0,
                         .sums = 0,
                         .packs = 0 };
    w.logits = (w.rows * o->n_class * sizeof(float) + 255) / 256 * 256;
    w.losses = (o->n * sizeof(double) + cuda_tree_bytes(o->n) + 511) / 256 * 256;
    w.sums = (op_row_work(w.rows, o->n_class) * sizeof(float) + 255) / 256 * 256;
    w.packs = cuda_pack_bytes(c, o->n_class, o->d) + cuda_pack_bytes(c, w.rows, o->d) +
              cuda_pack_bytes(c, w.rows, o->n_class);
    return w;
}

size_t id_loss_work_cuda(const struct cuda *c, const struct op_id_loss *o)
{
    const struct id_work w = id_work_of(c, o);
    return w.logits + w.losses + w.sums + w.packs;
}

struct best {
    float max;
    uint32_t at;
};

/* The larger logit, the lower class on ties; a NaN never wins, as in the reference. */
static __device__ __forceinline__ struct best better(struct best a, struct best b)
{
    const bool second = b.max > a.max || (b.max == a.max && b.at < a.at);
    return second ? b : a;
}

static __device__ struct best row_best(const float *l, size_t n, struct best *shared)
{
    struct best b = { -INFINITY, UINT32_MAX };
    for (size_t j = threadIdx.x; j < n; j += CUDA_THREADS)
        if (l[j] > b.max)
            b = { l[j], (uint32_t)j };
    shared[threadIdx.x] = b;
    for (unsigned half = CUDA_THREADS / 2; half; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half)
            shared[threadIdx.x] = better(shared[threadIdx.x], shared[threadIdx.x + half]);
    }
    __syncthreads();
    return shared[0];
}

static __device__ float row_sum(const float *l, size_t n, float max, float *shared)
{
    float s = 0;
    for (size_t j = threadIdx.x; j < n; j += CUDA_THREADS)
        s += expf(l[j] - max);
    shared[threadIdx.x] = s;
    for (unsigned half = CUDA_THREADS / 2; half; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half)
            shared[threadIdx.x] += shared[threadIdx.x + half];
    }
    __syncthreads();
    return shared[0];
}

static __device__ __forceinline__ void id_row_loss(const struct op_id_loss &o, size_t i,
                                                   float logit, const struct best &b, float sum,
                                                   double *row_loss)
{
    row_loss[i] = ((double)b.max - (double)logit) + log((double)sum);
    if (o.row_loss)
        o.row_loss[i] = row_loss[i];
    if (o.best)
        o.best[i] = b.at == UINT32_MAX ? 0 : b.at;
}

/* Row `blockIdx.x` of the chunk whose first row is `at`. */
static __global__ void id_rows(struct op_id_loss o, size_t at, float *logits, double *row_loss,
                               bool gradient)
{
    __shared__ struct best shared_best[CUDA_THREADS];
    __shared__ float shared_sum[CUDA_THREADS];
    const size_t i = at + blockIdx.x, n = o.n_class;
    const uint32_t label = o.label[i];
    float *l = logits + blockIdx.x * n;
    const struct best b = row_best(l, n, shared_best);
    const float sum = row_sum(l, n, b.max, shared_sum);
    const float log_sum = b.max + logf(sum);
    if (threadIdx.x == 0)
        id_row_loss(o, i, l[label], b, sum, row_loss);
    if (!gradient)
        return;
    __syncthreads(); /* l[label] was read */
    const float scale = (float)o.scale;
    for (size_t j = threadIdx.x; j < n; j += CUDA_THREADS)
        l[j] = scale * (expf(l[j] - log_sum) - (j == label ? 1.0f : 0.0f));
}

/* What a thread has seen of a row: the sum of exp(x - best.max), 0 at first. */
struct soft {
    struct best best;
    float sum;
};

static __device__ __forceinline__ struct soft soft_join(const struct soft &a, const struct soft &b)
{
    const struct best best = better(a.best, b.best);
    const float of_a = a.sum == 0 ? 0 : a.sum * expf(a.best.max - best.max);
    const float of_b = b.sum == 0 ? 0 : b.sum * expf(b.best.max - best.max);
    return { best, of_a + of_b };
}

/* The same sums and the best class in one pass. */
static __device__ struct soft row_soft(const float *l, size_t n, struct soft *shared)
{
    struct soft s = { { -INFINITY, UINT32_MAX }, 0 };
    for (size_t j = threadIdx.x; j < n; j += CUDA_THREADS) {
        if (l[j] > s.best.max) {
            s.sum = s.sum == 0 ? 1 : s.sum * expf(s.best.max - l[j]) + 1;
            s.best = { l[j], (uint32_t)j };
        } else if (l[j] != -INFINITY)
            s.sum += expf(l[j] - s.best.max); /* NaN of a NaN */
    }
    shared[threadIdx.x] = s;
    for (unsigned half = CUDA_THREADS / 2; half; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half)
            shared[threadIdx.x] = soft_join(shared[threadIdx.x], shared[threadIdx.x + half]);
    }
    __syncthreads();
    return shared[0];
}

/* id_rows with bf16: the gradient is written rounded, rows ld apart, zeros beyond the classes; 10
 * bytes an item. */
static __global__ void id_rows_low(struct op_id_loss o, size_t at, const float *logits,
                                   double *row_loss, bool gradient, uint16_t *low, size_t ld)
{
    __shared__ struct soft shared[CUDA_THREADS];
    const size_t i = at + blockIdx.x, n = o.n_class;
    const uint32_t label = o.label[i];
    const float *const l = logits + blockIdx.x * n;
    const struct soft s = row_soft(l, n, shared);
    const float log_sum = s.best.max + logf(s.sum);
    if (threadIdx.x == 0)
        id_row_loss(o, i, l[label], s.best, s.sum, row_loss);
    if (!gradient)
        return;
    const float scale = (float)o.scale;
    for (size_t j = threadIdx.x; j < ld; j += CUDA_THREADS)
        low[blockIdx.x * ld + j] =
            j < n ? cuda_bf16(scale * (expf(l[j] - log_sum) - (j == label ? 1.0f : 0.0f)))
                  : (uint16_t)0;
}

struct low_class_columns {
    size_t ld;
    const uint16_t *g;
    __device__ void operator()(size_t i, size_t j, float v[8]) const
    {
        cuda_get8(g + i * ld + j, v);
    }
};

struct class_column {
    size_t n_class;
    const float *g;
    __device__ void operator()(size_t i, size_t j, float v[1]) const
    {
        v[0] = g[i * n_class + j];
    }
};

struct id_chunk {
    size_t at, rows;
    float *logits;
    struct cuda_matrix e, z;
    uint16_t *low; /* the gradient, with bf16 */
    char *sums, *packs;
};

static int id_logits(const struct cuda *c, const struct op_id_loss *o, const struct id_chunk *k)
{
    const struct cuda_product p = { .m = k->rows,
                                    .n = o->n_class,
                                    .k = o->d,
                                    .a = k->z.x,
                                    .b = k->e.x,
                                    .ld_a = k->z.ld,
                                    .ld_b = k->e.ld,
                                    .turn_a = false,
                                    .turn_b = true,
                                    .bf16 = c->bf16,
                                    .out_bf16 = false,
                                    .beta = 0,
                                    .bias = o->b,
                                    .out = k->logits,
                                    .ld_out = o->n_class };
    return cuda_multiply(c, &p);
}

static int id_gradient(int status, const struct cuda *c, const struct op_id_loss *o,
                       struct id_chunk *k)
{
    const struct class_column f = { o->n_class, k->logits };
    float *const db[1] = { (float *)o->db };
    const struct low_class_columns low = { low_ld(o->n_class), k->low };
    if (o->db && c->bf16)
        status = cuda_column_sums8(status, c, low, k->rows, o->n_class, k->sums, db[0]);
    else if (o->db)
        status = cuda_column_sums<1>(status, c, f, k->rows, o->n_class, k->sums, db, 1);
    if (!o->dz && !o->de)
        return status;
    const struct cuda_matrix g = { c->bf16 ? (const void *)k->low : k->logits,
                                   c->bf16 ? low.ld : o->n_class };
    const struct cuda_product dz = { .m = k->rows,
                                     .n = o->d,
                                     .k = o->n_class,
                                     .a = g.x,
                                     .b = k->e.x,
                                     .ld_a = g.ld,
                                     .ld_b = k->e.ld,
                                     .turn_a = false,
                                     .turn_b = false,
                                     .bf16 = c->bf16,
                                     .out_bf16 = false,
                                     .beta = 1,
                                     .bias = NULL,
                                     .out = (float *)o->dz + k->at * o->d,
                                     .ld_out = o->d };
    const struct cuda_product de = { .m = o->n_class,
                                     .n = o->d,
                                     .k = k->rows,
                                     .a = g.x,
                                     .b = k->z.x,
                                     .ld_a = g.ld,
                                     .ld_b = k->z.ld,
                                     .turn_a = true,
                                     .turn_b = false,
                                     .bf16 = c->bf16,
                                     .out_bf16 = false,
                                     .beta = 1,
                                     .bias = NULL,
                                     .out = (float *)o->de,
                                     .ld_out = o->d };
    if (!status && o->dz)
        status = cuda_multiply(c, &dz);
    if (!status && o->de)
        status = cuda_multiply(c, &de);
    return status;
}

int id_loss_cuda(const struct cuda *c, const struct op_id_loss *o)
{
    const struct id_work w = id_work_of(c, o);
    struct id_chunk k = { .at = 0,
                          .rows = 0,
                          .logits = (float *)c->work,
                          .e = {},
                          .z = {},
                          .low = NULL,
                          .sums = c->work + w.logits + w.losses,
                          .packs = NULL };
    double *row_loss = (double *)(c->work + w.logits);
    char *packs = k.sums + w.sums;
    const bool gradient = o->dz || o->de || o->db;
    int status = 0;
    if (o->n)
        k.e = cuda_packed(&status, c, &packs, o->e, o->n_class, o->d, o->d);
    for (; !status && k.at < o->n; k.at += w.rows) {
        k.rows = o->n - k.at < w.rows ? o->n - k.at : w.rows;
        k.packs = packs;
        k.z = cuda_packed(&status, c, &k.packs, (const float *)o->z + k.at * o->d, k.rows, o->d,
                          o->d);
        status = status ? status : id_logits(c, o, &k);
        if (!status && o->logits)
            status = cuda_copy(c, (float *)o->logits + k.at * o->n_class, k.logits,
                               k.rows * o->n_class * sizeof(float));
        k.low = (uint16_t *)k.packs;
        if (c->bf16)
            CUDA_LAUNCH(status, c, id_rows_low, (unsigned)k.rows, CUDA_THREADS, 0, *o, k.at,
                        k.logits, row_loss, gradient, k.low, low_ld(o->n_class));
        else
            CUDA_LAUNCH(status, c, id_rows, (unsigned)k.rows, CUDA_THREADS, 0, *o, k.at, k.logits,
                        row_loss, gradient);
        if (gradient)
            status = id_gradient(status, c, o, &k);
    }
    return cuda_tree_sum(status, c, cuda_tree_part{ row_loss }, o->n, o->scale, row_loss + o->n,
                         o->loss);
}

struct squares {
    const float *x, *target;
    __device__ double operator()(size_t i) const
    {
        const double diff = (double)x[i] - (double)target[i];
        return diff * diff;
    }
};

static __global__ void square_slopes(size_t n, double twice, const float *x, const float *target,
                                     float *dx)
{
    const size_t i = cuda_item();
    if (i < n)
        dx[i] += (float)(twice * ((double)x[i] - (double)target[i]));
}

size_t square_loss_work_cuda(const struct op_square_loss *o)
{
    return cuda_tree_bytes(o->n);
}

int square_loss_cuda(const struct cuda *c, const struct op_square_loss *o)
{
    const struct squares f = { (const float *)o->x, o->target };
    int status = 0;
    if (o->n && o->dx)
        CUDA_LAUNCH(status, c, square_slopes, cuda_blocks(o->n, CUDA_THREADS), CUDA_THREADS, 0,
                    o->n, 2 * o->scale, f.x, f.target, (float *)o->dx);
    return cuda_tree_sum(status, c, f, o->n, o->scale, (double *)c->work, o->loss);
}
