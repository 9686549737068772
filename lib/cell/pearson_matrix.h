/* The counts of one matrix as pearson.c walks through them. */
#ifndef GC_CELL_PEARSON_MATRIX_H
#define GC_CELL_PEARSON_MATRIX_H

#include <stdbool.h>

#include "lib/cell/pearson.h"

/* Genes of a stripe: their sums fit the first-level cache. */
enum { PEARSON_STRIPE = 256 };

/* Genes in at least least_cells cells: by columns, and by stripes of genes, each by rows. */
struct pearson_matrix {
    size_t n_cells, n_genes, n_stripes;
    uint32_t *column; /* [n_genes] in the source */
    size_t *col;      /* [n_genes + 1] offsets of the next two */
    uint32_t *cell;   /* [nnz], rising in each column */
    double *value;    /* [nnz] */
    uint32_t *row;    /* [n_stripes, n_cells + 1] offsets of the next two, from the stripe's own
                       * beginning, col[its first gene] */
    uint8_t *gene;    /* [nnz] number within the stripe, rising in each row */
    void *row_value;  /* [nnz] floats or doubles */
    bool in_float;    /* every sum of values, squares and products is exact in float */
};

/* On failure *m is empty. */
enum rc pearson_matrix_fill(struct pearson_matrix *m, const struct csr *c,
                            const struct pearson_options *o, struct err *e);
void pearson_matrix_release(struct pearson_matrix *m);

#endif
