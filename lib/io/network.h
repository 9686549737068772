/* Gene networks as tables: who regulates whom. Plain or gzip; tab, comma or blank between fields,
 * told by the first line. Layouts:
 *   CollecTRI  header with columns `source` and `target`
 *   DoRothEA   header with `tf`, `target` and `confidence` (A best .. E)
 *   TRRUST     header `TF gene_symbol interaction position`, or none (as its site gives it)
 *   PECA2      header `TF TG Score FDR REs` (SAMPLE_network.txt of its public code)
 *   BEELINE    header `Gene1,Gene2`
 *   gene2vec   two names a line, no header
 * Columns are found by name in any case; others are ignored. */
#ifndef GC_IO_NETWORK_H
#define GC_IO_NETWORK_H

#include <stdbool.h>

#include "lib/data/names.h"
#include "lib/data/pairs.h"

struct network_edge {
    uint32_t from, to; /* regulator, target: numbers in gene */
};

struct network {
    struct names gene;
    struct pairs
        pairs;     /* of numbers in gene: unordered, each once, by rising numbers, no self pair */
    size_t n_rows; /* lines of data that were taken */
    size_t n_left; /* lines left for their confidence */
    struct network_edge *edge; /* owned; distinct, self pairs included, by rising numbers */
    size_t n_directed;         /* edges */
    size_t n_self;     /* of these, of a gene with itself */
    bool peca2;        /* has PECA2's columns TF, TG, Score */
};

/* levels: the letters of confidence to take, as "AB"; NULL or a file without such a column: all.
 * On failure *n is empty. RC_INPUT names file, line and trouble. */
enum rc network_read(const char *path, const char *levels, struct network *n, struct err *e);
void network_release(struct network *n);

#endif
