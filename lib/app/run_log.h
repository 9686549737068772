/* log.jsonl of a training run: one JSON object a line, the same bytes for equal runs; and speed.log
 * beside it with what depends on the machine.
 *   {"step":1,"split":"train","loss":..,"id_loss":..,"value_loss":..,"lr":..,"grad_norm":..,
 *    "cells":..,"genes":..,"masked":..}
 *   {"step":0,"split":"val","id_loss":..,"value_loss":..,"accuracy":..,"baseline_id_loss":..,...}
 * step counts finished steps. Beside the baselines of the held-out cells a val line has entropy, of
 * the training genes' frequencies, and value_variance, of their values: lib/nn/baseline.h. A number
 * that means nothing is null.
 * speed.log has a line for each step: seconds, tokens (a cell's genes and its species), the same
 * with every cell padded to the longest the model takes, FLOP/s by spec/04 section 7 and their
 * share of sgemm, measured when the run began. */
#ifndef GC_APP_RUN_LOG_H
#define GC_APP_RUN_LOG_H

#include <stdio.h>

#include "lib/nn/train.h"

/* How fast a step was. */
struct step_speed {
    double seconds, waited_s; /* waited: of them, for data */
    double tokens, padded;
    double flop;  /* what the model needs, not what the program executes */
    double sgemm; /* FLOP/s of all ranks' processors; 0: not known */
};

struct run_log {
    FILE *log, *speed;
    char *path; /* owned */
};

/* Keeps the lines up to step `keep` of an earlier run (UINT64_MAX: none), then appends. */
enum rc run_log_open(struct run_log *l, const char *run, uint64_t keep, struct err *e);
/* On a log that is not open these do nothing: only one rank writes. */
enum rc run_log_step(struct run_log *l, uint64_t step, const struct train_result *t,
                     const struct step_speed *speed, struct err *e);
enum rc run_log_eval(struct run_log *l, uint64_t step, const struct train_eval *v,
                     const struct baseline *base, struct err *e);
/* A line of talk in speed.log. */
void run_log_speed(struct run_log *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Everything said so far is on the disk, before a checkpoint says that the steps were made. */
enum rc run_log_sync(struct run_log *l, struct err *e);
/* e may be NULL when the result does not matter any more. */
enum rc run_log_close(struct run_log *l, struct err *e);

#endif
