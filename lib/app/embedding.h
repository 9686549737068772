/* An embedding as command lines name it, NAME=FILE.h5ad: vectors of cells that are found by cell id. */
#ifndef GC_APP_EMBEDDING_H
#define GC_APP_EMBEDDING_H

#include "lib/base/opt.h"
#include "lib/nn/labelled.h"

struct embedding {
    char *name; /* owned, as are rows and x */
    const char *path;
    struct id_rows rows;
    float *x; /* [rows.n, d] finite */
    size_t d;
};

/* All of --embedding; matrix: the name in obsm. The caller gives back *list whatever happens. */
enum rc embeddings_read(const struct opt_list *args, const char *matrix, struct embedding **list,
                        size_t *n, struct err *e);
void embeddings_release(struct embedding *list, size_t n);

#endif
