/* The emulation of tests/cuemu notices what a device would hang on or leave to chance: each kind of
 * bug in a kernel of its own. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/cuemu/broken.h"
#include "tests/tap.h"

#if defined(__SANITIZE_ADDRESS__)
static const bool sanitized = true;
#else
static const bool sanitized = false;
#endif

/* Whether the kernel gives equal bytes in all orders. */
static bool same_in_all_orders(enum broken which)
{
    float out[BROKEN_ORDERS][BROKEN_ITEMS];
    bool same = true;
    memset(out, 0, sizeof out);
    for (int order = 0; order < BROKEN_ORDERS; order++) {
        cuemu_order(order);
        same = !broken_run(which, out[order]) && same;
        same = memcmp(out[order], out[0], sizeof out[0]) == 0 && same;
    }
    return same;
}

/* Whether the kernel ends the program, in a process of its own. */
static bool ends_the_program(enum broken which)
{
    float out[BROKEN_ITEMS] = { 0 };
    int status = 0;
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        if (!freopen("/dev/null", "w", stderr))
            _exit(1);
        cuemu_order(0);
        broken_run(which, out);
        _exit(0);
    }
    return child > 0 && waitpid(child, &status, 0) == child && status != 0;
}

int main(void)
{
    float out[BROKEN_ITEMS];
    ok(same_in_all_orders(WHOLE), "a kernel without a race gives equal bytes in three orders");
    cuemu_order(2);
    broken_run(WHOLE, out);
    ok(near((double)out[0], 2016 + 2016, 0, 0) && near((double)out[63], 63 + 62 + 63, 0, 0),
       "with barriers and shuffles that do what they say");
    ok(!same_in_all_orders(NO_BARRIER), "a missing barrier shows");
    ok(!same_in_all_orders(LAST_WINS), "threads that write one place show");
    ok(!ends_the_program(WHOLE), "a whole kernel ends well");
    ok(ends_the_program(HALF_WAITS), "a barrier in a branch ends the program");
    ok(ends_the_program(WARP_GONE), "so does a barrier that some threads never reach");
    ok(ends_the_program(PART_OF_A_WARP), "and a shuffle of half a warp");
    cuemu_order(0);
    broken_run(UNSET_SHARED, out);
    ok(isnan(out[0]) && isnan(out[63]), "shared memory that was not set reads as NaN");
    if (sanitized)
        ok(ends_the_program(BEYOND_SHARED), "a write beyond shared memory is found");
    else
        skip("a write beyond shared memory is found under the address sanitizer");
    ok(same_in_all_orders(COPIES), "asynchronous copies give equal bytes in three orders");
    broken_run(COPIES, out);
    ok(near((double)out[0], 6 - 1, 0, 0) && near((double)out[BROKEN_ITEMS - 2], 0 - 1, 0, 0),
       "are there once waited for, zeros where asked for, and NaN before");
    ok(ends_the_program(NEVER_WAITS), "a copy that nobody waits for ends the program");
    float wrong = 0;
    const bool same = same_in_all_orders(PRODUCTS);
    broken_run(PRODUCTS, out);
    for (int i = 0; i < BROKEN_ITEMS; i++)
        wrong += out[i];
    ok(same && near((double)wrong, 0, 0, 0),
       "matrices are loaded, turned and multiplied as PTX says");
    ok(ends_the_program(HALF_MULTIPLIES), "a product that half of a warp calls ends the program");
    wrong = 0;
    const bool group_same = same_in_all_orders(GROUP_PRODUCTS);
    broken_run(GROUP_PRODUCTS, out);
    for (int i = 0; i < BROKEN_ITEMS; i++)
        wrong += out[i];
    ok(group_same && near((double)wrong, 0, 0, 0),
       "products of a warpgroup are those of PTX, and are there group by group");
    broken_run(GROUP_EARLY, out);
    ok(isnan(out[0]), "their sums are NaN until they are waited for");
    ok(ends_the_program(GROUP_FORGOTTEN), "one that nobody waits for ends the program");
    ok(ends_the_program(GROUP_UNFENCED), "so does one without a fence");
    ok(ends_the_program(GROUP_OVERWRITTEN), "one whose tile changes under it");
    ok(ends_the_program(GROUP_UNLIKE), "and one that differs between the four warps");
    ok(!ends_the_program(GROUP_EARLY), "which none of them does alone");
    ok(same_in_all_orders(GATES), "copies in bulk behind gates give equal bytes in three orders");
    broken_run(GATES, out);
    ok(near((double)out[0], 4 * 1 + 64 * 6, 0, 0) && near((double)out[63], 64 * 6, 0, 0),
       "and every piece is there once");
    ok(ends_the_program(GATE_SHUT), "a gate that nobody opens ends the program");
    ok(ends_the_program(BULK_EARLY), "so does a copy whose gate nobody waits at");
    ok(ends_the_program(BULK_MORE), "and one of more bytes than were announced");
    wrong = 0;
    const bool tiles_same = same_in_all_orders(TILES);
    broken_run(TILES, out);
    for (int i = 0; i < BROKEN_ITEMS; i++)
        wrong += out[i];
    ok(tiles_same && near((double)wrong, 0, 0, 0),
       "wide products of tiles that are copied by a map are those of PTX, with zeros beyond it");
    ok(ends_the_program(TILE_EARLY), "a product of tiles that have not come ends the program");
    ok(ends_the_program(TILE_LEFT_OVER) && ends_the_program(TILE_RIGHT_OVER),
       "so does a copy to where a product still reads, on either side");
    ok(ends_the_program(TILE_BESIDE), "and one to where no tile can lie");
    ok(broken_launch(1056, 0) && broken_launch(0, 0) && broken_launch(32, 228 << 10),
       "a launch that no device takes is refused");
    ok(!broken_launch(1024, 227 << 10), "the largest one is not");
    return tap_end();
}
