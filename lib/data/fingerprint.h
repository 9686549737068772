/* Circular fingerprints after Rogers & Hahn 2010 (ECFP), for comparing drugs: every atom with its
 * neighbourhood of 0 .. radius bonds sets one bit. The bits are our own, not those of a toolkit;
 * they do not depend on the order of the atoms. */
#ifndef GC_DATA_FINGERPRINT_H
#define GC_DATA_FINGERPRINT_H

#include "lib/data/molecule.h"

/* to [n_bits]: 0 or 1. RC_FAIL: memory. */
enum rc fingerprint_of(const struct molecule *m, int radius, size_t n_bits, double *to,
                       struct err *e);
/* Tanimoto: bits of both / bits of either; 0 for two empty ones. */
double fingerprint_likeness(const double *a, const double *b, size_t n_bits);

#endif
