/* See tests/cuemu/broken.cpp. */
#ifndef GC_TESTS_CUEMU_BROKEN_H
#define GC_TESTS_CUEMU_BROKEN_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { BROKEN_ITEMS = 64, BROKEN_ORDERS = 3 };
enum broken {
    WHOLE, /* not broken */
    NO_BARRIER,
    LAST_WINS,
    HALF_WAITS,
    WARP_GONE,
    PART_OF_A_WARP,
    UNSET_SHARED,
    BEYOND_SHARED,
    COPIES, /* not broken */
    NEVER_WAITS,
    PRODUCTS, /* not broken */
    HALF_MULTIPLIES,
    GROUP_PRODUCTS, /* not broken; two warpgroups */
    GROUP_EARLY,
    GROUP_FORGOTTEN,
    GROUP_UNFENCED,
    GROUP_OVERWRITTEN,
    GROUP_UNLIKE,
    GATES, /* not broken */
    GATE_SHUT,
    BULK_EARLY,
    BULK_MORE,
    TILES, /* not broken; this and what follows: tests/cuemu/broken_tiles.cpp */
    TILE_EARLY,
    TILE_LEFT_OVER,
    TILE_RIGHT_OVER,
    TILE_BESIDE
};
int broken_run(enum broken which, float *out); /* one block of 64 threads; the launch's status */
int broken_tiles_run(enum broken which, float *out); /* what that does from TILES on */
int broken_launch(unsigned threads, size_t shared_bytes);
void cuemu_order(int order);

#ifdef __cplusplus
}
#endif
#endif
