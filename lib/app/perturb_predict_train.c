/* perturb-predict train and predict. While it trains, OUT/state.safetensors is the whole state
 * after the newest epoch: the same call goes on from there, to the same bytes. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/perturb_predict_model.h"
#include "lib/app/perturb_predict_parts.h"
#include "lib/app/training_state.h"
#include "lib/base/log.h"
#include "lib/base/sha256.h"
#include "lib/io/metrics_tsv.h"

/* ---- the state ---- */

/* Everything that the bytes of the result depend on. */
static enum rc fingerprint(const struct perturb_options *o, char hex[SHA256_HEX], struct err *e)
{
    const char *const file[] = { o->input, o->conditions, o->go, o->split };
    char sum[5][SHA256_HEX];
    enum rc rc = training_sums(file, 4, o->vectors, sum, e);
    if (rc)
        return rc;
    char *text = text_new("%s %s %s %s %s|%s %s %.17g %" PRId64 " %s %" PRId64 "|%" PRId64
                          " %" PRId64 " %" PRId64 " %.17g %d %d %" PRIu64 " %s",
                          sum[0], sum[1], sum[2], sum[3], sum[4],
                          o->condition_column ? o->condition_column : "", o->values, o->scale,
                          o->least_cells, o->unknown, o->neighbours, o->epochs, o->batch, o->width,
                          o->rate, o->top20, o->as_released, o->seed, o->backend->name);
    return training_print(text, hex, e);
}

enum { N_NUMBERS = 4 };

static struct training_state state_of(struct gears_training *t)
{
    return (struct training_state){ .params = &t->m.params,
                                    .kept = t->kept,
                                    .n_numbers = N_NUMBERS,
                                    .row = (double *)t->epoch,
                                    .row_width = 2,
                                    .most_rows = t->plan.epochs };
}

static enum rc state_save(struct gears_training *t, const char *path, const char *print,
                          struct err *e)
{
    struct training_state s = state_of(t);
    const double number[N_NUMBERS] = { (double)t->n_done, (double)t->step,
                                       t->best == SIZE_MAX ? -1 : (double)t->best,
                                       t->best_validation };
    memcpy(s.number, number, sizeof number);
    s.n_rows = t->n_done;
    return training_state_save(&s, path, print, e);
}

static enum rc state_load(struct gears_training *t, const char *path, const char *print,
                          struct err *e)
{
    struct training_state s = state_of(t);
    enum rc rc = training_state_load(&s, path, print, e);
    if (rc || !s.n_rows)
        return rc;
    if (!(s.number[0] >= 1 && s.number[0] <= (double)s.n_rows) ||
        !(s.number[1] >= 0 && s.number[1] < 9e15) ||
        !(s.number[2] >= -1 && s.number[2] < s.number[0]))
        return err_set(e, RC_INPUT, "'%s': is damaged", path);
    t->n_done = (size_t)s.number[0];
    t->step = (uint64_t)s.number[1];
    t->best = s.number[2] < 0 ? SIZE_MAX : (size_t)s.number[2];
    t->best_validation = s.number[3];
    log_say("goes on after epoch %zu", t->n_done);
    return RC_OK;
}

/* ---- train ---- */

static enum rc train(struct gears_training *t, const struct perturb_options *o,
                     const struct perturb_inputs *in, struct err *e)
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
        rc = gears_training_epoch(t, e);
        if (!rc) {
            const struct gears_epoch *now = &t->epoch[t->n_done - 1];
            log_say("epoch %zu: loss %.5g, validation %.5g", t->n_done, now->loss, now->validation);
            rc = state_save(t, f.state, print, e);
        }
    }
    if (!rc) {
        gears_training_choose(t);
        log_say("epoch %zu is taken", t->best + 1);
        rc = training_table_write(f.table, "validation_mse_top20", (const double *)t->epoch,
                                  t->n_done, t->best, e);
    }
    if (!rc)
        rc = perturb_model_save(t, &in->node, f.model, e);
    if (!rc)
        remove(f.state);
    training_files_release(&f);
    return rc;
}

enum rc perturb_train(const struct perturb_options *o, struct err *e)
{
    struct perturb_inputs in;
    struct perturb_run run = { 0 };
    struct gears_graph coexpress = { 0 };
    struct gears_training t;
    enum rc rc = perturb_inputs_read(&in, o, e);
    if (rc)
        return rc;
    rc = perturb_run_init(&run, &in, o, 0, e);
    if (!rc)
        rc = gears_coexpression(&in.set, run.part, (size_t)o->neighbours, &coexpress, e);
    if (!rc) {
        const struct gears_task task = perturb_task(&in, run.part, &coexpress, in.vectors.n > 0);
        const struct gears_plan plan = perturb_plan(o, o->seed);
        rc = gears_training_init(&t, &task, &plan, o->backend, e);
        if (!rc) {
            rc = train(&t, o, &in, e);
            gears_training_release(&t);
        }
    }
    gears_graph_release(&coexpress);
    perturb_run_release(&run);
    perturb_inputs_release(&in);
    return rc;
}

/* ---- predict ---- */

static enum rc find_nodes(const struct perturb_model *m, const char *text, uint32_t node[2],
                          size_t *n, struct err *e)
{
    const char *plus = strchr(text, '+');
    *n = 0;
    if (!plus || plus == text || !plus[1] || strchr(plus + 1, '+'))
        return err_set(e, RC_USAGE, "'%s' is not 'A+ctrl', 'ctrl+A' or 'A+B'", text);
    const char *const part[] = { text, plus + 1 };
    const size_t length[] = { (size_t)(plus - text), strlen(plus + 1) };
    for (int k = 0; k < 2; k++) {
        if (length[k] == 4 && memcmp(part[k], "ctrl", 4) == 0)
            continue;
        const uint64_t at = map_get_n(&m->node.map, part[k], length[k]);
        if (at == MAP_NONE)
            return err_set(e, RC_INPUT, "perturbed gene '%.*s' is not in the model's graph",
                           (int)length[k], part[k]);
        node[(*n)++] = (uint32_t)at;
    }
    if (!*n || (*n == 2 && node[0] == node[1]))
        return err_set(e, RC_USAGE, "'%s' is not 'A+ctrl', 'ctrl+A' or 'A+B'", text);
    return RC_OK;
}

static enum rc predict_one(struct perturb_model *m, struct tape *tape, const char *text,
                           double *out, FILE *f, struct err *e)
{
    uint32_t node[2];
    size_t n;
    enum rc rc = find_nodes(m, text, node, &n, e);
    if (!rc)
        rc = gears_predict(&m->m, tape, m->embedding, m->controls.x, m->controls.n, node, n,
                           m->batch, out, e);
    for (size_t j = 0; !rc && j < m->m.config.n_genes; j++) {
        char value[3][32];
        metric_text(m->mean[j], value[0]);
        metric_text(out[j], value[1]);
        metric_text(out[j] - m->mean[j], value[2]);
        field_put(text, f);
        putc('\t', f);
        field_put(m->gene[j], f);
        fprintf(f, "\t%s\t%s\t%s\n", value[0], value[1], value[2]);
    }
    return rc;
}

enum rc perturb_predict(const char *folder, const char *const *condition, size_t n,
                        const struct backend *b, const char *out, struct err *e)
{
    struct perturb_model m;
    struct outfile f;
    struct tape tape;
    char *path = text_new("%s/model.safetensors", folder);
    if (!path)
        return err_set(e, RC_FAIL, "no memory for a path");
    enum rc rc = perturb_model_load(&m, path, b, e);
    free(path);
    if (rc)
        return rc;
    tape_init(&tape, b, false);
    double *to = malloc((m.m.config.n_genes + 1) * sizeof *to);
    rc = to ? outfile_open(&f, out, e) : err_set(e, RC_FAIL, "no memory for a prediction");
    if (!rc) {
        fputs("condition\tgene\tcontrol\tpredicted\tchange\n", f.f);
        for (size_t i = 0; !rc && i < n; i++)
            rc = predict_one(&m, &tape, condition[i], to, f.f, e);
        rc = outfile_close(&f, rc, e);
    }
    free(to);
    tape_release(&tape);
    perturb_model_release(&m);
    return rc;
}
