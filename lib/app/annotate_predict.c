#include "lib/app/annotate_predict.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/annotate_prediction.h"
#include "lib/base/log.h"
#include "lib/base/version.h"
#include "lib/data/cells_join.h"
#include "lib/io/h5ad.h"
#include "lib/io/json.h"
#include "lib/io/labels.h"
#include "lib/io/metrics_tsv.h"
#include "lib/nn/calibrate.h"
#include "lib/nn/finetune.h"

/* Of classifier_shift: cells of one type lie as far if it was less than 0.44 of the training cells. Cells of
 * the same kind by another laboratory were seen at 1.8 and 5.5. */
#define FAR 1.5

bool prediction_is_sure(const struct prediction *p, size_t i)
{
    const double least = p->o->threshold >= 0 ? p->o->threshold : p->c.threshold;
    return p->best[i] != NO_CLASS && p->p_best[i] >= least;
}

static enum rc make_room(struct prediction *p, struct err *e)
{
    p->n = p->cells.n;
    p->best = malloc((p->n + 1) * sizeof *p->best);
    p->second = malloc((p->n + 1) * sizeof *p->second);
    p->p_best = calloc(p->n + 1, sizeof *p->p_best);
    p->p_second = calloc(p->n + 1, sizeof *p->p_second);
    p->x = calloc(p->n * p->m.model.config.d + 1, sizeof *p->x);
    if (!p->best || !p->second || !p->p_best || !p->p_second || !p->x)
        return err_set(e, RC_FAIL, "no memory for %zu cells", p->n);
    for (size_t i = 0; i < p->n; i++)
        p->best[i] = p->second[i] = NO_CLASS;
    return RC_OK;
}

static void decide(struct prediction *p, size_t row, double *z)
{
    const size_t k = p->c.n_classes;
    softmax_at(z, k, p->c.temperature, z);
    const size_t best = largest_of(z, k);
    p->best[row] = (uint32_t)best;
    p->p_best[row] = z[best];
    z[best] = -1;
    p->second[row] = (uint32_t)largest_of(z, k);
    p->p_second[row] = z[p->second[row]];
    p->n_sure += prediction_is_sure(p, row);
}

static void show(void *ctx, size_t n)
{
    progress_at(ctx, n);
}

/* Vectors of the files in place of counts: of this model's weights, or of those it was trained on
 * where they stayed as they were. */
static enum rc check_vectors(struct prediction *p, struct err *e)
{
    const char *own = embedder_sha256(&p->m, e);
    const char *base = p->c.kind != CLASSIFIER_FULL && *p->c.base_sha256 ? p->c.base_sha256 : NULL;
    return own ? labelled_cells_check(&p->cells, p->m.model.config.d, own, base, e) : RC_FAIL;
}

static enum rc encode(struct prediction *p, const struct cell_tokens *t, float *x, struct err *e)
{
    struct progress progress;
    const size_t d = p->m.model.config.d;
    for (size_t i = 0; p->cells.vectors && i < t->n; i++)
        memcpy(x + i * d, labelled_cells_vector(&p->cells, t->row[i]), d * sizeof *x);
    if (p->cells.vectors)
        return RC_OK;
    embedder_say_backend(p->o->backend);
    progress_start(&progress, "cells", t->n);
    enum rc rc = finetune_encode(&p->m.model, t->cell, t->n, p->m.max_rows, x, show, &progress, e);
    if (!rc)
        progress_end(&progress);
    return rc;
}

static enum rc predict(struct prediction *p, struct err *e)
{
    struct cell_tokens t;
    const size_t d = p->m.model.config.d, k = p->c.n_classes;
    cell_tokens_init(&t);
    enum rc rc = p->cells.vectors ? check_vectors(p, e) : RC_OK;
    if (!rc && p->cells.vectors && p->c.as_released)
        rc = err_set(e, RC_INPUT, "a classifier as released reads counts, not vectors");
    if (!rc)
        rc = labelled_cells_tokens(&p->cells, &p->m, p->o->overlap, &t, &p->n_empty, e);
    if (!rc && p->c.as_released)
        cell_tokens_as_released(&t);
    float *x = malloc((t.n * d + 1) * sizeof *x);
    double *z = malloc((t.n * k + 1) * sizeof *z);
    if (!rc && (!x || !z))
        rc = err_set(e, RC_FAIL, "no memory for %zu cells", t.n);
    if (!rc)
        rc = encode(p, &t, x, e);
    if (!rc)
        rc = classifier_logits(&p->c, &p->m.model, x, t.n, z, e);
    for (size_t i = 0; !rc && i < t.n; i++) {
        decide(p, t.row[i], z + i * k);
        memcpy(p->x + t.row[i] * d, x + i * d, d * sizeof *x);
    }
    if (!rc)
        p->shift = classifier_shift(&p->c, x, t.n);
    free(x);
    free(z);
    cell_tokens_release(&t);
    return rc;
}

static const char *class_name(const struct prediction *p, uint32_t c)
{
    return c == NO_CLASS ? "-" : p->c.name[c];
}

static enum rc write_table(const struct prediction *p, struct err *e)
{
    struct outfile o;
    char *path = text_new("%s/predictions.tsv", p->o->out);
    enum rc rc = path ? outfile_open(&o, path, e) : err_set(e, RC_FAIL, "no memory for a path");
    free(path);
    if (rc)
        return rc;
    fputs("dataset\tcell_id\tbarcode\ttruth\tprediction\tscore\tmethod\tsplit\tseed\tsure\tsecond\t"
          "second_score\n",
          o.f);
    for (size_t file = 0, row = 0; file < p->cells.n_files; file++) {
        const struct cells *c = &p->cells.file[file];
        const struct column *sample = table_find(&c->obs, "sample");
        const struct column *id = table_find(&c->obs, "cell_id");
        for (size_t i = 0; i < c->obs.n_rows; i++, row++) {
            char score[32], second[32];
            metric_text(p->p_best[row], score);
            metric_text(p->p_second[row], second);
            field_put(sample && sample->kind == COLUMN_TEXT && sample->text[i]
                          ? sample->text[i]
                          : p->cells.path[file],
                      o.f);
            fprintf(o.f, "\t%016" PRIx64 "\t",
                    id && id->kind == COLUMN_I64 ? (uint64_t)id->i64[i] : 0);
            field_put(c->cell[i], o.f);
            fputc('\t', o.f);
            field_put(p->cells.label[row] ? p->cells.label[row] : "-", o.f);
            fputc('\t', o.f);
            field_put(class_name(p, p->best[row]), o.f);
            fprintf(o.f, "\t%s\t%s\ttest\t%" PRIu64 "\t%s\t", score,
                    classifier_kind_name(p->c.kind), p->o->seed,
                    prediction_is_sure(p, row) ? "yes" : "no");
            field_put(class_name(p, p->second[row]), o.f);
            fprintf(o.f, "\t%s\n", second);
        }
    }
    return outfile_commit(&o, e);
}

static enum rc add_columns(const struct prediction *p, struct cells *all, struct err *e)
{
    static const char *const name[] = { "cell_type", "cell_type_best", "cell_type_second" };
    enum rc rc = RC_OK;
    for (int k = 0; !rc && k < 3; k++) {
        struct column *c = table_add(&all->obs, name[k], COLUMN_TEXT);
        if (!c)
            return err_set(e, RC_FAIL, "no memory for %zu predictions", p->n);
        for (size_t i = 0; !rc && i < p->n; i++) {
            const uint32_t what = k == 2 ? p->second[i] : p->best[i];
            rc =
                table_set_text(&all->obs, c, i,
                               !k && !prediction_is_sure(p, i) ? label_not_sure : class_name(p, what), e);
        }
    }
    struct column *score = rc ? NULL : table_add(&all->obs, "cell_type_probability", COLUMN_F64);
    if (!score)
        return rc ? rc : err_set(e, RC_FAIL, "no memory for %zu predictions", p->n);
    memcpy(score->f64, p->p_best, p->n * sizeof *score->f64);
    return RC_OK;
}

static enum rc write_cells(const struct prediction *p, const char *hash, struct err *e)
{
    struct cells all = { 0 };
    const char *const uns[][2] = { { "genecompass_model_sha256", hash },
                                   { "genecompass_backend", p->m.model.params.b->name },
                                   { "genecompass_version", GC_VERSION } };
    const struct h5ad_matrix x = { "X_genecompass", p->n, p->m.model.config.d, p->x };
    const struct h5ad_extra extra = { .obsm = &x, .n_obsm = 1, .uns = uns, .n_uns = 3 };
    char *path = text_new("%s/cells.h5ad", p->o->out);
    enum rc rc = path ? RC_OK : err_set(e, RC_FAIL, "no memory for a path");
    for (size_t i = 0; !rc && i < p->cells.n_files; i++) {
        if (p->cells.n_files > 1)
            rc = cells_name_by_sample(&p->cells.file[i], e);
        if (!rc)
            rc = cells_append_obs(&all, &p->cells.file[i], e);
    }
    if (!rc)
        rc = add_columns(p, &all, e);
    all.count.n_rows = p->n;
    if (!rc)
        rc = h5ad_write(path, &all, &extra, e);
    free(path);
    cells_release(&all);
    return rc;
}

static enum rc write_report(const struct prediction *p, const char *hash, struct err *e)
{
    json_t *classes = json_object();
    for (size_t c = 0; c < p->c.n_classes; c++) {
        size_t n = 0;
        for (size_t i = 0; i < p->n; i++)
            n += p->best[i] == c && prediction_is_sure(p, i);
        json_object_set_new(classes, p->c.name[c], json_integer((json_int_t)n));
    }
    return json_write(p->o->report,
                      json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:o, s:o}", "model_sha256", hash,
                                "kind", classifier_kind_name(p->c.kind), "backend",
                                p->m.model.params.b->name, "n_cells", (json_int_t)p->n, "n_sure",
                                (json_int_t)p->n_sure, "n_empty", (json_int_t)p->n_empty, "cells",
                                classes, "shift_sd",
                                isfinite(p->shift) ? json_real(p->shift) : json_null()),
                      e);
}

enum rc annotate_predict(const struct predict_options *o, struct err *e)
{
    struct prediction p = { .o = o };
    const struct import_options io = { .species = species_parse(o->species),
                                       .labels = o->labels,
                                       .label_column = o->label_column };
    enum rc rc = classifier_open(&p.c, &p.m, o->model, o->backend, e);
    if (!rc)
        rc = labelled_cells_read(&p.cells, o->input, o->n_inputs, o->label, o->evaluate, true, &io,
                                 e);
    if (!rc)
        rc = make_room(&p, e);
    if (!rc)
        rc = predict(&p, e);
    if (!rc) {
        log_say(
            "%zu cells: %zu named, %zu not sure, of those %zu without a gene that the model knows",
            p.n, p.n_sure, p.n - p.n_sure, p.n_empty);
        if (p.shift > FAR)
            log_warn("these cells lie %.1f standard deviations from those that it has learned from, on "
                     "average: another protocol, tissue or species? Names may be wrong, however probable",
                     p.shift);
        rc = write_table(&p, e);
    }
    if (!rc && o->evaluate)
        rc = prediction_score(&p, e);
    const char *hash = rc ? NULL : embedder_sha256(&p.m, e);
    if (!rc)
        rc = hash ? write_cells(&p, hash, e) : RC_FAIL;
    if (!rc && o->report)
        rc = write_report(&p, hash, e);
    if (!rc)
        log_say("'%s/cells.h5ad' and '%s/predictions.tsv' have the result; `map` draws the former",
                o->out, o->out);
    free(p.best);
    free(p.second);
    free(p.p_best);
    free(p.p_second);
    free(p.x);
    labelled_cells_release(&p.cells);
    embedder_close(&p.m);
    classifier_release(&p.c);
    return rc;
}
