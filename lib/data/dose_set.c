#include "lib/data/dose_set.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/map.h"

void dose_set_init(struct dose_set *s)
{
    *s = (struct dose_set){ 0 };
    perturb_set_init(&s->x);
}

void dose_set_release(struct dose_set *s)
{
    perturb_set_release(&s->x);
    free(s->drug);
    free(s->type);
    free(s->largest);
    free(s->condition);
    free(s->of);
    free(s->given);
    *s = (struct dose_set){ 0 };
}

size_t dose_set_control(const struct dose_set *s, uint32_t type)
{
    size_t c = 0;
    while (s->condition[c].type != type || s->condition[c].drug != DOSE_CONTROL)
        c++;
    return c;
}

/* ---- names ---- */

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Distinct texts of the cells that are not left out (skip NULL: none is), sorted, and the number of
 * each cell in `of`. */
static enum rc number_texts(struct arena *text, const char *const *cell, size_t n,
                            const unsigned char *skip, const char ***name, size_t *n_names,
                            uint32_t *of, struct err *e)
{
    struct map seen;
    uint64_t old;
    map_init(&seen);
    *name = malloc((n + 1) * sizeof **name);
    enum rc rc = *name ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu names", n);
    for (size_t i = 0; !rc && i < n; i++) {
        if (skip && skip[i])
            continue;
        rc = map_add(&seen, cell[i], 0, &old, e);
        if (!rc && old == MAP_NONE && !((*name)[(*n_names)++] = arena_text(text, cell[i])))
            rc = err_set(e, RC_FAIL, "no memory for a name");
    }
    map_release(&seen);
    if (rc)
        return rc;
    qsort(*name, *n_names, sizeof **name, by_bytes);
    map_init(&seen);
    for (size_t k = 0; !rc && k < *n_names; k++)
        rc = map_add(&seen, (*name)[k], k, NULL, e);
    for (size_t i = 0; !rc && i < n; i++)
        of[i] = skip && skip[i] ? DOSE_CONTROL : (uint32_t)map_get(&seen, cell[i]);
    map_release(&seen);
    return rc;
}

/* ---- cells ---- */

struct work {
    struct dose_set *s;
    const struct dose_rules *rules;
    unsigned char *control; /* [n_cells] */
    uint32_t *drug, *type;  /* [n_cells] */
    double *dose;           /* [n_cells] */
};

static enum rc look_at_cells(struct work *w, const struct dose_columns *c, struct err *e)
{
    struct dose_set *s = w->s;
    for (size_t i = 0; i < s->x.n_cells; i++) {
        const char *drug = c->drug[i];
        if (!drug || !*drug)
            return err_set(e, RC_INPUT, "cell %zu has no drug", i + 1);
        if (c->type && (!c->type[i] || !*c->type[i]))
            return err_set(e, RC_INPUT, "cell %zu has no cell type", i + 1);
        w->control[i] = strcmp(drug, w->rules->control) == 0;
        if (w->control[i])
            continue;
        if (isnan(c->dose[i]))
            return err_set(e, RC_INPUT, "cell %zu: drug '%s' has no dose", i + 1, drug);
        if (!(c->dose[i] >= 0) || isinf(c->dose[i]))
            return err_set(e, RC_INPUT, "cell %zu: drug '%s' has the dose %g, which is none", i + 1,
                           drug, c->dose[i]);
        if (!(c->dose[i] > 0)) {
            w->control[i] = 1;
            s->n_zero++;
        }
        w->dose[i] = c->dose[i];
    }
    return RC_OK;
}

static enum rc take_parts(struct dose_set *s, const char *const *part, struct err *e)
{
    static const char *const word[] = { "train", "val", "test", "ood" };
    s->given = malloc(s->x.n_cells + 1);
    if (!s->given)
        return err_set(e, RC_FAIL, "no memory for %zu cells", s->x.n_cells);
    for (size_t i = 0; i < s->x.n_cells; i++) {
        unsigned char k = 0;
        while (k < DOSE_NOT_GIVEN && (!part[i] || strcmp(part[i], word[k]) != 0))
            k++;
        if (k == DOSE_NOT_GIVEN)
            return err_set(e, RC_INPUT, "cell %zu: part '%s' is not train, val, test or ood", i + 1,
                           part[i] ? part[i] : "");
        s->given[i] = k;
    }
    return RC_OK;
}

/* ---- conditions ---- */

/* The comparison of qsort has no context: keys are put beside the numbers. */
struct keyed {
    uint32_t type, drug; /* drug + 1, so that control (0) is first */
    double dose;
    uint32_t cell;
};

static int by_condition(const void *a, const void *b)
{
    const struct keyed *x = a, *y = b;
    if (x->type != y->type)
        return x->type < y->type ? -1 : 1;
    if (x->drug != y->drug)
        return x->drug < y->drug ? -1 : 1;
    if (x->dose < y->dose || x->dose > y->dose)
        return x->dose < y->dose ? -1 : 1;
    return (x->cell > y->cell) - (x->cell < y->cell);
}

static enum rc number_conditions(struct work *w, struct err *e)
{
    struct dose_set *s = w->s;
    const size_t n = s->x.n_cells;
    struct keyed *key = malloc((n + 1) * sizeof *key);
    s->condition = malloc((n + 1) * sizeof *s->condition);
    s->of = malloc((n + 1) * sizeof *s->of);
    if (!key || !s->condition || !s->of) {
        free(key);
        return err_set(e, RC_FAIL, "no memory for %zu cells", n);
    }
    for (uint32_t i = 0; i < n; i++)
        key[i] = (struct keyed){ w->type[i], w->control[i] ? 0 : w->drug[i] + 1,
                                 w->control[i] ? 0 : w->dose[i], i };
    qsort(key, n, sizeof *key, by_condition);
    for (size_t k = 0; k < n; k++) {
        if (!k || key[k].type != key[k - 1].type || key[k].drug != key[k - 1].drug ||
            key[k].dose > key[k - 1].dose)
            s->condition[s->n_conditions++] =
                (struct dose_condition){ key[k].type, key[k].drug ? key[k].drug - 1 : DOSE_CONTROL,
                                         key[k].dose, 0 };
        s->condition[s->n_conditions - 1].n_cells++;
        s->of[key[k].cell] = (uint32_t)(s->n_conditions - 1);
    }
    free(key);
    return RC_OK;
}

/* Drops conditions where keep[c] is 0, with their cells, and drugs that are left with none. */
static enum rc keep_conditions(struct dose_set *s, const unsigned char *keep, struct err *e)
{
    uint32_t *to = malloc((s->n_conditions + 1) * sizeof *to),
             *drug_to = malloc((s->n_drugs + 1) * sizeof *drug_to);
    size_t n = 0, n_drugs = 0, cells = 0;
    uint64_t at = 0;
    if (!to || !drug_to) {
        free(to);
        free(drug_to);
        return err_set(e, RC_FAIL, "no memory for %zu conditions", s->n_conditions);
    }
    for (size_t d = 0; d < s->n_drugs; d++) {
        bool used = false;
        for (size_t c = 0; c < s->n_conditions; c++)
            used = used || (keep[c] && s->condition[c].drug == d);
        s->drug[n_drugs] = s->drug[d];
        drug_to[d] = used ? (uint32_t)n_drugs++ : DOSE_CONTROL;
    }
    for (size_t c = 0; c < s->n_conditions; c++) {
        to[c] = (uint32_t)n;
        if (!keep[c])
            continue;
        s->condition[n] = s->condition[c];
        if (s->condition[n].drug != DOSE_CONTROL)
            s->condition[n].drug = drug_to[s->condition[n].drug];
        n++;
    }
    for (size_t i = 0; i < s->x.n_cells; i++) {
        const uint64_t from = s->x.indptr[i], nnz = s->x.indptr[i + 1] - from;
        if (!keep[s->of[i]])
            continue;
        s->of[cells] = to[s->of[i]];
        if (s->given)
            s->given[cells] = s->given[i];
        s->x.indptr[cells++] = at;
        memmove(s->x.index + at, s->x.index + from, nnz * sizeof *s->x.index);
        memmove(s->x.value + at, s->x.value + from, nnz * sizeof *s->x.value);
        at += nnz;
    }
    s->x.indptr[cells] = at;
    s->x.n_cells = cells;
    s->n_conditions = n;
    s->n_drugs = n_drugs;
    free(to);
    free(drug_to);
    return RC_OK;
}

/* Distinct doses of a drug over all types. */
static size_t n_doses(const struct dose_set *s, const unsigned char *keep, uint32_t drug)
{
    size_t n = 0;
    for (size_t c = 0; c < s->n_conditions; c++) {
        bool again = s->condition[c].drug != drug || !keep[c];
        for (size_t b = 0; !again && b < c; b++)
            again = keep[b] && s->condition[b].drug == drug &&
                    !(s->condition[b].dose > s->condition[c].dose) &&
                    !(s->condition[b].dose < s->condition[c].dose);
        n += !again;
    }
    return n;
}

static enum rc drop_conditions(struct dose_set *s, const struct dose_rules *rules, struct err *e)
{
    unsigned char *keep = calloc(s->n_conditions + 1, 1);
    if (!keep)
        return err_set(e, RC_FAIL, "no memory for %zu conditions", s->n_conditions);
    enum rc rc = RC_OK;
    for (size_t c = 0; c < s->n_conditions; c++) {
        const struct dose_condition *k = &s->condition[c];
        keep[c] = k->drug == DOSE_CONTROL || k->n_cells >= rules->values.least_cells;
        s->n_small += !keep[c];
        s->n_small_cells += keep[c] ? 0 : k->n_cells;
    }
    for (uint32_t d = 0; !rc && d < s->n_drugs; d++) {
        if (n_doses(s, keep, d) != 1)
            continue;
        if (!rules->drop_single)
            rc = err_set(e, RC_INPUT, "drug '%s' has one dose: that is no dose response",
                         s->drug[d]);
        s->n_single++;
        for (size_t c = 0; c < s->n_conditions; c++)
            if (s->condition[c].drug == d && keep[c]) {
                keep[c] = 0;
                s->n_single_cells += s->condition[c].n_cells;
            }
    }
    if (!rc)
        rc = keep_conditions(s, keep, e);
    if (!rc && !s->n_drugs)
        rc = err_set(e, RC_INPUT, "there are only control cells%s",
                     s->n_small + s->n_single ? ", but for drugs that are left out" : "");
    free(keep);
    return rc;
}

static enum rc check_controls(const struct dose_set *s, const char *control, struct err *e)
{
    for (uint32_t t = 0; t < s->n_types; t++) {
        size_t c = 0;
        while (c < s->n_conditions &&
               (s->condition[c].type != t || s->condition[c].drug != DOSE_CONTROL))
            c++;
        if (c == s->n_conditions)
            return err_set(e, RC_INPUT,
                           "no control cells of type '%s': no drug is '%s', and no dose 0",
                           s->type[t], control);
    }
    return RC_OK;
}

static enum rc largest_doses(struct dose_set *s, struct err *e)
{
    s->largest = calloc(s->n_drugs + 1, sizeof *s->largest);
    if (!s->largest)
        return err_set(e, RC_FAIL, "no memory for %zu drugs", s->n_drugs);
    for (size_t c = 0; c < s->n_conditions; c++)
        if (s->condition[c].drug != DOSE_CONTROL)
            s->largest[s->condition[c].drug] =
                fmax(s->largest[s->condition[c].drug], s->condition[c].dose);
    return RC_OK;
}

static enum rc name_types(struct work *w, const struct dose_columns *c, struct err *e)
{
    struct dose_set *s = w->s;
    if (c->type)
        return number_texts(&s->x.text, c->type, s->x.n_cells, NULL, &s->type, &s->n_types, w->type,
                            e);
    s->type = malloc(sizeof *s->type);
    if (!s->type || !(s->type[0] = arena_text(&s->x.text, "all")))
        return err_set(e, RC_FAIL, "no memory for a name");
    s->n_types = 1;
    return RC_OK;
}

enum rc dose_set_finish(struct dose_set *s, const struct dose_columns *c,
                        const struct dose_rules *rules, struct err *e)
{
    const size_t n = s->x.n_cells;
    struct work w = { .s = s,
                      .rules = rules,
                      .control = calloc(n + 1, 1),
                      .drug = calloc(n + 1, sizeof *w.drug),
                      .type = calloc(n + 1, sizeof *w.type),
                      .dose = calloc(n + 1, sizeof *w.dose) };
    enum rc rc = w.control && w.drug && w.type && w.dose
                     ? perturb_set_values(&s->x, &rules->values, e)
                     : err_set(e, RC_FAIL, "no memory for %zu cells", n);
    if (!rc)
        rc = look_at_cells(&w, c, e);
    if (!rc && c->part)
        rc = take_parts(s, c->part, e);
    if (!rc)
        rc = number_texts(&s->x.text, c->drug, n, w.control, &s->drug, &s->n_drugs, w.drug, e);
    if (!rc)
        rc = name_types(&w, c, e);
    if (!rc)
        rc = number_conditions(&w, e);
    if (!rc)
        rc = check_controls(s, rules->control, e);
    if (!rc)
        rc = drop_conditions(s, rules, e);
    if (!rc)
        rc = largest_doses(s, e);
    s->n_genes_before = s->x.n_genes;
    free(w.control);
    free(w.drug);
    free(w.type);
    free(w.dose);
    if (rc)
        dose_set_release(s);
    return rc;
}
