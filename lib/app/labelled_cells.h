/* Inputs of a classifier: cells of several files, their labels as classes, their tokens. */
#ifndef GC_APP_LABELLED_CELLS_H
#define GC_APP_LABELLED_CELLS_H

#include "lib/app/cell_input.h"
#include "lib/app/cell_vectors.h"
#include "lib/app/embedder.h"

struct labelled_cells {
    struct cells *file; /* [n_files], counts included until labelled_cells_tokens */
    const char **path;  /* [n_files], borrowed */
    size_t n_files, n;  /* files, cells of all */
    struct cell_vectors *vectors; /* [n_files] or NULL: the files hold vectors in place of counts */
    const char *
        *label; /* [n]: of the cells in the order of the files; NULL: none; borrowed from file */
};

/* column: of obs; labels, where import finds or is given them, are in "label". must: RC_INPUT when
 * a file has no such column or no cell a label; else labels are NULL there. vectors: files may hold
 * vectors in place of counts, all of them or none. On failure *l is empty. */
enum rc labelled_cells_read(struct labelled_cells *l, const char *const *path, size_t n_paths,
                            const char *column, bool must, bool vectors,
                            const struct import_options *o, struct err *e);
void labelled_cells_release(struct labelled_cells *l);

/* Distinct labels by rising bytes: *name is the caller's to free, texts are borrowed from l. */
enum rc labelled_cells_classes(const struct labelled_cells *l, const char ***name, size_t *n,
                               struct err *e);
/* RC_INPUT names the file whose vectors are of another model: of weights with neither hash. */
enum rc labelled_cells_check(const struct labelled_cells *l, size_t d, const char *own,
                             const char *base, struct err *e);
/* The vector [D] of a cell; NULL when the files hold counts. */
const float *labelled_cells_vector(const struct labelled_cells *l, size_t row);
/* Tokens of all cells that have any; rows count through the files. The counts are dropped.
 * Of files of vectors: entries without tokens for all cells whose vector is not zero.
 * RC_INPUT: a file has fewer than the share `overlap` of its genes in the model's vocabulary.
 * n_empty: cells without a token. */
enum rc labelled_cells_tokens(struct labelled_cells *l, struct embedder *m, double overlap,
                              struct cell_tokens *out, size_t *n_empty, struct err *e);

#endif
