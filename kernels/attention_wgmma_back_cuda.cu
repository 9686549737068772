/* Attention by warpgroups, backward: see kernels/attention_wgmma.h. */
#include "kernels/cuda_ops.h"

#include "kernels/attention_wgmma.h"

constexpr int BACKWARD_THREADS = (WG_BACKWARD + 1) * CUDA_GROUP, WARPS = WG_BACKWARD * 4;
constexpr unsigned QUERY_STAGE = 2 * TILE_BYTES, KEY_STAGE = 2 * TILE_BYTES + sizeof(struct notes);
/* Words that lanes hand each other in the pass over keys: eight lots of a warp, each of 16 Philox
 * blocks, and 4 words more so that lots lie in different banks. */
constexpr int LOT = 16 * 4 + 4, WARP_WORDS = 8 * LOT;
constexpr size_t QUERY_SHARED =
    1024 + 2 * WG_BACKWARD * TILE_BYTES + WG_STAGES * QUERY_STAGE + PIPE_BYTES;
constexpr size_t KEY_SHARED = 1024 + 2 * WG_BACKWARD * TILE_BYTES + WG_STAGES * KEY_STAGE +
                              WARPS * WARP_WORDS * sizeof(uint32_t) + PIPE_BYTES;
static_assert(KEY_STAGE % 1024 == 0, "tiles of every stage begin on multiples of 1024");

/* attention_tiles of dy, with the notes of its rows. 10 bytes an item, 6 where rounded. */
static __global__ void attention_notes(struct tiles a)
{
    const struct spot p = spot_of(a, 1);
    if (p.begin >= p.tiles)
        return;
    uint16_t *const tile = a.dy + (p.tile + p.begin) * TILE_ITEMS;
    struct notes *const note = a.notes + p.tile + p.begin;
    for (int k = (int)threadIdx.x; k < ROWS * PIECES; k += PACK_THREADS) {
        const int row = k / PIECES, piece = k % PIECES;
        const size_t from = (size_t)p.begin * ROWS + (size_t)row;
        const bool there = from < p.rows;
        const size_t at = p.first + (there ? from : 0), item = at * a.o.heads + p.head;
        const size_t begin = at * a.o.d + p.head * a.width;
        float y[PIECE] = {}, dy[PIECE] = {}, sum = 0;
        if (there) {
            cuda_load8(a.o.y, a.o.y_low, begin, (size_t)piece * PIECE, a.width, y);
            cuda_load8(a.o.dy, a.o.dy_low, begin, (size_t)piece * PIECE, a.width, dy);
        }
        for (int i = 0; i < PIECE; i++)
            sum += y[i] * dy[i];
        for (int turn = PIECES / 2; turn; turn /= 2)
            sum += __shfl_xor_sync(WHOLE_WARP, sum, turn);
        store_piece(tile, row, piece, dy);
        if (piece)
            continue;
        const float max = ((const float *)a.o.row_max)[item];
        const float all = ((const float *)a.o.row_sum)[item];
        note->stat[row][0] = there ? max * LOG2_E + log2f(all) : 0;
        note->stat[row][1] = sum;
        note->row_key[row] = there && a.drop.threshold ? a.drop.row_key[at] : 0;
    }
}

/* x, or what is kept rounded, += factor out, of rows and columns that there are. row: of the lane's
 * two halves. */
static __device__ __forceinline__ void add_rows(const struct tiles &a, const struct spot &p,
                                                const size_t row[2], void *x, void *low, bool fresh,
                                                float factor, const float out[CUDA_GROUP_SUMS])
{
    if (!x && !low)
        return;
#pragma unroll
    for (int half = 0; half < 2; half++) {
        const size_t ld = low ? a.o.ld_slopes : a.o.d;
        const size_t begin = (p.first + row[half]) * ld + p.head * a.width;
        if (row[half] >= p.rows)
            continue;
#pragma unroll
        for (int i = 2 * half; i < CUDA_GROUP_SUMS; i += 4)
            cuda_add2(x, low, begin, (size_t)(i / 4 * 8 + 2 * p.t), a.width, fresh, factor * out[i],
                      factor * out[i + 1]);
    }
}

/* From a score and dy . v: the kept probability (its factor left out) and the score's gradient
 * (without the scores' scale). */
static __device__ __forceinline__ void slope(const struct tiles &a, float scale, float divisor,
                                             float delta, bool kept, float *s, float *dp)
{
    const float prob = cuda_exp2(*s * scale - divisor);
    const float through = kept ? *dp : 0;
    *s = kept ? prob : 0;
    *dp = prob * (a.drop.scale * through - delta);
}

/* The copying warp of both passes: x and y of the block's own tiles once, of all tiles (with their
 * notes where a stage has room for them) step by step. */
static __device__ __forceinline__ void copy_backward(const struct tiles &a, const struct spot &p,
                                                     const struct pipe &pipe, int groups,
                                                     const uint16_t *const own_of[2],
                                                     const uint16_t *const of[2], char *own,
                                                     char *stages, unsigned stage_bytes)
{
    if (p.lane == 0) {
        cuda_gate_expect(pipe.own, (unsigned)groups * 2 * TILE_BYTES);
        for (int i = 0; i < groups; i++)
            for (int k = 0; k < 2; k++)
                cuda_bulk_copy(own + (2 * i + k) * TILE_BYTES,
                               tile_at(own_of[k], p, p.begin + (unsigned)i), TILE_BYTES, pipe.own);
    }
    for (unsigned step = 0; step < p.tiles; step++) {
        const unsigned s = step % WG_STAGES;
        char *const to = stages + s * stage_bytes;
        if (!claim(pipe, p, step, stage_bytes))
            continue;
        cuda_bulk_copy(to, tile_at(of[0], p, step), TILE_BYTES, &pipe.full[s]);
        cuda_bulk_copy(to + TILE_BYTES, tile_at(of[1], p, step), TILE_BYTES, &pipe.full[s]);
        if (stage_bytes > 2 * TILE_BYTES)
            cuda_bulk_copy(to + 2 * TILE_BYTES, a.notes + p.tile + step, sizeof(struct notes),
                           &pipe.full[s]);
    }
}

/* What a warpgroup of queries keeps from step to step. */
struct queries {
    struct drop_row row[2];
    float divisor[2], delta[2];
    float dq[CUDA_GROUP_SUMS], s[CUDA_GROUP_SUMS], dp[CUDA_GROUP_SUMS];
};

/* The step's two products, which are under way, to the gradients of scores that are multiplied by
 * its k. */
static __device__ __forceinline__ void step_queries(const struct tiles &a, const struct spot &p,
                                                    unsigned step, struct queries &f,
                                                    uint32_t ds[K_STEPS][4])
{
    const float scale = a.scale * LOG2_E;
    uint32_t word[2][PIECES];
    if (a.drop.threshold)
        query_words(a, p, f.row, step, word);
    cuda_group_wait<0>();
    cuda_group_done(f.s);
    cuda_group_done(f.dp);
    cuda_group_done(f.dq);
    hide(p, step, f.s);
#pragma unroll
    for (int i = 0; i < CUDA_GROUP_SUMS; i++) {
        const int half = i / 2 % 2;
        slope(a, scale, f.divisor[half], f.delta[half],
              !a.drop.threshold || keeps(a, word[half][i / 4], i % 2), &f.s[i], &f.dp[i]);
    }
    rounded(f.dp, ds);
}

static __device__ __forceinline__ void own_queries(const struct tiles &a, const struct spot &p,
                                                   const struct pipe &pipe, const char *own,
                                                   const char *stages)
{
    const size_t row[2] = { own_query(p, 0), own_query(p, 1) };
    const struct notes *const note = a.notes + p.tile + p.begin + p.group;
    struct queries f = { { own_drop(a, p, 0), own_drop(a, p, 1) }, {}, {}, {}, {}, {} };
    uint32_t q[K_STEPS][4], dy[K_STEPS][4], ds[K_STEPS][4];
    const uint64_t tile = cuda_tile_of(stages);
    const int lane_row = 16 * p.warp + p.lane % 16;
    for (int half = 0; half < 2; half++) {
        f.divisor[half] = note->stat[row[half] % ROWS][0];
        f.delta[half] = note->stat[row[half] % ROWS][1];
    }
    cuda_gate_wait(pipe.own, 0);
    own_rows(p, (const uint16_t *)(own + 2 * p.group * TILE_BYTES), lane_row, q);
    own_rows(p, (const uint16_t *)(own + (2 * p.group + 1) * TILE_BYTES), lane_row, dy);
    wait_full(pipe, 0);
    cuda_group_fence();
    by_columns(q, tile, f.s);
    by_columns(dy, tile_number(tile, 1), f.dp);
    cuda_group_commit();
    step_queries(a, p, 0, f, ds);
    for (unsigned step = 1; step < p.tiles; step++) {
        const unsigned k = 2 * (step % WG_STAGES), before = 2 * ((step - 1) % WG_STAGES);
        wait_full(pipe, step);
        cuda_group_fence();
        add_by_rows(ds, tile_number(tile, before), f.dq);
        by_columns(q, tile_number(tile, k), f.s);
        by_columns(dy, tile_number(tile, k + 1), f.dp);
        cuda_group_commit();
        step_queries(a, p, step, f, ds);
        release(pipe, p, step - 1);
    }
    cuda_group_fence();
    add_by_rows(ds, tile_number(tile, 2 * ((p.tiles - 1) % WG_STAGES)), f.dq);
    cuda_group_commit();
    cuda_group_wait<0>();
    cuda_group_done(f.dq);
    add_rows(a, p, row, a.o.dq, a.o.dq_low, a.o.dq_first, a.scale, f.dq);
}

static __global__ void __launch_bounds__(BACKWARD_THREADS, 1)
    attention_queries_wgmma(struct tiles a)
{
    CUDA_SHARED_FLOATS(shared);
    char *const own = cuda_tile_aligned(shared);
    char *const stages = own + 2 * WG_BACKWARD * TILE_BYTES;
    const struct spot p = spot_of(a, WG_BACKWARD);
    if (p.begin >= p.tiles)
        return;
    const int groups = groups_at(p, WG_BACKWARD);
    const struct pipe pipe = pipe_of(stages + WG_STAGES * QUERY_STAGE, groups);
    if (p.group == WG_BACKWARD) {
        const uint16_t *const own_of[] = { a.q, a.dy }, *const of[] = { a.k, a.v };
        cuda_group_fewer_registers<24>();
        if (p.warp == 0)
            copy_backward(a, p, pipe, groups, own_of, of, own, stages, QUERY_STAGE);
    } else {
        cuda_group_more_registers<240>();
        if (p.group < groups)
            own_queries(a, p, pipe, own, stages);
    }
}

/* Keys of a warp's 16 rows: 8 (g / 4) + 2 (g mod 4) + half, so that the two of a lane are the two
 * halves of one word. */
static __device__ __forceinline__ int own_key(const struct spot &p, int g, int half)
{
    return 16 * p.warp + 8 * (g / 4) + 2 * (g % 4) + half;
}

/* What a warpgroup of keys keeps from step to step. */
struct keys {
    uint64_t of;    /* of this lane's Philox blocks: PHILOX_1 times their number */
    uint32_t *word; /* this lane's lot: word w of the block of its query m at 4 m + w */
    float dk[CUDA_GROUP_SUMS], dv[CUDA_GROUP_SUMS], s[CUDA_GROUP_SUMS], dp[CUDA_GROUP_SUMS];
};

struct alignas(16) two_keys {
    uint64_t of[2];
};
struct alignas(16) four_words {
    uint32_t of[4];
};

/* The four lanes that have the same columns and eight keys need 16 Philox blocks, one for each of
 * their columns; this lane makes four of them. */
static __device__ __forceinline__ void key_words(const struct tiles &a, const struct spot &p,
                                                 const struct notes *note, struct keys &f)
{
    const int i = p.g % 4;
    __syncwarp(); /* the words of the step before were read */
#pragma unroll
    for (int k = 0; k < 2; k++) {
        const int n = 2 * i + k;
        const struct two_keys key = *(const struct two_keys *)&note->row_key[8 * n + 2 * p.t];
#pragma unroll
        for (int e = 0; e < 2; e++) {
            struct four_words words;
            drop_words(a, drop_row_of(a, key.of[e], p.head), f.of, words.of);
            *(struct four_words *)(f.word + 4 * (2 * n + e)) = words;
        }
    }
}

/* The step's two products, which are under way, to what is multiplied by its dy and q. */
static __device__ __forceinline__ void step_keys(const struct tiles &a, const struct spot &p,
                                                 const struct notes *note, struct keys &f,
                                                 uint32_t probs[K_STEPS][4],
                                                 uint32_t ds[K_STEPS][4])
{
    const float scale = a.scale * LOG2_E;
    if (a.drop.threshold)
        key_words(a, p, note, f);
    cuda_group_wait<0>();
    cuda_group_done(f.s);
    cuda_group_done(f.dp);
    cuda_group_done(f.dk);
    cuda_group_done(f.dv);
    __syncwarp();
#pragma unroll
    for (int n = 0; n < PIECES; n++) {
        const float4 two = *(const float4 *)note->stat[8 * n + 2 * p.t];
#pragma unroll
        for (int e = 0; e < 2; e++) {
            const uint32_t word = a.drop.threshold ? f.word[4 * (2 * n + e) + p.g % 4] : 0;
#pragma unroll
            for (int half = 0; half < 2; half++) {
                const int i = 4 * n + 2 * half + e;
                slope(a, scale, e ? two.z : two.x, e ? two.w : two.y,
                      !a.drop.threshold || keeps(a, word, half), &f.s[i], &f.dp[i]);
            }
        }
    }
    rounded(f.s, probs);
    rounded(f.dp, ds);
}

static __device__ __forceinline__ void own_keys(const struct tiles &a, const struct spot &p,
                                                const struct pipe &pipe, const char *own,
                                                const char *stages, uint32_t *words)
{
    const size_t begin = (size_t)(p.begin + (unsigned)p.group) * ROWS;
    const size_t row[2] = { begin + (size_t)own_key(p, p.g, 0),
                            begin + (size_t)own_key(p, p.g, 1) };
    struct keys f = {};
    uint32_t k[K_STEPS][4], v[K_STEPS][4], probs[K_STEPS][4], ds[K_STEPS][4];
    const uint64_t tile = cuda_tile_of(stages);
    const int lane_row = key_row(own_key(p, p.lane % 8, p.lane / 8 % 2));
    const char *note = stages + 2 * TILE_BYTES;
    uint64_t before = tile;
    f.of = (uint64_t)PHILOX_1 * (uint32_t)(row[0] / WORD);
    f.word = words + (4 * p.group + p.warp) * WARP_WORDS + (4 * (p.g / 4) + p.t) * LOT;
    cuda_gate_wait(pipe.own, 0);
    own_rows(p, (const uint16_t *)(own + 2 * p.group * TILE_BYTES), lane_row, k);
    own_rows(p, (const uint16_t *)(own + (2 * p.group + 1) * TILE_BYTES), lane_row, v);
    wait_full(pipe, 0);
    cuda_group_fence();
    by_columns(k, tile, f.s);
    by_columns(v, tile_number(tile, 1), f.dp);
    cuda_group_commit();
    step_keys(a, p, (const struct notes *)note, f, probs, ds);
    for (unsigned step = 1; step < p.tiles; step++) {
        const unsigned s = step % WG_STAGES;
        const uint64_t q = tile + s * (KEY_STAGE >> 4);
        wait_full(pipe, step);
        cuda_group_fence();
        add_by_rows(probs, tile_number(before, 1), f.dv);
        add_by_rows(ds, before, f.dk);
        by_columns(k, q, f.s);
        by_columns(v, tile_number(q, 1), f.dp);
        cuda_group_commit();
        before = q;
        step_keys(a, p, (const struct notes *)(note + s * KEY_STAGE), f, probs, ds);
        release(pipe, p, step - 1);
    }
    cuda_group_fence();
    add_by_rows(probs, tile_number(before, 1), f.dv);
    add_by_rows(ds, before, f.dk);
    cuda_group_commit();
    cuda_group_wait<0>();
    cuda_group_done(f.dv);
    cuda_group_done(f.dk);
    add_rows(a, p, row, a.o.dv, a.o.dv_low, a.o.dv_low ? a.o.dq_first : a.o.dv_first, a.drop.scale, f.dv);
    add_rows(a, p, row, a.o.dk, a.o.dk_low, a.o.dk_low ? a.o.dq_first : a.o.dk_first, a.scale, f.dk);
}

static __global__ void __launch_bounds__(BACKWARD_THREADS, 1) attention_keys_wgmma(struct tiles a)
{
    CUDA_SHARED_FLOATS(shared);
    char *const own = cuda_tile_aligned(shared);
    char *const stages = own + 2 * WG_BACKWARD * TILE_BYTES;
    char *const words = stages + WG_STAGES * KEY_STAGE;
    const struct spot p = spot_of(a, WG_BACKWARD);
    if (p.begin >= p.tiles)
        return;
    const int groups = groups_at(p, WG_BACKWARD);
    const struct pipe pipe = pipe_of(words + WARPS * WARP_WORDS * sizeof(uint32_t), groups);
    if (p.group == WG_BACKWARD) {
        const uint16_t *const own_of[] = { a.k, a.v }, *const of[] = { a.q, a.dy };
        cuda_group_fewer_registers<24>();
        if (p.warp == 0)
            copy_backward(a, p, pipe, groups, own_of, of, own, stages, KEY_STAGE);
    } else {
        cuda_group_more_registers<240>();
        if (p.group < groups)
            own_keys(a, p, pipe, own, stages, (uint32_t *)words);
    }
}

int attention_wgmma_backward_cuda(const struct cuda *c, const struct op_attention *o)
{
    const struct tiles a = tiles_at(c, o);
    const dim3 blocks = blocks_of(o, WG_BACKWARD, 1);
    int status = o->kept ? 0 : pack(0, c, a);
    CUDA_LAUNCH(status, c, attention_notes, blocks_of(o, 1, 1), PACK_THREADS, 0, a);
    if (o->dq || o->dq_low)
        CUDA_LAUNCH(status, c, attention_queries_wgmma, blocks, BACKWARD_THREADS, QUERY_SHARED, a);
    if (o->dk || o->dv || o->dk_low || o->dv_low)
        CUDA_LAUNCH(status, c, attention_keys_wgmma, blocks, BACKWARD_THREADS, KEY_SHARED, a);
    return status;
}
