/* Arena: many allocations, one release. Blocks are never moved, so pointers stay valid until
 * arena_reset or arena_release; a reset joins them to one. Memory is aligned to 64 bytes (a cache line, an AVX-512 vector). */
#ifndef GC_BASE_ARENA_H
#define GC_BASE_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *first, *now;
    size_t block_bytes; /* size of the next block at least */
    size_t used_bytes;  /* handed out since the last reset */
    size_t peak_bytes;
    char *text; /* room for short texts, which lie side by side */
    size_t text_left;
    /* Where blocks come from and go to, e.g. a device's memory, which the arena itself never
     * touches; NULL: this process's. Set before the first arena_get; memory of a device not with
     * texts, and arena_adopt only between arenas of one kind. */
    void *(*get)(size_t n_bytes);
    void (*give)(void *);
    size_t long_block_bytes; /* of blocks once more than this was handed out; 0: no matter */
};

void arena_init(struct arena *a, size_t block_bytes);
/* NULL when memory is short. Not zeroed. n = 0 gives a valid pointer. */
void *arena_get(struct arena *a, size_t n_bytes);
void *arena_get_zero(struct arena *a, size_t n_bytes);
/* The same for characters: aligned to nothing, so that a million names do not take 64 bytes each. */
char *arena_chars(struct arena *a, size_t n_bytes);
char *arena_text(struct arena *a, const char *text);
/* A place to go back to: what was handed out after the mark is free again after the rewind. */
struct arena_mark {
    struct arena_block *now;
    size_t used, used_bytes;
};
struct arena_mark arena_mark(const struct arena *a);
void arena_rewind(struct arena *a, struct arena_mark m);
/* `to` owns what `from` handed out; from is empty, and of use again, after. */
void arena_adopt(struct arena *to, struct arena *from);
void arena_reset(struct arena *a); /* keeps the memory for the next round, as one block */
void arena_release(struct arena *a);

/* Memory for free(), aligned to 64 bytes, not zeroed; from 4 MiB on in huge pages where the system
 * gives them to those who ask (a fault and a page-table entry for 2 MiB, not for 4 KiB). */
void *memory_pages(size_t n_bytes);

#endif
