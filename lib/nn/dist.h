/* Ranks: processes that train one model together, on one machine or many.
 *
 * Who computes what follows from numbers alone: of n things in a row rank r of R owns those from
 * ceil(r n / R) to ceil((r + 1) n / R). What ranks exchange are bytes: sums are formed here or in
 * grad_tree.h, in an order that belongs to the things, never by the library that carries them. So
 * the result is the same for any R.
 *
 * Programs are not linked with MPI: lib/nn/mpi/dist_mpi.c is built as lib/gc-mpi.so beside the
 * tools, and opened only in a process that mpirun or srun started as one of several. */
#ifndef GC_NN_DIST_H
#define GC_NN_DIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/nn/mpi/dist_calls.h"

struct dist {
    int rank, size;
    bool agreed;                    /* all ranks know that the job ends, and why */
    bool broken; /* this rank failed where others wait for it otherwise: no more is agreed, the job
                    ends */
    const struct dist_calls *calls; /* NULL: alone */
    void *state, *library;
};

/* Ranks that whoever started this process says there are; 1 outside of mpirun and srun. */
int dist_wanted(void);
/* Joins the other ranks; alone where there are none. RC_FAIL: started as one of several, but this
 * build has no MPI, or MPI sees another number of ranks. */
enum rc dist_open(struct dist *d, struct err *e);
struct dist dist_alone(void);
/* Status 0, or a failure that was agreed on: waits for the others. Any other failure, which the
 * others do not know of, ends the whole job. */
void dist_close(struct dist *d, int status);

/* The first of n things that rank owns; rank = size: n. */
size_t dist_first(const struct dist *d, size_t n, int rank);
/* The rank that owns thing i of n. */
int dist_owner(const struct dist *d, size_t n, size_t i);

/* All of these do nothing alone. A failure of any of them is fatal to the job. */
enum rc dist_send(struct dist *d, int to, const void *data, size_t n_bytes, struct err *e);
enum rc dist_recv(struct dist *d, int from, void *data, size_t n_bytes, struct err *e);
/* From rank 0 to all. */
enum rc dist_bcast(struct dist *d, void *data, size_t n_bytes, struct err *e);
/* item: [n]; each rank has filled in those that it owns, afterwards all have all. */
enum rc dist_gather(struct dist *d, void *item, size_t item_bytes, size_t n, struct err *e);
/* Sums over all ranks of whole numbers, n <= DIST_SUMS. */
enum { DIST_SUMS = 16 };
enum rc dist_sum(struct dist *d, uint64_t *x, size_t n, struct err *e);
/* What came of a step that each rank did for itself. When it failed on any rank it failed on all;
 * rank 0 has the sentence of the lowest that failed, the others an empty one, so that it is said
 * once. */
enum rc dist_agree(struct dist *d, enum rc rc, struct err *e);

#endif
