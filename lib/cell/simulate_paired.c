/* Paired samples: expression and openness of one cell type, laid out as `peca` reads them (what it
 * needs of other samples comes from the other types). A gene has an element near its start, open
 * everywhere, and a distal one that is open where its regulators are active; the motifs of its
 * regulators lie in the distal one, and each element has a few weak motifs of anybody. So the known
 * network is what PECA2 should find. Genes go by their ids: two share a name. Sample `which` is of
 * species which / 2 and type which mod 2.
 */
#include <math.h>
#include <stdlib.h>

#include "lib/cell/simulate_draw.h"
#include "lib/cell/simulate_fill.h"

enum { WEAK = 2, BACKGROUND = 4000 };
/* Streams of DRAW_PAIRED. */
#define PAIRED_ELEMENT ((uint64_t)1 << 40)
#define PAIRED_BACKGROUND ((uint64_t)2 << 40)

struct paired {
    const struct sim *s;
    enum species sp;
    size_t type;
    double *dose, *level; /* [types, n_tfs], [types, n_genes] in the typical cell */
};

static double draw(const struct paired *p, uint64_t i, uint64_t pos)
{
    return sim_unit(p->s, DRAW_PAIRED + (unsigned)p->sp, i, pos);
}

static void release(struct paired *p)
{
    free(p->dose);
    free(p->level);
}

static enum rc fill_levels(struct paired *p, const struct sim *s, int which, struct err *e)
{
    const enum species sp = which / 2 ? SPECIES_MOUSE : SPECIES_HUMAN;
    const struct sim_species *a = &s->of[sp];
    const size_t n_types = s->opt.n_types;
    *p = (struct paired){ .s = s, .sp = sp, .type = (size_t)which % 2 };
    p->dose = calloc(n_types * a->n_tfs + 1, sizeof *p->dose);
    p->level = calloc(n_types * a->n_genes + 1, sizeof *p->level);
    if (!p->dose || !p->level) {
        release(p);
        return err_set(e, RC_FAIL, "no memory for %zu genes", a->n_genes);
    }
    for (size_t c = 0; c < n_types; c++) {
        sim_doses(s, sp, c, SIZE_MAX, -1, p->dose + c * a->n_tfs);
        sim_levels(s, sp, c, p->dose + c * a->n_tfs, p->level + c * a->n_genes);
    }
    return RC_OK;
}

static int rising(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Over the types, of x[types][n] at i; sorted through room [types]. */
static double median_of(const double *x, size_t n_types, size_t n, size_t i, double *room)
{
    for (size_t c = 0; c < n_types; c++)
        room[c] = x[c * n + i];
    qsort(room, n_types, sizeof *room, rising);
    return n_types % 2 ? room[n_types / 2] : (room[n_types / 2 - 1] + room[n_types / 2]) / 2;
}

static enum rc expression(const struct paired *p, struct table *t, struct err *e)
{
    const struct sim_species *a = &p->s->of[p->sp];
    const size_t n_types = p->s->opt.n_types;
    double room[SIM_MAX_TYPES];
    struct fill f = fill_start(t, a->n_genes, "tff", "gene|value|median", e);
    for (uint32_t g = 0; g < a->n_genes; g++) {
        fill_text(&f, g, 0, "%s", a->gene[g].id);
        fill_f64(&f, g, 1, p->level[p->type * a->n_genes + g]);
        fill_f64(&f, g, 2, median_of(p->level, n_types, a->n_genes, g, room));
    }
    return f.rc;
}

/* Openness of a gene's distal element in a type: with the dose of its most active regulator. */
static double openness(const struct paired *p, uint32_t gene, size_t type)
{
    const struct sim_species *a = &p->s->of[p->sp];
    double most = 0;
    for (size_t k = a->edge_at[gene]; k < a->edge_at[gene + 1]; k++) {
        const double x = p->dose[type * a->n_tfs + a->edge[k].tf];
        most = x > most ? x : most;
    }
    return (1 + 6 * most) * (0.8 + 0.4 * draw(p, PAIRED_ELEMENT | gene, 2 * type));
}

/* Elements 2g (near the start) and 2g + 1 (distal). */
static enum rc elements(const struct paired *p, struct table *t, struct err *e)
{
    const struct sim_species *a = &p->s->of[p->sp];
    const size_t n_types = p->s->opt.n_types;
    double room[SIM_MAX_TYPES], all[SIM_MAX_TYPES];
    struct fill f = fill_start(t, 2 * a->n_genes, "tff", "element|value|median", e);
    for (uint32_t g = 0; g < a->n_genes; g++) {
        const double near = 3 + draw(p, PAIRED_ELEMENT | g, 1);
        for (size_t c = 0; c < n_types; c++)
            all[c] = openness(p, g, c);
        for (size_t k = 0; k < 2; k++) {
            fill_text(&f, 2 * g + k, 0, "e%u", 2 * g + (unsigned)k);
            fill_f64(&f, 2 * g + k, 1, k ? all[p->type] : near);
            fill_f64(&f, 2 * g + k, 2, k ? median_of(all, n_types, 1, 0, room) : near);
        }
    }
    return f.rc;
}

static enum rc bindings(const struct paired *p, struct table *t, struct err *e)
{
    const struct sim_species *a = &p->s->of[p->sp];
    size_t row = 0;
    struct fill f =
        fill_start(t, a->n_edges + 2 * WEAK * a->n_genes, "ttf", "tf|element|strength", e);
    for (uint32_t g = 0; g < a->n_genes; g++) {
        for (size_t k = a->edge_at[g]; k < a->edge_at[g + 1]; k++, row++) {
            fill_text(&f, row, 0, "%s", a->gene[a->tf_gene[a->edge[k].tf]].id);
            fill_text(&f, row, 1, "e%u", 2 * g + 1);
            fill_f64(&f, row, 2, 1 + draw(p, PAIRED_ELEMENT | g, 1000 + a->edge[k].tf));
        }
        for (uint64_t k = 0; k < 2 * WEAK; k++, row++) {
            const double u = draw(p, PAIRED_ELEMENT | g, 2000 + 2 * k);
            fill_text(&f, row, 0, "%s", a->gene[a->tf_gene[(size_t)(u * (double)a->n_tfs)]].id);
            fill_text(&f, row, 1, "e%u", 2 * g + (unsigned)(k % 2));
            fill_f64(&f, row, 2, 0.2 * draw(p, PAIRED_ELEMENT | g, 2001 + 2 * k));
        }
    }
    return f.rc;
}

static enum rc links(const struct paired *p, struct table *t, struct err *e)
{
    const struct sim_species *a = &p->s->of[p->sp];
    struct fill f = fill_start(t, 2 * a->n_genes, "ttif", "element|gene|distance|correlation", e);
    for (uint32_t g = 0; g < a->n_genes; g++)
        for (size_t k = 0; k < 2; k++) {
            const size_t row = 2 * g + k;
            const double u = draw(p, PAIRED_ELEMENT | g, 500 + k);
            fill_text(&f, row, 0, "e%zu", row);
            fill_text(&f, row, 1, "%s", a->gene[g].id);
            fill_i64(&f, row, 2, k ? 2000 + (int64_t)(1e5 * u) : (int64_t)(500 * u));
            fill_f64(&f, row, 3, k ? 0.4 + 0.4 * u : 0.3);
        }
    return f.rc;
}

/* Pearson correlation over the types. */
static double correlation(const struct paired *p, uint32_t tf, uint32_t gene)
{
    const struct sim_species *a = &p->s->of[p->sp];
    const size_t n = p->s->opt.n_types;
    double x = 0, y = 0, xx = 0, yy = 0, xy = 0;
    for (size_t c = 0; c < n; c++) {
        const double u = p->dose[c * a->n_tfs + tf], w = p->level[c * a->n_genes + gene];
        x += u / (double)n;
        y += w / (double)n;
        xx += u * u / (double)n;
        yy += w * w / (double)n;
        xy += u * w / (double)n;
    }
    const double v = (xx - x * x) * (yy - y * y);
    const double r = v > 1e-12 * xx * yy ? (xy - x * y) / sqrt(v) : 0;
    return r > 1 ? 1 : r < -1 ? -1 : r;
}

/* Pairs that do not regulate, as many as were drawn and are none. */
static size_t background_pairs(const struct paired *p, uint32_t *tf, uint32_t *gene)
{
    const struct sim_species *a = &p->s->of[p->sp];
    size_t n = 0;
    for (uint64_t i = 0; i < BACKGROUND; i++) {
        const uint32_t x = (uint32_t)(draw(p, PAIRED_BACKGROUND, 2 * i) * (double)a->n_tfs),
                       y = (uint32_t)(draw(p, PAIRED_BACKGROUND, 2 * i + 1) * (double)a->n_genes);
        if (a->tf_gene[x] == y || sim_is_edge(a, x, y))
            continue;
        tf[n] = x;
        gene[n++] = y;
    }
    return n;
}

static enum rc pairs(const struct paired *p, enum sim_table k, struct table *t, struct err *e)
{
    const struct sim_species *a = &p->s->of[p->sp];
    uint32_t *tf = calloc(2 * BACKGROUND, sizeof *tf), *gene = tf ? tf + BACKGROUND : NULL;
    if (!tf)
        return err_set(e, RC_FAIL, "no memory for %d pairs", BACKGROUND);
    const size_t n = background_pairs(p, tf, gene);
    const bool all = k == SIM_T_PAIRED_CORRELATION; /* of true pairs too */
    const size_t n_true = all ? a->n_edges : 0;
    struct fill f =
        fill_start(t, n_true + n, all ? "ttf" : "tt", all ? "tf|gene|correlation" : "tf|gene", e);
    for (size_t i = 0; i < n_true + n; i++) {
        const uint32_t x = i < n_true ? a->edge[i].tf : tf[i - n_true],
                       y = i < n_true ? a->edge[i].target : gene[i - n_true];
        fill_text(&f, i, 0, "%s", a->gene[a->tf_gene[x]].id);
        fill_text(&f, i, 1, "%s", a->gene[y].id);
        if (all)
            fill_f64(&f, i, 2, correlation(p, x, y));
    }
    free(tf);
    return f.rc;
}

enum rc sim_paired(const struct sim *s, enum sim_table k, int which, struct table *t, struct err *e)
{
    struct paired p;
    enum rc rc = fill_levels(&p, s, which, e);
    if (rc)
        return rc;
    rc = k == SIM_T_PAIRED_EXPRESSION ? expression(&p, t, e)
         : k == SIM_T_PAIRED_ELEMENTS ? elements(&p, t, e)
         : k == SIM_T_PAIRED_BINDING  ? bindings(&p, t, e)
         : k == SIM_T_PAIRED_LINKS    ? links(&p, t, e)
                                      : pairs(&p, k, t, e);
    release(&p);
    return rc;
}
