#include "lib/data/claim.h"

#include <string.h>

const char *claim_word(enum claim_verdict v)
{
    static const char *const word[N_CLAIM_VERDICTS] = { "reproduced",        "contradicted",
                                                        "trend only",        "opposite trend",
                                                        "undecided",         "followed",
                                                        "not testable here", "wet lab" };
    return word[v];
}

void claims_count(const struct claim *c, size_t n_claims, size_t n[N_CLAIM_VERDICTS])
{
    memset(n, 0, N_CLAIM_VERDICTS * sizeof *n);
    for (size_t i = 0; i < n_claims; i++)
        n[c[i].verdict] += strcmp(c[i].status, "F") != 0;
}
