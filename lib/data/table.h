/* A table with named columns of texts, whole numbers or numbers: obs and var of an AnnData file,
 * gene tables, labels. Column-wise; every column has n_rows entries. Long columns are spilled
 * (lib/base/spill.h): who goes over many rows calls spill_step. */
#ifndef GC_DATA_TABLE_H
#define GC_DATA_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"

enum column_kind { COLUMN_TEXT, COLUMN_I64, COLUMN_F64 };

struct column {
    char *name;
    enum column_kind kind;
    union {
        const char **text; /* in the table's arena; NULL: missing */
        int64_t *i64;
        double *f64; /* NaN: missing */
    };
};

struct table {
    size_t n_rows, n_cols;
    struct column *col; /* owned */
    struct arena text;  /* owns all names, texts and arrays */
};

void table_init(struct table *t, size_t n_rows);
void table_release(struct table *t);
/* Adds a column (entries NULL or 0), or empties one of that name; NULL when memory is short. The
 * pointer is valid until the next table_add. */
struct column *table_add(struct table *t, const char *name, enum column_kind kind);
/* NULL when there is none. */
struct column *table_find(const struct table *t, const char *name);
/* Of a column of texts; "" where it is missing, or there is no such column. */
const char *table_text(const struct table *t, const char *column, size_t row);
/* Copies the text into the arena. */
enum rc table_set_text(struct table *t, struct column *c, size_t row, const char *text,
                       struct err *e);
/* The same for every row. */
enum rc table_fill_text(struct table *t, const char *name, const char *text, struct err *e);
/* Rows where keep[r]; out is a fresh table. keep NULL: all (a copy). */
enum rc table_select(const struct table *t, const unsigned char *keep, struct table *out,
                     struct err *e);
/* The same in place. The arena keeps the texts of rows that left. */
void table_keep(struct table *t, const unsigned char *keep);
/* Appends the rows of b. Columns are joined by name; what one side lacks is missing (NULL, NaN, and
 * for I64 the column becomes F64). */
enum rc table_append(struct table *a, const struct table *b, struct err *e);

#endif
