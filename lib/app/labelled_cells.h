/* Inputs of a classifier: cells of several files, their labels as classes, their tokens. */
#ifndef GC_APP_LABELLED_CELLS_H
#define GC_APP_LABELLED_CELLS_H

#include "lib/app/cell_input.h"
#include "lib/app/embedder.h"

struct labelled_cells {
    struct cells *file; /* [n_files], counts included until labelled_cells_tokens */
    const char **path;  /* [n_files], borrowed */
    size_t n_files, n;  /* files, cells of all */
    const char *
        *label; /* [n]: of the cells in the order of the files; NULL: none; borrowed from file */
};

/* column: of obs; labels, where import finds or is given them, are in "label". must: RC_INPUT when
 * a file has no such column or no cell a label; else labels are NULL there. On failure *l is empty.
 */
enum rc labelled_cells_read(struct labelled_cells *l, const char *const *path, size_t n_paths,
                            const char *column, bool must, const struct import_options *o,
                            struct err *e);
void labelled_cells_release(struct labelled_cells *l);

/* Distinct labels by rising bytes: *name is the caller's to free, texts are borrowed from l. */
enum rc labelled_cells_classes(const struct labelled_cells *l, const char ***name, size_t *n,
                               struct err *e);
/* Tokens of all cells that have any; rows count through the files. The counts are dropped.
 * RC_INPUT: a file has fewer than the share `overlap` of its genes in the model's vocabulary.
 * n_empty: cells without a token. */
enum rc labelled_cells_tokens(struct labelled_cells *l, struct embedder *m, double overlap,
                              struct cell_tokens *out, size_t *n_empty, struct err *e);

#endif
