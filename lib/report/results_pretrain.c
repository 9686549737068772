/* pretrain/: log.jsonl, baselines.json, report.json and the config of the newest checkpoint. */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/io/lines.h"
#include "lib/io/safetensors.h"
#include "lib/report/json.h"
#include "lib/report/results.h"

static enum rc add_point(struct log_points *l, const struct log_point *p, struct err *e)
{
    if (l->n == l->room) {
        size_t room = l->room ? 2 * l->room : 256;
        struct log_point *more = realloc(l->p, room * sizeof *more);
        if (!more)
            return err_set(e, RC_FAIL, "no memory for %zu steps", room);
        l->p = more;
        l->room = room;
    }
    l->p[l->n++] = *p;
    return RC_OK;
}

/* Held-out losses come as lines of their own ("split": "val") or beside the training losses. */
static enum rc add_line(struct pretrain_facts *f, const json_t *j, const char *path, size_t line,
                        struct err *e)
{
    struct log_point p = {
        .step = json_number_of(j, "step"),
        .loss = json_number_of(j, "loss"),
        .id_loss = json_number_of(j, "id_loss"),
        .value_loss = json_number_of(j, "value_loss"),
        .accuracy = json_number_of(j, "accuracy"),
        .cells = json_number_of(j, "cells"),
    };
    const char *split = json_text_of(j, "split");
    bool held_out = split && strcmp(split, "train") != 0;
    struct log_point v = { .step = p.step,
                           .loss = json_number_of(j, "val_loss"),
                           .id_loss = json_number_of(j, "val_id_loss"),
                           .value_loss = json_number_of(j, "val_value_loss"),
                           .accuracy = json_number_of(j, "val_accuracy"),
                           .cells = NAN };
    if (held_out)
        return isnan(p.step) ? err_set(e, RC_INPUT, "'%s': line %zu has no step", path, line)
                             : add_point(&f->held_out, &p, e);
    if (isnan(p.step))
        return RC_OK; /* a line about something else, such as the run's settings */
    enum rc rc = RC_OK;
    if (!isnan(p.id_loss) || !isnan(p.value_loss) || !isnan(p.loss))
        rc = add_point(&f->train, &p, e);
    if (!rc && (!isnan(v.id_loss) || !isnan(v.value_loss)))
        rc = add_point(&f->held_out, &v, e);
    return rc;
}

static enum rc read_log(struct results *r, const char *path, struct err *e)
{
    struct lines l;
    bool more = true;
    enum rc rc = lines_open(&l, path, e);
    while (!rc && !(rc = lines_next(&l, &more, e)) && more) {
        json_t *j = NULL;
        if (!l.n_bytes)
            continue;
        rc = json_line(l.text, path, l.number, &j, e);
        if (!rc)
            rc = add_line(&r->pretrain, j, path, l.number, e);
        json_decref(j);
    }
    lines_close(&l);
    return rc;
}

static enum rc add_baseline(struct results *r, const char *name, double loss, bool is_value,
                            struct err *e)
{
    struct pretrain_facts *f = &r->pretrain;
    struct baseline *more = realloc(f->baseline, (f->n_baselines + 1) * sizeof *more);
    if (!more)
        return err_set(e, RC_FAIL, "no memory for the baselines");
    f->baseline = more;
    more[f->n_baselines++] = (struct baseline){ results_text(r, name), loss, is_value };
    return RC_OK;
}

static bool about_values(const char *key)
{
    return strstr(key, "value") || strstr(key, "mean") || strstr(key, "mse") ||
           strstr(key, "median");
}

static bool about_ids(const char *key)
{
    return strstr(key, "id") || strstr(key, "entropy") || strstr(key, "gram") ||
           strstr(key, "uniform");
}

/* pretrain writes one baseline of each kind, flat. */
static const char *baseline_words(const char *key)
{
    return strcmp(key, "id_loss") == 0      ? "guess by frequency"
           : strcmp(key, "value_loss") == 0 ? "guess the mean"
                                            : key;
}

/* {"id_loss": 6.1, "value_loss": 0.4}, or several of a kind: {"id_loss": {"unigram": 6.1}}. */
static enum rc read_baselines(struct results *r, const json_t *j, struct err *e)
{
    const char *key, *inner;
    json_t *value, *number;
    enum rc rc = RC_OK;
    json_object_foreach((json_t *)j, key, value)
    {
        bool values = about_values(key);
        if (!rc && json_is_number(value) && (values || about_ids(key)))
            rc = add_baseline(r, baseline_words(key), json_number_value(value), values, e);
        json_object_foreach(value, inner, number)
        {
            bool inner_values = values || (!about_ids(key) && about_values(inner));
            if (!rc && json_is_number(number) &&
                (values || about_ids(key) || inner_values || about_ids(inner)))
                rc = add_baseline(r, inner, json_number_value(number), inner_values, e);
        }
    }
    return rc;
}

/* The newest step-N with a config. */
static enum rc read_config(struct results *r, struct err *e)
{
    const char **name = NULL, *folder = results_path(r, "pretrain");
    size_t n = 0;
    struct pretrain_facts *f = &r->pretrain;
    enum rc rc = folder ? results_list(r, folder, 'd', &name, &n, e)
                        : err_set(e, RC_FAIL, "no memory for a path");
    for (size_t i = 0; !rc && i < n; i++) {
        char *end = NULL;
        long step = strncmp(name[i], "step-", 5) == 0 ? strtol(name[i] + 5, &end, 10) : -1;
        if (end && *end == '\0' && end > name[i] + 5 && step < LONG_MAX && step > f->last_step)
            f->last_step = step;
    }
    free(name);
    if (rc || f->last_step < 0)
        return rc;
    const char *path = results_path(r, "pretrain/step-%ld/config.json", f->last_step);
    return path ? json_read(path, &f->config, e) : err_set(e, RC_FAIL, "no memory for a path");
}

static bool ends(const char *text, const char *end)
{
    size_t n = strlen(text), k = strlen(end);
    return n >= k && strcmp(text + n - k, end) == 0;
}

/* Weights that training changes, tied ones once: not the knowledge tables, index maps and counters
 * that a checkpoint carries along (spec 03 section 8). */
static bool is_parameter(const struct st_tensor *t)
{
    return (t->type == ST_F32 || t->type == ST_F64 || t->type == ST_F16 || t->type == ST_BF16) &&
           !ends(t->name, "_knowledge") && strncmp(t->name, "emb_warmup.", 11) != 0 &&
           !ends(t->name, "cls.predictions.decoder.weight") && !ends(t->name, "decoder.bias");
}

static enum rc count_parameters(struct results *r, struct err *e)
{
    struct st_file f;
    const char *path =
        results_path(r, "pretrain/step-%ld/model.safetensors", r->pretrain.last_step);
    if (!path)
        return err_set(e, RC_FAIL, "no memory for a path");
    if (!file_exists(path))
        return RC_OK;
    if (st_open(&f, path, e))
        return e ? e->rc : RC_INPUT;
    double n = 0;
    for (size_t i = 0; i < f.n; i++)
        if (is_parameter(&f.tensor[i]))
            n += (double)f.tensor[i].n_items;
    r->pretrain.n_parameters = n;
    st_close(&f);
    return RC_OK;
}

enum rc results_pretrain(struct results *r, struct err *e)
{
    struct pretrain_facts *f = &r->pretrain;
    f->last_step = -1;
    f->n_parameters = NAN;
    const char *log = results_path(r, "pretrain/log.jsonl");
    const char *report = results_path(r, "pretrain/report.json");
    const char *baselines = results_path(r, "pretrain/baselines.json");
    if (!log || !report || !baselines)
        return err_set(e, RC_FAIL, "no memory for a path");
    json_t *j = NULL;
    enum rc rc = RC_OK;
    if (file_exists(log)) {
        f->present = true;
        rc = read_log(r, log, e);
    }
    if (!rc)
        rc = json_read(report, &f->report, e);
    if (!rc)
        rc = read_config(r, e);
    if (!rc)
        rc = json_read(baselines, &j, e);
    if (!rc && j)
        rc = read_baselines(r, j, e);
    f->base_accuracy = json_number_of(j, "accuracy");
    json_decref(j);
    f->n_parameters = json_number_of(f->report, "n_parameters,parameters,n_params");
    if (isnan(f->n_parameters))
        f->n_parameters = json_number_of(f->config, "n_parameters,parameters,n_params");
    if (!rc && isnan(f->n_parameters) && f->last_step >= 0)
        rc = count_parameters(r, e);
    return rc;
}
