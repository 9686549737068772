#include "lib/app/audit_repeat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/audit_run.h"
#include "lib/app/audit_means.h"
#include "lib/app/audit_scores.h"
#include "lib/app/audit_vectors.h"
#include "lib/base/file.h"
#include "lib/io/gnuplot.h"
#include "lib/io/latex.h"

struct job {
    struct audit *a;
    struct audit_distances *d;
    const struct chain *c;
    const struct audit_repeat *how;
    const char *stage;
};

/* All parameter rows of the stage that begin with an option, word by word. */
static void params(const struct job *j, struct audit_words *w)
{
    const struct manifest *m = &j->c->stage[chain_stage_of(j->c, j->stage)].m;
    for (size_t i = 0; i < m->n; i++)
        if (m->row[i].kind == MANIFEST_PARAM && strncmp(m->row[i].name, "--", 2) == 0)
            words_split(w, m->row[i].name);
}

/* Runs what w says, the outputs into scratch/FOLDER, and compares all outputs of the stage. */
static enum rc again(const struct job *j, struct audit_words *w, const char *const *without,
                     struct err *e)
{
    char *folder = text_new("%s/again", j->how->scratch), why[512];
    enum audit_ran ran = AUDIT_CANNOT;
    enum rc rc = folder ? RC_OK : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc)
        rc = audit_run(j->how, w, &ran, why, e);
    if (!rc && ran == AUDIT_RAN)
        rc = audit_same(j->a, j->c, j->stage, folder, without, e);
    else if (!rc)
        rc = audit_add(j->a, ran == AUDIT_CANNOT ? AUDIT_OPEN : AUDIT_FAILS, "repeat", j->stage, e,
                       "could not be run again: %s", why);
    if (folder)
        folder_remove(folder);
    free(folder);
    return rc;
}

/* --- what the page does not show ---------------------------------------------------------------
 */

/* Marks the stage and all above it (what it read), or below it (who read it). */
static void reach(const struct chain *c, size_t from, bool above, bool *seen)
{
    seen[from] = true;
    for (bool more = true; more;) {
        more = false;
        for (size_t s = 0; s < c->n_stages; s++)
            for (size_t i = 0; i < c->stage[s].m.n; i++) {
                const struct manifest_row *r = &c->stage[s].m.row[i];
                size_t in = r->kind == MANIFEST_INPUT ? chain_read_stage(c, r->name) : CHAIN_NONE;
                if (in == CHAIN_NONE || !(above ? seen[s] : seen[in]) ||
                    (above ? seen[in] : seen[s]))
                    continue;
                more = seen[above ? in : s] = true;
            }
    }
}

/* Does the page's own parameter --stages name the folder that the stage lies in? */
static bool is_named(const struct chain_stage *page, const char *stage)
{
    static const char option[] = "--stages ";
    const size_t n = strcspn(stage, "/");
    for (size_t i = 0; i < page->m.n; i++) {
        const char *at = page->m.row[i].kind == MANIFEST_PARAM ? page->m.row[i].name : "";
        at = strstr(at, option);
        for (at = at ? at + sizeof option - 1 : ""; *at && *at != ' ';) {
            const size_t k = strcspn(at, ", ");
            if (k == n && strncmp(at, stage, n) == 0)
                return true;
            at += k + (at[k] == ',');
        }
    }
    return false;
}

/* Stages that the page does not name, is not made from and that are not made from it: it was drawn
 * without them. */
static enum rc newer_than_page(const struct job *j, struct err *e)
{
    const struct chain *c = j->c;
    const size_t page = chain_stage_of(c, j->stage);
    bool *above = calloc(c->n_stages, sizeof *above), *below = calloc(c->n_stages, sizeof *below);
    enum rc rc =
        above && below ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu stages", c->n_stages);
    if (!rc) {
        reach(c, page, true, above);
        reach(c, page, false, below);
    }
    for (size_t i = 0; !rc && i < c->n_stages; i++)
        if (!above[i] && !below[i] && !is_named(&c->stage[page], c->stage[i].name))
            rc = audit_add(j->a, AUDIT_OPEN, "page", c->stage[i].name, e,
                           "newer than the page, which does not show it");
    free(above);
    free(below);
    return rc;
}

/* --- level 1 -------------------------------------------------------------------------------- */

/* The table of claims beside the templates, where the page was made with one. */
static void claims_words(const struct job *j, const char *templates, struct audit_words *w)
{
    static const char table[] = "reference/claims.tsv";
    if (!manifest_find(&j->c->stage[chain_stage_of(j->c, j->stage)].m, MANIFEST_INPUT, table))
        return;
    words_add(w, "--claims");
    words_add(w, "%s/../%s", templates, table);
}

static enum rc repeat_report(const struct job *j, struct audit_words *w, struct err *e)
{
    char *given = j->how->source ? text_new("%s/paper", j->how->source) : NULL, *dir = NULL;
    struct err why = { 0 };
    enum rc rc = RC_OK;
    if (figure_templates(given, &dir, &why)) {
        rc = audit_add(j->a, AUDIT_OPEN, "repeat", j->stage, e, "no templates: %s", why.text);
    } else {
        words_add(w, "report");
        words_add(w, "%s", j->c->root);
        words_add(w, "--out");
        words_add(w, "%s/again", j->how->scratch);
        words_add(w, "--templates");
        words_add(w, "%s", dir);
        claims_words(j, dir, w);
        params(j, w);
        rc = again(j, w, NULL, e);
    }
    if (!rc)
        rc = newer_than_page(j, e);
    free(dir);
    free(given);
    return rc;
}

static enum rc repeat_crate(const struct job *j, struct audit_words *w, struct err *e)
{
    words_add(w, "crate");
    words_add(w, "%s", j->c->root);
    words_add(w, "--build");
    words_add(w, "%s/crate/build.tsv", j->c->root);
    words_add(w, "--source");
    words_add(w, "%s/crate/workflow", j->c->root);
    words_add(w, "--out");
    words_add(w, "%s/again", j->how->scratch);
    return again(j, w, NULL, e);
}

/* Did other programs make the PDF than those of this machine? */
static bool other_programs(const struct job *j)
{
    char *text[2] = { NULL, NULL }, *path[2] = {
        text_new("%s/paper/programs.tsv", j->c->root),
        text_new("%s/again/programs.tsv", j->how->scratch),
    };
    bool read = true;
    size_t n;
    for (int i = 0; i < 2; i++)
        read = read && path[i] && !file_read(path[i], 1 << 16, &text[i], &n, NULL);
    const bool other = !read || strcmp(text[0], text[1]) != 0;
    for (int i = 0; i < 2; i++) {
        free(text[i]);
        free(path[i]);
    }
    return other;
}

/* Verdicts about the claims, then the numbers and, where LaTeX is, the PDF. */
static enum rc paper_again(const struct job *j, const char *text, const char *no_pdf,
                           enum audit_ran *ran, char why[512], struct err *e)
{
    struct audit_words claims, paper;
    words_init(&claims);
    words_init(&paper);
    words_add(&claims, "claims");
    words_add(&claims, "%s", j->c->root);
    words_add(&claims, "--claims");
    words_add(&claims, "%s/../reference/claims.tsv", text);
    words_add(&claims, "--out");
    words_add(&claims, "%s/again/claims", j->how->scratch);
    words_add(&paper, "paper");
    words_add(&paper, "%s", j->c->root);
    words_add(&paper, "--text");
    words_add(&paper, "%s", text);
    words_add(&paper, "--out");
    words_add(&paper, "%s/again", j->how->scratch);
    if (no_pdf)
        words_add(&paper, "--no-pdf");
    enum rc rc = audit_run(j->how, &claims, ran, why, e);
    if (!rc && *ran == AUDIT_RAN)
        rc = audit_run(j->how, &paper, ran, why, e);
    words_release(&claims);
    words_release(&paper);
    return rc;
}

static enum rc repeat_paper(const struct job *j, struct audit_words *w, struct err *e)
{
    static const char *const without[] = { "paper.pdf", "programs.tsv", NULL };
    char *given = j->how->source ? text_new("%s/paper", j->how->source) : NULL, *dir = NULL;
    char *folder = text_new("%s/again", j->how->scratch), text[512];
    const struct manifest *m = &j->c->stage[chain_stage_of(j->c, j->stage)].m;
    const bool has_pdf = manifest_find(m, MANIFEST_OUTPUT, "paper.pdf") != NULL;
    const char *no_pdf = has_pdf ? latex_missing() : "paper.pdf";
    struct err why = { 0 };
    enum audit_ran ran = AUDIT_CANNOT;
    enum rc rc = folder ? RC_OK : err_set(e, RC_FAIL, "no memory for a path");
    (void)w;
    if (!rc && figure_templates(given, &dir, &why))
        rc = audit_add(j->a, AUDIT_OPEN, "repeat", j->stage, e, "no text: %s", why.text);
    else if (!rc)
        rc = paper_again(j, dir, no_pdf, &ran, text, e);
    if (!rc && dir && ran != AUDIT_RAN)
        rc = audit_add(j->a, ran == AUDIT_CANNOT ? AUDIT_OPEN : AUDIT_FAILS, "repeat", j->stage, e,
                       "could not be run again: %s", text);
    const bool other = ran == AUDIT_RAN && has_pdf && (no_pdf || other_programs(j));
    if (!rc && no_pdf && other)
        rc = audit_add(j->a, AUDIT_OPEN, "repeat", "paper/paper.pdf", e,
                       "%s is not on this machine", no_pdf);
    else if (!rc && other)
        rc = audit_add(
            j->a, AUDIT_OPEN, "repeat", "paper/paper.pdf", e,
            "was made with other programs than those of this machine: paper/programs.tsv");
    if (!rc && ran == AUDIT_RAN)
        rc = audit_same(j->a, j->c, j->stage, folder, other ? without : NULL, e);
    if (folder)
        folder_remove(folder);
    free(folder);
    free(dir);
    free(given);
    return rc;
}

/* --- level 2 -------------------------------------------------------------------------------- */

static enum rc repeat_map(const struct job *j, struct audit_words *w, struct err *e)
{
    words_add(w, "map");
    if (strcmp(j->stage, "map-counts") == 0) {
        vectors_kept(j->c, w);
    } else {
        words_add(w, "%s/embed%s/cells.h5ad", j->c->root, j->stage + strlen("map"));
        words_add(w, "--matrix");
        words_add(w, "X_genecompass");
    }
    params(j, w);
    words_add(w, "--out");
    words_add(w, "%s/again", j->how->scratch);
    return again(j, w, NULL, e);
}

static enum rc repeat_zero_shot(const struct job *j, struct audit_words *w, struct err *e)
{
    static const char *const without[] = { "report.json", NULL };
    words_add(w, "zero-shot");
    words_add(w, "--counts");
    vectors_kept(j->c, w);
    words_add(w, "--embedding");
    words_add(w, "genecompass=%s/embed/cells.h5ad", j->c->root);
    words_add(w, "random-weights=%s/embed-random/cells.h5ad", j->c->root);
    params(j, w);
    words_add(w, "--none-is-fine");
    words_add(w, "--out");
    words_add(w, "%s/again", j->how->scratch);
    return again(j, w, without, e);
}

static enum rc repeat_vectors(const struct job *j, struct audit_words *w, struct err *e)
{
    (void)w;
    return audit_vectors(j->a, j->d, j->c, j->stage, j->how, e);
}

/* --- level 3 -------------------------------------------------------------------------------- */

/* The file that the stage read as its settings, in the checkout; else the config beside the
 * weights, which has the same shape in it. */
static char *config_of(const struct job *j)
{
    const struct manifest *m = &j->c->stage[chain_stage_of(j->c, j->stage)].m;
    for (size_t i = 0; j->how->source && i < m->n; i++) {
        const char *name = m->row[i].name;
        size_t n = strlen(name);
        if (m->row[i].kind != MANIFEST_INPUT || n < 5 || strcmp(name + n - 5, ".json") != 0)
            continue;
        char *path = text_new("%s/%s", j->how->source, name);
        if (!path || file_exists(path))
            return path;
        free(path);
    }
    const char *model = chain_model(j->c);
    return model ? text_new("%s/%s/config.json", j->c->root, model) : NULL;
}

static enum rc repeat_pretrain(const struct job *j, struct audit_words *w, struct err *e)
{
    static const char *const without[] = { "report.json", NULL }; /* written only when asked for */
    char *config = config_of(j);
    if (!config)
        return audit_add(j->a, AUDIT_FAILS, "repeat", j->stage, e, "left no checkpoint");
    words_add(w, "pretrain");
    words_add(w, "--shards");
    words_add(w, "%s/tokenize", j->c->root);
    words_add(w, "--tables");
    words_add(w, "%s/tables", j->c->root);
    words_add(w, "--config");
    words_add(w, "%s", config);
    words_add(w, "--knowledge");
    size_t k = chain_stage_of(j->c, "knowledge");
    for (size_t i = 0; k != CHAIN_NONE && i < j->c->stage[k].m.n; i++) {
        const struct manifest_row *r = &j->c->stage[k].m.row[i];
        const char *end = strrchr(r->name, '.');
        if (r->kind == MANIFEST_OUTPUT && end && strcmp(end, ".safetensors") == 0 &&
            !strchr(r->name, '/'))
            words_add(w, "%s/knowledge/%s", j->c->root, r->name);
    }
    params(j, w);
    words_add(w, "--out");
    words_add(w, "%s/again", j->how->scratch);
    free(config);
    return again(j, w, without, e);
}

/* --- all ------------------------------------------------------------------------------------ */

static const struct recipe {
    const char *stage;
    int level;
    enum rc (*run)(const struct job *j, struct audit_words *w, struct err *e);
    bool on_demand; /* no part of a run: nothing is missing where it is not there */
} recipes[] = {
    { "report", 1, repeat_report, false },        { "crate", 1, repeat_crate, true },
    { "paper", 1, repeat_paper, true },           { "map", 2, repeat_map, false },
    { "map-random", 2, repeat_map, false },       { "map-counts", 2, repeat_map, false },
    { "zero-shot", 2, repeat_zero_shot, false },  { "embed", 2, repeat_vectors, false },
    { "embed-random", 2, repeat_vectors, false }, { "pretrain", 3, repeat_pretrain, false },
};
enum { N_RECIPES = sizeof recipes / sizeof *recipes };

static enum rc stage_scores(struct audit *a, const struct chain *c, const char *stage,
                            struct err *e)
{
    bool means;
    const enum rc rc = audit_means(a, c, stage, &means, e);
    return rc || means ? rc : audit_scores(a, c, stage, e);
}

/* Tasks that left predictions. */
static enum rc all_scores(struct audit *a, const struct chain *c, struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < c->n_stages; i++)
        if (manifest_find(&c->stage[i].m, MANIFEST_OUTPUT, "predictions.tsv") &&
            manifest_find(&c->stage[i].m, MANIFEST_OUTPUT, "metrics.tsv"))
            rc = stage_scores(a, c, c->stage[i].name, e);
    return rc;
}

enum rc audit_repeat(struct audit *a, struct audit_distances *d, const struct chain *c, int level,
                     const struct audit_repeat *how, struct err *e)
{
    d->n = 0;
    enum rc rc = all_scores(a, c, e);
    for (size_t i = 0; !rc && i < N_RECIPES; i++) {
        const struct job j = { a, d, c, how, recipes[i].stage };
        struct audit_words w;
        if (recipes[i].level > level)
            continue;
        size_t at = chain_stage_of(c, recipes[i].stage);
        words_init(&w);
        if (at == CHAIN_NONE && !recipes[i].on_demand)
            rc = audit_add(a, AUDIT_OPEN, "repeat", recipes[i].stage, e, "has not run");
        else if (at != CHAIN_NONE && !c->stage[at].broken)
            rc = recipes[i].run(&j, &w, e);
        words_release(&w);
    }
    return rc;
}
