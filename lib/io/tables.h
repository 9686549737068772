/* Gene tables, vocabulary and medians as files.
 *
 *   DIR/genes.tsv(.gz)    id name species biotype core token median homolog
 *   DIR/aliases.tsv(.gz)  name id species                    (may be absent: no aliases)
 *   vocab.tsv             token id name species biotype homolog
 *   medians.tsv           id n_nonzero median
 * Columns are found by name; others are ignored. In genes.tsv and aliases.tsv species is 0 (human) or
 * 1 (mouse), token -1 and median `-` mean none, homolog is a human gene's id in rows of mouse genes,
 * else `-`; a name `-` is none. In vocab.tsv species is human, mouse or `-`. */
#ifndef GC_IO_TABLES_H
#define GC_IO_TABLES_H

#include "lib/data/gene_tables.h"
#include "lib/data/vocab.h"

/* On failure the outputs are empty. RC_INPUT names file, line and trouble. */
enum rc tables_read(const char *folder, struct gene_tables *t, struct err *e);
enum rc vocab_read(const char *path, struct vocab *v, struct err *e);
enum rc medians_read(const char *path, struct medians *m, struct err *e);

/* Through PATH.part and a rename. Medians are printed with 12 digits, in the order they have. */
enum rc vocab_write(const char *path, const struct vocab *v, struct err *e);
enum rc medians_write(const char *path, const struct medians *m, struct err *e);

#endif
