#include "lib/app/classifier.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/model_file.h"
#include "lib/base/file.h"
#include "lib/io/json.h"
#include "lib/io/metrics_tsv.h"
#include "lib/io/safetensors.h"
#include "lib/io/sheet.h"
#include "lib/nn/finetune.h"

enum { MAX_JSON = 1 << 20, CLIP = 10 };

static const char *const kind_name[] = { "probe", "frozen", "full" };

const char *classifier_kind_name(enum classifier_kind k)
{
    return kind_name[k];
}

enum rc classifier_init(struct classifier *c, enum classifier_kind kind, const char *const *name,
                        size_t n_classes, struct err *e)
{
    *c = (struct classifier){ .kind = kind, .n_classes = n_classes, .temperature = 1 };
    c->name = calloc(n_classes + 1, sizeof *c->name);
    c->n_train = calloc(n_classes + 1, sizeof *c->n_train);
    bool good = c->name && c->n_train;
    for (size_t i = 0; good && i < n_classes; i++)
        good = (c->name[i] = text_new("%s", name[i])) != NULL;
    if (good)
        return RC_OK;
    classifier_release(c);
    return err_set(e, RC_FAIL, "no memory for %zu classes", n_classes);
}

void classifier_release(struct classifier *c)
{
    for (size_t i = 0; c->name && i < c->n_classes; i++)
        free(c->name[i]);
    free(c->name);
    free(c->n_train);
    free(c->mean);
    free(c->sd);
    linear_model_release(&c->probe);
    *c = (struct classifier){ 0 };
}

static int by_text(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;
    return strcmp(*x, *y);
}

uint32_t classifier_find(const struct classifier *c, const char *label)
{
    char *const *at =
        label ? bsearch(&label, c->name, c->n_classes, sizeof *c->name, by_text) : NULL;
    return at ? (uint32_t)(at - c->name) : NO_CLASS;
}

double classifier_scale(const struct classifier *c, float x, size_t j)
{
    const double z = ((double)x - c->mean[j]) / c->sd[j];
    return z < -CLIP ? -CLIP : z > CLIP ? CLIP : z;
}

double classifier_shift(const struct classifier *c, const float *x, size_t n)
{
    const size_t d = c->probe.d;
    double sum = 0;
    if (c->kind != CLASSIFIER_PROBE || !n || !d)
        return NAN;
    for (size_t j = 0; j < d; j++) {
        double mean = 0;
        for (size_t i = 0; i < n; i++)
            mean += ((double)x[i * d + j] - c->mean[j]) / c->sd[j];
        mean /= (double)n;
        sum += mean * mean;
    }
    return sqrt(sum / (double)d);
}

static enum rc probe_logits(const struct classifier *c, const float *x, size_t n, double *logit,
                            struct err *e)
{
    const size_t d = c->probe.d;
    double *row = malloc(d * sizeof *row);
    if (!row)
        return err_set(e, RC_FAIL, "no memory for a cell");
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < d; j++)
            row[j] = classifier_scale(c, x[i * d + j], j);
        for (size_t k = 0; k < c->n_classes; k++) {
            const double *w = mat_row(&c->probe.w, k);
            double z = w[d];
            for (size_t j = 0; j < d; j++)
                z += w[j] * row[j];
            logit[i * c->n_classes + k] = z;
        }
    }
    free(row);
    return RC_OK;
}

enum rc classifier_logits(const struct classifier *c, struct model *m, const float *x, size_t n,
                          double *logit, struct err *e)
{
    return c->kind == CLASSIFIER_PROBE ? probe_logits(c, x, n, logit, e)
                                       : finetune_logits(m, x, n, logit, e);
}

/* ---- saving ---- */

static enum rc save_classes(const struct classifier *c, const char *path, struct err *e)
{
    struct outfile o;
    if (outfile_open(&o, path, e))
        return e->rc;
    fputs("class\tcells\n", o.f);
    for (size_t i = 0; i < c->n_classes; i++) {
        field_put(c->name[i], o.f);
        fprintf(o.f, "\t%zu\n", c->n_train[i]);
    }
    return outfile_commit(&o, e);
}

static enum rc save_probe(const struct classifier *c, const char *path, struct err *e)
{
    const uint64_t d = c->probe.d;
    const struct st_tensor t[] = {
        { .name = (char[]){ "mean" }, .type = ST_F64, .n_dims = 1, .dim = { d }, .data = c->mean },
        { .name = (char[]){ "sd" }, .type = ST_F64, .n_dims = 1, .dim = { d }, .data = c->sd },
        { .name = (char[]){ "weights" },
          .type = ST_F64,
          .n_dims = 2,
          .dim = { c->n_classes, d + 1 },
          .data = c->probe.w.x },
    };
    return st_write(path, t, 3, NULL, 0, e);
}

static enum rc copy_table(const char *from, const char *to, const char *name, bool must,
                          struct err *e)
{
    char *path;
    enum rc rc = model_table_path(from, name, must, &path, e);
    if (path)
        rc = model_copy_beside(to, path, e);
    free(path);
    return rc;
}

static enum rc save_json(const struct classifier *c, const char *path, json_t *more, struct err *e)
{
    json_t *j = json_pack("{s:s, s:b, s:i, s:f, s:f}", "kind", kind_name[c->kind], "as_released",
                          c->as_released, "classes", (int)c->n_classes, "temperature",
                          c->temperature, "threshold", c->threshold);
    if (j && more && json_object_update(j, more)) {
        json_decref(j);
        j = NULL;
    }
    return json_write(path, j, e);
}

enum rc classifier_save(const struct classifier *c, const struct model *m, const char *beside,
                        const char *folder, json_t *more, struct err *e)
{
    char *classes = text_new("%s/classes.tsv", folder),
         *probe = text_new("%s/probe.safetensors", folder);
    char *json = text_new("%s/classifier.json", folder);
    enum rc rc = classes && probe && json ? folder_make(folder, e)
                                          : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc && remove(json) && errno != ENOENT)
        rc = err_set(e, RC_FAIL, "cannot replace '%s': %s", json, strerror(errno));
    if (!rc)
        rc = model_save(m, folder, e);
    static const struct {
        const char *name;
        bool must;
    } table[] = { { "vocab.tsv", true },
                  { "medians.tsv", true },
                  { "genes.tsv", true },
                  { "aliases.tsv", false } };
    for (size_t i = 0; !rc && i < sizeof table / sizeof *table; i++)
        rc = copy_table(beside, folder, table[i].name, table[i].must, e);
    if (!rc)
        rc = save_classes(c, classes, e);
    if (!rc && c->kind == CLASSIFIER_PROBE)
        rc = save_probe(c, probe, e);
    if (!rc)
        rc = save_json(c, json, more, e);
    free(classes);
    free(probe);
    free(json);
    return rc;
}

/* ---- opening ---- */

static enum rc read_json(struct classifier *c, const char *path, struct err *e)
{
    char *text;
    size_t n;
    json_error_t where;
    if (file_read(path, MAX_JSON, &text, &n, e))
        return e->rc;
    json_t *j = json_loadb(text, n, JSON_REJECT_DUPLICATES, &where);
    free(text);
    const char *kind = json_string_value(json_object_get(j, "kind"));
    const json_t *t = json_object_get(j, "temperature"), *p = json_object_get(j, "threshold");
    c->as_released = json_is_true(json_object_get(j, "as_released"));
    const char *base = json_string_value(json_object_get(j, "base_model_sha256"));
    if (base && strlen(base) == SHA256_HEX - 1)
        memcpy(c->base_sha256, base, SHA256_HEX);
    c->temperature = json_number_value(t);
    c->threshold = json_number_value(p);
    int k = 0;
    while (kind && k < 3 && strcmp(kind, kind_name[k]) != 0)
        k++;
    c->kind = (enum classifier_kind)k;
    const bool good = kind && k < 3 && json_is_number(t) && json_is_number(p) &&
                      c->temperature > 0 && isfinite(c->temperature);
    json_decref(j);
    return good ? RC_OK : err_set(e, RC_INPUT, "'%s' is not what annotate train writes", path);
}

static enum rc add_class(struct classifier *c, const char *name, const char *cells,
                         const char *path, size_t line, struct err *e)
{
    char *end;
    const unsigned long long n = strtoull(cells, &end, 10);
    char **names = realloc(c->name, (c->n_classes + 1) * sizeof *names);
    if (names)
        c->name = names;
    size_t *counts = realloc(c->n_train, (c->n_classes + 1) * sizeof *counts);
    if (counts)
        c->n_train = counts;
    char *copy = text_new("%s", name);
    if (!names || !counts || !copy) {
        free(copy);
        return err_set(e, RC_FAIL, "no memory for a class");
    }
    c->n_train[c->n_classes] = (size_t)n;
    c->name[c->n_classes++] = copy;
    if (!*name || !*cells || *end || *cells == '-')
        return err_set(e, RC_INPUT, "'%s' line %zu: a name and a number of cells are wanted", path,
                       line);
    if (c->n_classes > 1 && strcmp(c->name[c->n_classes - 2], name) >= 0)
        return err_set(e, RC_INPUT, "'%s' line %zu: names must rise, each once", path, line);
    return RC_OK;
}

/* Quotes in names are letters here, so this is not a sheet. */
static enum rc read_classes(struct classifier *c, const char *path, struct err *e)
{
    char *text;
    size_t n, line = 1;
    if (file_read(path, MAX_JSON, &text, &n, e))
        return e->rc;
    enum rc rc = strncmp(text, "class\tcells\n", 12) == 0 && strlen(text) == n
                     ? RC_OK
                     : err_set(e, RC_INPUT, "'%s' does not begin with class<TAB>cells", path);
    for (char *at = text + 12, *end; !rc && *at; at = end) {
        end = at + strcspn(at, "\n");
        if (*end)
            *end++ = '\0';
        char *tab = strchr(at, '\t');
        line++;
        if (!tab)
            rc = err_set(e, RC_INPUT, "'%s' line %zu: no tab", path, line);
        else {
            *tab = '\0';
            rc = add_class(c, at, tab + 1, path, line, e);
        }
    }
    free(text);
    return rc || c->n_classes > 1 ? rc
                                  : err_set(e, RC_INPUT, "'%s' has fewer than two classes", path);
}

static enum rc read_probe(struct classifier *c, const char *path, size_t d, struct err *e)
{
    struct st_file f;
    if (st_open(&f, path, e))
        return e->rc;
    const struct st_tensor *mean = st_find(&f, "mean"), *sd = st_find(&f, "sd"),
                           *w = st_find(&f, "weights");
    enum rc rc = RC_OK;
    if (!mean || !sd || !w || mean->n_items != d || sd->n_items != d || w->n_dims != 2 ||
        w->dim[0] != c->n_classes || w->dim[1] != d + 1)
        rc = err_set(e, RC_INPUT, "'%s' does not hold mean, sd [%zu] and weights [%zu, %zu]", path,
                     d, c->n_classes, d + 1);
    c->probe = (struct linear_model){ .d = d, .n_classes = c->n_classes };
    c->mean = malloc((d + 1) * sizeof *c->mean);
    c->sd = malloc((d + 1) * sizeof *c->sd);
    if (!rc && (!c->mean || !c->sd))
        rc = err_set(e, RC_FAIL, "no memory for '%s'", path);
    if (!rc)
        rc = mat_alloc(&c->probe.w, c->n_classes, d + 1, e);
    if (!rc)
        rc = st_get_f64(mean, c->mean, e);
    if (!rc)
        rc = st_get_f64(sd, c->sd, e);
    if (!rc)
        rc = st_get_f64(w, c->probe.w.x, e);
    for (size_t i = 0; !rc && i < d; i++)
        if (!(c->sd[i] > 0) || !isfinite(c->mean[i]) || !isfinite(c->sd[i]))
            rc = err_set(e, RC_INPUT, "'%s': mean or sd %zu is no number to scale by", path, i);
    for (size_t i = 0; !rc && i < c->n_classes * (d + 1); i++)
        if (!isfinite(c->probe.w.x[i]))
            rc = err_set(e, RC_INPUT, "'%s': weight %zu is not finite", path, i);
    st_close(&f);
    return rc;
}

enum rc classifier_open(struct classifier *c, struct embedder *m, const char *folder,
                        const struct backend *b, struct err *e)
{
    char *classes = text_new("%s/classes.tsv", folder),
         *probe = text_new("%s/probe.safetensors", folder);
    char *json = text_new("%s/classifier.json", folder);
    *c = (struct classifier){ 0 };
    *m = (struct embedder){ 0 };
    enum rc rc = classes && probe && json ? read_json(c, json, e)
                                          : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc)
        rc = read_classes(c, classes, e);
    const struct embedder_wants want = {
        .hash = true, .n_classes = c->kind == CLASSIFIER_PROBE ? 0 : (uint32_t)c->n_classes
    };
    if (!rc)
        rc = embedder_open(m, folder, b, &want, e);
    if (!rc && c->kind == CLASSIFIER_PROBE)
        rc = read_probe(c, probe, m->model.config.d, e);
    if (!rc && c->kind != CLASSIFIER_PROBE && !m->model.has_head)
        rc = err_set(e, RC_INPUT, "'%s/model.safetensors' has no classifier", folder);
    if (rc) {
        classifier_release(c);
        embedder_close(m);
    }
    free(classes);
    free(probe);
    free(json);
    return rc;
}
