/* What a set that was read promises (lib/data/perturb_set.h). */
#ifndef GC_TESTS_PERTURB_FUZZ_H
#define GC_TESTS_PERTURB_FUZZ_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/data/perturb_set.h"

/* rc, e: what the reader that filled s said. Releases s. */
static void perturb_fuzz_check(struct perturb_set *s, enum rc rc, const struct err *e)
{
    if (rc) {
        if (!e->text[0] || s->indptr || s->condition)
            abort();
        return;
    }
    size_t n = 0;
    if (s->n_conditions < 2 || s->condition[s->control].n_genes || s->indptr[0])
        abort();
    for (size_t c = 0; c < s->n_conditions; c++) {
        n += s->condition[c].n_cells;
        if (!s->condition[c].n_cells || (c != s->control && !s->condition[c].n_genes) ||
            (c && strcmp(s->condition[c - 1].name, s->condition[c].name) >= 0))
            abort();
    }
    if (n != s->n_cells)
        abort();
    for (size_t i = 0; i < s->n_cells; i++) {
        if (s->of[i] >= s->n_conditions || s->indptr[i] > s->indptr[i + 1])
            abort();
        for (uint64_t k = s->indptr[i]; k < s->indptr[i + 1]; k++)
            if (s->index[k] >= s->n_genes || !(s->value[k] > 0) || !isfinite(s->value[k]) ||
                (k > s->indptr[i] && s->index[k] <= s->index[k - 1]))
                abort();
    }
    perturb_set_release(s);
}

#endif
