/* The scheduler behind tests/cuemu/cuemu.h.
 *
 * run_block: a round runs every warp to the next __syncthreads(), a closed gate (group.cpp) or its
 * end; run_warp: a round runs every lane to its next barrier. Fibers are made once and then serve
 * block after block. */
#include "tests/cuemu/cuemu.h"
#include "tests/cuemu/memory.h"
#include "tests/cuemu/threads.h"

#include <stdio.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#define FIBER_LEAVE(keep, to) __sanitizer_start_switch_fiber(keep, (to)->stack, (to)->bytes)
#define FIBER_ENTER(kept) __sanitizer_finish_switch_fiber(kept, &from_stack, &from_bytes)
#else
#define FIBER_LEAVE(keep, to) ((void)(keep))
#define FIBER_ENTER(kept) ((void)(kept))
#endif
#if !defined(__x86_64__)
#include <ucontext.h>
#endif

enum { WARP = 32, STACK_BYTES = 256 << 10 };
enum { MOST_SHARED = 227 << 10, MOST_BLOCKS_Y = 65535 };
enum state { RUNS, AT_WARP, AT_GATE, AT_BLOCK, ENDED };

struct fiber {
    const void *stack;
    size_t bytes;
#if defined(__x86_64__)
    void *sp;
#else
    ucontext_t at;
#endif
    enum state state;
    unsigned exchanges;
};

struct cuemu_place cuemu_now;
static struct fiber fibers[MOST_THREADS], scheduler, *running;
static struct cuemu_words words[2][MOST_THREADS];
static void (*body)(const void *);
static const void *body_of;
static void *shared;
static int order;
static bool moved;
static uint64_t shuffle_state;
#if defined(__SANITIZE_ADDRESS__)
static const void *from_stack;
static size_t from_bytes;
#endif

[[noreturn]] void cuemu_die(const char *what)
{
    fprintf(stderr, "cuemu: %s (block %u %u %u, thread %u %u)\n", what, cuemu_now.block.x,
            cuemu_now.block.y, cuemu_now.block.z, cuemu_now.thread.x, cuemu_now.thread.y);
    abort();
}

#if defined(__x86_64__)
/* Saves the registers that a call keeps, and goes on where `to` was saved. */
extern "C" void cuemu_switch(void **save, void *to);
__asm__(".text\n.globl cuemu_switch\n.type cuemu_switch,@function\ncuemu_switch:\n"
        "pushq %rbp\npushq %rbx\npushq %r12\npushq %r13\npushq %r14\npushq %r15\n"
        "movq %rsp,(%rdi)\nmovq %rsi,%rsp\n"
        "popq %r15\npopq %r14\npopq %r13\npopq %r12\npopq %rbx\npopq %rbp\nret\n"
        ".size cuemu_switch,.-cuemu_switch\n");
#endif

static void go(struct fiber *from, struct fiber *to)
{
    void *kept = NULL;
    FIBER_LEAVE(&kept, to);
#if defined(__x86_64__)
    cuemu_switch(&from->sp, to->sp);
#else
    swapcontext(&from->at, &to->at);
#endif
    FIBER_ENTER(kept);
}

/* Where a fiber starts. It never returns: after the end of a block it waits for the next. */
static void fiber_main(void)
{
    FIBER_ENTER(NULL);
#if defined(__SANITIZE_ADDRESS__)
    scheduler.stack = from_stack;
    scheduler.bytes = from_bytes;
#endif
    for (;;) {
        body(body_of);
        running->state = ENDED;
        go(running, &scheduler);
    }
}

static void fiber_make(struct fiber *f)
{
    char *stack = (char *)aligned_alloc(64, STACK_BYTES);
    if (!stack)
        cuemu_die("no memory for a stack");
    f->stack = stack;
    f->bytes = STACK_BYTES;
#if defined(__x86_64__)
    void **top = (void **)(stack + STACK_BYTES) - 8; /* six registers, where to, a gap */
    memset(top, 0, 8 * sizeof *top);
    top[6] = (void *)fiber_main;
    f->sp = top;
#else
    getcontext(&f->at);
    f->at.uc_stack.ss_sp = stack;
    f->at.uc_stack.ss_size = STACK_BYTES;
    makecontext(&f->at, fiber_main, 0);
#endif
}

static void wait_at(enum state s)
{
    running->state = s;
    go(running, &scheduler);
}

size_t cuemu_thread(void)
{
    return (size_t)(running - fibers);
}

void cuemu_pause(void)
{
    wait_at(AT_GATE);
}

void cuemu_moved(void)
{
    moved = true;
}

void __syncthreads(void)
{
    wait_at(AT_BLOCK);
}

void __syncwarp(unsigned mask)
{
    if (mask != 0xffffffffu)
        cuemu_die("a barrier of a part of a warp");
    wait_at(AT_WARP);
}

const struct cuemu_words *cuemu_exchange(const struct cuemu_words *mine, unsigned mask)
{
    const size_t me = (size_t)(running - fibers);
    struct cuemu_words *w = words[running->exchanges++ % 2];
    w[me] = *mine;
    __syncwarp(mask);
    return w + me / WARP * WARP;
}

enum { MOST_COPIES = 64 };
struct copies {
    size_t n, group; /* waiting; number of the open group */
    struct {
        void *to;
        const void *from;
        size_t n_bytes, group;
    } copy[MOST_COPIES];
};
static struct copies copies[MOST_THREADS];

void cuemu_copy_start(void *to, const void *from, size_t n_bytes)
{
    struct copies *c = &copies[running - fibers];
    if (c->n == MOST_COPIES)
        cuemu_die("more copies under way than the emulation keeps");
    memset(to, 0xff, n_bytes);
    c->copy[c->n++] = { to, from, n_bytes, c->group };
}

void cuemu_copy_group(void)
{
    copies[running - fibers].group++;
}

void cuemu_copy_wait(size_t left)
{
    struct copies *c = &copies[running - fibers];
    size_t kept = 0;
    for (size_t i = 0; i < c->n; i++) {
        const auto x = c->copy[i];
        if (x.group + left >= c->group)
            c->copy[kept++] = x;
        else if (x.from)
            memcpy(x.to, x.from, x.n_bytes);
        else
            memset(x.to, 0, x.n_bytes);
    }
    c->n = kept;
}

void *cuemu_shared(void)
{
    return shared;
}

extern "C" void cuemu_order(int o)
{
    order = o;
    shuffle_state = 1;
}

/* The i-th of n in the order asked for. Shuffled: i * odd + start modulo a power of two, skipping
 * what is beyond n, is a permutation; both are drawn anew for every round. */
struct turns {
    size_t n, size, step, at, left;
};

static struct turns turns_of(size_t n)
{
    struct turns t = { n, 1, 1, 0, n };
    while (t.size < n)
        t.size *= 2;
    if (order == CUEMU_REVERSE) {
        t.at = n - 1;
        t.step = t.size - 1;
    } else if (order == CUEMU_SHUFFLED) {
        shuffle_state = shuffle_state * 6364136223846793005u + 1442695040888963407u;
        t.at = (size_t)(shuffle_state >> 33) % t.size;
        t.step = ((size_t)(shuffle_state >> 40) % t.size) | 1;
    }
    return t;
}

static bool next_turn(struct turns *t, size_t *i)
{
    if (!t->left)
        return false;
    while (t->at >= t->n)
        t->at = (t->at + t->step) % t->size;
    *i = t->at;
    t->at = (t->at + t->step) % t->size;
    t->left--;
    return true;
}

static void place_thread(size_t i)
{
    const dim3 b = cuemu_now.threads;
    cuemu_now.thread =
        dim3((unsigned)(i % b.x), (unsigned)(i / b.x % b.y), (unsigned)(i / b.x / b.y));
}

/* The state that all lanes share; anything else is a bug of the kernel. */
static enum state state_of(size_t begin, size_t n, const char *else_what)
{
    for (size_t i = 1; i < n; i++)
        if (fibers[begin + i].state != fibers[begin].state)
            cuemu_die(else_what);
    return fibers[begin].state;
}

static enum state run_warp(size_t warp)
{
    size_t i;
    for (;;) {
        struct turns t = turns_of(WARP);
        while (next_turn(&t, &i)) {
            running = &fibers[warp * WARP + i];
            if (running->state != RUNS)
                continue;
            place_thread(warp * WARP + i);
            go(&scheduler, running);
        }
        const enum state s =
            state_of(warp * WARP, WARP, "lanes of a warp stand at different barriers");
        if (s != AT_WARP)
            return s;
        for (i = 0; i < WARP; i++)
            fibers[warp * WARP + i].state = RUNS;
    }
}

/* Runs a warp that stands at no block barrier. */
static void go_on(size_t warp)
{
    struct fiber *f = &fibers[warp * WARP];
    if (f->state != RUNS && f->state != AT_GATE)
        return;
    for (size_t i = 0; i < WARP; i++)
        f[i].state = RUNS;
    if (run_warp(warp) != AT_GATE)
        moved = true;
}

static void run_block(size_t n_threads, size_t shared_bytes)
{
    size_t w, at_gate;
    memset(shared, 0xff, shared_bytes);
    for (size_t i = 0; i < n_threads; i++)
        fibers[i].state = RUNS;
    for (;;) {
        struct turns t = turns_of(n_threads / WARP);
        moved = false;
        while (next_turn(&t, &w))
            go_on(w);
        at_gate = 0;
        for (size_t i = 0; i < n_threads; i += WARP)
            at_gate += fibers[i].state == AT_GATE;
        if (at_gate) {
            if (!moved)
                cuemu_die("a gate that nobody opens");
            continue;
        }
        if (state_of(0, n_threads, "a thread ended before a barrier of the others") == ENDED)
            break;
        for (size_t i = 0; i < n_threads; i++)
            fibers[i].state = RUNS;
    }
    cuemu_group_end(n_threads);
    for (size_t i = 0; i < n_threads; i++)
        if (copies[i].n)
            cuemu_die("a copy that nobody waited for");
}

int cuemu_launch(dim3 blocks, dim3 threads, size_t shared_bytes, void (*f)(const void *),
                 const void *of)
{
    const size_t n = (size_t)threads.x * threads.y * threads.z;
    const size_t n_blocks = (size_t)blocks.x * blocks.y * blocks.z;
    if (!n || n > MOST_THREADS || shared_bytes > MOST_SHARED || !n_blocks ||
        blocks.y > MOST_BLOCKS_Y || blocks.z > MOST_BLOCKS_Y)
        return 1;
    if (n % WARP)
        cuemu_die("a block that is no multiple of a warp");
    for (size_t i = 0; i < n; i++)
        if (!fibers[i].stack)
            fiber_make(&fibers[i]);
    body = f;
    body_of = of;
    if (posix_memalign(&shared, 16, shared_bytes ? shared_bytes : 1)) /* exactly that much */
        cuemu_die("no memory for shared memory");
    cuemu_now.threads = threads;
    cuemu_now.blocks = blocks;
    struct turns t = turns_of(n_blocks);
    size_t i;
    cuemu_open();
    while (next_turn(&t, &i)) {
        cuemu_now.block = dim3((unsigned)(i % blocks.x), (unsigned)(i / blocks.x % blocks.y),
                               (unsigned)(i / blocks.x / blocks.y));
        run_block(n, shared_bytes);
    }
    cuemu_close();
    free(shared);
    shared = NULL;
    return 0;
}
