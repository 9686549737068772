/* What the parts of the emulation ask of its scheduler (cuemu.cpp). */
#ifndef GC_TESTS_CUEMU_THREADS_H
#define GC_TESTS_CUEMU_THREADS_H

#include <stddef.h>

enum { MOST_THREADS = 1024 };

size_t cuemu_thread(void); /* number of the running thread in its block */
/* Lets the others run until something moved. A block of which nothing moves ends the program. */
void cuemu_pause(void);
void cuemu_moved(void);
/* At the end of a block of n threads: group.cpp. */
void cuemu_group_end(size_t n);
size_t cuemu_copies_left(void); /* in bulk, under way: gates.cpp */

#endif
