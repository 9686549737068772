/* The parts that crate_model_card.c and crate_data_sheet.c are put together from. Every number
 * stands in a table whose last column, `from`, says where it was read: FILE: KEY of JSON, FILE:LINE
 * KEY of lines of JSON, or FILE:LINE of a table, whose column names then head the cells. Words
 * outside of tables hold no digit, so nothing can be typed in. A file, or a key, that is not there
 * is left out. */
#ifndef GC_REPORT_CRATE_CARD_H
#define GC_REPORT_CRATE_CARD_H

#include "lib/report/crate.h"

struct card {
    const struct crate *k;
    struct markup m;
};

/* The head of a table: names of columns, separated by |, before the column `from`. */
void card_table(struct card *d, const char *columns);
/* A row what, value, from; nothing for a value that is no number, text, true or false. */
void card_value(struct card *d, const char *what, const json_t *v, const char *from);
/* Rows for keys of a file, "KEY=what it is|KEY=...", of which KEY may lead inwards: A.B; about
 * stands before what it is. RC_INPUT: no JSON. */
enum rc card_json(struct card *d, const char *file, const char *about, const char *keys,
                  struct err *e);
/* Rows for all that stands in an object of the file ("" for the file), about before each key. */
enum rc card_json_all(struct card *d, const char *file, const char *about, const char *object,
                      struct err *e);
/* A table of columns (separated by |) of a table, with the rows that have `value` in `column`
 * (NULL: all). RC_INPUT: it lacks a column. */
enum rc card_tsv(struct card *d, const char *file, const char *columns, const char *column,
                 const char *value, struct err *e);
/* Rows of a stage's manifest: parameters (MANIFEST_PARAM) as name, or the output of that name as
 * name, bytes, sha256. */
void card_manifest(struct card *d, const char *stage, enum manifest_kind kind, const char *name);
/* Writes the card when all went well so far, and gives back its text. */
enum rc card_close(struct card *d, const char *path, enum rc rc, struct err *e);

#endif
