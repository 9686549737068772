/* Homologs cut to one-to-one: rule 8 of gene_build.h. */
#include <stdlib.h>
#include <string.h>

#include "lib/cell/gene_build.h"

/* Sorted by number: genes stand in order of their ids by now, so this is the order of the ids. */
static int by_worth(const void *pa, const void *pb)
{
    const struct gene_pair *a = pa, *b = pb;
    if (a->type != b->type)
        return a->type < b->type ? -1 : 1;
    if (a->confidence != b->confidence)
        return a->confidence > b->confidence ? -1 : 1;
    if (a->same_name != b->same_name)
        return a->same_name ? -1 : 1;
    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    if (a->human != b->human)
        return a->human < b->human ? -1 : 1;
    return (a->mouse > b->mouse) - (a->mouse < b->mouse);
}

void gene_pairs_choose(struct gene_build *b)
{
    struct gene *human = b->of[SPECIES_HUMAN].gene, *mouse = b->of[SPECIES_MOUSE].gene;
    if (b->n_pairs)
        qsort(b->pair, b->n_pairs, sizeof *b->pair, by_worth);
    for (size_t i = 0; i < b->n_pairs; i++) {
        const struct gene_pair *p = &b->pair[i];
        struct gene *h = &human[p->human], *m = &mouse[p->mouse];
        b->pairs_given[p->type]++;
        if (!h->core || !m->core) {
            b->pairs_not_core++;
            continue;
        }
        if (p->type != PAIR_ONE2ONE && !p->confidence && !p->same_name) {
            b->pairs_doubtful++;
            continue;
        }
        if (h->partner != UINT32_MAX || m->partner != UINT32_MAX)
            continue; /* the same pair from two tables ends here too */
        h->partner = p->mouse;
        m->partner = p->human;
        b->pairs_taken[p->type]++;
    }
}
