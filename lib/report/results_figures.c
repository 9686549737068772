/* What the stages of the paper's figures left: each figure as SVG, and its data as tables. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/io/lines.h"
#include "lib/report/results.h"

static const struct {
    const char *stage, *goal, *title;
} stages[] = {
    { "fig2", "fig2", "Figures 2, S2 to S4: homologs, deletions of regulators" },
    { "fig3/figures", "fig3", "Figure 3: scale, rivals, species" },
    { "fig4b", "fig4b", "Figure 4b: regulatory networks" },
    { "fig4c", "fig4c", "Figure 4c: doses of drugs" },
    { "fig4d", "fig4d", "Figure 4d: profiles of drugs" },
    { "fig4e", "fig4e", "Figure 4e: sensitivity to dosage" },
    { "fig5", "fig5", "Figure 5: predicted perturbations" },
    { "fig6", "fig6", "Figures 6 and S10: states, steps, candidates" },
};
enum { N_STAGES = sizeof stages / sizeof *stages, MAX_SVG = 8 << 20 };

static bool ends_with(const char *name, const char *end)
{
    const size_t n = strlen(name), k = strlen(end);
    return n > k && strcmp(name + n - k, end) == 0;
}

/* Names become file names and addresses: letters, digits, dots, dashes, underscores. */
static bool is_plain(const char *name)
{
    return name[strspn(
               name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")] == '\0';
}

/* What stands in the SVG's <title>, escaped as it is there; NULL: none that may stand in quotes. */
static const char *title_of(struct results *r, const char *svg)
{
    const char *from = strstr(svg, "<title>");
    const char *to = from ? strstr(from += strlen("<title>"), "</title>") : NULL;
    char *text = to ? arena_get(&r->text, (size_t)(to - from) + 1) : NULL;
    if (!text)
        return NULL;
    memcpy(text, from, (size_t)(to - from));
    text[to - from] = '\0';
    return strpbrk(text, "<\"") ? NULL : text;
}

static enum rc add_svg(struct results *r, struct shown_stage *s, const char *name, struct err *e)
{
    const char *path = results_path(r, "%s/%s", s->stage, name);
    struct shown_svg *more = realloc(s->svg, (s->n_svg + 1) * sizeof *more);
    if (!path || !more)
        return err_set(e, RC_FAIL, "no memory for the figures of '%s'", s->stage);
    s->svg = more;
    more += s->n_svg;
    *more = (struct shown_svg){ .name = name };
    if (file_read(path, MAX_SVG, &more->text, &more->n, e))
        return e->rc;
    s->n_svg++;
    more->title = title_of(r, more->text);
    return RC_OK;
}

static enum rc add_table(struct results *r, struct shown_stage *s, const char *name, struct err *e)
{
    const char *path = results_path(r, "%s/%s", s->stage, name);
    struct shown_table *more = realloc(s->table, (s->n_tables + 1) * sizeof *more);
    if (!path || !more)
        return err_set(e, RC_FAIL, "no memory for the figures of '%s'", s->stage);
    s->table = more;
    more += s->n_tables;
    *more = (struct shown_table){ .name = name };
    enum rc rc = tsv_read(path, '\t', &more->t, e);
    s->n_tables += !rc;
    return rc;
}

static enum rc read_one(struct results *r, struct shown_stage *s, struct err *e)
{
    const char **name = NULL, *folder = results_path(r, "%s", s->stage);
    size_t n = 0;
    enum rc rc = folder ? results_list(r, folder, 'f', &name, &n, e)
                        : err_set(e, RC_FAIL, "no memory for a path");
    for (size_t i = 0; !rc && i < n; i++) {
        if (!is_plain(name[i]))
            s->n_odd++;
        else if (ends_with(name[i], ".svg"))
            rc = add_svg(r, s, name[i], e);
        else if (ends_with(name[i], ".tsv") && strcmp(name[i], "MANIFEST.tsv") != 0)
            rc = add_table(r, s, name[i], e);
    }
    free(name);
    return rc;
}

enum rc results_figures(struct results *r, struct err *e)
{
    r->shown = calloc(N_STAGES, sizeof *r->shown);
    if (!r->shown)
        return err_set(e, RC_FAIL, "no memory for the figures");
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < N_STAGES; i++) {
        struct shown_stage *s = &r->shown[r->n_shown++];
        *s = (struct shown_stage){ stages[i].stage, stages[i].goal, stages[i].title, .svg = NULL };
        const char *path = results_path(r, "%s/MANIFEST.tsv", s->stage);
        if (!path)
            rc = err_set(e, RC_FAIL, "no memory for a path");
        else if (file_exists(path))
            rc = read_one(r, s, e);
    }
    return rc;
}

void results_figures_release(struct results *r)
{
    for (size_t i = 0; i < r->n_shown; i++) {
        for (size_t k = 0; k < r->shown[i].n_svg; k++)
            free(r->shown[i].svg[k].text);
        for (size_t k = 0; k < r->shown[i].n_tables; k++)
            table_release(&r->shown[i].table[k].t);
        free(r->shown[i].svg);
        free(r->shown[i].table);
    }
    free(r->shown);
    r->shown = NULL;
    r->n_shown = 0;
}
