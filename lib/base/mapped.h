/* A file as it lies, mapped into memory: pages are read when they are first touched, and the system
 * may take them back. Who shortens the file in place while it is mapped ends the process (SIGBUS);
 * a file that is replaced by renaming does no harm. */
#ifndef GC_BASE_MAPPED_H
#define GC_BASE_MAPPED_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"

struct mapped {
    void *at; /* page-aligned; NULL: nothing is mapped */
    size_t bytes;
    int file; /* MAPPED_OWN before mapped_write: its descriptor + 1; else 0 */
};

/* MAPPED_OWN: may be written to after mapped_write, and what is written stays in this process and
 * its pages; the file does not change. A descriptor stays open until then. */
enum mapped_how { MAPPED_READ, MAPPED_OWN };

/* RC_INPUT: cannot be opened, is empty, or is no plain file; each sentence has the path. A named
 * pipe does not hang. On failure *m is empty. */
enum rc mapped_open(struct mapped *m, const char *path, enum mapped_how how, struct err *e);
void mapped_close(struct mapped *m); /* may be called twice */
/* Drops the pages that were touched, to be read again when they are wanted. Not after a write. */
void mapped_forget(const struct mapped *m);
bool mapped_holds(const struct mapped *m, const void *x);
/* n bytes from `from` on, which m holds. Of MAPPED_OWN they are read from the file, so that no page
 * of the mapping becomes this process's: touching one takes in all the cached ones around it, 64 KB
 * on Linux. Threads may call it at once. */
void mapped_copy(const struct mapped *m, const void *from, size_t n, void *to);
/* MAPPED_OWN, before the first write: from now on what lies in memory counts. May be called twice,
 * and on an empty m. RC_FAIL: the system has no room for it; nothing is done. */
enum rc mapped_write(struct mapped *m, struct err *e);

#endif
