/* Shifts cell by cell. cells.tsv: a line for each perturbation and cell that it concerns.
 * shifts.h5ad: the cells as rows with what is known of them, the perturbations as columns, each
 * measure a layer. A cell that a perturbation does not concern is NaN there. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/perturb_parts.h"
#include "lib/io/h5ad_layers.h"
#include "lib/io/h5ad_writer.h"
#include "lib/io/metrics_tsv.h"

/* Numbers that wait for the file: 8 MiB, whatever the block of perturbations. */
enum { WAITING = 1 << 21 };

struct per_cell {
    const struct perturb_options *o;
    struct outfile table;
    struct h5ad_writer w;
    struct h5ad_layers layers;
    size_t n_cells;
};

static enum rc open_table(struct per_cell *t, struct err *e)
{
    char *path = text_new("%s/cells.tsv", t->o->out);
    enum rc rc =
        path ? outfile_open(&t->table, path, e) : err_set(e, RC_FAIL, "no memory for a path");
    free(path);
    if (rc)
        return rc;
    fputs("perturbation\tsample\tcell\tcell_id", t->table.f);
    for (size_t m = 0; m < n_measures(t->o); m++) {
        char name[80];
        measure_name(t->o, m, name);
        fputc('\t', t->table.f);
        field_put(name, t->table.f);
    }
    fputc('\n', t->table.f);
    return RC_OK;
}

static enum rc open_layers(struct per_cell *t, const struct held_cells *c,
                           const struct perturbations *p, struct err *e)
{
    char name[MAX_MEASURES][80], *path = text_new("%s/shifts.h5ad", t->o->out);
    const char *of[MAX_MEASURES];
    enum rc rc =
        path ? h5ad_writer_open(&t->w, path, e) : err_set(e, RC_FAIL, "no memory for a path");
    free(path);
    if (rc)
        return rc;
    for (size_t m = 0; m < n_measures(t->o); m++) {
        measure_name(t->o, m, name[m]);
        for (char *at = name[m]; (at = strchr(at, '/')); *at = '_')
            ; /* HDF5 would make a folder of it */
        of[m] = name[m];
    }
    return h5ad_layers_open(&t->layers, t->w.file, of, n_measures(t->o), c->n, p->n_named, e);
}

enum rc per_cell_open(struct per_cell **t, const struct perturb_options *o,
                      const struct held_cells *c, const struct perturbations *p, struct err *e)
{
    *t = calloc(1, sizeof **t);
    if (!*t)
        return err_set(e, RC_FAIL, "no memory for shifts of cells");
    (*t)->o = o;
    (*t)->n_cells = c->n;
    enum rc rc = open_table(*t, e);
    if (!rc)
        rc = open_layers(*t, c, p, e);
    if (rc) {
        per_cell_abort(*t);
        *t = NULL;
    }
    return rc;
}

void per_cell_abort(struct per_cell *t)
{
    if (!t)
        return;
    h5ad_layers_close(&t->layers);
    if (t->w.o.path)
        h5ad_writer_abort(&t->w);
    outfile_abort(&t->table);
    free(t);
}

static void put_lines(struct per_cell *t, const struct perturbation *x,
                      const struct cell_shifts *of, const struct held_cells *c)
{
    FILE *f = t->table.f;
    for (size_t k = 0; k < of->n; k++) {
        const struct held_cell *h = &c->cell[of->cell[k]];
        field_put(x->name, f);
        fputc('\t', f);
        field_put(h->sample, f);
        fputc('\t', f);
        field_put(h->name, f);
        fprintf(f, "\t%lld", (long long)h->id);
        for (size_t m = 0; m < n_measures(t->o); m++)
            perturb_put_number(f, of->value[m * of->room + k]);
        fputc('\n', f);
    }
}

/* Perturbations [from, from + n) of *s as columns of one measure. */
static void fill(const struct shifts *s, size_t from, size_t n, size_t m, size_t n_cells, float *x)
{
    for (size_t i = 0; i < n_cells * n; i++)
        x[i] = NAN;
    for (size_t i = 0; i < n; i++) {
        const struct cell_shifts *of = &s->of[from + i];
        for (size_t k = 0; k < of->n; k++)
            x[of->cell[k] * n + i] = (float)of->value[m * of->room + k];
    }
}

enum rc per_cell_add(struct per_cell *t, const struct shifts *s, const struct perturbations *p,
                     const struct held_cells *c, struct err *e)
{
    const size_t n_all = s->to - s->from, fit = WAITING / (t->n_cells + 1) + 1,
                 most = fit < n_all ? fit : n_all;
    float *x = malloc((t->n_cells * most + 1) * sizeof *x);
    enum rc rc = x ? RC_OK : err_set(e, RC_FAIL, "no memory for shifts of %zu cells", t->n_cells);
    for (size_t i = 0; i < n_all; i++)
        put_lines(t, &p->item[s->from + i], &s->of[i], c);
    for (size_t at = 0, n; !rc && at < n_all; at += n) {
        n = n_all - at < most ? n_all - at : most;
        for (size_t m = 0; !rc && m < n_measures(t->o); m++) {
            fill(s, at, n, m, t->n_cells, x);
            rc = h5ad_layers_put(&t->layers, m, s->from + at, n, x, e);
        }
    }
    free(x);
    return rc ? err_wrap(e, "shifts.h5ad") : RC_OK;
}

/* Names of the perturbations, their genes and how many cells each concerns. */
static enum rc describe(struct cells *to, const struct perturbations *p, const struct vocab *v,
                        struct err *e)
{
    table_init(&to->var, p->n_named);
    to->gene = calloc(p->n_named + 1, sizeof *to->gene);
    struct column *genes = table_add(&to->var, "genes", COLUMN_TEXT);
    struct column *n_cells = genes ? table_add(&to->var, "n_cells", COLUMN_I64) : NULL;
    if (!to->gene || !n_cells)
        return err_set(e, RC_FAIL, "no memory for %zu perturbations", p->n_named);
    genes = table_find(&to->var, "genes"); /* the second column may have moved the first */
    for (size_t i = 0; i < p->n_named; i++) {
        const struct perturbation *x = &p->item[i];
        char ids[CHANGE_MAX_GENES * 32] = "";
        size_t at = 0;
        for (uint32_t k = 0; k < x->n_tokens && at < sizeof ids; k++)
            at += (size_t)snprintf(ids + at, sizeof ids - at, "%s%s", k ? "+" : "",
                                   v->entry[x->token[k]].id);
        n_cells->i64[i] = x->n_cells;
        to->gene[i] = arena_text(&to->var.text, x->name);
        genes->text[i] = arena_text(&to->var.text, ids);
        if (!to->gene[i] || !genes->text[i])
            return err_set(e, RC_FAIL, "no memory for %zu perturbations", p->n_named);
    }
    return RC_OK;
}

enum rc per_cell_close(struct per_cell *t, const struct held_cells *c,
                       const struct perturbations *p, struct embedder *m, struct err *e)
{
    struct cells head = { 0 };
    const char *sha256 = embedder_sha256(m, e);
    enum rc rc = sha256 ? describe(&head, p, &m->vocab, e) : RC_FAIL;
    const char *const uns[][2] = { { "change", t->o->change_name }, { "model_sha256", sha256 } };
    const struct h5ad_extra extra = { .uns = uns, .n_uns = 2 };
    h5ad_layers_close(&t->layers);
    head.cell = c->head.cell; /* borrowed, as is obs */
    head.obs = c->head.obs;
    if (rc)
        h5ad_writer_abort(&t->w);
    else
        rc = h5ad_writer_close(&t->w, &head, &extra, e);
    if (!rc)
        rc = outfile_commit(&t->table, e);
    else
        outfile_abort(&t->table);
    table_release(&head.var);
    free(head.gene);
    free(t);
    return rc;
}
