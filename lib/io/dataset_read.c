#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "lib/data/vocab.h"
#include "lib/io/dataset.h"

struct columns {
    const struct arrow_column *ids, *values, *length, *species, *label;
};

static const struct arrow_column *find(const struct arrow_column *c, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(c[i].field->name, name) == 0)
            return &c[i];
    return NULL;
}

static enum rc find_columns(const struct arrow_column *c, size_t n, struct columns *k,
                            struct err *e)
{
    *k = (struct columns){ find(c, n, "input_ids"), find(c, n, "values"), find(c, n, "length"),
                           find(c, n, "species"), find(c, n, "cell_type") };
    if (!k->label)
        k->label = find(c, n, "celltype");
    if (k->label && k->label->field->type != ARROW_TEXT)
        k->label = NULL;
    const struct arrow_column *const need[] = { k->ids, k->values, k->length, k->species };
    static const char *const name[] = { "input_ids", "values", "length", "species" };
    for (size_t i = 0; i < 4; i++) {
        if (!need[i])
            return err_set(e, RC_INPUT, "there is no column '%s'", name[i]);
        if (need[i]->field->type == ARROW_TEXT || (i < 2 && !need[i]->field->list) ||
            (i != 1 && need[i]->field->type == ARROW_FLOAT))
            return err_set(e, RC_INPUT, "column '%s' is of another type", name[i]);
    }
    return RC_OK;
}

/* The one number of a row: a scalar, or a list of one. */
static bool one(const struct arrow_column *c, uint64_t row, int64_t *v)
{
    uint64_t first, n;
    arrow_row(c, row, &first, &n);
    if (n == 1)
        *v = arrow_i64(c, first);
    return n == 1;
}

struct room {
    uint16_t *token;
    float *value;
    char *label;
    size_t n, label_bytes;
};

static bool grow(struct room *r, uint64_t n, size_t label_bytes)
{
    if (n > r->n || !r->token) {
        free(r->token);
        free(r->value);
        r->token = malloc(((size_t)n + 1) * sizeof *r->token);
        r->value = malloc(((size_t)n + 1) * sizeof *r->value);
        r->n = (size_t)n;
    }
    if (label_bytes >= r->label_bytes) {
        free(r->label);
        r->label_bytes = label_bytes + 64;
        r->label = malloc(r->label_bytes);
    }
    return r->token && r->value && r->label;
}

/* One row into the room, and every promise of it checked. */
static enum rc read_row(const struct columns *k, uint64_t row, struct room *r,
                        struct dataset_cell *c, struct err *e)
{
    uint64_t ids, n_ids, values, n_values;
    int64_t length, species;
    size_t n_label = 0;
    const char *label = k->label ? arrow_text(k->label, row, &n_label) : NULL;
    arrow_row(k->ids, row, &ids, &n_ids);
    arrow_row(k->values, row, &values, &n_values);
    if (!one(k->length, row, &length) || !one(k->species, row, &species))
        return err_set(e, RC_INPUT, "length or species is not one number");
    if (n_ids != n_values)
        return err_set(e, RC_INPUT, "%llu tokens but %llu values", (unsigned long long)n_ids,
                       (unsigned long long)n_values);
    if (length < 0 || (uint64_t)length > n_ids)
        return err_set(e, RC_INPUT, "length %lld of %llu tokens", (long long)length,
                       (unsigned long long)n_ids);
    if (species != 0 && species != 1)
        return err_set(e, RC_INPUT, "species %lld is neither 0 nor 1", (long long)species);
    if (!grow(r, (uint64_t)length, n_label))
        return err_set(e, RC_FAIL, "no memory for a row");
    for (uint64_t i = 0; i < n_ids; i++) {
        int64_t token = arrow_i64(k->ids, ids + i);
        bool inside = i < (uint64_t)length;
        if (inside ? token < TOKEN_FIRST_GENE || token > UINT16_MAX : token != 0)
            return err_set(e, RC_INPUT, "token %lld at place %llu of %lld", (long long)token,
                           (unsigned long long)i, (long long)length);
        if (inside) {
            r->token[i] = (uint16_t)token;
            r->value[i] = (float)arrow_f64(k->values, values + i);
        }
    }
    if (label) {
        memcpy(r->label, label, n_label);
        r->label[n_label] = '\0';
    }
    c->label = label ? r->label : NULL;
    c->cell = (struct token_cell){ .species = (uint8_t)species,
                                   .n = (uint32_t)length,
                                   .token = r->token,
                                   .value = r->value };
    return RC_OK;
}

enum rc dataset_each(const struct arrow_file *f, size_t *row,
                     enum rc (*take)(void *ctx, const struct dataset_cell *c, struct err *e),
                     void *ctx, struct err *e)
{
    struct room r = { 0 };
    struct arrow_column *column = calloc(f->n_fields + 1, sizeof *column);
    enum rc rc = column ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu columns", f->n_fields);
    for (size_t b = 0; !rc && b < f->n_batches; b++) {
        struct columns k;
        rc = arrow_batch(f, b, column, e);
        if (!rc)
            rc = find_columns(column, f->n_fields, &k, e);
        for (uint64_t i = 0; !rc && i < f->batch[b].n_rows; i++, ++*row) {
            struct dataset_cell c = { .row = *row };
            rc = read_row(&k, i, &r, &c, e);
            if (rc)
                err_wrap(e, "row %zu", *row);
            else
                rc = take(ctx, &c, e);
        }
    }
    free(column);
    free(r.token);
    free(r.value);
    free(r.label);
    return rc;
}

static enum rc read_file(const char *folder, const char *name, size_t *row,
                         enum rc (*take)(void *ctx, const struct dataset_cell *c, struct err *e),
                         void *ctx, struct err *e)
{
    struct arrow_file f;
    char *path = text_new("%s/%s", folder, name);
    enum rc rc = path ? arrow_open(&f, path, e) : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc) {
        rc = dataset_each(&f, row, take, ctx, e);
        arrow_close(&f);
        if (rc)
            err_wrap(e, "'%s'", path);
    }
    free(path);
    return rc;
}

enum rc dataset_read(const char *folder,
                     enum rc (*take)(void *ctx, const struct dataset_cell *c, struct err *e),
                     void *ctx, struct err *e)
{
    json_error_t why;
    size_t i, row = 0;
    json_t *item;
    char *path = text_new("%s/state.json", folder);
    if (!path)
        return err_set(e, RC_FAIL, "no memory for a path");
    json_t *state = json_load_file(path, 0, &why), *files = json_object_get(state, "_data_files");
    enum rc rc = RC_OK;
    if (!state)
        rc = err_set(e, RC_INPUT, "'%s': %s", path, why.text);
    else if (!json_is_array(files))
        rc = err_set(e, RC_INPUT, "'%s' names no data files", path);
    json_array_foreach(files, i, item)
    {
        const char *name = json_string_value(json_object_get(item, "filename"));
        if (!rc && (!name || strchr(name, '/') || *name == '.'))
            rc = err_set(e, RC_INPUT, "'%s': data file %zu has no plain name", path, i + 1);
        if (!rc)
            rc = read_file(folder, name, &row, take, ctx, e);
    }
    json_decref(state);
    free(path);
    return rc;
}
