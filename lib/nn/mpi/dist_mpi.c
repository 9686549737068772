/* Bytes between ranks through MPI. Built by mpicc as lib/gc-mpi.so; no tool is linked with it.
 * Lengths go in pieces, because MPI counts in int. */
#include <mpi.h>
#include <stdio.h>

#include "lib/nn/mpi/dist_calls.h"

enum { TAG = 7 };
static const size_t piece = (size_t)1 << 30;

dist_open_fn gc_dist_open;

static int fault(int code, const char *what, char *why)
{
    char text[MPI_MAX_ERROR_STRING] = "";
    int n = 0;
    if (code == MPI_SUCCESS)
        return 0;
    MPI_Error_string(code, text, &n);
    snprintf(why, DIST_WHY, "%s: %.200s", what, text);
    return 1;
}

static int count_at(size_t n_bytes, size_t at)
{
    return (int)(n_bytes - at < piece ? n_bytes - at : piece);
}

static int mpi_send(void *state, int to, const void *data, size_t n_bytes, char *why)
{
    int bad = 0;
    (void)state;
    for (size_t at = 0; !bad && at < n_bytes; at += piece)
        bad = fault(MPI_Send((const char *)data + at, count_at(n_bytes, at), MPI_BYTE, to, TAG,
                             MPI_COMM_WORLD),
                    "MPI_Send", why);
    return bad;
}

static int mpi_recv(void *state, int from, void *data, size_t n_bytes, char *why)
{
    int bad = 0;
    (void)state;
    for (size_t at = 0; !bad && at < n_bytes; at += piece)
        bad = fault(MPI_Recv((char *)data + at, count_at(n_bytes, at), MPI_BYTE, from, TAG,
                             MPI_COMM_WORLD, MPI_STATUS_IGNORE),
                    "MPI_Recv", why);
    return bad;
}

static int mpi_bcast(void *state, void *data, size_t n_bytes, char *why)
{
    int bad = 0;
    (void)state;
    for (size_t at = 0; !bad && at < n_bytes; at += piece)
        bad =
            fault(MPI_Bcast((char *)data + at, count_at(n_bytes, at), MPI_BYTE, 0, MPI_COMM_WORLD),
                  "MPI_Bcast", why);
    return bad;
}

static void mpi_close(void *state, int status)
{
    (void)state;
    if (status)
        MPI_Abort(MPI_COMM_WORLD, status);
    MPI_Finalize();
}

int gc_dist_open(int *rank, int *size, void **state, const struct dist_calls **calls, char *why)
{
    static const struct dist_calls mine = { mpi_send, mpi_recv, mpi_bcast, mpi_close };
    int level;
    /* The loader and the workers are threads, but only the first one calls MPI. */
    if (fault(MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &level), "MPI_Init_thread", why))
        return 1;
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    *state = NULL;
    *calls = &mine;
    return fault(MPI_Comm_rank(MPI_COMM_WORLD, rank), "MPI_Comm_rank", why) ||
           fault(MPI_Comm_size(MPI_COMM_WORLD, size), "MPI_Comm_size", why);
}
