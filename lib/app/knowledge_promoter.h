/* Promoters between their two halves: knowledge_promoter.c finds the bases of genes,
 * knowledge_promoter_vectors.c turns bases into vectors. */
#ifndef GC_APP_KNOWLEDGE_PROMOTER_H
#define GC_APP_KNOWLEDGE_PROMOTER_H

#include "lib/app/knowledge_source.h"

#define PROMOTER_NO_GENE UINT32_MAX

/* Promoters of all species so far. One whose gene is not told has no row; it counts for the spread
 * of the random rows of its species. */
struct promoters {
    uint32_t *token;         /* [n], or PROMOTER_NO_GENE */
    unsigned char *of;       /* [n] enum species */
    char **bases;            /* [n], each at least KMER_MAX long */
    unsigned char *has;      /* [n_tokens]: the gene has one; the first counts */
    size_t n, n_genes, room; /* n_genes: those with a gene */
};

/* Fills rows of the table and, for each species that has no gene with a promoter but sequences,
 * spare_sd, the spread of these. label: of the model, "" for none. */
enum rc promoter_vectors(const struct promoters *p, const struct promoter_options *o,
                         struct knowledge_table *k, double spare_sd[2], char *label, struct err *e);

#endif
