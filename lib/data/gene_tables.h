/* Genes of both species: what names lead to, biotypes, core list, homologs, tokens, medians.
 *
 * A name belongs to the first of: a gene of that name in the species; an alias in the species; the
 * gene with that id; the gene with that id once a version suffix (".7") is taken off. Names are
 * case-sensitive. */
#ifndef GC_DATA_GENE_TABLES_H
#define GC_DATA_GENE_TABLES_H

#include <stdbool.h>

#include "lib/base/map.h"
#include "lib/data/cells.h"
#include "lib/data/vocab.h"

enum biotype { BIOTYPE_PROTEIN, BIOTYPE_LNCRNA, BIOTYPE_MIRNA, BIOTYPE_MT, BIOTYPE_OTHER };

#define GENE_NONE UINT32_MAX

struct gene {
    const char *id, *name; /* name may be empty */
    enum species species;
    enum biotype biotype;
    bool core;
    bool mito;        /* biotype Mt, or named MT-* in any case */
    int32_t token;    /* -1: none */
    double median;    /* NaN: none */
    uint32_t homolog; /* of a mouse gene: row of the human one, else GENE_NONE */
};

struct gene_tables {
    struct gene *gene; /* owned */
    size_t n;
    struct map by_id, by_name[2], alias[2]; /* to rows; the latter two by species */
    struct arena text;
};

void gene_tables_init(struct gene_tables *t);
void gene_tables_release(struct gene_tables *t);
/* Copies *g and its texts; g->homolog is set later. RC_INPUT: the id, or the name in its species,
 * is there already. */
enum rc gene_tables_add(struct gene_tables *t, const struct gene *g, struct err *e);
/* The first alias of a name wins. RC_INPUT: no such gene, or one of the other species. */
enum rc gene_tables_add_alias(struct gene_tables *t, enum species species, const char *name,
                              const char *id, struct err *e);
/* Row of the gene that the name belongs to, or GENE_NONE. */
uint32_t gene_tables_find(const struct gene_tables *t, enum species species, const char *name);
/* Row of the gene with exactly this id, whatever its species, or GENE_NONE. */
uint32_t gene_tables_find_id(const struct gene_tables *t, const char *id);
/* Has any gene a token? Tables that a vocabulary is yet to be made from have none. */
bool gene_tables_have_tokens(const struct gene_tables *t);
/* Give genes without a token (a median) the one that the vocabulary (the medians) have for them. */
void gene_tables_fill_tokens(struct gene_tables *t, const struct vocab *v);
void gene_tables_fill_medians(struct gene_tables *t, const struct medians *m);

const char *biotype_name(enum biotype b);
bool biotype_parse(const char *text, enum biotype *b);

#endif
