#define _GNU_SOURCE
#include "lib/tensor/backend.h"

#include <string.h>
#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

static bool cpu_runs_here(void)
{
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("bmi2");
#else
    return false;
#endif
}

/* x86-64-v4, for which the second half of the cpu filling is compiled. */
static bool cpu512_runs_here(void)
{
#if defined(__x86_64__)
    return cpu_runs_here() && __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#else
    return false;
#endif
}

static const struct backend *best_cpu(void)
{
    return cpu512_runs_here() ? &backend_cpu512 : &backend_cpu;
}

#if defined(__x86_64__)
/* The kernel gives AMX's registers only to processes that ask (arch_prctl, ARCH_REQ_XCOMP_PERM for
 * XFEATURE_XTILEDATA), since Linux 5.16. */
static bool amx_allowed(void)
{
    enum { ASK = 0x1023, TILES = 18 };
    return syscall(SYS_arch_prctl, ASK, TILES) == 0;
}
#endif

/* Processor words that the compilers' own questions do not all know: leaf 7. */
static const struct backend *bf16_here(bool amx)
{
#if defined(__x86_64__)
    unsigned a, b, c, d;
    enum { AMX_BF16 = 1 << 22, AMX_TILE = 1 << 24, AVX512_BF16 = 1 << 5 };
    if (!cpu512_runs_here() || !__get_cpuid_count(7, 1, &a, &b, &c, &d) || !(a & AVX512_BF16))
        return NULL;
    if (amx && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & AMX_BF16) && (d & AMX_TILE) &&
        amx_allowed())
        return &backend_amx;
    return &backend_bf16;
#else
    (void)amx;
    return NULL;
#endif
}

/* Only in programs that are linked with the cuda filling (kernels/cuda_ops.h); elsewhere NULL. */
extern const struct backend *backend_cuda_find(const char *name, const char **why)
    __attribute__((weak));

const struct backend *backend_find(const char *name, const char **why)
{
    *why = NULL;
    if (strcmp(name, "ref") == 0)
        return &backend_ref;
    if (strcmp(name, "auto") == 0)
        return cpu_runs_here() ? best_cpu() : &backend_ref;
    if (strcmp(name, "cpu") == 0 || strcmp(name, "cpu-avx2") == 0) {
        if (cpu_runs_here())
            return name[3] ? &backend_cpu : best_cpu();
        *why = "this processor has no AVX2 and FMA; use ref";
        return NULL;
    }
    if (strcmp(name, "cpu-bf16") == 0 || strcmp(name, "cpu-avx512bf16") == 0) {
        const struct backend *b = bf16_here(name[4] == 'b');
        if (!b)
            *why = "this processor has neither AMX-BF16 nor AVX512-BF16; use cpu";
        return b;
    }
    if (strcmp(name, "cuda") == 0 || strcmp(name, "cuda-bf16") == 0) {
        if (backend_cuda_find)
            return backend_cuda_find(name, why);
        *why =
            "this build has no CUDA kernels (make cuda links programs that have); use cpu or ref";
        return NULL;
    }
    *why = "this build has no such backend; use auto, ref or cpu";
    return NULL;
}

enum rc backend_need(const char *name, const struct backend **b, struct err *e)
{
    const char *why;
    *b = backend_find(name, &why);
    return *b ? RC_OK : err_set(e, RC_SKIP, "no backend '%s': %s", name, why);
}

const struct backend *backend_find_dtype(const char *name, const char *dtype, const char **why)
{
    const char *not_there = NULL;
    if (strcmp(dtype, "f32") != 0 && (strcmp(name, "auto") == 0 || strcmp(name, "cpu") == 0)) {
        const struct backend *b = backend_find("cpu-bf16", &not_there);
        *why = NULL;
        if (b && (strcmp(dtype, "bf16") == 0 || b == &backend_amx))
            return b;
        if (strcmp(dtype, "auto") == 0)
            not_there = NULL;
    }
    const struct backend *b = backend_find(name, why);
    if (b && not_there)
        *why = "products in f32: this processor has neither AMX-BF16 nor AVX512-BF16";
    return b;
}
