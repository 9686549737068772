/* map/, map-random/ and map-counts/: two coordinates per cell. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/rng.h"
#include "lib/io/lines.h"
#include "lib/report/json.h"
#include "lib/report/results.h"

static enum rc read_number(const char *text, const char *path, size_t row, const char *column,
                           double *to, struct err *e)
{
    char *end;
    *to = strtod(text, &end);
    if (end == text || *end || !isfinite(*to))
        return err_set(e, RC_INPUT, "'%s': data row %zu: %s is '%.40s', not a number", path,
                       row + 1, column, text);
    return RC_OK;
}

static const char *or_null(const char *text)
{
    return !text || !*text || strcmp(text, "-") == 0 || strcmp(text, "NA") == 0 ? NULL : text;
}

static enum rc fill(struct results *r, struct map_facts *m, const struct table *t, const char *path,
                    struct err *e)
{
    const struct column *x = table_find(t, "x"), *y = table_find(t, "y");
    const struct column *id = table_find(t, "cell_id"), *label = table_find(t, "label");
    const struct column *species = table_find(t, "species"), *sample = table_find(t, "sample");
    m->n = t->n_rows;
    m->x = arena_get(&r->text, m->n * sizeof *m->x);
    m->y = arena_get(&r->text, m->n * sizeof *m->y);
    m->species = arena_get(&r->text, m->n * sizeof *m->species);
    m->label = arena_get(&r->text, m->n * sizeof *m->label);
    m->sample = arena_get(&r->text, m->n * sizeof *m->sample);
    m->key = arena_get(&r->text, m->n * sizeof *m->key);
    if (!m->x || !m->y || !m->species || !m->label || !m->sample || !m->key)
        return err_set(e, RC_FAIL, "no memory for %zu cells", m->n);
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < m->n; i++) {
        rc = read_number(x->text[i], path, i, "x", &m->x[i], e);
        if (!rc)
            rc = read_number(y->text[i], path, i, "y", &m->y[i], e);
        m->species[i] = results_text(r, or_null(species->text[i]));
        m->label[i] = results_text(r, or_null(label->text[i]));
        m->sample[i] = results_text(r, or_null(sample->text[i]));
        m->key[i] = hash_text(id->text[i]);
    }
    return rc;
}

static enum rc read_map(struct results *r, struct map_facts *m, struct err *e)
{
    const char *path = results_path(r, "%s/map.tsv", m->stage);
    const char *report = results_path(r, "%s/map.json", m->stage);
    struct table t;
    if (!path || !report)
        return err_set(e, RC_FAIL, "no memory for a path");
    if (json_read(report, &m->report, e))
        return e ? e->rc : RC_INPUT;
    if (!file_exists(path))
        return RC_OK;
    if (tsv_read_need(path, "cell_id,sample,species,label,x,y", &t, e))
        return e ? e->rc : RC_INPUT;
    enum rc rc = fill(r, m, &t, path, e);
    m->present = !rc && m->n > 0;
    table_release(&t);
    return rc;
}

enum rc results_maps(struct results *r, struct err *e)
{
    enum rc rc = RC_OK;
    for (int i = 0; !rc && i < N_MAPS; i++)
        rc = read_map(r, &r->map[i], e);
    return rc;
}
