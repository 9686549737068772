/* A number for each pair of genes: a square table of text (plain or gzip), genes in the header and,
 * in the same order, in the first column; the same number on both sides of the diagonal. An empty
 * field, or nan, is a pair that was not measured. The diagonal is a gene with itself. */
#ifndef GC_IO_PAIR_TABLE_H
#define GC_IO_PAIR_TABLE_H

#include "lib/data/names.h"

struct pair_table {
    struct names gene;
    double *x; /* [gene.n, gene.n] symmetric, NaN: not measured; owned */
};

/* RC_INPUT with file, line and trouble: another order of the genes, a gene twice, a number that is
 * none, two numbers for one pair (apart from rounding, 1e-9 of the larger). On failure *t is empty.
 */
enum rc pair_table_read(struct pair_table *t, const char *path, struct err *e);
void pair_table_release(struct pair_table *t);
static inline double pair_table_get(const struct pair_table *t, size_t a, size_t b)
{
    return t->x[a * t->gene.n + b];
}

#endif
