/* What trace.c and trace_cell.c share. */
#ifndef GC_MANIFEST_TRACE_PARTS_H
#define GC_MANIFEST_TRACE_PARTS_H

#include "lib/manifest/trace.h"

/* A line of the answer; NULL or "" is "-". */
void trace_put(const struct trace *t, const char *kind, const char *name, const char *bytes,
               const char *sha256, const char *detail);
/* The same with size and sum of a manifest's row. */
void trace_put_row(const struct trace *t, const char *kind, const char *name,
                   const struct manifest_row *r, const char *detail);

/* Tokens of a cell: the n-th line of tokenize/cells.tsv is the n-th cell of the shards, which hold
 * --cells-per-shard each. */
struct trace_cell {
    size_t line, shard, row;
    char sample[256], barcode[256], id[32];
};

/* By id, or where id is NULL by sample and barcode. *found false: no such cell. */
enum rc trace_find(const struct trace *t, const char *id, const char *sample, const char *barcode,
                   struct trace_cell *to, bool *found, struct err *e);
void trace_tokens(const struct trace *t, const struct trace_cell *r);
/* Lines of one table that have each of want[0..n_want) as a whole field. */
enum rc trace_lines(const struct trace *t, const char *kind, const char *table,
                    const char *const *want, size_t n_want, struct err *e);

#endif
