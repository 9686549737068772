/* What is true: genes, network, types, cells, doses and effects. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cell/simulate_draw.h"
#include "lib/cell/simulate_fill.h"

struct fill fill_start(struct table *t, size_t n_rows, const char *kinds, const char *names,
                       struct err *e)
{
    struct fill f = { t, e, RC_OK };
    table_init(t, n_rows);
    char buf[512];
    snprintf(buf, sizeof buf, "%s", names);
    char *save = NULL, *name = strtok_r(buf, "|", &save);
    for (; *kinds && !f.rc; kinds++, name = strtok_r(NULL, "|", &save)) {
        enum column_kind k = *kinds == 't' ? COLUMN_TEXT : *kinds == 'i' ? COLUMN_I64 : COLUMN_F64;
        if (!table_add(t, name, k))
            f.rc = err_set(e, RC_FAIL, "no memory for a table of %zu rows", n_rows);
    }
    return f;
}

__attribute__((format(printf, 4, 5))) void fill_text(struct fill *f, size_t row, size_t col,
                                                     const char *fmt, ...)
{
    char text[256];
    va_list ap;
    if (f->rc)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    f->rc = table_set_text(f->t, &f->t->col[col], row, text, f->e);
}

void fill_i64(struct fill *f, size_t row, size_t col, int64_t v)
{
    if (!f->rc)
        f->t->col[col].i64[row] = v;
}

void fill_f64(struct fill *f, size_t row, size_t col, double v)
{
    if (!f->rc)
        f->t->col[col].f64[row] = v;
}

/* Which of the three lists have the edge. */
static const char *list_names(const struct sim_listed *x)
{
    static const char *const name[] = {
        "-",        "trrust",          "collectri",          "trrust,collectri",
        "dorothea", "trrust,dorothea", "collectri,dorothea", "trrust,collectri,dorothea"
    };
    return name[x->trrust + 2 * x->collectri + 4 * x->dorothea];
}

enum rc sim_truth_network(const struct sim *s, struct table *t, struct err *e)
{
    struct sim_listed *x[2] = { NULL, NULL };
    size_t n[2] = { 0, 0 };
    if (sim_listed_edges(s, 0, &x[0], &n[0], e) || sim_listed_edges(s, 1, &x[1], &n[1], e)) {
        free(x[0]);
        return e->rc;
    }
    struct fill f = fill_start(t, n[0] + n[1], "tttttifiiit",
                               "species|tf_id|tf|target_id|target|sign|weight|real|shared|held_out"
                               "|listed",
                               e);
    size_t r = 0;
    for (int sp = 0; sp < 2; sp++)
        for (size_t i = 0; i < n[sp]; i++, r++) {
            const struct sim_species *a = &s->of[sp];
            const struct sim_listed *y = &x[sp][i];
            const struct sim_gene *tf = &a->gene[a->tf_gene[y->tf]], *to = &a->gene[y->target];
            fill_text(&f, r, 0, "%s", species_name(sp));
            fill_text(&f, r, 1, "%s", tf->id);
            fill_text(&f, r, 2, "%s", tf->name);
            fill_text(&f, r, 3, "%s", to->id);
            fill_text(&f, r, 4, "%s", to->name);
            fill_i64(&f, r, 5, y->sign);
            fill_f64(&f, r, 6, y->weight);
            fill_i64(&f, r, 7, y->real);
            fill_i64(&f, r, 8, y->shared);
            fill_i64(&f, r, 9, !y->trrust && !y->collectri && !y->dorothea);
            fill_text(&f, r, 10, "%s", list_names(y));
        }
    free(x[0]);
    free(x[1]);
    return f.rc;
}

enum rc sim_truth_genes(const struct sim *s, struct table *t, struct err *e)
{
    struct fill f = fill_start(t, s->of[0].n_genes + s->of[1].n_genes, "tttitiiiffti",
                               "id|name|species|group|biotype|family|tf|core|base|dispersion|"
                               "partner|mito",
                               e);
    size_t r = 0;
    for (int sp = 0; sp < 2; sp++)
        for (uint32_t g = 0; g < s->of[sp].n_genes; g++, r++) {
            const struct sim_gene *x = &s->of[sp].gene[g];
            const struct sim_group *q = &s->group[x->group];
            const uint32_t o = sim_partner(s, sp, g);
            fill_text(&f, r, 0, "%s", x->id);
            fill_text(&f, r, 1, "%s", x->name);
            fill_text(&f, r, 2, "%s", species_name(sp));
            fill_i64(&f, r, 3, (int64_t)x->group + 1);
            fill_text(&f, r, 4, "%s", sim_biotype_name(q->biotype));
            fill_i64(&f, r, 5, q->family < 0 ? -1 : q->family + 1);
            fill_i64(&f, r, 6, x->tf < 0 ? -1 : x->tf + 1);
            fill_i64(&f, r, 7, sim_is_core(s, sp, g));
            fill_f64(&f, r, 8, x->base);
            fill_f64(&f, r, 9, x->dispersion);
            fill_text(&f, r, 10, "%s", o == UINT32_MAX ? "-" : s->of[1 - sp].gene[o].id);
            fill_i64(&f, r, 11, q->biotype == SIM_MITO);
        }
    return f.rc;
}

enum rc sim_truth_types(const struct sim *s, struct table *t, struct err *e)
{
    struct fill f = fill_start(t, s->opt.n_types, "tttii",
                               "type|human_masters|mouse_masters|"
                               "human_cells|mouse_cells",
                               e);
    for (size_t c = 0; c < s->opt.n_types; c++) {
        char name[SIM_TEXT], list[2][256] = { "", "" };
        int64_t n[2] = { 0, 0 };
        sim_type_name(c, name);
        for (int sp = 0; sp < 2; sp++)
            for (size_t j = 0, at = 0; j < s->of[sp].n_tfs; j++)
                if (sim_master_type(s, j) == (int)c)
                    at +=
                        (size_t)snprintf(list[sp] + at, sizeof list[sp] - at, "%s%s", at ? " " : "",
                                         s->of[sp].gene[s->of[sp].tf_gene[j]].name);
        for (size_t i = 0; i < s->opt.n_cells; i++)
            n[s->sample[s->cell[i].sample].species] += s->cell[i].type == c;
        fill_text(&f, c, 0, "%s", name);
        fill_text(&f, c, 1, "%s", list[0]);
        fill_text(&f, c, 2, "%s", list[1]);
        fill_i64(&f, c, 3, n[0]);
        fill_i64(&f, c, 4, n[1]);
    }
    return f.rc;
}

enum rc sim_truth_cells(const struct sim *s, struct table *t, struct err *e)
{
    struct fill f = fill_start(t, s->opt.n_cells, "ttttttff",
                               "sample|barcode|species|type|second_type|state|library|mito", e);
    for (size_t i = 0; i < s->opt.n_cells; i++) {
        const struct sim_cell *c = &s->cell[i];
        char name[SIM_TEXT], second[SIM_TEXT];
        sim_type_name(c->type, name);
        sim_type_name(c->type_2, second);
        fill_text(&f, i, 0, "%s", s->sample[c->sample].name);
        fill_text(&f, i, 1, "%s", c->barcode);
        fill_text(&f, i, 2, "%s", species_name(s->sample[c->sample].species));
        fill_text(&f, i, 3, "%s", name);
        fill_text(&f, i, 4, "%s", c->state == SIM_DOUBLET ? second : "-");
        fill_text(&f, i, 5, "%s", sim_state_name(c->state));
        fill_f64(&f, i, 6, c->library);
        fill_f64(&f, i, 7, c->mito);
    }
    return f.rc;
}

/* One line per cell: the dose of each TF number, so that a target can be compared with its cause
 * instead of with the cause's noisy message. */
enum rc sim_truth_doses(const struct sim *s, struct table *t, struct err *e)
{
    struct fill f = fill_start(t, s->opt.n_cells, "tt", "sample|barcode", e);
    double *dose = calloc(s->opt.n_tfs, sizeof *dose);
    if (!f.rc && !dose)
        f.rc = err_set(e, RC_FAIL, "no memory for %zu doses", s->opt.n_tfs);
    for (size_t j = 0; j < s->opt.n_tfs && !f.rc; j++) {
        char name[SIM_TEXT];
        snprintf(name, sizeof name, "tf_%zu", j + 1);
        if (!table_add(t, name, COLUMN_F64))
            f.rc = err_set(e, RC_FAIL, "no memory for %zu doses", s->opt.n_tfs);
    }
    for (size_t i = 0; i < s->opt.n_cells && !f.rc; i++) {
        const struct sim_cell *c = &s->cell[i];
        fill_text(&f, i, 0, "%s", s->sample[c->sample].name);
        fill_text(&f, i, 1, "%s", c->barcode);
        sim_doses(s, s->sample[c->sample].species, c->type, i, -1, dose);
        for (size_t j = 0; j < s->opt.n_tfs; j++)
            fill_f64(&f, i, 2 + j, dose[j]);
    }
    free(dose);
    return f.rc;
}

/* Which genes does deleting each TF move, and how far? log2 fold in each type's typical cell; genes
 * that no type sees moved are left out. direct: an edge; else through another TF. */
static enum rc effects_of(const struct sim *s, enum species sp, size_t tf, double *fold,
                          unsigned char *moved, struct fill *f, size_t *row)
{
    const struct sim_species *a = &s->of[sp];
    const size_t n = a->n_genes;
    memset(moved, 0, n);
    for (size_t c = 0; c < s->opt.n_types; c++) {
        if (sim_effect(s, sp, c, tf, fold + c * n, f->e))
            return f->rc = f->e->rc;
        for (size_t g = 0; g < n; g++)
            moved[g] = moved[g] || fabs(fold[c * n + g]) > 1e-6;
    }
    for (uint32_t g = 0; g < n; g++) {
        if (!moved[g])
            continue;
        size_t r = (*row)++;
        if (f->t) {
            fill_text(f, r, 0, "%s", species_name(sp));
            fill_text(f, r, 1, "%s", a->gene[a->tf_gene[tf]].id);
            fill_text(f, r, 2, "%s", a->gene[g].id);
            fill_i64(f, r, 3, sim_is_edge(a, (uint32_t)tf, g));
            for (size_t c = 0; c < s->opt.n_types; c++)
                fill_f64(f, r, 4 + c, fold[c * n + g]);
        }
    }
    return f->rc;
}

enum rc sim_truth_effects(const struct sim *s, struct table *t, struct err *e)
{
    const size_t n = s->of[0].n_genes > s->of[1].n_genes ? s->of[0].n_genes : s->of[1].n_genes;
    double *fold = calloc(n * s->opt.n_types, sizeof *fold);
    unsigned char *moved = calloc(n, 1);
    struct fill f = { NULL, e, RC_OK };
    size_t rows = 0;
    if (!fold || !moved)
        f.rc = err_set(e, RC_FAIL, "no memory for the effects of %zu TFs", s->opt.n_tfs);
    for (int pass = 0; pass < 2; pass++) { /* first count, then fill */
        if (pass && !f.rc)
            f = fill_start(t, rows, "ttti", "species|tf_id|gene_id|direct", e);
        for (size_t c = 0; c < s->opt.n_types && pass && !f.rc; c++) {
            char name[SIM_TEXT];
            sim_type_name(c, name);
            if (!table_add(t, name, COLUMN_F64))
                f.rc = err_set(e, RC_FAIL, "no memory for %zu effects", rows);
        }
        rows = 0;
        for (int sp = 0; sp < 2; sp++)
            for (size_t tf = 0; tf < s->of[sp].n_tfs && !f.rc; tf++)
                effects_of(s, sp, tf, fold, moved, &f, &rows);
    }
    free(fold);
    free(moved);
    return f.rc;
}

enum rc sim_truth_labels(const struct sim *s, size_t sample, struct table *t, struct err *e)
{
    const struct sim_sample *a = &s->sample[sample];
    struct fill f = fill_start(t, a->n, "ttt", "barcode|celltype|sample", e);
    for (size_t i = 0; i < a->n; i++) {
        char name[SIM_TEXT];
        sim_type_name(s->cell[a->first + i].type, name);
        fill_text(&f, i, 0, "%s", s->cell[a->first + i].barcode);
        fill_text(&f, i, 1, "%s", name);
        fill_text(&f, i, 2, "%s", a->name);
    }
    return f.rc;
}
