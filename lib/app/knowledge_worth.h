/* What a table of knowledge is worth: how much it covers, and what its vectors know of relations
 * between genes, beside a shuffled copy of itself and random rows. One species at a time.
 *
 *   coverage   rows that are present; mean L2 norm of these and of the random ones
 *   recovery   of the 10 nearest genes by cosine, the share that are related to the gene
 *   links      pairs of a relation are held out, gene2vec learns the others, and its cosines must
 *              tell held-out pairs from pairs of equally busy genes (area under the ROC curve)
 *   agreement  Pearson correlation of two tables' cosines over the same random pairs of genes
 *
 * A relation is a list of pairs of tokens, with multiplicity, as gene2vec learned from. */
#ifndef GC_APP_KNOWLEDGE_WORTH_H
#define GC_APP_KNOWLEDGE_WORTH_H

#include <stdbool.h>

#include "lib/data/knowledge.h"
#include "lib/data/pairs.h"

struct worth_coverage {
    size_t present, random;                           /* genes */
    double norm_present, norm_random, spread_present; /* mean, mean, standard deviation */
};
void worth_coverage_of(const struct knowledge_table *k, const struct vocab *v, enum species s,
                       struct worth_coverage *c);

/* What the rows are taken from: themselves, themselves dealt anew among the present genes, normal
 * numbers. */
enum worth_rows { WORTH_TABLE, WORTH_SHUFFLED, WORTH_RANDOM };

struct worth_recovery {
    size_t queries; /* genes asked: present, and with a partner that is; at most 1000 are drawn */
    double share;   /* NaN without a query */
};
/* related: distinct and sorted (pairs_distinct). */
enum rc worth_recovery_of(const struct knowledge_table *k, const struct vocab *v, enum species s,
                          const struct pairs *related, enum worth_rows rows, uint64_t seed,
                          struct worth_recovery *r, struct err *e);

struct worth_links {
    size_t train, test;                  /* distinct pairs */
    double learned, degree, adamic_adar; /* areas; NaN without a test pair */
};
/* lines: with multiplicity. Every tenth distinct pair is held out (drawn by seed), at most 20,000;
 * a negative is the end of one held-out pair and the end of another, never a pair of the relation.
 */
enum rc worth_links_of(const struct vocab *v, enum species s, const struct pairs *lines, size_t dim,
                       uint32_t passes, uint64_t seed, struct worth_links *l, struct err *e);

struct worth_agreement {
    size_t genes;             /* present in both */
    double correlation, null; /* null: b's rows dealt anew among its genes */
};
enum rc worth_agreement_of(const struct knowledge_table *a, const struct knowledge_table *b,
                           const struct vocab *v, enum species s, uint64_t seed,
                           struct worth_agreement *g, struct err *e);

#endif
