/* Products of warpgroups: see tests/cuemu/wgmma.h. Gates and copies in bulk: gates.cpp. */
#include "tests/cuemu/cuemu.h"
#include "tests/cuemu/threads.h"
#include "tests/cuemu/wgmma.h"

enum { MOST_SUMS = 64, MOST_PRODUCTS = 32, MOST_HELD = 4, GROUP = 128 };
enum { FIRST_SHARED = 0x410 };

/* A product of one lane: its two rows of a, from registers or, a_there, from shared memory, and what
 * its columns of b were at first. */
struct product {
    float *sum;
    unsigned n_sums;
    uint16_t row[2][16], column[MOST_SUMS / 2][16];
    uint64_t a, b;
    bool a_there, rows, add;
    size_t group;
};

struct lane {
    size_t n, group, n_held;
    bool fenced;
    uint64_t order; /* of all products so far, which the four warps must have in common */
    struct product product[MOST_PRODUCTS];
    struct {
        float *sum, was[MOST_SUMS];
        size_t n_bytes;
    } held[MOST_HELD];
};
static struct lane lanes[MOST_THREADS];

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
static void hold(struct lane *l, float *sum, unsigned n_sums)
{
    for (size_t i = 0; i < l->n_held; i++)
        if (l->held[i].sum == sum)
            return;
    if (l->n_held == MOST_HELD)
        cuemu_die("more sums under way than the emulation keeps");
    auto *const h = &l->held[l->n_held++];
    h->sum = sum;
    h->n_bytes = n_sums * sizeof *sum;
    memcpy(h->was, sum, h->n_bytes);
    memset(sum, 0xff, h->n_bytes);
}

void cuemu_group_fence(void)
{
    lanes[cuemu_thread()].fenced = true;
}

/* Room for one more, with all that is known but its rows of a. */
static struct product *queue(struct lane *l, float *sum, unsigned n_sums, uint64_t b, bool rows,
                             bool add)
{
    const size_t threads = (size_t)blockDim.x * blockDim.y * blockDim.z;
    if (cuemu_thread() / GROUP * GROUP + GROUP > threads)
        cuemu_die("a product of fewer than four warps");
    if (!l->fenced)
        cuemu_die("a product whose registers are not fenced");
    if (l->n == MOST_PRODUCTS)
        cuemu_die("more products under way than the emulation keeps");
    struct product *p = &l->product[l->n++];
    p->sum = sum;
    p->n_sums = n_sums;
    p->a = 0;
    p->a_there = false;
    p->b = b;
    p->rows = rows;
    p->add = add;
    p->group = l->group;
    for (unsigned k = 0; k < 16; k++)
        for (unsigned i = 0; i < n_sums / 2; i++)
            p->column[i][k] = item_of(b, rows, k, column_of(i));
    l->order = l->order * 6364136223846793005u + (b ^ (uint64_t)rows << 48 ^ (uint64_t)add << 47);
    hold(l, sum, n_sums);
    return p;
}

void cuemu_group_mma(float *sum, const uint32_t a[4], uint64_t b, bool rows, bool add)
{
    const struct cuemu_words mine = { { a[0], a[1], a[2], a[3], 0, 0, 0, 0 } };
    const struct cuemu_words *w = cuemu_exchange(&mine, 0xffffffffu);
    struct product *p = queue(&lanes[cuemu_thread()], sum, 32, b, rows, add);
    for (unsigned k = 0; k < 16; k++) {
        const struct cuemu_words *from = w + threadIdx.x % 32 / 4 * 4 + k % 8 / 2;
        for (unsigned half = 0; half < 2; half++)
            p->row[half][k] = (uint16_t)(from->w[k / 8 * 2 + half] >> k % 2 * 16);
    }
}

/* Row of a, of the 64 of the warpgroup, that has this lane's sums of a half. */
static unsigned row_of(unsigned half)
{
    return threadIdx.x / 32 % 4 * 16 + half * 8 + threadIdx.x % 32 / 4;
}

void cuemu_group_wide(float *sum, uint64_t a, uint64_t b, bool rows, bool add)
{
    struct lane *l = &lanes[cuemu_thread()];
    __syncwarp(); /* the whole warp calls it */
    struct product *p = queue(l, sum, MOST_SUMS, b, rows, add);
    p->a = a;
    p->a_there = true;
    for (unsigned k = 0; k < 16; k++)
        for (unsigned half = 0; half < 2; half++)
            p->row[half][k] = item_of(a, false, k, row_of(half));
    l->order = l->order * 6364136223846793005u + a;
}

void cuemu_group_commit(void)
{
    struct lane *l = &lanes[cuemu_thread()];
    l->group++;
    l->fenced = false;
}

static void add_product(const struct product *p, float *sum)
{
    for (unsigned i = 0; i < p->n_sums / 2; i++)
        for (unsigned half = 0; half < 2; half++) {
            float *to = &sum[i / 2 * 4 + half * 2 + i % 2];
            float x = p->add ? *to : 0;
            for (unsigned k = 0; k < 16; k++)
                x += cuemu_bf16(p->row[half][k], 0) * cuemu_bf16(p->column[i][k], 0);
            *to = x;
        }
    bool same = true;
    for (unsigned k = 0; k < 16; k++) {
        for (unsigned i = 0; i < p->n_sums / 2; i++)
            same = same && item_of(p->b, p->rows, k, column_of(i)) == p->column[i][k];
        for (unsigned half = 0; p->a_there && half < 2; half++)
            same = same && item_of(p->a, false, k, row_of(half)) == p->row[half][k];
    }
    if (!same)
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
            memcpy(l->held[i].sum, l->held[i].was, l->held[i].n_bytes);
    }
    l->n_held = kept;
}

void cuemu_group_end(size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (lanes[i].n)
            cuemu_die("a product that nobody waited for");
        if (lanes[i].order != lanes[i / GROUP * GROUP].order)
            cuemu_die("warps of a warpgroup that make different products");
    }
    if (cuemu_copies_left())
        cuemu_die("a bulk copy that nobody waited for");
    for (size_t i = 0; i < n; i++) {
        lanes[i].group = lanes[i].order = 0;
        lanes[i].fenced = false;
    }
}
