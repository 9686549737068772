/* The labelled cells of one sample, as a classifier wants them: classes as numbers. */
#ifndef GC_NN_LABELLED_H
#define GC_NN_LABELLED_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/data/cells.h"

struct labelled {
    const char *sample; /* borrowed from the cells, as are all texts */
    size_t n, n_unlabelled;
    size_t n_classes;
    const char **class_name; /* [n_classes], by rising bytes; owned, as are the arrays below */
    uint32_t *class_of;      /* [n] */
    size_t *row;             /* [n] in the cells, rising */
    uint64_t *cell_id;       /* [n] */
    const char **barcode;    /* [n] */
};

/* Distinct names of the text column `name` in order of first appearance (missing ones are left
 * out). The caller frees *list; texts are borrowed. RC_INPUT when there is no such text column. */
enum rc column_names(const struct table *obs, const char *name, const char ***list, size_t *n,
                     struct err *e);

/* Cells of c whose obs column 'sample' is `sample` and that have a text in column `label`; a
 * missing or empty label counts as unlabelled. Valid as long as c. On failure *out is empty.
 * RC_INPUT: a column is missing or of the wrong kind, or there are more than 4096 different labels.
 */
enum rc labelled_init(const struct cells *c, const char *sample, const char *label,
                      struct labelled *out, struct err *e);
/* Only cells where keep[i]; classes that lose all their cells go too. */
enum rc labelled_keep(struct labelled *l, const unsigned char *keep, struct err *e);
void labelled_release(struct labelled *l);

/* Row of each cell id in a table: sorted pairs. */
struct id_rows {
    struct id_row {
        uint64_t id;
        size_t row;
    } * item; /* owned, by rising id */
    size_t n;
};

/* From obs column cell_id. RC_INPUT when it is missing, or an id comes twice. */
enum rc id_rows_init(const struct table *obs, struct id_rows *out, struct err *e);
size_t id_rows_find(const struct id_rows *r, uint64_t id); /* SIZE_MAX when absent */
void id_rows_release(struct id_rows *r);

#endif
