/* Cells with their counts: what import makes and every corpus stage reads and writes.
 *
 * obs columns that the project gives a meaning (others pass through untouched):
 *   cell_id   I64   the cell's 64-bit id, as a signed number: cell_id_of(sample, barcode)
 *   sample    TEXT  the sample; quality rules look at one sample at a time
 *   species   TEXT  "human" or "mouse"
 *   label     TEXT  cell type, missing where none is known
 *   content   I64   from homolog-map: a hash of the cell's counts (lib/cell/content.h)
 *   total, n_genes, mito  I64  from qc-filter, over all genes that were mapped: sum of counts,
 *                   genes with a count, counts of mitochondrial genes
 * var columns:
 *   gene_name TEXT  the name in the source; from homolog-map on that of the gene tables
 *   n_source, source  I64, TEXT  from homolog-map: how many columns were summed, and their names
 *   species   TEXT  only in two-species matrices, before the cells are split */
#ifndef GC_DATA_CELLS_H
#define GC_DATA_CELLS_H

#include "lib/data/csr.h"
#include "lib/data/table.h"

enum species { SPECIES_HUMAN = 0, SPECIES_MOUSE = 1, SPECIES_UNKNOWN = -1 };

struct cells {
    struct csr count;      /* cells x genes */
    const char **cell;     /* [n_rows] barcodes, unique; obs index; in obs.text */
    const char **gene;     /* [n_cols] ids or names as far as known; var index; in var.text */
    struct table obs, var; /* n_rows and n_cols rows */
};

void cells_init(struct cells *c);
void cells_release(struct cells *c);
/* The cells where keep_cell[r] with the genes where keep_gene[j] (NULL: all), obs and var with
 * them; out is fresh, and empty on failure. */
enum rc cells_select(const struct cells *c, const unsigned char *keep_cell,
                     const unsigned char *keep_gene, struct cells *out, struct err *e);
/* The same in place with names, obs and var; of the counts only the sizes change. What stays is not
 * copied, so it takes no memory. */
void cells_keep_head(struct cells *c, const unsigned char *keep_cell,
                     const unsigned char *keep_gene);
/* First 8 bytes of SHA-256("SAMPLE\tBARCODE"), big endian. SAMPLE is the checksum of the sample's
 * main file where that is known, else its name. 0: memory is short; else never 0. */
uint64_t cell_id_of(const char *sample, const char *barcode);
const char *species_name(enum species s);
enum species species_parse(const char *text); /* SPECIES_UNKNOWN for anything else */

#endif
