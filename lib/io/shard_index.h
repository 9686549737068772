/* The hash table of index.h5 (shard.h), made in little memory. */
#ifndef GC_IO_SHARD_INDEX_H
#define GC_IO_SHARD_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

enum { SHARD_INDEX_PART = 1 << 20 };

/* *slot [*n_slots]: what entering the ids one after another gives, entry i + 1 for id[i]; freed by
 * the caller with spill_free. part: slots that are filled at a time, a power of two; never changes
 * the result. n at most SHARD_INDEX_MAX. */
enum rc shard_index_make(const uint64_t *id, size_t n, size_t part, uint32_t **slot,
                         uint64_t *n_slots, struct err *e);

#endif
