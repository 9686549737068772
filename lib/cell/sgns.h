/* gene2vec: skip-gram with negative sampling on gene pairs, with gensim's rules (spec 02 section
 * 2).
 *
 * One step for a pair (predicted t, context c): v = in[c], e = 0; for t with label 1 and then each
 * negative with label 0 (one equal to t is passed over), u = out[that row]:
 *     f = u.v;  nothing is done when |f| >= 6;  g = (label - sigma(f)) * rate
 *     e += g u;  u += g v
 * and at the end v += e. sigma is read from 1000 entries at (int)((f + 6) * 83): 83 and not 83.33,
 * because gensim and word2vec.c divide whole numbers (1000 / 6 / 2), so sigma(0) is entry 498.
 *
 * A pass takes all pairs in a fresh order. A gene drawn for leaving (sub-sampling of frequent ones)
 * takes its pair with it. Each pair (a, b) gives two steps: a from v_b, then b from v_a. The rate
 * is constant for 5000 lines (a job of gensim, 10,000 words), falls from job to job and starts anew
 * in each pass, as gene2vec.py calls train() once a pass.
 *
 * One order of steps, and the same bits for any number of threads: see sgns.c. */
#ifndef GC_CELL_SGNS_H
#define GC_CELL_SGNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/data/pairs.h"

enum { SGNS_MAX_NEGATIVE = 20, SGNS_JOB_PAIRS = 5000 };

struct sgns {
    size_t n, dim;
    size_t stride;   /* floats from row to row; the padding is zero and stays zero */
    float *in, *out; /* [n, stride], 64-byte aligned, owned; the result is `in` */
};

struct sgns_options {
    uint32_t passes, negative;
    double sample;                /* of sub-sampling; 0: off */
    double rate_first, rate_last; /* of each pass */
    uint64_t seed;
    uint64_t stream; /* keeps the draws of several trainings apart */
    bool hogwild;    /* see sgns_hogwild.c: faster, and not reproducible with several threads */
    /* Called after each part of the work with the lines done so far in all passes; may be NULL. */
    void (*progress)(void *ctx, size_t n_done);
    void *ctx;
};

struct sgns_counts {
    uint64_t lines;   /* pairs looked at, over all passes */
    uint64_t kept;    /* of these, not lost to sub-sampling */
    uint64_t skipped; /* negatives equal to the predicted gene */
};

/* The values of the published run but for the dimension, which is the caller's. */
struct sgns_options sgns_defaults(void);

/* Zeroed. On failure *s is empty. RC_INPUT: n or dim is 0 or too large. */
enum rc sgns_alloc(struct sgns *s, size_t n, size_t dim, struct err *e);
void sgns_release(struct sgns *s);

/* First vectors: in = uniform(-0.5, 0.5) / dim, out = 0. A row depends on seed and its key alone,
 * not on the other genes. */
void sgns_start(struct sgns *s, uint64_t seed, const uint64_t *key);

/* pairs: of rows 0..n-1; each row should be in one. counts may be NULL. RC_INPUT: a row that is not
 * there, no pair at all, options out of range. */
enum rc sgns_train(struct sgns *s, const struct pairs *pairs, const struct sgns_options *o,
                   struct sgns_counts *counts, struct err *e);

/* What gensim keeps of the counts: cum[n] for drawing negatives (the row of a draw x is the first
 * with cum >= x, x below cum[n - 1]) and keep[n] (a gene stays unless keep < 32 random bits). */
void sgns_cum_table(const uint64_t *count, size_t n, uint32_t *cum);
void sgns_keep_table(const uint64_t *count, size_t n, double sample, uint32_t *keep);
/* The first row with cum >= x. */
size_t sgns_draw(const uint32_t *cum, size_t n, uint32_t x);
/* The rate of a line: first - (first - last) * (lines before its job) / n_lines. */
double sgns_rate(const struct sgns_options *o, size_t line, size_t n_lines);

/* One step. next: a row (of any matrix) that will be needed soon, or NULL. */
struct sgns_step {
    uint32_t predicted, context;
    uint32_t negative[SGNS_MAX_NEGATIVE];
    float rate;
};
/* work: stride floats, 64-byte aligned. */
void sgns_take_step(const struct sgns *s, const struct sgns_step *step, uint32_t n_negative,
                    const struct sgns_step *next, float *work);

/* The same step in double, for reading and for tests; in, out: [n, dim]. exact: sigma by exp and no
 * limit at 6, else the table. work: dim doubles. */
void sgns_take_step_ref(double *in, double *out, size_t dim, const struct sgns_step *step,
                        double rate, uint32_t n_negative, int exact, double *work);

#endif
