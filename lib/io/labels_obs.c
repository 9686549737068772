#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/io/labels.h"

const char label_not_sure[] = "not sure";

/* The cells' ids as predictions.tsv has them; NULL without such a column or when memory is short. */
static const char **ids_of(struct cells *c)
{
    const struct column *id = table_find(&c->obs, "cell_id");
    const char **text = id && id->kind == COLUMN_I64 ? malloc((c->obs.n_rows + 1) * sizeof *text)
                                                     : NULL;
    for (size_t i = 0; text && i < c->obs.n_rows; i++) {
        char *t = arena_chars(&c->obs.text, 17);
        if (!t) {
            free(text);
            return NULL;
        }
        snprintf(t, 17, "%016" PRIx64, (uint64_t)id->i64[i]);
        text[i] = t;
    }
    return text;
}

/* Cells whose row says that it is not sure. A table without that column has none. */
static void mark_unsure(struct cells *c, const char *path, const char *const *name,
                        const char **label)
{
    struct import_report rep = { 0 };
    struct err none = { 0 };
    const size_t n = c->obs.n_rows;
    const char **sure = malloc((n + 1) * sizeof *sure);
    if (sure && !labels_from_file(path, "sure", name, n, &c->obs.text, sure, &rep, &none))
        for (size_t i = 0; i < n; i++)
            if (sure[i] && strcmp(sure[i], "no") == 0)
                label[i] = label_not_sure;
    free(sure);
}

static enum rc from_table(struct cells *c, const char *path, const char *column,
                          const char **label, struct err *e)
{
    static const char prediction[] = "prediction";
    struct import_report rep = { 0 };
    const char **id = ids_of(c);
    const char *const *const name[] = { c->cell, id };
    struct err first = { 0 };
    enum rc rc = RC_INPUT;
    for (int way = 0; rc == RC_INPUT && way < 4; way++) {
        const char *want = way < 2 ? column : prediction;
        if (!name[way % 2] || (way >= 2 && column))
            continue;
        struct err now = { 0 };
        rc = labels_from_file(path, want, name[way % 2], c->obs.n_rows, &c->obs.text, label, &rep,
                              &now);
        if (rc && !first.rc)
            first = now;
        if (!rc && strcmp(rep.label_column, prediction) == 0)
            mark_unsure(c, path, name[way % 2], label);
    }
    free(id);
    if (rc)
        *e = first;
    return rc;
}

enum rc labels_to_obs(struct cells *c, const char *path, const char *column, struct err *e)
{
    const size_t n = c->obs.n_rows;
    const char **label = calloc(n + 1, sizeof *label);
    struct column *found = NULL;
    enum rc rc = label ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu labels", n);
    if (!rc && path)
        rc = from_table(c, path, column, label, e);
    else if (!rc)
        rc = labels_from_obs(&c->obs, column, &found, e);
    for (size_t i = 0; !rc && found && i < n; i++)
        label[i] = found->text[i] && *found->text[i] ? found->text[i] : NULL;
    struct column *to = !rc && (path || found) ? table_add(&c->obs, "label", COLUMN_TEXT) : NULL;
    if (!rc && !to && (path || found))
        rc = err_set(e, RC_FAIL, "no memory for %zu labels", n);
    if (to && n)
        memcpy(to->text, label, n * sizeof *label);
    free(label);
    return rc;
}
