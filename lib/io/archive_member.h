/* One member of an archive, through libarchive: zip and wheel, tar (plain or compressed), and a
 * lone compressed file (gz, xz, bz2, zst), whose one content has any name that MEMBER gives it.
 *
 * The archive is looked through from its start for each member; in a zip that is a jump. */
#ifndef GC_IO_ARCHIVE_MEMBER_H
#define GC_IO_ARCHIVE_MEMBER_H

#include <stddef.h>

#include "lib/base/err.h"

/* Hands the member's bytes to sink, piece by piece; what sink returns other than RC_OK ends the
 * reading and is returned. RC_INPUT: no such member, the archive is cut or damaged. */
enum rc archive_member(const char *archive, const char *member,
                       enum rc (*sink)(void *ctx, const void *data, size_t n, struct err *e),
                       void *ctx, struct err *e);

#endif
