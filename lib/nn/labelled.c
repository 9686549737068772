#include "lib/nn/labelled.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/map.h"

static enum rc want_column(const struct table *obs, const char *name, enum column_kind kind,
                           const struct column **out, struct err *e)
{
    *out = table_find(obs, name);
    if (!*out)
        return err_set(e, RC_INPUT, "obs has no column '%s'", name);
    if ((*out)->kind != kind)
        return err_set(e, RC_INPUT, "obs column '%s' does not hold %s", name,
                       kind == COLUMN_TEXT ? "texts" : "whole numbers");
    return RC_OK;
}

enum rc column_names(const struct table *obs, const char *name, const char ***list, size_t *n,
                     struct err *e)
{
    const struct column *c;
    struct map seen;
    *list = NULL;
    *n = 0;
    if (want_column(obs, name, COLUMN_TEXT, &c, e))
        return e ? e->rc : RC_INPUT;
    map_init(&seen);
    enum rc rc = RC_OK;
    size_t room = 0;
    for (size_t r = 0; !rc && r < obs->n_rows; r++) {
        uint64_t old = MAP_NONE;
        if (!c->text[r] || !*c->text[r])
            continue;
        rc = map_add(&seen, c->text[r], *n, &old, e);
        if (rc || old != MAP_NONE)
            continue;
        if (*n == room) {
            room = 2 * room + 16;
            const char **more = realloc(*list, room * sizeof *more);
            if (!more) {
                rc = err_set(e, RC_FAIL, "no memory for the names in column '%s'", name);
                break;
            }
            *list = more;
        }
        (*list)[(*n)++] = c->text[r];
    }
    map_release(&seen);
    if (rc) {
        free(*list);
        *list = NULL;
        *n = 0;
    }
    return rc;
}

void labelled_release(struct labelled *l)
{
    free(l->class_name);
    free(l->class_of);
    free(l->row);
    free(l->cell_id);
    free(l->barcode);
    *l = (struct labelled){ 0 };
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names the classes from the labels of the cells in l->row, sorted so that equal labels in another
 * file order get equal numbers. */
static enum rc number_classes(struct labelled *l, const char *const *label, struct err *e)
{
    l->n_classes = 0;
    for (size_t i = 0; i < l->n; i++)
        l->class_name[i] = label[l->row[i]];
    qsort(l->class_name, l->n, sizeof *l->class_name, by_bytes);
    for (size_t i = 0; i < l->n; i++)
        if (!i || strcmp(l->class_name[i], l->class_name[l->n_classes - 1]) != 0)
            l->class_name[l->n_classes++] = l->class_name[i];
    if (l->n_classes > 4096)
        return err_set(e, RC_INPUT, "sample '%s' has %zu different labels: not cell types",
                       l->sample, l->n_classes);
    for (size_t i = 0; i < l->n; i++) {
        const char *const *at = bsearch(&label[l->row[i]], l->class_name, l->n_classes,
                                        sizeof *l->class_name, by_bytes);
        l->class_of[i] = (uint32_t)(at - l->class_name);
    }
    return RC_OK;
}

static enum rc room_for(struct labelled *l, size_t n, struct err *e)
{
    n++;
    l->class_name = calloc(n, sizeof *l->class_name);
    l->class_of = calloc(n, sizeof *l->class_of);
    l->row = calloc(n, sizeof *l->row);
    l->cell_id = calloc(n, sizeof *l->cell_id);
    l->barcode = calloc(n, sizeof *l->barcode);
    if (l->class_name && l->class_of && l->row && l->cell_id && l->barcode)
        return RC_OK;
    return err_set(e, RC_FAIL, "no memory for %zu labelled cells", n - 1);
}

enum rc labelled_init(const struct cells *c, const char *sample, const char *label,
                      struct labelled *out, struct err *e)
{
    const struct column *samples, *labels, *ids;
    *out = (struct labelled){ .sample = sample };
    if (want_column(&c->obs, "sample", COLUMN_TEXT, &samples, e) ||
        want_column(&c->obs, label, COLUMN_TEXT, &labels, e) ||
        want_column(&c->obs, "cell_id", COLUMN_I64, &ids, e))
        return e ? e->rc : RC_INPUT;
    size_t n = 0;
    for (size_t r = 0; r < c->obs.n_rows; r++)
        n += samples->text[r] && strcmp(samples->text[r], sample) == 0;
    enum rc rc = room_for(out, n, e);
    for (size_t r = 0; !rc && r < c->obs.n_rows; r++) {
        if (!samples->text[r] || strcmp(samples->text[r], sample) != 0)
            continue;
        if (!labels->text[r] || !*labels->text[r]) {
            out->n_unlabelled++;
            continue;
        }
        out->row[out->n] = r;
        out->cell_id[out->n] = (uint64_t)ids->i64[r];
        out->barcode[out->n++] = c->cell ? c->cell[r] : "";
    }
    if (!rc)
        rc = number_classes(out, labels->text, e);
    if (rc)
        labelled_release(out);
    return rc;
}

enum rc labelled_keep(struct labelled *l, const unsigned char *keep, struct err *e)
{
    uint32_t *to = calloc(l->n_classes + 1, sizeof *to), n_classes = 0;
    size_t n = 0;
    if (!to)
        return err_set(e, RC_FAIL, "no memory for %zu classes", l->n_classes);
    for (size_t i = 0; i < l->n; i++)
        if (keep[i]) {
            to[l->class_of[i]] = 1;
            l->class_of[n] = l->class_of[i];
            l->row[n] = l->row[i];
            l->cell_id[n] = l->cell_id[i];
            l->barcode[n++] = l->barcode[i];
        }
    l->n = n;
    for (size_t c = 0; c < l->n_classes; c++)
        if (to[c]) {
            l->class_name[n_classes] = l->class_name[c];
            to[c] = n_classes++;
        }
    l->n_classes = n_classes;
    for (size_t i = 0; i < n; i++)
        l->class_of[i] = to[l->class_of[i]];
    free(to);
    return RC_OK;
}

static int by_id(const void *a, const void *b)
{
    const struct id_row *x = a, *y = b;
    if (x->id != y->id)
        return x->id < y->id ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

enum rc id_rows_init(const struct table *obs, struct id_rows *out, struct err *e)
{
    const struct column *ids;
    *out = (struct id_rows){ .n = obs->n_rows };
    if (want_column(obs, "cell_id", COLUMN_I64, &ids, e))
        return e ? e->rc : RC_INPUT;
    out->item = malloc((obs->n_rows + 1) * sizeof *out->item);
    if (!out->item)
        return err_set(e, RC_FAIL, "no memory for %zu cell ids", obs->n_rows);
    for (size_t r = 0; r < out->n; r++)
        out->item[r] = (struct id_row){ (uint64_t)ids->i64[r], r };
    qsort(out->item, out->n, sizeof *out->item, by_id);
    for (size_t i = 1; i < out->n; i++)
        if (out->item[i].id == out->item[i - 1].id) {
            uint64_t id = out->item[i].id;
            id_rows_release(out);
            return err_set(e, RC_INPUT, "cell id %016" PRIx64 " comes twice", id);
        }
    return RC_OK;
}

size_t id_rows_find(const struct id_rows *r, uint64_t id)
{
    size_t low = 0, high = r->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (r->item[mid].id < id)
            low = mid + 1;
        else
            high = mid;
    }
    return low < r->n && r->item[low].id == id ? r->item[low].row : SIZE_MAX;
}

void id_rows_release(struct id_rows *r)
{
    free(r->item);
    *r = (struct id_rows){ 0 };
}
