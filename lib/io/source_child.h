/* Reading in a process of its own.
 *
 * HDF5 trusts much of what a file says about itself: damaged heaps and headers make it read outside
 * its memory. A reader on top of it therefore runs in a child process, which sends the source back
 * through a pipe; when it dies, the file is refused and we live. A child has 10 s of processor time
 * and one more per megabyte of the file: a loop in a damaged file ends as well. Its memory is
 * bounded by the size of the file. */
#ifndef GC_IO_SOURCE_CHILD_H
#define GC_IO_SOURCE_CHILD_H

#include "lib/io/source.h"

/* read(ctx, s, e) in a child. s was made by source_init. */
enum rc source_read_in_child(enum rc (*read)(const void *ctx, struct source *s, struct err *e),
                             const void *ctx, uint64_t file_bytes, struct source *s, struct err *e);

/* The two halves, for tests: a source through a stream. */
bool source_send(const struct source *s, FILE *to);
enum rc source_receive(FILE *from, struct source *s, struct err *e);

#endif
