/* How many cells of the sets that models are judged on stand in the corpus they were trained on:
 * the table sets.tsv that `ledger` writes. A benchmark prints the figure of its set beside its
 * scores. */
#ifndef GC_IO_LEAKAGE_H
#define GC_IO_LEAKAGE_H

#include <stdint.h>

#include "lib/data/table.h"

struct leakage {
    struct table t;
};

struct leakage_of {
    uint64_t cells, in_corpus; /* of the set; all of its labelled cells */
};

/* RC_INPUT: a number that is none, more cells in the corpus than in the set, a set twice. On
 * failure *l is empty. */
enum rc leakage_read(struct leakage *l, const char *path, struct err *e);
void leakage_release(struct leakage *l);
/* False: the ledger does not know the set. */
bool leakage_find(const struct leakage *l, const char *set, struct leakage_of *of);

#endif
