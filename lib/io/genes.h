/* Names of genes without any table: what looks like an Ensembl id, a symbol, a species. */
#ifndef GC_IO_GENES_H
#define GC_IO_GENES_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/data/cells.h"
#include "lib/data/genename.h"

/* Bytes of the Ensembl gene id at the start of text (without its version), 0 when it is none:
 * ENSG00000000003.15 gives 15, ENSMUSG00000000001 gives 18. */
size_t gene_ensembl(const char *text);
/* Share of n texts that are Ensembl ids, after a prefix; 0 for n = 0. */
double genes_ensembl_share(const char *const *text, size_t n);
/* How much n texts look like genes rather than cells, from -1 (barcodes) to 1 (ids or well-known
 * families). */
double genes_likeness(const char *const *text, size_t n);
/* Human or mouse, from ids where there are some, else from the case of the symbols (TP53, Trp53);
 * SPECIES_UNKNOWN when neither is clear. */
enum species genes_species(const char *const *text, size_t n);

#endif
