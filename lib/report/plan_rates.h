/* Rates of this machine: from the logs, reports and manifests that the stages of a corpus left, and
 * how fast SHA-256 goes here and now.
 *
 * Times are processor seconds (time.log), so a rate is of one core whatever the number of threads;
 * all samples of a stage are added up. */
#ifndef GC_REPORT_PLAN_RATES_H
#define GC_REPORT_PLAN_RATES_H

#include "lib/report/plan.h"

/* RC_INPUT: no stage of that kind was closed there, or its reports cannot be read. */
enum rc plan_rates_of(struct plan *p, const char *results, struct err *e);
/* sha256_bytes_per_s, of one core. */
enum rc plan_rates_sha256(struct plan *p, struct err *e);

#endif
