#include "lib/app/run_log.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/io/lines.h"

/* Copies the lines of the old log that belong to steps up to keep. */
static enum rc keep_lines(const char *path, uint64_t keep, struct err *e)
{
    struct lines l;
    struct outfile o;
    bool more = true;
    if (!file_exists(path))
        return RC_OK;
    enum rc rc = lines_open(&l, path, e);
    if (rc)
        return rc;
    rc = outfile_open(&o, path, e);
    while (!rc && !(rc = lines_next(&l, &more, e)) && more) {
        json_t *j = json_loadb(l.text, l.n_bytes, 0, NULL);
        const json_t *step = json_object_get(j, "step");
        /* A line that a kill cut short is no JSON; it belongs to a step that is done again. */
        if (json_is_integer(step) && (uint64_t)json_integer_value(step) <= keep)
            fprintf(o.f, "%s\n", l.text);
        json_decref(j);
    }
    lines_close(&l);
    return outfile_close(&o, rc, e);
}

enum rc run_log_open(struct run_log *l, const char *run, uint64_t keep, struct err *e)
{
    *l = (struct run_log){ .path = text_new("%s/log.jsonl", run) };
    char *speed = text_new("%s/speed.log", run);
    enum rc rc = l->path && speed ? RC_OK : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc && keep != UINT64_MAX)
        rc = keep_lines(l->path, keep, e);
    if (!rc) {
        const char *mode = keep == UINT64_MAX ? "wb" : "ab";
        l->log = fopen(l->path, mode);
        l->speed = fopen(speed, mode);
        if (!l->log || !l->speed)
            rc = err_set(e, RC_FAIL, "cannot write '%s': %s", l->log ? speed : l->path,
                         strerror(errno));
    }
    free(speed);
    if (rc)
        run_log_close(l, NULL);
    return rc;
}

static enum rc flush(struct run_log *l, struct err *e)
{
    if (fflush(l->log) == 0 && !ferror(l->log))
        return RC_OK;
    return err_set(e, RC_FAIL, "cannot write '%s': %s", l->path, strerror(errno));
}

/* NaN and infinity have no form in JSON. */
static void number(FILE *f, const char *name, double x)
{
    if (isfinite(x))
        fprintf(f, ", \"%s\": %.9g", name, x);
    else
        fprintf(f, ", \"%s\": null", name);
}

static void say_speed(FILE *f, uint64_t step, const struct train_result *t,
                      const struct step_speed *v)
{
    const double s = v->seconds;
    fprintf(f,
            "step %llu: %.3f s, %.3f s of them waiting for data, %.1f cells/s, %.0f tokens/s, "
            "%.0f padded, %.2f GFLOP/s",
            (unsigned long long)step, s, v->waited_s, (double)t->n_cells / s, v->tokens / s,
            v->padded / s, v->flop / s * 1e-9);
    if (v->sgemm > 0)
        fprintf(f, ", %.3f of sgemm", v->flop / s / v->sgemm);
    fputc('\n', f);
}

enum rc run_log_step(struct run_log *l, uint64_t step, const struct train_result *t,
                     const struct step_speed *speed, struct err *e)
{
    if (!l->log)
        return RC_OK;
    fprintf(l->log, "{\"step\": %llu, \"split\": \"train\"", (unsigned long long)step);
    number(l->log, "loss", t->loss);
    number(l->log, "id_loss", t->id_loss);
    number(l->log, "value_loss", t->value_loss);
    number(l->log, "lr", t->lr);
    number(l->log, "grad_norm", t->grad_norm);
    fprintf(l->log, ", \"cells\": %zu, \"genes\": %zu, \"masked\": %zu}\n", t->n_cells, t->n_genes,
            t->n_masked);
    say_speed(l->speed, step, t, speed);
    return flush(l, e);
}

enum rc run_log_eval(struct run_log *l, uint64_t step, const struct train_eval *v,
                     const struct baseline *base, struct err *e)
{
    if (!l->log)
        return RC_OK;
    fprintf(l->log, "{\"step\": %llu, \"split\": \"val\"", (unsigned long long)step);
    number(l->log, "id_loss", v->id_loss);
    number(l->log, "value_loss", v->value_loss);
    number(l->log, "accuracy", v->accuracy);
    number(l->log, "baseline_id_loss", v->base_id_loss);
    number(l->log, "baseline_value_loss", v->base_value_loss);
    number(l->log, "baseline_accuracy", v->base_accuracy);
    number(l->log, "entropy", base->entropy);
    number(l->log, "value_variance", base->value_variance);
    fprintf(l->log, ", \"cells\": %zu, \"masked\": %zu}\n", v->n_cells, v->n_masked);
    return flush(l, e);
}

void run_log_speed(struct run_log *l, const char *fmt, ...)
{
    va_list ap;
    if (!l->speed)
        return;
    va_start(ap, fmt);
    vfprintf(l->speed, fmt, ap);
    va_end(ap);
    fputc('\n', l->speed);
}

enum rc run_log_sync(struct run_log *l, struct err *e)
{
    if (!l->log || (!flush(l, e) && fsync(fileno(l->log)) == 0))
        return RC_OK;
    return err_set(e, RC_FAIL, "cannot write '%s': %s", l->path, strerror(errno));
}

enum rc run_log_close(struct run_log *l, struct err *e)
{
    enum rc rc = RC_OK;
    if (l->log && fclose(l->log) != 0)
        rc = err_set(e, RC_FAIL, "cannot write '%s': %s", l->path, strerror(errno));
    if (l->speed)
        fclose(l->speed);
    free(l->path);
    *l = (struct run_log){ 0 };
    return rc;
}
