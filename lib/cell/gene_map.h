/* From the names of a matrix's columns to the genes of the tables, and from mouse genes to their
 * human homologs. Spec 01 sections 5 and 6. */
#ifndef GC_CELL_GENE_MAP_H
#define GC_CELL_GENE_MAP_H

#include "lib/data/cells.h"
#include "lib/data/gene_tables.h"

struct gene_map_report {
    size_t n_columns, n_unmatched; /* columns of the source; those that no gene claims */
    size_t n_homologs;             /* columns that got a human gene's id for a mouse gene's */
    size_t n_merged;               /* columns summed into another one */
    size_t n_genes;                /* columns of the result */
    bool mixture;
    size_t n_cells_unclear; /* of a mixture, of neither species: dropped */
};

/* The one species that all cells have in obs column `species`. RC_INPUT: no such column, a cell
 * without, or two kinds (import splits such files). No cells: RC_OK and SPECIES_UNKNOWN. */
enum rc gene_map_species(const struct cells *c, enum species *s, struct err *e);

/* Row of the tables for each column (row_of [n_cols], the caller's): by cells.gene, else by var
 * column `gene_name`; GENE_NONE where neither leads anywhere. With homologs, mouse genes that have
 * one are replaced by it. */
void gene_map_columns(const struct cells *c, const struct gene_tables *t, enum species s,
                      bool homologs, uint32_t *row_of, struct gene_map_report *report);

/* Is this a file that gene_map_cells made? Told by var column `n_source`. */
bool gene_map_done(const struct cells *c);
/* For such files: rows by exact id. RC_INPUT: a column that is no gene of the tables. */
enum rc gene_map_ids(const struct cells *c, const struct gene_tables *t, uint32_t *row_of,
                     struct err *e);

/* The same cells with one column per gene, by rising id; columns of one gene are summed, those of
 * none are dropped. obs is copied. var: gene_name (of the tables), n_source (columns summed, I64),
 * source (their names, joined by ';'). On failure *out is empty. */
enum rc gene_map_cells(const struct cells *c, const struct gene_tables *t, bool homologs,
                       struct cells *out, struct gene_map_report *report, struct err *e);
/* The same without merging, which is what the authors' script does: every column that has a gene
 * stays, under that gene's id; two columns may have the same. */
enum rc gene_map_cells_apart(const struct cells *c, const struct gene_tables *t, bool homologs,
                             struct cells *out, struct gene_map_report *report, struct err *e);

/* The same in two steps, for counts that come in blocks.
 *
 * A mixture of two species (import found names with two assemblies' prefixes, var column `species`,
 * and told each cell's species by its counts) is split here, cell by cell: of a human cell only the
 * human columns count, of a mouse cell only the mouse ones (the others are what floats in the
 * droplets), both under the same human ids from then on; cells that are of neither leave; and each
 * species is a sample of its own (NAME-human, NAME-mouse), since quality is judged by sample. */
struct gene_plan {
    struct cells out;   /* names, obs (of the cells that stay) and var; of count only the sizes */
    uint32_t *col_to;   /* [columns] gene of the result or UINT32_MAX; owned, as are the others */
    unsigned char *keep;      /* [cells of the source]; NULL: all stay */
    signed char *col_species; /* [columns], NULL: no mixture */
    signed char *row_species; /* [cells of the source] */
};
/* c: names, obs and var, of count only the sizes. apart: as gene_map_cells_apart. On failure *p needs
 * no release. */
enum rc gene_plan_make(const struct cells *c, const struct gene_tables *t, bool homologs, bool apart,
                       struct gene_plan *p, struct gene_map_report *report, struct err *e);
/* The same, but obs and the names of the cells are not copied: they go from c to the plan, also on
 * failure. */
enum rc gene_plan_take(struct cells *c, const struct gene_tables *t, bool homologs, bool apart,
                       struct gene_plan *p, struct gene_map_report *report, struct err *e);
void gene_plan_release(struct gene_plan *p);
/* Cells [first, first + block->n_rows) of the source; out is the caller's to release. */
enum rc gene_plan_block(const struct gene_plan *p, const struct csr *block, size_t first,
                        struct csr *out, struct err *e);

#endif
