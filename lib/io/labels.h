/* Labels of cells: from a column of what is known of them, or from a table beside them. */
#ifndef GC_IO_LABELS_H
#define GC_IO_LABELS_H

#include "lib/io/import.h"

/* What stands for a name that the classifier is not sure of. */
extern const char label_not_sure[];

/* label[i] (NULL: none) of each of n cells, in the arena: from a table, or from a column of obs. */
enum rc labels_from_file(const char *path, const char *column, const char *const *cell, size_t n,
                         struct arena *a, const char **label, struct import_report *rep,
                         struct err *e);
/* *found is the column taken, NULL when there is none. RC_INPUT when a column was asked for that is
 * not there. */
enum rc labels_from_obs(const struct table *obs, const char *column, struct column **found,
                        struct err *e);

/* Fills obs column `label` of c, which may have been there. path: a table whose cells are named by
 * barcode or by cell_id (16 hexadecimal digits); predictions.tsv is one, of which a prediction that
 * is not sure becomes "not sure". path NULL: column of obs. column NULL: the usual names. Without
 * either, and without such a column, nothing changes. */
enum rc labels_to_obs(struct cells *c, const char *path, const char *column, struct err *e);

#endif
