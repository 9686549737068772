/* Vectors of genes as command lines name them:
 *   FILE.h5ad          varm['X_genecompass'], which `embed --genes` writes; genes by name and by id
 *   FILE.npy           a matrix without names; GENES in FILE.npy,GENES: one a line, as many as rows
 *   any other          a table of text, the genes in rows, after a line of headings */
#ifndef GC_APP_GENE_VECTORS_H
#define GC_APP_GENE_VECTORS_H

#include "lib/base/map.h"
#include "lib/base/sha256.h"
#include "lib/nn/mat.h"

struct gene_vectors {
    size_t n, d;
    float *x;          /* [n, d] finite; owned */
    struct map row_of; /* name or id to row; empty where the file has no names */
};

/* RC_INPUT names the file and the trouble. On failure *v is empty. */
enum rc gene_vectors_read(const char *arg, struct gene_vectors *v, struct err *e);
void gene_vectors_release(struct gene_vectors *v);
/* out [n_genes, d]: the vectors of these genes, 0 for genes without one; *n_found counts those with
 * one. On failure *out is to be released. */
enum rc gene_vectors_match(const struct gene_vectors *v, const char *const *gene, size_t n_genes,
                           struct mat *out, size_t *n_found, struct err *e);
/* The same from a file; none found is RC_INPUT. */
enum rc gene_vectors_of(const char *arg, const char *const *gene, size_t n_genes, struct mat *out,
                        size_t *n_found, struct err *e);
/* A sum of all bytes that gene_vectors_read would read: tells one run from another. */
enum rc gene_vectors_sum(const char *arg, char hex[SHA256_HEX], struct err *e);

#endif
