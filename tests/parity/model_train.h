/* A training curve: losses, gradient norms and weights of steps of AdamW. */
#ifndef GC_TESTS_PARITY_MODEL_TRAIN_H
#define GC_TESTS_PARITY_MODEL_TRAIN_H

#include "lib/nn/optim.h"
#include "tests/parity/model.h"

static double number_at(const json_t *o, const char *key, size_t i)
{
    return json_number_value(json_array_get(json_object_get(o, key), i));
}

/* How far a key bias of n entries may lie from its float64 value after training, in the L2 norm.
 * Its gradient is zero in exact arithmetic, and Adam divides what rounding leaves of it by its own
 * size (README): in float it walks at random, by at most the rate each step where products round to
 * bf16. In f32 the noise is below Adam's eps and the steps are smaller by as much. How much depends
 * on the order of sums, so on the processor: DRIFT times what float32 PyTorch walked, entry by
 * entry, in the folder's own run, or a thousandth of the largest walk, whichever is more. */
static double key_bias_walk(const struct folder *f, const json_t *train, const struct optim *o,
                            size_t n)
{
    const double whole = o->peak_lr * (double)o->total_steps;
    if (rounds_products(f))
        return whole * sqrt((double)n);
    double seen = 0;
    const json_t *f64 = json_object_get(json_object_get(train, "f64"), "final");
    json_t *f32 = json_object_get(json_object_get(train, "f32"), "final");
    const char *name;
    json_t *v;
    json_object_foreach(f32, name, v)
    {
        if (!strstr(name, "self.key.bias"))
            continue;
        const json_t *w = json_object_get(f64, name);
        const double l2 = json_number_value(json_object_get(v, "l2")) -
                          json_number_value(json_object_get(w, "l2"));
        const double sum = json_number_value(json_object_get(v, "sum")) -
                           json_number_value(json_object_get(w, "sum"));
        seen = fmax(seen, fmax(fabs(l2), fabs(sum) / sqrt((double)n)));
    }
    return fmax(drift * seen, 1e-3 * whole * sqrt((double)n));
}

/* The published trainer's curve: loss, parts, norm, rate at each step; then final norms and sums. */
static void training(struct folder *f)
{
    struct st_file file;
    struct model m;
    struct err e = { 0 };
    json_t *j = read_json(f, "train.json");
    if (!j) {
        skip("train.json is not in the folder");
        return;
    }
    if (!open_tensors(f, "train_batches.safetensors", &file))
        return;
    if (!ok(!model_load(&m, f->path, f->b, true, 0, &e), "the model loads for training"))
        return;
    size_t n_batches = 0;
    for (size_t i = 0; i < file.n; i++) {
        const size_t k = strtoul(file.tensor[i].name, NULL, 10);
        n_batches = k + 1 > n_batches ? k + 1 : n_batches;
    }
    const size_t steps = (size_t)json_integer_value(json_object_get(j, "steps"));
    const struct optim o = {
        .peak_lr = json_number_value(json_object_get(j, "peak_lr")),
        .weight_decay = json_number_value(json_object_get(j, "weight_decay")),
        .max_grad_norm = json_number_value(json_object_get(j, "max_grad_norm")),
        .warmup_steps = (uint64_t)json_integer_value(json_object_get(j, "warmup_steps")),
        .total_steps = steps,
    };
    const json_t *want = json_object_get(j, "f64");
    /* A curve multiplies rounding: the float bound is wider by the square root of the steps. */
    set_bound(f, "train_final");
    if (f->b->type == REAL_F32 && !rounds_products(f))
        f->bound = drift * 1e-6 * sqrt((double)steps);
    for (size_t step = 0; step < steps; step++) {
        char prefix[32];
        snprintf(prefix, sizeof prefix, "%zu/", step % n_batches);
        struct source s;
        struct arena a;
        struct tape t;
        struct batch b;
        arena_init(&a, 0);
        tape_init(&t, f->b, true);
        if (!source_read(&s, &file, prefix, true))
            ok(false, "batch %s is whole", prefix);
        batch_of(&b, &a, &s, &m, true);
        struct model_run run = plain_run(&b);
        struct model_out out = { 0 };
        params_zero_gradients(&m.params);
        model_encode(&m, &t, &b, &run, &out);
        model_losses(&m, &t, &b, &run, &out);
        tape_backward(&t);
        const double norm = optim_norm(&m.params);
        const double got[] = { 0.2 * out.id_loss + 0.8 * out.value_loss, out.id_loss,
                               out.value_loss, norm, optim_rate(&o, step) };
        static const char *const keys[] = { "loss", "loss_id", "loss_value", "grad_norm", "lr" };
        for (int k = 0; k < 5; k++) {
            char name[64];
            snprintf(name, sizeof name, "%s at step %zu", keys[k], step);
            double w = number_at(want, keys[k], step);
            compare(f, name, &got[k], &w, 1, 0);
        }
        optim_step(&o, &m.params, step, norm);
        source_free(&s);
        tape_release(&t);
        arena_release(&a);
    }
    section_end(f, "training curve");
    set_bound(f, "train_final");
    const char *name;
    json_t *v;
    json_object_foreach(json_object_get(want, "final"), name, v)
    {
        struct param *p = params_find(&m.params, name);
        if (!p) {
            ok(false, "final %s is a parameter", name);
            continue;
        }
        double *x = tensor_numbers(f, &p->t), sum = 0;
        const size_t n = p->rows * p->cols;
        for (size_t i = 0; i < n; i++)
            sum += x[i];
        double l2 = norm2(x, n), w_l2 = json_number_value(json_object_get(v, "l2"));
        double w_sum = json_number_value(json_object_get(v, "sum"));
        double scale = w_l2;
        if (f->b->type == REAL_F32 && strstr(name, "self.key.bias"))
            scale = key_bias_walk(f, j, &o, n) / f->bound;
        compare(f, name, &l2, &w_l2, 1, scale);
        compare(f, name, &sum, &w_sum, 1, scale * sqrt((double)n));
        free(x);
    }
    section_end(f, "weights after training");
    model_release(&m);
    st_close(&file);
    json_decref(j);
}

#endif
