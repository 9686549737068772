/* paper: the paper as a PDF, every number of which is taken from a results folder. */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/claims.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/tool.h"
#include "lib/io/gnuplot.h"
#include "lib/io/latex.h"
#include "lib/report/paper.h"

static const char *text;
static bool no_pdf, list;

static const struct opt opts[] = {
    OPT_STR("text", &text, "DIR", "main.tex and its parts; else paper/ beside the program"),
    OPT_FLAG("no-pdf", &no_pdf, "numbers.tex alone, without LaTeX"),
    OPT_FLAG("list", &list, "print every number that a text may use: name, value, source"),
    OPT_END,
};

static const struct tool tool = {
    "paper",
    "RESULTS",
    "Write the paper of a run: a PDF whose every number is one of its results",
    "Reads the text, looks up each \\gcName that it uses, and writes to --out:\n\n"
    "  numbers.tex    a macro a line, and behind it FILE:PLACE SHA256 of where it stands\n"
    "  paper.pdf      by pdflatex; figures are the SVG files of the results\n"
    "  programs.tsv   versions of the programs that made the PDF\n\n"
    "  claims results/demo --out results/demo/paper/claims\n"
    "  paper results/demo --out results/demo/paper\n"
    "  paper results/demo --list | grep -i loss\n\n"
    "A number that the results do not have is refused by its name and place. A part whose\n"
    "stage has not run is left out and said. RESULTS has paper/claims/claims.tsv already.\n"
    "`trace results/demo/paper/numbers.tex:gcCellsKept` leads from a number to raw files.",
    opts,
    1,
    1
};

/* --- the words of \gcversus ----------------------------------------------------------------------
 */

static enum rc versus(const struct chain *c, const char *stage, const char *metric, const char *a,
                      const char *b, char *words, size_t room, struct err *e)
{
    struct claims_higher h;
    enum rc rc = claims_higher(c, stage, metric, a, b, NULL, &h, e);
    if (!rc && !h.n_pairs) { /* seeds as stages below */
        char *below = text_new("%s/...", stage);
        rc = below ? claims_higher(c, below, metric, a, b, NULL, &h, e)
                   : err_set(e, RC_FAIL, "no memory for a name");
        free(below);
    }
    if (!rc && !h.n_pairs)
        rc =
            err_set(e, RC_INPUT, "'%s' has no pairs of '%s' and '%s' by '%s'", stage, a, b, metric);
    if (rc)
        return rc;
    const double low = h.mean - h.width, high = h.mean + h.width;
    const char *where = h.simulated ? ", on made-up data sets" : "";
    if (isnan(h.width))
        snprintf(words, room, "%+.3f, one seed%s", h.mean, where);
    else
        snprintf(words, room, "%s (%+.3f, %+.3f to %+.3f%s)",
                 low > 0    ? "above"
                 : high < 0 ? "below"
                            : "not told apart",
                 h.mean, low, high, where);
    return RC_OK;
}

/* --- the folder in which TeX works
 * ---------------------------------------------------------------- */

static bool is_text(const char *name)
{
    const char *end = strrchr(name, '.');
    return end && name[0] != '.' &&
           (strcmp(end, ".tex") == 0 || strcmp(end, ".sty") == 0 || strcmp(end, ".bib") == 0);
}

static enum rc copy_texts(const char *from, const char *to, struct err *e)
{
    DIR *d = opendir(from);
    enum rc rc = d ? RC_OK : err_set(e, RC_INPUT, "no folder '%s'", from);
    for (struct dirent *x; !rc && (x = readdir(d)) != NULL;) {
        if (!is_text(x->d_name))
            continue;
        char *a = text_new("%s/%s", from, x->d_name), *b = text_new("%s/%s", to, x->d_name);
        rc = a && b ? file_copy(a, b, e) : err_set(e, RC_FAIL, "no memory for a path");
        free(a);
        free(b);
    }
    if (d)
        closedir(d);
    return rc;
}

static enum rc draw_figures(const struct paper *p, const char *to, struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < p->n_figures; i++) {
        char *name = paper_figure_name(p->figure[i]);
        char *svg = text_new("%s/%s", p->f->c->root, p->figure[i]);
        char *pdf = name ? text_new("%s/%s.pdf", to, name) : NULL;
        rc = svg && pdf ? latex_figure(svg, pdf, e) : err_set(e, RC_FAIL, "no memory for a path");
        free(pdf);
        free(svg);
        free(name);
    }
    return rc;
}

static enum rc make_pdf(const struct paper *p, const char *out, struct err *e)
{
    char *work = NULL;
    enum rc rc = folder_scratch("paper", &work, e);
    if (rc)
        return rc;
    char *numbers = text_new("%s/numbers.tex", work), *made = text_new("%s/main.pdf", work);
    char *pdf = text_new("%s/paper.pdf", out), *said = text_new("%s/programs.tsv", out);
    if (!numbers || !made || !pdf || !said)
        rc = err_set(e, RC_FAIL, "no memory for a path");
    if (!rc)
        rc = copy_texts(p->folder, work, e);
    if (!rc)
        rc = markup_save(&p->out, numbers, e);
    if (!rc)
        rc = draw_figures(p, work, e);
    if (!rc)
        rc = latex_run(work, e);
    if (!rc)
        rc = latex_programs(said, e);
    if (!rc)
        rc = file_copy(made, pdf, e);
    free(said);
    free(pdf);
    free(made);
    free(numbers);
    folder_remove(work);
    free(work);
    return rc;
}

/* --- all
 * -------------------------------------------------------------------------------------------- */

static enum rc add_claims(struct facts *f, struct err *e)
{
    const char *word[N_CLAIM_VERDICTS];
    for (int v = 0; v < N_CLAIM_VERDICTS; v++)
        word[v] = claim_word((enum claim_verdict)v);
    return paper_claims(f, word, N_CLAIM_VERDICTS, e);
}

static enum rc write_all(struct facts *f, const char *folder, const char *out, struct err *e)
{
    struct paper p = { .f = f, .folder = folder, .versus = versus };
    char *path = text_new("%s/numbers.tex", out);
    enum rc rc = path ? paper_read(&p, e) : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc)
        rc = folder_make(out, e);
    if (!rc)
        rc = markup_save(&p.out, path, e);
    if (!rc && !no_pdf)
        rc = make_pdf(&p, out, e);
    if (!rc)
        log_say("%zu numbers and %zu figures in '%s'", p.written.n, p.n_figures, out);
    paper_release(&p);
    free(path);
    return rc;
}

static enum rc print_all(const struct facts *f)
{
    puts("name\tvalue\tsource");
    for (size_t i = 0; i < f->n; i++)
        if (!f->item[i].twice)
            printf("\\%s\t%s\t%s\n", f->item[i].name, f->item[i].value, f->item[i].source);
    return RC_OK;
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    struct chain c;
    struct facts f;
    char *folder = NULL;
    enum rc rc = list ? RC_OK : tool_need_out(a, e);
    if (!rc && a->report)
        rc = err_set(e, RC_USAGE, "paper writes no --report");
    if (rc || chain_read(&c, a->arg.item[0], e))
        return rc ? rc : e->rc;
    rc = facts_read(&f, &c, e);
    if (!rc) {
        if (list)
            rc = print_all(&f);
        else
            rc = add_claims(&f, e);
        if (!rc && !list)
            rc = figure_templates(text, &folder, e);
        if (!rc && !list)
            rc = write_all(&f, folder, a->out, e);
        facts_release(&f);
    }
    free(folder);
    chain_release(&c);
    return rc;
}

int main(int argc, char **argv)
{
    return tool_main(&tool, run, argc, argv);
}
