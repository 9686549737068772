/* Products with bf16 inputs and f32 sums: C[32][32] (+)= A[32][k] B[k][32], k in steps of 32.
 *
 *   A  rows of bf16, k along the row (any row stride)
 *   B  panels of 32 columns: [k / 2][32][2], the two numbers of a pair of k side by side, which is
 *      what both AMX tiles and vdpbf16ps want
 * and four ways to pack a float matrix x [n,w] into them (rounded to nearest even; all sides padded
 * to multiples of 32 with noughts, which add nothing): bf16_rows     A with k = columns of x
 * bf16_columns  A with k = rows of x    (x^T) bf16_pairs    B with k = rows of x bf16_turned   B
 * with k = columns of x (x^T)
 *
 * With AMX the four 16 x 16 parts of C are tiles, A and B come in two tiles each: four loads for
 * four tile products of 16,384 multiply-adds each. Without, eight rows of C at a time in registers.
 */
#ifndef GC_KERNELS_BF16_H
#define GC_KERNELS_BF16_H

#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kernels/cpu_name.h"

typedef uint16_t bf16;
enum { BF16_SIDE = 32 };

static inline size_t bf16_up(size_t n)
{
    return (n + BF16_SIDE - 1) / BF16_SIDE * BF16_SIDE;
}

#ifdef BF16_AMX
/* Of the calling thread; at the start of each task, because other libraries set their own shapes.
 */
static inline void bf16_start(void)
{
    struct {
        uint8_t palette, start_row, reserved[14];
        uint16_t col_bytes[16];
        uint8_t rows[16];
    } config = { .palette = 1 };
    for (int i = 0; i < 8; i++) {
        config.col_bytes[i] = 64;
        config.rows[i] = 16;
    }
    _tile_loadconfig(&config);
}

/* depth: k / 32. ld_a in bf16, ld_c in floats. */
static inline void bf16_block(size_t depth, const bf16 *a, size_t ld_a, const bf16 *b, bool add,
                              float *c, size_t ld_c)
{
    const size_t row_a = ld_a * sizeof *a, row_c = ld_c * sizeof *c;
    const bf16 *a2 = a + 16 * ld_a;
    float *c2 = c + 16 * ld_c;
    enum { ROW_B = 2 * BF16_SIDE * sizeof(bf16) };
    if (add) {
        _tile_loadd(0, c, row_c);
        _tile_loadd(1, c + 16, row_c);
        _tile_loadd(2, c2, row_c);
        _tile_loadd(3, c2 + 16, row_c);
    } else {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
    }
    for (size_t k = 0; k < depth; k++) {
        _tile_loadd(4, a, row_a);
        _tile_loadd(6, b, ROW_B);
        _tile_loadd(7, b + 32, ROW_B);
        _tile_loadd(5, a2, row_a);
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
        a += BF16_SIDE;
        a2 += BF16_SIDE;
        b += BF16_SIDE * BF16_SIDE;
    }
    _tile_stored(0, c, row_c);
    _tile_stored(1, c + 16, row_c);
    _tile_stored(2, c2, row_c);
    _tile_stored(3, c2 + 16, row_c);
}
#else
static inline void bf16_start(void)
{
}

static inline void bf16_eight_rows(size_t depth, const bf16 *a, size_t ld_a, const bf16 *b,
                                   bool add, float *c, size_t ld_c)
{
    __m512 sum[8][2];
#pragma GCC unroll 8
    for (int r = 0; r < 8; r++)
        for (int v = 0; v < 2; v++)
            sum[r][v] = add ? _mm512_loadu_ps(c + (size_t)r * ld_c + 16 * v) : _mm512_setzero_ps();
    for (size_t k = 0; k < depth * BF16_SIDE / 2; k++, a += 2, b += 2 * BF16_SIDE) {
        const __m512bh b0 = (__m512bh)_mm512_loadu_si512(b);
        const __m512bh b1 = (__m512bh)_mm512_loadu_si512(b + BF16_SIDE);
#pragma GCC unroll 8
        for (int r = 0; r < 8; r++) {
            int32_t pair;
            memcpy(&pair, a + (size_t)r * ld_a, sizeof pair);
            const __m512bh x = (__m512bh)_mm512_set1_epi32(pair);
            sum[r][0] = _mm512_dpbf16_ps(sum[r][0], x, b0);
            sum[r][1] = _mm512_dpbf16_ps(sum[r][1], x, b1);
        }
    }
#pragma GCC unroll 8
    for (int r = 0; r < 8; r++)
        for (int v = 0; v < 2; v++)
            _mm512_storeu_ps(c + (size_t)r * ld_c + 16 * v, sum[r][v]);
}

static inline void bf16_block(size_t depth, const bf16 *a, size_t ld_a, const bf16 *b, bool add,
                              float *c, size_t ld_c)
{
    for (size_t r = 0; r < BF16_SIDE; r += 8)
        bf16_eight_rows(depth, a + r * ld_a, ld_a, b, add, c + r * ld_c, ld_c);
}
#endif

/* The same where only rows x cols of C are there to be written. */
static inline void bf16_corner(size_t depth, const bf16 *a, size_t ld_a, const bf16 *b, bool add,
                               float *c, size_t ld_c, size_t rows, size_t cols)
{
    if (rows >= BF16_SIDE && cols >= BF16_SIDE) {
        bf16_block(depth, a, ld_a, b, add, c, ld_c);
        return;
    }
    _Alignas(64) float t[BF16_SIDE * BF16_SIDE] = { 0 };
    rows = rows < BF16_SIDE ? rows : BF16_SIDE;
    cols = cols < BF16_SIDE ? cols : BF16_SIDE;
    for (size_t r = 0; add && r < rows; r++)
        memcpy(t + r * BF16_SIDE, c + r * ld_c, cols * sizeof *c);
    bf16_block(depth, a, ld_a, b, add, t, BF16_SIDE);
    for (size_t r = 0; r < rows; r++)
        memcpy(c + r * ld_c, t + r * BF16_SIDE, cols * sizeof *c);
}

/* ---- packing ---- */

/* 16 floats of a row, those beyond w nought. */
static inline __m512 bf16_load(const float *x, size_t at, size_t w)
{
    if (at + 16 <= w)
        return _mm512_loadu_ps(x + at);
    if (at >= w)
        return _mm512_setzero_ps();
    return _mm512_maskz_loadu_ps((__mmask16)((1u << (w - at)) - 1), x + at);
}

/* Two rows as pairs: 16 x (lower, upper). */
static inline __m512i bf16_zip(__m512 lower, __m512 upper)
{
    const __m512i order =
        _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6,
                         21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    return _mm512_permutexvar_epi16(order, (__m512i)_mm512_cvtne2ps_pbh(upper, lower));
}

/* 16 x 16 words of 32 bits turned over, in place. */
static inline void bf16_turn(__m512i r[16])
{
    __m512i t[16];
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) {
        t[2 * i] = _mm512_unpacklo_epi32(r[2 * i], r[2 * i + 1]);
        t[2 * i + 1] = _mm512_unpackhi_epi32(r[2 * i], r[2 * i + 1]);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 16; i += 4) {
        r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
        r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
        r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
        r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
#pragma GCC unroll 8
    for (int i = 0; i < 16; i += 8)
        for (int k = i; k < i + 4; k++) {
            t[k] = _mm512_shuffle_i32x4(r[k], r[k + 4], 0x88);
            t[k + 4] = _mm512_shuffle_i32x4(r[k], r[k + 4], 0xdd);
        }
#pragma GCC unroll 8
    for (int k = 0; k < 8; k++) {
        r[k] = _mm512_shuffle_i32x4(t[k], t[k + 8], 0x88);
        r[k + 8] = _mm512_shuffle_i32x4(t[k], t[k + 8], 0xdd);
    }
}

/* out[bf16_up(n)][bf16_up(w)] */
static inline void bf16_rows(const float *x, size_t ld, size_t n, size_t w, bf16 *out)
{
    const size_t wide = bf16_up(w);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < wide; k += 32)
            _mm512_storeu_si512(out + i * wide + k,
                                (__m512i)_mm512_cvtne2ps_pbh(bf16_load(x + i * ld, k + 16, w),
                                                             bf16_load(x + i * ld, k, w)));
    memset(out + n * wide, 0, (bf16_up(n) - n) * wide * sizeof *out);
}

/* Rows i and i + 1 from column k on, as 16 pairs. */
static inline __m512i bf16_pair(const float *x, size_t ld, size_t n, size_t w, size_t i, size_t k)
{
    const __m512 lower = i < n ? bf16_load(x + i * ld, k, w) : _mm512_setzero_ps();
    const __m512 upper = i + 1 < n ? bf16_load(x + (i + 1) * ld, k, w) : _mm512_setzero_ps();
    return bf16_zip(lower, upper);
}

/* out[panel of 32 columns][bf16_up(n) / 2][32][2]; `rows` is bf16_up(n), or more where the panel is
 * that of a longer matrix of which these rows are the first. */
static inline void bf16_pairs(const float *x, size_t ld, size_t n, size_t w, size_t rows, bf16 *out)
{
    for (size_t k = 0; k < bf16_up(w); k += 16)
        for (size_t i = 0; i < bf16_up(n); i += 2)
            _mm512_storeu_si512(out + k / 32 * 32 * rows + i * 32 + k % 32 * 2,
                                bf16_pair(x, ld, n, w, i, k));
}

/* out[bf16_up(w)][ld_out], of which the first bf16_up(n) are written. */
static inline void bf16_columns(const float *x, size_t ld, size_t n, size_t w, bf16 *out,
                                size_t ld_out)
{
    for (size_t k = 0; k < bf16_up(w); k += 16)
        for (size_t i = 0; i < bf16_up(n); i += 32) {
            __m512i r[16];
#pragma GCC unroll 16
            for (size_t p = 0; p < 16; p++)
                r[p] = bf16_pair(x, ld, n, w, i + 2 * p, k);
            bf16_turn(r);
#pragma GCC unroll 16
            for (size_t p = 0; p < 16; p++)
                _mm512_storeu_si512(out + (k + p) * ld_out + i, r[p]);
        }
}

/* One panel, rows [0, n) with n <= 32 of x: out[bf16_up(w) / 2][32][2]. */
static inline void bf16_turned_panel(const float *x, size_t ld, size_t n, size_t w, bf16 *out)
{
    for (size_t half = 0; half < 32; half += 16)
        for (size_t k = 0; k < bf16_up(w); k += 32) {
            __m512i r[16];
#pragma GCC unroll 16
            for (size_t p = 0; p < 16; p++) {
                const float *row = x + (half + p) * ld;
                r[p] = half + p < n ? (__m512i)_mm512_cvtne2ps_pbh(bf16_load(row, k + 16, w),
                                                                   bf16_load(row, k, w))
                                    : _mm512_setzero_si512();
            }
            bf16_turn(r);
#pragma GCC unroll 16
            for (size_t p = 0; p < 16; p++)
                _mm512_storeu_si512(out + (k / 2 + p) * 64 + half * 2, r[p]);
        }
}

/* out[panel of 32 rows of x][bf16_up(w) / 2][32][2] */
static inline void bf16_turned(const float *x, size_t ld, size_t n, size_t w, bf16 *out)
{
    for (size_t i = 0; i < n; i += 32)
        bf16_turned_panel(x + i * ld, ld, n - i < 32 ? n - i : 32, w, out + i * bf16_up(w));
}

/* 2^x within 2.6e-6, a three hundredth of what bf16 can tell; 0 far below, no overflow trap above.
 */
static inline __m512 bf16_exp2(__m512 x)
{
    const __m512 whole = _mm512_roundscale_ps(x, 0), f = _mm512_sub_ps(x, whole);
    __m512 p = _mm512_set1_ps(0.0095701017f);
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.0559178603f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.240247448f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.693121815f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.999999261f));
    return _mm512_scalef_ps(p, whole);
}

#endif
