/* The network as published lists know it: most true edges, some false ones. */
#include <stdlib.h>

#include "lib/cell/simulate_draw.h"
#include "lib/cell/simulate_fill.h"

static void draw_listed(const struct sim *s, enum species sp, struct sim_listed *x)
{
    const unsigned what = DRAW_LISTED + (unsigned)sp;
    const uint64_t at = (uint64_t)x->target * 8;
    if (x->real && sim_unit(s, what, x->tf, at) < 0.2)
        return; /* held out: a method may find it, a list does not tell it */
    x->trrust = sim_unit(s, what, x->tf, at + 1) < 0.7;
    x->collectri = sp == SPECIES_HUMAN && sim_unit(s, what, x->tf, at + 2) < 0.8;
    x->dorothea = sim_unit(s, what, x->tf, at + 3) < 0.6 || !(x->trrust || x->collectri);
}

static int by_tf(const void *pa, const void *pb)
{
    const struct sim_listed *a = pa, *b = pb;
    if (a->tf != b->tf)
        return a->tf < b->tf ? -1 : 1;
    return (a->target > b->target) - (a->target < b->target);
}

enum rc sim_listed_edges(const struct sim *s, enum species sp, struct sim_listed **edge, size_t *n,
                         struct err *e)
{
    const struct sim_species *a = &s->of[sp];
    const size_t n_false = a->n_edges * 15 / 100;
    *n = 0;
    *edge = calloc(a->n_edges + n_false + 1, sizeof **edge);
    if (!*edge)
        return err_set(e, RC_FAIL, "no memory for %zu edges", a->n_edges);
    for (size_t i = 0; i < a->n_edges; i++) {
        const struct sim_edge *x = &a->edge[i];
        (*edge)[(*n)++] = (struct sim_listed){ .tf = x->tf,
                                               .target = x->target,
                                               .sign = x->sign,
                                               .weight = x->weight,
                                               .real = true,
                                               .shared = x->shared };
    }
    /* False edges: any TF, any gene that it does not regulate. */
    for (uint64_t i = 0; i < n_false; i++) {
        const unsigned what = DRAW_LISTED + (unsigned)sp;
        const uint64_t at = (1ull << 40) + 4 * i;
        struct sim_listed x = { .tf = (uint32_t)sim_below(s, what, 0, at, a->n_tfs),
                                .target = (uint32_t)sim_below(s, what, 0, at + 1, a->n_genes),
                                .sign = sim_unit(s, what, 0, at + 2) < 0.75 ? 1 : -1 };
        if (x.target != a->tf_gene[x.tf] && !sim_is_edge(a, x.tf, x.target))
            (*edge)[(*n)++] = x;
    }
    qsort(*edge, *n, sizeof **edge, by_tf);
    size_t kept = 0; /* the same false edge may be drawn twice */
    for (size_t i = 0; i < *n; i++)
        if (!kept || by_tf(&(*edge)[kept - 1], &(*edge)[i]) != 0)
            (*edge)[kept++] = (*edge)[i];
    *n = kept;
    for (size_t i = 0; i < *n; i++)
        draw_listed(s, sp, &(*edge)[i]);
    return RC_OK;
}

static bool in_list(const struct sim_listed *x, enum sim_table k)
{
    return k == SIM_T_TRRUST ? x->trrust : k == SIM_T_COLLECTRI ? x->collectri : x->dorothea;
}

/* An edge as the list k writes it. u: a draw of the edge's own. */
static void put_listed(struct fill *f, size_t row, enum sim_table k, const char *tf,
                       const char *target, const struct sim_listed *x, double u)
{
    fill_text(f, row, 0, "%s", tf);
    fill_text(f, row, k == SIM_T_DOROTHEA ? 2 : 1, "%s", target);
    if (k == SIM_T_TRRUST) {
        fill_text(f, row, 2, "%s", u < 0.2 ? "Unknown" : x->sign > 0 ? "Activation" : "Repression");
        fill_i64(f, row, 3, 90000000 + (int64_t)row); /* where real lists have PubMed ids */
    } else if (k == SIM_T_COLLECTRI) {
        fill_i64(f, row, 2, x->sign);
    } else {
        fill_text(f, row, 1, "%c", "ABCD"[(int)(4 * u)]);
        fill_i64(f, row, 3, x->sign);
    }
}

enum rc sim_published(const struct sim *s, enum sim_table k, enum species sp, struct table *t,
                      struct err *e)
{
    const struct sim_species *a = &s->of[sp];
    struct sim_listed *x = NULL;
    size_t n = 0, n_rows = 0, row = 0;
    if (sim_listed_edges(s, sp, &x, &n, e))
        return e->rc;
    for (size_t i = 0; i < n; i++)
        n_rows += in_list(&x[i], k);
    struct fill f =
        k == SIM_T_TRRUST ? fill_start(t, n_rows, "ttti", "TF|gene_symbol|interaction|position", e)
        : k == SIM_T_COLLECTRI ? fill_start(t, n_rows, "tti", "source|target|weight", e)
                               : fill_start(t, n_rows, "ttti", "tf|confidence|target|mor", e);
    for (size_t i = 0; i < n; i++)
        if (in_list(&x[i], k))
            put_listed(&f, row++, k, a->gene[a->tf_gene[x[i].tf]].name, a->gene[x[i].target].name,
                       &x[i],
                       sim_unit(s, DRAW_LISTED + (unsigned)sp, x[i].tf, 8ull * x[i].target + 4));
    free(x);
    return f.rc;
}
