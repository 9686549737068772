/* What the medians of some cells are made of, as a file: for every gene its (count, total of the
 * cell) pairs with how often each stands there. A multiset has one such file, so the files of two
 * samples, joined in any order, give the bytes of the file of both.
 *
 *   file  "GCMEDIAN1\n" gene... 0 n_cells n_genes n_values
 *   gene  length of the id, the id (rising), count... 0
 *   count how much more than the count before (rising), total... 0
 *   total (how much more than the total before) * 2 + f, and if f is 1: times it stands there - 2
 * All numbers are LEB128: 7 bits a byte, lowest first, the top bit says that more follow; none is
 * longer than it must be. Counts are above 0 and at most the total, totals below 2^53. n_values is
 * the number of pairs, each as often as it stands there. Genes without values are left out.
 *
 * Reading and writing are streams: neither holds more than one item. */
#ifndef GC_IO_MEDIAN_FILE_H
#define GC_IO_MEDIAN_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/base/err.h"

enum { MEDIAN_ID_MAX = 255 }; /* bytes of a gene's id */

struct median_writer {
    FILE *f; /* borrowed */
    uint32_t count;
    uint64_t total, n; /* the pair that was put last, not yet written while n > 0 */
    uint64_t at_total; /* total that was written last for this count; 0: none */
    bool in_gene;
    uint64_t n_genes, n_values;
};

/* Trouble of the disk is kept in f and told by whoever closes it. */
void median_writer_start(struct median_writer *w, FILE *f);
/* RC_INPUT: an id that a file cannot hold. Ids must rise. */
enum rc median_writer_gene(struct median_writer *w, const char *id, struct err *e);
/* n times a pair of the gene; pairs must not fall, by count, then total. */
void median_writer_put(struct median_writer *w, uint32_t count, uint64_t total, uint64_t n);
void median_writer_end(struct median_writer *w, uint64_t n_cells);

struct median_reader {
    FILE *f;                    /* borrowed */
    const char *name;           /* for messages, borrowed */
    char id[MEDIAN_ID_MAX + 1]; /* of this gene */
    /* The item that median_reader_next gave. */
    uint32_t count;
    uint64_t total, n;
    bool in_count, in_gene;
    long gene_at;               /* where this gene's counts begin */
    uint64_t gene_values;       /* n_values when they began */
    uint64_t n_genes, n_values; /* so far */
    uint64_t n_cells;           /* at the end */
};

/* f: from its beginning. RC_INPUT here and below: the file breaks a promise; the place is named. */
enum rc median_reader_start(struct median_reader *r, FILE *f, const char *name, struct err *e);
/* To the next gene, whose pairs follow; *more is false at the end of the file. What is left of
 * this gene must have been read. */
enum rc median_reader_gene(struct median_reader *r, bool *more, struct err *e);
/* The next pair of this gene. */
enum rc median_reader_next(struct median_reader *r, bool *more, struct err *e);
/* To the first pair of this gene again. */
enum rc median_reader_again(struct median_reader *r, struct err *e);

#endif
