#include "lib/app/knowledge_relation.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/io/knowledge.h"
#include "lib/io/lines.h"
#include "lib/io/network.h"

void gene_names_release(struct gene_names *g)
{
    for (int s = 0; s < 2; s++) {
        map_release(&g->exact[s]);
        map_release(&g->folded[s]);
    }
}

/* Lower case; a name too long is cut, and then no gene's. */
static const char *fold(const char *name, char to[64])
{
    size_t i = 0;
    for (; name[i] && i < 63; i++)
        to[i] = (char)tolower((unsigned char)name[i]);
    to[i] = '\0';
    return to;
}

enum rc gene_names_fill(struct gene_names *g, const struct vocab *v, struct err *e)
{
    char lower[64];
    enum rc rc = RC_OK;
    for (int s = 0; s < 2; s++) {
        map_init(&g->exact[s]);
        map_init(&g->folded[s]);
    }
    for (size_t t = 0; !rc && t < v->n; t++) {
        const enum species s = v->entry[t].species;
        const char *name = knowledge_gene_name(v, t);
        if (s == SPECIES_UNKNOWN)
            continue;
        rc = map_add(&g->exact[s], name, t, NULL, e);
        if (!rc && map_get(&g->folded[s], fold(name, lower)) == MAP_NONE)
            rc = map_add(&g->folded[s], lower, t, NULL, e);
    }
    if (rc)
        gene_names_release(g);
    return rc;
}

static enum rc take_line(struct lines *l, const struct gene_names *g, struct pairs *p,
                         struct err *e)
{
    char *field[2];
    if (fields_cut(l->text, '\t', field, 2) != 2)
        return err_set(e, RC_INPUT, "'%s': line %zu: not two names", l->path, l->number);
    for (int s = 0; s < 2; s++) {
        const uint64_t a = map_get(&g->exact[s], field[0]), b = map_get(&g->exact[s], field[1]);
        if (a != MAP_NONE && b != MAP_NONE)
            return pairs_add(p, (uint32_t)a, (uint32_t)b, e);
    }
    return err_set(e, RC_INPUT,
                   "'%s': line %zu: '%s' and '%s' are not two genes of one species in the "
                   "vocabulary",
                   l->path, l->number, field[0], field[1]);
}

enum rc relation_read(const char *path, const struct gene_names *g, struct pairs *p, struct err *e)
{
    struct lines l;
    bool more = false;
    enum rc rc = lines_open(&l, path, e);
    if (rc)
        return rc;
    while (!rc && !(rc = lines_next(&l, &more, e)) && more)
        rc = take_line(&l, g, p, e);
    lines_close(&l);
    return rc;
}

static size_t known(const struct network *n, const struct map *m)
{
    char lower[64];
    size_t k = 0;
    for (size_t i = 0; i < n->gene.n; i++)
        k += map_get(m, fold(n->gene.at[i], lower)) != MAP_NONE;
    return k;
}

enum rc truth_read(const char *path, const struct gene_names *g, struct pairs *p, size_t *n_all,
                   enum species *s, struct err *e)
{
    struct network n;
    char lower[64];
    enum rc rc = network_read(path, NULL, &n, e);
    if (rc)
        return rc;
    *n_all = n.pairs.n;
    *s = known(&n, &g->folded[SPECIES_MOUSE]) > known(&n, &g->folded[SPECIES_HUMAN])
             ? SPECIES_MOUSE
             : SPECIES_HUMAN;
    for (size_t i = 0; !rc && i < n.pairs.n; i++) {
        const uint64_t a = map_get(&g->folded[*s], fold(n.gene.at[n.pairs.at[i].a], lower)),
                       b = map_get(&g->folded[*s], fold(n.gene.at[n.pairs.at[i].b], lower));
        if (a != MAP_NONE && b != MAP_NONE)
            rc = pairs_add(p, (uint32_t)a, (uint32_t)b, e);
    }
    pairs_distinct(p);
    network_release(&n);
    return rc;
}

size_t pairs_common(const struct pairs *p, const struct pairs *other)
{
    size_t n = 0;
    for (size_t i = 0, j = 0; i < p->n && j < other->n;) {
        const struct pair a = p->at[i], b = other->at[j];
        const int c = a.a != b.a ? (a.a < b.a ? -1 : 1) : (a.b > b.b) - (a.b < b.b);
        n += c == 0;
        i += c <= 0;
        j += c >= 0;
    }
    return n;
}
