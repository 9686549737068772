/* Gates (mbarriers), copies in bulk and of tiles: see tests/cuemu/wgmma.h. */
#include "lib/tensor/cuda_device.h"
#include "tests/cuemu/cuemu.h"
#include "tests/cuemu/threads.h"
#include "tests/cuemu/wgmma.h"

enum { MOST_BULK = 64, MOST_BOX_ROWS = 256, TILE_LINE = 128 };

/* The words of a map, without gaps: cuemu_look would take what is left in them for addresses. */
struct map {
    const uint16_t *x;
    size_t rows, cols, ld, box_rows;
};
static_assert(sizeof(struct map) <= sizeof(struct cuda_tile_map), "as large as a device's");

/* Under way; of a tile where from is NULL. */
static struct bulk {
    void *to;
    const void *from;
    size_t n_bytes;
    uint64_t *gate;
    struct map of;
    size_t row, col;
} bulk[MOST_BULK];
static size_t n_bulk;

size_t cuemu_copies_left(void)
{
    return n_bulk;
}

/* The eight bytes of a gate. */
struct gate {
    uint16_t arrivals, left;
    int32_t bytes_and_phase; /* bytes that are still to come, times two; the phase */
};
static_assert(sizeof(struct gate) == sizeof(uint64_t), "as large as a device's");

static struct gate gate_of(const uint64_t *gate)
{
    struct gate g;
    memcpy(&g, gate, sizeof g);
    if (g.arrivals == 0 || g.arrivals > MOST_THREADS)
        cuemu_die("a gate that was not made");
    return g;
}

static void set_gate(uint64_t *gate, struct gate g)
{
    if (g.left == 0 && g.bytes_and_phase / 2 == 0) {
        g.left = g.arrivals;
        g.bytes_and_phase ^= 1;
    }
    memcpy(gate, &g, sizeof g);
    cuemu_moved();
}

void cuda_gate_make(uint64_t *gate, unsigned arrivals)
{
    const struct gate g = { (uint16_t)arrivals, (uint16_t)arrivals, 0 };
    memcpy(gate, &g, sizeof g);
}

static void arrive(uint64_t *gate, unsigned n_bytes)
{
    struct gate g = gate_of(gate);
    g.left--;
    g.bytes_and_phase += 2 * (int32_t)n_bytes;
    set_gate(gate, g);
}

void cuda_gate_arrive(uint64_t *gate)
{
    arrive(gate, 0);
}

void cuda_gate_expect(uint64_t *gate, unsigned n_bytes)
{
    arrive(gate, n_bytes);
}

static struct bulk *start(uint64_t *gate)
{
    if (n_bulk == MOST_BULK)
        cuemu_die("more bulk copies under way than the emulation keeps");
    struct bulk *b = &bulk[n_bulk++];
    *b = {};
    b->gate = gate;
    return b;
}

void cuda_bulk_copy(void *to, const void *from, unsigned n_bytes, uint64_t *gate)
{
    if ((uintptr_t)to % 16 || (uintptr_t)from % 16 || n_bytes % 16 || !n_bytes)
        cuemu_die("a bulk copy that is not of 16 bytes from and to multiples of 16");
    memset(to, 0xff, n_bytes);
    struct bulk *b = start(gate);
    b->to = to;
    b->from = from;
    b->n_bytes = n_bytes;
}

int cuda_tile_map(struct cuda_tile_map *to, const void *x, size_t rows, size_t cols, size_t ld,
                  unsigned box_rows)
{
    const struct map m = { (const uint16_t *)x, rows, cols, ld, box_rows };
    if ((uintptr_t)x % 16 || ld % 8 || cols > ld || !rows || !cols || !box_rows ||
        box_rows > MOST_BOX_ROWS || rows >> 32 || cols >> 32)
        return 1;
    *to = {};
    memcpy(to, &m, sizeof m);
    return 0;
}

void cuda_tile_copy(void *to, const struct cuda_tile_map *map, unsigned col, unsigned row,
                    uint64_t *gate)
{
    struct map m;
    memcpy(&m, map, sizeof m);
    if (!m.box_rows || m.box_rows > MOST_BOX_ROWS)
        cuemu_die("a map that was not made");
    if (cuda_shared_at(to) % 1024)
        cuemu_die("a tile that does not begin on 1024 bytes");
    struct bulk *b = start(gate);
    b->to = to;
    b->n_bytes = m.box_rows * TILE_LINE;
    b->of = m;
    b->row = row;
    b->col = col;
    memset(to, 0xff, b->n_bytes);
}

/* PTX ISA, "cp.async.bulk.tensor", mode tile, and the 128-byte swizzle; zeros beyond the matrix. */
static void deliver_tile(const struct bulk *b)
{
    for (size_t r = 0; r < b->of.box_rows; r++)
        for (size_t c = 0; c < TILE_LINE / 2; c++) {
            const bool there = b->row + r < b->of.rows && b->col + c < b->of.cols;
            const size_t at = r * TILE_LINE + ((c / 8) ^ r % 8) * 16 + c % 8 * 2;
            const uint16_t x = there ? b->of.x[(b->row + r) * b->of.ld + b->col + c] : 0;
            memcpy((char *)b->to + at, &x, sizeof x);
        }
}

static void deliver(uint64_t *gate)
{
    size_t kept = 0;
    for (size_t i = 0; i < n_bulk; i++) {
        const struct bulk b = bulk[i];
        if (b.gate != gate) {
            bulk[kept++] = b;
            continue;
        }
        struct gate g = gate_of(gate);
        if (g.bytes_and_phase / 2 < (int32_t)b.n_bytes)
            cuemu_die("a bulk copy of more bytes than its gate expects");
        if (b.from)
            memcpy(b.to, b.from, b.n_bytes);
        else
            deliver_tile(&b);
        g.bytes_and_phase -= 2 * (int32_t)b.n_bytes;
        set_gate(gate, g);
    }
    n_bulk = kept;
}

/* A gate whose phase at hand has this number is not open yet. */
void cuda_gate_wait(uint64_t *gate, unsigned phase)
{
    for (;;) {
        deliver(gate);
        if ((unsigned)(gate_of(gate).bytes_and_phase & 1) != phase)
            return;
        cuemu_pause();
    }
}
