/* Ranks without MPI: processes with a socket between each two. For tests. */
#ifndef GC_TESTS_RANKS_H
#define GC_TESTS_RANKS_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/thread.h"
#include "lib/nn/dist.h"

enum { MOST_RANKS = 9 };

struct mesh {
    int fd[MOST_RANKS][MOST_RANKS]; /* [mine][other's] */
    int me, size;
};

static int mesh_send(void *state, int to, const void *data, size_t n_bytes, char *why)
{
    const struct mesh *m = state;
    for (size_t at = 0; at < n_bytes;) {
        const ssize_t k = write(m->fd[m->me][to], (const char *)data + at, n_bytes - at);
        if (k <= 0) {
            snprintf(why, DIST_WHY, "rank %d is gone", to);
            return 1;
        }
        at += (size_t)k;
    }
    return 0;
}

static int mesh_recv(void *state, int from, void *data, size_t n_bytes, char *why)
{
    const struct mesh *m = state;
    for (size_t at = 0; at < n_bytes;) {
        const ssize_t k = read(m->fd[m->me][from], (char *)data + at, n_bytes - at);
        if (k <= 0) {
            snprintf(why, DIST_WHY, "rank %d is gone", from);
            return 1;
        }
        at += (size_t)k;
    }
    return 0;
}

static int mesh_bcast(void *state, void *data, size_t n_bytes, char *why)
{
    const struct mesh *m = state;
    int bad = 0;
    if (m->me)
        return mesh_recv(state, 0, data, n_bytes, why);
    for (int r = 1; !bad && r < m->size; r++)
        bad = mesh_send(state, r, data, n_bytes, why);
    return bad;
}

static void mesh_close(void *state, int status)
{
    (void)state;
    (void)status;
}

/* Only sockets of its own stay open in a rank: then the end of another is seen. */
static void mesh_keep_own(const struct mesh *m)
{
    for (int a = 0; a < m->size; a++)
        for (int b = 0; b < m->size; b++)
            if (a != m->me && a != b)
                close(m->fd[a][b]);
}

/* Runs fn on each of `size` ranks; how many of them did not return 0. */
__attribute__((unused)) static int ranks_run(int size, int (*fn)(struct dist *d, void *ctx),
                                             void *ctx)
{
    static const struct dist_calls calls = { mesh_send, mesh_recv, mesh_bcast, mesh_close };
    struct mesh m = { .size = size };
    pid_t pid[MOST_RANKS];
    int bad = 0;
    for (int a = 0; a < size; a++)
        for (int b = 0; b < a; b++) {
            int pair[2];
            if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
                abort();
            m.fd[a][b] = pair[0];
            m.fd[b][a] = pair[1];
        }
    fflush(stdout);
    for (int r = 0; r < size; r++) {
        pid[r] = fork();
        if (pid[r])
            continue;
        threads_forked();
        m.me = r;
        mesh_keep_own(&m);
        struct dist d = { .rank = r, .size = size, .calls = &calls, .state = &m };
        const int status = fn(&d, ctx);
        fflush(stdout);
        _exit(status);
    }
    for (int a = 0; a < size; a++)
        for (int b = 0; b < size; b++)
            if (a != b)
                close(m.fd[a][b]);
    for (int r = 0; r < size; r++) {
        int status = 1;
        waitpid(pid[r], &status, 0);
        bad += status != 0;
    }
    return bad;
}

#endif
