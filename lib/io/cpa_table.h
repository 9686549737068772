/* A result table as CPA's scripts write it, a row per condition: cell_type, condition, dose_val,
 * the four R2, model, num_cells, split; other columns are ignored. */
#ifndef GC_IO_CPA_TABLE_H
#define GC_IO_CPA_TABLE_H

#include <stddef.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"

enum { CPA_SCORES = 4, CPA_SPLITS = 3 };
extern const char *const cpa_score_name[CPA_SCORES]; /* as the header has them */
extern const char *const cpa_split_name[CPA_SPLITS]; /* train, test, ood */

struct cpa_row {
    const char *key; /* cell type, condition, dose and split; texts in the table's arena */
    int split;
    double score[CPA_SCORES], n_cells;
};

struct cpa_table {
    const char *model;   /* of its first row */
    struct cpa_row *row; /* [n], owned, by key */
    size_t n;
    struct arena text;
};

/* RC_INPUT: a column that is missing, a score or a number of cells that is none, another split or
 * model, a condition twice. On failure *t is empty. */
enum rc cpa_table_read(const char *path, struct cpa_table *t, struct err *e);
void cpa_table_release(struct cpa_table *t);

#endif
