/* What the commands of the text stand for: rows of tables whose numbers are facts, and lists of
 * figures. Each becomes \gcset{COMMAND!ARG!ARG}{TEX}, once. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/io/lines.h"
#include "lib/report/facts_scores.h"
#include "lib/report/figures.h"
#include "lib/report/paper.h"

/* True when it stands in numbers.tex already, or on trouble, which is in *rc. */
static bool begun(struct paper *p, const char *command, const char *const *arg, int n,
                  struct markup *head, enum rc *rc, struct err *e)
{
    uint64_t old = MAP_NONE;
    *head = (struct markup){ 0 };
    markup_raw(head, command);
    for (int i = 0; i < n; i++)
        markup_fmt(head, "!%s", arg[i]);
    *rc = markup_ok(head, e);
    if (!*rc)
        *rc = map_add(&p->written, head->s, 1, &old, e);
    return *rc || old != MAP_NONE;
}

/* Facts were written before their table: TeX wants to know them first. */
static enum rc finish(struct paper *p, const struct markup *head, const struct markup *body,
                      struct err *e)
{
    enum rc rc = markup_ok(body, e);
    if (!rc)
        markup_fmt(&p->out, "\\gcset{%s}{%%\n%s}\n", head->s, body->n ? body->s : "");
    return rc;
}

/* --- \gctable
 * -------------------------------------------------------------------------------------- */

struct rows {
    struct paper *p;
    const char *file;
    const struct table *t;
    const struct column *col[16];
    size_t n_cols;
    struct markup body;
};

static bool is_number(const char *text, double *x)
{
    char *end;
    *x = strtod(text, &end);
    return end != text && !*end && isfinite(*x);
}

/* The fact of a cell: FILE, first field, column; where another has that name, the line behind it.
 */
static enum rc add_cell(struct rows *r, size_t row, size_t col, double x, struct err *e)
{
    char value[64], line[32];
    snprintf(line, sizeof line, "%zu", row + 2);
    const char *first = r->col[0]->text[row];
    const char *const part[] = { r->file, first ? first : "", r->col[col]->name, line };
    const size_t n_parts = col ? 3 : 4;
    const char *source = facts_source(r->p->f, r->file, line);
    const char *name = facts_name(r->p->f, part, n_parts);
    const struct fact *old = name ? facts_find(r->p->f, name) : NULL;
    if (old && source && strcmp(old->source, source) != 0)
        name = facts_name(r->p->f, part, 4);
    facts_number(value, sizeof value, x);
    enum rc rc = name && source ? facts_add_tex(r->p->f, name, value, source, e)
                                : err_set(e, RC_FAIL, "no memory for a table");
    if (!rc)
        rc = paper_use(r->p, name, e);
    if (!rc)
        markup_fmt(&r->body, "\\%s{}", name);
    return rc;
}

static enum rc add_row(struct rows *r, size_t row, struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t k = 0; !rc && k < r->n_cols; k++) {
        const char *text = r->col[k]->text[row];
        double x;
        markup_raw(&r->body, k ? " & " : "");
        if (text && is_number(text, &x))
            rc = add_cell(r, row, k, x, e);
        else if (!text || !*text || strcmp(text, "-") == 0 || strcmp(text, "nan") == 0)
            markup_raw(&r->body, "--");
        else
            markup_tex(&r->body, text);
    }
    markup_raw(&r->body, "\\\\\n");
    return rc;
}

/* Columns of the list, and the one to pick rows by with its value (NULL: all rows). */
static enum rc find_columns(struct rows *r, char *list, char *pick, const struct column **by,
                            const char **value, struct err *e)
{
    char *rest = NULL, *equal = strchr(pick, '=');
    for (char *name = strtok_r(list, ",", &rest); name; name = strtok_r(NULL, ",", &rest)) {
        if (r->n_cols == sizeof r->col / sizeof *r->col)
            return err_set(e, RC_INPUT, "'%s': too many columns", r->file);
        r->col[r->n_cols] = table_find(r->t, name);
        if (!r->col[r->n_cols++])
            return err_set(e, RC_INPUT, "'%s' has no column '%s'", r->file, name);
    }
    if (!r->n_cols)
        return err_set(e, RC_INPUT, "'%s': no columns are named", r->file);
    *by = NULL;
    if (!*pick)
        return RC_OK;
    if (!equal)
        return err_set(e, RC_INPUT, "'%s': rows are picked by COLUMN=VALUE", r->file);
    *equal = '\0';
    *value = equal + 1;
    *by = table_find(r->t, pick);
    return *by ? RC_OK : err_set(e, RC_INPUT, "'%s' has no column '%s'", r->file, pick);
}

static enum rc all_rows(struct rows *r, const char *columns, const char *which, struct err *e)
{
    char *list = text_new("%s", columns), *pick = text_new("%s", which);
    const struct column *by = NULL;
    const char *value = "";
    enum rc rc = list && pick ? find_columns(r, list, pick, &by, &value, e)
                              : err_set(e, RC_FAIL, "no memory for a table");
    for (size_t i = 0; !rc && i < r->t->n_rows; i++)
        if (!by || (by->text[i] && strcmp(by->text[i], value) == 0))
            rc = add_row(r, i, e);
    free(pick);
    free(list);
    return rc;
}

enum rc paper_table(struct paper *p, const char *const arg[], struct err *e)
{
    struct markup head;
    struct table t;
    enum rc rc;
    char *path = NULL;
    if (!begun(p, "table", arg, 3, &head, &rc, e)) {
        path = text_new("%s/%s", p->f->c->root, arg[0]);
        rc = path ? tsv_read(path, '\t', &t, e) : err_set(e, RC_FAIL, "no memory for a path");
        struct rows r = { .p = p, .file = arg[0], .t = &t };
        if (!rc) {
            rc = all_rows(&r, arg[1], arg[2], e);
            table_release(&t);
        }
        if (!rc)
            rc = finish(p, &head, &r.body, e);
        markup_release(&r.body);
    }
    free(path);
    markup_release(&head);
    return rc;
}

/* --- \gcscores, \gcversus
 * ------------------------------------------------------------------------------- */

/* The data set of a score, with its split where rows of several stand in one table. */
static void set_words(const struct score *s, bool split, char *to, size_t room)
{
    snprintf(to, room, "%s%s%s", s->dataset, split ? ", " : "", split ? s->split : "");
}

static enum rc score_row(struct paper *p, const char *stage, const struct score *s, const char *set,
                         bool again, struct markup *body, struct err *e)
{
    const char *name = score_fact_name(p->f, stage, s);
    char *interval = name ? text_new("%sInterval", name) : NULL;
    enum rc rc = interval ? paper_use(p, name, e) : err_set(e, RC_FAIL, "no memory for a table");
    if (!rc)
        rc = paper_use(p, interval, e);
    if (!rc) {
        if (!again) {
            markup_raw(body, body->n ? "\\gcrule\\gchead{" : "\\gchead{");
            markup_tex(body, set);
            markup_raw(body, "}\\\\*\n");
        }
        markup_tex(body, score_method_words(s->method));
        markup_fmt(body, " & \\%s{} & \\%s{}\\\\\n", name, interval);
    }
    free(interval);
    return rc;
}

static enum rc score_rows(struct paper *p, const struct stage_scores *s, const char *const arg[],
                          struct markup *body, struct err *e)
{
    char set[512], last[512] = "";
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < stage_scores_count(s); i++) {
        const struct score *x = stage_score(s, i);
        if (strcmp(x->metric, arg[1]) != 0 || strcmp(x->variant, "clean") != 0 ||
            (*arg[2] && strcmp(x->split, arg[2]) != 0))
            continue;
        set_words(x, !*arg[2], set, sizeof set);
        rc = score_row(p, arg[0], x, set, strcmp(set, last) == 0, body, e);
        snprintf(last, sizeof last, "%s", set);
    }
    if (!rc && !body->n && stage_scores_count(s))
        return err_set(e, RC_INPUT, "'%s' has no clean scores '%s' on '%s'", arg[0], arg[1],
                       arg[2]);
    if (!body->n) /* it ran, and this profile has nothing for it */
        markup_raw(body, "no data set in this run & -- & --\\\\\n");
    return rc;
}

enum rc paper_scores(struct paper *p, const char *const arg[], struct err *e)
{
    struct markup head, body = { 0 };
    struct stage_scores s;
    enum rc rc;
    if (!begun(p, "scores", arg, 3, &head, &rc, e)) {
        rc = stage_scores_read(&s, p->f->c, arg[0], e);
        if (!rc) {
            rc = score_rows(p, &s, arg, &body, e);
            stage_scores_release(&s);
        }
        if (!rc)
            rc = finish(p, &head, &body, e);
        markup_release(&body);
    }
    markup_release(&head);
    return rc;
}

/* All metrics.tsv of a stage and its seeds. */
static const char *sources_of(struct paper *p, const char *stage, const char *place, struct err *e)
{
    struct stage_scores s;
    struct markup m = { 0 };
    if (stage_scores_read(&s, p->f->c, stage, e))
        return NULL;
    for (size_t i = 0; i < s.n_files; i++) {
        const char *one = facts_source(p->f, s.file[i], place);
        m.failed |= !one;
        markup_fmt(&m, "%s%s", i ? " " : "", one ? one : "");
    }
    const char *source = m.failed || !m.n ? NULL : arena_text(&p->f->text, m.s);
    stage_scores_release(&s);
    markup_release(&m);
    if (!source)
        err_set(e, RC_INPUT, "'%s' has no scores", stage);
    return source;
}

enum rc paper_versus(struct paper *p, const char *const arg[], struct err *e)
{
    struct markup head, body = { 0 };
    char words[256];
    enum rc rc;
    if (!begun(p, "versus", arg, 4, &head, &rc, e)) {
        const char *const part[] = { arg[0], "versus", arg[1], arg[2], "over", arg[3] };
        const char *name = facts_name(p->f, part, 6), *source = sources_of(p, arg[0], arg[1], e);
        rc = !source ? e->rc
                     : p->versus(p->f->c, arg[0], arg[1], arg[2], arg[3], words, sizeof words, e);
        if (!rc)
            rc = facts_add(p->f, part, 6, words, source, e);
        if (!rc)
            rc = paper_use(p, name, e);
        markup_fmt(&body, "\\%s{}%%\n", name ? name : "");
        if (!rc)
            rc = finish(p, &head, &body, e);
        markup_release(&body);
    }
    markup_release(&head);
    return rc;
}

/* --- \gcfigures
 * ---------------------------------------------------------------------------------------- */

char *paper_figure_name(const char *path)
{
    char *name = text_new("%.*s", (int)(strlen(path) - strlen(".svg")), path);
    for (char *s = name; s && *s; s++)
        if (*s == '/')
            *s = '-';
    return name;
}

static enum rc add_figure(struct paper *p, const char *path, struct markup *body, struct err *e)
{
    const char **more = realloc(p->figure, (p->n_figures + 1) * sizeof *more);
    const char *source = facts_source(p->f, path, "figure");
    char *name = paper_figure_name(path);
    if (more)
        p->figure = more;
    enum rc rc = more && source && name ? RC_OK : err_set(e, RC_FAIL, "no memory for a figure");
    if (!rc) {
        p->figure[p->n_figures++] = path;
        markup_fmt(body, "\\gcdraw{%s}%% %s\n", name, source);
    }
    free(name);
    return rc;
}

enum rc paper_figures(struct paper *p, const char *const arg[], struct err *e)
{
    struct markup head, body = { 0 };
    enum rc rc;
    if (!begun(p, "figures", arg, 1, &head, &rc, e)) {
        for (size_t i = 0; !rc && i < p->f->c->n_files; i++) {
            const char *path = p->f->c->file[i].path, *end = strrchr(path, '.');
            const size_t stage = p->f->c->file[i].stage;
            if (stage != CHAIN_NONE && facts_has_stage(p->f->c, stage) && end &&
                strcmp(end, ".svg") == 0 && strncmp(path, arg[0], strlen(arg[0])) == 0 &&
                chain_output(p->f->c, path, NULL))
                rc = add_figure(p, path, &body, e);
        }
        if (!rc && !body.n)
            rc = err_set(e, RC_INPUT, "the results have no figure '%s*.svg'", arg[0]);
        if (!rc)
            rc = finish(p, &head, &body, e);
        markup_release(&body);
    }
    markup_release(&head);
    return rc;
}

/* --- claims
 * ------------------------------------------------------------------------------------------- */

enum rc paper_claims(struct facts *f, const char *const *verdict, size_t n_verdicts, struct err *e)
{
    static const char file[] = "paper/claims/claims.tsv";
    char *path = text_new("%s/%s", f->c->root, file), text[64];
    struct table t;
    if (!path || !file_exists(path)) {
        free(path);
        return err_set(e, RC_INPUT,
                       "there is no '%s': `claims RESULTS --out RESULTS/paper/claims` makes it",
                       file);
    }
    enum rc rc = tsv_read_need(path, "verdict", &t, e);
    free(path);
    if (rc)
        return rc;
    const char *source = facts_source(f, file, "verdict");
    const char *const all[] = { "claims" };
    facts_number(text, sizeof text, (double)t.n_rows);
    rc = facts_add(f, all, 1, text, source, e);
    for (size_t v = 0; !rc && v < n_verdicts; v++) {
        const char *const part[] = { "claims", verdict[v] };
        size_t n = 0;
        for (size_t i = 0; i < t.n_rows; i++) {
            const char *is = table_find(&t, "verdict")->text[i];
            n += is && strcmp(is, verdict[v]) == 0;
        }
        facts_number(text, sizeof text, (double)n);
        rc = facts_add(f, part, 2, text, source, e);
    }
    table_release(&t);
    return rc;
}
