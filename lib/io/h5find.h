/* What is not 0 in a run of numbers as HDF5 stores them: from dense to sparse. */
#ifndef GC_IO_H5FIND_H
#define GC_IO_H5FIND_H

#include "lib/io/h5lane.h"
#include "lib/io/turn.h"

struct found {
    struct entry *to; /* room for all that is looked at; borrowed */
    size_t n;
    uint32_t high;
    bool odd; /* a number that is no whole one from 0 to 2^31 - 1 was among them: to is undefined */
};

/* n numbers at `from` (any address), of row `row`, the first in column `col`, behind what was
 * found. */
void h5_find(enum h5_lane lane, const unsigned char *from, size_t n, uint32_t row, uint32_t col,
             struct found *f);

#endif
