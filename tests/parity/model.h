/* A folder laid out like golden/model: its tensors and batches, and the bounds (parity-model.c) that what is computed is
 * held to. */
#ifndef GC_TESTS_PARITY_MODEL_H
#define GC_TESTS_PARITY_MODEL_H

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/model_file.h"
#include "lib/base/file.h"
#include "tests/tap.h"

static const double drift = 8; /* parity-model.c */

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

/* The bound of a section: see parity-model.c. */
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

#endif
