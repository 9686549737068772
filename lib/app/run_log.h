/* log.jsonl of a training run: one JSON object a line, the same bytes for equal runs; and speed.log
 * beside it with what depends on the machine.
 *   {"step":1,"split":"train","loss":..,"id_loss":..,"value_loss":..,"lr":..,"grad_norm":..,
 *    "cells":..,"genes":..,"masked":..}
 *   {"step":0,"split":"val","id_loss":..,"value_loss":..,"accuracy":..,"baseline_id_loss":..,...}
 * step counts finished steps. */
#ifndef GC_APP_RUN_LOG_H
#define GC_APP_RUN_LOG_H

#include <stdio.h>

#include "lib/nn/train.h"

struct run_log {
    FILE *log, *speed;
    char *path; /* owned */
};

/* Keeps the lines up to step `keep` of an earlier run (UINT64_MAX: none), then appends. */
enum rc run_log_open(struct run_log *l, const char *run, uint64_t keep, struct err *e);
/* On a log that is not open these do nothing: only one rank writes. */
enum rc run_log_step(struct run_log *l, uint64_t step, const struct train_result *t,
                     double seconds, struct err *e);
enum rc run_log_eval(struct run_log *l, uint64_t step, const struct train_eval *v, struct err *e);
/* e may be NULL when the result does not matter any more. */
enum rc run_log_close(struct run_log *l, struct err *e);

#endif
