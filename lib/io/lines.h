/* Text files line by line, plain or gzip (told by the first bytes, not by the name). */
#ifndef GC_IO_LINES_H
#define GC_IO_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"
#include "lib/data/table.h"

struct ahead;

struct lines {
    char *text;     /* the current line without its end (\n or \r\n), the first without a byte order
                       mark; free to be written to until the next call; borrowed */
    size_t n_bytes; /* of text */
    size_t number;  /* of the current line, from 1 */
    char *path;     /* owned, for messages */
    bool any;       /* the file had at least one byte */
    /* private */
    struct ahead *file;
    char *buf; /* the chunk at hand; borrowed */
    size_t at, have;
    bool zeros; /* in it */
    char *own;  /* a line of several chunks; owned, grows */
    size_t room;
};

/* A line may be at most this long. */
#define LINES_MAX_BYTES ((size_t)1 << 30)

enum rc lines_open(struct lines *l, const char *path, struct err *e);
/* Moves to the next line; *more is false at the end. RC_INPUT: the gzip stream is cut or damaged,
 * a line holds a zero byte or is too long. */
enum rc lines_next(struct lines *l, bool *more, struct err *e);
void lines_close(struct lines *l);
/* Cuts text in place at each `sep`; returns the number of fields, at most max are set. Double
 * quotes round a field are taken off when sep is a comma ("" inside stands for one). */
size_t fields_cut(char *text, char sep, char **field, size_t max);

/* A whole table of texts with a header line; sep 0: comma for *.csv(.gz), else tab. Refuses rows
 * with another number of fields, by line. */
enum rc tsv_read(const char *path, char sep, struct table *t, struct err *e);
/* tsv_read, then RC_INPUT unless each of the comma-separated names is a column. */
enum rc tsv_read_need(const char *path, const char *columns, struct table *t, struct err *e);
/* RC_INPUT: a text of that table, of a file at path, is no UTF-8; names its line. */
enum rc tsv_utf8(const struct table *t, const char *path, struct err *e);

#endif
