/* The steps of import.c. */
#ifndef GC_IO_IMPORT_PARTS_H
#define GC_IO_IMPORT_PARTS_H

#include "lib/io/import.h"
#include "lib/io/labels.h"
#include "lib/io/source.h"

/* ---- find_input.c ---- */

enum input_kind { INPUT_HDF5, INPUT_MTX, INPUT_TEXT };

struct input {
    enum input_kind kind;
    char *main; /* the file whose checksum is the sample's; owned, as are the others */
    char *features, *barcodes; /* INPUT_MTX */
};

/* What path is and which files belong to it. On failure *in is empty. */
enum rc input_find(const char *path, struct input *in, struct err *e);
void input_release(struct input *in);

/* ---- import_genes.c ---- */

/* The genes of the result: which features they are made of. */
struct gene_list {
    const char **gene, **name; /* [n] in the source's arena: index of var, name in the source */
    enum species *species;     /* [n] of a mixture; in the arena */
    size_t n;
    uint32_t *col_to; /* [n features] in the arena; UINT32_MAX: dropped */
};

enum rc genes_resolve(struct source *s, struct gene_list *g, struct import_report *rep,
                      struct err *e);

/* ---- import_names.c ---- */

/* to[i]: name[i], or where that stood there before a text of its own in the arena: a second AAAC
 * becomes AAAC-1, a third AAAC-2, skipping names that exist, as AnnData does. */
enum rc names_differ(const char *const *name, size_t n, const char **to, struct arena *a,
                     size_t *n_renamed, struct err *e);

/* ---- import_obs.c ---- */

/* Fills out->obs, out->cell from the source's cells where keep[i] (NULL: all). by_species: of a
 * mixture, the counts of each cell that is kept. The texts of s go to out; s is of no use after. */
enum rc obs_build(struct source *s, const struct gene_list *g, const unsigned char *keep,
                  const uint64_t (*by_species)[2], const struct import_options *o,
                  struct cells *out, struct import_report *rep, struct err *e);

/* ---- import_rows.c ---- */

/* What becomes of a source: decided before its first row goes out, but for what only its rows tell. */
struct import_plan {
    uint32_t *col_to;    /* [features] as gene_list has it; owned, as is keep */
    unsigned char *keep; /* [cells of the source] */
    size_t n_genes, n_cells;
    size_t block, n_sent; /* so far */
};

/* out: names, obs and var, of its counts only the sizes. On failure *p is empty, and *out is to be
 * released. */
enum rc import_plan_make(struct source *s, const struct import_options *o, struct import_plan *p,
                         struct cells *out, struct import_report *rep, struct err *e);
void import_plan_release(struct import_plan *p);
/* The next rows that are kept (there may be none in a block), tidy, genes in their columns; the
 * caller releases *out. *more is false, and *out empty, behind the last. Uses up the counts of s. */
enum rc import_plan_rows(struct import_plan *p, struct source *s, struct csr *out, bool *more,
                         struct import_report *rep, struct err *e);

/* Where the rows of counts go, in their order. */
struct import_sink {
    enum rc (*add)(void *ctx, const struct csr *rows, struct err *e);
    void *ctx;
};

/* From what a reader found to rows, and to cells without counts (only the sizes are set); s is used
 * up. On failure *out is to be released. */
enum rc import_convert(struct source *s, const struct import_options *o,
                       const struct import_sink *sink, struct cells *out,
                       struct import_report *rep, struct err *e);

/* ---- import.c ---- */

void import_note(struct import_report *rep, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
