/* Which methods a comparison has, in the order of its tables, and those on counts and embeddings.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/app/annotate_parts.h"
#include "lib/base/log.h"

enum { MAJORITY, HVG_LOGISTIC, HVG_SVM, PCA_LOGISTIC, PCA_KNN, N_COUNT_METHODS };
static const char *const count_method[N_COUNT_METHODS] = { "majority", "hvg+logistic", "hvg+svm",
                                                           "pca+logistic", "pca+knn" };
static const char *const tune_word[N_TUNES] = { "probe", "frozen", "full" };
/* A probe is the logistic regression that an embedding gets. */
static const char *const tune_suffix[N_TUNES] = { "logistic", "frozen", "full" };

/* Its number, or NO_METHOD and an error. */
static size_t add_method(struct compare_job *j, const char *name, const char *suffix, struct err *e)
{
    if (j->n_methods == j->method_room) {
        const size_t room = 2 * j->method_room + 16;
        char **more = realloc(j->method, room * sizeof *more);
        if (!more) {
            err_set(e, RC_FAIL, "no memory for %zu methods", room);
            return NO_METHOD;
        }
        j->method = more;
        j->method_room = room;
    }
    char *text = text_new("%s%s%s", name, suffix ? "+" : "", suffix ? suffix : "");
    if (!text) {
        err_set(e, RC_FAIL, "no memory for names of methods");
        return NO_METHOD;
    }
    for (size_t i = 0; i < j->n_methods; i++)
        if (strcmp(j->method[i], text) == 0) {
            err_set(e, RC_USAGE, "two methods would be called '%s'", text);
            free(text);
            return NO_METHOD;
        }
    j->method[j->n_methods] = text;
    return j->n_methods++;
}

static enum rc read_tunes(const struct opt_list *l, bool wanted[N_TUNES], struct err *e)
{
    for (int k = 0; k < N_TUNES; k++)
        wanted[k] = !l->n && k != TUNE_PROBE;
    for (int i = 0; i < l->n; i++) {
        int k = 0;
        while (k < N_TUNES && strcmp(tune_word[k], l->item[i]) != 0)
            k++;
        if (k == N_TUNES)
            return err_set(e, RC_USAGE, "--tune is some of probe frozen full, not '%s'",
                           l->item[i]);
        wanted[k] = true;
    }
    return RC_OK;
}

static enum rc add_models(struct compare_job *j, const struct opt_list *l, enum model_start start,
                          const char *option, const bool wanted[N_TUNES], struct err *e)
{
    for (int i = 0; i < l->n; i++) {
        struct compare_model *m = &j->model[j->n_models];
        const char *eq = strchr(l->item[i], '=');
        if (!eq || eq == l->item[i] || !eq[1])
            return err_set(e, RC_USAGE, "--%s wants NAME=FOLDER, not '%s'", option, l->item[i]);
        *m = (struct compare_model){ .folder = eq + 1, .start = start };
        m->name = text_new("%.*s", (int)(eq - l->item[i]), l->item[i]);
        if (!m->name)
            return err_set(e, RC_FAIL, "no memory for a name");
        j->n_models++;
        for (int k = 0; k < N_TUNES; k++) {
            m->method[k] = NO_METHOD;
            if (!wanted[k])
                continue;
            m->method[k] = add_method(j, m->name, tune_suffix[k], e);
            if (m->method[k] == NO_METHOD)
                return e ? e->rc : RC_FAIL;
        }
    }
    return RC_OK;
}

/* One number of a rival when it is wanted. */
static enum rc add_one(struct compare_job *j, bool wanted, const char *name, size_t *number,
                       struct err *e)
{
    *number = wanted ? add_method(j, name, NULL, e) : NO_METHOD;
    return wanted && *number == NO_METHOD ? (e ? e->rc : RC_FAIL) : RC_OK;
}

enum rc compare_name_methods(struct compare_job *j, struct err *e)
{
    const struct compare_options *o = j->o;
    bool wanted[N_TUNES];
    enum rc rc = read_tunes(&o->tune, wanted, e);
    j->model = calloc((size_t)(o->models.n + o->untrained.n + o->shuffled.n) + 1, sizeof *j->model);
    if (!rc && !j->model)
        rc = err_set(e, RC_FAIL, "no memory for models");
    for (size_t i = 0; !rc && i < N_COUNT_METHODS; i++)
        if (add_method(j, count_method[i], NULL, e) == NO_METHOD)
            rc = e ? e->rc : RC_FAIL;
    if (!rc)
        rc = add_one(j, o->trees > 0, "hvg+forest", &j->forest, e);
    j->first_embedding = j->n_methods;
    for (size_t i = 0; !rc && i < j->n_embeddings; i++)
        if (add_method(j, j->embedding[i].name, "logistic", e) == NO_METHOD ||
            add_method(j, j->embedding[i].name, "knn", e) == NO_METHOD)
            rc = e ? e->rc : RC_FAIL;
    if (!rc)
        rc = add_one(j, o->gene_sets, "tosica", &j->tosica, e);
    if (!rc)
        rc = add_one(j, o->medians && o->corpus.n, "geneformer-small", &j->geneformer, e);
    if (!rc)
        rc = add_one(j, o->medians, "geneformer-small-untrained", &j->geneformer_untrained, e);
    if (!rc)
        rc = add_models(j, &o->models, START_TRAINED, "model", wanted, e);
    if (!rc)
        rc = add_models(j, &o->untrained, START_UNTRAINED, "untrained", wanted, e);
    return rc ? rc : add_models(j, &o->shuffled, START_SHUFFLED, "shuffled", wanted, e);
}

void compare_release_methods(struct compare_job *j)
{
    for (size_t i = 0; i < j->n_methods; i++)
        free(j->method[i]);
    for (size_t i = 0; i < j->n_models; i++)
        free(j->model[i].name);
    free(j->method);
    free(j->model);
}

/* Features are made once for each split. */
static enum rc run_counts(struct compare_job *j, struct compare_dataset *d, size_t seed,
                          struct err *e)
{
    const struct probe_cells cells = compare_split(d, seed);
    const struct compare_options *o = j->o;
    struct mat genes = { 0 }, pcs = { 0 };
    enum rc rc = probe_count_features(&d->count, &cells, (size_t)o->n_genes, (size_t)o->n_pcs,
                                      &genes, &pcs, e);
    if (!rc)
        rc = probe_majority(&cells, compare_result(j, d, MAJORITY, seed), e);
    if (!rc)
        rc = probe_logistic(&cells, &genes, compare_result(j, d, HVG_LOGISTIC, seed), e);
    if (!rc)
        rc = probe_svm(&cells, &genes, compare_result(j, d, HVG_SVM, seed), e);
    if (!rc)
        rc = probe_logistic(&cells, &pcs, compare_result(j, d, PCA_LOGISTIC, seed), e);
    if (!rc)
        rc = probe_knn(&cells, &pcs, compare_result(j, d, PCA_KNN, seed), e);
    if (!rc && j->forest != NO_METHOD)
        rc = probe_forest(&cells, &genes, (size_t)o->trees, o->seed + seed,
                          compare_result(j, d, j->forest, seed), e);
    mat_release(&genes);
    mat_release(&pcs);
    return rc;
}

static enum rc run_embeddings(struct compare_job *j, struct compare_dataset *d, size_t seed,
                              struct err *e)
{
    const struct probe_cells cells = compare_split(d, seed);
    enum rc rc = RC_OK;
    for (size_t m = 0; !rc && m < j->n_embeddings; m++) {
        const size_t at = j->first_embedding + 2 * m;
        struct mat x = { 0 };
        rc = probe_embedding_features(d->x[m], j->embedding[m].d, &cells, &x, e);
        if (!rc)
            rc = probe_logistic(&cells, &x, compare_result(j, d, at, seed), e);
        if (!rc)
            rc = probe_knn(&cells, &x, compare_result(j, d, at + 1, seed), e);
        mat_release(&x);
    }
    return rc;
}

enum rc compare_run(struct compare_job *j, struct compare_dataset *d, struct err *e)
{
    const size_t n_seeds = (size_t)j->o->n_seeds;
    struct progress p;
    enum rc rc = RC_OK;
    for (size_t s = 0; !rc && s < n_seeds; s++)
        rc = split_stratified(d->cells.class_of, d->cells.cell_id, d->cells.n, d->cells.n_classes,
                              j->o->seed + s, d->part + s * d->cells.n, e);
    progress_start(&p, "splits", n_seeds);
    for (size_t s = 0; !rc && s < n_seeds; s++) {
        rc = run_counts(j, d, s, e);
        if (!rc)
            rc = run_embeddings(j, d, s, e);
        if (!rc)
            progress_at(&p, s + 1);
    }
    if (!rc)
        progress_end(&p);
    if (!rc)
        rc = compare_run_tosica(j, d, e);
    if (!rc)
        rc = compare_run_geneformer(j, d, e);
    return rc ? rc : compare_run_models(j, d, e);
}
