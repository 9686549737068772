/* Where a file, a row of a table or a cell came from, and what was made from a cell.
 *
 * Backwards from a file: its stage, then all stages that this one read, directly or not, by their
 * manifests; of those the weights, the shards, the cells of each sample, and the raw inputs with
 * their address and sum. A row that is about one cell, or one data set, narrows this to its sample.
 * Forwards from a cell: its token row and shard, all stages behind its sample, and every line about
 * it.
 *
 * Nothing is hashed but the file asked for: sums are those of the manifests (audit checks these).
 */
#ifndef GC_MANIFEST_TRACE_H
#define GC_MANIFEST_TRACE_H

#include <stdio.h>

#include "lib/manifest/chain.h"

struct trace {
    const struct chain *c;
    FILE *out;       /* lines: kind, name, bytes, sha256, detail; "-" where there is none */
    size_t max_rows; /* of one kind; what is left out is counted */
};

/* The results folder above a file: what is left when the name of its stage is taken off. The caller
 * frees *root and *name (the file below it). RC_INPUT: no such file, or no stage above it. */
enum rc trace_root(const char *file, char **root, char **name, struct err *e);
/* name: a file below the root; line: of a table, its header being 1; 0: the whole file. number:
 * NULL, or in a numbers.tex of the paper the name of a macro, "gcCellsKept", instead of its line; a
 * number leads to the places that it was taken from. RC_CHECK: the file, or one of these, is not
 * what its manifest says (all lines were written). RC_INPUT: no such line or number. */
enum rc trace_back(const struct trace *t, const char *name, size_t line, const char *number,
                   struct err *e);
/* cell: its id as 16 digits, or SAMPLE/BARCODE. RC_INPUT: no such cell. */
enum rc trace_from(const struct trace *t, const char *cell, struct err *e);

/* Parts, in trace_line.c: fields of a line of a table by name. */
struct trace_line {
    char *head, *text;          /* owned */
    char *name[64], *field[64]; /* in these */
    size_t n;
};

/* The line of a table (plain or gzip). RC_INPUT: there is no such line. */
enum rc trace_line_read(struct trace_line *l, const char *path, size_t line, struct err *e);
void trace_line_release(struct trace_line *l);
/* NULL when there is no such column. */
const char *trace_field(const struct trace_line *l, const char *name);

#endif
