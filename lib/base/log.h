/* Talk on stderr. Data goes to stdout, never through here.
 *
 * log_say prints one line "tool: text". A progress line moves only on a terminal; on a pipe or
 * file nothing but its last state is printed, so that logs stay short. --quiet silences both,
 * but never warnings. Safe to call from several threads. */
#ifndef GC_BASE_LOG_H
#define GC_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>

/* name: the tool's, borrowed for the life of the process. */
void log_init(const char *name, bool quiet);
void log_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

struct progress {
    const char *what; /* "cells", "steps": the unit, borrowed */
    size_t total;     /* 0: not known */
    size_t done;
    double start_s, shown_s;
    char note[96]; /* shown at the end of the line, e.g. a loss */
};

void progress_start(struct progress *p, const char *what, size_t total);
/* Sets the count; redraws at most ten times a second. */
void progress_at(struct progress *p, size_t done);
/* Ends the line with the total, the seconds and the rate. */
void progress_end(struct progress *p);
/* Seconds on a clock that never goes back; only differences mean anything. */
double clock_s(void);
/* Seconds of processor time that this process has taken, all threads together. */
double processor_s(void);

#endif
