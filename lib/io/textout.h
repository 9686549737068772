/* Text written line by line to a checked file (lib/base/file.h), compressed when the name ends in
 * .gz (no time stamp, no name inside: equal text gives equal bytes). */
#ifndef GC_IO_TEXTOUT_H
#define GC_IO_TEXTOUT_H

#include <stdbool.h>

#include "lib/base/file.h"
#include "lib/data/table.h"

struct textout {
    struct outfile o;
    void *gz; /* gzFile, or NULL for plain text in o.f */
    bool bad; /* a write failed: told by close */
};

/* On failure *t is empty. */
enum rc textout_open(struct textout *t, const char *path, struct err *e);
/* printf. Trouble is kept until close. */
void textout_put(struct textout *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The bytes of a text as they are. */
void textout_text(struct textout *t, const char *text);
/* Closes with a check, renames. RC_FAIL and no file when any write failed. */
enum rc textout_close(struct textout *t, struct err *e);
void textout_abort(struct textout *t);

/* A table as text: a header line with the names if header; missing texts are empty, numbers as
 * %.9g. quote: texts and names in double quotes, as R's write.csv does. RC_CHECK when a text that
 * is not quoted holds sep or a line end. */
enum rc table_write(const char *path, const struct table *t, char sep, bool header, bool quote,
                    struct err *e);

#endif
