/* What the files of trace share. */
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

/* trace_sources.c: the sample of a stage like import/lung, or NULL. */
const char *trace_sample_of(const char *stage);
/* Raw inputs behind the stages that are marked; sample: NULL for all. */
enum rc trace_sources(const struct trace *t, const unsigned char *mark, const char *sample,
                      struct err *e);

/* trace.c: what a row is about: its text, the sample that it narrows to, the predictions behind a
 * score. */
enum rc trace_the_row(const struct trace *t, const char *name, size_t line, char sample[256],
                      struct err *e);
/* The stages behind some of them, themselves called made-by, and the raw inputs; sample: "" or the
 * only one. */
enum rc trace_stages(const struct trace *t, const size_t *from, size_t n_from, const char *sample,
                     struct err *e);

/* A line of a numbers.tex of the paper, by its number or by its macro's name ("gcCellsKept"). */
struct trace_source {
    const char *file, *place, *sha256; /* place: "17,45", lines, or a key */
};

struct trace_number {
    size_t line;
    char *text;                  /* owned, cut up */
    const char *name, *value;    /* "" for a line that is no macro; borrowed from text */
    struct trace_source *source; /* owned; its texts are borrowed from text */
    size_t n_sources;            /* 0 where the line does not tell */
};

/* name: or NULL for the line. RC_INPUT: there is none, or its comment is broken. */
enum rc trace_number_read(struct trace_number *n, const char *path, size_t line, const char *name,
                          struct err *e);
void trace_number_release(struct trace_number *n);
/* Its places and what lies behind them; stage: whose file `name` is. *same becomes false where the
 * sum of a place is not that of its manifest. */
enum rc trace_number_put(const struct trace *t, const char *name, const struct trace_number *x,
                         size_t stage, bool *same, struct err *e);

#endif
