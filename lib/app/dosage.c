#include "lib/app/dosage.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/dosage_parts.h"
#include "lib/app/labelled_cells.h"
#include "lib/base/log.h"
#include "lib/base/rng.h"
#include "lib/nn/split.h"

#define SIMPLE_C 1.0 /* of logistic regression on a few numbers: scikit-learn's own */

static enum rc read_tables(struct dosage_job *j, struct err *e)
{
    const struct dosage_options *o = j->o;
    enum rc rc = dosage_genes_read(&j->genes, o->labels, e);
    if (!rc && o->lengths)
        rc = dosage_lengths_read(&j->genes, o->lengths, e);
    return !rc && o->list ? dosage_list_read(&j->genes, o->list, e) : rc;
}

/* Tokens of the genes; those without one are counted and the first are named. */
static enum rc find_tokens(struct dosage_job *j, struct err *e)
{
    enum { NAMED = 12 };
    char names[NAMED * 24] = "";
    size_t n = 0, used = 0;
    for (size_t i = 0; i < j->genes.n; i++) {
        struct dosage_gene *g = &j->genes.gene[i];
        g->token = vocab_token(&j->m.vocab, g->id);
        if (g->token >= 0)
            continue;
        if (n++ < NAMED)
            used += (size_t)snprintf(names + used, sizeof names - used, " %.20s", g->id);
    }
    if (n == j->genes.n)
        return err_set(e, RC_INPUT, "none of %zu genes with a label is in the model's vocabulary:%s", n,
                       names);
    if (n)
        log_warn("%zu of %zu genes with a label are not in the model's vocabulary:%s%s", n, j->genes.n,
                 names, n > NAMED ? " ..." : "");
    return RC_OK;
}

static enum rc read_cells(struct dosage_job *j, struct err *e)
{
    const struct dosage_options *o = j->o;
    const struct import_options how = { .species = species_parse(o->species) };
    struct labelled_cells l;
    enum rc rc =
        labelled_cells_read(&l, o->inputs.item, (size_t)o->inputs.n, "", false, false, &how, e);
    if (rc)
        return rc;
    rc = labelled_cells_tokens(&l, &j->m, o->overlap, &j->tokens, &j->n_empty, e);
    labelled_cells_release(&l);
    if (!rc && o->as_released)
        cell_tokens_as_released(&j->tokens);
    return rc;
}

/* ---- what needs no model ---- */

/* Statistics of all genes with a label, and behind them log(1 + length) where wanted. */
static enum rc features(const struct dosage_job *j, bool with_statistics, bool with_length,
                        const size_t *row, size_t n, struct mat *x, struct err *e)
{
    const size_t d = with_statistics ? j->statistics.d : 0;
    enum rc rc = mat_alloc(x, n, d + with_length, e);
    for (size_t i = 0; !rc && i < n; i++) {
        const size_t from = row ? row[i] : i;
        if (d)
            memcpy(mat_row(x, i), mat_row(&j->statistics, from), d * sizeof *x->x);
        if (with_length)
            mat_row(x, i)[d] = log1p(j->genes.gene[from].length);
    }
    return rc;
}

/* All genes with a label, told by the others: AUC of each fold, and of all held-out scores of a seed together. */
static enum rc all_genes(struct dosage_job *j, const char *method, const struct mat *x, double c,
                         struct err *e)
{
    const size_t n = j->genes.n, least = j->genes.n_sensitive < n - j->genes.n_sensitive
                                             ? j->genes.n_sensitive
                                             : n - j->genes.n_sensitive;
    const size_t folds = (size_t)j->o->n_folds < least ? (size_t)j->o->n_folds : least;
    uint32_t *class_of = malloc((n + 1) * sizeof *class_of), *fold = malloc((n + 1) * sizeof *fold);
    uint64_t *id = malloc((n + 1) * sizeof *id);
    unsigned char *in = malloc(n + 1);
    double *score = malloc((n + 1) * sizeof *score), *w = malloc((x->d + 1) * sizeof *w), auc, shift;
    enum rc rc = class_of && fold && id && in && score && w
                     ? RC_OK
                     : err_set(e, RC_FAIL, "no memory for %zu genes", n);
    for (size_t i = 0; !rc && i < n; i++) {
        class_of[i] = j->genes.gene[i].class_of;
        id[i] = hash_text(j->genes.gene[i].id);
        score[i] = mat_row(x, i)[0];
    }
    for (int64_t s = 0; !rc && s < (c > 0 ? j->o->n_seeds : 1); s++) {
        const uint64_t seed = j->o->seed + (uint64_t)s;
        if (c > 0)
            rc = split_folds(class_of, id, n, folds, seed, fold, e);
        for (uint32_t f = 0; !rc && c > 0 && f < folds; f++) {
            for (size_t i = 0; i < n; i++)
                in[i] = fold[i] != f;
            rc = dosage_fit(x, class_of, in, c, w, &shift, e);
            for (size_t i = 0; !rc && i < n; i++) {
                if (fold[i] == f)
                    score[i] = dosage_linear(w, shift, mat_row(x, i), x->d);
                in[i] = fold[i] == f;
            }
        }
        if (!rc)
            rc = dosage_auc(score, class_of, NULL, n, &auc, NULL, NULL, e);
        if (!rc)
            rc = dosage_add(j, method, "auroc_all_genes", seed, 0, auc, n, e);
    }
    free(class_of);
    free(fold);
    free(id);
    free(in);
    free(score);
    free(w);
    return rc;
}

static enum rc simple(struct dosage_job *j, const char *method, bool with_statistics, bool with_length,
                      double c, struct err *e)
{
    struct mat x;
    enum rc rc = features(j, with_statistics, with_length, NULL, j->genes.n, &x, e);
    if (rc)
        return rc;
    rc = all_genes(j, method, &x, c, e);
    mat_release(&x);
    if (!rc)
        rc = features(j, with_statistics, with_length, j->play.row, j->play.n, &x, e);
    if (!rc) {
        rc = dosage_linear_runs(j, method, &x, NULL, c, false, e);
        mat_release(&x);
    }
    return rc;
}

static enum rc simple_methods(struct dosage_job *j, struct err *e)
{
    const bool lengths = j->genes.has_lengths;
    enum rc rc = lengths ? simple(j, "gene-length", false, true, DOSAGE_AS_IS, e) : RC_OK;
    if (!rc)
        rc = simple(j, "expression+logistic", true, false, SIMPLE_C, e);
    if (!rc && lengths)
        rc = simple(j, "expression-and-length+logistic", true, true, SIMPLE_C, e);
    return rc;
}

/* ---- all ---- */

static void job_release(struct dosage_job *j)
{
    for (int h = 0; h < 2; h++) {
        free(j->half[h].cell_of);
        free(j->half[h].gene_of);
        free(j->half[h].x);
    }
    free(j->cell);
    free(j->play.row);
    free(j->play.class_of);
    free(j->play.id);
    free(j->play.every);
    free(j->play.at);
    free(j->row);
    mat_release(&j->statistics);
    dosage_genes_release(&j->genes);
    cell_tokens_release(&j->tokens);
    embedder_close(&j->m);
    outfile_abort(&j->predictions);
}

static enum rc run_all(struct dosage_job *j, struct err *e)
{
    const struct dosage_options *o = j->o;
    const struct opt_list *files = o->expression.n ? &o->expression : &o->inputs;
    enum rc rc = dosage_statistics(&j->genes, files->item, (size_t)files->n, species_parse(o->species),
                                   &j->statistics, e);
    if (!rc && !o->as_released)
        rc = simple_methods(j, e);
    if (!rc && o->n_tuned)
        rc = dosage_tuned(j, e);
    /* The last, since it leaves no knowledge behind. */
    return !rc && !o->as_released ? dosage_frozen(j, e) : rc;
}

enum rc dosage(const struct dosage_options *o, const struct backend *b, struct err *e)
{
    struct dosage_job j = { .o = o, .variant = o->as_released ? "as-released" : "clean" };
    const struct embedder_wants want = { .hash = true,
                                         .training = o->n_tuned > 0,
                                         .n_classes = o->n_tuned ? 2 : 0 };
    char *path = text_new("%s/predictions.tsv", o->out);
    cell_tokens_init(&j.tokens);
    enum rc rc = path ? read_tables(&j, e) : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc)
        rc = embedder_open(&j.m, o->model, b, &want, e);
    if (!rc)
        rc = find_tokens(&j, e);
    if (!rc)
        rc = read_cells(&j, e);
    if (!rc)
        rc = dosage_halves(&j, e);
    if (!rc)
        rc = outfile_open(&j.predictions, path, e);
    if (!rc) {
        fputs("dataset\tgene\tname\tmethod\tvariant\tseed\tfold\ttruth\tscore\tcells\n", j.predictions.f);
        rc = run_all(&j, e);
    }
    if (!rc)
        rc = dosage_write(&j, e);
    if (!rc)
        rc = outfile_commit(&j.predictions, e);
    job_release(&j);
    free(path);
    return rc;
}
