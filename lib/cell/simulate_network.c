/* Which TF does what: activities by type, and edges. */
#include <math.h>
#include <stdlib.h>

#include "lib/cell/simulate_draw.h"

size_t sim_n_shared_tfs(const struct sim_options *o)
{
    return o->n_tfs - o->n_tfs / 12;
}

/* Masters: high in their type, nearly off elsewhere. The others vary mildly from type to type. TFs
 * with a homolog do the same in both species. */
enum rc sim_make_activity(struct sim *s, enum species sp, struct err *e)
{
    struct sim_species *a = &s->of[sp];
    const size_t n_types = s->opt.n_types, shared = sim_n_shared_tfs(&s->opt);
    a->activity = calloc(a->n_tfs * n_types, sizeof *a->activity);
    if (!a->activity)
        return err_set(e, RC_FAIL, "no memory for %zu TFs", a->n_tfs);
    for (size_t j = 0; j < a->n_tfs; j++)
        for (size_t c = 0; c < n_types; c++) {
            unsigned what = j < shared ? DRAW_ACTIVITY : DRAW_ACTIVITY + 1 + (unsigned)sp;
            int master = sim_master_type(s, j);
            double eps = sim_normal(s, what, j, c);
            a->activity[j * n_types + c] = master < 0            ? exp(0.4 * eps)
                                           : (size_t)master == c ? 4 * exp(0.1 * eps)
                                                                 : 0.12 * exp(0.3 * eps);
        }
    return RC_OK;
}

/* The edges of one species while they are found: in the order of drawing. */
struct edge_list {
    struct sim_edge *edge;
    size_t n, room;
    uint8_t *n_reg; /* regulators of each gene so far */
};

static enum rc edge_add(struct edge_list *l, struct sim_edge x, struct err *e)
{
    for (size_t i = l->n; i-- > 0 && l->edge[i].tf == x.tf;)
        if (l->edge[i].target == x.target)
            return RC_OK;
    if (l->n_reg[x.target] >= SIM_MAX_REGULATORS)
        return RC_OK;
    if (l->n == l->room) {
        size_t room = l->room ? 2 * l->room : 256;
        struct sim_edge *more = realloc(l->edge, room * sizeof *more);
        if (!more)
            return err_set(e, RC_FAIL, "no memory for %zu edges", room);
        l->edge = more;
        l->room = room;
    }
    l->n_reg[x.target]++;
    l->edge[l->n++] = x;
    return RC_OK;
}

/* Every copy of a group that this species has becomes a target (drift makes them differ). */
static enum rc edge_add_group(const struct sim *s, struct edge_list *l, enum species sp, size_t tf,
                              uint32_t group, struct sim_edge x, struct err *e)
{
    const struct sim_group *q = &s->group[group];
    for (uint32_t k = 0; k < q->n[sp]; k++) {
        x.tf = (uint32_t)tf;
        x.target = q->first[sp] + k;
        if (edge_add(l, x, e))
            return e->rc;
    }
    return RC_OK;
}

/* A group that TF `tf` may regulate: not mitochondrial, not a master, and a TF only if it comes
 * later. */
static bool may_regulate(const struct sim *s, size_t tf, uint32_t group)
{
    const struct sim_group *q = &s->group[group];
    int32_t other = q->n[0] ? s->of[0].gene[q->first[0]].tf : s->of[1].gene[q->first[1]].tf;
    return q->biotype != SIM_MITO &&
           (other < 0 || ((size_t)other > tf && sim_master_type(s, (size_t)other) < 0));
}

/* The group of draw i of a TF: draws 0 and 1 look among the later TFs, odd ones in the TF's own
 * family, the rest anywhere. */
static uint32_t pick_group(const struct sim *s, unsigned what, size_t tf, size_t i)
{
    const size_t shared = sim_n_shared_tfs(&s->opt);
    if (i < 2 && tf < shared)
        return (uint32_t)(tf + 1 + sim_below(s, what, tf, 8 * i + 8, shared - tf));
    uint32_t at = (uint32_t)sim_below(s, what, tf, 8 * i + 8, s->n_groups);
    if (i % 2 == 0 || !s->n_families)
        return at;
    int family = (int)sim_below(s, what, tf, 0, s->n_families);
    for (size_t k = 0; k < s->n_groups; k++) {
        uint32_t g = (uint32_t)((at + k) % s->n_groups);
        if (s->group[g].family == family)
            return g;
    }
    return at;
}

/* Edges of TF number tf. For a shared TF both species are filled from the same draws, and an edge
 * is kept in both with probability 0.85, else in one of them. */
static enum rc make_regulon(struct sim *s, size_t tf, unsigned what, bool in[2],
                            struct edge_list list[2], struct err *e)
{
    size_t n = 16 + (size_t)sim_below(s, what, tf, 1, 30);
    for (size_t i = 0; i < n; i++) {
        uint32_t group = pick_group(s, what, tf, i);
        if (!may_regulate(s, tf, group))
            continue;
        double u = sim_unit(s, what, tf, 8 * i + 11);
        bool to[2] = { in[0] && (u < 0.925), in[1] && (u < 0.85 || u >= 0.925) };
        const struct sim_edge x = {
            .sign = sim_unit(s, what, tf, 8 * i + 9) < 0.75 ? 1 : -1,
            .weight = 1.5 * exp2(2 * sim_unit(s, what, tf, 8 * i + 10)),
            .shared = to[0] && to[1] && s->group[group].n[0] && s->group[group].n[1],
        };
        for (int sp = 0; sp < 2; sp++)
            if (to[sp] && edge_add_group(s, &list[sp], sp, tf, group, x, e))
                return e->rc;
    }
    return RC_OK;
}

static int by_target(const void *pa, const void *pb)
{
    const struct sim_edge *a = pa, *b = pb;
    if (a->target != b->target)
        return a->target < b->target ? -1 : 1;
    return (a->tf > b->tf) - (a->tf < b->tf);
}

static enum rc index_edges(struct sim_species *a, struct edge_list *l, struct err *e)
{
    if (l->n)
        qsort(l->edge, l->n, sizeof *l->edge, by_target);
    a->edge = l->edge;
    a->n_edges = l->n;
    l->edge = NULL;
    a->edge_at = calloc(a->n_genes + 1, sizeof *a->edge_at);
    if (!a->edge_at)
        return err_set(e, RC_FAIL, "no memory for %zu genes", a->n_genes);
    for (size_t i = 0; i < a->n_edges; i++)
        a->edge_at[a->edge[i].target + 1]++;
    for (size_t g = 0; g < a->n_genes; g++)
        a->edge_at[g + 1] += a->edge_at[g];
    return RC_OK;
}

enum rc sim_make_network(struct sim *s, struct err *e)
{
    struct edge_list list[2] = { 0 };
    enum rc rc = RC_OK;
    const size_t shared = sim_n_shared_tfs(&s->opt);
    for (int sp = 0; sp < 2 && !rc; sp++) {
        list[sp].n_reg = calloc(s->of[sp].n_genes, 1);
        if (!list[sp].n_reg)
            rc = err_set(e, RC_FAIL, "no memory for the network");
    }
    for (size_t tf = 0; tf < shared && !rc; tf++)
        rc = make_regulon(s, tf, DRAW_EDGE, (bool[2]){ true, true }, list, e);
    for (size_t tf = shared; tf < s->opt.n_tfs && !rc; tf++)
        for (unsigned sp = 0; sp < 2 && !rc; sp++)
            rc = make_regulon(s, tf, DRAW_EDGE + 1 + sp, (bool[2]){ sp == 0, sp == 1 }, list, e);
    for (int sp = 0; sp < 2; sp++) {
        if (!rc)
            rc = index_edges(&s->of[sp], &list[sp], e);
        free(list[sp].edge);
        free(list[sp].n_reg);
    }
    return rc;
}

bool sim_is_edge(const struct sim_species *a, uint32_t tf, uint32_t target)
{
    for (size_t i = a->edge_at[target]; i < a->edge_at[target + 1]; i++)
        if (a->edge[i].tf == tf)
            return true;
    return false;
}
