/* What the parts of parity-knowledge share: where things lie, and tables of numbers. */
#ifndef GC_TESTS_PARITY_KNOWLEDGE_H
#define GC_TESTS_PARITY_KNOWLEDGE_H

#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/map.h"
#include "lib/io/lines.h"
#include "tests/tap.h"

/* DIR/SUB/NAME; the caller frees. */
static char *path_in(const char *dir, const char *sub, const char *name)
{
    char *p = text_new("%s/%s/%s", dir, sub, name);
    if (!p)
        abort();
    return p;
}

/* A file of the data that the golden values were made from: beside the values, or in the data
 * folder next to the golden one, or in $SHARED/data. NULL when it is not here; the caller frees. */
static char *data_path(const char *dir, const char *sub, const char *place, const char *name)
{
    const char *shared = getenv("SHARED");
    char *p[4] = { text_new("%s/%s/%s", dir, sub, name),
                   text_new("%s/../../data/%s/%s", dir, place, name),
                   text_new("%s/data/%s/%s", shared && *shared ? shared : "../shared", place, name),
                   text_new("../shared/data/%s/%s", place, name) };
    char *found = NULL;
    for (int i = 0; i < 4; i++)
        if (!found && p[i] && file_exists(p[i]))
            found = p[i];
        else
            free(p[i]);
    return found;
}

/* Rows of whitespace-separated fields; the first n_text of each row are texts, the rest numbers. */
struct grid {
    size_t n_rows, n_text, n_num;
    char **text; /* [n_rows * n_text] */
    double *num; /* [n_rows * n_num] */
};

/* False when the file is not there. Any other trouble with a golden file is the test's death. */
static bool grid_read(struct grid *g, const char *path, size_t n_text, size_t n_num, bool header)
{
    *g = (struct grid){ .n_text = n_text, .n_num = n_num };
    if (!file_exists(path))
        return false;
    struct lines l;
    struct err e = { 0 };
    bool more;
    size_t room = 0;
    if (lines_open(&l, path, &e))
        goto bad;
    while (!lines_next(&l, &more, &e) && more) {
        if ((header && l.number == 1) || l.n_bytes == 0 || *l.text == '#')
            continue;
        if (g->n_rows == room) {
            room = room ? 2 * room : 256;
            g->text = realloc(g->text, room * n_text * sizeof *g->text + 1);
            g->num = realloc(g->num, room * n_num * sizeof *g->num + 1);
            if (!g->text || !g->num)
                abort();
        }
        char *save = NULL, *field = strtok_r(l.text, "\t ", &save);
        for (size_t i = 0; i < n_text + n_num; i++, field = strtok_r(NULL, "\t ", &save)) {
            if (!field) {
                err_set(&e, RC_INPUT, "'%s', line %zu: %zu fields", path, l.number, i);
                goto bad;
            }
            if (i < n_text)
                g->text[g->n_rows * n_text + i] = text_new("%s", field);
            else
                g->num[g->n_rows * n_num + i - n_text] = strtod(field, NULL);
        }
        g->n_rows++;
    }
    lines_close(&l);
    if (e.rc)
        goto bad;
    return true;
bad:
    printf("Bail out! %s\n", e.text);
    exit(4);
}

static void grid_release(struct grid *g)
{
    for (size_t i = 0; i < g->n_rows * g->n_text; i++)
        free(g->text[i]);
    free(g->text);
    free(g->num);
    *g = (struct grid){ 0 };
}

static size_t grid_columns(const char *path)
{
    struct lines l;
    struct err e = { 0 };
    bool more = false;
    size_t n = 0;
    if (lines_open(&l, path, &e))
        return 0;
    if (!lines_next(&l, &more, &e) && more)
        for (char *save = NULL, *f = strtok_r(l.text, "\t ", &save); f;
             f = strtok_r(NULL, "\t ", &save))
            n++;
    lines_close(&l);
    return n;
}

/* Largest |a - b|; NaN anywhere gives NaN. */
static double worst(const double *a, const double *b, size_t n)
{
    double w = 0;
    for (size_t i = 0; i < n; i++) {
        const double d = fabs(a[i] - b[i]);
        if (!(d <= w))
            w = d;
        if (isnan(d))
            return d;
    }
    return w;
}

#endif
