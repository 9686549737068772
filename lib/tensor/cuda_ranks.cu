/* Sums over ranks through NCCL; contract in lib/tensor/cuda_device.h. */
#include <nccl.h>
#include <string.h>

#include "lib/tensor/cuda_device.h"
#include "lib/tensor/cuda_library.h"

static_assert(sizeof(ncclUniqueId) == CUDA_ID_BYTES, "an id of NCCL fits");

static int code(ncclResult_t e)
{
    return e ? CUDA_RANK_CODES + (int)e : 0;
}

const char *cuda_rank_text(int c)
{
    return ncclGetErrorString((ncclResult_t)c);
}

const char *cuda_text(int status)
{
    if (status >= CUDA_RANK_CODES)
        return cuda_rank_text(status - CUDA_RANK_CODES);
    if (status >= CUDA_PRODUCT_CODES)
        return cuda_product_text(status - CUDA_PRODUCT_CODES);
    return cudaGetErrorString((cudaError_t)status);
}

int cuda_ranks_id(char id[CUDA_ID_BYTES])
{
    return code(ncclGetUniqueId((ncclUniqueId *)id));
}

int cuda_ranks_open(struct cuda_ranks *r, const char id[CUDA_ID_BYTES], int rank, int n_ranks)
{
    ncclUniqueId u;
    ncclComm_t comm;
    memcpy(&u, id, sizeof u);
    *r = {};
    const int e = code(ncclCommInitRank(&comm, n_ranks, u, rank));
    if (!e)
        *r = { comm, rank, n_ranks };
    return e;
}

void cuda_ranks_close(struct cuda_ranks *r)
{
    if (r->handle)
        ncclCommDestroy((ncclComm_t)r->handle);
    *r = {};
}

int cuda_sum(const struct cuda *c, const struct cuda_ranks *r, float *x, size_t n)
{
    return code(
        ncclAllReduce(x, x, n, ncclFloat, ncclSum, (ncclComm_t)r->handle, (cudaStream_t)c->stream));
}

int cuda_sum_part(const struct cuda *c, const struct cuda_ranks *r, const float *x, float *part,
                  size_t n_part)
{
    return code(ncclReduceScatter(x, part, n_part, ncclFloat, ncclSum, (ncclComm_t)r->handle,
                                  (cudaStream_t)c->stream));
}

int cuda_join_parts(const struct cuda *c, const struct cuda_ranks *r, const float *part, float *x,
                    size_t n_part)
{
    return code(
        ncclAllGather(part, x, n_part, ncclFloat, (ncclComm_t)r->handle, (cudaStream_t)c->stream));
}
