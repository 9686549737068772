#include "lib/cell/ledger.h"

#include <stdlib.h>
#include <string.h>

enum rc ledger_init(struct ledger *l, struct err *e)
{
    (void)e;
    *l = (struct ledger){ 0 };
    return RC_OK;
}

void ledger_release(struct ledger *l)
{
    free(l->group);
    free(l->cell);
    free(l->pair);
    *l = (struct ledger){ 0 };
}

enum rc ledger_add_group(struct ledger *l, bool is_set, uint32_t *group, struct err *e)
{
    struct ledger_group *more = realloc(l->group, (l->n_groups + 1) * sizeof *more);
    if (!more)
        return err_set(e, RC_FAIL, "no memory for %zu samples", l->n_groups);
    l->group = more;
    *group = (uint32_t)l->n_groups;
    more[l->n_groups++] = (struct ledger_group){ .is_set = is_set };
    return RC_OK;
}

enum rc ledger_add(struct ledger *l, uint32_t group, const int64_t *content, size_t n,
                   struct err *e)
{
    if (l->n_cells + n > l->room) {
        size_t room = l->n_cells + n + l->room / 2;
        struct ledger_cell *more = realloc(l->cell, room * sizeof *more);
        if (!more)
            return err_set(e, RC_FAIL, "no memory for %zu cells", room);
        l->cell = more;
        l->room = room;
    }
    for (size_t i = 0; i < n; i++) {
        l->group[group].n_cells++;
        l->group[group].n_no_counts += content[i] == 0;
        if (content[i])
            l->cell[l->n_cells++] = (struct ledger_cell){ (uint64_t)content[i], group };
    }
    return RC_OK;
}

static int by_content(const void *a, const void *b)
{
    const struct ledger_cell *x = a, *y = b;
    if (x->content != y->content)
        return x->content < y->content ? -1 : 1;
    return (x->group > y->group) - (x->group < y->group);
}

static int by_groups(const void *a, const void *b)
{
    const struct ledger_pair *x = a, *y = b;
    if (x->a != y->a)
        return x->a < y->a ? -1 : 1;
    return (x->b > y->b) - (x->b < y->b);
}

/* Pairs as they are found; joined when they have doubled. */
struct pairs {
    struct ledger_pair *item;
    size_t n, room;
};

static void join(struct pairs *p)
{
    size_t to = 0;
    if (p->n)
        qsort(p->item, p->n, sizeof *p->item, by_groups);
    for (size_t i = 0; i < p->n; i++) {
        if (to && by_groups(&p->item[to - 1], &p->item[i]) == 0)
            p->item[to - 1].n += p->item[i].n;
        else
            p->item[to++] = p->item[i];
    }
    p->n = to;
}

static bool add_pair(struct pairs *p, uint32_t a, uint32_t b)
{
    if (p->n == p->room) {
        join(p);
        if (2 * p->n >= p->room) {
            size_t room = 2 * p->room + 4096;
            struct ledger_pair *more = realloc(p->item, room * sizeof *more);
            if (!more)
                return false;
            p->item = more;
            p->room = room;
        }
    }
    p->item[p->n++] = a < b ? (struct ledger_pair){ a, b, 1 } : (struct ledger_pair){ b, a, 1 };
    return true;
}

/* Cells [0, n) have one content, by rising group. */
static bool count_run(struct ledger *l, const struct ledger_cell *c, size_t n, struct pairs *p)
{
    size_t n_samples = 0;
    for (size_t i = 0; i < n; i++)
        n_samples += !l->group[c[i].group].is_set && (i == 0 || c[i].group != c[i - 1].group);
    l->n_distinct += n_samples > 0;
    for (size_t i = 0, j; i < n; i = j) {
        struct ledger_group *g = &l->group[c[i].group];
        for (j = i + 1; j < n && c[j].group == c[i].group; j++)
            ;
        uint64_t here = j - i;
        g->n_again += here - 1;
        g->n_corpus += n_samples ? here : 0;
        g->n_others += n_samples > (g->is_set ? 0u : 1u) ? here : 0;
        for (size_t k = j; k < n; k++)
            if (c[k].group != c[k - 1].group && !(g->is_set && l->group[c[k].group].is_set) &&
                !add_pair(p, c[i].group, c[k].group))
                return false;
    }
    return true;
}

enum rc ledger_count(struct ledger *l, struct err *e)
{
    struct pairs p = { 0 };
    bool good = true;
    if (l->n_cells)
        qsort(l->cell, l->n_cells, sizeof *l->cell, by_content);
    for (size_t i = 0, j; good && i < l->n_cells; i = j) {
        for (j = i + 1; j < l->n_cells && l->cell[j].content == l->cell[i].content; j++)
            ;
        good = count_run(l, l->cell + i, j - i, &p);
    }
    join(&p);
    l->pair = p.item;
    l->n_pairs = p.n;
    return good ? RC_OK : err_set(e, RC_FAIL, "no memory for pairs of samples");
}
