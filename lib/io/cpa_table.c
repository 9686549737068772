#include "lib/io/cpa_table.h"

#include <stdlib.h>
#include <string.h>

#include "lib/io/number.h"
#include "lib/io/sheet.h"

const char *const cpa_score_name[CPA_SCORES] = { "R2_mean", "R2_mean_DE", "R2_var", "R2_var_DE" };
const char *const cpa_split_name[CPA_SPLITS] = { "train", "test", "ood" };

enum { MODEL = CPA_SCORES, CELLS, SPLIT, TYPE, CONDITION, DOSE, N_COLUMNS };
static const char *const column[N_COLUMNS] = { "R2_mean",   "R2_mean_DE", "R2_var", "R2_var_DE",
                                               "model",     "num_cells",  "split",  "cell_type",
                                               "condition", "dose_val" };

void cpa_table_release(struct cpa_table *t)
{
    free(t->row);
    arena_release(&t->text);
    *t = (struct cpa_table){ 0 };
}

static int by_key(const void *a, const void *b)
{
    const struct cpa_row *x = a, *y = b;
    return strcmp(x->key, y->key);
}

/* The texts of a condition, a line end between two. */
static const char *key_of(struct arena *a, const char *const part[4])
{
    size_t n = 0, at = 0;
    for (int k = 0; k < 4; k++)
        n += strlen(part[k]) + 1;
    char *to = arena_chars(a, n);
    for (int k = 0; to && k < 4; k++) {
        const size_t m = strlen(part[k]);
        memcpy(to + at, part[k], m);
        to[at + m] = k < 3 ? '\n' : '\0';
        at += m + 1;
    }
    return to;
}

static enum rc take_row(struct cpa_table *t, const struct sheet *s, const size_t at[N_COLUMNS],
                        struct cpa_row *r, struct err *e)
{
    *r = (struct cpa_row){ 0 };
    for (int k = 0; k < CPA_SCORES; k++)
        if (!number_parse(s->field[at[k]], &r->score[k]) || r->score[k] > 1)
            return err_set(e, RC_INPUT, "line %zu: '%.60s' is no %s", s->l.number, s->field[at[k]],
                           column[k]);
    if (!number_parse(s->field[at[CELLS]], &r->n_cells) || !(r->n_cells >= 0))
        return err_set(e, RC_INPUT, "line %zu: '%.60s' is no number of cells", s->l.number,
                       s->field[at[CELLS]]);
    while (r->split < CPA_SPLITS && strcmp(s->field[at[SPLIT]], cpa_split_name[r->split]) != 0)
        r->split++;
    if (r->split == CPA_SPLITS)
        return err_set(e, RC_INPUT, "line %zu: split '%.60s' is not train, test or ood",
                       s->l.number, s->field[at[SPLIT]]);
    if (t->model && strcmp(t->model, s->field[at[MODEL]]) != 0)
        return err_set(e, RC_INPUT, "line %zu: model '%.60s' beside '%.60s'", s->l.number,
                       s->field[at[MODEL]], t->model);
    if (!t->model)
        t->model = arena_text(&t->text, s->field[at[MODEL]]);
    r->key = key_of(&t->text, (const char *const[4]){ s->field[at[TYPE]], s->field[at[CONDITION]],
                                                      s->field[at[DOSE]], s->field[at[SPLIT]] });
    return t->model && r->key ? RC_OK : err_set(e, RC_FAIL, "no memory for a table");
}

static enum rc take(struct cpa_table *t, struct sheet *s, struct err *e)
{
    size_t at[N_COLUMNS], room = 0;
    bool more = true;
    enum rc rc = RC_OK;
    for (int k = 0; !rc && k < N_COLUMNS; k++) {
        size_t i = 0;
        while (i < s->n_head && strcmp(s->head[i], column[k]) != 0)
            i++;
        at[k] = i + s->r_style;
        if (i == s->n_head)
            rc = err_set(e, RC_INPUT, "no column '%s'", column[k]);
    }
    while (!rc && !(rc = sheet_next(s, &more, e)) && more) {
        if (t->n == room) {
            room = 2 * room + 64;
            struct cpa_row *p = realloc(t->row, room * sizeof *p);
            if (!p)
                return err_set(e, RC_FAIL, "no memory for a table");
            t->row = p;
        }
        rc = take_row(t, s, at, &t->row[t->n], e);
        t->n += !rc;
    }
    if (rc)
        return rc;
    qsort(t->row, t->n, sizeof *t->row, by_key);
    for (size_t i = 1; i < t->n; i++)
        if (strcmp(t->row[i].key, t->row[i - 1].key) == 0)
            return err_set(e, RC_INPUT, "a condition stands there twice in a split");
    return RC_OK;
}

enum rc cpa_table_read(const char *path, struct cpa_table *t, struct err *e)
{
    struct sheet s;
    *t = (struct cpa_table){ 0 };
    enum rc rc = sheet_open(&s, path, e);
    if (rc)
        return rc;
    arena_init(&t->text, 1 << 12);
    rc = take(t, &s, e);
    sheet_close(&s);
    if (rc)
        cpa_table_release(t);
    return rc ? err_wrap(e, "'%s'", path) : RC_OK;
}
