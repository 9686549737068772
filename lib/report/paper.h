/* The paper: which numbers its text uses, and numbers.tex, which has them.
 *
 * The text is TeX. What begins with \gc and a capital is a number (lib/report/facts.h), and one
 * that the results do not have is refused by name and place. Commands that the text takes from the
 * results:
 *
 *   \gcpart{STAGE}{FILE}                   FILE.tex where the stage has run, else a sentence that
 *                                          says so
 *   \gctable{FILE}{COLUMNS}{COLUMN=VALUE}  rows of a table, columns with commas between; {}: all
 * rows \gcscores{STAGE}{METRIC}{SPLIT}        for each data set, method, score and interval of the
 *                                          variant clean; {}: all splits, named behind the set
 *   \gcversus{STAGE}{METRIC}{A}{B}         method A beside B, paired: above or below, by how much;
 *                                          it says when all their data sets are made up
 *   \gcfigures{PREFIX}                     the SVG figures of the results whose path begins so
 *
 * Files of parts that are not there are not looked at: they may use what only that stage writes. */
#ifndef GC_REPORT_PAPER_H
#define GC_REPORT_PAPER_H

#include "lib/report/facts.h"

struct paper {
    struct facts *f;
    const char *folder;  /* of the text; begins with main.tex */
    struct markup out;   /* numbers.tex so far */
    struct map written;  /* names that are in it */
    const char **figure; /* owned list: paths below the results, in the order of the text */
    size_t n_figures;
    /* The words of \gcversus; RC_INPUT where the methods have no scores. */
    enum rc (*versus)(const struct chain *c, const char *stage, const char *metric, const char *a,
                      const char *b, char *words, size_t room, struct err *e);
};

/* Reads the text and writes all that it uses to p->out. f, folder and versus are set before, the
 * rest is zero. RC_INPUT: a number, table or figure is not there; the text is broken. */
enum rc paper_read(struct paper *p, struct err *e);
void paper_release(struct paper *p);
/* "report/map-type.svg" to "report-map-type", the name under which TeX draws it; the caller frees.
 */
char *paper_figure_name(const char *path);

/* Parts: a fact into numbers.tex, once; and what the commands stand for (paper_tables.c). */
enum rc paper_use(struct paper *p, const char *name, struct err *e);
enum rc paper_table(struct paper *p, const char *const arg[], struct err *e);
enum rc paper_scores(struct paper *p, const char *const arg[], struct err *e);
enum rc paper_versus(struct paper *p, const char *const arg[], struct err *e);
enum rc paper_figures(struct paper *p, const char *const arg[], struct err *e);
/* Counts of these verdicts in paper/claims/claims.tsv: \gcClaims, \gcClaimsReproduced and so on. */
enum rc paper_claims(struct facts *f, const char *const *verdict, size_t n_verdicts, struct err *e);

#endif
