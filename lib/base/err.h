/* Errors: one enum, one sentence.
 *
 * A function that data or the machine can make fail returns enum rc and takes a struct err *.
 * The one that sees the trouble calls err_set; each caller on the way up may put what it was
 * doing in front with err_wrap, so that the sentence reads from the outside in:
 *   qc-filter: cannot read 'lung.h5ad': cells 0..512: row 3: column 61000 of 55655
 * The library never prints and never exits. Messages: lower case, no full stop, names in single
 * quotes. The values of enum rc are the exit statuses of every tool. */
#ifndef GC_BASE_ERR_H
#define GC_BASE_ERR_H

enum rc {
    RC_OK = 0,
    RC_FAIL = 1,  /* the machine: memory, disk, a library */
    RC_USAGE = 2, /* the call: a wrong option or argument */
    RC_INPUT = 3, /* the input: refused, with the place and the reason */
    RC_CHECK = 4, /* a check of our own failed */
    RC_SKIP = 77  /* cannot run here: no such device, no such package */
};

#define ERR_TEXT_MAX 2048

struct err {
    enum rc rc;
    char text[ERR_TEXT_MAX]; /* empty while rc is RC_OK; cut at the end when too long */
};

/* Both return the code, so that `return err_set(...)` is the usual form. e may be NULL. */
enum rc err_set(struct err *e, enum rc rc, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Puts "<fmt>: " in front of the sentence; returns e->rc (RC_FAIL when e is NULL). */
enum rc err_wrap(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void err_clear(struct err *e);

#endif
