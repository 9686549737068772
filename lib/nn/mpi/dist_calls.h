/* What a carrier of bytes between ranks gives. Plain C types: a carrier is a library that is opened
 * at run time and knows nothing else of this project. */
#ifndef GC_NN_DIST_CALLS_H
#define GC_NN_DIST_CALLS_H

#include <stddef.h>

enum { DIST_WHY = 256 };

/* Each returns 0, or writes into why[DIST_WHY] what failed. send and recv of one length meet; both
 * may block until they do. */
struct dist_calls {
    int (*send)(void *state, int to, const void *data, size_t n_bytes, char *why);
    int (*recv)(void *state, int from, void *data, size_t n_bytes, char *why);
    int (*bcast)(void *state, void *data, size_t n_bytes, char *why); /* from rank 0 */
    /* status 0: leaves in peace, when all have come so far; else ends the job with that status. */
    void (*close)(void *state, int status);
};

/* The one symbol that gc-mpi.so exports, under the name DIST_OPEN. */
typedef int dist_open_fn(int *rank, int *size, void **state, const struct dist_calls **calls,
                         char *why);
#define DIST_OPEN "gc_dist_open"

#endif
