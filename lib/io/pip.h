/* Wheels from a package registry, by the user's own pip: its settings, mirrors and proxies hold.
 *
 * `python3 -m pip download --no-deps --only-binary :all:` runs without a shell. Only wheels: to
 * look at a source package pip would have to run its code. */
#ifndef GC_IO_PIP_H
#define GC_IO_PIP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/err.h"

struct pip {
    pid_t pid;    /* 0: none runs */
    char *folder; /* owned */
    double alive_s, patience_s;
    uint64_t seen_bytes;
};

enum pip_state { PIP_RUNS, PIP_DONE, PIP_FAILED };

/* Starts the download of NAME==VERSION into folder, which is empty. wait_s: how long a registry may
 * be silent (pip's own PIP_DEFAULT_TIMEOUT goes before). RC_SKIP: there is no python3. */
enum rc pip_start(struct pip *p, const char *spec, const char *folder, double wait_s,
                  struct err *e);
/* Looks whether it has ended. PIP_DONE: *file is the wheel, to be freed by the caller; PIP_FAILED:
 * the reason is in reason. A pip that shows no sign of life is ended. */
enum pip_state pip_poll(struct pip *p, char **file, char *reason, size_t n);
/* Bytes that have come so far. */
uint64_t pip_bytes(const struct pip *p);
void pip_kill(struct pip *p);

#endif
