#define _GNU_SOURCE
#include "lib/base/spill.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/file.h"

enum { ALIGN = 64, PIECE = 1 << 20, USED_MOST = 1 << 22 };

struct region {
    char *at;
    size_t n_bytes;
    off_t in_file;
    int fd;
};

static struct spill {
    pthread_mutex_t lock;
    char *folder; /* owned; NULL: the usual place */
    int fd;       /* -1: no file yet */
    pid_t owner;  /* whose file it is: a child must not write where its parent does */
    off_t end;
    struct region *region; /* owned */
    size_t n, room, n_bytes;
    atomic_size_t n_now; /* n, for who only wants to know whether there is any */
    atomic_size_t used;  /* bytes since the last rest of spill_used */
} spill = { .lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1 };

/* ---- the file ---- */

static char *folder_of(const char *path)
{
    if (folder_exists(path))
        return text_new("%s", path);
    const char *slash = strrchr(path, '/');
    char *folder = slash ? text_new("%.*s", (int)(slash - path) + 1, path) : text_new(".");
    if (folder && strncmp(path, "/dev/", 5) != 0 && folder_exists(folder))
        return folder;
    free(folder);
    return NULL;
}

void spill_beside(const char *path)
{
    pthread_mutex_lock(&spill.lock);
    free(spill.folder);
    spill.folder = path ? text_new("%s", path) : NULL;
    if (spill.fd >= 0 && spill.n == 0) { /* the next array makes a new one there */
        close(spill.fd);
        spill.fd = -1;
    }
    pthread_mutex_unlock(&spill.lock);
}

static bool open_file(void)
{
    char *folder = spill.folder ? folder_of(spill.folder) : NULL;
    struct err e = { 0 };
    spill.fd = -1;
    if (file_unnamed(folder, &spill.fd, &e) && folder)
        file_unnamed(NULL, &spill.fd, &e);
    free(folder);
    spill.owner = getpid();
    spill.end = 0;
    return spill.fd >= 0;
}

/* Room on the disk first: without it, touching a page would end the process. */
static char *map_new(size_t n_bytes)
{
    if ((spill.fd < 0 || spill.owner != getpid()) && !open_file())
        return NULL;
    if (spill.n == spill.room) {
        size_t room = 2 * spill.room + 64;
        struct region *more = realloc(spill.region, room * sizeof *more);
        if (!more)
            return NULL;
        spill.region = more;
        spill.room = room;
    }
    if (posix_fallocate(spill.fd, spill.end, (off_t)n_bytes) != 0)
        return NULL;
    char *p = mmap(NULL, n_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, spill.fd, spill.end);
    if (p == MAP_FAILED)
        return NULL;
    spill.region[spill.n++] = (struct region){ p, n_bytes, spill.end, spill.fd };
    spill.end += (off_t)n_bytes;
    spill.n_bytes += n_bytes;
    atomic_store(&spill.n_now, spill.n);
    return p;
}

/* ---- arrays ---- */

void *spill_alloc(size_t n_bytes)
{
    if (n_bytes > SIZE_MAX / 2)
        return NULL;
    if (n_bytes >= SPILL_FROM) {
        const size_t page = (size_t)sysconf(_SC_PAGESIZE);
        pthread_mutex_lock(&spill.lock);
        char *p = map_new((n_bytes + page - 1) / page * page);
        pthread_mutex_unlock(&spill.lock);
        if (p)
            return p;
    }
    const size_t n = (n_bytes + ALIGN) / ALIGN * ALIGN;
    void *p = aligned_alloc(ALIGN, n);
    return p ? memset(p, 0, n) : NULL;
}

static struct region *find(const void *p)
{
    for (size_t i = spill.n; i-- > 0;)
        if (spill.region[i].at == p)
            return &spill.region[i];
    return NULL;
}

/* The disk gets its room back at once; a system that cannot do that does it at the end. */
void spill_free(void *p)
{
    if (!p)
        return;
    struct region r = { 0 };
    pthread_mutex_lock(&spill.lock);
    struct region *found = find(p);
    if (found) {
        r = *found;
        *found = spill.region[--spill.n];
        spill.n_bytes -= r.n_bytes;
        atomic_store(&spill.n_now, spill.n);
        munmap(r.at, r.n_bytes);
        if (spill.owner == getpid() && r.fd == spill.fd)
            (void)fallocate(r.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, r.in_file,
                            (off_t)r.n_bytes);
    }
    if (spill.n == 0) { /* a leak checker finds nothing */
        free(spill.region);
        spill.region = NULL;
        spill.room = 0;
    }
    pthread_mutex_unlock(&spill.lock);
    if (!found)
        free(p);
}

void *spill_grow(void *p, size_t have, size_t n_bytes)
{
    void *more = spill_alloc(n_bytes);
    if (!more)
        return NULL;
    if (p)
        spill_copy(more, p, have);
    spill_free(p);
    return more;
}

void spill_rest(void)
{
    if (!atomic_load(&spill.n_now))
        return;
    pthread_mutex_lock(&spill.lock);
    for (size_t i = 0; i < spill.n; i++)
        (void)madvise(spill.region[i].at, spill.region[i].n_bytes, MADV_DONTNEED);
    pthread_mutex_unlock(&spill.lock);
}

void spill_used(size_t n_bytes)
{
    if (atomic_fetch_add(&spill.used, n_bytes) + n_bytes < USED_MOST)
        return;
    atomic_store(&spill.used, 0);
    spill_rest();
}

size_t spill_bytes(void)
{
    pthread_mutex_lock(&spill.lock);
    size_t n = spill.n_bytes;
    pthread_mutex_unlock(&spill.lock);
    return n;
}

/* ---- from start to end ---- */

void spill_zero(void *p, size_t n_bytes)
{
    char *to = p;
    for (size_t at = 0; at < n_bytes; at += PIECE) {
        memset(to + at, 0, n_bytes - at < PIECE ? n_bytes - at : PIECE);
        if (n_bytes > PIECE)
            spill_rest();
    }
}

void spill_copy(void *to, const void *from, size_t n_bytes)
{
    for (size_t at = 0; at < n_bytes; at += PIECE) {
        memcpy((char *)to + at, (const char *)from + at,
               n_bytes - at < PIECE ? n_bytes - at : PIECE);
        if (n_bytes > PIECE)
            spill_rest();
    }
}

/* Runs a and b, one behind the other in `from`, to one run in `to`. */
static void merge(const char *from, size_t n_a, size_t n_b, size_t size, char *to,
                  int (*compare)(const void *, const void *))
{
    const char *a = from, *a_end = from + n_a * size, *b = a_end, *b_end = b + n_b * size;
    for (size_t i = 0; a < a_end || b < b_end; i++, to += size) {
        bool first = b == b_end || (a < a_end && compare(a, b) <= 0);
        memcpy(to, first ? a : b, size);
        *(first ? &a : &b) += size;
        spill_step(i);
    }
}

/* Sorted runs in `from` to one; returns where it lies: in one or the other. */
static char *merge_runs(char *from, char *to, size_t n, size_t size, size_t run,
                        int (*compare)(const void *, const void *))
{
    for (; run < n; run *= 2) {
        for (size_t at = 0; at < n; at += 2 * run) {
            size_t n_a = n - at < run ? n - at : run, left = n - at - n_a;
            merge(from + at * size, n_a, left < run ? left : run, size, to + at * size, compare);
        }
        char *swap = from;
        from = to;
        to = swap;
    }
    return from;
}

/* By insertion within a few, merged from there on: equal items keep their order, which qsort does
 * not promise. */
static void sort_run(char *at, char *room, size_t n, size_t size,
                     int (*compare)(const void *, const void *))
{
    enum { FEW = 8 };
    char item[64];
    for (size_t i = 0; i < n; i++) {
        size_t k = i;
        memcpy(item, at + i * size, size);
        for (; k % FEW && compare(at + (k - 1) * size, item) > 0; k--)
            memcpy(at + k * size, at + (k - 1) * size, size);
        memcpy(at + k * size, item, size);
    }
    const char *sorted = merge_runs(at, room, n, size, FEW, compare);
    if (sorted != at)
        memcpy(at, sorted, n * size);
}

int spill_sort(void *base, size_t n, size_t size, int (*compare)(const void *, const void *))
{
    char *from = base;
    if (n < 2)
        return 0;
    char *other = n > SIZE_MAX / 64 ? NULL : spill_alloc(n * size);
    if (!other)
        return -1;
    for (size_t at = 0; at < n; at += SPILL_STEP) { /* in the processor's cache */
        sort_run(from + at * size, other + at * size, n - at < SPILL_STEP ? n - at : SPILL_STEP,
                 size, compare);
        spill_rest();
    }
    const char *sorted = merge_runs(from, other, n, size, SPILL_STEP, compare);
    if (sorted != from)
        spill_copy(base, sorted, n * size);
    spill_free(other);
    return 0;
}

void spill_arena(struct arena *a, size_t block_bytes)
{
    arena_init(a, block_bytes);
    a->get = spill_alloc;
    a->give = spill_free;
    a->long_block_bytes = 2 * SPILL_FROM;
}
