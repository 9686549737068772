/* The cpu filling is compiled twice from the same files: kernels/NAME_cpu.c for AVX2 and FMA, and
 * once more with -DCPU_512 for AVX-512. CPU(name) is name_cpu in the one and name_cpu512 in the
 * other; backend_find takes the one that the processor can run. */
#ifndef GC_KERNELS_CPU_NAME_H
#define GC_KERNELS_CPU_NAME_H

#ifdef CPU_512
#define CPU(name) name##_cpu512
#define CPU_ISA "AVX-512"
enum { CPU_FLOATS = 16 }; /* of one register */
#else
#define CPU(name) name##_cpu
#define CPU_ISA "AVX2"
enum { CPU_FLOATS = 8 };
#endif

/* Products with bf16 inputs (kernels/NAME_bf16.c) likewise: once for AVX512-BF16, and with -DBF16_AMX
 * for processors that have AMX tiles as well. */
#ifdef BF16_AMX
#define BF16(name) name##_amx
#define BF16_ISA "AMX-BF16"
#else
#define BF16(name) name##_bf16
#define BF16_ISA "AVX512-BF16"
#endif

#endif
