/* Samples joined to one set of cells. */
#include <stdlib.h>
#include <string.h>

#include "lib/data/cells_join.h"
#include "tests/tap.h"

/* n cells with `gene` names; cell i has count 10 i + j + 1 of gene j. */
static void sample(struct cells *c, const char *prefix, size_t n, const char *const *gene,
                   size_t n_genes, const char *column)
{
    char name[32];
    cells_init(c);
    csr_alloc(&c->count, n, n_genes, n * n_genes, NULL);
    table_init(&c->obs, n);
    table_init(&c->var, n_genes);
    c->cell = calloc(n + 1, sizeof *c->cell);
    c->gene = calloc(n_genes + 1, sizeof *c->gene);
    table_add(&c->obs, column, COLUMN_TEXT);
    for (size_t j = 0; j < n_genes; j++)
        c->gene[j] = arena_text(&c->var.text, gene[j]);
    for (size_t i = 0; i < n; i++) {
        snprintf(name, sizeof name, "%s%zu", prefix, i);
        c->cell[i] = arena_text(&c->obs.text, name);
        table_set_text(&c->obs, table_find(&c->obs, column), i, name, NULL);
        c->count.indptr[i + 1] = (i + 1) * n_genes;
        for (size_t j = 0; j < n_genes; j++) {
            c->count.index[i * n_genes + j] = (uint32_t)j;
            c->count.value[i * n_genes + j] = (uint32_t)(10 * i + j + 1);
        }
    }
}

static uint32_t count_of(const struct cells *c, size_t row, const char *gene)
{
    for (uint64_t k = c->count.indptr[row]; k < c->count.indptr[row + 1]; k++)
        if (strcmp(c->gene[c->count.index[k]], gene) == 0)
            return c->count.value[k];
    return 0;
}

int main(void)
{
    static const char *const first[] = { "A", "B", "C" }, *const second[] = { "C", "D", "A" };
    struct cells all, a, b, none;
    cells_init(&all);
    sample(&a, "x", 2, first, 3, "label");
    sample(&b, "y", 3, second, 3, "tissue");
    sample(&none, "z", 0, first, 1, "label");
    ok(cells_append(&all, &a, NULL) == RC_OK, "a sample to a fresh set of cells");
    ok(cells_append(&all, &b, NULL) == RC_OK, "another one with other genes");
    ok(cells_append(&all, &none, NULL) == RC_OK, "a sample without cells");
    cells_release(&a); /* nothing may be borrowed from it */
    cells_release(&b);
    cells_release(&none);
    ok(all.count.n_rows == 5 && all.count.n_cols == 4 && csr_check(&all.count, NULL) == RC_OK,
       "five cells of four genes, tidy");
    ok(strcmp(all.gene[0], "A") == 0 && strcmp(all.gene[3], "D") == 0,
       "genes in order of first appearance");
    ok(count_of(&all, 1, "B") == 12 && count_of(&all, 1, "D") == 0,
       "what a sample lacks is no count");
    ok(count_of(&all, 3, "C") == 11 && count_of(&all, 3, "D") == 12 && count_of(&all, 3, "A") == 13,
       "counts follow the names of the genes");
    ok(strcmp(all.cell[0], "x0") == 0 && strcmp(all.cell[4], "y2") == 0, "cells keep their names");
    const struct column *label = table_find(&all.obs, "label"),
                        *tissue = table_find(&all.obs, "tissue");
    ok(label && tissue && strcmp(label->text[1], "x1") == 0 && !label->text[2] &&
           !tissue->text[1] && strcmp(tissue->text[2], "y0") == 0,
       "obs columns are joined by name");
    cells_release(&all);
    return tap_end();
}
