/* The public gene tables that lib/cell/gene_build.h builds from, in their own layouts. Any of them
 * may be missing. */
#ifndef GC_IO_GENE_SOURCE_H
#define GC_IO_GENE_SOURCE_H

#include "lib/data/cells.h"
#include "lib/data/table.h"

/* What a table is read for, in this order. */
enum gene_role {
    GENE_ROLE_NAMES,  /* columns id, name, biotype: may be a reference; ranks as they stand */
    GENE_ROLE_EXTRA,  /* columns id, name, kind (0 current, 1 former, 2 alias): only adds names */
    GENE_ROLE_LIST,   /* column name */
    GENE_ROLE_PAIRS,  /* columns human, mouse, type, confidence, score; by ids */
    GENE_ROLE_SYMBOLS /* columns human, mouse; by names; mouse may be empty */
};

struct gene_source {
    const char *path; /* below the inputs folder */
    enum gene_role role;
    enum species species; /* SPECIES_UNKNOWN where a table is about both */
    int layout;           /* private */
    bool biotypes;        /* the table has them */
};

/* Best first within a role. */
extern const struct gene_source gene_sources[];
extern const size_t gene_n_sources;

/* Reads FOLDER/source->path. *there is false, and *t empty, when there is no such file. Missing
 * entries are empty texts. RC_INPUT names file and line of what does not fit the layout. */
enum rc gene_source_read(const struct gene_source *s, const char *folder, bool *there,
                         struct table *t, struct err *e);

#endif
