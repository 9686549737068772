/* The work of some stages once more, from what the results folder holds.
 *
 *   level 1  report, crate and paper (identical bytes), and the scores of every task that left
 *            predictions
 *   level 2  maps and zero-shot scores from the vectors (identical bytes); vectors from the
 * weights, by the backend ref, within a bound; names from those vectors, beside those that were
 *            written
 *   level 3  pretrain from the shards and the knowledge (identical bytes)
 *
 * What was run has the same name and parameters as in its manifest. A tool that this machine cannot
 * run, or a stage that has not run, is open. */
#ifndef GC_APP_AUDIT_REPEAT_H
#define GC_APP_AUDIT_REPEAT_H

#include "lib/manifest/audit.h"

struct audit_repeat {
    const char *tools; /* folder of the programs */
    const char
        *source; /* a checkout, or NULL: settings and templates are sought beside the program */
    const char *scratch; /* an empty folder, for outputs */
    int threads;
    int64_t cells;    /* whose vectors are made from the weights again; 0: all */
    const char *draw; /* a word that the draw of these cells depends on */
};

/* A row of the tolerance table. */
struct audit_distance {
    const char *what;    /* static */
    const char *subject; /* in the audit's arena */
    double value, bound;
    bool holds;
};

struct audit_distances {
    struct audit_distance item[16];
    size_t n;
};

/* Everything up to the level, which is at least 1. */
enum rc audit_repeat(struct audit *a, struct audit_distances *d, const struct chain *c, int level,
                     const struct audit_repeat *how, struct err *e);

#endif
