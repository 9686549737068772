/* Names numbered in order of first appearance. */
#ifndef GC_DATA_NAMES_H
#define GC_DATA_NAMES_H

#include "lib/base/map.h"

struct names {
    struct map map;  /* name to number */
    const char **at; /* [n], owned; texts in `text` */
    size_t n, room;
    struct arena text;
};

void names_init(struct names *s);
void names_release(struct names *s);
/* The number of a name, a new one when it is new. */
enum rc names_add(struct names *s, const char *name, uint32_t *number, struct err *e);

#endif
