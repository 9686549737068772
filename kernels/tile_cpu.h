/* The inner loop of the products that kernels do themselves: a tile of C stays in registers while
 * its whole sum is taken. 12 x 32 floats with AVX-512, 6 x 16 with AVX2: of 32 (16) registers 24
 * (12) hold sums, and two rows of B are loaded for 24 (12) multiply-adds. */
#ifndef GC_KERNELS_TILE_CPU_H
#define GC_KERNELS_TILE_CPU_H

#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kernels/cpu_name.h"

enum { TILE_VECS = 2, TILE_ROWS = CPU_FLOATS * 3 / 4, TILE_COLS = TILE_VECS * CPU_FLOATS };

typedef float tile_vec __attribute__((vector_size(CPU_FLOATS * sizeof(float))));
/* The same where it lies at any address. */
typedef float tile_load
    __attribute__((vector_size(CPU_FLOATS * sizeof(float)), aligned(4), may_alias));

static inline tile_vec tile_max(tile_vec a, tile_vec b)
{
#ifdef CPU_512
    return (tile_vec)_mm512_max_ps((__m512)a, (__m512)b);
#else
    return (tile_vec)_mm256_max_ps((__m256)a, (__m256)b);
#endif
}

/* Whether any number of a is above x. */
static inline bool tile_any_above(tile_vec a, float x)
{
#ifdef CPU_512
    return _mm512_cmp_ps_mask((__m512)a, _mm512_set1_ps(x), _CMP_GT_OQ) != 0;
#else
    return _mm256_movemask_ps(_mm256_cmp_ps((__m256)a, _mm256_set1_ps(x), _CMP_GT_OQ)) != 0;
#endif
}

static inline size_t tile_up(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

/* c[r][.] = start + sum over k in [0, n) of a[r row_a + k step_a] b[k ld_b + .] (+ before[r][.]),
 * TILE_ROWS x TILE_COLS. start: a row for all, or NULL; before: a matrix like c, or NULL. */
static inline __attribute__((always_inline)) void
tile_onto(size_t n, const float *a, size_t row_a, size_t step_a, const float *b, size_t ld_b,
          const float *start, const float *before, size_t ld_before, float *c, size_t ld_c)
{
    tile_vec sum[TILE_ROWS][TILE_VECS];
#pragma GCC unroll 16
    for (int r = 0; r < TILE_ROWS; r++)
#pragma GCC unroll 16
        for (int v = 0; v < TILE_VECS; v++) {
            if (start)
                sum[r][v] = *(const tile_load *)(start + v * CPU_FLOATS);
            else
                sum[r][v] = (tile_vec){ 0 };
        }
#pragma GCC unroll 4
    for (size_t k = 0; k < n; k++, a += step_a, b += ld_b) {
        tile_vec of_b[TILE_VECS];
#pragma GCC unroll 16
        for (int v = 0; v < TILE_VECS; v++)
            of_b[v] = *(const tile_load *)(b + v * CPU_FLOATS);
#pragma GCC unroll 16
        for (int r = 0; r < TILE_ROWS; r++) {
            const float x = a[(size_t)r * row_a];
#pragma GCC unroll 16
            for (int v = 0; v < TILE_VECS; v++)
                sum[r][v] += x * of_b[v];
        }
    }
#pragma GCC unroll 16
    for (int r = 0; r < TILE_ROWS; r++)
#pragma GCC unroll 16
        for (int v = 0; v < TILE_VECS; v++) {
            if (before)
                sum[r][v] += *(const tile_load *)(before + (size_t)r * ld_before + v * CPU_FLOATS);
            *(tile_load *)(c + (size_t)r * ld_c + v * CPU_FLOATS) = sum[r][v];
        }
}

static inline __attribute__((always_inline)) void tile(size_t n, const float *a, size_t row_a,
                                                       size_t step_a, const float *b, size_t ld_b,
                                                       bool add, float *c, size_t ld_c)
{
    tile_onto(n, a, row_a, step_a, b, ld_b, NULL, add ? c : NULL, ld_c, c, ld_c);
}

typedef float tile_four __attribute__((vector_size(16)));
typedef float tile_four_load __attribute__((vector_size(16), aligned(4), may_alias));
#ifdef __clang__
#define TILE_SHUFFLE __builtin_shufflevector
#else
typedef int tile_pick __attribute__((vector_size(16)));
#define TILE_SHUFFLE(a, b, i, j, k, l) __builtin_shuffle(a, b, (tile_pick){ i, j, k, l })
#endif

/* Four rows of four numbers turned over. */
static inline void turn_four(const float *x, size_t ld, float *out, size_t height)
{
    tile_four a = *(const tile_four_load *)x, b = *(const tile_four_load *)(x + ld);
    tile_four c = *(const tile_four_load *)(x + 2 * ld), d = *(const tile_four_load *)(x + 3 * ld);
    const tile_four ab = TILE_SHUFFLE(a, b, 0, 4, 1, 5), cd = TILE_SHUFFLE(c, d, 0, 4, 1, 5);
    const tile_four ab2 = TILE_SHUFFLE(a, b, 2, 6, 3, 7), cd2 = TILE_SHUFFLE(c, d, 2, 6, 3, 7);
    *(tile_four_load *)out = TILE_SHUFFLE(ab, cd, 0, 1, 4, 5);
    *(tile_four_load *)(out + height) = TILE_SHUFFLE(ab, cd, 2, 3, 6, 7);
    *(tile_four_load *)(out + 2 * height) = TILE_SHUFFLE(ab2, cd2, 0, 1, 4, 5);
    *(tile_four_load *)(out + 3 * height) = TILE_SHUFFLE(ab2, cd2, 2, 3, 6, 7);
}

/* Rows that lie far apart are foreseen by nobody but us. */
static inline void tile_fetch(const float *x, size_t w)
{
    for (size_t k = 0; k < w; k += 16)
        __builtin_prefetch(x + k);
}

/* Rows [0, n) of x [.., ld], w wide, as tiles of `height` rows turned over: out[tile][k][row in the
 * tile], rows beyond n nought. out: tile_up(n, height) * w. */
static inline void tile_turn(const float *x, size_t ld, size_t n, size_t w, size_t height,
                             float *out)
{
    for (size_t i = 0; i < n; i += height, out += height * w) {
        const size_t rows = n - i < height ? n - i : height;
        size_t r = 0;
        if (rows < height)
            memset(out, 0, height * w * sizeof *out);
        for (; r + 4 <= rows && w % 4 == 0; r += 4) {
            for (size_t a = i + r + 8; a < n && a < i + r + 12; a++)
                tile_fetch(x + a * ld, w);
            for (size_t k = 0; k < w; k += 4)
                turn_four(x + (i + r) * ld + k, ld, out + k * height + r, height);
        }
        for (; r < rows; r++)
            for (size_t k = 0; k < w; k++)
                out[k * height + r] = x[(i + r) * ld + k];
    }
}

/* Rows as they are, but TILE_COLS numbers each, nought beyond w <= TILE_COLS. */
static inline void tile_widen(const float *x, size_t ld, size_t n, size_t w, float *out)
{
    enum { AHEAD = 12 };
    for (size_t i = 0; i < n; i++, out += TILE_COLS) {
        if (i + AHEAD < n)
            tile_fetch(x + (i + AHEAD) * ld, w);
        if (w == TILE_COLS) {
            memcpy(out, x + i * ld, TILE_COLS * sizeof *out);
            continue;
        }
        memcpy(out, x + i * ld, w * sizeof *out);
        memset(out + w, 0, (TILE_COLS - w) * sizeof *out);
    }
}

#endif
