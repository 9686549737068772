/* A made-up set of cells under drugs: 2 drugs x 4 doses, one or two types, 6 genes; gene 0 rises
 * with drug "A", gene 1 falls with "B". */
#ifndef GC_TESTS_DOSE_TINY_H
#define GC_TESTS_DOSE_TINY_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/rng.h"
#include "lib/data/dose_set.h"

enum { TINY_GENES = 6, TINY_CELLS = 600 };
static const double tiny_dose[4] = { 0.1, 0.2, 0.5, 1 };

struct tiny_cells {
    const char *drug[TINY_CELLS], *type[TINY_CELLS], *part[TINY_CELLS];
    double dose[TINY_CELLS];
};

/* Cells in turn: control, control, A and B at the four doses. */
__attribute__((unused)) static void tiny_columns(struct tiny_cells *c)
{
    for (size_t i = 0; i < TINY_CELLS; i++) {
        const size_t k = i % 10;
        c->drug[i] = k < 2 ? "control" : k < 6 ? "A" : "B";
        c->dose[i] = k < 2 ? NAN : tiny_dose[(k - 2) % 4];
        c->type[i] = i / 10 % 2 ? "y" : "x";
        c->part[i] = k > 1 && (k - 2) % 4 == 2 ? "ood" : i / 20 % 2 ? "train" : "test";
    }
}

/* Values are logged: base of the gene, a change by the dose, noise. */
__attribute__((unused)) static void tiny_values(struct dose_set *s, const struct tiny_cells *c)
{
    char name[8];
    dose_set_init(s);
    s->x.n_cells = TINY_CELLS;
    s->x.n_genes = TINY_GENES;
    s->x.indptr = calloc(TINY_CELLS + 1, sizeof *s->x.indptr);
    s->x.index = malloc(TINY_CELLS * TINY_GENES * sizeof *s->x.index);
    s->x.value = malloc(TINY_CELLS * TINY_GENES * sizeof *s->x.value);
    s->x.gene = calloc(TINY_GENES + 1, sizeof *s->x.gene);
    if (!s->x.indptr || !s->x.index || !s->x.value || !s->x.gene)
        abort();
    for (size_t j = 0; j < TINY_GENES; j++) {
        snprintf(name, sizeof name, "G%zu", j);
        s->x.gene[j] = arena_text(&s->x.text, name);
    }
    for (size_t i = 0, at = 0; i < TINY_CELLS; i++) {
        const double dose = c->dose[i] > 0 ? c->dose[i] : 0;
        for (uint32_t j = 0; j < TINY_GENES; j++) {
            double v = 2 + 0.3 * j + 0.2 * rng_normal(7, RNG_TEST, i, j);
            v += j == 0 && c->drug[i] && c->drug[i][0] == 'A' ? 2 * dose / (dose + 0.3) : 0;
            v -= j == 1 && c->drug[i] && c->drug[i][0] == 'B' ? 1.5 * dose : 0;
            s->x.index[at] = j;
            s->x.value[at++] = v > 0.01 ? v : 0.01;
        }
        s->x.indptr[i + 1] = at;
    }
}

static const struct dose_rules tiny_rules = { { PERTURB_LOG, 1e4, 1 }, "control", false };

/* with_type, with_part: whether those columns are given. */
__attribute__((unused)) static enum rc tiny_set(struct dose_set *s, bool with_type, bool with_part,
                                                struct err *e)
{
    static struct tiny_cells c;
    tiny_columns(&c);
    tiny_values(s, &c);
    const struct dose_columns columns = { c.drug, with_type ? c.type : NULL,
                                          with_part ? c.part : NULL, c.dose };
    return dose_set_finish(s, &columns, &tiny_rules, e);
}

#endif
