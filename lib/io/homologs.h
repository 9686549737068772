/* A table of homologs of two species: two of its columns are names of genes, one pair a row, many
 * to many. Tab or comma (told by the name: *.csv), plain or gzip, with a header. */
#ifndef GC_IO_HOMOLOGS_H
#define GC_IO_HOMOLOGS_H

#include "lib/data/table.h"

struct homologs {
    struct table t;                  /* owns the texts */
    const char **reference, **query; /* [n] pairs in the file's order, each once; owned */
    size_t n, n_without, n_again;    /* rows without a name on either side; pairs that came again */
};

/* first, second: names of the columns; NULL: the first and the second column. RC_INPUT: no such
 * column, no pair. On failure *h is empty. */
enum rc homologs_read(struct homologs *h, const char *path, const char *first, const char *second,
                      struct err *e);
void homologs_release(struct homologs *h);

#endif
