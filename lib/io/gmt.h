/* Gene sets in GMT form: a line per set, tabs between name, description and genes. Plain or gzip.
 */
#ifndef GC_IO_GMT_H
#define GC_IO_GMT_H

#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/map.h"

struct gene_set {
    const char *name;
    size_t n_listed; /* genes of the line, known or not */
    uint32_t *gene;  /* [n] the known ones, by number, each once, in the order of the line */
    size_t n;
};

struct gene_sets {
    struct gene_set *set; /* [n], owned; texts and lists are in the arena */
    size_t n, room;
    struct arena memory;
};

/* genes: name to number. RC_INPUT: a line without a name or a description, no line at all. On
 * failure *s is empty. */
enum rc gmt_read(const char *path, const struct map *genes, struct gene_sets *s, struct err *e);
void gene_sets_release(struct gene_sets *s);

#endif
