#include "lib/app/annotate_train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/annotate_training.h"
#include "lib/base/log.h"
#include "lib/io/json.h"
#include "lib/nn/split.h"

static enum classifier_kind kind_of(const char *mode)
{
    int k = 0;
    while (strcmp(classifier_kind_name((enum classifier_kind)k), mode) != 0)
        k++;
    return (enum classifier_kind)k;
}

static enum rc side_alloc(struct side *s, size_t n, size_t d, struct err *e)
{
    s->cell = malloc((n + 1) * sizeof *s->cell);
    s->class_of = malloc((n + 1) * sizeof *s->class_of);
    s->x = calloc(n * d + 1, sizeof *s->x);
    s->row = malloc((n + 1) * sizeof *s->row);
    return s->cell && s->class_of && s->x && s->row
               ? RC_OK
               : err_set(e, RC_FAIL, "no memory for %zu cells", n);
}

static void side_release(struct side *s)
{
    free(s->cell);
    free(s->class_of);
    free(s->row);
    free(s->x);
}

static void side_add(struct side *s, const struct cell_tokens *k, size_t i, uint32_t class_of)
{
    s->cell[s->n] = k->cell[i];
    s->row[s->n] = k->row[i];
    s->class_of[s->n++] = class_of;
}

static enum rc read_inputs(struct training *t, struct err *e)
{
    const struct train_classifier_options *o = t->o;
    struct import_options io = { .species = species_parse(o->species),
                                 .labels = o->labels,
                                 .label_column = o->label_column };
    enum rc rc =
        labelled_cells_read(&t->cells, o->input, o->n_inputs, o->label, true, true, &io, e);
    if (!rc)
        rc = labelled_cells_classes(&t->cells, &t->class_name, &t->n_classes, e);
    if (!rc && t->n_classes < 2)
        rc = err_set(e, RC_INPUT, "all labelled cells are '%s': a classifier wants two classes",
                     t->class_name[0]);
    io.labels = NULL;
    if (!rc && o->validation.n)
        rc = labelled_cells_read(&t->chosen, o->validation.item, (size_t)o->validation.n, o->label,
                                 true, true, &io, e);
    if (!rc && t->kind != CLASSIFIER_PROBE && (t->cells.vectors || t->chosen.vectors))
        rc = err_set(e, RC_INPUT,
                     "'%s' holds vectors, which --mode probe takes; the others train on counts",
                     t->cells.vectors ? o->input[0] : o->validation.item[0]);
    return rc;
}

/* Labelled cells with tokens: one in ten (or so) of each class to validation, the rest to training.
 */
static enum rc split_inputs(struct training *t, struct err *e)
{
    const struct cell_tokens *k = &t->tokens;
    const size_t d = t->m.model.config.d;
    size_t n = 0;
    uint32_t *class_of = malloc((k->n + 1) * sizeof *class_of);
    uint64_t *id = malloc((k->n + 1) * sizeof *id);
    size_t *at = malloc((k->n + 1) * sizeof *at);
    unsigned char *held = calloc(k->n + 1, 1);
    enum rc rc = class_of && id && at && held
                     ? side_alloc(&t->train, k->n, d, e)
                     : err_set(e, RC_FAIL, "no memory for %zu cells", k->n);
    if (!rc)
        rc = side_alloc(&t->val, k->n + t->chosen_tokens.n, d, e);
    for (size_t i = 0; !rc && i < k->n; i++) {
        const uint32_t c = classifier_find(&t->c, t->cells.label[k->row[i]]);
        if (c == NO_CLASS)
            continue;
        class_of[n] = c;
        id[n] = k->cell[i].cell_id;
        at[n++] = i;
    }
    if (!rc && !t->o->validation.n)
        rc = split_held_out(class_of, id, n, t->n_classes, t->o->validation_share, t->o->seed, held,
                            e);
    for (size_t i = 0; !rc && i < n; i++)
        side_add(held[i] ? &t->val : &t->train, k, at[i], class_of[i]);
    free(class_of);
    free(id);
    free(at);
    free(held);
    return rc;
}

static void take_chosen(struct training *t)
{
    const struct cell_tokens *k = &t->chosen_tokens;
    for (size_t i = 0; i < k->n; i++) {
        const char *label = t->chosen.label[k->row[i]];
        const uint32_t c = classifier_find(&t->c, label);
        if (c != NO_CLASS)
            side_add(&t->val, k, i, c);
        else
            t->n_unseen += label != NULL;
    }
}

static enum rc check_vectors(struct training *t, struct err *e)
{
    const char *own = embedder_sha256(&t->m, e);
    enum rc rc = own ? labelled_cells_check(&t->cells, t->m.model.config.d, own, NULL, e) : RC_FAIL;
    return rc ? rc : labelled_cells_check(&t->chosen, t->m.model.config.d, own, NULL, e);
}

static enum rc tokenise(struct training *t, struct err *e)
{
    size_t n_empty = 0;
    enum rc rc = RC_OK;
    if (t->cells.vectors || t->chosen.vectors)
        rc = check_vectors(t, e);
    if (!rc)
        rc = labelled_cells_tokens(&t->cells, &t->m, t->o->overlap, &t->tokens, &t->n_empty, e);
    if (!rc && t->o->validation.n)
        rc =
            labelled_cells_tokens(&t->chosen, &t->m, t->o->overlap, &t->chosen_tokens, &n_empty, e);
    if (!rc && t->o->as_released) {
        cell_tokens_as_released(&t->tokens);
        cell_tokens_as_released(&t->chosen_tokens);
    }
    if (!rc)
        rc = split_inputs(t, e);
    if (rc)
        return rc;
    take_chosen(t);
    if (t->o->validation.n && !t->val.n)
        return err_set(e, RC_INPUT,
                       "no cell of --validation has a type that the training cells have (%zu have others)",
                       t->n_unseen);
    for (size_t i = 0; i < t->cells.n; i++)
        t->n_unlabelled += !t->cells.label[i];
    for (size_t i = 0; i < t->train.n; i++)
        t->c.n_train[t->train.class_of[i]]++;
    size_t lost = 0;
    for (size_t c = 0; c < t->n_classes; c++)
        if (!t->c.n_train[c]) {
            log_warn("no cell of class '%s' has a gene that the model knows", t->class_name[c]);
            lost++;
        }
    if (t->n_classes - lost < 2)
        return err_set(e, RC_INPUT, "fewer than two classes have cells to learn from");
    log_say("%zu cells of %zu classes to learn from, %zu to choose by, %zu without a label, %zu "
            "without a known gene",
            t->train.n, t->n_classes, t->val.n, t->n_unlabelled, t->n_empty);
    return RC_OK;
}

/* A NaN has no place in JSON. */
static json_t *number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *facts(const struct training *t, const char *hash, const double calibration[2])
{
    json_t *j = json_pack(
        "{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "label", t->o->label, "base_model_sha256",
        hash, "backend", t->o->backend->name, "seed", (json_int_t)t->o->seed, "training_cells",
        (json_int_t)t->train.n, "validation_cells", (json_int_t)t->val.n, "unlabelled_cells",
        (json_int_t)t->n_unlabelled, "cells_without_known_genes", (json_int_t)t->n_empty,
        "validation_cells_of_unseen_classes", (json_int_t)t->n_unseen);
    const struct {
        const char *key;
        double x;
    } more[] = { { "chosen_epoch", (double)t->best.epoch },
                 { "chosen_c", t->kind == CLASSIFIER_PROBE ? t->best_c : NAN },
                 { "validation_accuracy", t->best.val_accuracy },
                 { "validation_macro_f1", t->best.val_macro_f1 },
                 { "calibration_error_before", calibration[0] },
                 { "calibration_error", calibration[1] } };
    for (size_t i = 0; j && i < sizeof more / sizeof *more; i++)
        json_object_set_new(j, more[i].key, number(more[i].x));
    return j;
}

static enum rc save(struct training *t, struct err *e)
{
    double calibration[2];
    enum rc rc = training_calibrate(t, calibration, e);
    const char *hash = rc ? NULL : embedder_sha256(&t->m, e);
    if (!hash)
        return rc ? rc : RC_FAIL;
    json_t *j = facts(t, hash, calibration);
    rc = j ? classifier_save(&t->c, &t->m.model, t->o->model, t->o->out, j, e)
           : err_set(e, RC_FAIL, "no memory for a report");
    if (!rc && t->o->report)
        rc = json_write(t->o->report, json_incref(j), e);
    json_decref(j);
    if (!rc && t->val.n)
        log_say("validation: accuracy %.4f, macro-F1 %.4f, calibration error %.4f (%.4f before)",
                t->best.val_accuracy, t->best.val_macro_f1, calibration[1], calibration[0]);
    else if (!rc)
        log_warn("no cells to choose by: probabilities are not calibrated, and every cell will get a name");
    if (!rc && t->c.threshold > 1)
        log_warn(
            "even the surest validation cells are not right in %.0f %%: every cell will be 'not "
            "sure' (a lower --sure helps)",
            100 * t->o->sure);
    else if (!rc && t->val.n)
        log_say("a cell gets its name from a probability of %.3f on", t->c.threshold);
    return rc;
}

static void release(struct training *t)
{
    outfile_abort(&t->log);
    side_release(&t->train);
    side_release(&t->val);
    cell_tokens_release(&t->tokens);
    cell_tokens_release(&t->chosen_tokens);
    classifier_release(&t->c);
    embedder_close(&t->m);
    free(t->class_name);
    labelled_cells_release(&t->cells);
    labelled_cells_release(&t->chosen);
}

enum rc annotate_train(const struct train_classifier_options *o, struct err *e)
{
    struct training t = { .o = o, .kind = o->as_released ? CLASSIFIER_FULL : kind_of(o->mode) };
    char *log = text_new("%s/log.tsv", o->out);
    cell_tokens_init(&t.tokens);
    cell_tokens_init(&t.chosen_tokens);
    t.train.of = &t.cells;
    t.val.of = o->validation.n ? &t.chosen : &t.cells;
    enum rc rc = log ? read_inputs(&t, e) : err_set(e, RC_FAIL, "no memory for a path");
    const bool trains = t.kind != CLASSIFIER_PROBE;
    const struct embedder_wants want = { .hash = true,
                                         .training = trains,
                                         .n_classes = trains ? (uint32_t)t.n_classes : 0 };
    if (!rc)
        rc = embedder_open(&t.m, o->model, o->backend, &want, e);
    if (!rc)
        rc = classifier_init(&t.c, t.kind, t.class_name, t.n_classes, e);
    if (!rc) {
        t.c.as_released = o->as_released;
        rc = tokenise(&t, e);
    }
    if (!rc)
        rc = outfile_open(&t.log, log, e);
    if (!rc)
        rc = trains ? training_tune(&t, e) : training_probe(&t, e);
    if (!rc)
        rc = save(&t, e);
    if (!rc)
        rc = outfile_commit(&t.log, e);
    release(&t);
    free(log);
    return rc;
}
