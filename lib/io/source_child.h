/* A source read in a process of its own (child.h). */
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
