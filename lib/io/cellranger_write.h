/* Count matrices written as Cell Ranger and R users write them: for the simulator and for tests of
 * the readers. Equal content gives equal bytes (no time stamps). */
#ifndef GC_IO_CELLRANGER_WRITE_H
#define GC_IO_CELLRANGER_WRITE_H

#include <stdbool.h>

#include "lib/data/csr.h"

/* All borrowed. */
struct cr_matrix {
    const struct csr *count; /* cells x genes */
    const char *const *cell; /* [n_rows] barcodes */
    const char *const *id;   /* [n_cols] gene ids */
    const char *const *name; /* [n_cols] gene names */
    const char *genome;      /* "GRCh38" */
    const char *library;     /* sample */
};

/* Cell Ranger 3 folder: barcodes.tsv.gz, features.tsv.gz, matrix.mtx.gz. */
enum rc cr_write_mtx3(const char *folder, const struct cr_matrix *m, struct err *e);
/* Cell Ranger 2 folder: barcodes.tsv, genes.tsv, matrix.mtx, not compressed. */
enum rc cr_write_mtx2(const char *folder, const struct cr_matrix *m, struct err *e);
/* Cell Ranger 3 filtered_feature_bc_matrix.h5. */
enum rc cr_write_h5(const char *path, const struct cr_matrix *m, struct err *e);
/* genes x cells with a header that starts with an empty field, as R's write.csv does; .gz is
 * compressed. Names as R's make.names(unique = TRUE) has them (lib/data/genename.h). */
enum rc cr_write_csv(const char *path, const struct cr_matrix *m, struct err *e);

#endif
