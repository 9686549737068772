/* A decimal number in text: [+-]digits[.digits][e[+-]digits], nothing before or after it. */
#ifndef GC_IO_NUMBER_H
#define GC_IO_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* NaN, Inf, hexadecimal and what is beyond the largest double are no numbers here. */
bool number_parse(const char *text, double *v);
/* A whole number from 0 that fits; *end (may be NULL: nothing may follow) is the place behind. */
bool number_whole(const char *text, uint64_t *v, const char **end);

#endif
