/* The classifier: its head, outputs, losses and gradients in each variant of the folder. */
#ifndef GC_TESTS_PARITY_MODEL_CLASSIFIER_H
#define GC_TESTS_PARITY_MODEL_CLASSIFIER_H

#include "tests/parity/model.h"

static void load_head(struct model *m, const struct st_file *s, const char *name)
{
    char key[96];
    snprintf(key, sizeof key, "weights/%s", name);
    const struct st_tensor *t = st_find(s, key);
    struct param *p = params_find(&m->params, name);
    if (!ok(t && p && t->n_items == p->rows * p->cols, "%s is there", key))
        return;
    double *x = numbers(t);
    reals_from_f64(m->params.b, p->t.x, x, t->n_items);
    free(x);
}

struct variant {
    const char *name;
    bool masked, species, whole_values;
};

static void classify_one(struct folder *f, struct model *m, const struct st_file *file,
                         const struct variant *v)
{
    char key[96];
    snprintf(key, sizeof key, "f64/%s/logits", v->name);
    const struct st_tensor *want = st_find(file, key);
    if (!want)
        return;
    struct source s;
    struct arena a;
    struct tape t;
    struct batch b;
    double *labels = NULL, *whole = NULL;
    arena_init(&a, 0);
    tape_init(&t, f->b, true);
    if (!ok(source_read(&s, file, "", v->masked) && want_tensor(file, "", "labels", &labels, NULL),
            "%s: the cells are whole", v->name))
        return;
    if (v->whole_values && want_tensor(file, "", "values_int", &whole, NULL))
        memcpy(s.values, whole, s.B * s.S * sizeof *whole);
    batch_of(&b, &a, &s, m, v->species);
    struct model_run run = { 0 };
    struct model_out out = { 0 };
    params_zero_gradients(&m->params);
    model_encode(m, &t, &b, &run, &out);
    struct tensor *pooled = model_pool(m, &t, &b, out.last);
    struct tensor *logits = model_classify(m, &t, pooled);
    uint32_t label[4096];
    for (size_t c = 0; c < s.B; c++)
        label[c] = (uint32_t)labels[c];
    /* The loss op computes its logits itself, from the pooled rows. */
    struct id_loss loss = { 0 };
    tape_id_loss(&t, pooled, &params_find(&m->params, "classifier.weight")->t,
                 &params_find(&m->params, "classifier.bias")->t, label, 1 / (double)s.B, &loss);
    tape_backward(&t);
    set_bound(f, "seqcls");
    double *x = tensor_numbers(f, logits), *w = numbers(want);
    if (ok(want->n_items == s.B * logits->cols, "%s: classes agree", v->name))
        compare(f, key, x, w, want->n_items, 0);
    free(x);
    free(w);
    snprintf(key, sizeof key, "%s/pooled", v->name);
    if (want_tensor(file, "f64/", key, &w, &want)) {
        x = tensor_numbers(f, pooled);
        compare(f, key, x, w, want->n_items, 0);
        free(x);
    }
    free(w);
    snprintf(key, sizeof key, "%s/loss", v->name);
    compare_scalar(f, file, key, loss.loss);
    section_end(f, v->name);
    set_bound(f, "grads");
    snprintf(key, sizeof key, "f64/%s/grad/", v->name);
    compare_gradients(f, m, file, key, false);
    snprintf(key, sizeof key, "f64/%s/grad_l2/", v->name);
    compare_gradients(f, m, file, key, true);
    if (f->compared)
        section_end(f, "gradients of the classifier");
    free(labels);
    free(whole);
    source_free(&s);
    tape_release(&t);
    arena_release(&a);
}

static void classifier(struct folder *f)
{
    static const struct variant variants[] = { { "official", true, false, false },
                                               { "nomask", false, false, false },
                                               { "as_released_int_values", true, false, true },
                                               { "with_species", true, true, false } };
    struct st_file file;
    struct model m;
    struct err e = { 0 };
    if (!open_tensors(f, "seqcls.safetensors", &file))
        return;
    const struct st_tensor *c = st_find(&file, "weights/classifier.bias");
    if (ok(c && !model_load(&m, f->path, f->b, true, c ? (uint32_t)c->n_items : 1, &e),
           "the model loads with a classifier")) {
        load_head(&m, &file, "bert.pooler.dense.weight");
        load_head(&m, &file, "bert.pooler.dense.bias");
        load_head(&m, &file, "classifier.weight");
        load_head(&m, &file, "classifier.bias");
        for (size_t i = 0; i < sizeof variants / sizeof *variants; i++)
            classify_one(f, &m, &file, &variants[i]);
        model_release(&m);
    }
    st_close(&file);
}

#endif
