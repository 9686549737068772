/* Facts of a device; contract in lib/tensor/cuda_facts.h. */
#include "lib/tensor/cuda_facts.h"

#include <cuda_runtime.h>
#include <stdio.h>

#include "lib/tensor/cuda_library.h"

static int attribute(cudaDeviceAttr which, int device)
{
    int x = 0;
    return cudaDeviceGetAttribute(&x, which, device) ? 0 : x;
}

void cuda_facts(struct cuda_facts *f)
{
    cudaDeviceProp p;
    int device = 0;
    *f = {};
    cudaGetDevice(&device);
    cudaGetDeviceCount(&f->n_devices);
    f->number = device;
    if (!cudaGetDeviceProperties(&p, device))
        snprintf(f->name, sizeof f->name, "%s", p.name);
    if (cudaDeviceGetPCIBusId(f->pci, sizeof f->pci, device))
        f->pci[0] = '\0';
    f->capability = 10 * attribute(cudaDevAttrComputeCapabilityMajor, device) +
                    attribute(cudaDevAttrComputeCapabilityMinor, device);
    f->multiprocessors = attribute(cudaDevAttrMultiProcessorCount, device);
    f->clock_khz = attribute(cudaDevAttrClockRate, device);
    f->memory_clock_khz = attribute(cudaDevAttrMemoryClockRate, device);
    f->bus_bits = attribute(cudaDevAttrGlobalMemoryBusWidth, device);
    f->ecc = attribute(cudaDevAttrEccEnabled, device) != 0;
    if (cudaMemGetInfo(&f->free_bytes, &f->memory_bytes))
        f->free_bytes = f->memory_bytes = 0;
    cudaDriverGetVersion(&f->driver);
    cudaRuntimeGetVersion(&f->runtime);
    f->products = cuda_products_version();
    f->exchange = cuda_ranks_version();
    cudaGetLastError(); /* what the device did not tell is no failure of the next launch */
}
