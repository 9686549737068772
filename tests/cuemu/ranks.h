/* What the files of the emulated layer share. */
#ifndef GC_TESTS_CUEMU_RANKS_H
#define GC_TESTS_CUEMU_RANKS_H

enum { CUEMU_RANK_LOST = 2 }; /* a status; 1 is any other failure */

#endif
