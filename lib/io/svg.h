/* gnuplot's SVG made small, anonymous and fit for any page. See lib/io/gnuplot.h. */
#ifndef GC_IO_SVG_H
#define GC_IO_SVG_H

#include <stddef.h>

#include "lib/base/err.h"
#include "lib/io/markup.h"

struct svg_words {
    char *const *word; /* the mark @i@ stands for word[i - 1] */
    size_t n;
    size_t max_chars;
    double dot; /* px across a dot; 0: not said */
};

/* raw: what `set terminal svg` printed. out gets one <svg> element without a namespace, as HTML
 * wants it. RC_FAIL: raw is not what that terminal writes, or uses what we do not carry over. */
enum rc svg_clean(const char *raw, const char *title, double width, double height,
                  const struct svg_words *words, struct markup *out, struct err *e);

#endif
