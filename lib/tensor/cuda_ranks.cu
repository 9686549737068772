/* Exchange between ranks through NCCL; contract in lib/tensor/cuda_device.h. */
#include <cuda_runtime.h>
#include <nccl.h>
#include <string.h>

#include "lib/tensor/cuda_device.h"
#include "lib/tensor/cuda_library.h"

static_assert(sizeof(ncclUniqueId) == CUDA_ID_BYTES, "an id of NCCL fits");

static int code(ncclResult_t e)
{
    return e ? CUDA_RANK_CODES + (int)e : 0;
}

int cuda_ranks_version(void)
{
    int version = 0;
    return ncclGetVersion(&version) ? 0 : version;
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
    cudaStream_t stream;
    cudaEvent_t event;
    memcpy(&u, id, sizeof u);
    *r = {};
    int e = code(ncclCommInitRank(&comm, n_ranks, u, rank));
    if (e)
        return e;
    r->handle = comm;
    r->rank = rank;
    r->n_ranks = n_ranks;
    e = cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
    if (!e)
        r->stream = stream;
    if (!e)
        e = cudaEventCreateWithFlags(&event, cudaEventDisableTiming);
    if (!e)
        r->event = event;
    if (e)
        cuda_ranks_close(r);
    return e;
}

void cuda_ranks_close(struct cuda_ranks *r)
{
    if (r->stream) {
        cudaStreamSynchronize((cudaStream_t)r->stream);
        cudaStreamDestroy((cudaStream_t)r->stream);
    }
    if (r->event)
        cudaEventDestroy((cudaEvent_t)r->event);
    if (r->handle)
        ncclCommDestroy((ncclComm_t)r->handle);
    *r = {};
}

int cuda_ranks_follow(struct cuda_ranks *r, void *first, void *second)
{
    const int e = cudaEventRecord((cudaEvent_t)r->event, (cudaStream_t)first);
    return e ? e : (int)cudaStreamWaitEvent((cudaStream_t)second, (cudaEvent_t)r->event, 0);
}

int cuda_ranks_exchange(const struct cuda *c, const struct cuda_ranks *r,
                        const struct backend_transfer *send, size_t n_send,
                        const struct backend_transfer *recv, size_t n_recv)
{
    const ncclComm_t comm = (ncclComm_t)r->handle;
    const cudaStream_t stream = (cudaStream_t)c->stream;
    ncclResult_t e = ncclGroupStart();
    for (size_t i = 0; !e && i < n_send; i++)
        e = ncclSend(send[i].data, send[i].n_bytes, ncclChar, send[i].peer, comm, stream);
    for (size_t i = 0; !e && i < n_recv; i++)
        e = ncclRecv(recv[i].data, recv[i].n_bytes, ncclChar, recv[i].peer, comm, stream);
    const ncclResult_t last = ncclGroupEnd();
    return code(e ? e : last);
}

/* A kernel of NCCL waits for a lost rank for ever: its error is asked for beside the stream. */
int cuda_ranks_wait(const struct cuda *c, struct cuda_ranks *r)
{
    cudaError_t e = cudaErrorNotReady;
    ncclResult_t lost = ncclSuccess;
    while (e == cudaErrorNotReady && !lost && r->handle) {
        e = cudaStreamQuery((cudaStream_t)c->stream);
        if (e == cudaErrorNotReady && ncclCommGetAsyncError((ncclComm_t)r->handle, &lost))
            lost = ncclInternalError;
    }
    if (lost) {
        ncclCommAbort((ncclComm_t)r->handle);
        r->handle = NULL;
    }
    return lost ? code(lost) : (int)e;
}
