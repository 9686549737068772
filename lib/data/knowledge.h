/* One kind of prior knowledge: a vector for every token of a vocabulary. */
#ifndef GC_DATA_KNOWLEDGE_H
#define GC_DATA_KNOWLEDGE_H

#include "lib/data/vocab.h"

enum knowledge_kind { KNOWLEDGE_PROMOTER, KNOWLEDGE_COEXPRESSION, KNOWLEDGE_FAMILY, KNOWLEDGE_GRN };

/* Rows of <pad> and <mask> are zero; a gene that nothing is known of has a random row. */
struct knowledge_table {
    enum knowledge_kind kind;
    size_t n_tokens, dim;
    float *vector;          /* [n_tokens, dim], owned */
    unsigned char *present; /* [n_tokens], owned: 1 where the row was learned */
};

/* Zeroed. On failure *k is empty. */
enum rc knowledge_table_alloc(struct knowledge_table *k, enum knowledge_kind kind, size_t n_tokens,
                              size_t dim, struct err *e);
void knowledge_table_release(struct knowledge_table *k);
const char *knowledge_kind_name(enum knowledge_kind kind);

#endif
