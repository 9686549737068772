#include "lib/app/zero_shot.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/embedding.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/data/cells_join.h"
#include "lib/io/h5ad.h"
#include "lib/io/json.h"
#include "lib/io/metrics_tsv.h"
#include "lib/nn/count_vectors.h"
#include "lib/nn/neighbourhood.h"
#include "lib/nn/zero_shot.h"

/* A set of samples that are its batches. */
struct batch_set {
    const char *name, *samples; /* "a,b"; borrowed from the text, which is owned */
    char *text;
    struct cells cells;         /* of the samples seen so far */
    size_t n_seen;
};

struct job {
    const struct zero_shot_options *o;
    struct embedding *embedding;
    size_t n_embeddings;
    struct batch_set *set;
    size_t n_sets, n_datasets;
    struct outfile metrics;
    json_t *datasets, *skipped;
};

/* What is scored now. */
struct scored {
    const char *name;
    struct cells cells; /* labelled ones that every embedding has */
    struct naming label, batch;
    uint64_t *cell_id;
    struct zero_shot_cells view;
};

/* ---- a table line ---- */

static void put(struct job *j, const struct scored *s, const char *method, const char *split,
                uint64_t seed, const char *metric, double value)
{
    const struct metric_row row = { "zero-shot", s->name, method, "clean", split,
                                    seed,        metric,  value,  s->view.n };
    metrics_tsv_add(&j->metrics, &row);
}

static void put_named(struct job *j, const struct scored *s, const char *method, const char *split,
                      uint64_t seed, const struct class_metrics *m)
{
    put(j, s, method, split, seed, "macro_f1", m->macro_f1);
    put(j, s, method, split, seed, "accuracy", m->accuracy);
}

/* ---- one method ---- */

/* x NULL: the commonest label. */
static enum rc name_cells(struct job *j, const struct scored *s, const char *method,
                          const struct mat *x, struct err *e)
{
    const struct zero_shot_options *o = j->o;
    struct class_metrics m;
    enum rc rc = RC_OK;
    for (int64_t i = 0; !rc && i < o->n_seeds; i++) {
        const uint64_t seed = o->seed + (uint64_t)i;
        rc = zero_shot_knn(&s->view, x, (size_t)o->k, seed, &m, e);
        if (!rc)
            put_named(j, s, method, "5-fold", seed, &m);
    }
    if (rc || s->view.n_batches < 2)
        return rc;
    rc = zero_shot_transfer(&s->view, x, (size_t)o->k, &m, e);
    if (!rc)
        put_named(j, s, method, "other-batch", o->seed, &m);
    return rc;
}

static enum rc score_vectors(struct job *j, const struct scored *s, const char *method,
                             const struct mat *x, struct err *e)
{
    const uint64_t seed = j->o->seed;
    struct zero_shot_space of;
    enum rc rc = name_cells(j, s, method, x, e);
    if (!rc)
        rc = zero_shot_space_get(&s->view, x, (size_t)j->o->k, &of, e);
    if (rc)
        return err_wrap(e, "method '%s'", method);
    put(j, s, method, "all", seed, "silhouette", of.silhouette);
    put(j, s, method, "all", seed, "same_label", of.same_label);
    if (s->view.n_batches > 1) {
        put(j, s, method, "all", seed, "other_batch", of.other_batch);
        put(j, s, method, "all", seed, "batch_lisi", of.batch_lisi);
    }
    return RC_OK;
}

static enum rc score_embedding(struct job *j, const struct scored *s, const struct embedding *m,
                               struct err *e)
{
    struct mat x;
    enum rc rc = mat_alloc(&x, s->view.n, m->d, e);
    for (size_t i = 0; !rc && i < s->view.n; i++) {
        const float *from = m->x + id_rows_find(&m->rows, s->cell_id[i]) * m->d;
        for (size_t k = 0; k < m->d; k++)
            mat_row(&x, i)[k] = (double)from[k];
    }
    if (!rc)
        rc = score_vectors(j, s, m->name, &x, e);
    mat_release(&x);
    return rc;
}

static enum rc score_all(struct job *j, const struct scored *s, struct err *e)
{
    struct mat x = { 0 };
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < j->n_embeddings; i++)
        rc = score_embedding(j, s, &j->embedding[i], e);
    if (!rc)
        rc = count_vectors(&s->cells.count, (size_t)j->o->n_genes, (size_t)j->o->n_pcs, &x, e);
    if (!rc)
        rc = score_vectors(j, s, "hvg+pca", &x, e);
    mat_release(&x);
    if (!rc)
        rc = name_cells(j, s, "majority", NULL, e);
    if (!rc && s->view.n_batches > 1)
        put(j, s, "shuffled-cells", "all", j->o->seed, "other_batch", zero_shot_mixed(&s->view));
    return rc;
}

/* ---- data sets ---- */

static bool in_all(const struct job *j, uint64_t id)
{
    for (size_t m = 0; m < j->n_embeddings; m++)
        if (id_rows_find(&j->embedding[m].rows, id) == SIZE_MAX)
            return false;
    return true;
}

/* Labelled cells of a sample (NULL: of all) that every embedding has. */
static enum rc take_cells(const struct job *j, const struct cells *c, const char *sample,
                          struct cells *out, struct err *e)
{
    const struct column *label = table_find(&c->obs, j->o->label);
    const struct column *of = table_find(&c->obs, "sample"), *id = table_find(&c->obs, "cell_id");
    if (!id || id->kind != COLUMN_I64 || !of || of->kind != COLUMN_TEXT)
        return err_set(e, RC_INPUT, "obs has no cell_id or no sample: import makes both");
    unsigned char *keep = calloc(c->count.n_rows + 1, 1);
    if (!keep)
        return err_set(e, RC_FAIL, "no memory for %zu cells", c->count.n_rows);
    for (size_t i = 0; i < c->count.n_rows; i++)
        keep[i] = (!sample || (of->text[i] && strcmp(of->text[i], sample) == 0)) && label &&
                  label->kind == COLUMN_TEXT && label->text[i] && *label->text[i] &&
                  in_all(j, (uint64_t)id->i64[i]);
    enum rc rc = cells_select(c, keep, NULL, out, e);
    free(keep);
    return rc;
}

static void scored_release(struct scored *s)
{
    cells_release(&s->cells);
    naming_release(&s->label);
    naming_release(&s->batch);
    free(s->cell_id);
}

static enum rc view_of(const struct job *j, struct scored *s, bool batches, struct err *e)
{
    const size_t n = s->cells.count.n_rows;
    const struct column *id = table_find(&s->cells.obs, "cell_id");
    enum rc rc = naming_init(&s->label, &s->cells.obs, j->o->label, e);
    if (!rc)
        rc = naming_init(&s->batch, &s->cells.obs, "sample", e);
    s->cell_id = malloc((n + 1) * sizeof *s->cell_id);
    if (!rc && !s->cell_id)
        rc = err_set(e, RC_FAIL, "no memory for %zu cells", n);
    for (size_t i = 0; !rc && i < n; i++)
        s->cell_id[i] = (uint64_t)id->i64[i];
    s->view = (struct zero_shot_cells){ .n = n,
                                        .n_classes = s->label.names.n,
                                        .n_batches = batches ? s->batch.names.n : 0,
                                        .class_of = s->label.of,
                                        .batch_of = s->batch.of,
                                        .cell_id = s->cell_id };
    return rc;
}

/* Why there is nothing to score; NULL: there is. */
static const char *unfit(const struct scored *s, bool batches)
{
    return !s->view.n                             ? "no cell with a label is in every embedding"
           : s->view.n_classes < 2                ? "all its cells have one label"
           : s->view.n < 10                       ? "it has fewer than 10 cells with a label"
           : batches && s->view.n_batches < 2     ? "its cells are of one sample"
                                                  : NULL;
}

/* s->cells and s->name are set; *s is used up. */
static enum rc score(struct job *j, struct scored *s, bool batches, struct err *e)
{
    enum rc rc = view_of(j, s, batches, e);
    const char *why = rc ? NULL : unfit(s, batches);
    if (why) {
        log_say("'%s' is skipped: %s", s->name, why);
        json_array_append_new(j->skipped,
                              json_pack("{s:s, s:s}", "dataset", s->name, "reason", why));
    } else if (!rc) {
        log_say("'%s': %zu cells of %zu types%s", s->name, s->view.n, s->view.n_classes,
                batches ? ", several batches" : "");
        rc = score_all(j, s, e);
        j->n_datasets++;
        json_array_append_new(j->datasets, json_pack("{s:s, s:I, s:I, s:I}", "dataset", s->name,
                                                     "n_cells", (json_int_t)s->view.n, "n_classes",
                                                     (json_int_t)s->view.n_classes, "n_batches",
                                                     (json_int_t)s->view.n_batches));
    }
    if (rc)
        err_wrap(e, "data set '%s'", s->name);
    scored_release(s);
    return rc;
}

/* Is the word `sample` one of "a,b,c"? */
static bool listed(const char *samples, const char *sample)
{
    const size_t n = strlen(sample);
    for (const char *s = samples; *s; s += strcspn(s, ","), s += *s == ',')
        if (strcspn(s, ",") == n && memcmp(s, sample, n) == 0)
            return true;
    return false;
}

static enum rc one_sample(struct job *j, const struct cells *c, const char *sample, struct err *e)
{
    struct scored s = { .name = sample };
    enum rc rc = take_cells(j, c, sample, &s.cells, e);
    for (size_t i = 0; !rc && i < j->n_sets; i++)
        if (listed(j->set[i].samples, sample)) {
            rc = cells_append(&j->set[i].cells, &s.cells, e);
            j->set[i].n_seen++;
        }
    if (rc) {
        cells_release(&s.cells);
        return rc;
    }
    return score(j, &s, false, e);
}

static enum rc one_file(struct job *j, const char *path, struct err *e)
{
    struct cells c;
    const char **sample = NULL;
    size_t n = 0;
    enum rc rc = h5ad_read(path, &c, e);
    if (rc)
        return rc;
    rc = column_names(&c.obs, "sample", &sample, &n, e);
    for (size_t i = 0; !rc && i < n; i++)
        rc = one_sample(j, &c, sample[i], e);
    free(sample);
    cells_release(&c);
    return rc ? err_wrap(e, "'%s'", path) : RC_OK;
}

static enum rc one_set(struct job *j, struct batch_set *b, struct err *e)
{
    struct scored s = { .name = b->name, .cells = b->cells };
    b->cells = (struct cells){ 0 };
    if (!s.cells.cell) { /* none of its samples came */
        json_array_append_new(j->skipped, json_pack("{s:s, s:s}", "dataset", b->name, "reason",
                                                    "none of its samples is there"));
        return RC_OK;
    }
    return score(j, &s, true, e);
}

static enum rc read_sets(struct job *j, struct err *e)
{
    const struct opt_list *l = &j->o->batches;
    j->set = calloc((size_t)l->n + 1, sizeof *j->set);
    if (!j->set)
        return err_set(e, RC_FAIL, "no memory for %d sets", l->n);
    for (int i = 0; i < l->n; i++) {
        struct batch_set *b = &j->set[j->n_sets++];
        b->text = text_new("%s", l->item[i]);
        char *eq = b->text ? strchr(b->text, '=') : NULL;
        if (!b->text)
            return err_set(e, RC_FAIL, "no memory for a name");
        if (!eq || eq == b->text || !strchr(eq, ','))
            return err_set(e, RC_USAGE, "--batches wants NAME=SAMPLE,SAMPLE, not '%s'", l->item[i]);
        *eq = '\0';
        b->name = b->text;
        b->samples = eq + 1;
    }
    return RC_OK;
}

/* ---- the whole ---- */

static enum rc finish(struct job *j, struct err *e)
{
    if (!j->n_datasets && !j->o->none_is_fine)
        return err_set(e, RC_INPUT, "no sample has labelled cells to work with");
    if (!j->n_datasets)
        log_warn("no sample has labelled cells: there is nothing to score");
    enum rc rc = outfile_commit(&j->metrics, e);
    if (!rc && j->o->report)
        rc = json_write(j->o->report,
                        json_pack("{s:O, s:O}", "datasets", j->datasets, "skipped", j->skipped), e);
    return rc;
}

enum rc zero_shot(const struct zero_shot_options *o, struct err *e)
{
    struct job j = { .o = o, .datasets = json_array(), .skipped = json_array() };
    char *path = text_new("%s/metrics.tsv", o->out);
    enum rc rc = path && j.datasets && j.skipped ? read_sets(&j, e)
                                                 : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc)
        rc = embeddings_read(&o->embeddings, o->matrix, &j.embedding, &j.n_embeddings, e);
    if (!rc)
        rc = metrics_tsv_open(&j.metrics, path, e);
    for (int i = 0; !rc && i < o->counts.n; i++)
        rc = one_file(&j, o->counts.item[i], e);
    for (size_t i = 0; !rc && i < j.n_sets; i++)
        rc = one_set(&j, &j.set[i], e);
    if (!rc)
        rc = finish(&j, e);
    outfile_abort(&j.metrics);
    for (size_t i = 0; i < j.n_sets; i++) {
        cells_release(&j.set[i].cells);
        free(j.set[i].text);
    }
    free(j.set);
    embeddings_release(j.embedding, j.n_embeddings);
    json_decref(j.datasets);
    json_decref(j.skipped);
    free(path);
    return rc;
}
