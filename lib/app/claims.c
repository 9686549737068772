#include "lib/app/claims.h"

#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/tool.h"
#include "lib/io/lines.h"

enum { MAX_WORDS = 16 };

const char *claims_say(struct claims_job *j, const char *fmt, ...)
{
    char text[1024];
    va_list list;
    va_start(list, fmt);
    vsnprintf(text, sizeof text, fmt, list);
    va_end(list);
    const char *kept = arena_text(&j->c->text, text);
    if (!kept)
        err_set(j->e, RC_FAIL, "no memory for claims");
    return kept ? kept : "";
}

double claims_number(const void *ctx, const char *id)
{
    const struct claims *c = ctx;
    for (size_t i = 0; i < c->n; i++)
        if (strcmp(c->item[i].id, id) == 0) {
            char *end;
            double v = strtod(c->item[i].number, &end);
            return *end || end == c->item[i].number ? (double)NAN : v;
        }
    return NAN;
}

static void not_here(struct claims_job *j, const char *why)
{
    j->row->verdict = CLAIM_NOT_HERE;
    j->row->text = why;
}

/* --- comparisons ------------------------------------------------------------------------------ */

static bool compares(double x, const char *op, double y)
{
    if (*op == '<')
        return x < y;
    return *op == '>' ? x > y : fabs(x - y) <= 1e-9 * fmax(fabs(x), fabs(y));
}

/* Cuts "EXPR OP EXPR" in place. */
static char *cut_op(char *text, char **right)
{
    for (char *s = text; *s; s++) {
        char *op = strncmp(s, " == ", 4) == 0  ? s
                   : strncmp(s, " < ", 3) == 0 ? s
                   : strncmp(s, " > ", 3) == 0 ? s
                                               : NULL;
        if (op) {
            *op = '\0';
            *right = op + (op[1] == '=' ? 4 : 3);
            return op + 1;
        }
    }
    return NULL;
}

static enum rc check_is(struct claims_job *j, char *text)
{
    char *right, *op = cut_op(text, &right);
    double x, y;
    if (!op)
        return err_set(j->e, RC_INPUT, "claim %s: no ==, < or > in '%s'", j->row->id, text);
    char sign = *op;
    if (claims_expr(text, claims_number, j->c, &x, j->e) ||
        claims_expr(right, claims_number, j->c, &y, j->e))
        return err_wrap(j->e, "claim %s", j->row->id);
    j->row->verdict = compares(x, &sign, y) ? CLAIM_REPRODUCED : CLAIM_CONTRADICTED;
    j->row->ours = claims_say(j, "%.10g", x);
    j->row->text = claims_say(j, "%s %s %s: %.10g, and %.10g", text,
                              sign == '='   ? "=="
                              : sign == '<' ? "<"
                                            : ">",
                              right, x, y);
    j->row->command = "make claims";
    j->row->file = "reference/claims.tsv";
    return j->e->rc;
}

/* A setting that was found, against OP EXPR in w[0], w[1]. */
static enum rc compare_setting(struct claims_job *j, double x, const char *op, const char *expr)
{
    double y;
    if (claims_expr(expr, claims_number, j->c, &y, j->e))
        return err_wrap(j->e, "claim %s", j->row->id);
    j->row->ours = claims_say(j, "%.9g", x);
    if (compares(x, op, y)) {
        j->row->verdict = CLAIM_FOLLOWED;
        j->row->text = claims_say(j, "this run had %.9g as the paper", x);
    } else {
        not_here(j, claims_say(j, "this run had %.9g, where the paper has %.9g", x, y));
    }
    return j->e->rc;
}

/* The number behind an option: "--batch 16" in a text. */
static bool option_in(const char *text, const char *option, double *x)
{
    size_t n = strlen(option);
    for (const char *at = strstr(text, option); at; at = strstr(at + 1, option)) {
        char *end;
        if (at[n] != ' ')
            continue;
        *x = strtod(at + n + 1, &end);
        return end != at + n + 1;
    }
    return false;
}

static enum rc check_param(struct claims_job *j, char *const *w)
{
    size_t at = chain_stage_of(j->results, w[1]);
    j->row->command = claims_say(j, "make %s", w[1]);
    j->row->file = claims_say(j, "%s/" MANIFEST_NAME, w[1]);
    for (size_t i = 0; at != CHAIN_NONE && i < j->results->stage[at].m.n; i++) {
        const struct manifest_row *r = &j->results->stage[at].m.row[i];
        double x;
        if (r->kind == MANIFEST_PARAM && option_in(r->name, w[2], &x))
            return compare_setting(j, x, w[3], w[4]);
    }
    not_here(j, claims_say(j,
                           at == CHAIN_NONE ? "the stage %s has not run"
                                            : "the stage %s does not say it",
                           w[1]));
    return j->e->rc;
}

/* A number below an object: "rules.min_genes". */
static bool json_find(json_t *j, char *keys, double *x)
{
    char *rest = keys;
    for (char *key; j && (key = strtok_r(rest, ".", &rest));)
        j = json_object_get(j, key);
    if (!json_is_number(j) && !json_is_boolean(j))
        return false;
    *x = json_is_boolean(j) ? json_is_true(j) : json_number_value(j);
    return true;
}

/* flag STAGE OPTION */
static enum rc check_flag(struct claims_job *j, char *const *w)
{
    size_t at = chain_stage_of(j->results, w[1]), n = strlen(w[2]);
    j->row->command = claims_say(j, "make %s", w[1]);
    j->row->file = claims_say(j, "%s/" MANIFEST_NAME, w[1]);
    for (size_t i = 0; at != CHAIN_NONE && i < j->results->stage[at].m.n; i++) {
        const struct manifest_row *r = &j->results->stage[at].m.row[i];
        for (const char *s = r->name; r->kind == MANIFEST_PARAM && (s = strstr(s, w[2])); s += n) {
            if ((s > r->name && s[-1] != ' ') || (s[n] && s[n] != ' '))
                continue;
            j->row->verdict = CLAIM_FOLLOWED;
            j->row->ours = claims_say(j, "%s", w[2]);
            j->row->text = claims_say(j, "this run had %s, as the paper", w[2]);
            return j->e->rc;
        }
    }
    not_here(
        j,
        claims_say(j, at == CHAIN_NONE ? "the stage %s has not run" : "the stage %s ran without it",
                   w[1]));
    return j->e->rc;
}

static enum rc check_json(struct claims_job *j, const char *file, char *keys, const char *op,
                          const char *expr)
{
    char *path = text_new("%s/%s", j->results->root, file);
    json_t *json = path ? json_load_file(path, 0, NULL) : NULL;
    double x;
    enum rc rc = RC_OK;
    j->row->file = claims_say(j, "%s", file);
    if (json && json_find(json, keys, &x))
        rc = compare_setting(j, x, op, expr);
    else
        not_here(j, claims_say(j, json ? "'%s' does not say it" : "there is no '%s'", file));
    json_decref(json);
    free(path);
    return rc ? rc : j->e->rc;
}

static enum rc check_report(struct claims_job *j, char *const *w)
{
    /* A stage with a part for each sample: its first. */
    const char *stage = w[1];
    size_t n = strlen(stage);
    for (size_t i = 0; i < j->results->n_stages && chain_stage_of(j->results, stage) == CHAIN_NONE;
         i++)
        if (strncmp(j->results->stage[i].name, w[1], n) == 0 &&
            j->results->stage[i].name[n] == '/' &&
            manifest_find(&j->results->stage[i].m, MANIFEST_OUTPUT, "report.json"))
            stage = j->results->stage[i].name;
    j->row->command = claims_say(j, "make corpus");
    return check_json(j, claims_say(j, "%s/report.json", stage), w[2], w[3], w[4]);
}

static enum rc check_config(struct claims_job *j, char *const *w)
{
    const char *model = chain_model(j->results);
    j->row->command = "make pretrain";
    if (!model) {
        not_here(j, "the stage pretrain has not run");
        return RC_OK;
    }
    return check_json(j, claims_say(j, "%s/config.json", model), w[1], w[2], w[3]);
}

/* "[0.15]" at the end of the option's line of --help. */
static enum rc check_default(struct claims_job *j, char *const *w)
{
    char *path = j->tools ? text_new("%s/%s", j->tools, w[1]) : NULL;
    char *text = path ? tool_says(path) : NULL, *rest = text, *line;
    const size_t n = strlen(w[2]);
    double x = NAN;
    j->row->file = claims_say(j, "%s --help", w[1]);
    j->row->command = j->row->file;
    while (text && (line = strtok_r(rest, "\n", &rest))) {
        const char *at = line + strspn(line, " "), *value = strrchr(line, '[');
        if (strncmp(at, w[2], n) == 0 && at[n] == ' ' && value)
            x = strtod(value + 1, NULL);
    }
    free(path);
    free(text);
    if (!isnan(x))
        return compare_setting(j, x, w[3], w[4]);
    not_here(j, claims_say(j, "'%s' does not say its default of %s", w[1], w[2]));
    return j->e->rc;
}

static enum rc check_higher(struct claims_job *j, char *const *w, size_t n)
{
    struct claims_higher h;
    const char *goal = strcmp(w[1], "fig3/scores/...") == 0 ? "fig3" : w[1];
    if (claims_higher(j->results, w[1], w[2], w[3], w[4], n > 5 ? w[5] : NULL, &h, j->e))
        return err_wrap(j->e, "claim %s", j->row->id);
    j->row->command = claims_say(j, "make %s", goal);
    j->row->file = claims_say(j, "%s/metrics.tsv", w[1]);
    if (!h.n_pairs) {
        not_here(
            j, claims_say(
                   j, "no scores of %s beside %s%s%s in %s: the stage has not run, or without them",
                   w[3], w[4], n > 5 ? " on data sets of species " : "", n > 5 ? w[5] : "", w[1]));
        return j->e->rc;
    }
    const bool wide = isnan(h.width);
    j->row->ours =
        wide ? claims_say(j, "%+.4f (one seed)", h.mean)
             : claims_say(j, "%+.4f [%+.4f, %+.4f]", h.mean, h.mean - h.width, h.mean + h.width);
    if (h.simulated || chain_stage_of(j->results, "simulate") != CHAIN_NONE) {
        not_here(
            j, claims_say(j,
                          "these cells are simulated: their numbers do not stand for real ones (%s "
                          "less %s, %zu pairs)",
                          w[3], w[4], h.n_pairs));
        return j->e->rc;
    }
    j->row->verdict = !wide && h.mean - h.width > 0   ? CLAIM_TREND
                      : !wide && h.mean + h.width < 0 ? CLAIM_OPPOSITE
                                                      : CLAIM_UNDECIDED;
    j->row->text =
        claims_say(j,
                   "%s less %s, %s of the test cells, %zu pairs over %zu seeds; small models, "
                   "small corpus: a direction at most",
                   w[3], w[4], w[2], h.n_pairs, h.n_seeds);
    return j->e->rc;
}

/* --- a row -------------------------------------------------------------------------------------
 */

static enum rc check_row(struct claims_job *j, const char *check, const char *why)
{
    char text[1024], copy[1024], *w[MAX_WORDS + 1] = { 0 }, *rest = text;
    size_t n = 0;
    if (strlen(check) >= sizeof text)
        return err_set(j->e, RC_INPUT, "claim %s: a check of %zu bytes", j->row->id, strlen(check));
    snprintf(text, sizeof text, "%s", check);
    snprintf(copy, sizeof copy, "%s", check);
    bool not_it;
    if (claims_check(j, text, &not_it) || !not_it)
        return j->e->rc;
    for (char *s; n < MAX_WORDS && (s = strtok_r(rest, " ", &rest));)
        w[n++] = s;
    if (n == 3 && strcmp(w[0], "flag") == 0)
        return check_flag(j, w);
    if (n > 1 && strcmp(w[0], "is") == 0)
        return check_is(j, copy + (w[1] - text));
    /* The expression at the end may have blanks. */
    const size_t last = n && strcmp(w[0], "config") == 0 ? 3 : 4;
    const bool setting = n > last && strcmp(w[0], "higher") != 0;
    if (setting) {
        w[last] = copy + (w[last] - text);
        n = last + 1;
    }
    if (n == 5 && strcmp(w[0], "param") == 0)
        return check_param(j, w);
    if (n == 5 && strcmp(w[0], "report") == 0)
        return check_report(j, w);
    if (n == 4 && strcmp(w[0], "config") == 0)
        return check_config(j, w);
    if (n == 5 && strcmp(w[0], "default") == 0)
        return check_default(j, w);
    if ((n == 5 || n == 6) && strcmp(w[0], "higher") == 0)
        return check_higher(j, w, n);
    if (n != 1 || strcmp(w[0], "-") != 0)
        return err_set(j->e, RC_INPUT, "claim %s: no check reads '%s'", j->row->id, check);
    if (!*why || strcmp(why, "-") == 0)
        return err_set(j->e, RC_INPUT, "claim %s: neither a check nor a reason why not",
                       j->row->id);
    not_here(j, why);
    if (strcmp(j->row->status, "X") == 0)
        j->row->verdict = CLAIM_WET;
    return RC_OK;
}

void claims_release(struct claims *c)
{
    free(c->item);
    table_release(&c->t);
    arena_release(&c->text);
    *c = (struct claims){ 0 };
}

enum rc claims_read(struct claims *c, const char *table, const struct chain *results,
                    const char *tools, struct err *e)
{
    static const char columns[] = "id,status,where,claim,number,unit,deviations,check,why";
    *c = (struct claims){ 0 };
    table_init(&c->t, 0);
    arena_init(&c->text, 1 << 14);
    err_clear(e);
    enum rc rc = tsv_read_need(table, columns, &c->t, e);
    c->item = rc ? NULL : calloc(c->t.n_rows + 1, sizeof *c->item);
    if (!rc && !c->item)
        rc = err_set(e, RC_FAIL, "no memory for %zu claims", c->t.n_rows);
    for (size_t i = 0; !rc && i < c->t.n_rows; i++, c->n++)
        c->item[i] = (struct claim){ .id = table_text(&c->t, "id", i),
                                     .status = table_text(&c->t, "status", i),
                                     .where = table_text(&c->t, "where", i),
                                     .claim = table_text(&c->t, "claim", i),
                                     .number = table_text(&c->t, "number", i),
                                     .unit = table_text(&c->t, "unit", i),
                                     .deviations = table_text(&c->t, "deviations", i),
                                     .ours = "",
                                     .text = "",
                                     .command = "",
                                     .file = "" };
    for (size_t i = 0; !rc && i < c->n; i++) {
        struct claims_job j = { c, results, tools, &c->item[i], e };
        if (strcmp(c->item[i].status, "F") != 0)
            rc = check_row(&j, table_text(&c->t, "check", i), table_text(&c->t, "why", i));
    }
    if (rc)
        claims_release(c);
    return rc;
}
