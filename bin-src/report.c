/* report: pages and figures from what the stages left. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/claims.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/tool.h"
#include "lib/io/json.h"
#include "lib/report/claims_page.h"
#include "lib/report/figures.h"
#include "lib/report/page.h"
#include "lib/report/results.h"
#include "lib/report/summary.h"

static const char *profile, *templates, *stages, *claims;

static const struct opt opts[] = {
    OPT_STR("profile", &profile, "NAME", "name of the run, for the title and the commands"),
    OPT_STR("stages", &stages, "A,B,..",
            "look at these folders of RESULTS alone; else at all that are there"),
    OPT_STR("claims", &claims, "FILE", "table of claims (reference/claims.tsv), for claims.html"),
    OPT_STR("templates", &templates, "DIR",
            "report.css and the gnuplot templates; else paper/ beside the program"),
    OPT_END,
};

static const struct tool tool = {
    "report",
    "RESULTS",
    "Make pages with figures from the results of a run",
    "Reads what the stages left in RESULTS and writes to --out:\n\n"
    "  index.html    the first page\n"
    "  figures.html  the figures of the paper, as their stages drew them, with their numbers\n"
    "  claims.html   with --claims: what these results say of each claim of the paper\n"
    "  NAME.svg      its figures, drawn by gnuplot\n"
    "  numbers.tex   a macro for every number, \\gcCellsKept and so on\n\n"
    "  report results/demo --out results/demo/report --profile demo\n\n"
    "--stages: other folders come into nothing, so a stage that is made later changes no\n"
    "byte of the page. A stage that has not run is said on the page; a file that is broken is "
    "refused. The\n"
    "page holds no time and no path: equal results give an equal page.",
    opts,
    1,
    1
};

static enum rc save(const struct markup *m, const char *out, const char *name, struct err *e)
{
    char *path = text_new("%s/%s", out, name);
    enum rc rc = path ? markup_save(m, path, e) : err_set(e, RC_FAIL, "no memory for a path");
    free(path);
    return rc;
}

/* figures.html first, index.html last: a first page that is there has all that it leads to. */
static enum rc write_pages(const struct page *p, const char *dir, const char *out, struct err *e)
{
    char *path = text_new("%s/report.css", dir), *css = NULL;
    size_t n;
    struct markup figures = { 0 };
    const struct page second = { &figures, p->r, p->s, p->figures, p->claims };
    enum rc rc =
        path ? file_read(path, 1 << 20, &css, &n, e) : err_set(e, RC_FAIL, "no memory for a path");
    if (rc)
        rc = e->rc = RC_FAIL; /* a part of the program, not of the data */
    else
        rc = page_write_figures(&second, css, e);
    if (!rc)
        rc = save(&figures, out, "figures.html", e);
    if (!rc)
        rc = page_write(p, css, e);
    if (!rc)
        rc = save(p->html, out, "index.html", e);
    markup_release(&figures);
    free(css);
    free(path);
    return rc;
}

static bool is_named(const void *ctx, const char *stage)
{
    return results_has(ctx, stage);
}

/* claims.html, from the stages that the other pages are made from. */
static enum rc write_claims(const struct results *r, const char *out, struct err *e)
{
    char tools[4096];
    struct chain chain;
    struct claims all;
    if (chain_read(&chain, r->folder, e))
        return e->rc;
    enum rc rc = chain_keep(&chain, is_named, r, e);
    if (!rc)
        rc = claims_read(&all, claims, &chain, tool_folder(tools, sizeof tools), e);
    if (!rc) {
        struct markup m = { 0 };
        claims_page(&m, all.item, all.n);
        rc = save(&m, out, "claims.html", e);
        markup_release(&m);
        claims_release(&all);
    }
    chain_release(&chain);
    return rc;
}

/* The figures that stages drew, as they are. */
static enum rc copy_figures(const struct results *r, const char *out, struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; i < r->n_shown; i++)
        for (size_t k = 0; !rc && k < r->shown[i].n_svg; k++) {
            struct markup m = { 0 };
            markup_bytes(&m, r->shown[i].svg[k].text, r->shown[i].svg[k].n);
            rc = save(&m, out, r->shown[i].svg[k].name, e);
            markup_release(&m);
        }
    return rc;
}

/* What was found, for scripts: the numbers of the headline. */
static enum rc write_report(const char *path, const struct results *r, const struct figures *f,
                            size_t page_bytes, struct err *e)
{
    return json_write(path,
                      json_pack("{s:I,s:I,s:I,s:I,s:I,s:I}", "n_samples", (json_int_t)r->n_samples,
                                "n_inputs", (json_int_t)r->inputs.n_used, "n_left_out",
                                (json_int_t)r->inputs.n_left_out, "n_scores",
                                (json_int_t)r->scores.n, "n_figures", (json_int_t)f->n,
                                "page_bytes", (json_int_t)page_bytes),
                      e);
}

static enum rc write_all(const struct tool_args *a, const struct results *r, const char *dir,
                         struct err *e)
{
    struct summary s;
    struct figures figures = { 0 };
    struct markup html = { 0 }, tex = { 0 };
    summary_make(&s, r);
    const struct page page = { &html, r, &s, &figures, claims != NULL };
    enum rc rc = figures_draw(&figures, r, dir, e);
    if (!rc)
        rc = numbers_tex(r, &s, &tex, e);
    if (!rc)
        rc = folder_make(a->out, e);
    if (!rc)
        rc = figures_save(&figures, a->out, e);
    if (!rc)
        rc = save(&tex, a->out, "numbers.tex", e);
    if (!rc)
        rc = copy_figures(r, a->out, e);
    if (!rc && claims)
        rc = write_claims(r, a->out, e);
    if (!rc) /* last: a page that is there is whole */
        rc = write_pages(&page, dir, a->out, e);
    if (!rc && a->report)
        rc = write_report(a->report, r, &figures, html.n, e);
    if (!rc)
        log_say("%zu figures and a page of %zu kB in '%s'", figures.n, html.n / 1000, a->out);
    figures_release(&figures);
    markup_release(&html);
    markup_release(&tex);
    return rc;
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    struct results r;
    char *dir = NULL;
    enum rc rc = tool_need_out(a, e);
    if (!rc)
        rc = results_read(&r, a->arg.item[0], profile, stages, e);
    if (rc)
        return rc;
    rc = figure_templates(templates, &dir, e);
    if (!rc)
        rc = write_all(a, &r, dir, e);
    free(dir);
    results_release(&r);
    return rc;
}

int main(int argc, char **argv)
{
    return tool_main(&tool, run, argc, argv);
}
