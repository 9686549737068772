/* Call order: paper_read -> read_file (main.tex, then each part that has run) -> one_command for
 * each \gc... in it -> paper_use, or what paper_tables.c makes of a command with arguments. */
#include "lib/report/paper.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/version.h"

enum { TEXT_MAX_BYTES = 4 << 20, MAX_ARGS = 4, MAX_DEPTH = 4 };

void paper_release(struct paper *p)
{
    free(p->figure);
    map_release(&p->written);
    markup_release(&p->out);
    p->figure = NULL;
    p->n_figures = 0;
}

/* A hyphen before a number is a minus. */
static void put_value(struct markup *m, const char *value)
{
    for (const char *s = value; *s; s++)
        if (*s == '-' && isdigit((unsigned char)s[1]) && (s == value || strchr(" (", s[-1])))
            markup_raw(m, "$-$");
        else
            markup_bytes(m, s, 1);
}

enum rc paper_use(struct paper *p, const char *name, struct err *e)
{
    uint64_t old = MAP_NONE;
    const struct fact *x = facts_find(p->f, name);
    if (!x)
        return err_set(e, RC_INPUT, "the results have no number '\\%s'", name);
    if (x->twice)
        return err_set(e, RC_INPUT, "two different numbers are called '\\%s'", name);
    if (map_add(&p->written, name, 1, &old, e))
        return e->rc;
    if (old != MAP_NONE)
        return RC_OK;
    markup_fmt(&p->out, "\\newcommand{\\%s}{", name);
    put_value(&p->out, x->value);
    markup_fmt(&p->out, "}%% %s\n", x->source);
    return RC_OK;
}

/* --- the text -----------------------------------------------------------------------------------
 */

struct reader {
    struct paper *p;
    const char *file; /* for messages */
    char *at;
    size_t line;
    int depth;
};

static enum rc read_file(struct paper *p, const char *name, int depth, struct err *e);

/* A part whose stage is there is read, too, and said to be there. */
static enum rc part(struct paper *p, const char *const arg[], int depth, struct err *e)
{
    const size_t at = chain_stage_of(p->f->c, arg[0]);
    uint64_t old = MAP_NONE;
    char *file = text_new("%s.tex", arg[1]), *mark = text_new("ran!%s", arg[0]);
    enum rc rc = file && mark ? RC_OK : err_set(e, RC_FAIL, "no memory for a name");
    if (!rc && at != CHAIN_NONE && facts_has_stage(p->f->c, at)) {
        rc = map_add(&p->written, mark, 1, &old, e);
        if (!rc && old == MAP_NONE)
            markup_fmt(&p->out, "\\gcset{%s}{}\n", mark);
        if (!rc)
            rc = read_file(p, file, depth + 1, e);
    }
    free(mark);
    free(file);
    return rc;
}

static const struct command {
    const char *name;
    int n_args;
    enum rc (*run)(struct paper *p, const char *const arg[], struct err *e); /* NULL: part */
} commands[] = {
    { "gcpart", 2, NULL },
    { "gctable", 3, paper_table },
    { "gcscores", 3, paper_scores },
    { "gcversus", 4, paper_versus },
    { "gcfigures", 1, paper_figures },
};
enum { N_COMMANDS = sizeof commands / sizeof *commands };

/* {...} at the place, of characters that mean nothing to TeX within \csname. */
static bool argument(struct reader *r, char **arg)
{
    if (*r->at != '{')
        return false;
    *arg = ++r->at;
    while (isalnum((unsigned char)*r->at) || (*r->at && strchr("/_-.,+=*<> ", *r->at)))
        r->at++;
    if (*r->at != '}')
        return false;
    *r->at++ = '\0';
    return true;
}

static enum rc one_command(struct reader *r, const char *name, struct err *e)
{
    char *arg[MAX_ARGS] = { NULL };
    if (isupper((unsigned char)name[2]))
        return paper_use(r->p, name, e);
    for (int k = 0; k < N_COMMANDS; k++) {
        if (strcmp(commands[k].name, name) != 0)
            continue;
        for (int i = 0; i < commands[k].n_args; i++)
            if (!argument(r, &arg[i]))
                return err_set(e, RC_INPUT, "\\%s wants %d plain arguments in braces", name,
                               commands[k].n_args);
        return commands[k].run ? commands[k].run(r->p, (const char *const *)arg, e)
                               : part(r->p, (const char *const *)arg, r->depth, e);
    }
    return err_set(e, RC_INPUT, "there is no command '\\%s'", name);
}

/* Steps over comments and everything that is not \gcWORD. */
static enum rc read_text(struct reader *r, struct err *e)
{
    enum rc rc = RC_OK;
    while (!rc && *r->at) {
        char name[256];
        if (*r->at == '\n')
            r->line++;
        if (*r->at == '%') {
            r->at += strcspn(r->at, "\n");
            continue;
        }
        if (*r->at != '\\' || strncmp(r->at, "\\gc", 3) != 0) {
            r->at += 1 + (*r->at == '\\' && r->at[1] && r->at[1] != '\n');
            continue;
        }
        size_t n = 1;
        while (isalpha((unsigned char)r->at[n]))
            n++;
        const size_t line = r->line;
        if (n > sizeof name) {
            rc = err_set(e, RC_INPUT, "a command of %zu letters", n - 1);
        } else {
            snprintf(name, sizeof name, "%.*s", (int)(n - 1), r->at + 1);
            r->at += n;
            rc = n > 3 ? one_command(r, name, e) : err_set(e, RC_INPUT, "no command '\\gc'");
        }
        if (rc)
            err_wrap(e, "'%s' line %zu", r->file, line);
    }
    return rc;
}

static enum rc read_file(struct paper *p, const char *name, int depth, struct err *e)
{
    char *path = text_new("%s/%s", p->folder, name), *text = NULL;
    size_t n;
    enum rc rc = depth > MAX_DEPTH ? err_set(e, RC_INPUT, "'%s': parts within parts", name)
                 : path            ? file_read(path, TEXT_MAX_BYTES, &text, &n, e)
                                   : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc)
        rc = read_text(&(struct reader){ p, name, text, 1, depth }, e);
    free(text);
    free(path);
    return rc;
}

enum rc paper_read(struct paper *p, struct err *e)
{
    map_init(&p->written);
    markup_raw(&p->out,
               "% Written by paper " GC_VERSION ": every number of the text, and FILE:PLACE SHA256 "
               "of where it stands.\n");
    enum rc rc = read_file(p, "main.tex", 0, e);
    return rc ? rc : markup_ok(&p->out, e);
}
