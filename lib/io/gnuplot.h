/* Figures by gnuplot, as SVG text that may stand in a page or in a file of its own.
 *
 * No word from a data file ever reaches gnuplot. A figure_word is kept here; the script gets a mark
 * such as @3@ in its place, and the SVG that comes back has the mark replaced by the escaped word.
 * So nothing in a sample's name can be a command, and no name has to be quoted for two languages.
 *
 *   struct figure f;
 *   figure_init(&f, "loss-id", "Loss of gene identities");
 *   figure_number(&f, "n_lines", 2);
 *   figure_words(&f, "names", name, 2);          -> names = "@1@ @2@"
 *   figure_block(&f, "points");                  -> $points << EOD
 *   figure_row(&f, "%zu\t%.9g", step, loss);
 *   figure_block_end(&f);
 *   figure_draw(&f, templates, "loss", &svg, e); -> runs common.gp and loss.gp of that folder
 *
 * The SVG is gnuplot's, with less in it: dots of one colour are one path, ids and titles of gnuplot
 * are dropped (several figures share a page), and black is the colour of the text around the
 * figure, so that it can be read on a dark page. Templates draw lines, boxes and dots; gnuplot's
 * point symbols are refused. Equal scripts give equal bytes. */
#ifndef GC_IO_GNUPLOT_H
#define GC_IO_GNUPLOT_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"
#include "lib/io/markup.h"

struct figure {
    char *name;  /* owned; file name without ending, letters, digits and - only */
    char *title; /* owned; what a screen reader says */
    struct markup script;
    char **word; /* owned; the mark @i@ stands for word[i - 1] */
    size_t n_words;
    size_t max_chars; /* of a word in the figure; longer ones end in an ellipsis */
    double dot;       /* px across a dot; 0: as the page has it */
    double width, height;
};

void figure_init(struct figure *f, const char *name, const char *title);
void figure_release(struct figure *f);
/* Size in px at which the text is 12 px high. Call it before drawing. */
void figure_size(struct figure *f, double width, double height);
void figure_number(struct figure *f, const char *variable, double value);
void figure_words(struct figure *f, const char *variable, const char *const *word, size_t n);
void figure_block(struct figure *f, const char *name);
void figure_row(struct figure *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void figure_block_end(struct figure *f);

/* Runs `gnuplot` (found in PATH, without a shell) over the variables and data of f, then common.gp
 * and TEMPLATE.gp of the folder. out gets the <svg> element for a page.
 * RC_FAIL: gnuplot is missing, fails, or draws what this file does not know. */
enum rc figure_draw(const struct figure *f, const char *templates, const char *template_name,
                    struct markup *out, struct err *e);
/* Is there a gnuplot in PATH? For who can do without a figure. */
bool gnuplot_here(void);
/* What figure_draw made, as a file that stands alone. */
enum rc figure_save(const struct markup *svg, const char *path, struct err *e);

/* The folder of the templates, to be freed: `given`, else the first of ../../paper (../../../paper: a
 * build below the build folder) and ../../share/genecompass from the program, ./paper that has
 * common.gp. */
enum rc figure_templates(const char *given, char **dir, struct err *e);

#endif
