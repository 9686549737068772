/* Some of the cells, drawn by a hash, for work that is too slow for all.
 *
 * A cell's number in the draw is hash_text("WORD ID"), ID its 16 hex digits; the lowest are taken.
 * So the draw depends on the cells and the word only, and who made the results cannot know the
 * word. */
#ifndef GC_APP_AUDIT_SAMPLE_H
#define GC_APP_AUDIT_SAMPLE_H

#include "lib/app/audit_run.h"

struct audit_draw {
    size_t n, of; /* cells that were drawn, and among how many */
};

/* The cells that passed quality control, as words of a command line: with how->cells = 0 the files
 * of the stage, all of them; else files in how->scratch/drawn with the cells that were drawn.
 * RC_INPUT: a file cannot be read. */
enum rc audit_sample(const struct chain *c, const struct audit_repeat *how, struct audit_words *w,
                     struct audit_draw *draw, struct err *e);
/* Removes what lies in scratch/drawn. */
void audit_sample_remove(const struct audit_repeat *how);

#endif
