#include "lib/io/dose_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/io/number.h"
#include "lib/io/perturb_raw.h"

static enum rc find_text(const struct table *t, const char *name, const char *const **to,
                         struct err *e)
{
    const struct column *c = table_find(t, name);
    if (c->kind != COLUMN_TEXT)
        return err_set(e, RC_INPUT, "obs column '%s' holds no texts", name);
    *to = (const char *const *)c->text;
    return RC_OK;
}

/* Doses; a text that is no number is refused unless its cell is a control cell. */
static enum rc find_doses(const struct table *t, const char *name, const char *const *drug,
                          const char *control, double *to, struct err *e)
{
    const struct column *c = table_find(t, name);
    for (size_t i = 0; i < t->n_rows; i++) {
        to[i] = NAN;
        if (c->kind == COLUMN_F64)
            to[i] = c->f64[i];
        else if (c->kind == COLUMN_I64)
            to[i] = (double)c->i64[i];
        else if (c->text[i] && !number_parse(c->text[i], &to[i]) &&
                 !(drug[i] && strcmp(drug[i], control) == 0))
            return err_set(e, RC_INPUT, "cell %zu: dose '%s' is no number", i + 1, c->text[i]);
    }
    return RC_OK;
}

static enum rc finish(struct dose_set *s, const struct table *obs, const struct dose_names *names,
                      const struct dose_rules *rules, struct err *e)
{
    struct dose_columns c = { 0 };
    double *dose = malloc((obs->n_rows + 1) * sizeof *dose);
    enum rc rc = dose ? find_text(obs, names->drug, &c.drug, e)
                      : err_set(e, RC_FAIL, "no memory for %zu cells", obs->n_rows);
    if (!rc)
        rc = find_doses(obs, names->dose, c.drug, rules->control, dose, e);
    if (!rc && names->type)
        rc = find_text(obs, names->type, &c.type, e);
    if (!rc && names->part)
        rc = find_text(obs, names->part, &c.part, e);
    c.dose = dose;
    if (!rc)
        rc = dose_set_finish(s, &c, rules, e);
    else
        dose_set_release(s);
    free(dose);
    return rc;
}

/* Moves r->x to the set; r is empty after. */
static enum rc finish_raw(struct perturb_raw *r, const struct dose_names *names,
                          const struct dose_rules *rules, struct dose_set *s, struct err *e)
{
    s->x = r->x;
    r->x = (struct perturb_set){ 0 };
    enum rc rc = finish(s, &r->obs, names, rules, e);
    perturb_raw_release(r);
    return rc;
}

static size_t wanted(const struct dose_names *names, const char *want[4])
{
    size_t n = 0;
    want[n++] = names->drug;
    want[n++] = names->dose;
    if (names->type)
        want[n++] = names->type;
    if (names->part)
        want[n++] = names->part;
    return n;
}

enum rc dose_file_from(hid_t file, const struct dose_names *names, const struct dose_rules *rules,
                       struct dose_set *s, struct err *e)
{
    const char *want[4];
    struct perturb_raw r;
    *s = (struct dose_set){ 0 };
    enum rc rc = perturb_raw_from(file, want, wanted(names, want), &r, e);
    return rc ? rc : finish_raw(&r, names, rules, s, e);
}

enum rc dose_file_read(const char *path, const struct dose_names *names,
                       const struct dose_rules *rules, struct dose_set *s, struct err *e)
{
    const char *want[4];
    struct perturb_raw r;
    *s = (struct dose_set){ 0 };
    enum rc rc = perturb_raw_read(path, want, wanted(names, want), &r, e);
    if (!rc)
        rc = finish_raw(&r, names, rules, s, e);
    return rc ? err_wrap(e, "cannot read '%s'", path) : RC_OK;
}
