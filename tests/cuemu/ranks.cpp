/* Ranks of the emulated device: processes of one machine with a socket between each two. As with NCCL the id
 * says where they meet: it is the name of sockets in Linux's abstract space, NAME-RANK each. What a device
 * queues is done at once; that the first queue waits for the second in time is looked at. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "lib/tensor/cuda_device.h"
#include "tests/cuemu/cuemu.h"
#include "tests/cuemu/memory.h"
#include "tests/cuemu/ranks.h"

/* For tests: bytes that this process sent to other ranks, and the number of the exchange in which it ends as if
 * its machine did (0: none). */
extern "C" {
size_t cuemu_sent_bytes, cuemu_lost_at;
}
static size_t exchanges;

enum { MOST_RANKS = 16, TRIES = 6000, TRY_NS = 10 * 1000 * 1000 };

struct mesh {
    int fd[MOST_RANKS];
    bool behind; /* the second queue has work that the first does not wait for yet */
};
static char second_queue;

int cuda_ranks_id(char id[CUDA_ID_BYTES])
{
    static unsigned made;
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    memset(id, 0, CUDA_ID_BYTES);
    snprintf(id, CUDA_ID_BYTES, "gc-cuemu-%ld-%lld-%ld-%u", (long)getpid(), (long long)t.tv_sec,
             t.tv_nsec, made++);
    return 0;
}

/* Where rank `rank` listens: abstract, so it ends with its process. */
static socklen_t address(struct sockaddr_un *a, const char *id, int rank)
{
    *a = {};
    a->sun_family = AF_UNIX;
    const int n = snprintf(a->sun_path + 1, sizeof a->sun_path - 1, "%.90s-%d", id, rank);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
}

static int call(const char *id, int peer, int me)
{
    struct sockaddr_un a;
    const socklen_t n = address(&a, id, peer);
    const struct timespec pause = { 0, TRY_NS };
    for (int i = 0; i < TRIES; i++) {
        const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd >= 0 && connect(fd, (struct sockaddr *)&a, n) == 0 &&
            send(fd, &me, sizeof me, MSG_NOSIGNAL) == sizeof me)
            return fd;
        if (fd >= 0)
            close(fd);
        nanosleep(&pause, NULL);
    }
    return -1;
}

/* Those with higher numbers call. */
static int answer(struct mesh *m, int listens, int n)
{
    int peer = -1;
    struct pollfd p = { listens, POLLIN, 0 };
    const int fd = poll(&p, 1, TRIES * (TRY_NS / 1000000)) == 1 ? accept(listens, NULL, NULL) : -1;
    if (fd < 0 || recv(fd, &peer, sizeof peer, MSG_WAITALL) != sizeof peer || peer < 0 || peer >= n)
        return CUEMU_RANK_LOST;
    m->fd[peer] = fd;
    return 0;
}

int cuda_ranks_open(struct cuda_ranks *r, const char id[CUDA_ID_BYTES], int rank, int n_ranks)
{
    struct sockaddr_un a;
    *r = {};
    const int listens = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct mesh *m = (struct mesh *)calloc(1, sizeof *m);
    if (!m || n_ranks > MOST_RANKS || listens < 0 ||
        bind(listens, (struct sockaddr *)&a, address(&a, id, rank)) || listen(listens, n_ranks)) {
        free(m);
        return 1;
    }
    *r = { m, &second_queue, NULL, rank, n_ranks };
    int status = 0;
    for (int p = 0; p < rank; p++) {
        m->fd[p] = call(id, p, rank);
        status = m->fd[p] < 0 ? (int)CUEMU_RANK_LOST : status;
    }
    for (int p = rank + 1; !status && p < n_ranks; p++)
        status = answer(m, listens, n_ranks);
    close(listens);
    return status;
}

void cuda_ranks_close(struct cuda_ranks *r)
{
    struct mesh *m = (struct mesh *)r->handle;
    for (int p = 0; m && p < r->n_ranks; p++)
        if (p != r->rank)
            close(m->fd[p]);
    free(m);
    *r = {};
}

int cuda_ranks_follow(struct cuda_ranks *r, void *first, void *second)
{
    struct mesh *m = (struct mesh *)r->handle;
    m->behind = first == &second_queue ? false : m->behind || second == &second_queue;
    return 0;
}

int cuda_ranks_wait(const struct cuda *c, struct cuda_ranks *r)
{
    if (((struct mesh *)r->handle)->behind)
        cuemu_die("the host waits for the first queue, which does not wait for the second");
    return cuda_wait(c);
}

/* What is still to move between this rank and one other, one way: the transfers with it, in order. */
struct way {
    const struct backend_transfer *of;
    size_t n, at, done;
    int peer;
};

static bool more(struct way *w)
{
    while (w->at < w->n && (w->of[w->at].peer != w->peer || w->done == w->of[w->at].n_bytes)) {
        w->done = w->of[w->at].peer == w->peer ? 0 : w->done;
        w->at++;
    }
    return w->at < w->n;
}

/* Moves what can be moved at once. */
static int move(struct way *w, int fd, bool out)
{
    char *p = (char *)w->of[w->at].data + w->done;
    const size_t left = w->of[w->at].n_bytes - w->done;
    const ssize_t k = out ? send(fd, p, left, MSG_NOSIGNAL | MSG_DONTWAIT)
                          : recv(fd, p, left, MSG_DONTWAIT);
    if (k > 0)
        w->done += (size_t)k;
    cuemu_sent_bytes += out && k > 0 ? (size_t)k : 0;
    return k > 0 || (k < 0 && (errno == EAGAIN || errno == EINTR)) ? 0 : (int)CUEMU_RANK_LOST;
}

/* A rank with itself: the i-th of its sends is the i-th of its receives. */
static int to_itself(struct way *out, struct way *in)
{
    while (more(out) && more(in)) {
        if (out->of[out->at].n_bytes != in->of[in->at].n_bytes)
            return 1;
        memmove(in->of[in->at].data, out->of[out->at].data, out->of[out->at].n_bytes);
        out->done = in->done = out->of[out->at].n_bytes;
    }
    return more(out) || more(in);
}

static int exchange(const struct mesh *m, int me, int n, struct way *out, struct way *in)
{
    int status = to_itself(&out[me], &in[me]);
    for (;;) {
        struct pollfd p[MOST_RANKS] = {};
        bool any = false;
        for (int r = 0; r < n; r++) {
            p[r].fd = -1;
            if (r != me && more(&out[r]))
                p[r].events |= POLLOUT;
            if (r != me && more(&in[r]))
                p[r].events |= POLLIN;
            if (p[r].events)
                p[r].fd = m->fd[r];
            any = any || p[r].events;
        }
        if (!any || status)
            return status;
        if (poll(p, (nfds_t)n, -1) < 0 && errno != EINTR)
            return 1;
        for (int r = 0; !status && r < n; r++) {
            if (p[r].events & POLLIN && p[r].revents & (POLLIN | POLLHUP | POLLERR))
                status = move(&in[r], m->fd[r], false);
            if (!status && p[r].events & POLLOUT && p[r].revents & (POLLOUT | POLLHUP | POLLERR))
                status = move(&out[r], m->fd[r], true);
        }
    }
}

static void look(const struct backend_transfer *t, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (t[i].n_bytes && !cuemu_has(t[i].data))
            cuemu_die("ranks exchange memory of the host");
}

int cuda_ranks_exchange(const struct cuda *, const struct cuda_ranks *r,
                        const struct backend_transfer *send, size_t n_send,
                        const struct backend_transfer *recv, size_t n_recv)
{
    struct way out[MOST_RANKS], in[MOST_RANKS];
    look(send, n_send);
    look(recv, n_recv);
    for (int p = 0; p < r->n_ranks; p++) {
        out[p] = { send, n_send, 0, 0, p };
        in[p] = { recv, n_recv, 0, 0, p };
    }
    if (++exchanges == cuemu_lost_at)
        _exit(0);
    cuemu_open();
    const int status = exchange((const struct mesh *)r->handle, r->rank, r->n_ranks, out, in);
    cuemu_close();
    return status;
}
