/* Gene networks as tables: who regulates whom. Plain or gzip; tab, comma or blank between fields,
 * told by the first line. Layouts:
 *   CollecTRI  header with columns `source` and `target`
 *   DoRothEA   header with `tf`, `target` and `confidence` (A best .. E)
 *   TRRUST     header `TF gene_symbol interaction position`, or none (as its site gives it)
 *   PECA2      header `TF TG Score FDR REs` (SAMPLE_network.txt of its public code)
 *   BEELINE    header `Gene1,Gene2`
 *   gene2vec   two names a line, no header
 *   with ids   header with `tf_id` and `target_id` or `gene_id`, where the names above are not
 * there Columns are found by name in any case; others are ignored. */
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
    size_t n_self;             /* of these, of a gene with itself */
    bool peca2;                /* has PECA2's columns TF, TG, Score */
};

/* Lines of a table as they stand. */
struct network_rows {
    struct names gene, class; /* class: of a column `class`; "" where there is none */
    struct network_row {
        uint32_t from, to, class; /* regulator, target: numbers in gene */
    } * at;                       /* [n] owned */
    size_t n, n_left;             /* n_left: lines left for their confidence */
    bool peca2;
};

/* levels, errors: see network_read. On failure *r is empty. */
enum rc network_rows_read(const char *path, const char *levels, struct network_rows *r,
                          struct err *e);
void network_rows_release(struct network_rows *r);

/* levels: the letters of confidence to take, as "AB"; NULL or a file without such a column: all.
 * On failure *n is empty. RC_INPUT names file, line and trouble. */
enum rc network_read(const char *path, const char *levels, struct network *n, struct err *e);
void network_release(struct network *n);

#endif
