/* The trainings of all seeds, without and with vectors, and what they write. */
#include <stdlib.h>
#include <string.h>

#include "lib/app/cross_species_parts.h"
#include "lib/base/log.h"
#include "lib/base/thread.h"
#include "lib/io/metrics_tsv.h"
#include "lib/nn/came_train.h"

/* Trainings are independent: as many at a time as there are workers, each on one of them, and what
 * is left over, or a single one, on all. */
struct trainings {
    struct cross_job *j;
    struct came_plan plan;
    struct came_config config;
    size_t n_seeds, first, n; /* at hand: numbers first .. first + n */
    struct came_trained *got; /* [n] */
    struct err *err;          /* [n] */
};

static const char *const came_method[2] = { "came", "genecompass+came" };

static void train_one(void *ctx, size_t i, int worker)
{
    const struct trainings *t = ctx;
    const struct cross_job *j = t->j;
    (void)worker;
    const bool vectors = (t->first + i) / t->n_seeds;
    const struct came_task task = { .g = &j->g,
                                    .initial = vectors ? j->vector : NULL,
                                    .d_initial = vectors ? j->d_vector : 0,
                                    .label = j->label,
                                    .cluster = j->cluster,
                                    .n_classes = j->n_classes,
                                    .n_clusters = j->n_clusters };
    struct came_plan plan = t->plan;
    plan.seed = j->o->seed + (t->first + i) % t->n_seeds;
    came_train(&task, &t->config, &plan, j->o->backend, &t->got[i], &t->err[i]);
}

enum {
    SHOW_EVERY = 10, /* epochs in training.tsv */
    AT_ONCE = 8      /* trainings: 7,000 genes take half a gigabyte each */
};

static enum rc write_training(struct cross_job *j, size_t number, const struct came_trained *got,
                              struct err *e)
{
    const size_t n = (size_t)j->o->n_seeds, v = number / n, s = number % n;
    const struct came_epoch *best = &got->epoch[got->chosen];
    struct cross_said said = { .method = came_method[v],
                               .variant = "clean",
                               .seed = j->o->seed + s,
                               .predicted = got->predicted,
                               .probability = got->probability },
                      released = { .method = came_method[v],
                                   .variant = "as-released",
                                   .seed = said.seed,
                                   .predicted = got->as_released,
                                   .at_epoch = got->at_epoch };
    for (size_t i = 0; i < (size_t)j->o->n_epochs; i++) {
        char text[3][32];
        if (i % SHOW_EVERY && i != got->chosen)
            continue;
        metric_text(got->epoch[i].loss, text[0]);
        metric_text(got->epoch[i].accuracy, text[1]);
        metric_text(got->epoch[i].ami, text[2]);
        field_put(j->o->dataset, j->training.f);
        fprintf(j->training.f, "\t%s\t%" PRIu64 "\t%zu\t%s\t%s\t%s\t%s\n", said.method, said.seed,
                i + 1, text[0], text[1], text[2], i == got->chosen ? "yes" : "no");
    }
    enum rc rc = cross_write(j, &said, e);
    if (!rc)
        rc = cross_write(j, &released, e);
    for (size_t m = 0; m < CROSS_METRICS; m++)
        j->score[(v * CROSS_METRICS + m) * n + s] = said.metric[m];
    struct metric_row row = { "cross-species",
                              j->o->dataset,
                              said.method,
                              "clean",
                              "test",
                              said.seed,
                              "chosen_epoch",
                              (double)got->chosen + 1,
                              j->count[CAME_QUERY]->n_rows };
    metrics_tsv_add(&j->metrics, &row);
    row.metric = "chosen_ami";
    row.value = best->ami;
    metrics_tsv_add(&j->metrics, &row);
    log_say("%s, seed %" PRIu64 ": epoch %zu, agreement with the clusters %.3f", said.method,
            said.seed, got->chosen + 1, best->ami);
    return rc;
}

/* Numbers first .. first + n at once. */
static enum rc train_some(struct trainings *t, struct err *e)
{
    enum rc rc = RC_OK;
    memset(t->err, 0, t->n * sizeof *t->err);
    memset(t->got, 0, t->n * sizeof *t->got);
    if (t->n == 1)
        train_one(t, 0, 0); /* its own loops run on all workers */
    else
        threads_for(t->n, train_one, t);
    for (size_t i = 0; i < t->n; i++) {
        if (!rc && t->err[i].rc) {
            *e = t->err[i];
            rc = e->rc;
        }
        if (!rc)
            rc = write_training(t->j, t->first + i, &t->got[i], e);
        came_trained_release(&t->got[i]);
    }
    return rc;
}

enum rc cross_train(struct cross_job *j, struct err *e)
{
    const size_t n_all = (size_t)j->o->n_seeds * (j->vector ? 2 : 1),
                 most = (size_t)threads_count(), workers = most < AT_ONCE ? most : AT_ONCE;
    struct trainings t = { .j = j,
                           .plan = came_plan_published,
                           .config = came_config_published,
                           .n_seeds = (size_t)j->o->n_seeds,
                           .got = calloc(workers, sizeof *t.got),
                           .err = calloc(workers, sizeof *t.err) };
    struct progress progress;
    j->score = calloc(2 * CROSS_METRICS * t.n_seeds, sizeof *j->score);
    t.plan.n_epochs = (size_t)j->o->n_epochs;
    t.plan.first = (size_t)j->o->first - 1;
    t.config.d = (size_t)j->o->width;
    enum rc rc = t.got && t.err && j->score
                     ? RC_OK
                     : err_set(e, RC_FAIL, "no memory for %zu seeds", t.n_seeds);
    progress_start(&progress, "trainings", n_all);
    for (; !rc && t.first < n_all; t.first += t.n) {
        const size_t left = n_all - t.first;
        t.n = left >= workers ? workers : 1;
        rc = train_some(&t, e);
        progress_at(&progress, t.first + t.n);
    }
    if (!rc)
        progress_end(&progress);
    free(t.got);
    free(t.err);
    return rc || !j->vector ? rc : cross_compare(j, came_method, e);
}
