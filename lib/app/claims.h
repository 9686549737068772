/* What the paper claims, what can be said about it from a results folder, and by what.
 *
 * A table (reference/claims.tsv) has a row a claim: id, status, where, claim (our words), number,
 * unit, deviations (ids as on the report page), check, why. Status F is no claim but a fact that
 * arithmetic needs. A check is one of
 *   is EXPR OP EXPR                     arithmetic over numbers, ids of rows, trunc(x), round(x),
 * and base_forward(n, m): FLOP of the paper's shape (lib/nn/cost.h) param STAGE OPTION OP EXPR an
 * option in the manifest of a stage flag STAGE OPTION                   an option without a value
 * there config KEY OP EXPR                  of the newest checkpoint report STAGE KEY.KEY OP EXPR
 * a number of the stage's report.json default TOOL OPTION OP EXPR         what TOOL --help says
 *   higher STAGE METRIC A B [SPECIES]   method A above method B in metrics.tsv, on test cells, seed
 *                                       by seed
 *   above STAGE SPLIT METHOD METRIC X   a metric above the number X, below it likewise, wherever it
 *   below STAGE SPLIT METHOD METRIC X   was measured (data set and split)
 *   more STAGE SPLIT METRIC A B         method A above method B, less below it, on the same data
 *   less STAGE SPLIT METRIC A B         set, split and seed
 *   -                                   none: `why` says why
 * above, below, more and less may be joined by " and ": all of them must hold.
 * OP: == (to 1e-9), < or >. In A and B of `higher` a * stands for a part of the name without + and
 * -, the same in both; > and < for the largest and the smallest number there, from 1 on. In SPLIT,
 * METHOD and METRIC of the other four a * stands for anything. STAGE may end in /...: all stages
 * below. Simulated cells answer none of these, nor do data sets named simulated or simulator: their
 * numbers are shown, with the verdict "not testable here". */
#ifndef GC_APP_CLAIMS_H
#define GC_APP_CLAIMS_H

#include "lib/data/claim.h"
#include "lib/data/table.h"
#include "lib/manifest/chain.h"

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
    bool simulated; /* of made-up data sets: there were no others */
};
enum rc claims_higher(const struct chain *results, const char *stage, const char *metric,
                      const char *a, const char *b, const char *species, struct claims_higher *h,
                      struct err *e);
/* Does the method's name fit the pattern? Parts that * stood for, with / between; the number at >
 * or <
 * (-1: none), which is +1 or -1 in *sign. */
bool claims_fits(const char *pattern, const char *name, char part[256], double *number, int *sign);

/* claims_rows.c: a row of metrics.tsv with a finite value, of variant clean. Texts are borrowed. */
struct claims_row {
    const char *dataset, *method, *split, *metric;
    uint64_t seed;
    double value;
};
/* Hands over those of the stage (or, with /..., of all below), in the order of names and rows. */
enum rc claims_rows(const struct chain *results, const char *stage,
                    enum rc (*take)(void *ctx, const struct claims_row *r, struct err *e),
                    void *ctx, struct err *e);
/* Is it a made-up data set among real ones? */
bool claims_simulated(const char *dataset);
/* Does a text fit a pattern in which * stands for anything, nothing too? */
bool claims_like(const char *pattern, const char *text);

/* claims_places.c: one number in several places, a place being a data set and a split. */
struct claims_places {
    size_t n_places, n_seeds;
    size_t n_above, n_below; /* places whose own interval lies above (below) x; OF_PLACE alone */
    double mean, low, high;  /* less x; OF_PLACE: the extremes of several places, or the interval
                              * of the only one */
    enum { CLAIMS_OF_NOTHING, CLAIMS_OF_SEEDS, CLAIMS_OF_PLACES, CLAIMS_OF_PLACE } interval;
    bool simulated; /* made-up data sets: there were no others */
    double beside;  /* mean of b; NaN without b */
};
/* METRIC of method a less x where b is NULL, else less method b. The interval is Student's t over
 * seeds where there are two (each seed the mean of its places), else that of each place by itself
 * (rows METRIC_low and METRIC_high, without b), else Student's t over places. n_places 0: no such
 * rows. */
enum rc claims_places(const struct chain *results, const char *stage, const char *split,
                      const char *metric, const char *a, const char *b, double x,
                      struct claims_places *p, struct err *e);

/* claims_check.c: above, below, more and less: fills the row. text: the whole check, which is cut
 * up. not_it: true when it is none of them. */
struct claims_job;
enum rc claims_check(struct claims_job *j, char *text, bool *not_it);

/* What the checks share. */
struct claims_job {
    struct claims *c;
    const struct chain *results;
    const char *tools;
    struct claim *row;
    struct err *e;
};
/* printf into the arena. */
const char *claims_say(struct claims_job *j, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Number of a row of the table; NaN for none. ctx: struct claims. */
double claims_number(const void *ctx, const char *id);

#endif
