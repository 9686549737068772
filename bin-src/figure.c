/* figure: Figures 2 to 6 of the paper from tables alone. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/tool.h"
#include "lib/io/lines.h"
#include "lib/report/figure_marks.h"
#include "lib/report/figures.h"
#include "lib/report/results.h"
#include "lib/report/summary.h"

static const char *name, *templates, *claims, *label, *kind = "scaling", *metric = "macro_f1",
                                                      *split = "test";
static double line = NAN;
static struct opt_list notes, sets;
static bool released;

static const struct opt opts[] = {
    OPT_CHOICE("kind", &kind, "scaling|methods|marks|density", "what is drawn; see above"),
    OPT_STR("name", &name, "NAME", "of the figure: NAME-01.svg and so on; fig3a"),
    OPT_STR("metric", &metric, "NAME", "methods: the metric"),
    OPT_STR("split", &split, "NAME", "methods: of these rows"),
    OPT_FLAG("as-released", &released, "methods: those as released beside the clean ones"),
    OPT_LIST("sets", &sets, "DATASET", "methods: only these data sets"),
    OPT_STR("label", &label, "TEXT", "marks: what the axis has"),
    OPT_F64("line", &line, "NUM", "marks: an upright line there"),
    OPT_LIST("note", &notes, "TEXT", "under the figure: what was run, a line each"),
    OPT_STR("claims", &claims, "FILE",
            "a table `figure claims text` of what the paper shows; the rows of NAME go under it"),
    OPT_STR("templates", &templates, "DIR", "gnuplot templates; else paper/ beside the program"),
    OPT_END,
};

static const struct tool tool = {
    "figure",
    "TABLE...",
    "Draw Figures 2 to 6 from the tables that tasks wrote",
    "Reads metrics.tsv files, takes means and 95 % intervals (Student's t) over the seeds of all\n"
    "of them, and writes to the folder --out NAME-01.svg, NAME-02.svg, ... and NAME.tsv, the\n"
    "numbers that are drawn, and NAME.tex, a macro for each score. With one seed there is no "
    "interval.\n\n"
    "  scaling   scores against the size of the corpus: methods "
    "SIZE-SPECIES-KINDS-LAYERS+logistic\n"
    "            as lines, size 0 (random weights) and simple methods as level lines\n"
    "  methods   --metric of every method, a figure per data set\n\n"
    "Two kinds take one table of another form, and copy it:\n\n"
    "  marks     a table row, series, value, low, high: a mark for each line\n"
    "  density   densities.tsv of homology, a figure for each type of cell\n\n"
    "  figure results/small/fig3/scores/*/metrics.tsv --kind scaling --name fig3a --out figures",
    opts,
    1,
    -1
};

enum { MAX_NOTES = 24 };

/* The notes of the call, then what the paper shows. The texts behind them are *owned's. */
static enum rc all_notes(const char *note[MAX_NOTES], size_t *n, char *owned[MAX_NOTES],
                         size_t *n_owned, struct err *e)
{
    struct table t;
    *n = *n_owned = 0;
    for (int i = 0; i < notes.n && *n < MAX_NOTES; i++)
        note[(*n)++] = notes.item[i];
    if (!claims)
        return RC_OK;
    if (tsv_read_need(claims, "figure,claims,text", &t, e))
        return e->rc;
    const struct column *figure = table_find(&t, "figure"), *ids = table_find(&t, "claims");
    const struct column *text = table_find(&t, "text");
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < t.n_rows && *n < MAX_NOTES; i++) {
        if (strcmp(figure->text[i], name) != 0)
            continue;
        char *s = text_new("The paper (%s): %s.", ids->text[i], text->text[i]);
        if (s)
            note[(*n)++] = owned[(*n_owned)++] = s;
        else
            rc = err_set(e, RC_FAIL, "no memory for a note");
    }
    table_release(&t);
    return rc;
}

static enum rc draw(struct figure *f, double top, const char *out, struct err *e)
{
    const char *note[MAX_NOTES];
    char *owned[MAX_NOTES], *path = text_new("%s/%s.svg", out, f->name);
    size_t n, n_owned;
    struct markup svg = { 0 };
    enum rc rc = all_notes(note, &n, owned, &n_owned, e);
    if (!rc && !path)
        rc = err_set(e, RC_FAIL, "no memory for a path");
    if (!rc) {
        figure_notes(f, note, n, top);
        rc = figure_draw(f, templates, strcmp(kind, "methods") == 0 ? "bars" : kind, &svg, e);
    }
    if (!rc)
        rc = figure_save(&svg, path, e);
    for (size_t i = 0; i < n_owned; i++)
        free(owned[i]);
    markup_release(&svg);
    free(path);
    return rc;
}

static bool wanted(const char *dataset)
{
    for (int i = 0; i < sets.n; i++)
        if (strcmp(sets.item[i], dataset) == 0)
            return true;
    return !sets.n;
}

static enum rc draw_scaling(const struct results *r, const char *out, size_t *n, struct err *e)
{
    char each[64];
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < scaling_count(r); i++) {
        struct figure f;
        double top;
        snprintf(each, sizeof each, "%.40s-%02zu", name, i + 1);
        if (!scaling_fill(r, i, each, &f, &top))
            continue;
        rc = draw(&f, top, out, e);
        (*n)++;
        figure_release(&f);
    }
    return rc;
}

/* Scores are sorted by data set. */
static enum rc draw_methods(const struct results *r, const char *out, size_t *n, struct err *e)
{
    char each[64];
    const char *last = "";
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < r->scores.n; i++) {
        struct figure f;
        double top;
        const char *dataset = r->scores.s[i].dataset;
        if (strcmp(dataset, last) == 0 || !wanted(dataset))
            continue;
        last = dataset;
        snprintf(each, sizeof each, "%.40s-%02zu", name, *n + 1);
        if (!methods_fill(r, dataset, metric, split, released, each, &f, &top))
            continue;
        rc = draw(&f, top, out, e);
        (*n)++;
        figure_release(&f);
    }
    return rc;
}

static enum rc draw_marks(const struct table *t, const char *out, size_t *n, struct err *e)
{
    char each[64];
    struct figure f;
    double top;
    snprintf(each, sizeof each, "%.40s-01", name);
    enum rc rc = marks_fill(t, each, label ? label : name, line, &f, &top, e);
    if (rc)
        return rc;
    rc = draw(&f, top, out, e);
    figure_release(&f);
    *n = 1;
    return rc;
}

static enum rc draw_densities(const struct table *t, const char *out, size_t *n, struct err *e)
{
    char each[64];
    const char *dataset, *type;
    enum rc rc = RC_OK;
    for (size_t row = 0; !rc && density_next(t, &row, &dataset, &type);) {
        struct figure f;
        double top;
        snprintf(each, sizeof each, "%.40s-%02zu", name, *n + 1);
        rc = density_fill(t, dataset, type, each, &f, &top, e);
        if (rc)
            break;
        rc = draw(&f, top, out, e);
        (*n)++;
        figure_release(&f);
    }
    return rc;
}

/* The kinds that read a table of their own. */
static enum rc draw_table(const char *path, const char *out, size_t *n, struct err *e)
{
    const bool marks = strcmp(kind, "marks") == 0;
    struct table t;
    enum rc rc = tsv_read_need(
        path, marks ? "row,series,value,low,high" : "dataset,method,type,group,cosine_from,n", &t,
        e);
    if (rc)
        return rc;
    rc = marks ? draw_marks(&t, out, n, e) : draw_densities(&t, out, n, e);
    if (rc)
        err_wrap(e, "'%s'", path);
    table_release(&t);
    char *copy = rc || !*n ? NULL : text_new("%s/%s.tsv", out, name);
    if (copy)
        rc = file_copy(path, copy, e);
    free(copy);
    return rc;
}

static enum rc write_data(const struct results *r, const char *out, struct err *e)
{
    struct outfile o;
    char *path = text_new("%s/%s.tsv", out, name);
    if (!path)
        return err_set(e, RC_FAIL, "no memory for a path");
    enum rc rc = outfile_open(&o, path, e);
    free(path);
    if (rc)
        return rc;
    fputs("task\tdataset\tmethod\tvariant\tsplit\tmetric\tn_seeds\tmean\tlow\thigh\tn\n", o.f);
    for (size_t i = 0; i < r->scores.n; i++) {
        const struct score *s = &r->scores.s[i];
        if (!wanted(s->dataset))
            continue;
        fprintf(o.f, "%s\t%s\t%s\t%s\t%s\t%s\t%zu\t%.9g\t", s->task, s->dataset, s->method,
                s->variant, s->split, s->metric, s->n_seeds, s->mean);
        if (isnan(s->lo))
            fputs("-\t-\t", o.f);
        else
            fprintf(o.f, "%.9g\t%.9g\t", s->lo, s->hi);
        fprintf(o.f, "%.0f\n", s->n);
    }
    return outfile_commit(&o, e);
}

static enum rc write_macros(const struct results *r, const char *out, struct err *e)
{
    struct markup m = { 0 };
    char *path = text_new("%s/%s.tex", out, name);
    enum rc rc = path ? scores_tex(r, &m, e) : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc)
        rc = markup_save(&m, path, e);
    markup_release(&m);
    free(path);
    return rc;
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    struct results r = { 0 };
    char *dir = NULL;
    size_t n = 0;
    enum rc rc = tool_need_out(a, e);
    if (!rc && !name)
        rc = err_set(e, RC_USAGE, "--name is missing");
    for (const char *s = name; !rc && s && *s; s++)
        if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-", *s))
            rc = err_set(e, RC_USAGE, "--name has small letters, digits and '-' only");
    if (rc)
        return rc;
    const bool own = strcmp(kind, "marks") == 0 || strcmp(kind, "density") == 0;
    if (own && a->arg.n != 1)
        return err_set(e, RC_USAGE, "--kind %s takes one table", kind);
    arena_init(&r.text, 1 << 16);
    if (!own)
        rc = results_score_files(&r, (const char *const *)a->arg.item, (size_t)a->arg.n, e);
    if (!rc)
        rc = figure_templates(templates, &dir, e);
    templates = dir;
    if (!rc)
        rc = folder_make(a->out, e);
    if (!rc)
        rc = own                            ? draw_table(a->arg.item[0], a->out, &n, e)
             : strcmp(kind, "scaling") == 0 ? draw_scaling(&r, a->out, &n, e)
                                            : draw_methods(&r, a->out, &n, e);
    if (!rc && n && !own)
        rc = write_data(&r, a->out, e);
    if (!rc && n && !own)
        rc = write_macros(&r, a->out, e);
    if (!rc)
        log_say("%zu figures in '%s'", n, a->out);
    free(dir);
    results_release(&r);
    return rc;
}

int main(int argc, char **argv)
{
    const int status = tool_main(&tool, run, argc, argv);
    free(notes.item);
    free(sets.item);
    return status;
}
