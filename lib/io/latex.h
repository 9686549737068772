/* A PDF from TeX, by programs of the machine: rsvg-convert for figures, pdflatex and bibtex for the
 * rest.
 *
 * No date, path or setting of the user gets in: equal sources and equal programs give equal bytes.
 */
#ifndef GC_IO_LATEX_H
#define GC_IO_LATEX_H

#include <stdbool.h>

#include "lib/base/err.h"

/* NULL when all programs are in PATH, else the name of one that is not. */
const char *latex_missing(void);
/* One SVG figure to a PDF of one page. RC_FAIL: rsvg-convert is missing or fails. */
enum rc latex_figure(const char *svg, const char *pdf, struct err *e);
/* folder/main.tex, which cites, to folder/main.pdf. RC_INPUT with TeX's own words: the text is
 * wrong, or a reference or citation leads nowhere. RC_FAIL: a program is missing. */
enum rc latex_run(const char *folder, struct err *e);
/* A table program, version of them. RC_FAIL: one does not say. */
enum rc latex_programs(const char *path, struct err *e);

#endif
