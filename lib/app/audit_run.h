/* A tool of ours as a child process, and what it wrote beside what a stage wrote. */
#ifndef GC_APP_AUDIT_RUN_H
#define GC_APP_AUDIT_RUN_H

#include "lib/app/audit_repeat.h"

/* A command line that grows. Memory trouble is remembered and told by audit_run. */
struct audit_words {
    const char **item; /* owned, as are the texts in the arena */
    size_t n, room;
    struct arena text;
    bool failed;
};

void words_init(struct audit_words *w);
void words_release(struct audit_words *w);
void words_add(struct audit_words *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Each blank-separated word of the text. */
void words_split(struct audit_words *w, const char *text);

enum audit_ran {
    AUDIT_RAN,     /* status 0 */
    AUDIT_REFUSED, /* the tool refused what the results hold: status 3 or 4, or a signal */
    AUDIT_CANNOT   /* this machine cannot run it: no such tool, status 1, 2 or 77 */
};

/* Runs word 0, a tool by its name, with the others. why gets its last line on stderr. */
enum rc audit_run(const struct audit_repeat *how, struct audit_words *w, enum audit_ran *ran,
                  char why[512], struct err *e);
/* Every output of the stage whose name does not begin with one of `without` (NULL-terminated, may
 * be NULL) against scratch/NAME: a verdict of the check `repeat` for each that differs, else one.
 */
enum rc audit_same(struct audit *a, const struct chain *c, const char *stage, const char *folder,
                   const char *const *without, struct err *e);

#endif
