/* Memory of the emulated device: tests/cuemu/memory.cpp. */
#ifndef GC_TESTS_CUEMU_MEMORY_H
#define GC_TESTS_CUEMU_MEMORY_H

#include <stddef.h>

void *cuemu_memory(size_t n_bytes); /* 256-byte aligned, filled with NaN; NULL when short */
void cuemu_release(void *p);
size_t cuemu_memory_peak(void); /* most bytes of it at a time */
bool cuemu_has(const void *p); /* whether p lies in it, or at its end */
/* Open while a kernel, a copy or a product runs; calls nest. */
void cuemu_open(void);
void cuemu_close(void);

#endif
