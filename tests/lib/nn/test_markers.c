/* lib/nn/markers on numbers that a hand can follow, and pairs of homologs. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/nn/homolog_pairs.h"
#include "lib/nn/markers.h"
#include "lib/nn/metrics_stat.h"
#include "tests/tap.h"

enum { CELLS = 7, GENES = 4 };

/* Gene 0 is strong in group 0, gene 1 in group 1, gene 2 the same in every cell, gene 3 nowhere. The
 * last cell is a group of its own. */
static void made(struct csr *c)
{
    static const uint32_t x[CELLS][GENES] = { { 30, 1, 5, 0 }, { 33, 0, 5, 0 }, { 31, 2, 5, 0 },
                                              { 2, 29, 5, 0 }, { 0, 30, 5, 0 }, { 1, 34, 5, 0 },
                                              { 90, 90, 90, 90 } };
    size_t n = 0;
    if (csr_alloc(c, CELLS, GENES, CELLS * GENES, NULL))
        abort();
    for (size_t r = 0; r < CELLS; r++) {
        for (uint32_t j = 0; j < GENES; j++)
            if (x[r][j]) {
                c->index[n] = j;
                c->value[n++] = x[r][j];
            }
        c->indptr[r + 1] = n;
    }
}

static void marker_genes(void)
{
    static const uint32_t group[CELLS] = { 0, 0, 0, 1, 1, 1, 2 };
    static const double scale[CELLS] = { 1, 1, 1, 1, 1, 1, 1 };
    struct marker_rule rule = { 0.05, 0.25, 50 };
    struct csr c;
    struct markers m;
    struct err e = { 0 };
    made(&c);
    ok(!markers_find(&c, scale, group, 3, &rule, &m, &e) && m.n == 2 && m.item[0].gene == 0 &&
           m.item[1].gene == 1 && m.item[0].group == 0 && m.item[1].group == 1,
       "each group has its gene; one that is equal everywhere and a group of one cell have none");
    const double a[] = { log1p(30), log1p(33), log1p(31) }, b[] = { log1p(2), 0, log1p(1) };
    const struct test_result t = welch_t(a, 3, b, 3);
    ok(m.n == 2 && fabs(m.item[0].score - t.statistic) <= 1e-12 * t.statistic,
       "the score is Welch's, without the cell that is left out");
    const double fold = log2((expm1(mean_of(a, 3)) + 1e-9) / (expm1(mean_of(b, 3)) + 1e-9));
    ok(m.n == 2 && fabs(m.item[0].log2_fold - fold) <= 1e-12 * fold, "the fold is that of the means");
    ok(m.n == 2 && m.item[0].p_adjusted >= t.p && m.item[0].p_adjusted <= 4 * t.p,
       "p is adjusted over all four genes");
    markers_release(&m);
    rule.fold_least = 20;
    ok(!markers_find(&c, scale, group, 3, &rule, &m, &e) && m.n == 0, "a bound on the fold holds");
    markers_release(&m);
    static const uint32_t one[CELLS] = { 0 };
    rule.fold_least = 0.25;
    ok(!markers_find(&c, scale, one, 1, &rule, &m, &e) && m.n == 0, "one group has no others");
    markers_release(&m);
    csr_release(&c);
}

static void pairs(void)
{
    static const char *const gene_a[] = { "a", "b", "c", "d" }, *const gene_b[] = { "A", "B", "C", "D" },
                            *const left[] = { "a", "b", "b", "c", "d" },
                            *const right[] = { "A", "B", "C", "none", "D" };
    const struct came_homologs h = { left, right, 5 };
    struct csr c, cut[2];
    struct err e = { 0 };
    const char **name;
    made(&c);
    const struct csr *const both[2] = { &c, &c };
    const char *const *const genes[2] = { gene_a, gene_b };
    ok(!homolog_pairs_cut(both, genes, &h, cut, &name, &e) && cut[0].n_cols == 2 &&
           cut[1].n_cols == 2 && strcmp(name[0], "a") == 0 && strcmp(name[1], "d") == 0,
       "pairs that are 1-to-1 and measured on both sides stay, under the reference's names");
    for (int s = 0; s < 2; s++)
        csr_release(&cut[s]);
    free(name);
    static const char *const twice[] = { "a", "a", "c", "d" };
    const char *const *const odd[2] = { twice, gene_b };
    ok(homolog_pairs_cut(both, odd, &h, cut, &name, &e) == RC_INPUT && !cut[0].indptr && !name,
       "a name that stands twice is refused: %s", e.text);
    csr_release(&c);
}

int main(void)
{
    marker_genes();
    pairs();
    return tap_end();
}
