/* What a device is and how much of its memory was in use: for the heads of measurements, not for
 * kernels. lib/tensor/cuda_facts.cu fills it on a device, tests/cuemu/device.cpp in the emulation,
 * which says so. */
#ifndef GC_TENSOR_CUDA_FACTS_H
#define GC_TENSOR_CUDA_FACTS_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* 0 or "": the device does not tell. */
struct cuda_facts {
    bool emulated;
    bool ecc;
    char name[256], pci[32]; /* pci: DOMAIN:BUS:DEVICE.0, as nvidia-smi takes it */
    int number, n_devices;   /* this one among those that the process sees */
    int capability;          /* as in struct cuda */
    int multiprocessors, clock_khz, memory_clock_khz, bus_bits; /* clocks: the highest */
    size_t memory_bytes, free_bytes;
    int driver, runtime;    /* CUDA versions: 1000 times the major number, 10 times the minor one */
    int products, exchange; /* versions of cuBLASLt and NCCL, in their own count */
};

/* Of the device that this process opened last (cuda_open). */
void cuda_facts(struct cuda_facts *f);
/* The most memory in use after any request of this process, in bytes: on a device all of it, with
 * what the driver and other processes take; in the emulation what was asked for. */
size_t cuda_memory_peak(void);

#ifdef __cplusplus
}
#endif
#endif
