#include "lib/app/homology.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/perturb_parts.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/rng.h"
#include "lib/io/metrics_tsv.h"
#include "lib/nn/knowledge_shuffle.h"
#include "lib/nn/metrics_stat.h"

enum { HOMOLOGS, OTHERS, WITHIN_HUMAN, WITHIN_MOUSE, N_GROUPS, BINS = 100 };
static const char *const group_name[N_GROUPS] = { "homologs", "others", "within_human",
                                                  "within_mouse" };

/* Vectors of the genes of some cells. */
struct vectors {
    uint32_t *n;     /* [cells] genes the model reads; owned, as are all */
    size_t *first;   /* [cells] row of its first gene */
    uint16_t *token; /* [rows] */
    float *x;        /* [rows, D] of length 1 */
    size_t rows;
};

/* Cosines of a group: all, and the mean of each pair of cells. */
struct cosines {
    double *all, *of_pair; /* owned */
    size_t n, room, n_pairs;
};

struct job {
    const struct homology_options *o;
    struct embedder m;
    struct outfile metrics, densities;
};

/* ---- vectors ---- */

static void vectors_release(struct vectors *v)
{
    free(v->n);
    free(v->first);
    free(v->token);
    free(v->x);
    *v = (struct vectors){ 0 };
}

static enum rc vectors_alloc(struct vectors *v, const struct held_cells *c, uint32_t max, size_t d,
                             struct err *e)
{
    *v = (struct vectors){ 0 };
    v->n = malloc((c->n + 1) * sizeof *v->n);
    v->first = malloc((c->n + 1) * sizeof *v->first);
    for (size_t i = 0; v->n && v->first && i < c->n; i++) {
        v->n[i] = c->cell[i].genes.n < max ? c->cell[i].genes.n : max;
        v->first[i] = v->rows;
        v->rows += v->n[i];
    }
    v->token = malloc((v->rows + 1) * sizeof *v->token);
    v->x = malloc((v->rows * d + 1) * sizeof *v->x);
    if (v->n && v->first && v->token && v->x)
        return RC_OK;
    vectors_release(v);
    return err_set(e, RC_FAIL, "no memory for vectors of %zu cells", c->n);
}

static void to_unit(float *x, size_t d)
{
    double square = 0;
    for (size_t k = 0; k < d; k++)
        square += (double)x[k] * (double)x[k];
    for (size_t k = 0; k < d && square > 0; k++)
        x[k] = (float)((double)x[k] / sqrt(square));
}

/* words: rows of the word table in place of contextual vectors. */
static enum rc encode(struct job *j, const struct held_cells *c, bool words, struct vectors *v,
                      struct err *e)
{
    const size_t d = j->m.model.config.d, bytes = j->m.model.params.b->real_bytes;
    const uint32_t max = j->m.model.config.max_genes;
    const struct params *p = &j->m.model.params;
    const char *table = p->item[params_index(p, "bert.embeddings.word_embeddings.weight")].t.x;
    enum rc rc = vectors_alloc(v, c, max, d, e);
    float *value = malloc(max * sizeof *value);
    if (!rc && !value)
        rc = err_set(e, RC_FAIL, "no memory for a cell");
    for (size_t i = 0; !rc && i < c->n; i++) {
        const struct held_cell *h = &c->cell[i];
        struct cell_copy copy = { 0, v->token + v->first[i], value };
        struct model_out out = { 0 };
        struct batch b;
        cell_unchanged(&h->genes, max, &copy);
        const struct batch_cell cell = { h->id, h->species, copy.n, copy.token, copy.value };
        if (!words)
            rc = embedder_pass(&j->m, &cell, 1, &b, &out, e);
        for (uint32_t g = 0; !rc && g < copy.n; g++) {
            float *to = v->x + (v->first[i] + g) * d;
            const char *from = words ? table + copy.token[g] * d * bytes
                                     : (const char *)out.last->x + (g + 1) * d * bytes;
            reals_to_f32(p->b, to, from, d);
            to_unit(to, d);
        }
    }
    free(value);
    return rc;
}

/* ---- cosines ---- */

static enum rc add(struct cosines *c, double x, struct err *e)
{
    if (c->n == c->room) {
        const size_t room = 2 * c->room + 1024;
        double *all = realloc(c->all, room * sizeof *all);
        if (!all)
            return err_set(e, RC_FAIL, "no memory for %zu cosines", room);
        c->all = all;
        c->room = room;
    }
    c->all[c->n++] = x;
    return RC_OK;
}

static double cosine(const struct vectors *a, size_t i, const struct vectors *b, size_t k, size_t d)
{
    double sum = 0;
    for (size_t q = 0; q < d; q++)
        sum += (double)a->x[i * d + q] * (double)b->x[k * d + q];
    return sum;
}

/* What is drawn for pair number `pair`: id keeps the groups apart. */
static size_t draw(const struct job *j, size_t pair, int group, size_t at, size_t n)
{
    return (size_t)rng_below(j->o->seed, RNG_SAMPLE, pair * 8 + (size_t)group, at, n);
}

/* n random pairs of genes with different tokens of cells h and m. */
static enum rc add_random(struct job *j, size_t pair, int group, size_t n, const struct vectors *a,
                          size_t h, const struct vectors *b, size_t m, struct cosines *to,
                          struct err *e)
{
    const size_t d = j->m.model.config.d, before = to->n;
    enum rc rc = RC_OK;
    double sum = 0;
    for (size_t i = 0; !rc && i < n; i++) {
        const size_t x = a->first[h] + draw(j, pair, group, 2 * i, a->n[h]);
        const size_t y = b->first[m] + draw(j, pair, group, 2 * i + 1, b->n[m]);
        if (a->token[x] == b->token[y])
            continue;
        rc = add(to, cosine(a, x, b, y, d), e);
        sum += rc ? 0 : to->all[to->n - 1];
    }
    to->of_pair[to->n_pairs++] = to->n > before ? sum / (double)(to->n - before) : NAN;
    return rc;
}

/* at [V]: room, 0 before and after. */
static enum rc add_homologs(struct job *j, const struct vectors *a, size_t h,
                            const struct vectors *b, size_t m, uint32_t *at, struct cosines *to,
                            struct err *e)
{
    const size_t d = j->m.model.config.d, before = to->n;
    enum rc rc = RC_OK;
    double sum = 0;
    for (uint32_t g = 0; g < a->n[h]; g++)
        at[a->token[a->first[h] + g]] = g + 1;
    for (uint32_t g = 0; !rc && g < b->n[m]; g++) {
        const uint32_t same = at[b->token[b->first[m] + g]];
        if (!same)
            continue;
        rc = add(to, cosine(a, a->first[h] + same - 1, b, b->first[m] + g, d), e);
        sum += rc ? 0 : to->all[to->n - 1];
    }
    for (uint32_t g = 0; g < a->n[h]; g++)
        at[a->token[a->first[h] + g]] = 0;
    to->of_pair[to->n_pairs++] = to->n > before ? sum / (double)(to->n - before) : NAN;
    return rc;
}

static enum rc all_cosines(struct job *j, const struct vectors *a, size_t n_a,
                           const struct vectors *b, size_t n_b, struct cosines c[N_GROUPS],
                           struct err *e)
{
    const size_t n = (size_t)j->o->n_pairs;
    uint32_t *at = calloc(j->m.vocab.n, sizeof *at);
    enum rc rc = at ? RC_OK : err_set(e, RC_FAIL, "no memory");
    for (int k = 0; !rc && k < N_GROUPS; k++)
        if (!(c[k].of_pair = malloc(n * sizeof *c[k].of_pair)))
            rc = err_set(e, RC_FAIL, "no memory for %zu pairs", n);
    for (size_t i = 0; !rc && i < n; i++) {
        const size_t h = draw(j, i, 6, 0, n_a), m = draw(j, i, 6, 1, n_b), had = c[HOMOLOGS].n;
        rc = add_homologs(j, a, h, b, m, at, &c[HOMOLOGS], e);
        const size_t as_many = c[HOMOLOGS].n - had;
        if (!rc)
            rc = add_random(j, i, OTHERS, as_many, a, h, b, m, &c[OTHERS], e);
        if (!rc)
            rc = add_random(j, i, WITHIN_HUMAN, as_many, a, h, a, h, &c[WITHIN_HUMAN], e);
        if (!rc)
            rc = add_random(j, i, WITHIN_MOUSE, as_many, b, m, b, m, &c[WITHIN_MOUSE], e);
    }
    free(at);
    return rc;
}

/* ---- tables ---- */

static void put(struct job *j, const char *method, const char *type, const char *group,
                const char *what, double value, size_t n)
{
    char metric[64];
    snprintf(metric, sizeof metric, "%s%s%s", group, *what ? "_" : "", what);
    const struct metric_row row = { "homology", j->o->dataset, method, "clean", type,
                                    j->o->seed, metric,        value,  n };
    metrics_tsv_add(&j->metrics, &row);
}

static void put_density(struct job *j, const char *method, const char *type, const char *group,
                        const struct cosines *c)
{
    size_t bin[BINS] = { 0 };
    for (size_t i = 0; i < c->n; i++) {
        const double at = floor((c->all[i] + 1) / 2 * BINS);
        bin[at < 0 ? 0 : at >= BINS ? BINS - 1 : (size_t)at]++;
    }
    for (int k = 0; k < BINS; k++)
        if (bin[k]) {
            fprintf(j->densities.f, "%s\t%s\t%s\t%s\t%.2f\t%zu\n", j->o->dataset, method, type,
                    group, 2.0 * k / BINS - 1, bin[k]);
        }
}

static enum rc put_all(struct job *j, const char *method, const char *type,
                       struct cosines c[N_GROUPS], struct err *e)
{
    struct test_result u, w = { NAN, NAN, NAN };
    size_t n = 0;
    for (int k = 0; k < N_GROUPS; k++) {
        put(j, method, type, group_name[k], "mean", c[k].n ? mean_of(c[k].all, c[k].n) : NAN,
            c[k].n);
        put(j, method, type, group_name[k], "median", median_of(c[k].all, c[k].n), c[k].n);
        put_density(j, method, type, group_name[k], &c[k]);
    }
    enum rc rc = mann_whitney(c[HOMOLOGS].all, c[HOMOLOGS].n, c[OTHERS].all, c[OTHERS].n, &u, e);
    if (rc)
        return rc;
    /* Cosines of one pair of cells hang together: by pairs is the p to look at. */
    for (size_t i = 0; i < c[HOMOLOGS].n_pairs; i++)
        if (!isnan(c[HOMOLOGS].of_pair[i]) && !isnan(c[OTHERS].of_pair[i])) {
            c[HOMOLOGS].of_pair[n] = c[HOMOLOGS].of_pair[i];
            c[OTHERS].of_pair[n++] = c[OTHERS].of_pair[i];
        }
    if (n)
        rc = wilcoxon_signed(c[HOMOLOGS].of_pair, c[OTHERS].of_pair, n, &w, e);
    put(j, method, type, "auroc", "", u.statistic / (double)c[HOMOLOGS].n / (double)c[OTHERS].n,
        c[HOMOLOGS].n + c[OTHERS].n);
    put(j, method, type, "mann_whitney_p", "", u.p, c[HOMOLOGS].n + c[OTHERS].n);
    put(j, method, type, "wilcoxon_p_of_pairs", "", w.p, n);
    return rc;
}

/* ---- one method, one type ---- */

static enum rc read_cells(struct job *j, const char *path, const char *labels, const char *type,
                          bool mouse, struct held_cells *c, struct err *e)
{
    const struct homology_options *o = j->o;
    struct opt_list input = { &path, 1 };
    struct perturb_options how = { .inputs = input,
                                   .species = mouse && !o->same_names ? "mouse" : "human",
                                   .labels = labels,
                                   .label_column = o->label_column,
                                   .label = o->label,
                                   .source = type,
                                   .max_cells = o->max_cells,
                                   .overlap = o->overlap,
                                   .out = o->out,
                                   .seed = o->seed };
    enum rc rc = held_cells_read(c, &j->m, &how, e);
    for (size_t i = 0; !rc && mouse && i < c->n; i++)
        c->cell[i].species = SPECIES_MOUSE;
    c->o = NULL; /* how is gone */
    return rc;
}

static enum rc one_type(struct job *j, const char *method, bool words, const char *type,
                        struct err *e)
{
    struct held_cells human = { 0 }, mouse = { 0 };
    struct vectors a = { 0 }, b = { 0 };
    struct cosines c[N_GROUPS] = { { 0 } };
    enum rc rc = read_cells(j, j->o->human, j->o->human_labels, type, false, &human, e);
    if (!rc)
        rc = read_cells(j, j->o->mouse, j->o->mouse_labels, type, true, &mouse, e);
    if (!rc)
        rc = encode(j, &human, words, &a, e);
    if (!rc)
        rc = encode(j, &mouse, words, &b, e);
    if (!rc)
        rc = all_cosines(j, &a, human.n, &b, mouse.n, c, e);
    if (!rc && !c[HOMOLOGS].n)
        rc = err_set(e, RC_INPUT, "type '%s': no gene stands in cells of both species", type);
    if (!rc)
        rc = put_all(j, method, type, c, e);
    for (int k = 0; k < N_GROUPS; k++) {
        free(c[k].all);
        free(c[k].of_pair);
    }
    vectors_release(&a);
    vectors_release(&b);
    held_cells_release(&human);
    held_cells_release(&mouse);
    return rc;
}

static enum rc all_types(struct job *j, const char *method, bool words, struct err *e)
{
    enum rc rc = RC_OK;
    for (int i = 0; !rc && i < j->o->types.n; i++)
        rc = one_type(j, method, words, j->o->types.item[i], e);
    return rc;
}

/* A model opened anew for each method: weights and tables are written over. */
static enum rc one_method(struct job *j, const struct backend *b, const char *method,
                          const char *folder, bool random, bool taught, bool words, struct err *e)
{
    enum rc rc = embedder_open(&j->m, folder, b, &(struct embedder_wants){ 0 }, e);
    if (rc)
        return rc;
    if (!taught && !knowledge_any(&j->m.model)) {
        log_say("'%s' is left out: the model has no knowledge", method);
        embedder_close(&j->m);
        return RC_OK;
    }
    if (random)
        model_randomise(&j->m.model, j->o->seed);
    if (!taught)
        rc = knowledge_forget(&j->m.model, e);
    if (!rc)
        rc = all_types(j, method, words, e);
    embedder_close(&j->m);
    return rc;
}

static enum rc all_methods(struct job *j, const struct backend *b, struct err *e)
{
    const char *m = j->o->model;
    enum rc rc = one_method(j, b, "genecompass", m, false, true, false, e);
    if (!rc)
        rc = one_method(j, b, "genecompass-without-knowledge", m, false, false, false, e);
    if (!rc && j->o->untaught)
        rc = one_method(j, b, "trained-without-knowledge", j->o->untaught, false, true, false, e);
    if (!rc)
        rc = one_method(j, b, "random-weights", m, true, true, false, e);
    if (!rc)
        rc = one_method(j, b, "random-weights-without-knowledge", m, true, false, false, e);
    return rc ? rc : one_method(j, b, "word-rows", m, false, true, true, e);
}

enum rc homology(const struct homology_options *o, const struct backend *b, struct err *e)
{
    struct job j = { .o = o };
    char *metrics = text_new("%s/metrics.tsv", o->out);
    char *densities = text_new("%s/densities.tsv", o->out);
    enum rc rc = metrics && densities ? metrics_tsv_open(&j.metrics, metrics, e)
                                      : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc)
        rc = outfile_open(&j.densities, densities, e);
    if (!rc) {
        fputs("dataset\tmethod\ttype\tgroup\tcosine_from\tn\n", j.densities.f);
        rc = all_methods(&j, b, e);
    }
    if (!rc)
        rc = outfile_commit(&j.metrics, e);
    if (!rc)
        rc = outfile_commit(&j.densities, e);
    outfile_abort(&j.metrics);
    outfile_abort(&j.densities);
    free(metrics);
    free(densities);
    return rc;
}
