#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/io/lines.h"
#include "lib/manifest/trace.h"

enum { MAX_FIELDS = sizeof((struct trace_line *)0)->name / sizeof(char *) };

void trace_line_release(struct trace_line *l)
{
    free(l->head);
    free(l->text);
    *l = (struct trace_line){ 0 };
}

const char *trace_field(const struct trace_line *l, const char *name)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->name[i], name) == 0)
            return l->field[i];
    return NULL;
}

static enum rc cut(struct trace_line *l, const char *path, size_t line, struct err *e)
{
    size_t n_names = fields_cut(l->head, '\t', l->name, MAX_FIELDS);
    size_t n = fields_cut(l->text, '\t', l->field, MAX_FIELDS);
    if (n_names != n)
        return err_set(e, RC_INPUT, "'%s': line %zu has %zu fields, the header %zu", path, line, n,
                       n_names);
    l->n = n < MAX_FIELDS ? n : MAX_FIELDS;
    return RC_OK;
}

enum rc trace_line_read(struct trace_line *l, const char *path, size_t line, struct err *e)
{
    struct lines f;
    bool more = true;
    *l = (struct trace_line){ 0 };
    enum rc rc = lines_open(&f, path, e);
    if (rc)
        return rc;
    while (!rc && more && !l->text) {
        rc = lines_next(&f, &more, e);
        if (rc || !more)
            break;
        char **to = f.number == 1 ? &l->head : f.number == line ? &l->text : NULL;
        if (to && !(*to = text_new("%s", f.text)))
            rc = err_set(e, RC_FAIL, "no memory for a line of '%s'", path);
    }
    lines_close(&f);
    if (!rc && !l->text)
        rc = err_set(e, RC_INPUT, "'%s' has no line %zu below its header", path, line);
    if (!rc)
        rc = cut(l, path, line, e);
    if (rc)
        trace_line_release(l);
    return rc;
}
