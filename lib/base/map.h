/* A map from names to numbers (gene symbol to row, barcode to cell). Open addressing; keys are
 * copied; there is no removal. */
#ifndef GC_BASE_MAP_H
#define GC_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"

struct map_slot;

struct map {
    struct map_slot *slot; /* owned */
    size_t n_slots, n;
    struct arena text;
};

#define MAP_NONE UINT64_MAX

void map_init(struct map *m);
void map_release(struct map *m);
/* Adds key -> value; keeps the first value when the key is there already, and then tells it in
 * *old (MAP_NONE when the key is new; old may be NULL). */
enum rc map_add(struct map *m, const char *key, uint64_t value, uint64_t *old, struct err *e);
/* MAP_NONE when absent. */
uint64_t map_get(const struct map *m, const char *key);
uint64_t map_get_n(const struct map *m, const char *key, size_t n_bytes);

/* *yes only if none of n texts is NULL and none stands there twice. Told by hashes, 8 bytes
 * a text in spilled memory (lib/base/spill.h); two hashes that agree by chance make it a no. */
enum rc texts_differ(const char *const *text, size_t n, bool *yes, struct err *e);

#endif
