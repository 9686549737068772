/* Pairs of genes by the names of a vocabulary: the relations that tables were learned from, and
 * networks that serve elsewhere as truth. */
#ifndef GC_APP_KNOWLEDGE_RELATION_H
#define GC_APP_KNOWLEDGE_RELATION_H

#include "lib/base/map.h"
#include "lib/data/pairs.h"
#include "lib/data/vocab.h"

/* Tokens by name, human first: as pairs_write_text writes them, and in lower case, because
 * benchmarks write mouse genes in capitals. Of two genes that differ only in case the first counts.
 */
struct gene_names {
    struct map exact[2], folded[2];
};

/* On failure *g is empty. */
enum rc gene_names_fill(struct gene_names *g, const struct vocab *v, struct err *e);
void gene_names_release(struct gene_names *g);

/* name<TAB>name, a line for every pair, with multiplicity; a pair belongs to the species that has
 * both names, human first. RC_INPUT: a line of other than two names, or of no species. */
enum rc relation_read(const char *path, const struct gene_names *g, struct pairs *p, struct err *e);

/* A network as network_read takes it, in any case of letters; its species is the one that knows
 * more of its names. p: distinct pairs of known genes; *n_all: distinct pairs of the file. */
enum rc truth_read(const char *path, const struct gene_names *g, struct pairs *p, size_t *n_all,
                   enum species *s, struct err *e);
/* How many pairs of p are in the other, both distinct. */
size_t pairs_common(const struct pairs *p, const struct pairs *other);

#endif
