/* parity-model DIR [--backend NAME]: the model against a folder laid out like golden/model (README
 * there): encoder outputs, logits, losses, gradients, a training curve, the classifier. Sizes come
 * from the folder. Without --backend both are run.
 *
 * Bounds. The expectations are float64 runs. ref computes in double from the same float32 inputs, so
 * only the order of sums differs: 1e-9 of a tensor's largest value (what is seen is about 1e-13).
 * cpu computes in float: each tensor may be as far off as DRIFT times what float32 PyTorch was on
 * tensors of the kind, taken as the largest relative L2 deviation of deviation_f32.json over its
 * section, or 1e-6 where the folder has no such file. Gradients that are zero in exact arithmetic
 * (attention.self.key.bias) are compared with the norm of their layer's query bias gradient.
 * cuda has the bounds of cpu. cuda-bf16 and cpu-bf16 round both inputs of every product by up to 2^-9; an output
 * has passed some fifteen products one after another, so DRIFT times 2^-9 is asked of values (square
 * root of 2 x 15 roundings, and room), and four times that of gradients, which pass that many again
 * and whose sums cancel. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/model_file.h"
#include "lib/base/file.h"
#include "lib/base/thread.h"
#include "lib/io/dictionary.h"
#include "lib/io/weights.h"
#include "lib/nn/optim.h"
#include "tests/tap.h"

static const double drift = 8; /* see above */

struct folder {
    const char *path;
    const struct backend *b;
    double bound;  /* relative, of the section at hand */
    double worst;  /* largest error seen, in units of the tensor's scale */
    char where[128];
    size_t compared;
    json_t *deviation;
};

static char *in(const struct folder *f, const char *name)
{
    return text_new("%s/%s", f->path, name);
}

static json_t *read_json(const struct folder *f, const char *name)
{
    char *path = in(f, name);
    json_t *j = json_load_file(path, 0, NULL);
    free(path);
    return j;
}

static bool open_tensors(const struct folder *f, const char *name, struct st_file *s)
{
    char *path = in(f, name);
    struct err e = { 0 };
    bool there = file_exists(path);
    if (!there)
        skip("%s is not in the folder", name);
    else if (!ok(!st_open(s, path, &e), "%s opens%s%s", name, e.rc ? ": " : "", e.text))
        there = false;
    free(path);
    return there;
}

static bool rounds_products(const struct folder *f)
{
    return strcmp(f->b->name, "cuda-bf16") == 0 || strcmp(f->b->name, "cpu-bf16") == 0;
}

/* The bound of a section: see the top. */
static void set_bound(struct folder *f, const char *section)
{
    if (f->b->type == REAL_F64) {
        f->bound = 1e-9;
        return;
    }
    if (rounds_products(f)) {
        f->bound = drift * 0x1p-9 * (strcmp(section, "grads") == 0 ? 4 : 1);
        return;
    }
    double worst = 1e-6;
    const char *key;
    json_t *v;
    json_object_foreach(json_object_get(f->deviation, section), key, v)
    {
        if (strstr(key, "self.key.bias")) /* relative to zero */
            continue;
        double r = json_number_value(json_object_get(v, "rel_l2"));
        if (r > worst)
            worst = r;
    }
    f->bound = drift * worst;
}

static double norm2(const double *x, size_t n)
{
    double s = 0;
    for (size_t i = 0; i < n; i++)
        s += x[i] * x[i];
    return sqrt(s);
}

/* got against want in the L2 norm, relative to scale (0: want's own norm), floor 1e-30. */
static void compare(struct folder *f, const char *name, const double *got, const double *want,
                    size_t n, double scale)
{
    double diff = 0;
    for (size_t i = 0; i < n; i++)
        diff += (got[i] - want[i]) * (got[i] - want[i]);
    diff = sqrt(diff);
    if (scale <= 0)
        scale = norm2(want, n);
    const double rel = scale > 0 ? diff / scale : diff;
    f->compared++;
    if (!(rel <= f->worst)) {
        f->worst = rel;
        snprintf(f->where, sizeof f->where, "%s", name);
    }
    if (!(rel <= f->bound))
        ok(false, "%s %s: relative error %.3g above %.3g", f->b->name, name, rel, f->bound);
}

static void section_end(struct folder *f, const char *what)
{
    ok(f->compared > 0 && f->worst <= f->bound,
       "%s %s: %zu compared, largest relative error %.3g (bound %.3g)%s%s", f->b->name, what,
       f->compared, f->worst, f->bound, f->where[0] ? " at " : "", f->where);
    f->worst = 0;
    f->where[0] = '\0';
    f->compared = 0;
}

static double *numbers(const struct st_tensor *t)
{
    double *x = malloc((t->n_items + 1) * sizeof *x);
    if (!x || st_get_f64(t, x, NULL))
        abort();
    return x;
}

static double *tensor_numbers(const struct folder *f, const struct tensor *t)
{
    double *x = malloc((t->rows * t->cols + 1) * sizeof *x);
    if (!x)
        abort();
    reals_to_f64(f->b, x, t->x, t->rows * t->cols);
    return x;
}

/* Where a padded [B,S] layout meets the ragged one. */
struct source {
    size_t B, S;
    uint32_t length[4096];
    double *ids, *values, *labels, *label_values, *species;
};

static bool want_tensor(const struct st_file *s, const char *prefix, const char *name, double **x,
                        const struct st_tensor **t)
{
    char key[128];
    snprintf(key, sizeof key, "%s%s", prefix, name);
    const struct st_tensor *found = st_find(s, key);
    *x = found ? numbers(found) : NULL;
    if (t)
        *t = found;
    return found != NULL;
}

static void source_free(struct source *s)
{
    free(s->ids);
    free(s->values);
    free(s->labels);
    free(s->label_values);
    free(s->species);
}

/* masked false: every padded position is a real row (as published scripts run it). */
static bool source_read(struct source *s, const struct st_file *f, const char *prefix, bool masked)
{
    *s = (struct source){ 0 };
    const struct st_tensor *t;
    double *mask = NULL;
    if (!want_tensor(f, prefix, "input_ids", &s->ids, &t) || t->n_dims != 2 || t->dim[0] > 4096)
        return false;
    s->B = t->dim[0];
    s->S = t->dim[1];
    bool good = want_tensor(f, prefix, "values", &s->values, NULL) &&
                want_tensor(f, prefix, "species", &s->species, NULL) &&
                want_tensor(f, prefix, "attention_mask", &mask, NULL);
    want_tensor(f, prefix, "labels", &s->labels, &t);
    if (t && t->n_items != s->B * s->S) { /* class labels of cells */
        free(s->labels);
        s->labels = NULL;
    }
    want_tensor(f, prefix, "labels_values", &s->label_values, NULL);
    for (size_t c = 0; good && c < s->B; c++) {
        s->length[c] = masked ? 0 : (uint32_t)s->S;
        for (size_t j = 0; masked && j < s->S; j++)
            s->length[c] += mask[c * s->S + j] > 0;
    }
    free(mask);
    return good;
}

static void batch_of(struct batch *b, struct arena *a, const struct source *s,
                     const struct model *m, bool with_species)
{
    struct err e = { 0 };
    if (batch_layout(b, a, s->length, s->B, &e))
        abort();
    b->masked = arena_get(a, (b->n_genes + 1) * sizeof *b->masked);
    b->label = arena_get(a, (b->n_genes + 1) * sizeof *b->label);
    b->label_value = arena_get(a, (b->n_genes + 1) * sizeof *b->label_value);
    for (size_t c = 0, g = 0; c < s->B; c++) {
        b->species[c] = with_species ? (uint8_t)s->species[c] : 0;
        b->cell_id[c] = c;
        for (size_t j = 0; j < s->length[c]; j++, g++) {
            const size_t at = c * s->S + j;
            b->id[g] = (uint32_t)s->ids[at];
            b->value[g] = (float)s->values[at];
            if (s->labels && s->labels[at] >= 0) {
                b->masked[b->n_masked] = b->first[c] + 1 + (uint32_t)j;
                b->label[b->n_masked] = (uint32_t)s->labels[at];
                b->label_value[b->n_masked++] = (float)s->label_values[at];
            }
        }
    }
    if (batch_find_pairs(b, a, m->config.n_tokens, m->tables.homolog, &e)) {
        ok(false, "%s", e.text);
        exit(4);
    }
}

static struct model_run plain_run(const struct batch *b)
{
    return (struct model_run){ .id_weight = 0.2, .value_weight = 0.8,
                               .n_masked_total = b->n_masked };
}

/* Rows of the padded [B,S(+1),D] expectation that exist here, in our order. skip_species: rows of
 * the expectation start at the first gene. */
static void compare_rows(struct folder *f, const char *name, const struct batch *b,
                         const struct source *s, const struct tensor *got,
                         const struct st_tensor *want, bool genes_only)
{
    const size_t d = got->cols, wide = s->S + (genes_only ? 0 : 1);
    if (want->n_items != s->B * wide * d) {
        ok(false, "%s has %llu numbers, not %zu", name, (unsigned long long)want->n_items,
           s->B * wide * d);
        return;
    }
    double *x = tensor_numbers(f, got), *w = numbers(want), *w_here = malloc(b->n_rows * d * 8 + 8);
    double *x_here = malloc(b->n_rows * d * 8 + 8);
    size_t n = 0;
    for (size_t c = 0; c < b->n_cells; c++)
        for (uint32_t r = b->first[c] + genes_only; r < b->first[c + 1]; r++, n++) {
            const size_t from = c * wide + (r - b->first[c] - genes_only);
            memcpy(x_here + n * d, x + r * d, d * sizeof *x);
            memcpy(w_here + n * d, w + from * d, d * sizeof *w);
        }
    compare(f, name, x_here, w_here, n * d, 0);
    free(x);
    free(w);
    free(w_here);
    free(x_here);
}

static void compare_scalar(struct folder *f, const struct st_file *s, const char *name, double got)
{
    double *w;
    if (want_tensor(s, "f64/", name, &w, NULL))
        compare(f, name, &got, w, 1, 0);
    free(w);
}

static void compare_gradients(struct folder *f, const struct model *m, const struct st_file *s,
                              const char *prefix, bool norms_only)
{
    size_t found = 0;
    for (size_t i = 0; i < s->n; i++) {
        const struct st_tensor *t = &s->tensor[i];
        const size_t skip_n = strlen(prefix);
        if (strncmp(t->name, prefix, skip_n) != 0)
            continue;
        const char *name = t->name + skip_n;
        struct param *p = params_find(&m->params, name);
        if (!ok(p != NULL, "gradient %s belongs to a parameter", name))
            continue;
        tap_n--; /* a sentence only when it is wrong */
        const struct tensor g = { .rows = p->rows, .cols = p->cols, .ld = p->cols, .x = p->t.g };
        double *x = tensor_numbers(f, &g), *w = numbers(t), scale = 0;
        const size_t n = p->rows * p->cols;
        if (strstr(name, "self.key.bias")) { /* zero in exact arithmetic */
            char query[128];
            const char *key = strstr(name, "key.bias");
            snprintf(query, sizeof query, "%.*squery.bias", (int)(key - name), name);
            struct param *q = params_find(&m->params, query);
            const struct tensor gq = { .rows = 1, .cols = q->cols, .ld = q->cols, .x = q->t.g };
            double *y = tensor_numbers(f, &gq);
            scale = norm2(y, q->cols);
            free(y);
        }
        if (norms_only) {
            double got = norm2(x, n);
            compare(f, t->name, &got, w, 1, scale);
        } else {
            compare(f, t->name, x, w, n, scale);
        }
        found++;
        free(x);
        free(w);
    }
    note("%zu gradients under %s", found, prefix);
}

/* Forward, losses and (when there) gradients of one expectation file. */
static void pretraining(struct folder *f, struct model *m, const char *file, bool masked)
{
    struct st_file batch_file, expect, grads;
    if (!open_tensors(f, "batch.safetensors", &batch_file))
        return;
    if (!open_tensors(f, file, &expect)) {
        st_close(&batch_file);
        return;
    }
    struct source s;
    struct arena a;
    struct tape t;
    struct batch b;
    arena_init(&a, 0);
    tape_init(&t, f->b, true);
    ok(source_read(&s, &batch_file, "", masked), "the batch is whole");
    batch_of(&b, &a, &s, m, true);
    struct model_run run = plain_run(&b);
    struct tensor *hidden[1024 + 1];
    struct model_out out = { .hidden = hidden };
    out.id.logits = malloc(b.n_masked * m->config.n_tokens * sizeof(double) + 8);
    params_zero_gradients(&m->params);
    model_encode(m, &t, &b, &run, &out);
    model_losses(m, &t, &b, &run, &out);
    struct tensor *values = model_values(m, &t, out.last);
    set_bound(f, masked ? "expect" : "expect_nomask");
    char name[64];
    for (unsigned l = 0; l <= m->config.n_layers; l++) {
        snprintf(name, sizeof name, "f64/hidden.%u", l);
        const struct st_tensor *want = st_find(&expect, name);
        if (want)
            compare_rows(f, name, &b, &s, hidden[l], want, false);
    }
    const struct st_tensor *want = st_find(&expect, "f64/value_pred");
    if (want)
        compare_rows(f, "value_pred", &b, &s, values, want, true);
    double *w;
    if (want_tensor(&expect, "f64/", "id_logits_masked", &w, &want)) {
        const struct tensor l = { .rows = b.n_masked,
                                  .cols = m->config.n_tokens,
                                  .ld = m->config.n_tokens,
                                  .x = out.id.logits };
        double *x = tensor_numbers(f, &l);
        if (ok(want->n_items == l.rows * l.cols, "%s: logits of every selected position", file))
            compare(f, "id_logits_masked", x, w, l.rows * l.cols, 0);
        free(x);
    }
    free(w);
    compare_scalar(f, &expect, "loss", 0.2 * out.id_loss + 0.8 * out.value_loss);
    compare_scalar(f, &expect, "loss_id", out.id_loss);
    compare_scalar(f, &expect, "loss_value", out.value_loss);
    section_end(f, file);
    /* The value head was run on all rows for the comparison: its gradient is zero, so the tape's
     * backward pass gives the gradient of the loss all the same. */
    tape_backward(&t);
    ok(!tape_check(&t, NULL), "the tape held");
    set_bound(f, "grads");
    compare_gradients(f, m, &expect, "grad_l2/", true);
    if (masked && open_tensors(f, "grads.safetensors", &grads)) {
        compare_gradients(f, m, &grads, "f64/", false);
        st_close(&grads);
    }
    if (f->compared)
        section_end(f, masked ? "gradients" : "gradients without mask");
    free(out.id.logits);
    source_free(&s);
    tape_release(&t);
    arena_release(&a);
    st_close(&expect);
    st_close(&batch_file);
}

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

static bool same_block(const struct params *a, const struct params *b)
{
    const size_t n = a->n_items * a->b->real_bytes;
    char *x = malloc(n), *y = malloc(n);
    backend_read(a->b, x, a->x, n);
    backend_read(b->b, y, b->x, n);
    const bool same = a->n_items == b->n_items && memcmp(x, y, n) == 0;
    free(x);
    free(y);
    return same;
}

/* Writing and reading back gives the same numbers under the same names. */
static void round_trip(struct folder *f, const struct model *m)
{
    char dir[] = "/tmp/gc-parity-XXXXXX";
    struct err e = { 0 };
    struct model again;
    if (!mkdtemp(dir) || !ok(!model_save(m, dir, &e), "the model is written%s", e.text))
        return;
    if (ok(!model_load(&again, dir, f->b, false, 0, &e), "and read back%s", e.text)) {
        ok(same_block(&again.params, &m->params),
           "with the same weights");
        ok(memcmp(again.tables.homolog, m->tables.homolog, m->config.n_tokens * 4) == 0,
           "and homologs");
        model_release(&again);
    }
    char *rm = text_new("rm -r '%s'", dir);
    ok(system(rm) == 0, "clean up");
    free(rm);
}

static bool same_tensor(const struct st_tensor *a, const struct st_tensor *b)
{
    return a->type == b->type && a->n_dims == b->n_dims &&
           memcmp(a->dim, b->dim, (size_t)a->n_dims * sizeof *a->dim) == 0 &&
           memcmp(a->data, b->data, a->n_bytes) == 0;
}

/* pytorch_model.bin holds the tensors of model.safetensors, and the aliases. */
static void same_weights(struct folder *f, const char *bin)
{
    struct weights t;
    struct st_file s;
    struct err e = { 0 };
    size_t n_other = 0, n_alias = 0;
    if (!open_tensors(f, "model.safetensors", &s))
        return;
    if (ok(!weights_open(&t, bin, &e), "pytorch_model.bin opens%s%s", e.rc ? ": " : "", e.text)) {
        for (size_t i = 0; i < s.n; i++) {
            const struct st_tensor *x = st_find(&t.st, s.tensor[i].name);
            if (!x || !same_tensor(x, &s.tensor[i])) {
                note("%s is not the same in both", s.tensor[i].name);
                n_other++;
            }
        }
        for (int i = 0; i < N_MODEL_TIES; i++)
            n_alias += st_find(&t.st, model_tie[i].alias) != NULL;
        ok(n_other == 0 && t.st.n == s.n + n_alias,
           "pytorch_model.bin: %zu tensors and %zu aliases are those of model.safetensors", s.n,
           n_alias);
        weights_close(&t);
    }
    st_close(&s);
}

/* A folder with config.json and pytorch_model.bin alone gives the same model and the same numbers. */
static void published_form(struct folder *f, const struct model *m)
{
    char dir[] = "/tmp/gc-parity-XXXXXX", *from = in(f, "pytorch_model.bin"), *config;
    struct err e = { 0 };
    struct model again;
    if (!file_exists(from)) {
        skip("pytorch_model.bin is not in the folder");
        free(from);
        return;
    }
    same_weights(f, from);
    config = in(f, "config.json");
    char *to = mkdtemp(dir) ? text_new("%s/pytorch_model.bin", dir) : NULL;
    char *to_config = text_new("%s/config.json", dir);
    if (ok(to && !file_copy(from, to, &e) && !file_copy(config, to_config, &e) &&
               !model_load(&again, dir, f->b, true, 0, &e),
           "%s: the model loads from pytorch_model.bin%s%s", f->b->name, e.rc ? ": " : "",
           e.text)) {
        ok(same_block(&again.params, &m->params) &&
               memcmp(again.tables.homolog, m->tables.homolog, m->config.n_tokens * 4) == 0,
           "with the same weights and homologs");
        pretraining(f, &again, "expect.safetensors", true);
        model_release(&again);
    }
    char *rm = text_new("rm -r '%s'", dir);
    ok(system(rm) == 0, "clean up");
    free(rm);
    free(to);
    free(to_config);
    free(config);
    free(from);
}

/* The authors' dictionaries become the tables that their loader made of them. */
static void dictionaries(struct folder *f, const struct model *m)
{
    static const struct {
        enum knowledge_kind kind;
        const char *human, *mouse;
    } pair[N_KNOWLEDGE] = {
        { KNOWLEDGE_PROMOTER, "promoter_emb/human_emb_768.pickle",
          "promoter_emb/mouse_emb_768.pickle" },
        { KNOWLEDGE_COEXPRESSION, "gene_co_express_emb/Human_dim_768_gene_28291_random.pickle",
          "gene_co_express_emb/Mouse_dim_768_gene_27444_random.pickle" },
        { KNOWLEDGE_FAMILY, "gene_family/Human_dim_768_gene_28291_random.pickle",
          "gene_family/Mouse_dim_768_gene_27934_random.pickle" },
        { KNOWLEDGE_GRN, "PECA2vec/human_PECA_vec.pickle", "PECA2vec/mouse_PECA_vec.pickle" },
    };
    char *dir = in(f, "prior_knowledge");
    char *tokens = text_new("%s/h&m_token1000W.pickle", dir);
    char *names = text_new("%s/gene_list/Gene_id_name_dict_human_mouse.pickle", dir);
    char *homologs = text_new("%s/homologous_hm_token.pickle", dir);
    struct vocab v;
    struct err e = { 0 };
    const size_t n = (size_t)m->config.n_tokens * m->config.knowledge_dim * sizeof(float);
    if (!file_exists(tokens) || !file_exists(names) || !file_exists(homologs)) {
        note("no dictionaries of the authors in the folder");
    } else if (ok(!dictionary_vocab(&v, tokens, names, homologs, &e) &&
                      v.n == m->config.n_tokens,
                  "the authors' dictionary is read%s%s", e.rc ? ": " : "", e.text)) {
        size_t n_wrong = 0;
        for (uint32_t t = 0; t < v.n; t++)
            n_wrong += m->tables.homolog[t] != (v.entry[t].species == SPECIES_HUMAN &&
                                                        v.entry[t].homolog >= 0
                                                    ? (uint32_t)v.entry[t].homolog
                                                    : t);
        ok(n_wrong == 0, "its homologs are those of the checkpoint");
        for (int k = 0; k < N_KNOWLEDGE; k++) {
            char *human = text_new("%s/%s", dir, pair[k].human);
            char *mouse = text_new("%s/%s", dir, pair[k].mouse);
            struct knowledge_table t;
            if (m->config.use_knowledge[k] && file_exists(human) && file_exists(mouse) &&
                ok(!dictionary_knowledge(&t, pair[k].kind, &v, human, mouse, &e),
                   "%s is read%s%s", human, e.rc ? ": " : "", e.text)) {
                ok(t.n_tokens * t.dim * sizeof(float) == n &&
                       memcmp(t.vector, m->tables.knowledge[k], n) == 0,
                   "and is the %s table of the checkpoint", knowledge_name[k]);
                knowledge_table_release(&t);
            }
            free(human);
            free(mouse);
        }
        vocab_release(&v);
    }
    free(dir);
    free(tokens);
    free(names);
    free(homologs);
}

static void run_backend(struct folder *f, const char *name)
{
    const char *why;
    struct model m;
    struct err e = { 0 };
    f->b = backend_find(name, &why);
    if (!f->b) {
        skip("%s: %s", name, why);
        return;
    }
    if (!ok(!model_load(&m, f->path, f->b, true, 0, &e), "%s: the model loads%s%s", name,
            e.rc ? ": " : "", e.text))
        return;
    pretraining(f, &m, "expect.safetensors", true);
    pretraining(f, &m, "expect_nomask.safetensors", false);
    round_trip(f, &m);
    published_form(f, &m);
    if (f->b->type == REAL_F64) /* once is enough */
        dictionaries(f, &m);
    model_release(&m);
    training(f);
    classifier(f);
}

int main(int argc, char **argv)
{
    const char *backend = NULL;
    struct folder f = { 0 };
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--backend") == 0 && i + 1 < argc)
            backend = argv[++i];
        else
            f.path = argv[i];
    }
    if (!f.path) {
        fprintf(stderr, "usage: parity-model DIR [--backend NAME]\n");
        return 2;
    }
    f.deviation = read_json(&f, "deviation_f32.json");
    if (!backend || strcmp(backend, "ref") == 0)
        run_backend(&f, "ref");
    if (!backend || strcmp(backend, "ref") != 0)
        run_backend(&f, backend ? backend : "cpu");
    json_decref(f.deviation);
    threads_stop();
    return tap_end();
}
