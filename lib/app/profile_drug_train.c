/* profile-drug train and predict. While it trains, OUT/state.safetensors is the whole state after
 * the newest epoch: the same call goes on from there, to the same bytes. */
#include <stdlib.h>
#include <string.h>

#include "lib/app/profile_drug_model.h"
#include "lib/app/profile_drug_training.h"
#include "lib/app/training_state.h"
#include "lib/base/log.h"
#include "lib/io/metrics_tsv.h"

/* ---- train ---- */

static enum rc train(struct profile_training *t, const struct profile_options *o, const char *print,
                     struct err *e)
{
    struct training_files f;
    enum rc rc = training_files_name(&f, o->out, e);
    if (!rc)
        rc = profile_training_run(t, f.state, print, o->seed, e);
    if (!rc) {
        profile_training_choose(t);
        log_say("epoch %zu is taken: Pearson %.4g on the dev part", t->best + 1,
                t->epoch[t->best].validation);
        rc = training_table_write(f.table, "validation_pearson", (const double *)t->epoch,
                                  t->n_done, t->best, e);
    }
    if (!rc)
        rc = profile_model_save(t, f.model, e);
    if (!rc)
        remove(f.state);
    training_files_release(&f);
    return rc;
}

static enum rc split(const struct profile_inputs *in, const struct profile_options *o,
                     enum part *part, struct err *e)
{
    struct outfile f;
    char *path = text_new("%s/splits.tsv", o->out);
    enum rc rc = path ? outfile_open(&f, path, e) : err_set(e, RC_FAIL, "no memory for a path");
    free(path);
    if (rc)
        return rc;
    fputs(PROFILE_SPLITS_HEADER, f.f);
    rc = profile_split(in, o->seed, false, part, f.f, e);
    return outfile_close(&f, rc, e);
}

enum rc profile_train(const struct profile_options *o, struct err *e)
{
    struct profile_inputs in;
    struct profile_training t;
    char print[SHA256_HEX];
    enum rc rc = profile_run_print(o, print, e);
    if (!rc)
        rc = profile_inputs_read(&in, o, e);
    if (rc)
        return rc;
    enum part *part = malloc((in.value.n + 1) * sizeof *part);
    rc = part ? folder_make(o->out, e) : err_set(e, RC_FAIL, "no memory for a split");
    if (!rc)
        rc = split(&in, o, part, e);
    if (!rc)
        rc = profile_training_init(&t, &in, o, part, o->vectors ? PROFILE_GENES : PROFILE_PLAIN,
                                   o->seed, e);
    if (!rc) {
        rc = train(&t, o, print, e);
        profile_training_release(&t);
    }
    free(part);
    profile_inputs_release(&in);
    return rc;
}

/* ---- predict ---- */

/* Which of a model's names a comma-separated list asks for; NULL: all. pick [n]. */
static enum rc pick_names(const char *list, const char *const *name, size_t n, const char *what,
                          bool *pick, struct err *e)
{
    for (size_t k = 0; k < n; k++)
        pick[k] = !list;
    for (const char *at = list, *end; at && *at; at = *end ? end + 1 : end) {
        end = at + strcspn(at, ",");
        size_t k = 0;
        while (k < n && (strlen(name[k]) != (size_t)(end - at) ||
                         strncmp(name[k], at, strlen(name[k])) != 0))
            k++;
        if (k == n) {
            err_set(e, RC_INPUT, "%s '%.*s' is not one of the model's %zu: '%s' to '%s'", what,
                    (int)(end - at), at, n, name[0], name[n - 1]);
            return RC_INPUT;
        }
        pick[k] = true;
    }
    return RC_OK;
}

struct prediction {
    const struct profile_query *q;
    struct profile_model m;
    struct drugs drugs;
    struct tape tape;
    struct profile_batch batch;
    bool *cell, *dose; /* asked for */
    double *x;         /* [most_rows, genes] */
    struct outfile f;
};

enum { MOST_ROWS = 32 };

static void put_row(const struct prediction *p, const struct signature *s, const double *x)
{
    FILE *f = p->f.f;
    const char *drug = p->drugs.id.at[s->drug], *cell = p->m.cell[s->cell],
               *dose = p->m.dose[s->dose];
    fprintf(f, "PREDICTED_%s_24H:%s:%s,%s,trt_cp,%s,%s", cell, drug, dose, drug, cell, dose);
    for (size_t j = 0; j < p->m.n_genes; j++) {
        char text[32];
        metric_text(x[j], text);
        fprintf(f, ",%s", text);
    }
    putc('\n', f);
}

static enum rc put_batch(struct prediction *p, const struct signature *s, size_t n, struct err *e)
{
    uint32_t row[MOST_ROWS];
    struct deepce_out out;
    for (uint32_t i = 0; i < n; i++)
        row[i] = i;
    enum rc rc = profile_batch_make(&p->batch, &p->m.m, &p->drugs, s, row, n, &p->m.gene_vector,
                                    &p->m.vectors, e);
    if (rc)
        return rc;
    tape_reset(&p->tape);
    deepce_forward(&p->m.m, &p->tape, &p->batch.b, false, &out);
    rc = tape_check(&p->tape, e);
    if (rc)
        return rc;
    reals_to_f64(p->tape.b, p->x, out.predicted->x, n * p->m.n_genes);
    for (size_t i = 0; i < n; i++)
        put_row(p, &s[i], p->x + i * p->m.n_genes);
    return RC_OK;
}

/* Without lists: what was trained on. With one: all of it, and a warning where nothing was. */
static bool asked(const struct prediction *p, size_t c, size_t d)
{
    const bool trained = mat_row(&p->m.trained, c)[d] > 0;
    return p->cell[c] && p->dose[d] && (trained || p->q->cells || p->q->doses);
}

static size_t count_asked(const struct prediction *p)
{
    size_t n = 0;
    for (size_t c = 0; c < p->m.n_cells; c++)
        for (size_t d = 0; d < p->m.n_doses; d++) {
            if (!asked(p, c, d))
                continue;
            n++;
            if (!(mat_row(&p->m.trained, c)[d] > 0))
                log_warn("the model was trained on no signature of %s at %s", p->m.cell[c],
                         p->m.dose[d]);
        }
    return n;
}

static enum rc put_all(struct prediction *p, struct err *e)
{
    struct signature s[MOST_ROWS];
    size_t n = 0;
    enum rc rc = RC_OK;
    fputs("sig_id,pert_id,pert_type,cell_id,pert_idose", p->f.f);
    for (size_t j = 0; j < p->m.n_genes; j++)
        fprintf(p->f.f, ",%s", p->m.gene[j]);
    putc('\n', p->f.f);
    for (uint32_t i = 0; !rc && i < p->drugs.id.n; i++)
        for (uint32_t c = 0; !rc && c < p->m.n_cells; c++)
            for (uint32_t d = 0; !rc && d < p->m.n_doses; d++) {
                if (!asked(p, c, d))
                    continue;
                s[n++] = (struct signature){ .drug = i, .cell = c, .dose = d, .part = -1 };
                if (n == MOST_ROWS) {
                    rc = put_batch(p, s, n, e);
                    n = 0;
                }
            }
    return !rc && n ? put_batch(p, s, n, e) : rc;
}

static enum rc write_predictions(struct prediction *p, struct err *e)
{
    const struct profile_query *q = p->q;
    p->cell = malloc(p->m.n_cells + 1);
    p->dose = malloc(p->m.n_doses + 1);
    p->x = malloc((MOST_ROWS * p->m.n_genes + 1) * sizeof *p->x);
    enum rc rc = p->cell && p->dose && p->x ? RC_OK : err_set(e, RC_FAIL, "no memory");
    if (!rc)
        rc = pick_names(q->cells, p->m.cell, p->m.n_cells, "cell line", p->cell, e);
    if (!rc)
        rc = pick_names(q->doses, p->m.dose, p->m.n_doses, "dose", p->dose, e);
    if (!rc)
        rc = outfile_open(&p->f, q->out, e);
    if (rc)
        return rc;
    log_say("%zu drugs in %zu cell lines and doses, %zu genes", p->drugs.id.n, count_asked(p),
            p->m.n_genes);
    rc = put_all(p, e);
    return outfile_close(&p->f, rc, e);
}

enum rc profile_predict(const struct profile_query *q, struct err *e)
{
    struct prediction p = { .q = q };
    char *path = text_new("%s/model.safetensors", q->model);
    enum rc rc = path ? profile_model_load(&p.m, path, q->backend, e)
                      : err_set(e, RC_FAIL, "no memory for a path");
    free(path);
    if (rc)
        return rc;
    rc = drugs_read(&p.drugs, q->drugs, q->skip_bad, e);
    if (!rc) {
        tape_init(&p.tape, q->backend, false);
        rc = write_predictions(&p, e);
        tape_release(&p.tape);
    }
    profile_batch_release(&p.batch);
    free(p.cell);
    free(p.dose);
    free(p.x);
    drugs_release(&p.drugs);
    profile_model_release(&p.m);
    return rc;
}
