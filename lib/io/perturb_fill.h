/* A Perturb-seq set while it is read: entries that grow, names of genes. */
#ifndef GC_IO_PERTURB_FILL_H
#define GC_IO_PERTURB_FILL_H

#include "lib/data/perturb_set.h"

struct filling {
    struct perturb_set *s;
    size_t n, room; /* entries */
};

/* Room for `more` entries behind the n that are there. */
enum rc filling_room(struct filling *f, size_t more, struct err *e);
/* n_genes and the names, copied; one that is missing or empty is "?". */
enum rc perturb_take_names(struct perturb_set *s, const char *const *name, size_t n, struct err *e);

#endif
