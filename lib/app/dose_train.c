/* dose train and predict. While it trains, OUT/state.safetensors is the whole state after the
 * newest check: the same call goes on from there, to the same bytes. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/dose_model.h"
#include "lib/app/dose_parts.h"
#include "lib/app/training_state.h"
#include "lib/base/log.h"
#include "lib/base/sha256.h"
#include "lib/io/metrics_tsv.h"
#include "lib/io/number.h"

/* Everything that the bytes of the result depend on. */
static enum rc fingerprint(const struct dose_options *o, char hex[SHA256_HEX], struct err *e)
{
    char sum[2][SHA256_HEX];
    const struct cpa_plan *p = &o->plan;
    enum rc rc = training_sums(&o->input, 1, o->vectors, sum, e);
    if (rc)
        return rc;
    char *text = text_new(
        "%s %s|%s %s %s %s|%s %s %.17g %" PRId64 " %" PRId64 " %d %.17g %" PRId64
        "|%zu %zu %zu %zu %zu %zu %zu %d %.17g %.17g %.17g %zu %zu %zu %zu|%" PRIu64 " %s",
        sum[0], sum[1], o->drug, o->dose, o->type ? o->type : "", o->part ? o->part : "",
        o->control, o->values, o->scale, o->least_cells, o->n_genes, o->drop_single, o->held_out,
        o->n_changed, p->d, p->width, p->depth, p->adversary_width, p->adversary_depth,
        p->doser_width, p->doser_depth, (int)p->doser, p->adversary, p->penalty, p->rate, p->batch,
        p->epochs, p->check_every, p->n_control, o->seed, o->backend->name);
    return training_print(text, hex, e);
}

enum { N_NUMBERS = 6, CHECK_WIDTH = sizeof(struct cpa_check) / sizeof(double) };

static struct training_state state_of(struct cpa_training *t)
{
    return (struct training_state){ .params = &t->m.params,
                                    .kept = t->kept,
                                    .n_numbers = N_NUMBERS,
                                    .row = &t->check->epoch,
                                    .row_width = CHECK_WIDTH,
                                    .most_rows = t->most_checks };
}

static enum rc state_save(struct cpa_training *t, const char *path, const char *print,
                          struct err *e)
{
    struct training_state s = state_of(t);
    const double number[N_NUMBERS] = {
        (double)t->n_done,           (double)t->step, (double)t->step_autoencoder,
        (double)t->step_adversaries, (double)t->best, (double)t->n_checks
    };
    memcpy(s.number, number, sizeof number);
    s.n_rows = t->n_checks;
    return training_state_save(&s, path, print, e);
}

static enum rc state_load(struct cpa_training *t, const char *path, const char *print,
                          struct err *e)
{
    struct training_state s = state_of(t);
    enum rc rc = training_state_load(&s, path, print, e);
    if (rc || !s.n_rows)
        return rc;
    bool good = s.number[0] <= (double)t->plan.epochs && s.number[4] < s.number[5] &&
                !(s.number[5] > (double)s.n_rows || s.number[5] < (double)s.n_rows);
    for (int k = 0; k < N_NUMBERS; k++)
        good = good && s.number[k] >= 0 && s.number[k] < 9e15;
    if (!good)
        return err_set(e, RC_INPUT, "'%s': is damaged", path);
    t->n_done = (size_t)s.number[0];
    t->step = (uint64_t)s.number[1];
    t->step_autoencoder = (uint64_t)s.number[2];
    t->step_adversaries = (uint64_t)s.number[3];
    t->best = (size_t)s.number[4];
    t->n_checks = s.n_rows;
    log_say("goes on after epoch %zu", t->n_done);
    return RC_OK;
}

static enum rc write_training(const struct cpa_training *t, const char *path, struct err *e)
{
    struct outfile f;
    if (outfile_open(&f, path, e))
        return e ? e->rc : RC_FAIL;
    fputs("epoch\tloss\tadversary_loss\tvalidation_r2\tchosen\n", f.f);
    for (size_t i = 0; i < t->n_checks; i++) {
        char text[3][32];
        metric_text(t->check[i].loss, text[0]);
        metric_text(t->check[i].adversary_loss, text[1]);
        metric_text(t->check[i].validation, text[2]);
        fprintf(f.f, "%.0f\t%s\t%s\t%s\t%d\n", t->check[i].epoch, text[0], text[1], text[2],
                i == t->best);
    }
    return outfile_commit(&f, e);
}

static enum rc train(struct cpa_training *t, const struct dose_options *o, struct err *e)
{
    char print[SHA256_HEX];
    struct training_files f;
    enum rc rc = training_files_name(&f, o->out, e);
    if (!rc)
        rc = fingerprint(o, print, e);
    if (!rc)
        rc = folder_make(o->out, e);
    if (!rc)
        rc = state_load(t, f.state, print, e);
    while (!rc && t->n_done < t->plan.epochs) {
        rc = cpa_training_round(t, e);
        if (!rc) {
            const struct cpa_check *now = &t->check[t->n_checks - 1];
            log_say("epoch %zu: loss %.4g, validation R2 %.4g", t->n_done, now->loss,
                    now->validation);
            rc = state_save(t, f.state, print, e);
        }
    }
    if (!rc) {
        cpa_training_choose(t);
        log_say("the weights of epoch %.0f are taken", t->check[t->best].epoch);
        rc = write_training(t, f.table, e);
    }
    if (!rc)
        rc = dose_model_save(t, f.model, e);
    if (!rc)
        remove(f.state);
    training_files_release(&f);
    return rc;
}

enum rc dose_train(const struct dose_options *o, struct err *e)
{
    struct dose_inputs in;
    struct cpa_training t;
    unsigned char *part = NULL;
    enum rc rc = dose_inputs_read(&in, o, e);
    if (rc)
        return rc;
    rc = dose_parts_of(&in, o->seed, &part, e);
    struct cpa_plan plan = o->plan;
    plan.seed = o->seed;
    const struct cpa_task task = { &in.set, part, in.centred.n ? &in.centred : NULL, in.changed,
                                   in.n_changed };
    if (!rc)
        rc = cpa_training_init(&t, &task, &plan, o->backend, e);
    if (!rc) {
        rc = train(&t, o, e);
        cpa_training_release(&t);
    }
    free(part);
    dose_inputs_release(&in);
    return rc;
}

/* ---- predict ---- */

static enum rc find_name(const char *const *name, size_t n, const char *text, size_t length,
                         const char *what, size_t *at, struct err *e)
{
    for (*at = 0; *at < n; (*at)++)
        if (strlen(name[*at]) == length && memcmp(name[*at], text, length) == 0)
            return RC_OK;
    return err_set(e, RC_INPUT, "%s '%.*s' is not one of the model's %zu", what, (int)length, text,
                   n);
}

static enum rc predict_one(struct dose_model *m, struct tape *tape, const char *text, size_t type,
                           double *to, FILE *f, struct err *e)
{
    const size_t d = m->n_genes;
    const char *sign = strrchr(text, '=');
    double dose, *control = to + 2 * d, *control_var = to + 3 * d;
    size_t drug;
    if (!sign || !number_parse(sign + 1, &dose))
        return err_set(e, RC_USAGE, "'%s' is not DRUG=DOSE", text);
    if (!(dose >= 0))
        return err_set(e, RC_USAGE, "'%s': a dose is not below 0", text);
    enum rc rc = find_name(m->drug, m->n_drugs, text, (size_t)(sign - text), "drug", &drug, e);
    if (rc)
        return rc;
    if (dose > m->largest.x[drug])
        log_warn("'%s' is above the largest dose that was trained on, %g", text,
                 m->largest.x[drug]);
    struct cpa_question q = { .cells = &m->controls[type],
                              .type = (uint32_t)type,
                              .drug = DOSE_CONTROL,
                              .vectors = m->vectors.n ? &m->vectors : NULL };
    rc = cpa_predict(&m->m, tape, &q, control, control_var, e);
    q.drug = (uint32_t)drug;
    q.dose = dose / m->largest.x[drug];
    if (!rc)
        rc = cpa_predict(&m->m, tape, &q, to, to + d, e);
    for (size_t j = 0; !rc && j < d; j++) {
        char value[4][32];
        metric_text(control[j], value[0]);
        metric_text(to[j], value[1]);
        metric_text(to[j] - control[j], value[2]);
        metric_text(to[d + j], value[3]);
        field_put(m->type[type], f);
        putc('\t', f);
        field_put(m->drug[drug], f);
        fprintf(f, "\t%.9g\t", dose);
        field_put(m->gene[j], f);
        fprintf(f, "\t%s\t%s\t%s\t%s\n", value[0], value[1], value[2], value[3]);
    }
    return rc;
}

enum rc dose_predict(const char *folder, const char *const *question, size_t n, const char *type,
                     const struct backend *b, const char *out, struct err *e)
{
    struct dose_model m;
    struct outfile f;
    struct tape tape;
    size_t only = SIZE_MAX;
    char *path = text_new("%s/model.safetensors", folder);
    if (!path)
        return err_set(e, RC_FAIL, "no memory for a path");
    enum rc rc = dose_model_load(&m, path, b, e);
    free(path);
    if (rc)
        return rc;
    if (type)
        rc = find_name(m.type, m.n_types, type, strlen(type), "cell type", &only, e);
    tape_init(&tape, b, false);
    double *to = malloc((4 * m.n_genes + 1) * sizeof *to);
    if (!rc && !to)
        rc = err_set(e, RC_FAIL, "no memory for a prediction");
    if (!rc)
        rc = outfile_open(&f, out, e);
    if (!rc) {
        fputs("cell_type\tdrug\tdose\tgene\tcontrol\tpredicted\tchange\tvariance\n", f.f);
        for (size_t i = 0; !rc && i < n; i++)
            for (size_t k = 0; !rc && k < m.n_types; k++)
                if (only == SIZE_MAX || only == k)
                    rc = predict_one(&m, &tape, question[i], k, to, f.f, e);
        rc = outfile_close(&f, rc, e);
    }
    free(to);
    tape_release(&tape);
    dose_model_release(&m);
    return rc;
}
