#define _DEFAULT_SOURCE
#include "lib/base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/base/spill.h"

enum { ALIGN = 64, HUGE_PAGE = 1 << 21, TEXT_ROOM = 1024 };

void *memory_pages(size_t n_bytes)
{
    if (n_bytes < 2 * HUGE_PAGE)
        return aligned_alloc(ALIGN, (n_bytes + ALIGN - 1) / ALIGN * ALIGN);
    if (n_bytes > SIZE_MAX - HUGE_PAGE)
        return NULL;
    const size_t n = (n_bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    void *p = aligned_alloc(HUGE_PAGE, n);
#ifdef MADV_HUGEPAGE
    if (p) /* a wish: where the system has none, small pages do */
        (void)madvise(p, n, MADV_HUGEPAGE);
#endif
    return p;
}

struct arena_block {
    struct arena_block *next;
    size_t size, used; /* of data, in bytes */
    char *data;
};

void arena_init(struct arena *a, size_t block_bytes)
{
    *a = (struct arena){ .block_bytes = block_bytes ? block_bytes : 1 << 16 };
}

static void block_free(const struct arena *a, struct arena_block *b)
{
    if (a->give)
        a->give(b->data);
    else
        free(b->data);
    free(b);
}

static struct arena_block *block_new(const struct arena *a, size_t size)
{
    struct arena_block *b = malloc(sizeof *b);
    if (!b)
        return NULL;
    *b = (struct arena_block){ .size = size, .data = a->get ? a->get(size) : memory_pages(size) };
    if (!b->data) {
        free(b);
        return NULL;
    }
    return b;
}

void *arena_get(struct arena *a, size_t n_bytes)
{
    if (n_bytes > SIZE_MAX - 2 * ALIGN)
        return NULL;
    size_t n = (n_bytes + ALIGN - 1) / ALIGN * ALIGN;
    if (!n)
        n = ALIGN;
    struct arena_block *b = a->now;
    while (b && b->size - b->used < n && b->next) { /* blocks kept from the round before */
        b = b->next;
        b->used = 0;
    }
    if (!b || b->size - b->used < n) {
        size_t size = (a->block_bytes + ALIGN - 1) / ALIGN * ALIGN;
        if (a->long_block_bytes > size && a->used_bytes > a->long_block_bytes)
            size = a->long_block_bytes;
        struct arena_block *fresh = block_new(a, n > size ? n : size);
        if (!fresh)
            return NULL;
        if (b)
            b->next = fresh;
        else
            a->first = fresh;
        b = fresh;
    }
    a->now = b;
    void *p = b->data + b->used;
    b->used += n;
    a->used_bytes += n;
    if (a->used_bytes > a->peak_bytes)
        a->peak_bytes = a->used_bytes;
    return p;
}

void *arena_get_zero(struct arena *a, size_t n_bytes)
{
    void *p = arena_get(a, n_bytes);
    if (p)
        spill_zero(p, n_bytes);
    return p;
}

char *arena_chars(struct arena *a, size_t n_bytes)
{
    if (n_bytes > TEXT_ROOM / 4)
        return arena_get(a, n_bytes);
    if (n_bytes > a->text_left) {
        char *room = arena_get(a, TEXT_ROOM);
        if (!room)
            return NULL;
        a->text = room;
        a->text_left = TEXT_ROOM;
    }
    char *p = a->text;
    a->text += n_bytes;
    a->text_left -= n_bytes;
    return p;
}

char *arena_text(struct arena *a, const char *text)
{
    size_t n = strlen(text) + 1;
    char *p = arena_chars(a, n);
    if (p)
        memcpy(p, text, n);
    return p;
}

struct arena_mark arena_mark(const struct arena *a)
{
    return (struct arena_mark){ a->now, a->now ? a->now->used : 0, a->used_bytes };
}

void arena_rewind(struct arena *a, struct arena_mark m)
{
    if (!m.now) { /* nothing had been handed out yet */
        arena_reset(a);
        return;
    }
    a->now = m.now;
    a->now->used = m.used;
    a->text_left = 0;
    a->used_bytes = m.used_bytes;
}

/* Behind the block in use there are only blocks to be used anew, so what is in use goes in front. */
void arena_adopt(struct arena *to, struct arena *from)
{
    struct arena_block *last = from->now;
    if (last) {
        struct arena_block *unused = last->next;
        last->next = to->first;
        to->first = from->first;
        if (!to->now)
            to->now = last;
        from->first = unused;
    }
    to->used_bytes += from->used_bytes;
    if (to->used_bytes > to->peak_bytes)
        to->peak_bytes = to->used_bytes;
    from->now = from->first;
    if (from->first)
        from->first->used = 0;
    from->used_bytes = from->text_left = 0;
}

/* A round that needed several blocks left a hole at the end of each; the next one gets one block
 * that holds it all. */
static void join_blocks(struct arena *a)
{
    /* More, for a round that is a little larger: memory of others is dear to ask for, and ours to
     * touch for the first time; what is not touched takes none. */
    const size_t size = a->peak_bytes + a->peak_bytes / (a->get ? 8 : 4);
    arena_release(a);
    a->first = block_new(a, size);
}

void arena_reset(struct arena *a)
{
    if (a->first && a->first->next)
        join_blocks(a);
    a->now = a->first;
    if (a->first)
        a->first->used = 0;
    a->used_bytes = a->text_left = 0;
}

void arena_release(struct arena *a)
{
    for (struct arena_block *b = a->first, *next; b; b = next) {
        next = b->next;
        block_free(a, b);
    }
    a->first = a->now = NULL;
    a->used_bytes = a->text_left = 0;
}
