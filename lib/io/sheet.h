/* A text table with a header, plain or gzip, row by row: the dense matrices and label tables of
 * others. The separator (tab, comma, semicolon, blank) is the one that stands most often in the
 * header outside quotes. Double quotes round a field are taken off, "" inside stands for one.
 * A header with one field fewer than the rows is R's: the rows begin with their name. */
#ifndef GC_IO_SHEET_H
#define GC_IO_SHEET_H

#include "lib/io/lines.h"

struct sheet {
    struct lines l;
    char sep; /* 0: one column */
    bool r_style;
    char **head; /* names of the columns without the row names when r_style; owned */
    size_t n_head;
    char *head_text; /* owned */
    char **field;    /* the current row: n_fields of them; they point into l.text */
    size_t n_fields; /* of every row: n_head + r_style */
    bool waiting;    /* the first row was split already */
};

/* RC_INPUT: empty, no rows, a quote is not closed. */
enum rc sheet_open(struct sheet *s, const char *path, struct err *e);
/* Moves to the next row. RC_INPUT: another number of fields; a quote is not closed. */
enum rc sheet_next(struct sheet *s, bool *more, struct err *e);
/* The two halves of sheet_next: moves to the next row, which lies uncut in s->l.text unless *cut (the
 * first row was cut on open); cuts it. For who can do without the cutting. */
enum rc sheet_next_text(struct sheet *s, bool *more, bool *cut, struct err *e);
enum rc sheet_cut(struct sheet *s, struct err *e);
void sheet_close(struct sheet *s);

#endif
