/* A folder of verified files, addressed by what they hold.
 *
 *   CACHE/sha256/ab/cdef...   the bytes, read-only; made by rename, so whole or absent
 *   CACHE/view/PATH           symbolic links into it (hard links where there are none)
 *   CACHE/part/SHA.part       a download that is under way or was broken off; locked while in use
 *   CACHE/part/pip-XXXXXX/    where pip works; locked by its owner, removed after
 *
 * Nothing gets below sha256/ but through cache_new_commit and cache_adopt, and both look at size
 * and SHA-256 first. Locks are flock(2) on the part itself: two runs on one cache take turns at
 * each file, and the second finds what the first has made. */
#ifndef GC_IO_CACHE_H
#define GC_IO_CACHE_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/sha256.h"

struct cache {
    const char *root;                  /* borrowed */
    const volatile sig_atomic_t *stop; /* not NULL: long copies end when it is set */
};

/* Is the object there, with that size? (The sum was checked when it came.) */
bool cache_has(const struct cache *c, const char *sha256, uint64_t bytes);
/* The same, and PATH in the view leads to it. */
bool cache_view_ok(const struct cache *c, const char *path, const char *sha256, uint64_t bytes);
/* Makes view/PATH lead to the object, in one step. */
enum rc cache_view(const struct cache *c, const char *path, const char *sha256, struct err *e);
/* RC_CHECK when the object's bytes are no longer what its name says. */
enum rc cache_verify(const struct cache *c, const char *sha256, uint64_t bytes, struct err *e);
/* Takes an object out (after cache_verify refused it). */
void cache_forget(const struct cache *c, const char *sha256);

struct part {
    int fd;     /* -1: not open */
    char *path; /* owned */
};

/* Opens CACHE/part/NAME.part and locks it, making it when absent. *busy: someone else holds it; try
 * again later and look first whether the object has come meanwhile. */
enum rc cache_part_open(const struct cache *c, const char *name, struct part *p, bool *busy,
                        struct err *e);
/* Gives up the lock; the bytes stay, for a later run to go on from. Harmless on a closed part. */
void cache_part_close(struct part *p);
/* The same, and the bytes go. */
void cache_part_drop(struct part *p);
/* Verifies the part and makes it the object; *p is closed then. RC_INPUT: wrong size or sum (says
 * which); *p is as it was. */
enum rc cache_adopt(const struct cache *c, struct part *p, const char *sha256, uint64_t bytes,
                    struct err *e);

/* A new object written piece by piece (copied from a mirror, or taken out of an archive). */
struct cache_new {
    const struct cache *cache;
    struct part lock; /* SHA.part */
    int fd;
    char *tmp; /* SHA.new, owned */
    const char *sha256;
    uint64_t bytes, n;
    struct sha256 sum;
};

enum rc cache_new_open(const struct cache *c, const char *sha256, uint64_t bytes,
                       struct cache_new *w, bool *busy, struct err *e);
/* RC_INPUT: more bytes than the object has; RC_FAIL: the disk. */
enum rc cache_new_write(struct cache_new *w, const void *data, size_t n, struct err *e);
/* Verifies, then renames. *w is empty after, whatever came. */
enum rc cache_new_commit(struct cache_new *w, struct err *e);
void cache_new_abort(struct cache_new *w);

/* A fresh folder CACHE/part/PREFIX-XXXXXX, locked through *lock_fd; the caller frees *path. */
enum rc cache_folder_new(const struct cache *c, const char *prefix, char **path, int *lock_fd,
                         struct err *e);
/* Removes the folder with all in it and gives up the lock. */
void cache_folder_drop(char *path, int lock_fd);
/* Removes such folders of runs that were killed. */
void cache_sweep(const struct cache *c, const char *prefix);

#endif
