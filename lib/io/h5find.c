#include "lib/io/h5find.h"

#include <string.h>

/* One function per stored type. 32 bytes of zeros are passed at once. */
#define FINDER(name, type, good)                                                                   \
    static void name(const unsigned char *from, size_t n, uint32_t row, uint32_t col,              \
                     struct found *f)                                                              \
    {                                                                                              \
        enum { STEP = 32 / sizeof(type) };                                                         \
        for (size_t i = 0; i < n; i++) {                                                           \
            uint64_t zero[4];                                                                      \
            type v;                                                                                \
            if (i + STEP <= n) {                                                                   \
                memcpy(zero, from + i * sizeof v, sizeof zero);                                    \
                if (!(zero[0] | zero[1] | zero[2] | zero[3])) {                                    \
                    i += STEP - 1;                                                                 \
                    continue;                                                                      \
                }                                                                                  \
            }                                                                                      \
            memcpy(&v, from + i * sizeof v, sizeof v);                                             \
            uint32_t u = (good) ? (uint32_t)(int32_t)v : 0;                                        \
            f->odd |= (type)u != v;                                                                \
            f->high = u > f->high ? u : f->high;                                                   \
            f->to[f->n] = (struct entry){ row, col + (uint32_t)i, u };                             \
            f->n += u != 0;                                                                        \
        }                                                                                          \
    }
FINDER(find_i8, int8_t, v >= 0)
FINDER(find_u8, uint8_t, true)
FINDER(find_i16, int16_t, v >= 0)
FINDER(find_u16, uint16_t, true)
FINDER(find_i32, int32_t, v >= 0)
FINDER(find_u32, uint32_t, v <= INT32_MAX)
FINDER(find_i64, int64_t, v >= 0 && v <= INT32_MAX)
FINDER(find_u64, uint64_t, v <= INT32_MAX)
FINDER(find_f32, float, v >= 0 && v < 2147483648.0f)
FINDER(find_f64, double, v >= 0 && v < 2147483648.0)

static void (*const finder[H5_N_LANES])(const unsigned char *, size_t, uint32_t, uint32_t,
                                        struct found *) = { find_i8,  find_u8,  find_i16, find_u16,
                                                            find_i32, find_u32, find_i64, find_u64,
                                                            find_f32, find_f64 };

void h5_find(enum h5_lane lane, const unsigned char *from, size_t n, uint32_t row, uint32_t col,
             struct found *f)
{
    finder[lane](from, n, row, col, f);
}
