#include "lib/base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *tool_name = "genecompass";
static bool quiet_mode;
static bool line_open; /* a progress line stands on the terminal without a line feed */

void log_init(const char *name, bool quiet)
{
    tool_name = name;
    quiet_mode = quiet;
}

static void say(const char *kind, const char *fmt, va_list ap)
{
    pthread_mutex_lock(&lock);
    if (line_open)
        fputs("\r\033[K", stderr);
    line_open = false;
    fprintf(stderr, "%s: %s", tool_name, kind);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    pthread_mutex_unlock(&lock);
}

void log_say(const char *fmt, ...)
{
    if (quiet_mode)
        return;
    va_list ap;
    va_start(ap, fmt);
    say("", fmt, ap);
    va_end(ap);
}

void log_warn(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say("warning: ", fmt, ap);
    va_end(ap);
}

static double seconds_of(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double clock_s(void)
{
    return seconds_of(CLOCK_MONOTONIC);
}

double processor_s(void)
{
    return seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}

static void draw(struct progress *p, double now, bool last)
{
    double s = now - p->start_s;
    double rate = s > 0 ? (double)p->done / s : 0;
    pthread_mutex_lock(&lock);
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
    if (last)
        fprintf(stderr, "%s: %zu %s in %.1f s, %.4g/s", tool_name, p->done, p->what, s, rate);
    else if (p->total)
        fprintf(stderr, "%s: %zu of %zu %s, %.4g/s, %.0f s left", tool_name, p->done, p->total,
                p->what, rate, rate > 0 ? (double)(p->total - p->done) / rate : 0);
    else
        fprintf(stderr, "%s: %zu %s, %.4g/s", tool_name, p->done, p->what, rate);
    if (p->note[0])
        fprintf(stderr, ", %s", p->note);
    if (last)
        fputc('\n', stderr);
    line_open = !last;
    pthread_mutex_unlock(&lock);
}

void progress_start(struct progress *p, const char *what, size_t total)
{
    *p = (struct progress){ .what = what, .total = total, .start_s = clock_s() };
    p->shown_s = p->start_s;
}

void progress_at(struct progress *p, size_t done)
{
    p->done = done;
    double now = clock_s();
    if (quiet_mode || now - p->shown_s < 0.1 || !isatty(STDERR_FILENO))
        return;
    p->shown_s = now;
    draw(p, now, false);
}

void progress_end(struct progress *p)
{
    if (!quiet_mode)
        draw(p, clock_s(), true);
}
