/* From the counts of one cell to its tokens: divide by the gene's median, rank, cut.
 * Spec 01 sections 4 (C5..C8) and 7.
 *
 *   x = count / median      one division in double; median 1 where a gene has none. Not divided by
 *                           the cell's total: the authors' script has that line commented out, and
 *                           the released values are such (spec 07, A3)
 *   order                   x falling, then token rising, on the double x
 *   value = (float)log2(1 + x)
 * What the paper says, depth normalisation as in Geneformer, is the other choice: the value is
 *   value = (float)log2(1 + x * 10000 / total)    in that order; total: the cell's over all mapped
 *                           genes. The order stays that of x, since total is the same for all genes
 * The authors order by the value instead, with an unstable sort: their order differs from ours only
 * among values that agree to the last bits (reference: golden/corpus, column `ties`).
 *
 * Worked example: counts 3, 6, 2 of genes with medians 1.5, 2.7, 0.9 and tokens 9, 5, 4 have
 * x = 2, 2.222222222222222, 2.2222222222222223: tokens 4 5 9, values 1.688 1.688 1.585. */
#ifndef GC_CELL_TOKENIZE_H
#define GC_CELL_TOKENIZE_H

#include <stdbool.h>

#include "lib/data/cells.h"
#include "lib/data/gene_tables.h"
#include "lib/data/vocab.h"

struct rank_table; /* rank_table.h */

/* What each column of a matrix stands for. */
struct token_columns {
    size_t n_cols;
    int32_t *token; /* -1: none, the column is left out; owned, as is median */
    double *median;
    size_t n_tokens;    /* columns with a token */
    size_t n_no_median; /* of these, without a median: 1 is used, which matters where it has counts */
    bool *no_median;    /* which; owned */
    struct rank_table *ranks; /* owned; NULL: every count goes the long way (same result) */
};

/* id[j]: Ensembl id of column j. A column whose id has no token gets -1. On failure *c is empty. */
enum rc token_columns_of(struct token_columns *c, const char *const *id, size_t n_cols,
                         const struct vocab *v, const struct medians *m, struct err *e);
/* The same from the tables: gene[j] is a row, or GENE_NONE. Only core genes with a token. */
enum rc token_columns_of_tables(struct token_columns *c, const uint32_t *gene, size_t n_cols,
                                const struct gene_tables *t, struct err *e);
void token_columns_release(struct token_columns *c);

/* Room for one cell; one per thread. Grows as needed. */
struct token_work {
    struct token_key *key, *swap; /* owned */
    uint32_t *place, *place_swap; /* owned */
    uint64_t total; /* set by the caller: values by depth with this total; 0: without */
    size_t room;
    uint16_t *token; /* [n] of the last cell, owned */
    float *value;
    double *x; /* [n] count / median of each; only with want_x, which the caller sets before the first cell */
    bool want_x;
    uint32_t n;         /* tokens of the last cell, at most max_length */
    uint32_t n_nonzero; /* its genes with a token, before the cut */
};

void token_work_init(struct token_work *w);
void token_work_release(struct token_work *w);
/* Ranks the n counts of one cell into w->token, w->value, w->n. col [n]: columns below c->n_cols,
 * count [n] above 0. RC_FAIL: memory. */
enum rc cell_tokenize(struct token_work *w, const struct token_columns *c, const uint32_t *col,
                      const uint32_t *count, size_t n, size_t max_length, struct err *e);

#endif
