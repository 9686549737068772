/* Which cells occur more than once: in one sample, in several, and in the sets that a model is
 * judged on. Cells are the same when their content is (content.h); content 0 (no counts) is nobody's.
 *
 * A group is a sample of the corpus or a set beside it. All cells are sorted by content, 16 bytes
 * each; a run of equal ones is then looked at once. */
#ifndef GC_CELL_LEDGER_H
#define GC_CELL_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

struct ledger_cell {
    uint64_t content;
    uint32_t group;
};

struct ledger_group {
    bool is_set;       /* not part of the corpus */
    uint64_t n_cells, n_no_counts;
    uint64_t n_again;  /* cells whose content another cell of this group had before */
    uint64_t n_others; /* cells whose content is in another sample of the corpus */
    uint64_t n_corpus; /* of a set: in the corpus; of a sample: all with counts */
};

/* Contents that both groups hold, each counted once; a < b. Pairs of two sets are not listed. */
struct ledger_pair {
    uint32_t a, b;
    uint64_t n;
};

struct ledger {
    struct ledger_group *group; /* [n_groups], owned as the others */
    size_t n_groups;
    struct ledger_cell *cell;
    size_t n_cells, room;
    struct ledger_pair *pair; /* by a, then b; after ledger_count */
    size_t n_pairs;
    uint64_t n_distinct; /* contents of the corpus */
};

enum rc ledger_init(struct ledger *l, struct err *e);
void ledger_release(struct ledger *l);
enum rc ledger_add_group(struct ledger *l, bool is_set, uint32_t *group, struct err *e);
enum rc ledger_add(struct ledger *l, uint32_t group, const int64_t *content, size_t n,
                   struct err *e);
/* When all are there. */
enum rc ledger_count(struct ledger *l, struct err *e);

#endif
