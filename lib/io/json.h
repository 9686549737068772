/* A report as JSON. */
#ifndef GC_IO_JSON_H
#define GC_IO_JSON_H

#include <jansson.h>

#include "lib/base/err.h"

/* Writes j, indented, keys in the order they were set, through a checked file; takes j over. NULL
 * (no memory while it was built) is RC_FAIL. */
enum rc json_write(const char *path, json_t *j, struct err *e);

#endif
