/* Cells as users hand them over: what import reads, or a file that one of our stages wrote. */
#ifndef GC_APP_CELL_INPUT_H
#define GC_APP_CELL_INPUT_H

#include "lib/data/cells.h"
#include "lib/io/import.h"

/* On failure *c is empty. RC_INPUT names file, place and trouble. */
enum rc cell_input_read(const char *path, const struct import_options *o, struct cells *c,
                        struct err *e);

#endif
