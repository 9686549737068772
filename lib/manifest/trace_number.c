/* A number of the paper: the line of numbers.tex that has it, and the places that it was taken
 * from.
 *
 *   \newcommand{\gcCellsKept}{935}% report/numbers.tex:6 75e3... annotate/metrics.tsv:17,45 a93b...
 *
 * Behind the last "}% " come pairs of FILE:PLACE and SHA256, blanks and the like as %XX. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/percent.h"
#include "lib/io/lines.h"
#include "lib/io/markup.h"
#include "lib/manifest/trace_parts.h"

void trace_number_release(struct trace_number *n)
{
    free(n->text);
    free(n->source);
    *n = (struct trace_number){ 0 };
}

/* "\newcommand{\NAME}{" at the start of a line. */
static bool has_name(const char *text, const char *name)
{
    const size_t n = strlen(name);
    const char *at = markup_macro_name(text);
    return at && strncmp(at, name, n) == 0 && at[n] == '}';
}

/* Pairs FILE:PLACE SHA256 behind the comment sign. */
static enum rc cut_sources(struct trace_number *n, char *at, const char *path, size_t line,
                           struct err *e)
{
    char *rest = NULL;
    n->source = calloc(strlen(at) / 2 + 1, sizeof *n->source);
    if (!n->source)
        return err_set(e, RC_FAIL, "no memory for a number");
    for (char *word = strtok_r(at, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        char *colon = strchr(word, ':'), *sum = strtok_r(NULL, " ", &rest);
        if (colon)
            *colon++ = '\0';
        if (!colon || !*word || !*colon || !sum || !percent_decode(word) || !percent_decode(colon))
            return err_set(e, RC_INPUT, "'%s': line %zu does not say FILE:PLACE SHA256", path,
                           line);
        n->source[n->n_sources++] = (struct trace_source){ word, colon, sum };
    }
    return RC_OK;
}

enum rc trace_number_read(struct trace_number *n, const char *path, size_t line, const char *name,
                          struct err *e)
{
    struct lines f;
    bool more = true;
    *n = (struct trace_number){ 0 };
    enum rc rc = lines_open(&f, path, e);
    if (rc)
        return rc;
    while (!rc && !n->text && !(rc = lines_next(&f, &more, e)) && more)
        if (name ? has_name(f.text, name) : f.number == line) {
            n->line = f.number;
            n->text = text_new("%s", f.text);
            rc = n->text ? RC_OK : err_set(e, RC_FAIL, "no memory for a line of '%s'", path);
        }
    lines_close(&f);
    if (!rc && !n->text)
        rc = name ? err_set(e, RC_INPUT, "'%s' has no number '%s'", path, name)
                  : err_set(e, RC_INPUT, "'%s' has no line %zu", path, line);
    /* The last one: a value may hold \%. */
    char *comment = NULL;
    for (char *s = n->text; !rc && s && (s = strstr(s, "% ")) != NULL; s++)
        if (s > n->text && s[-1] == '}')
            comment = s;
    n->name = n->value = "";
    if (!rc && comment) {
        *comment = '\0';
        markup_cut_macro(n->text, (size_t)(comment - n->text), &n->name, &n->value);
        rc = cut_sources(n, comment + 2, path, n->line, e);
    }
    if (rc)
        trace_number_release(n);
    return rc;
}

/* --- the answer ---------------------------------------------------------------------------------
 */

static bool is_table(const char *file)
{
    const size_t n = strlen(file);
    return n > 4 && strcmp(file + n - 4, ".tsv") == 0;
}

/* A place of a number: rows of a table, or a key. *same false: the sum is not that of the manifest.
 */
static enum rc put_place(const struct trace *t, const struct trace_source *x, char sample[256],
                         size_t *n_rows, bool *same, struct err *e)
{
    const struct manifest_row *row = chain_output(t->c, x->file, NULL);
    char *label = text_new("%s:%s", x->file, x->place);
    enum rc rc = label ? RC_OK : err_set(e, RC_FAIL, "no memory for a place");
    const bool is = !row || strcmp(row->sha256, x->sha256) == 0;
    if (!rc)
        trace_put(t, "from", label, NULL, x->sha256,
                  !row ? "in no manifest"
                  : is ? "as in its manifest"
                       : "is NOT what its manifest says");
    *same = *same && is;
    size_t n = 0, left = 0;
    for (const char *s = x->place; !rc && row && is_table(x->file) && *s >= '0' && *s <= '9';) {
        const size_t line = strtoul(s, NULL, 10);
        char only[256];
        if (n++ >= t->max_rows) {
            left++;
        } else if (!(rc = trace_the_row(t, x->file, line, only, e)) && (*n_rows)++ == 0) {
            snprintf(sample, 256, "%s", only);
        } else if (!rc && strcmp(sample, only) != 0) {
            sample[0] = '\0'; /* rows of several: nothing is narrowed */
        }
        s += strspn(s, "0123456789");
        s += *s == ',';
    }
    if (left)
        fprintf(t->out, "row\t%zu more of %s\t-\t-\t-\n", left, x->file);
    free(label);
    return rc;
}

/* Adds the stage of a file to the list; a file of the checkout has none. */
static void add_stage(const struct chain *c, const char *file, size_t *from, size_t *n)
{
    size_t at = CHAIN_NONE;
    if (!chain_output(c, file, &at) && (at = chain_read_stage(c, file)) == CHAIN_NONE)
        return;
    for (size_t i = 0; i < *n; i++)
        if (from[i] == at)
            return;
    from[(*n)++] = at;
}

/* The places of a number and what lies behind them, not all that the paper was made from. A number
 * that tells no place leads to its stage. */
enum rc trace_number_put(const struct trace *t, const char *name, const struct trace_number *x,
                         size_t stage, bool *same, struct err *e)
{
    size_t *from = calloc(x->n_sources + 1, sizeof *from), n = 0, n_rows = 0;
    char *label = text_new("%s:%zu", name, x->line), sample[256] = "";
    enum rc rc = from && label ? RC_OK : err_set(e, RC_FAIL, "no memory for a number");
    if (!rc && *x->name) {
        char *words = text_new("\\%s = %s", x->name, x->value);
        trace_put(t, "number", label, NULL, NULL, words);
        free(words);
    }
    for (size_t i = 0; !rc && i < x->n_sources; i++) {
        rc = put_place(t, &x->source[i], sample, &n_rows, same, e);
        add_stage(t->c, x->source[i].file, from, &n);
    }
    if (!rc && !n)
        from[n++] = stage;
    if (!rc)
        rc = trace_stages(t, from, n, sample, e);
    free(label);
    free(from);
    return rc;
}
