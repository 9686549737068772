/* Reading in a process of its own.
 *
 * HDF5 trusts much of what a file says about itself: damaged heaps and headers make it read outside
 * its memory. A reader on top of it therefore runs in a child process, which sends what it read
 * through a pipe; when it dies, the file is refused and we live. A child has 10 s of processor time
 * and one more per megabyte of the file: a loop in a damaged file ends as well. Its memory is
 * bounded by the size of the file.
 *
 * Call order: child_read forks; in the child read, then send; in the parent receive. */
#ifndef GC_IO_CHILD_H
#define GC_IO_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/data/table.h"

/* what: the thing read; the child's is a copy of the parent's, as fork leaves it. */
struct child_task {
    enum rc (*read)(void *what, struct err *e);
    bool (*send)(void *what, FILE *to); /* may release what it has sent */
    /* RC_FAIL: memory is short, or the child broke off. What was filled stays for the caller to
     * release. */
    enum rc (*receive)(FILE *from, void *what, struct err *e);
    void *what;
};

/* The child's own status and sentence; RC_INPUT also when the child dies over the file. */
enum rc child_read(const struct child_task *t, uint64_t file_bytes, struct err *e);

/* ---- pieces of send and receive: bytes, texts (NULL stays NULL), tables ---- */

bool child_put(FILE *to, const void *data, size_t n_bytes);
bool child_get(FILE *from, void *data, size_t n_bytes);
bool child_put_texts(FILE *to, const char *const *text, size_t n);
/* text [n] is filled with texts in the arena; NULL: memory is short, false. */
bool child_get_texts(FILE *from, struct arena *a, const char **text, size_t n);
/* May so many things of up to 8 bytes be asked for? A child whose memory a damaged file has spoilt
 * may send any number, and one that wraps makes a short array. */
bool child_fits(uint64_t n);
/* The columns; the number of rows, which the other side knows, is not sent. */
bool child_put_columns(FILE *to, const struct table *t);
/* *t is a fresh table of n_rows, which may not fit; on failure it is to be released. */
bool child_get_columns(FILE *from, struct table *t, size_t n_rows);

#endif
