/* A second species for what was made of one: tokens, rows of knowledge and weights of its genes,
 * through their homologs.
 *
 *   tier        pair of homologs (BioMart's words)   a gene's row comes from
 *   one2one     ortholog_one2one                     its one homolog
 *   one2many    ortholog_one2many                    the mean of its homologs (often one, which
 *                                                    other genes share)
 *   many2many   ortholog_many2many                   the mean of its homologs
 *   none        no pair, or none of a wanted tier    nothing: a random row
 * A gene belongs to the best tier that any of its pairs has, and only pairs of that tier count; of
 * these only the ones with high confidence, where there are any. A mean of several rows is shorter
 * than they are, so it is scaled to the mean of their lengths. */
#ifndef GC_CELL_SPECIES_ADD_H
#define GC_CELL_SPECIES_ADD_H

#include "lib/data/gene_tables.h"
#include "lib/data/knowledge.h"

enum homology_tier { TIER_ONE2ONE, TIER_ONE2MANY, TIER_MANY2MANY, TIER_NONE };
const char *homology_tier_name(enum homology_tier t);
/* "one2one", or "ortholog_one2one" as BioMart writes it; false: no such tier. */
bool homology_tier_parse(const char *text, enum homology_tier *t);

struct homology_pair {
    const char *gene, *homolog; /* ids: of the new species, of the old; borrowed */
    enum homology_tier tier;
    bool sure; /* high confidence */
};

/* The tokens of old, unchanged, then the core genes of the new species by rising id; homologs are
 * told anew, as vocab_build does. t is given tokens. RC_INPUT: old has a gene of the species
 * already, or one that the tables have not. On failure *now is empty. */
enum rc species_vocab(struct gene_tables *t, const struct vocab *old, enum species s,
                      struct vocab *now, struct err *e);

/* Where the rows of the new tokens come from. */
struct species_links {
    size_t first_token, n;    /* of the new tokens */
    enum homology_tier *tier; /* [n] */
    size_t *first;            /* [n + 1] */
    uint32_t *source;         /* old tokens; of gene i from first[i] on, rising */
    size_t n_genes[TIER_NONE + 1];
};
/* worst: pairs of a worse tier do not count. On failure *l is empty. */
enum rc species_links_make(const struct vocab *now, size_t first_token,
                           const struct homology_pair *p, size_t n, enum homology_tier worst,
                           struct species_links *l, struct err *e);
void species_links_release(struct species_links *l);

/* to[d]: the mean of the rows of x[.., d] that `from` names, scaled to the mean of their lengths.
 */
void species_mix(const float *x, size_t d, const uint32_t *from, size_t n, float *to);

struct species_rows {
    size_t through[TIER_NONE + 1]; /* genes with a row, by tier */
    size_t random;                 /* and without */
    double norm_old, norm_new;     /* mean length of rows that are present */
    double scale;                  /* of own rows, 1 without them */
};
/* old's rows, then rows for the new tokens: through homologs that are present in old, else random
 * with the spread of the new species' rows. own: a table of the new vocabulary whose rows of the
 * new species, where present, are taken in place of these, scaled so that their mean length is that
 * of the old rows; may be NULL. On failure *to is empty. */
enum rc species_table(const struct knowledge_table *old, const struct vocab *now,
                      const struct species_links *l, const struct knowledge_table *own,
                      uint64_t seed, struct knowledge_table *to, struct species_rows *r,
                      struct err *e);

#endif
