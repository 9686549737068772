/* Further names of genes: rules 4 to 6 of gene_build.h.
 *
 * Each rule collects candidates (name, gene, rank), sorts them by name, rank and biotype, and takes
 * from each run of one name the first gene if no other is as good. A name that a gene has now, or
 * that an earlier rule gave away, is no candidate. */
#include <stdlib.h>
#include <string.h>

#include "lib/cell/gene_build.h"
#include "lib/data/genename.h"

struct name_set {
    struct gene_name *item;
    size_t n, room;
};

static enum rc add(struct name_set *s, const struct gene_side *a, const char *name, uint32_t gene,
                   int rank, struct err *e)
{
    if (s->n == s->room) {
        size_t room = s->room ? 2 * s->room : 1024;
        struct gene_name *more = realloc(s->item, room * sizeof *more);
        if (!more)
            return err_set(e, RC_FAIL, "no memory for %zu names", room);
        s->item = more;
        s->room = room;
    }
    s->item[s->n++] = (struct gene_name){
        .name = name, .gene = gene, .rank = rank, .biotype = a->gene[gene].biotype
    };
    return RC_OK;
}

static int by_name(const void *pa, const void *pb)
{
    const struct gene_name *a = pa, *b = pb;
    int c = strcmp(a->name, b->name);
    if (c)
        return c;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    if (a->biotype != b->biotype)
        return a->biotype < b->biotype ? -1 : 1;
    return (a->gene > b->gene) - (a->gene < b->gene);
}

/* Moves what is settled from `from` to `to` and notes it in `taken`; returns how many names led to
 * two genes through *ambiguous. */
static enum rc settle(const struct gene_side *a, struct name_set *from, struct name_set *to,
                      struct map *taken, size_t *settled, size_t *ambiguous, struct err *e)
{
    if (from->n)
        qsort(from->item, from->n, sizeof *from->item, by_name);
    for (size_t i = 0, next; i < from->n; i = next) {
        const struct gene_name *x = &from->item[i];
        bool two = false;
        for (next = i + 1; next < from->n && strcmp(from->item[next].name, x->name) == 0; next++)
            two =
                two || (from->item[next].rank == x->rank &&
                        from->item[next].biotype == x->biotype && from->item[next].gene != x->gene);
        *ambiguous += two;
        *settled += !two;
        if (!two &&
            (add(to, a, x->name, x->gene, x->rank, e) || map_add(taken, x->name, x->gene, NULL, e)))
            return RC_FAIL;
    }
    from->n = 0;
    return RC_OK;
}

/* Rule 4. Tables have the id in the place of a name that was not given yet: that is no name. */
static enum rc other_names(const struct gene_side *a, const struct map *taken, struct name_set *to,
                           struct err *e)
{
    for (size_t i = 0; i < a->n_names; i++) {
        const struct gene_name *x = &a->name[i];
        if (!x->id && map_get(taken, x->name) == MAP_NONE &&
            map_get(&a->ids, x->name) == MAP_NONE && add(to, a, x->name, x->gene, x->rank, e))
            return RC_FAIL;
    }
    return RC_OK;
}

/* Rule 5: the retired id is the alias; its best table's name says whose. */
static enum rc retired_ids(struct gene_side *a, const struct map *taken, struct name_set *to,
                           struct map *seen, struct err *e)
{
    for (size_t i = 0; i < a->n_names; i++) {
        const struct gene_name *x = &a->name[i];
        uint64_t gene = x->id ? map_get(taken, x->name) : MAP_NONE;
        if (gene != MAP_NONE && add(to, a, x->id, (uint32_t)gene, x->rank, e))
            return RC_FAIL;
        if (x->id && map_add(seen, x->id, 1, NULL, e))
            return RC_FAIL;
    }
    return RC_OK;
}

/* Rule 6. rank 0: mangled from a name of now; 1: from an alias. */
static enum rc mangle(struct gene_build *b, const struct gene_side *a, const char *name,
                      uint32_t gene, int rank, const struct map *taken, struct name_set *to,
                      struct err *e)
{
    char text[256];
    if (!make_name(name, text, sizeof text) || strcmp(text, name) == 0 ||
        map_get(taken, text) != MAP_NONE)
        return RC_OK;
    const char *kept = arena_text(&b->text, text);
    if (!kept)
        return err_set(e, RC_FAIL, "no memory for names");
    return add(to, a, kept, gene, rank, e);
}

static enum rc mangled_names(struct gene_build *b, const struct gene_side *a,
                             const struct name_set *alias, const struct map *taken,
                             struct name_set *to, struct err *e)
{
    for (uint32_t g = 0; g < a->n; g++)
        if (mangle(b, a, a->gene[g].shown, g, 0, taken, to, e))
            return RC_FAIL;
    for (size_t i = 0; i < alias->n; i++)
        if (mangle(b, a, alias->item[i].name, alias->item[i].gene, 1, taken, to, e))
            return RC_FAIL;
    return RC_OK;
}

static enum rc collect(struct gene_build *b, struct gene_side *a, struct map *taken,
                       struct map *retired, struct name_set *found, struct name_set *alias,
                       struct err *e)
{
    struct gene_counts *c = &a->counts;
    size_t lost = 0;
    for (uint32_t g = 0; g < a->n; g++)
        if (map_add(taken, a->gene[g].shown, g, NULL, e))
            return RC_FAIL;
    if (other_names(a, taken, found, e) ||
        settle(a, found, alias, taken, &c->alias_names, &c->ambiguous_names, e))
        return RC_FAIL;
    if (retired_ids(a, taken, found, retired, e) ||
        settle(a, found, alias, taken, &c->alias_ids, &lost, e))
        return RC_FAIL;
    c->retired_lost = retired->n - c->alias_ids;
    for (size_t i = 0; i < alias->n; i++)
        c->from_rank[alias->item[i].rank]++;
    if (mangled_names(b, a, alias, taken, found, e) ||
        settle(a, found, alias, taken, &c->alias_mangled, &c->ambiguous_names, e))
        return RC_FAIL;
    return RC_OK;
}

enum rc gene_aliases(struct gene_build *b, enum species sp, struct gene_name **alias, size_t *n,
                     struct err *e)
{
    struct gene_side *a = &b->of[sp];
    struct name_set found = { 0 }, all = { 0 };
    struct map taken, retired;
    map_init(&taken);
    map_init(&retired);
    enum rc rc = collect(b, a, &taken, &retired, &found, &all, e);
    map_release(&taken);
    map_release(&retired);
    free(found.item);
    if (rc) {
        free(all.item);
        all = (struct name_set){ 0 };
    } else if (all.n) {
        qsort(all.item, all.n, sizeof *all.item, by_name);
    }
    *alias = all.item;
    *n = all.n;
    return rc;
}
