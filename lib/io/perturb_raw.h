/* Expression and columns of obs of an .h5ad as they stand, before conditions and values are looked
 * at: X dense, CSR or CSC of any kind of number; gene names in var's column gene_name, else its
 * index. */
#ifndef GC_IO_PERTURB_RAW_H
#define GC_IO_PERTURB_RAW_H

#include <hdf5.h>

#include "lib/data/perturb_set.h"
#include "lib/data/table.h"

struct perturb_raw {
    struct perturb_set x; /* n_cells, n_genes, indptr, index, value, gene: for perturb_set_finish */
    struct table obs;     /* [x.n_cells] the columns asked for; owned */
};

/* n columns of obs. In a process of its own (child.h). RC_INPUT: a column that is not there, a
 * matrix of another shape, a damaged file. On failure *r is empty. */
enum rc perturb_raw_read(const char *path, const char *const *column, size_t n,
                         struct perturb_raw *r, struct err *e);
/* The same from an open file, in this process. */
enum rc perturb_raw_from(hid_t file, const char *const *column, size_t n, struct perturb_raw *r,
                         struct err *e);
/* Harmless on one whose x was moved away. */
void perturb_raw_release(struct perturb_raw *r);

#endif
