/* Where the kinds of knowledge come from: files to pairs of tokens (grn, family, coexpression) or
 * straight to vectors (promoter), and each input's part of the report. One file for each kind. */
#ifndef GC_APP_KNOWLEDGE_SOURCE_H
#define GC_APP_KNOWLEDGE_SOURCE_H

#include <jansson.h>

#include "lib/cell/knowledge.h"
#include "lib/cell/pearson.h"
#include "lib/data/gene_tables.h"

struct knowledge_source {
    const struct vocab *v;
    const struct gene_tables *tables; /* empty without gene tables */
    struct pairs pairs;               /* of tokens */
    json_t *list;                     /* of inputs, for the report; owned */
    size_t networks[2], peca2[2];     /* read so far, by species; of PECA2 among them */
};

/* The token of a gene's name or id in a species, or -1. */
int32_t knowledge_token(const struct knowledge_source *s, enum species sp, const char *name);

/* One network; levels as in network_read. A network is of the species that knows more of its names;
 * names that it does not know are counted and listed. */
enum rc knowledge_add_network(struct knowledge_source *s, const char *path, const char *levels,
                              struct err *e);
/* How many networks of which kind there were beside the paper's, and what stands in for them. */
void knowledge_tell_networks(struct knowledge_source *s);
/* HGNC's groups, for both species. */
enum rc knowledge_add_families(struct knowledge_source *s, const char *path, struct err *e);

struct coexpression_options {
    struct pearson_options pearson; /* scale, least_cells, above */
    uint64_t cells;                 /* drawn from each matrix */
    uint64_t seed;
};
/* One matrix of cells (h5ad). */
enum rc knowledge_add_matrix(struct knowledge_source *s, const char *path,
                             const struct coexpression_options *o, struct err *e);

enum promoter_method { PROMOTER_MEAN_CLS, PROMOTER_DNALONG, PROMOTER_KMER };
struct promoter_options {
    enum promoter_method method;
    const char *model; /* DNABERT's folder; not for PROMOTER_KMER */
    const char *backend;
    int k; /* of PROMOTER_KMER */
    size_t dim;
    uint64_t upstream, downstream; /* bases */
    double most_unknown;           /* share of N above which a gene has no vector */
    uint64_t seed;
    const char *fasta_out; /* the windows; may be NULL */
};
struct promoter_inputs {
    const char *const *genome, *const *tss; /* [n_genomes], a pair for each species */
    int n_genomes;
    const char *const *sequences; /* [n_sequences] SPECIES=FILE; named after genes, or bare */
    int n_sequences;
};
/* Fills the rows that have a promoter, and label (of the model, "" for none). spare_sd: of a
 * species whose sequences belong to no known gene, the spread of their vectors; else 0. On failure
 * *k is empty. */
enum rc knowledge_promoters(struct knowledge_source *s, const struct promoter_inputs *in,
                            const struct promoter_options *o, struct knowledge_table *k,
                            double spare_sd[2], char *label, struct err *e);

#endif
