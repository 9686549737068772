/* Geneformer's rank lists (Theodoris et al. 2023; spec 05 section 13): the genes of a cell by
 * falling count / total * 10000 / median, total over all genes of the matrix. Our own tokens are
 * made otherwise (lib/cell/tokenize.h). */
#ifndef GC_CELL_RANK_LIST_H
#define GC_CELL_RANK_LIST_H

#include <stddef.h>
#include <stdint.h>

enum { RANK_LIST_MAX = 2048 };

struct ranked_token {
    double value;
    uint32_t token;
};

/* The cell's non-zero counts: column and count of each. token and median are by column; a column
 * without a median (0, or token UINT32_MAX) counts in the total only. list has room for n entries
 * and is sorted by falling value, then rising token; returns how many there are (cut at
 * RANK_LIST_MAX by the caller). Equal values keep no order in the original. */
size_t rank_list(const uint32_t *column, const uint32_t *count, size_t n, const uint32_t *token,
                 const double *median, struct ranked_token *list);

#endif
