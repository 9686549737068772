/* A forest per gene on the regulators of a truth (Huynh-Thu et al. 2010, GENIE3). */
#include <stdlib.h>
#include <string.h>

#include "lib/app/grn_infer.h"
#include "lib/base/thread.h"
#include "lib/nn/forest_regression.h"

enum { LEAST_SPLIT = 5 }; /* as R's forests of numbers have it */

struct forests {
    const struct grn_job *j;
    const struct grn_truth *t;
    struct forest_ground ground;
    struct forest_regression_options o;
    double *importance; /* [n_genes, n_tfs] */
    double *target;     /* [n_genes, cells] */
    unsigned char *failed;
};

static void one_gene(void *ctx, size_t k, int worker)
{
    struct forests *f = ctx;
    const size_t n = f->j->x.n_cells, g = f->j->x.gene.n;
    double *y = f->target + k * n;
    size_t skip = 0;
    (void)worker;
    for (size_t i = 0; i < n; i++)
        y[i] = f->j->x.x[i * g + f->t->gene[k]];
    while (skip < f->t->n_tfs && f->t->tf[skip] != f->t->gene[k])
        skip++;
    f->failed[k] = forest_importance(&f->ground, y, skip < f->t->n_tfs ? skip : SIZE_MAX, k, &f->o,
                                     f->importance + k * f->t->n_tfs, NULL) != RC_OK;
}

enum rc grn_trees(const struct grn_job *j, const struct grn_truth *t, uint64_t seed, double *score,
                  struct err *e)
{
    struct forests f = { .j = j, .t = t };
    f.o = (struct forest_regression_options){ .n_trees = (size_t)j->o->n_trees,
                                              .least_split = LEAST_SPLIT,
                                              .extra = !j->o->best_cuts,
                                              .seed = seed };
    enum rc rc =
        forest_ground_init(&f.ground, j->x.x, j->x.n_cells, j->x.gene.n, t->tf, t->n_tfs, e);
    if (rc)
        return rc;
    f.importance = malloc(t->n_pairs * sizeof *f.importance);
    f.target = malloc(t->n_genes * j->x.n_cells * sizeof *f.target);
    f.failed = calloc(t->n_genes, 1);
    bool failed = !f.importance || !f.target || !f.failed;
    if (!failed)
        threads_for(t->n_genes, one_gene, &f);
    for (size_t k = 0; !failed && k < t->n_genes; k++)
        failed = f.failed[k];
    for (size_t i = 0; !failed && i < t->n_pairs; i++) {
        const size_t tf = i / t->n_genes, k = i % t->n_genes;
        score[i] = t->tf[tf] == t->gene[k] ? -1 : f.importance[k * t->n_tfs + tf];
    }
    free(f.importance);
    free(f.target);
    free(f.failed);
    forest_ground_release(&f.ground);
    return failed ? err_set(e, RC_FAIL, "no memory for the trees of %zu genes", t->n_genes) : RC_OK;
}
