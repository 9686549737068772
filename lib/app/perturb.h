/* What happens in a model's eyes when genes of a cell are deleted, lowered or raised (spec 05
 * sections 2 and 12), beside what the same does with genes of like expression.
 *
 *   perturb_cells.c     inputs -> the cells looked at, all their genes ranked
 *   perturb_genes.c     names -> perturbations, and matched controls for each
 *   perturb_target.c    cells that perturbed ones may come to resemble
 *   perturb_pass.c      cells x perturbations -> batches -> shifts, original and copies side by
 * side perturb_result.c    shifts -> means, intervals, p and q; the files perturb_per_cell.c shifts
 * cell by cell, as a table and as layers of an AnnData file
 *
 * Memory: the cells' ranked genes (10 bytes each); for a block of perturbations 24 bytes for each
 * gene that any cell shows and at most 72 for each cell; 4 bytes for each control and gene.
 * --memory bounds the latter two: when not all perturbations fit, the cells are passed through once
 * a block. With per_cell also what the inputs know of their cells (obs), and 8 MiB.
 */
#ifndef GC_APP_PERTURB_H
#define GC_APP_PERTURB_H

#include "lib/base/opt.h"
#include "lib/cell/cell_change.h"
#include "lib/tensor/backend.h"

struct perturb_options {
    struct opt_list inputs, genes, sets, targets; /* targets: labels of cells, two at most */
    const char *genes_file; /* a perturbation a line, genes of a set joined by '+' */
    bool pairs;             /* all pairs of single genes, too */
    bool all_genes;         /* every gene that at least least_cells cells show the model */
    int64_t least_cells;
    struct change how;
    const char *change_name; /* as the tables have it */
    bool as_released, per_cell, random_weights;
    int64_t top; /* candidates a target */
    int64_t n_controls, n_draws, keep, max_cells, memory_mib;
    const char *model, *species, *labels, *label_column; /* labels, label_column: of import */
    const char *label, *source;                          /* cells whose obs[label] is source */
    double overlap;
    const char *out, *report;
    uint64_t seed;
};

/* Writes o->out/{effects,predictions,metrics}.tsv; cells.tsv and shifts.h5ad with per_cell;
 * candidates.tsv with targets. */
enum rc perturb(const struct perturb_options *o, const struct backend *b, struct err *e);

#endif
