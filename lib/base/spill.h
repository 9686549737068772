/* Memory for what grows with the number of cells: names, ids, where rows start. Long arrays lie in
 * a file without a name beside the output, mapped, so that the system can put their pages back
 * there; what a process holds at a time is what it touched since the last spill_rest. The file
 * vanishes with the process.
 *
 * Who goes through such arrays calls spill_step(i) for each item, or spill_rest for each block:
 * then peak memory is bounded whatever their length. Contents never change by it. Where there is no
 * room on the disk, ordinary memory is taken. All functions may be called from several threads; a
 * child of fork gets a file of its own. */
#ifndef GC_BASE_SPILL_H
#define GC_BASE_SPILL_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"

enum {
    SPILL_FROM = 1 << 19, /* bytes; what is shorter is ordinary memory */
    SPILL_STEP = 1 << 15  /* items between two rests */
};

/* In the folder of this file or folder if that exists, else (or NULL) in TMPDIR, or /tmp. Copied;
 * counts for what is asked for later. */
void spill_beside(const char *path);
/* Zeroed, aligned to 64 bytes; NULL: memory is short. */
void *spill_alloc(size_t n_bytes);
/* The first have bytes of p (NULL: none) in a room of n_bytes, which may be elsewhere. NULL: p is
 * as it was. */
void *spill_grow(void *p, size_t have, size_t n_bytes);
/* What these two gave, or malloc did. */
void spill_free(void *p);
/* Takes no memory for pages of these arrays until they are touched again. */
void spill_rest(void);
static inline void spill_step(size_t i)
{
    if (i % SPILL_STEP == SPILL_STEP - 1)
        spill_rest();
}
/* About n_bytes of such arrays were touched: a rest for every 4 MiB. For who takes blocks of any
 * size: a rest costs a microsecond and each page again, so a million blocks of a cell each must not
 * rest a million times. */
void spill_used(size_t n_bytes);
/* Bytes in files now. */
size_t spill_bytes(void);

/* memset to 0, memcpy, with rests. */
void spill_zero(void *p, size_t n_bytes);
void spill_copy(void *to, const void *from, size_t n_bytes);
/* Sorts n items of `size` bytes (at most 64), equal ones in their order: a merge sort that touches
 * memory from start to end only. -1: memory is short. */
int spill_sort(void *base, size_t n, size_t size, int (*compare)(const void *, const void *));

/* An arena whose blocks come from here; before its first arena_get. */
void spill_arena(struct arena *a, size_t block_bytes);

#endif
