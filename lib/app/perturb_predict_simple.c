/* The methods that draw nothing: what every network has to beat. */
#include <stdlib.h>
#include <string.h>

#include "lib/app/perturb_predict_parts.h"

static enum rc linear(struct perturb_job *j, const char *method, const struct mat *z,
                      struct mat *out, struct err *e)
{
    struct perturb_run *r = &j->run;
    const struct perturb_facts *f = &j->in.facts;
    const double *control = mat_row(&f->m.mean, f->set->control);
    const struct perturb_training t = { control, &r->mean, r->column };
    struct linear_effect m;
    size_t k = (size_t)j->o->pcs;
    k = k < r->mean.n ? k : r->mean.n;
    k = k < r->mean.d - 1 ? k : r->mean.d - 1;
    enum rc rc = z ? linear_effect_fit(&t, z, j->o->ridge, &m, e)
                   : linear_effect_pca(&t, k, j->o->ridge, &m, e);
    for (size_t c = 0; !rc && c < out->n; c++)
        if (r->part[c] == PART_TEST)
            rc = linear_effect_predict(&m, control, &f->column[c], mat_row(out, c), e);
    if (!rc)
        rc = perturb_record(j, method, SIZE_MAX, out, e);
    linear_effect_release(&m);
    return rc ? err_wrap(e, "%s", method) : RC_OK;
}

enum simple { NO_CHANGE, TRAIN_MEAN, ADDITIVE, NEAREST, N_SIMPLE };
static const char *const simple_name[N_SIMPLE] = { "no-change", "train-mean", "additive",
                                                   "nearest-go" };

static enum rc one(struct perturb_job *j, enum simple which, struct mat *out, struct err *e)
{
    const struct perturb_facts *f = &j->in.facts;
    const double *control = mat_row(&f->m.mean, f->set->control);
    const struct perturb_training t = { control, &j->run.mean, j->run.target };
    for (size_t c = 0; c < out->n; c++) {
        if (j->run.part[c] != PART_TEST)
            continue;
        double *to = mat_row(out, c);
        switch (which) {
        case NO_CHANGE:
            memcpy(to, control, out->d * sizeof *to);
            break;
        case TRAIN_MEAN:
            predict_mean(&t, to);
            break;
        case ADDITIVE:
            predict_additive(&t, &f->target[c], to);
            break;
        default:
            predict_nearest(&t, &f->target[c], &j->in.similarity, to);
        }
    }
    return perturb_record(j, simple_name[which], SIZE_MAX, out, e);
}

enum rc perturb_simple(struct perturb_job *j, struct err *e)
{
    struct mat out;
    enum rc rc = mat_alloc(&out, j->in.set.n_conditions, j->in.set.n_genes, e);
    for (int k = 0; !rc && k < N_SIMPLE; k++)
        if (k != NEAREST || j->in.node.n)
            rc = one(j, (enum simple)k, &out, e);
    if (!rc)
        rc = linear(j, "linear-pca", NULL, &out, e);
    if (!rc && j->in.vectors.n)
        rc = linear(j, "linear-genecompass", &j->in.vectors, &out, e);
    mat_release(&out);
    return rc;
}
