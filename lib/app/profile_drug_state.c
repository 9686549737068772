/* The state of a training in a file: the same call goes on from it, to the same bytes. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/profile_drug_training.h"
#include "lib/app/training_state.h"
#include "lib/base/file.h"
#include "lib/base/log.h"

enum rc profile_run_print(const struct profile_options *o, char hex[SHA256_HEX], struct err *e)
{
    const char *const file[] = { o->signatures, o->dev, o->test, o->drugs, o->genes };
    char sum[6][SHA256_HEX];
    enum rc rc = training_sums(file, 5, o->vectors, sum, e);
    if (rc)
        return rc;
    char *text = text_new("%s %s %s %s %s %s|%d %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64
                          " %" PRId64 " %.17g|%s",
                          sum[0], sum[1], sum[2], sum[3], sum[4], sum[5], o->skip_bad, o->epochs,
                          o->batch, o->width, o->heads, o->projected, o->rate, o->backend->name);
    return training_print(text, hex, e);
}

enum { N_NUMBERS = 4 };

static struct training_state state_of(struct profile_training *t)
{
    return (struct training_state){ .params = &t->m.params,
                                    .kept = t->kept,
                                    .n_numbers = N_NUMBERS,
                                    .row = (double *)t->epoch,
                                    .row_width = 2,
                                    .most_rows = (size_t)t->o->epochs };
}

static enum rc save(struct profile_training *t, const char *path, const char *print, struct err *e)
{
    struct training_state s = state_of(t);
    const double number[N_NUMBERS] = { (double)t->n_done, (double)t->step, (double)t->best,
                                       (double)t->n_passes };
    memcpy(s.number, number, sizeof number);
    s.n_rows = t->n_done;
    return training_state_save(&s, path, print, e);
}

static enum rc load(struct profile_training *t, const char *path, const char *print, struct err *e)
{
    struct training_state s = state_of(t);
    enum rc rc = training_state_load(&s, path, print, e);
    if (rc == RC_INPUT && t->o->restart) {
        log_say("starts anew: %s", e->text);
        err_clear(e);
        return RC_OK;
    }
    if (rc || !s.n_rows)
        return rc;
    bool good = !(s.number[0] < (double)s.n_rows || s.number[0] > (double)s.n_rows) &&
                s.number[2] < s.number[0];
    for (int k = 0; k < N_NUMBERS; k++)
        good = good && s.number[k] >= 0 && s.number[k] < 9e15;
    if (!good)
        return err_set(e, RC_INPUT, "'%s': is damaged", path);
    t->n_done = s.n_rows;
    t->step = (uint64_t)s.number[1];
    t->best = (size_t)s.number[2];
    t->n_passes = (uint64_t)s.number[3];
    log_say("goes on after epoch %zu", t->n_done);
    return RC_OK;
}

enum rc profile_training_run(struct profile_training *t, const char *path, const char *print,
                             uint64_t split_seed, struct err *e)
{
    char *run = text_new("%s %d %" PRIu64 " %" PRIu64, print, (int)t->variant, split_seed, t->seed);
    enum rc rc = run ? load(t, path, run, e) : err_set(e, RC_FAIL, "no memory for a fingerprint");
    while (!rc && t->n_done < (size_t)t->o->epochs) {
        rc = profile_training_epoch(t, e);
        if (!rc)
            rc = save(t, path, run, e);
    }
    free(run);
    return rc;
}
