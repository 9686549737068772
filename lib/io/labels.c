/* Labels of cells: from a column of the source or from a table beside it. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/map.h"
#include "lib/io/import_parts.h"
#include "lib/io/sheet.h"

/* Letters and digits only, small: "Cell.Type" and "cell_type" are the same. */
static void plain(const char *text, char to[64])
{
    size_t n = 0;
    for (; *text && n + 1 < 64; text++)
        if (isalnum((unsigned char)*text))
            to[n++] = (char)tolower((unsigned char)*text);
    to[n] = '\0';
}

/* The place of a column's name in the list of usual names, SIZE_MAX when it is none. */
static size_t usual_label(const char *name)
{
    static const char *const usual[] = {
        "label",         "celltype",         "celltypes",       "celllabel",
        "celltypemajor", "celllinedemuxlet", "cellline",        "labels",
        "celllabels",    "annotation",       "annotations",     "celltypeannotation",
        "clustername",   "bulklabels",       "assignedcluster", "cellontologyclass"
    };
    char text[64];
    plain(name, text);
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (strcmp(text, usual[i]) == 0)
            return i;
    return SIZE_MAX;
}

enum rc labels_from_obs(const struct table *obs, const char *column, struct column **found,
                        struct err *e)
{
    size_t best = SIZE_MAX;
    *found = NULL;
    if (column) {
        *found = table_find(obs, column);
        if (!*found || (*found)->kind != COLUMN_TEXT)
            return err_set(e, RC_INPUT, "%s column '%s' to take labels from",
                           *found ? "numbers stand in" : "there is no", column);
        return RC_OK;
    }
    for (size_t i = 0; i < obs->n_cols; i++) {
        size_t rank = obs->col[i].kind == COLUMN_TEXT ? usual_label(obs->col[i].name) : SIZE_MAX;
        if (rank < best) {
            best = rank;
            *found = &obs->col[i];
        }
    }
    return RC_OK;
}

/* ---- a table ---- */

static bool is_barcode_name(const char *name)
{
    static const char *const usual[] = { "barcode", "barcodes", "cellbarcode",
                                         "cellid",  "cell",     "cellname" };
    char text[64];
    plain(name, text);
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (strcmp(text, usual[i]) == 0)
            return true;
    return false;
}

/* Fields of barcode and label in a row of t. */
static enum rc choose_columns(const struct sheet *t, const char *column, size_t *key, size_t *label,
                              struct err *e)
{
    size_t best = SIZE_MAX;
    *key = 0;
    *label = SIZE_MAX;
    for (size_t i = t->n_head; !t->r_style && i-- > 0;)
        if (is_barcode_name(t->head[i]))
            *key = i; /* the first one */
    for (size_t i = 0; i < t->n_head; i++) {
        size_t rank =
            column ? (strcmp(column, t->head[i]) == 0 ? 0 : SIZE_MAX) : usual_label(t->head[i]);
        if (i + t->r_style != *key && rank < best) {
            best = rank;
            *label = i + t->r_style;
        }
    }
    if (*label == SIZE_MAX && !column && t->n_fields == 2)
        *label = 1 - *key;
    if (*label != SIZE_MAX)
        return RC_OK;
    if (column)
        return err_set(e, RC_INPUT, "'%s' has no column '%s'", t->l.path, column);
    return err_set(e, RC_INPUT,
                   "'%s' has no column of labels that we know by name; name one with "
                   "--label-column",
                   t->l.path);
}

/* Ways to write a barcode, from exact to loose: as it is; with R's dots for dashes; without the
 * number of the gem group (-1). */
enum { EXACT, DASHES, NO_SUFFIX, N_WAYS };

static void write_barcode(const char *text, int way, char *to, size_t room)
{
    snprintf(to, room, "%s", text);
    if (way == EXACT)
        return;
    for (char *s = to; *s; s++)
        if (*s == '.')
            *s = '-';
    char *dash = way == NO_SUFFIX ? strrchr(to, '-') : NULL;
    if (dash && dash[1] && strspn(dash + 1, "0123456789") == strlen(dash + 1))
        *dash = '\0';
}

struct label_table {
    const char **key, **label; /* owned arrays, texts in an arena */
    size_t n, room;
};

static enum rc read_table(struct sheet *t, size_t key, size_t label, struct arena *a,
                          struct label_table *l, struct err *e)
{
    bool more = true;
    enum rc rc = RC_OK;
    while (!rc && !(rc = sheet_next(t, &more, e)) && more) {
        if (l->n == l->room) {
            size_t room = 2 * l->room + 1024;
            const char **k = realloc(l->key, room * sizeof *k);
            l->key = k ? k : l->key;
            const char **v = realloc(l->label, room * sizeof *v);
            l->label = v ? v : l->label;
            if (!k || !v)
                return err_set(e, RC_FAIL, "no memory for %zu labels", l->n);
            l->room = room;
        }
        const char *text = t->field[label];
        bool none = !*text || strcmp(text, "NA") == 0 || strcmp(text, "nan") == 0;
        l->key[l->n] = arena_text(a, t->field[key]);
        l->label[l->n] = none ? NULL : arena_text(a, text);
        if (!l->key[l->n] || (!none && !l->label[l->n]))
            return err_set(e, RC_FAIL, "no memory for %zu labels", l->n);
        l->n++;
    }
    return rc;
}

/* Joins by one way of writing; *n_found counts the cells that have a row. Two rows of one barcode
 * with different labels are refused: neither can be right for sure. */
static enum rc join(const struct label_table *l, int way, const char *const *cell, size_t n,
                    const char **label, size_t *n_found, struct err *e)
{
    char text[1024];
    struct map rows;
    map_init(&rows);
    enum rc rc = RC_OK;
    *n_found = 0;
    for (size_t i = 0; !rc && i < l->n; i++) {
        uint64_t old;
        write_barcode(l->key[i], way, text, sizeof text);
        rc = map_add(&rows, text, i, &old, e);
        const char *a = !rc && old != MAP_NONE ? l->label[old] : NULL, *b = l->label[i];
        if (!rc && old != MAP_NONE && ((a && b && strcmp(a, b) != 0) || !a != !b))
            rc = err_set(e, RC_INPUT, "the barcode '%.100s' has two different labels", l->key[i]);
    }
    for (size_t i = 0; !rc && i < n; i++) {
        write_barcode(cell[i], way, text, sizeof text);
        uint64_t row = map_get(&rows, text);
        label[i] = row == MAP_NONE ? NULL : l->label[row];
        *n_found += row != MAP_NONE;
    }
    map_release(&rows);
    return rc;
}

enum rc labels_from_file(const char *path, const char *column, const char *const *cell, size_t n,
                         struct arena *a, const char **label, struct import_report *rep,
                         struct err *e)
{
    static const char *const how[N_WAYS] = { "", "dots for dashes", "no -1 at the end" };
    struct sheet t;
    struct label_table l = { 0 };
    size_t key = 0, at = 0, found = 0;
    if (sheet_open(&t, path, e))
        return e ? e->rc : RC_INPUT;
    enum rc rc = choose_columns(&t, column, &key, &at, e);
    if (!rc) {
        snprintf(rep->label_column, sizeof rep->label_column, "%s", t.head[at - t.r_style]);
        rc = read_table(&t, key, at, a, &l, e);
    }
    int way = 0;
    for (; !rc && way < N_WAYS && !found; way++)
        rc = join(&l, way, cell, n, label, &found, e);
    if (!rc && n && !found)
        rc = err_set(e, RC_INPUT, "no barcode of '%s' is among the %zu cells", path, n);
    if (!rc && way > 1)
        import_note(rep, "labels were joined after rewriting barcodes (%s)", how[way - 1]);
    rep->n_label_rows_unused = l.n > found ? l.n - found : 0;
    sheet_close(&t);
    free(l.key);
    free(l.label);
    return rc;
}
