/* Attention by warpgroups, forward: see kernels/attention_wgmma.h. */
#include "kernels/cuda_ops.h"

#include "kernels/attention_wgmma.h"

constexpr int FORWARD_THREADS = (WG_FORWARD + 1) * CUDA_GROUP;
constexpr size_t FORWARD_SHARED = 1024 + (WG_FORWARD + 2 * WG_STAGES) * TILE_BYTES + PIPE_BYTES;

static __device__ __forceinline__ float quad_max(float x)
{
    x = fmaxf(x, __shfl_xor_sync(WHOLE_WARP, x, 1));
    return fmaxf(x, __shfl_xor_sync(WHOLE_WARP, x, 2));
}

/* Scores of one row become 2^(scale (s - max)); the row's maximum and this lane's part of its sum
 * go on. Returns by what the sums so far shrink. fmaxf leaves NaN out, 2^(NaN - max) brings it
 * back. */
static __device__ __forceinline__ float soften(int half, float scale, float s[CUDA_GROUP_SUMS],
                                               float *max, float *sum)
{
    float top = -INFINITY, total = 0;
#pragma unroll
    for (int n = 0; n < PIECES; n++)
        top = fmaxf(top, fmaxf(s[4 * n + 2 * half], s[4 * n + 2 * half + 1]));
    top = fmaxf(quad_max(top), *max);
    const float shrink = cuda_exp2((*max - top) * scale), less = top * scale;
#pragma unroll
    for (int i = 0; i < CUDA_GROUP_SUMS; i++)
        if (i / 2 % 2 == half) {
            s[i] = cuda_exp2(s[i] * scale - less);
            total += s[i];
        }
    *sum = *sum * shrink + total;
    *max = top;
    return shrink;
}

/* Sums so far shrink. Maxima seldom rise after the first tiles, then there is nothing to do in the
 * whole warp. */
static __device__ __forceinline__ void shrink_rows(const float by[2], float out[CUDA_GROUP_SUMS])
{
    if (!__any_sync(WHOLE_WARP, by[0] != 1 || by[1] != 1))
        return;
#pragma unroll
    for (int i = 0; i < CUDA_GROUP_SUMS; i++)
        out[i] *= by[i / 2 % 2];
}

static __device__ __forceinline__ void copy_forward(const struct tiles &a, const struct spot &p,
                                                    const struct pipe &pipe, int groups, char *own,
                                                    char *stages)
{
    if (p.lane == 0) {
        cuda_gate_expect(pipe.own, (unsigned)groups * TILE_BYTES);
        for (int i = 0; i < groups; i++)
            cuda_bulk_copy(own + i * TILE_BYTES, tile_at(a.q, p, p.begin + (unsigned)i), TILE_BYTES,
                           pipe.own);
    }
    for (unsigned step = 0; step < p.tiles; step++) {
        const unsigned s = step % WG_STAGES;
        char *const to = stages + 2 * s * TILE_BYTES;
        if (!claim(pipe, p, step, 2 * TILE_BYTES))
            continue;
        cuda_bulk_copy(to, tile_at(a.k, p, step), TILE_BYTES, &pipe.full[s]);
        cuda_bulk_copy(to + TILE_BYTES, tile_at(a.v, p, step), TILE_BYTES, &pipe.full[s]);
    }
}

/* y, and the soft-max's maximum and divisor, of rows that there are. */
static __device__ __forceinline__ void write_forward(const struct tiles &a, const struct spot &p,
                                                     const float out[CUDA_GROUP_SUMS],
                                                     const float max[2], const float sum[2])
{
#pragma unroll
    for (int half = 0; half < 2; half++) {
        const size_t row = own_query(p, half), at = p.first + row;
        float all = sum[half];
        all += __shfl_xor_sync(WHOLE_WARP, all, 1);
        all += __shfl_xor_sync(WHOLE_WARP, all, 2);
        if (row >= p.rows)
            continue;
        const size_t begin = at * a.o.d + p.head * a.width;
        const float factor = a.drop.scale / all;
#pragma unroll
        for (int i = 2 * half; i < CUDA_GROUP_SUMS; i += 4)
            cuda_add2(a.o.y, a.o.y_low, begin, (size_t)(i / 4 * 8 + 2 * p.t), a.width, true,
                      out[i] * factor, out[i + 1] * factor);
        if (p.t == 0) {
            ((float *)a.o.row_max)[at * a.o.heads + p.head] = max[half] * a.scale;
            ((float *)a.o.row_sum)[at * a.o.heads + p.head] = all;
        }
    }
}

/* What a warpgroup keeps from step to step. */
struct forward {
    struct drop_row row[2];
    float out[CUDA_GROUP_SUMS], s[CUDA_GROUP_SUMS], max[2], sum[2];
};

/* The step's scores, which are under way, to what is multiplied by its v. The random numbers are
 * made beside them and the last step's product. */
static __device__ __forceinline__ void step_forward(const struct tiles &a, const struct spot &p,
                                                    unsigned step, struct forward &f,
                                                    uint32_t probs[K_STEPS][4])
{
    const float scale = a.scale * LOG2_E;
    uint32_t word[2][PIECES];
    float shrink[2];
    if (a.drop.threshold)
        query_words(a, p, f.row, step, word);
    cuda_group_wait<0>();
    cuda_group_done(f.s);
    cuda_group_done(f.out);
    hide(p, step, f.s);
#pragma unroll
    for (int half = 0; half < 2; half++)
        shrink[half] = soften(half, scale, f.s, &f.max[half], &f.sum[half]);
    shrink_rows(shrink, f.out);
    if (a.drop.threshold)
#pragma unroll
        for (int i = 0; i < CUDA_GROUP_SUMS; i++)
            f.s[i] = keeps(a, word[i / 2 % 2][i / 4], i % 2) ? f.s[i] : 0;
    rounded(f.s, probs);
}

/* A step's product with v and the next one's scores are queued together. */
static __device__ __forceinline__ void own_forward(const struct tiles &a, const struct spot &p,
                                                   const struct pipe &pipe, const char *own,
                                                   const char *stages)
{
    struct forward f = {
        { own_drop(a, p, 0), own_drop(a, p, 1) }, {}, {}, { -INFINITY, -INFINITY }, {}
    };
    uint32_t q[K_STEPS][4], probs[K_STEPS][4];
    const uint64_t tile = cuda_tile_of(stages);
    unsigned v = 1; /* tile of the step whose probabilities these are */
    cuda_gate_wait(pipe.own, 0);
    own_rows(p, (const uint16_t *)(own + p.group * TILE_BYTES), 16 * p.warp + p.lane % 16, q);
    wait_full(pipe, 0);
    cuda_group_fence();
    by_columns(q, tile, f.s);
    cuda_group_commit();
    step_forward(a, p, 0, f, probs);
    for (unsigned step = 1; step < p.tiles; step++) {
        const unsigned k = 2 * (step % WG_STAGES);
        wait_full(pipe, step);
        cuda_group_fence();
        add_by_rows(probs, tile_number(tile, v), f.out);
        by_columns(q, tile_number(tile, k), f.s);
        cuda_group_commit();
        v = k + 1;
        step_forward(a, p, step, f, probs);
        release(pipe, p, step - 1);
    }
    cuda_group_fence();
    add_by_rows(probs, tile_number(tile, v), f.out);
    cuda_group_commit();
    cuda_group_wait<0>();
    cuda_group_done(f.out);
    write_forward(a, p, f.out, f.max, f.sum);
}

static __global__ void __launch_bounds__(FORWARD_THREADS, 1) attention_rows_wgmma(struct tiles a)
{
    CUDA_SHARED_FLOATS(shared);
    char *const own = cuda_tile_aligned(shared), *const stages = own + WG_FORWARD * TILE_BYTES;
    const struct spot p = spot_of(a, WG_FORWARD);
    if (p.begin >= p.tiles)
        return;
    const int groups = groups_at(p, WG_FORWARD);
    const struct pipe pipe = pipe_of(stages + 2 * WG_STAGES * TILE_BYTES, groups);
    if (p.group == WG_FORWARD) {
        cuda_group_fewer_registers<32>();
        if (p.warp == 0)
            copy_forward(a, p, pipe, groups, own, stages);
    } else {
        cuda_group_more_registers<160>();
        if (p.group < groups)
            own_forward(a, p, pipe, own, stages);
    }
}

size_t attention_wgmma_work_cuda(const struct op_attention *o)
{
    return o->heads * tiles_of(o) * (4 * TILE_BYTES + sizeof(struct notes));
}

/* q, k and v; where they are kept, no room is needed for them beside. */
size_t attention_wgmma_kept_cuda(const struct op_attention *o)
{
    return o->heads * tiles_of(o) * 3 * TILE_BYTES;
}

int attention_wgmma_forward_cuda(const struct cuda *c, const struct op_attention *o)
{
    const struct tiles a = tiles_at(c, o);
    int status = pack(0, c, a);
    CUDA_LAUNCH(status, c, attention_rows_wgmma, blocks_of(o, WG_FORWARD, 1), FORWARD_THREADS,
                FORWARD_SHARED, a);
    return status;
}
