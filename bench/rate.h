/* Processor time, for the bench programs: on a machine that others use too it says more than the
 * clock. */
#ifndef GC_BENCH_RATE_H
#define GC_BENCH_RATE_H

#include <time.h>

/* Seconds of processor time that this process has taken, all threads together. */
static inline double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#endif
