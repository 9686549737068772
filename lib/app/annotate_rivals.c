/* TOSICA and Geneformer on the splits of a data set. They are small, so seeds run side by side:
 * each on one thread, with a network of its own. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/annotate_parts.h"
#include "lib/base/log.h"
#include "lib/base/thread.h"
#include "lib/io/gmt.h"
#include "lib/nn/hvg.h"
#include "lib/nn/tosica_learn.h"

/* Sets of the published code: at most 300 listed genes, more than 4 of ours. */
enum { MAX_LISTED = 300, MORE_HITS_THAN = 4 };

/* One method on all seeds. */
struct lesson {
    const struct compare_job *j;
    struct compare_dataset *d;
    size_t method;
    struct rank_lists lists;       /* of the cells, for Geneformer */
    const struct geneformer *from; /* or NULL */
    size_t *n_sets;                /* [n_seeds] of TOSICA */
    enum rc *rc;                   /* [n_seeds], as is err */
    struct err *err;
};

static struct learning learning_of(const struct compare_job *j, size_t seed)
{
    return (struct learning){ .batch = (size_t)j->o->batch,
                              .epochs = (size_t)j->o->rival_epochs,
                              .patience = (size_t)j->o->patience,
                              .seed = j->o->seed + seed };
}

/* The first seed's error that there is. */
static enum rc teach(struct lesson *l, void (*seed)(void *ctx, size_t s, int worker), struct err *e)
{
    const size_t n = (size_t)l->j->o->n_seeds;
    enum rc rc = RC_OK;
    l->rc = calloc(n, sizeof *l->rc);
    l->err = calloc(n, sizeof *l->err);
    l->n_sets = calloc(n, sizeof *l->n_sets);
    if (!l->rc || !l->err || !l->n_sets)
        rc = err_set(e, RC_FAIL, "no memory for %zu seeds", n);
    else
        threads_for(n, seed, l);
    for (size_t s = 0; !rc && s < n; s++)
        if (l->rc[s]) {
            rc = l->rc[s];
            *e = l->err[s];
            err_wrap(e, "%s", l->j->method[l->method]);
        }
    free(l->rc);
    free(l->err);
    return rc;
}

/* ---- TOSICA ---- */

/* Which genes each token reads: first [n_sets + 1] and member. */
struct tokens {
    uint32_t *first, *member;
    size_t n;
};

static void tokens_release(struct tokens *t)
{
    free(t->first);
    free(t->member);
}

/* A column goes by its id and by its name. */
static enum rc number_genes(const struct cells *c, const uint32_t *gene, size_t n, struct map *m,
                            struct err *e)
{
    const struct column *name = table_find(&c->var, "gene_name");
    enum rc rc = RC_OK;
    for (size_t k = 0; !rc && k < n; k++)
        rc = map_add(m, c->gene[gene[k]], k, NULL, e);
    for (size_t k = 0; !rc && k < n && name && name->kind == COLUMN_TEXT; k++)
        if (name->text[gene[k]] && *name->text[gene[k]])
            rc = map_add(m, name->text[gene[k]], k, NULL, e);
    return rc;
}

static enum rc choose_tokens(const struct gene_sets *s, size_t n_genes, size_t most,
                             struct tokens *t, struct err *e)
{
    size_t *listed = malloc((s->n + 1) * sizeof *listed), *hits = malloc((s->n + 1) * sizeof *hits);
    uint32_t *kept = malloc((s->n + 1) * sizeof *kept);
    size_t wide = 0;
    enum rc rc =
        listed && hits && kept ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu gene sets", s->n);
    for (size_t i = 0; !rc && i < s->n; i++) {
        listed[i] = s->set[i].n_listed;
        hits[i] = s->set[i].n;
    }
    if (!rc)
        t->n =
            tosica_choose_sets(listed, hits, s->n, n_genes, MAX_LISTED, MORE_HITS_THAN, most, kept);
    if (!rc && t->n < 2)
        rc = err_set(e, RC_INPUT,
                     "no gene set has more than %d of the %zu variable genes (names or "
                     "ids as in var)",
                     MORE_HITS_THAN, n_genes);
    for (size_t i = 0; !rc && i < t->n; i++)
        wide += kept[i] == s->n ? n_genes : s->set[kept[i]].n;
    t->first = malloc((t->n + 1) * sizeof *t->first);
    t->member = malloc((wide + 1) * sizeof *t->member);
    if (!rc && (!t->first || !t->member))
        rc = err_set(e, RC_FAIL, "no memory for %zu gene sets", t->n);
    size_t at = 0;
    for (size_t i = 0; !rc && i < t->n; i++) {
        t->first[i] = (uint32_t)at;
        for (size_t k = 0; k < (kept[i] == s->n ? n_genes : s->set[kept[i]].n); k++)
            t->member[at++] = kept[i] == s->n ? (uint32_t)k : s->set[kept[i]].gene[k];
        t->first[i + 1] = (uint32_t)at;
    }
    free(listed);
    free(hits);
    free(kept);
    return rc;
}

static enum rc read_tokens(const struct compare_job *j, const struct compare_dataset *d,
                           const uint32_t *gene, size_t n_genes, struct tokens *t, struct err *e)
{
    struct map names;
    struct gene_sets sets = { 0 };
    map_init(&names);
    enum rc rc = number_genes(d->source, gene, n_genes, &names, e);
    if (!rc)
        rc = gmt_read(j->o->gene_sets, &names, &sets, e);
    if (!rc)
        rc = choose_tokens(&sets, n_genes, (size_t)j->o->tosica_sets, t, e);
    gene_sets_release(&sets);
    map_release(&names);
    return rc;
}

/* Variable genes of the training cells, ln(1 + 10^4 count / total), not scaled. */
static enum rc expression(const struct compare_job *j, const struct compare_dataset *d,
                          const struct probe_cells *cells, uint32_t *gene, struct mat *x,
                          struct err *e)
{
    size_t *row = malloc((cells->n + 1) * sizeof *row), n = 0, n_found = 0;
    if (!row)
        return err_set(e, RC_FAIL, "no memory for %zu cells", cells->n);
    for (size_t i = 0; i < cells->n; i++)
        if (cells->part[i] == PART_TRAIN)
            row[n++] = i;
    enum rc rc = hvg_seurat(&d->count, row, n, (size_t)j->o->n_genes, gene, &n_found, e);
    if (!rc)
        rc = lognorm_columns(&d->count, gene, n_found, x, e);
    free(row);
    return rc;
}

/* lr, or for 0 the released code's rate and larger ones: batches of a few cells here make for so few
 * steps that the released one may not get anywhere. */
static void tosica_rates(double lr, struct tosica_learning *o)
{
    static const double grid[] = { 1e-3, 3e-3, 1e-2, 3e-2 };
    o->n_rates = lr > 0 ? 1 : sizeof grid / sizeof *grid;
    for (size_t i = 0; i < o->n_rates; i++)
        o->rate[i] = lr > 0 ? lr : grid[i];
}

static void tosica_seed(void *ctx, size_t s, int worker)
{
    (void)worker;
    struct lesson *l = ctx;
    const struct compare_job *j = l->j;
    const struct probe_cells cells = compare_split(l->d, s);
    struct tosica_learning o = tosica_published();
    struct tokens t = { 0 };
    struct mat x = { 0 };
    uint32_t *gene = malloc(((size_t)j->o->n_genes + 1) * sizeof *gene);
    o.run = learning_of(j, s);
    o.run.balance = true;
    tosica_rates(j->o->tosica_lr, &o);
    enum rc rc = gene ? expression(j, l->d, &cells, gene, &x, &l->err[s])
                      : err_set(&l->err[s], RC_FAIL, "no memory for genes");
    if (!rc)
        rc = read_tokens(j, l->d, gene, x.d, &t, &l->err[s]);
    l->n_sets[s] = t.n;
    if (!rc)
        rc = probe_tosica(&cells, &x, l->d->cells.cell_id, t.first, t.member, t.n, &o,
                          j->o->backend, compare_result(j, l->d, l->method, s), &l->err[s]);
    l->rc[s] = rc;
    tokens_release(&t);
    mat_release(&x);
    free(gene);
}

enum rc compare_run_tosica(struct compare_job *j, struct compare_dataset *d, struct err *e)
{
    struct lesson l = { .j = j, .d = d, .method = j->tosica };
    if (l.method == NO_METHOD)
        return RC_OK;
    log_say("tosica");
    /* Its name alone: equal runs in other folders have equal reports. */
    const char *slash = strrchr(j->o->gene_sets, '/');
    const char *sets = slash ? slash + 1 : j->o->gene_sets;
    enum rc rc = teach(&l, tosica_seed, e);
    if (!rc)
        json_array_append_new(
            j->rivals, json_pack("{s:s, s:s, s:I, s:s}", "dataset", d->name, "method", "tosica",
                                 "tokens", (json_int_t)l.n_sets[0], "gene_sets", sets));
    free(l.n_sets);
    return rc;
}

/* ---- Geneformer ---- */

static struct geneformer_config shape_of(const struct compare_job *j)
{
    const struct compare_options *o = j->o;
    struct geneformer_config c =
        geneformer_small(j->medians.n + GENEFORMER_FIRST_GENE, (size_t)o->geneformer_genes);
    c.layers = (size_t)o->geneformer_layers;
    c.d = (size_t)o->geneformer_width;
    c.inner = 2 * c.d; /* as 512 to 256 */
    return c;
}

enum rc compare_pretrain_geneformer(struct compare_job *j, struct err *e)
{
    const struct compare_options *o = j->o;
    const struct geneformer_config c = shape_of(j);
    const struct geneformer_pretraining with = {
        .steps = (size_t)o->geneformer_steps, .batch = (size_t)o->batch, .lr = 1e-3, .seed = o->seed
    };
    const struct rank_lists lists = lists_view(&j->corpus.lists);
    double loss[2] = { 0 };
    if (j->geneformer == NO_METHOD)
        return RC_OK;
    log_say("pretraining geneformer-small on %zu cells", lists.n);
    enum rc rc = geneformer_init(&j->rival, &c, o->backend, true, e);
    if (!rc)
        rc = geneformer_pretrain(&j->rival, &lists, &with, loss, e);
    if (rc)
        return err_wrap(e, "geneformer-small");
    log_say("geneformer-small: loss of hidden genes %.3f at first, %.3f at last, ln of %zu tokens "
            "%.3f",
            loss[0], loss[1], c.n_tokens, log((double)c.n_tokens));
    json_array_append_new(j->rivals, json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f}",
                                               "method", "geneformer-small", "layers",
                                               (json_int_t)c.layers, "width", (json_int_t)c.d,
                                               "tokens", (json_int_t)c.n_tokens, "genes_of_a_cell",
                                               (json_int_t)c.n_positions, "pretraining_cells",
                                               (json_int_t)lists.n, "steps", (json_int_t)with.steps,
                                               "cells_of_a_step", (json_int_t)with.batch,
                                               "loss_at_first", loss[0], "loss_at_last", loss[1]));
    return RC_OK;
}

static void geneformer_seed(void *ctx, size_t s, int worker)
{
    (void)worker;
    struct lesson *l = ctx;
    const struct compare_job *j = l->j;
    const struct probe_cells cells = compare_split(l->d, s);
    const struct geneformer_config c = shape_of(j);
    const struct geneformer_learning o = { learning_of(j, s), j->o->geneformer_lr };
    l->rc[s] = probe_geneformer(&cells, &l->lists, &c, l->from, &o, j->o->backend,
                                compare_result(j, l->d, l->method, s), &l->err[s]);
}

enum rc compare_run_geneformer(struct compare_job *j, struct compare_dataset *d, struct err *e)
{
    struct lists own = { 0 };
    struct lesson l = { .j = j, .d = d };
    if (j->geneformer_untrained == NO_METHOD)
        return RC_OK;
    enum rc rc = lists_add(&own, &d->count, d->source->gene, &j->medians,
                           (const int64_t *)d->cells.cell_id, (size_t)j->o->geneformer_genes, e);
    l.lists = lists_view(&own);
    for (int trained = 1; !rc && trained >= 0; trained--) {
        l.method = trained ? j->geneformer : j->geneformer_untrained;
        l.from = trained ? &j->rival : NULL;
        if (l.method == NO_METHOD)
            continue;
        log_say("%s", j->method[l.method]);
        rc = teach(&l, geneformer_seed, e);
        free(l.n_sets);
        l.n_sets = NULL;
    }
    lists_release(&own);
    return rc;
}
