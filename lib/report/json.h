/* Reading of JSON that other stages left. A name is a list of keys to try, "n_cells,cells". */
#ifndef GC_REPORT_JSON_H
#define GC_REPORT_JSON_H

#include <jansson.h>

#include "lib/base/err.h"

/* *j is NULL when the file is absent (that is no error); the caller calls json_decref.
 * RC_INPUT: not JSON, with line and column. */
enum rc json_read(const char *path, json_t **j, struct err *e);
/* One object from a text of one line; where names it in messages. */
enum rc json_line(const char *text, const char *path, size_t line, json_t **j, struct err *e);
/* NaN when no key of the list holds a number. j may be NULL. */
double json_number_of(const json_t *j, const char *keys);
/* NULL when no key holds a text; borrowed from j. */
const char *json_text_of(const json_t *j, const char *keys);
/* The first value that is there; borrowed, NULL for none. */
json_t *json_value_of(const json_t *j, const char *keys);

#endif
