#include "lib/io/perturb_file.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/io/number.h"
#include "lib/io/perturb_fill.h"
#include "lib/io/perturb_raw.h"
#include "lib/io/sheet.h"

/* ---- HDF5 ---- */

/* Moves r->x to *s; r is empty after. */
static enum rc finish(struct perturb_raw *r, const char *column, const struct perturb_rules *rules,
                      struct perturb_set *s, struct err *e)
{
    const struct column *condition = table_find(&r->obs, column);
    if (condition->kind != COLUMN_TEXT) {
        perturb_raw_release(r);
        return err_set(e, RC_INPUT, "obs column '%s' holds no texts", column);
    }
    *s = r->x;
    r->x = (struct perturb_set){ 0 };
    enum rc rc = perturb_set_finish(s, condition->text, rules, e);
    perturb_raw_release(r);
    return rc;
}

enum rc perturb_file_from(hid_t file, const char *column, const struct perturb_rules *rules,
                          struct perturb_set *s, struct err *e)
{
    const char *const want = column ? column : "condition";
    struct perturb_raw r;
    *s = (struct perturb_set){ 0 };
    enum rc rc = perturb_raw_from(file, &want, 1, &r, e);
    return rc ? rc : finish(&r, want, rules, s, e);
}

static enum rc read_h5ad(const char *path, const char *column, const struct perturb_rules *rules,
                         struct perturb_set *s, struct err *e)
{
    struct perturb_raw r;
    *s = (struct perturb_set){ 0 };
    enum rc rc = perturb_raw_read(path, &column, 1, &r, e);
    return rc ? rc : finish(&r, column, rules, s, e);
}

/* ---- text ---- */

static bool is_no_gene(const char *name)
{
    static const char *const word[] = { "cell", "barcode", "cell_id", "" };
    for (size_t i = 0; i < sizeof word / sizeof *word; i++)
        if (strcasecmp(name, word[i]) == 0)
            return true;
    return false;
}

struct text_job {
    struct sheet t;
    struct filling f;
    size_t condition;     /* field */
    uint32_t *gene_of;    /* [fields], UINT32_MAX: none */
    const char **of_cell; /* [n_cells], texts in the set */
    size_t room;
};

static enum rc head(struct text_job *j, const char *column, struct err *e)
{
    const struct sheet *t = &j->t;
    const char **name = calloc(t->n_head + 1, sizeof *name);
    size_t n = 0;
    j->gene_of = malloc((t->n_fields + 1) * sizeof *j->gene_of);
    if (!name || !j->gene_of) {
        free(name);
        return err_set(e, RC_FAIL, "no memory for %zu columns", t->n_head);
    }
    j->condition = SIZE_MAX;
    for (size_t i = 0; i < t->n_fields; i++)
        j->gene_of[i] = UINT32_MAX;
    for (size_t i = 0; i < t->n_head; i++) {
        if (strcmp(t->head[i], column) == 0) {
            j->condition = i + t->r_style;
        } else if (!is_no_gene(t->head[i])) {
            j->gene_of[i + t->r_style] = (uint32_t)n;
            name[n++] = t->head[i];
        }
    }
    enum rc rc = j->condition == SIZE_MAX
                     ? err_set(e, RC_INPUT, "no column '%s' with conditions", column)
                     : perturb_take_names(j->f.s, name, n, e);
    free(name);
    return rc;
}

static enum rc add_row(struct text_job *j, struct err *e)
{
    struct perturb_set *s = j->f.s;
    const struct sheet *t = &j->t;
    if (s->n_cells + 1 >= j->room) {
        const size_t room = 2 * j->room + 1024;
        uint64_t *indptr = realloc(s->indptr, (room + 1) * sizeof *indptr);
        if (indptr)
            s->indptr = indptr;
        const char **of = realloc(j->of_cell, room * sizeof *of);
        if (of)
            j->of_cell = of;
        if (!indptr || !of)
            return err_set(e, RC_FAIL, "no memory for %zu cells", s->n_cells);
        j->room = room;
    }
    enum rc rc = filling_room(&j->f, s->n_genes, e);
    for (size_t i = 0; !rc && i < t->n_fields; i++) {
        double x;
        if (j->gene_of[i] == UINT32_MAX)
            continue;
        if (!number_parse(t->field[i], &x))
            return err_set(e, RC_INPUT, "line %zu, gene '%.60s': '%.60s' is no number", t->l.number,
                           s->gene[j->gene_of[i]], t->field[i]);
        if (x > 0 || x < 0) {
            s->index[j->f.n] = j->gene_of[i];
            s->value[j->f.n++] = x;
        }
    }
    if (!rc && !(j->of_cell[s->n_cells] = arena_text(&s->text, t->field[j->condition])))
        rc = err_set(e, RC_FAIL, "no memory for %zu cells", s->n_cells);
    s->indptr[0] = 0;
    s->indptr[++s->n_cells] = j->f.n;
    return rc;
}

static enum rc read_text(const char *path, const char *column, const struct perturb_rules *rules,
                         struct perturb_set *s, struct err *e)
{
    struct text_job j = { .f = { .s = s } };
    bool more = true;
    perturb_set_init(s);
    if (sheet_open(&j.t, path, e)) {
        perturb_set_release(s);
        return e ? e->rc : RC_INPUT;
    }
    enum rc rc = head(&j, column, e);
    while (!rc && !(rc = sheet_next(&j.t, &more, e)) && more)
        rc = add_row(&j, e);
    if (rc)
        perturb_set_release(s);
    else
        rc = perturb_set_finish(s, j.of_cell, rules, e);
    sheet_close(&j.t);
    free(j.gene_of);
    free(j.of_cell);
    return rc;
}

enum rc perturb_file_read(const char *path, const char *column, const struct perturb_rules *rules,
                          struct perturb_set *s, struct err *e)
{
    const size_t n = strlen(path);
    const bool h5ad = n > 3 && (strcmp(path + n - 3, ".h5") == 0 ||
                                (n > 5 && strcmp(path + n - 5, ".h5ad") == 0));
    const char *const want = column ? column : "condition";
    enum rc rc = h5ad ? read_h5ad(path, want, rules, s, e) : read_text(path, want, rules, s, e);
    return rc ? err_wrap(e, "cannot read '%s'", path) : RC_OK;
}
