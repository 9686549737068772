/* The files of a shard folder, shared by reader and writer. */
#ifndef GC_IO_SHARD_NAMES_H
#define GC_IO_SHARD_NAMES_H

#include <stddef.h>

#include "lib/base/err.h"

/* The names shard-DIGITS.h5 in the folder by rising number; the caller frees each and the array.
 * RC_INPUT: the folder cannot be read. */
enum rc shard_names(const char *folder, char ***name, size_t *n, struct err *e);
void shard_names_free(char **name, size_t n);

#endif
