/* Texts with %XX in place of some of their bytes, as in addresses. */
#ifndef GC_BASE_PERCENT_H
#define GC_BASE_PERCENT_H

#include <stdbool.h>

/* s with every byte as %XX that `stays` does not keep (it must not keep '%'); the caller frees.
 * NULL: no memory. */
char *percent_encode(const char *s, bool (*stays)(unsigned char byte));
/* %XX to bytes, in place; false, and s is spoilt, for %00 and for a lone %. */
bool percent_decode(char *s);

#endif
