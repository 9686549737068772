/* Look-ups on a device. Forward: a thread owns one item, one read and one write of 4 bytes.
 *
 * Backward, sums into table rows without atomics: a block owns a table row, and `order` tells which
 * rows of dy belong to it, in rising order. Few rows: a thread owns a column and adds them one by
 * one. Many (the <mask> token is one row in eight of a batch): a column's rows are cut into
 * ROW_PARTS runs that are added side by side and joined in a tree. dy is read once; rows of the
 * table that no index names cost nothing but their block. */
#include "kernels/cuda_ops.h"

#include "kernels/cuda_sums.h"

constexpr int ROW_PARTS = CUDA_THREADS / CUDA_WARP, FEW_ROWS = 32;

struct scatter {
    size_t d, n_table, ld, skip; /* skip: the table row without gradient */
    const uint32_t *order, *end;
    const float *dy;
    float *dtable;
};

static __device__ float run_of(const struct scatter &s, uint32_t from, uint32_t to, size_t j)
{
    float sum = 0;
    for (uint32_t at = from; at < to; at++)
        sum += s.dy[s.order[at] * s.d + j];
    return sum;
}

static __device__ void many_rows(const struct scatter &s, uint32_t from, uint32_t to, float *row)
{
    __shared__ float run[ROW_PARTS][CUDA_WARP];
    const uint32_t lane = threadIdx.x % CUDA_WARP, p = threadIdx.x / CUDA_WARP;
    const uint32_t each = (to - from + ROW_PARTS - 1) / ROW_PARTS;
    const uint32_t begin = from + p * each < to ? from + p * each : to;
    const uint32_t end = begin + each < to ? begin + each : to;
    for (size_t tile = 0; tile < s.d; tile += CUDA_WARP) {
        const size_t j = tile + lane;
        run[p][lane] = j < s.d ? run_of(s, begin, end, j) : 0;
        for (uint32_t half = ROW_PARTS / 2; half; half /= 2) {
            __syncthreads();
            if (p < half)
                run[p][lane] += run[p + half][lane];
        }
        if (p == 0 && j < s.d)
            row[j] += run[0][lane];
        __syncthreads();
    }
}

static __global__ void scatter_rows(struct scatter s)
{
    const size_t k = blockIdx.x;
    const uint32_t from = k ? s.end[k - 1] : 0, to = s.end[k];
    float *row = s.dtable + k * s.ld;
    if (k == s.skip || from == to)
        return;
    if (to - from > FEW_ROWS) {
        many_rows(s, from, to, row);
        return;
    }
    for (size_t j = threadIdx.x; j < s.d; j += CUDA_THREADS)
        row[j] += run_of(s, from, to, j);
}

static int add_rows(int status, const struct cuda *c, const struct scatter &s)
{
    if (s.n_table)
        CUDA_LAUNCH(status, c, scatter_rows, (unsigned)s.n_table, CUDA_THREADS, 0, s);
    return status;
}

/* y[i,j] = f(i, j), one item per thread. */
template <class F> static __global__ void items(size_t n, size_t d, F f)
{
    const size_t k = cuda_item();
    if (k < n * d)
        f(k / d, k % d);
}

template <class F> static int for_items(const struct cuda *c, size_t n, size_t d, const F &f)
{
    const auto kernel = items<F>;
    int status = 0;
    if (n && d)
        CUDA_LAUNCH(status, c, kernel, cuda_blocks(n * d, CUDA_THREADS), CUDA_THREADS, 0, n, d, f);
    return status;
}

struct look_up {
    struct op_gather o;
    __device__ void operator()(size_t i, size_t j) const
    {
        ((float *)o.y)[i * o.d + j] = ((const float *)o.table)[o.index[i] * o.ld + j];
    }
};

int gather_forward_cuda(const struct cuda *c, const struct op_gather *o)
{
    return for_items(c, o->n, o->d, look_up{ *o });
}

int gather_backward_cuda(const struct cuda *c, const struct op_gather *o)
{
    if (!o->n || !o->dtable)
        return 0;
    return add_rows(0, c,
                    { o->d, o->n_table, o->ld, o->no_grad_row, o->order, o->end,
                      (const float *)o->dy, (float *)o->dtable });
}

struct look_up_axpy {
    struct op_gather_axpy o;
    __device__ void operator()(size_t i, size_t j) const
    {
        float y = ((const float *)o.table)[o.index[i] * o.d + j];
        if (o.w)
            y += ((const float *)o.value)[i] * ((const float *)o.w)[j * o.ld_w];
        ((float *)o.y)[i * o.d + j] = y;
    }
};

int gather_axpy_forward_cuda(const struct cuda *c, const struct op_gather_axpy *o)
{
    return for_items(c, o->n, o->d, look_up_axpy{ *o });
}

struct value_column {
    size_t d;
    const float *value, *dy;
    __device__ void operator()(size_t i, size_t j, float v[1]) const
    {
        v[0] = value[i] * dy[i * d + j];
    }
};

int gather_axpy_backward_cuda(const struct cuda *c, const struct op_gather_axpy *o)
{
    const struct value_column f = { o->d, (const float *)o->value, (const float *)o->dy };
    float *const dw[1] = { (float *)o->dw };
    int status = 0;
    if (o->n && o->dtable)
        status = add_rows(status, c,
                          { o->d, o->n_table, o->d, SIZE_MAX, o->order, o->end,
                            (const float *)o->dy, (float *)o->dtable });
    if (o->dw)
        status = cuda_column_sums<1>(status, c, f, o->n, o->d, o->work, dw, o->ld_w);
    return status;
}

struct position_sum {
    struct op_add_position o;
    __device__ void operator()(size_t i, size_t j) const
    {
        ((float *)o.y)[i * o.d + j] = ((const float *)o.x)[i * o.d + j] +
                                      ((const float *)o.type)[j] +
                                      ((const float *)o.position)[o.rank[i] * o.d + j];
    }
};

int add_position_forward_cuda(const struct cuda *c, const struct op_add_position *o)
{
    return for_items(c, o->n, o->d, position_sum{ *o });
}

/* The type row's sum, and dx on the way. */
struct type_column {
    size_t d;
    const float *dy;
    float *dx;
    __device__ void operator()(size_t i, size_t j, float v[1]) const
    {
        v[0] = dy[i * d + j];
        if (dx)
            dx[i * d + j] += v[0];
    }
};

int add_position_backward_cuda(const struct cuda *c, const struct op_add_position *o)
{
    const struct type_column f = { o->d, (const float *)o->dy, (float *)o->dx };
    float *const dtype[1] = { (float *)o->dtype };
    int status = 0;
    if (o->dx || o->dtype)
        status = cuda_column_sums<1>(status, c, f, o->n, o->d, o->work, dtype, 1);
    if (o->n && o->dposition)
        status = add_rows(status, c,
                          { o->d, o->n_position, o->d, SIZE_MAX, o->order, o->end,
                            (const float *)o->dy, (float *)o->dposition });
    return status;
}

/* Blocks: x a cell, y one of CELL_PARTS parts of its rows. */
constexpr int CELL_PARTS = 16;

static __global__ void species_rows(struct op_add_species o)
{
    const size_t c = blockIdx.x, a = o.first[c], n = o.first[c + 1] - a, d = o.d;
    float *y = (float *)o.y + a * d;
    /* Of the rows before row 1 of cell c, c + 1 are species rows. */
    const float *genes = (const float *)o.x + (a - c) * d, *cls = (const float *)o.cls;
    for (size_t k = blockIdx.y * CUDA_THREADS + threadIdx.x; k < n * d;
         k += CELL_PARTS * CUDA_THREADS)
        y[k] = k < d ? cls[o.species[c] * d + k] : genes[k - d];
}

static __global__ void species_slopes(struct op_add_species o)
{
    const size_t c = blockIdx.x, a = o.first[c], n = o.first[c + 1] - a, d = o.d;
    const float *dy = (const float *)o.dy + (a + 1) * d;
    float *dx = (float *)o.dx + (a - c) * d;
    for (size_t k = blockIdx.y * CUDA_THREADS + threadIdx.x; k < (n - 1) * d;
         k += CELL_PARTS * CUDA_THREADS)
        dx[k] += dy[k];
}

/* A thread owns one column of both species rows and adds the cells in rising order. */
static __global__ void species_table(struct op_add_species o)
{
    const size_t j = cuda_item();
    if (j >= o.d)
        return;
    float sum[2] = {};
    for (size_t c = 0; c < o.n_cells; c++)
        sum[o.species[c] != 0] += ((const float *)o.dy)[o.first[c] * o.d + j];
    for (size_t s = 0; s < 2; s++)
        ((float *)o.dcls)[s * o.d + j] += sum[s];
}

int add_species_forward_cuda(const struct cuda *c, const struct op_add_species *o)
{
    int status = 0;
    if (o->n_cells)
        CUDA_LAUNCH(status, c, species_rows, dim3((unsigned)o->n_cells, CELL_PARTS), CUDA_THREADS,
                    0, *o);
    return status;
}

int add_species_backward_cuda(const struct cuda *c, const struct op_add_species *o)
{
    int status = 0;
    if (o->n_cells && o->dx)
        CUDA_LAUNCH(status, c, species_slopes, dim3((unsigned)o->n_cells, CELL_PARTS), CUDA_THREADS,
                    0, *o);
    if (o->n_cells && o->dcls)
        CUDA_LAUNCH(status, c, species_table, cuda_blocks(o->d, CUDA_WARP), CUDA_WARP, 0, *o);
    return status;
}
