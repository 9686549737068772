/* One array of numbers as numpy.save writes it (.npy, format versions 1 to 3): the text
 * "\x93NUMPY", a version, the length of a header, the header as a Python dict of descr,
 * fortran_order and shape, then the numbers. Types read: f2, f4, f8, i1, i4, i8, u1, of either
 * byte order. Nothing else is: an array of objects is a pickle, and refused. */
#ifndef GC_IO_NPY_H
#define GC_IO_NPY_H

#include <stddef.h>

#include "lib/base/err.h"

/* A matrix, row by row as floats; the caller frees *x. RC_INPUT names the file and the trouble: not
 * such a file, cut, longer than it says, not of two dimensions, a number that is not finite. On
 * failure *x is NULL. */
enum rc npy_read(const char *path, float **x, size_t *n_rows, size_t *n_cols, struct err *e);

#endif
