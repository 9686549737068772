/* Memory and the stream; contract in lib/tensor/cuda_device.h. */
#include "lib/tensor/cuda_device.h"

#include <cuda_runtime.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/tensor/cuda_facts.h"
#include "lib/tensor/cuda_library.h"

/* Number of this process on its machine: OpenMPI's mpirun; MPICH's and Intel's; srun. */
static int local_rank(void)
{
    static const char *const name[] = { "OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID",
                                        "SLURM_LOCALID" };
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        const char *text = getenv(name[i]);
        if (text)
            return atoi(text);
    }
    return 0;
}

static size_t peak_bytes;

/* Behind each request; a failed one is forgotten, so that no launch is blamed for it. */
static bool got(cudaError_t e)
{
    size_t left, all;
    if (e) {
        cudaGetLastError();
        return false;
    }
    if (cudaMemGetInfo(&left, &all))
        cudaGetLastError(); /* no failure of the next launch */
    else if (all - left > peak_bytes)
        peak_bytes = all - left;
    return true;
}

size_t cuda_memory_peak(void)
{
    return peak_bytes;
}

/* Compiled for what the kernels are compiled for: where this one has no code, they have none. */
static __global__ void any_kernel(void)
{
}

static bool has_code(int capability, const char **why)
{
    static char text[160];
    cudaFuncAttributes a;
    const cudaError_t e = cudaFuncGetAttributes(&a, any_kernel);
    if (!e)
        return true;
    cudaGetLastError();
    if (e == cudaErrorNoKernelImageForDevice || e == cudaErrorInvalidDeviceFunction)
        snprintf(text, sizeof text,
                 "these programs have no code for this device, of compute capability %d.%d: build them with "
                 "make cuda CUDA_ARCH=%d",
                 capability / 10, capability % 10, capability);
    else
        snprintf(text, sizeof text, "%s", cudaGetErrorString(e));
    *why = text;
    return false;
}

bool cuda_open(struct cuda *c, bool bf16, const char **why)
{
    const int mine = local_rank();
    int n = 0, major = 0, minor = 0, multiprocessors = 0;
    cudaStream_t stream;
    *c = {};
    cudaError_t e = cudaGetDeviceCount(&n);
    if (e || n == 0) {
        *why = e ? cudaGetErrorString(e) : "this machine has no CUDA device";
        return false;
    }
    if (mine < 0 || mine >= n) {
        *why = "more ranks were started on this machine than it has CUDA devices";
        return false;
    }
    e = cudaSetDevice(mine);
    if (!e)
        e = cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, mine);
    if (!e)
        e = cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, mine);
    if (!e)
        e = cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, mine);
    if (!e)
        e = cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
    if (e) {
        *why = cudaGetErrorString(e);
        return false;
    }
    if (!has_code(10 * major + minor, why)) {
        cudaStreamDestroy(stream);
        return false;
    }
    c->stream = stream;
    c->bf16 = bf16;
    c->capability = 10 * major + minor;
    c->multiprocessors = multiprocessors;
    c->products = cuda_products_open(why);
    if (!c->products)
        cuda_close(c);
    return c->products != NULL;
}

void cuda_close(struct cuda *c)
{
    if (c->stream)
        cudaStreamDestroy((cudaStream_t)c->stream);
    cuda_products_close(c->products);
    cudaFree(c->work);
    *c = {};
}

int cuda_reserve(struct cuda *c, size_t n_bytes)
{
    if (n_bytes <= c->work_bytes)
        return 0;
    int status = cuda_wait(c);
    cudaFree(c->work);
    c->work_bytes = 0;
    c->work = NULL;
    if (!status) {
        const cudaError_t e = cudaMalloc((void **)&c->work, n_bytes);
        c->work_bytes = got(e) ? n_bytes : 0;
        status = e;
    }
    return status;
}

int cuda_wait(const struct cuda *c)
{
    return cudaStreamSynchronize((cudaStream_t)c->stream);
}

void *cuda_memory(size_t n_bytes)
{
    void *p = NULL;
    return got(cudaMalloc(&p, n_bytes ? n_bytes : 1)) ? p : NULL;
}

void cuda_release(void *p)
{
    cudaFree(p);
}

void *cuda_host_memory(size_t n_bytes)
{
    void *p = NULL;
    return got(cudaMallocHost(&p, n_bytes ? n_bytes : 1)) ? p : NULL;
}

void cuda_host_release(void *p)
{
    cudaFreeHost(p);
}

int cuda_copy(const struct cuda *c, void *to, const void *from, size_t n_bytes)
{
    if (!n_bytes)
        return 0;
    return cudaMemcpyAsync(to, from, n_bytes, cudaMemcpyDefault, (cudaStream_t)c->stream);
}

int cuda_zero(const struct cuda *c, void *to, size_t n_bytes)
{
    return n_bytes ? cudaMemsetAsync(to, 0, n_bytes, (cudaStream_t)c->stream) : 0;
}
