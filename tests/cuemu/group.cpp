/* Products of warpgroups, gates and copies in bulk: see tests/cuemu/wgmma.h. */
#include "tests/cuemu/cuemu.h"
#include "tests/cuemu/threads.h"
#include "tests/cuemu/wgmma.h"

enum { SUMS = 32, MOST_PRODUCTS = 32, MOST_HELD = 4, MOST_BULK = 64, GROUP = 128 };
enum { FIRST_SHARED = 0x410 };

/* A product of one lane: its two rows of a, and what its 16 columns of b were at first. */
struct product {
    float *sum;
    float row[2][16];
    uint16_t column[16][16];
    uint64_t b;
    bool rows, add;
    size_t group;
};

struct lane {
    size_t n, group, n_held;
    bool fenced;
    uint64_t order; /* of all products so far, which the four warps must have in common */
    struct product product[MOST_PRODUCTS];
    struct {
        float *sum, was[SUMS];
    } held[MOST_HELD];
};
static struct lane lanes[MOST_THREADS];

static struct bulk {
    void *to;
    const void *from;
    size_t n_bytes;
    uint64_t *gate;
} bulk[MOST_BULK];
static size_t n_bulk;

uint32_t cuda_shared_at(const void *p)
{
    return (uint32_t)((const char *)p - (const char *)cuemu_shared()) + FIRST_SHARED;
}

/* Row r of the 16 that are summed over, column c of b; PTX ISA, "Shared memory matrix layout", of
 * 128-byte swizzle. */
static uint16_t item_of(uint64_t b, bool rows, unsigned r, unsigned c)
{
    const uint32_t begin = (uint32_t)(b & 0x3fff) << 4;
    const uint32_t leading = (uint32_t)(b >> 16 & 0x3fff) << 4,
                   stride = (uint32_t)(b >> 32 & 0x3fff) << 4;
    const unsigned line = rows ? r : c, along = 2 * (rows ? c : r);
    uint32_t at = begin + line / 8 * stride + line % 8 * 128 + along % 128 + along / 128 * leading;
    if (b >> 62 != 1 || b >> 49 & 7 || begin / 128 % 8)
        cuemu_die("a tile of another layout than 128-byte swizzle from a multiple of 1024 bytes");
    at ^= (at >> 7 & 7) << 4;
    uint16_t x;
    memcpy(&x, (const char *)cuemu_shared() + (at - FIRST_SHARED), sizeof x);
    return x;
}

static unsigned column_of(unsigned i)
{
    return i / 2 * 8 + threadIdx.x % 4 * 2 + i % 2;
}

/* Sums of products under way are not to be read. */
static void hold(struct lane *l, float *sum)
{
    for (size_t i = 0; i < l->n_held; i++)
        if (l->held[i].sum == sum)
            return;
    if (l->n_held == MOST_HELD)
        cuemu_die("more sums under way than the emulation keeps");
    l->held[l->n_held].sum = sum;
    memcpy(l->held[l->n_held++].was, sum, sizeof l->held[0].was);
    memset(sum, 0xff, sizeof l->held[0].was);
}

void cuemu_group_fence(void)
{
    lanes[cuemu_thread()].fenced = true;
}

void cuemu_group_mma(float *sum, const uint32_t a[4], uint64_t b, bool rows, bool add)
{
    const struct cuemu_words mine = { { a[0], a[1], a[2], a[3], 0, 0, 0, 0 } };
    const struct cuemu_words *w = cuemu_exchange(&mine, 0xffffffffu);
    struct lane *l = &lanes[cuemu_thread()];
    const size_t threads = (size_t)blockDim.x * blockDim.y * blockDim.z;
    if (cuemu_thread() / GROUP * GROUP + GROUP > threads)
        cuemu_die("a product of fewer than four warps");
    if (!l->fenced)
        cuemu_die("a product whose registers are not fenced");
    if (l->n == MOST_PRODUCTS)
        cuemu_die("more products under way than the emulation keeps");
    struct product *p = &l->product[l->n++];
    p->sum = sum;
    p->b = b;
    p->rows = rows;
    p->add = add;
    p->group = l->group;
    for (unsigned k = 0; k < 16; k++) {
        const struct cuemu_words *from = w + threadIdx.x % 32 / 4 * 4 + k % 8 / 2;
        for (unsigned half = 0; half < 2; half++)
            p->row[half][k] = cuemu_bf16(from->w[k / 8 * 2 + half], (int)(k % 2));
        for (unsigned i = 0; i < 16; i++)
            p->column[i][k] = item_of(b, rows, k, column_of(i));
    }
    l->order = l->order * 6364136223846793005u + (b ^ (uint64_t)rows << 48 ^ (uint64_t)add << 47);
    hold(l, sum);
}

void cuemu_group_commit(void)
{
    struct lane *l = &lanes[cuemu_thread()];
    l->group++;
    l->fenced = false;
}

static void add_product(const struct product *p, float sum[SUMS])
{
    for (unsigned i = 0; i < 16; i++)
        for (unsigned half = 0; half < 2; half++) {
            float *to = &sum[i / 2 * 4 + half * 2 + i % 2];
            float x = p->add ? *to : 0;
            for (unsigned k = 0; k < 16; k++)
                x += p->row[half][k] * cuemu_bf16(p->column[i][k], 0);
            *to = x;
        }
    for (unsigned i = 0; i < 16; i++)
        for (unsigned k = 0; k < 16; k++)
            if (item_of(p->b, p->rows, k, column_of(i)) != p->column[i][k])
                cuemu_die("shared memory changed under a product");
}

void cuemu_group_wait(size_t left)
{
    struct lane *l = &lanes[cuemu_thread()];
    size_t done = 0, kept = 0;
    while (done < l->n && l->product[done].group + left < l->group) {
        for (size_t i = 0; i < l->n_held; i++)
            if (l->held[i].sum == l->product[done].sum)
                add_product(&l->product[done], l->held[i].was);
        done++;
    }
    memmove(l->product, l->product + done, (l->n - done) * sizeof *l->product);
    l->n -= done;
    for (size_t i = 0; i < l->n_held; i++) {
        bool under_way = false;
        for (size_t k = 0; k < l->n; k++)
            under_way = under_way || l->product[k].sum == l->held[i].sum;
        if (under_way)
            l->held[kept++] = l->held[i];
        else
            memcpy(l->held[i].sum, l->held[i].was, sizeof l->held[i].was);
    }
    l->n_held = kept;
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

void cuda_bulk_copy(void *to, const void *from, unsigned n_bytes, uint64_t *gate)
{
    if ((uintptr_t)to % 16 || (uintptr_t)from % 16 || n_bytes % 16)
        cuemu_die("a bulk copy that is not of 16 bytes from and to multiples of 16");
    if (n_bulk == MOST_BULK)
        cuemu_die("more bulk copies under way than the emulation keeps");
    memset(to, 0xff, n_bytes);
    bulk[n_bulk++] = { to, from, n_bytes, gate };
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
        memcpy(b.to, b.from, b.n_bytes);
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

void cuemu_group_end(size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (lanes[i].n)
            cuemu_die("a product that nobody waited for");
        if (lanes[i].order != lanes[i / GROUP * GROUP].order)
            cuemu_die("warps of a warpgroup that make different products");
    }
    if (n_bulk)
        cuemu_die("a bulk copy that nobody waited for");
    for (size_t i = 0; i < n; i++) {
        lanes[i].group = lanes[i].order = 0;
        lanes[i].fenced = false;
    }
}
