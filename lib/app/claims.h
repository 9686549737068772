/* What the paper claims, what can be said about it from a results folder, and by what.
 *
 * A table (reference/claims.tsv) has a row a claim: id, status, where, claim (our words), number,
 * unit, deviations (ids as on the report page), check, why. Status F is no claim but a fact that
 * arithmetic needs. A check is one of is EXPR OP EXPR                     arithmetic over numbers,
 * ids of rows, trunc(x), round(x), and base_forward(n, m): FLOP of the paper's shape
 * (lib/nn/cost.h) param STAGE OPTION OP EXPR          an option in the manifest of a stage config
 * KEY OP EXPR                  of the newest checkpoint report STAGE KEY.KEY OP EXPR        a
 * number of the stage's report.json default TOOL OPTION OP EXPR         what TOOL --help says
 *   higher STAGE METRIC A B [SPECIES]   method A above method B in metrics.tsv, on test cells, seed
 * by seed
 *   -                                   none: `why` says why
 * OP: == (to 1e-9), < or >. In A and B a * stands for a part of the name without + and -, the same
 * in both; > and < for the largest and the smallest number there, from 1 on. STAGE may end in /...:
 * all stages below. Simulated cells answer no `higher`, nor do
 * data sets named simulated. */
#ifndef GC_APP_CLAIMS_H
#define GC_APP_CLAIMS_H

#include "lib/data/table.h"
#include "lib/manifest/chain.h"

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

struct claim {
    const char *id, *status, *where, *claim, *number, *unit, *deviations; /* of the table */
    enum claim_verdict verdict;
    const char *ours;    /* our number, with its interval where there is one; "" for none */
    const char *text;    /* what was compared, or why it was not */
    const char *command; /* that makes it; "" for none */
    const char *file;    /* it came from; "" for none */
};

struct claims {
    struct claim *item; /* owned; in the order of the table */
    size_t n;
    struct table t; /* owns texts, as does the arena */
    struct arena text;
};

/* tools: folder of the programs, or NULL: `default` checks are not testable then. RC_INPUT: the
 * table is broken, or a row has neither a check nor a reason. On failure *c is empty. */
enum rc claims_read(struct claims *c, const char *table, const struct chain *results,
                    const char *tools, struct err *e);
void claims_release(struct claims *c);

/* claims_expr.c: value of an expression; name(ctx, id) gives numbers of rows, NaN for none.
 * RC_INPUT names the place. */
enum rc claims_expr(const char *text, double (*name)(const void *ctx, const char *id),
                    const void *ctx, double *value, struct err *e);

/* claims_metrics.c: mean over seeds of the mean difference A - B, and the half-width of its 95 %
 * interval (NaN with one seed). n_pairs 0: no such methods. */
struct claims_higher {
    double mean, width;
    size_t n_seeds, n_pairs;
};
enum rc claims_higher(const struct chain *results, const char *stage, const char *metric,
                      const char *a, const char *b, const char *species, struct claims_higher *h,
                      struct err *e);
/* Does the method's name fit the pattern? Parts that * stood for, with / between; the number at >
 * or <
 * (-1: none), which is +1 or -1 in *sign. */
bool claims_fits(const char *pattern, const char *name, char part[256], double *number, int *sign);

#endif
