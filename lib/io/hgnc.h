/* HGNC's gene groups from its JSON (plain or gzip): {"response": {"docs": [{"symbol": ..,
 * "ensembl_gene_id": .., "gene_family_id": [..]}, ..]}}; newer files say gene_group_id. */
#ifndef GC_IO_HGNC_H
#define GC_IO_HGNC_H

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/data/pairs.h"

struct hgnc {
    size_t n_genes;                 /* genes with at least one family */
    const char **symbol, **ensembl; /* [n_genes], owned; ensembl NULL where it has none */
    struct member *member;          /* {family, gene}, in order of the file; owned */
    size_t n_members, n_docs;
    size_t n_protein; /* entries whose locus_group is `protein-coding gene` */
    struct arena text;
};

/* On failure *h is empty. RC_INPUT names file, entry and trouble. */
enum rc hgnc_read(const char *path, struct hgnc *h, struct err *e);
void hgnc_release(struct hgnc *h);

#endif
