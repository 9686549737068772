/* The token dictionary and the non-zero medians, as vocab.tsv and medians.tsv hold them.
 *
 * Tokens: 0 `<pad>`, 1 `<mask>`, then human genes, then mouse genes. Spec 01 section 6. */
#ifndef GC_DATA_VOCAB_H
#define GC_DATA_VOCAB_H

#include "lib/base/map.h"
#include "lib/data/cells.h"

enum { TOKEN_PAD = 0, TOKEN_MASK = 1, TOKEN_FIRST_GENE = 2 };
/* Shards store tokens in 16 bits. */
#define VOCAB_MAX ((size_t)65536)

struct vocab_entry {
    const char *id, *name, *biotype;
    enum species species; /* SPECIES_UNKNOWN: one of the two specials */
    int32_t homolog;      /* token of the homolog in the other species, or -1 */
};

struct vocab {
    struct vocab_entry *entry; /* [n], owned; entry i is token i */
    size_t n, room;
    struct map by_id;
    struct arena text;
};

void vocab_init(struct vocab *v);
void vocab_release(struct vocab *v);
/* Appends the next token; copies the texts. RC_INPUT: the id is there already, or the dictionary
 * is full. */
enum rc vocab_add(struct vocab *v, const struct vocab_entry *x, struct err *e);
/* The token of an id, or -1. */
int32_t vocab_token(const struct vocab *v, const char *id);
/* Every promise: the two specials in front, species in blocks, homologs between the species and
 * one-to-one. RC_INPUT names the token. */
enum rc vocab_check(const struct vocab *v, struct err *e);

struct median {
    const char *id;
    uint64_t n_nonzero;
    double median;
};

struct medians {
    struct median *item; /* [n], owned */
    size_t n, room;
    struct map by_id;
    struct arena text;
};

void medians_init(struct medians *m);
void medians_release(struct medians *m);
/* RC_INPUT: the id is there already, or the median is not above 0. */
enum rc medians_add(struct medians *m, const struct median *x, struct err *e);
/* NULL when the gene has none. */
const struct median *medians_find(const struct medians *m, const char *id);

#endif
