/* The bytes of a plain or gzip file (told by the first bytes, not by the name) in chunks; of a long
 * file a thread of its own unpacks the next chunks while the caller looks at one. The chunks are the
 * same either way. */
#ifndef GC_IO_AHEAD_H
#define GC_IO_AHEAD_H

#include <stddef.h>

#include "lib/base/err.h"

enum { AHEAD_CHUNK = 1 << 17 };

struct ahead;

/* *a is NULL on failure. RC_INPUT: cannot be opened, is a folder; RC_FAIL: memory. */
enum rc ahead_open(struct ahead **a, const char *path, struct err *e);
void ahead_close(struct ahead *a); /* harmless on NULL */
/* The next chunk, borrowed until the next call and free to be written to; *n is 0 at the end. Of a
 * failure only *why is set: RC_INPUT the gzip stream is cut or damaged, RC_FAIL memory. */
enum rc ahead_next(struct ahead *a, char **chunk, size_t *n, const char **why);

#endif
