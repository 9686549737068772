/* A claim of the paper with what a run says about it (lib/app/claims.h makes them). */
#ifndef GC_DATA_CLAIM_H
#define GC_DATA_CLAIM_H

#include <stddef.h>

enum claim_verdict {
    CLAIM_REPRODUCED,   /* arithmetic holds */
    CLAIM_CONTRADICTED, /* it does not */
    CLAIM_TREND,        /* the direction holds here, the interval lies above 0 */
    CLAIM_OPPOSITE,     /* the interval lies below 0: of small models, so it contradicts nothing */
    CLAIM_UNDECIDED,    /* the interval has 0 in it */
    CLAIM_FOLLOWED,     /* a setting that this run had, too: no evidence for or against */
    CLAIM_NOT_HERE,     /* not testable here: `text` says why */
    CLAIM_WET,          /* needs a laboratory */
    N_CLAIM_VERDICTS
};
const char *claim_word(enum claim_verdict v);

/* Texts are borrowed. */
struct claim {
    const char *id, *status, *where, *claim, *number, *unit, *deviations; /* of the table */
    enum claim_verdict verdict;
    const char *ours;    /* our number, with its interval where there is one; "" for none */
    const char *text;    /* what was compared, or why it was not */
    const char *command; /* that makes it; "" for none */
    const char *file;    /* it came from; "" for none */
};

/* How many of each verdict; facts (status F) are no claims. */
void claims_count(const struct claim *c, size_t n_claims, size_t n[N_CLAIM_VERDICTS]);

#endif
