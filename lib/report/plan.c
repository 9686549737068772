#include "lib/report/plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/io/lines.h"
#include "lib/io/number.h"
#include "lib/io/textout.h"

void plan_init(struct plan *p)
{
    *p = (struct plan){ 0 };
    arena_init(&p->text, 1 << 12);
}

void plan_release(struct plan *p)
{
    free(p->row);
    arena_release(&p->text);
    *p = (struct plan){ 0 };
}

static struct plan_row *find(const struct plan *p, const char *name, size_t n)
{
    for (size_t i = 0; i < p->n; i++)
        if (strncmp(p->row[i].name, name, n) == 0 && p->row[i].name[n] == '\0')
            return &p->row[i];
    return NULL;
}

const struct plan_row *plan_find(const struct plan *p, const char *name)
{
    return find(p, name, strlen(name));
}

static bool good_name(const char *name)
{
    return *name && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name) &&
           !strchr("0123456789", *name);
}

/* row: borrowed texts, which are copied. */
static enum rc add(struct plan *p, const struct plan_row *row, struct err *e)
{
    if (p->n == p->room) {
        const size_t room = p->room ? 2 * p->room : 32;
        struct plan_row *more = realloc(p->row, room * sizeof *more);
        if (!more)
            return err_set(e, RC_FAIL, "no memory for a plan");
        p->row = more;
        p->room = room;
    }
    struct plan_row *to = &p->row[p->n];
    *to = *row;
    to->name = arena_text(&p->text, row->name);
    to->unit = arena_text(&p->text, row->unit);
    to->formula = arena_text(&p->text, row->formula);
    to->source = arena_text(&p->text, row->source);
    if (!to->name || !to->unit || !to->formula || !to->source)
        return err_set(e, RC_FAIL, "no memory for a plan");
    p->n++;
    return RC_OK;
}

enum rc plan_rate(struct plan *p, const char *name, double value, const char *unit,
                  const char *source, struct err *e)
{
    char text[32];
    if (!good_name(name))
        return err_set(e, RC_INPUT, "'%s' is no name of a rate", name);
    if (!isfinite(value) || !(value > 0))
        return err_set(e, RC_INPUT, "rate '%s' is %g, not a number above 0", name, value);
    snprintf(text, sizeof text, "%.6g", value);
    struct plan_row *old = find(p, name, strlen(name));
    if (!old)
        return add(p,
                   &(struct plan_row){ .name = name,
                                       .unit = unit,
                                       .formula = text,
                                       .source = source,
                                       .value = value,
                                       .rate = true },
                   e);
    old->value = value;
    old->unit = arena_text(&p->text, unit);
    old->formula = arena_text(&p->text, text);
    old->source = arena_text(&p->text, source);
    return old->unit && old->formula && old->source ? RC_OK
                                                    : err_set(e, RC_FAIL, "no memory for a plan");
}

/* ---- formulas ---- */

/* The word at *at, and behind it. */
static size_t word(const char **at)
{
    *at += strspn(*at, " ");
    return strcspn(*at, " ");
}

static enum rc get_atom(const struct plan *p, const char **at, double *v, struct err *e)
{
    char number[64];
    const size_t n = word(at);
    const struct plan_row *row = n ? find(p, *at, n) : NULL;
    if (n == 0)
        return err_set(e, RC_INPUT, "the formula ends too early");
    if (row) {
        *v = row->value;
    } else {
        snprintf(number, sizeof number, "%.*s", (int)n, *at);
        if (n >= sizeof number || !number_parse(number, v))
            return err_set(e, RC_INPUT, "there is no rate '%.*s', and no row of that name above",
                           (int)n, *at);
    }
    *at += n;
    return RC_OK;
}

/* The operator at *at, or 0 at the end or when it is none of those. */
static char get_operator(const char **at, const char *which)
{
    const char *from = *at;
    if (word(&from) != 1 || !strchr(which, *from))
        return 0;
    *at = from + 1;
    return *from;
}

static enum rc get_product(const struct plan *p, const char **at, double *v, struct err *e)
{
    char op;
    enum rc rc = get_atom(p, at, v, e);
    while (!rc && (op = get_operator(at, "*/")) != 0) {
        double x;
        rc = get_atom(p, at, &x, e);
        if (!rc && op == '/' && x == 0)
            return err_set(e, RC_INPUT, "a division by 0");
        if (!rc)
            *v = op == '*' ? *v * x : *v / x;
    }
    return rc;
}

static enum rc work_out(const struct plan *p, const char *formula, double *v, struct err *e)
{
    char op;
    const char *at = formula;
    enum rc rc = get_product(p, &at, v, e);
    while (!rc && (op = get_operator(&at, "+-")) != 0) {
        double x;
        rc = get_product(p, &at, &x, e);
        if (!rc)
            *v += op == '+' ? x : -x;
    }
    if (!rc && word(&at))
        return err_set(e, RC_INPUT, "'%s' is not + - * or /", at);
    if (!rc && (!isfinite(*v) || *v < 0))
        return err_set(e, RC_INPUT, "it gives %g", *v);
    return rc;
}

/* ---- files ---- */

enum rc plan_read_rates(struct plan *p, const char *path, struct err *e)
{
    struct table t;
    enum rc rc = tsv_read_need(path, "name,value,unit,source", &t, e);
    if (rc)
        return rc;
    for (size_t i = 0; !rc && i < t.n_rows; i++) {
        double v;
        if (!number_parse(table_text(&t, "value", i), &v))
            rc = err_set(e, RC_INPUT, "rate '%s': '%s' is no number", table_text(&t, "name", i),
                         table_text(&t, "value", i));
        else
            rc = plan_rate(p, table_text(&t, "name", i), v, table_text(&t, "unit", i),
                           table_text(&t, "source", i), e);
    }
    table_release(&t);
    return rc ? err_wrap(e, "'%s'", path) : RC_OK;
}

static enum rc add_formula(struct plan *p, const struct table *t, size_t i, struct err *e)
{
    struct plan_row row = { .name = table_text(t, "name", i),
                            .unit = table_text(t, "unit", i),
                            .formula = table_text(t, "formula", i),
                            .source = table_text(t, "source", i) };
    if (!good_name(row.name) || plan_find(p, row.name))
        return err_set(e, RC_INPUT,
                       good_name(row.name) ? "there is a row of that name already"
                                           : "that is no name of a row");
    enum rc rc = work_out(p, row.formula, &row.value, e);
    return rc ? rc : add(p, &row, e);
}

enum rc plan_read_formulas(struct plan *p, const char *path, struct err *e)
{
    struct table t;
    enum rc rc = tsv_read_need(path, "name,unit,formula,source", &t, e);
    if (rc)
        return rc;
    for (size_t i = 0; !rc && i < t.n_rows; i++) {
        rc = add_formula(p, &t, i, e);
        if (rc)
            err_wrap(e, "'%s': row '%s'", path, table_text(&t, "name", i));
    }
    table_release(&t);
    return rc;
}

enum rc plan_write(const struct plan *p, const char *path, struct err *e)
{
    struct textout o;
    enum rc rc = textout_open(&o, path, e);
    if (rc)
        return rc;
    textout_text(&o, "kind\tname\tvalue\tunit\tformula\tsource\n");
    for (size_t i = 0; i < p->n; i++)
        textout_put(&o, "%s\t%s\t%.6g\t%s\t%s\t%s\n", p->row[i].rate ? "rate" : "result",
                    p->row[i].name, p->row[i].value, p->row[i].unit, p->row[i].formula,
                    p->row[i].source);
    return textout_close(&o, e);
}

enum rc plan_write_rates(const struct plan *p, const char *path, struct err *e)
{
    struct textout o;
    enum rc rc = textout_open(&o, path, e);
    if (rc)
        return rc;
    textout_text(&o, "name\tvalue\tunit\tsource\n");
    for (size_t i = 0; i < p->n; i++)
        if (p->row[i].rate)
            textout_put(&o, "%s\t%.6g\t%s\t%s\n", p->row[i].name, p->row[i].value, p->row[i].unit,
                        p->row[i].source);
    return textout_close(&o, e);
}

/* 2.31 TB; other units keep their name. */
static void print_value(const struct plan_row *r, char *to, size_t n)
{
    static const char *const big[] = { "B", "kB", "MB", "GB", "TB", "PB" };
    double v = r->value;
    size_t k = 0;
    if (strcmp(r->unit, "B") == 0)
        for (; v >= 1000 && k < 5; v /= 1000)
            k++;
    if (v >= 1e4 && v < 1e9)
        snprintf(to, n, "%.0f %s", v, strcmp(r->unit, "B") ? r->unit : big[k]);
    else
        snprintf(to, n, "%.4g %s", v, strcmp(r->unit, "B") ? r->unit : big[k]);
}

void plan_print(const struct plan *p, FILE *f)
{
    char value[64];
    fprintf(f, "Rates\n");
    for (size_t i = 0; i < p->n; i++)
        if (p->row[i].rate) {
            print_value(&p->row[i], value, sizeof value);
            fprintf(f, "  %-26s %18s  %s\n", p->row[i].name, value, p->row[i].source);
        }
    fprintf(f, "\nPlan\n");
    for (size_t i = 0; i < p->n; i++)
        if (!p->row[i].rate) {
            print_value(&p->row[i], value, sizeof value);
            fprintf(f, "  %-26s %18s  = %s%s%s\n", p->row[i].name, value, p->row[i].formula,
                    *p->row[i].source ? "    " : "", p->row[i].source);
        }
}
