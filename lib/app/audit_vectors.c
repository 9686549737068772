#include "lib/app/audit_vectors.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/audit_sample.h"
#include "lib/app/embedding.h"
#include "lib/base/file.h"
#include "lib/io/json.h"
#include "lib/io/lines.h"

static const double max_element = 1e-3, max_cosine = 1e-6, max_names = 0.01;

void vectors_kept(const struct chain *c, struct audit_words *w)
{
    char *path = text_new("%s/fetch/samples.tsv", c->root);
    struct table t;
    table_init(&t, 0);
    if (path && !tsv_read_need(path, "sample", &t, NULL)) {
        const char **sample = table_find(&t, "sample")->text;
        for (size_t i = 0; i < t.n_rows; i++) {
            char *cells = text_new("qc-filter/%s/cells.h5ad", sample[i] ? sample[i] : "");
            if (cells && chain_file_of(c, cells) != CHAIN_NONE)
                words_add(w, "%s/%s", c->root, cells);
            w->failed |= !cells;
            free(cells);
        }
    }
    table_release(&t);
    free(path);
}

static enum rc add_distance(struct audit *a, struct audit_distances *d, const char *stage,
                            const char *what, double value, double bound, struct err *e)
{
    bool holds = value <= bound; /* a NaN does not */
    if (d->n < sizeof d->item / sizeof *d->item) {
        struct audit_distance *x = &d->item[d->n++];
        *x = (struct audit_distance){ what, arena_text(&a->text, stage), value, bound, holds };
        if (!x->subject)
            return err_set(e, RC_FAIL, "no memory for a table");
    }
    return audit_add(a, holds ? AUDIT_HOLDS : AUDIT_FAILS, "tolerance", stage, e,
                     "%s: %.3g, at most %.3g", what, value, bound);
}

static double cosine_gap(const float *x, const float *y, size_t d)
{
    double xx = 0, yy = 0, xy = 0;
    for (size_t i = 0; i < d; i++) {
        xx += (double)x[i] * x[i];
        yy += (double)y[i] * y[i];
        xy += (double)x[i] * y[i];
    }
    return xx == 0 && yy == 0 ? 0 : 1 - xy / sqrt(xx * yy); /* no known gene: zeros on both sides */
}

/* Each cell of *is against that of *was; of a draw there are fewer. */
static enum rc compare(struct audit *a, struct audit_distances *d, const char *stage,
                       const struct embedding *was, const struct embedding *is,
                       const struct audit_draw *draw, struct err *e)
{
    double largest = 0, square = 0, gap = 0;
    const size_t n_was = draw->of ? draw->of : is->rows.n, n_is = draw->of ? draw->n : was->rows.n;
    if (was->d != is->d || was->rows.n != n_was || is->rows.n != n_is)
        return audit_add(a, AUDIT_FAILS, "tolerance", stage, e,
                         "%zu cells x %zu, recomputed %zu x %zu", was->rows.n, was->d, is->rows.n,
                         is->d);
    for (size_t i = 0; i < is->rows.n; i++) {
        size_t at = id_rows_find(&was->rows, is->rows.item[i].id);
        if (at == SIZE_MAX)
            return audit_add(a, AUDIT_FAILS, "tolerance", stage, e, "has no cell %016jx",
                             (uintmax_t)is->rows.item[i].id);
        const float *x = was->x + at * was->d, *y = is->x + is->rows.item[i].row * is->d;
        for (size_t k = 0; k < was->d; k++) {
            largest = fmax(largest, fabs((double)x[k] - (double)y[k]));
            square += (double)y[k] * y[k];
        }
        gap = fmax(gap, cosine_gap(x, y, was->d));
    }
    const double rms = sqrt(square / (double)(is->rows.n * is->d));
    enum rc rc = add_distance(a, d, stage, "largest difference over the RMS",
                              largest == 0 ? 0 : largest / rms, max_element, e);
    return rc ? rc : add_distance(a, d, stage, "1 - smallest cosine of a cell", gap, max_cosine, e);
}

/* The report of the stage names the weights by their sum: they must be those that are here. */
static enum rc check_weights(struct audit *a, const struct chain *c, const char *stage,
                             const char *model, struct err *e)
{
    char *report = text_new("%s/%s/report.json", c->root, stage);
    char *weights = text_new("%s/model.safetensors", model);
    json_t *j = report ? json_load_file(report, 0, NULL) : NULL;
    const char *says = json_string_value(json_object_get(j, "model_sha256"));
    size_t f = weights ? chain_file_of(c, weights) : CHAIN_NONE;
    enum rc rc;
    if (!report || !weights)
        rc = err_set(e, RC_FAIL, "no memory for a path");
    else if (!says || f == CHAIN_NONE)
        rc = audit_add(a, AUDIT_OPEN, "weights", stage, e, "its report names no weights");
    else if (strcmp(says, c->file[f].sha256) != 0)
        rc = audit_add(a, AUDIT_FAILS, "weights", stage, e,
                       "was made with SHA-256 %.12s..., '%s' is %.12s...", says, weights,
                       c->file[f].sha256);
    else
        rc = audit_add(a, AUDIT_HOLDS, "weights", stage, e, "made with '%s'", weights);
    json_decref(j);
    free(report);
    free(weights);
    return rc;
}

/* --- names from the vectors ------------------------------------------------------------------ */

/* "DATASET CELL METHOD SPLIT SEED" to the row; only methods on the model's vectors. */
static enum rc index_names(const struct table *t, struct map *at, struct err *e)
{
    static const char *const method[] = { "genecompass+logistic", "genecompass+knn" };
    const char *const name[] = { "dataset", "cell_id", "method", "split", "seed" };
    const char **v[5];
    enum rc rc = RC_OK;
    for (int k = 0; k < 5; k++)
        v[k] = table_find(t, name[k])->text;
    for (size_t i = 0; !rc && i < t->n_rows; i++) {
        const char *m = v[2][i] ? v[2][i] : "";
        if (strcmp(m, method[0]) != 0 && strcmp(m, method[1]) != 0)
            continue;
        char *key = text_new("%s\t%s\t%s\t%s\t%s", v[0][i] ? v[0][i] : "", v[1][i] ? v[1][i] : "",
                             m, v[3][i] ? v[3][i] : "", v[4][i] ? v[4][i] : "");
        rc = key ? map_add(at, key, i, NULL, e) : err_set(e, RC_FAIL, "no memory for names");
        free(key);
    }
    return rc;
}

static enum rc differ(const struct table *was, const struct table *is, size_t *n, size_t *n_differ,
                      struct err *e)
{
    struct map a, b;
    map_init(&a);
    map_init(&b);
    enum rc rc = index_names(was, &a, e);
    if (!rc)
        rc = index_names(is, &b, e);
    const char *const name[] = { "dataset", "cell_id", "method", "split", "seed" };
    *n = a.n;
    *n_differ = a.n > b.n ? 0 : b.n - a.n;
    for (size_t i = 0; !rc && i < was->n_rows; i++) {
        const char *v[5];
        for (int k = 0; k < 5; k++) {
            const char *s = table_find(was, name[k])->text[i];
            v[k] = s ? s : "";
        }
        char *key = text_new("%s\t%s\t%s\t%s\t%s", v[0], v[1], v[2], v[3], v[4]);
        uint64_t x = key ? map_get(&a, key) : MAP_NONE, y = key ? map_get(&b, key) : MAP_NONE;
        if (x == i) {
            const char *p = table_find(was, "prediction")->text[i];
            const char *q = y == MAP_NONE ? NULL : table_find(is, "prediction")->text[y];
            *n_differ += !p || !q || strcmp(p, q) != 0;
        }
        free(key);
    }
    map_release(&a);
    map_release(&b);
    return rc;
}

static enum rc read_names(const char *path, struct table *t, struct err *e)
{
    return tsv_read_need(path, "dataset,cell_id,prediction,method,split,seed", t, e);
}

static enum rc compare_names(struct audit *a, struct audit_distances *d, const char *was,
                             const char *is, struct err *e)
{
    struct table t, u;
    struct err why = { 0 };
    size_t n = 0, n_differ = 0;
    table_init(&t, 0);
    table_init(&u, 0);
    enum rc rc = RC_OK;
    if (read_names(was, &t, &why) || read_names(is, &u, &why))
        rc = audit_add(a, AUDIT_FAILS, "tolerance", "annotate", e,
                       "predictions.tsv cannot be read as predictions");
    else
        rc = differ(&t, &u, &n, &n_differ, e);
    if (!rc && n)
        rc = add_distance(a, d, "annotate", "share of names that differ",
                          (double)n_differ / (double)n, max_names, e);
    table_release(&t);
    table_release(&u);
    return rc;
}

/* The value behind an option in the stage's parameters, as a word, or NULL. */
static void copy_option(const struct chain *c, const char *stage, const char *option,
                        struct audit_words *w)
{
    const struct manifest *m = &c->stage[chain_stage_of(c, stage)].m;
    size_t n = strlen(option);
    for (size_t i = 0; i < m->n; i++) {
        const char *at = m->row[i].kind == MANIFEST_PARAM ? strstr(m->row[i].name, option) : NULL;
        while (at && at[n] != ' ') /* --seed stands in --seeds, too */
            at = strstr(at + 1, option);
        if (at) {
            words_add(w, "%s", option);
            words_add(w, "%.*s", (int)strcspn(at + n + 1, " "), at + n + 1);
            return;
        }
    }
}

static enum rc again_names(struct audit *a, struct audit_distances *d, const struct chain *c,
                           const char *vectors, const struct audit_repeat *how, struct err *e)
{
    static const char *const option[] = { "--seeds", "--genes", "--pcs", "--seed" };
    char *out = text_new("%s/names", how->scratch), why[512];
    char *was = text_new("%s/annotate/predictions.tsv", c->root);
    char *is = text_new("%s/names/predictions.tsv", how->scratch);
    struct audit_words w;
    enum audit_ran ran = AUDIT_CANNOT;
    words_init(&w);
    enum rc rc = out && was && is ? RC_OK : err_set(e, RC_FAIL, "no memory for a path");
    words_add(&w, "annotate");
    words_add(&w, "compare");
    words_add(&w, "--counts");
    vectors_kept(c, &w);
    words_add(&w, "--embedding");
    words_add(&w, "genecompass=%s", vectors);
    for (size_t i = 0; i < sizeof option / sizeof *option; i++)
        copy_option(c, "annotate", option[i], &w);
    words_add(&w, "--trees");
    words_add(&w, "0");
    words_add(&w, "--none-is-fine");
    words_add(&w, "--out");
    words_add(&w, "%s", out ? out : "");
    if (!rc)
        rc = audit_run(how, &w, &ran, why, e);
    if (!rc && ran == AUDIT_RAN)
        rc = compare_names(a, d, was, is, e);
    else if (!rc)
        rc = audit_add(a, ran == AUDIT_CANNOT ? AUDIT_OPEN : AUDIT_FAILS, "tolerance", "annotate",
                       e, "could not be run again: %s", why);
    if (out)
        folder_remove(out);
    words_release(&w);
    free(out);
    free(was);
    free(is);
    return rc;
}

/* --- vectors ---------------------------------------------------------------------------------- */

static enum rc run_embed(const struct chain *c, const char *stage, const char *model,
                         const char *out, const struct audit_repeat *how, struct audit_draw *draw,
                         enum audit_ran *ran, char why[512], struct err *e)
{
    struct audit_words w;
    words_init(&w);
    words_add(&w, "embed");
    struct err bad = { 0 };
    enum rc rc = audit_sample(c, how, &w, draw, &bad);
    if (rc) {
        audit_sample_remove(how);
        words_release(&w);
        *ran = AUDIT_REFUSED;
        snprintf(why, 512, "%.500s", bad.text);
        return rc == RC_INPUT ? RC_OK : err_set(e, rc, "%s", bad.text);
    }
    words_add(&w, "--model");
    words_add(&w, "%s/%s", c->root, model);
    words_add(&w, "--backend");
    words_add(&w, "ref");
    if (strcmp(stage, "embed-random") == 0) {
        words_add(&w, "--random-weights");
        copy_option(c, stage, "--seed", &w);
    }
    words_add(&w, "--out");
    words_add(&w, "%s", out);
    rc = audit_run(how, &w, ran, why, e);
    audit_sample_remove(how);
    words_release(&w);
    return rc;
}

static enum rc compare_files(struct audit *a, struct audit_distances *d, const struct chain *c,
                             const char *stage, const char *out, const struct audit_draw *draw,
                             struct err *e)
{
    char *was = text_new("was=%s/%s/cells.h5ad", c->root, stage), *is = text_new("is=%s", out);
    const char *arg[] = { was, is };
    struct opt_list list = { arg, 2 };
    struct embedding *both = NULL;
    size_t n = 0;
    struct err why = { 0 };
    enum rc rc = was && is ? RC_OK : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc && embeddings_read(&list, "X_genecompass", &both, &n, &why))
        rc = why.rc == RC_FAIL ? err_set(e, RC_FAIL, "%s", why.text)
                               : audit_add(a, AUDIT_FAILS, "tolerance", stage, e,
                                           "cells.h5ad cannot be read as vectors of cells");
    else if (!rc)
        rc = compare(a, d, stage, &both[0], &both[1], draw, e);
    embeddings_release(both, n);
    free(was);
    free(is);
    return rc;
}

enum rc audit_vectors(struct audit *a, struct audit_distances *d, const struct chain *c,
                      const char *stage, const struct audit_repeat *how, struct err *e)
{
    const char *model = chain_model(c);
    if (!model)
        return audit_add(a, AUDIT_OPEN, "tolerance", stage, e, "there are no weights");
    char *out = text_new("%s/vectors.h5ad", how->scratch), why[512];
    enum audit_ran ran = AUDIT_CANNOT;
    struct audit_draw draw = { 0 };
    enum rc rc =
        out ? check_weights(a, c, stage, model, e) : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc)
        rc = run_embed(c, stage, model, out, how, &draw, &ran, why, e);
    if (!rc && ran != AUDIT_RAN)
        rc = audit_add(a, ran == AUDIT_CANNOT ? AUDIT_OPEN : AUDIT_FAILS, "tolerance", stage, e,
                       "could not be run again: %s", why);
    else if (!rc)
        rc = compare_files(a, d, c, stage, out, &draw, e);
    if (!rc && draw.n < draw.of)
        rc = audit_add(a, AUDIT_OPEN, "tolerance", stage, e,
                       "%zu of %zu cells were looked at, drawn by hash with the word '%s'", draw.n,
                       draw.of, how->draw);
    bool names =
        strcmp(stage, "embed") == 0 && chain_file_of(c, "annotate/predictions.tsv") != CHAIN_NONE;
    if (!rc && names && draw.n < draw.of)
        rc = audit_add(a, AUDIT_OPEN, "tolerance", "annotate", e,
                       "names want the vectors of all cells");
    else if (!rc && ran == AUDIT_RAN && names)
        rc = again_names(a, d, c, out, how, e);
    if (out)
        remove(out);
    free(out);
    return rc;
}
