/* Figures that come from tables of their own and not from metrics.tsv. */
#ifndef GC_REPORT_FIGURE_MARKS_H
#define GC_REPORT_FIGURE_MARKS_H

#include "lib/data/table.h"
#include "lib/report/figures.h"

/* A mark for each line of a table of texts `row series value low high`; low and high may be nan or
 * -. line: an upright line and an end of the axis, NaN for none. Template marks.
 * RC_INPUT: a number that is none, too many rows. On failure *f is empty. */
enum rc marks_fill(const struct table *t, const char *name, const char *label, double line,
                   struct figure *f, double *notes_top, struct err *e);

/* densities.tsv of homology: the next data set and type from row *row on; false: no more. */
bool density_next(const struct table *t, size_t *row, const char **dataset, const char **type);
/* Its figure, a row of lines a method. Template density. On failure *f is empty. */
enum rc density_fill(const struct table *t, const char *dataset, const char *type, const char *name,
                     struct figure *f, double *notes_top, struct err *e);

#endif
