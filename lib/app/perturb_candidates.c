#include <stdlib.h>

#include "lib/app/perturb_parts.h"
#include "lib/io/metrics_tsv.h"

/* Spec 05 section 12c: what moves cells towards the target and away from what they were, by
 * s_T - s_0 with s_0 = mean [cos(S', S) - 1], which is minus the cell's shift. */
struct candidate {
    double score;
    size_t at;
};

static int by_score(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return (x->at > y->at) - (x->at < y->at);
}

/* The best of target number t into c [n_named]; returns how many. */
static size_t best_of(const struct perturbations *p, size_t t, size_t most, struct candidate *c)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n_named; i++) {
        const double *mean = p->item[i].mean;
        if (p->item[i].n_cells && mean[MEASURE_TARGET + t] > 0 && mean[MEASURE_CLS] > 0)
            c[n++] = (struct candidate){ mean[MEASURE_TARGET + t] + mean[MEASURE_CLS], i };
    }
    qsort(c, n, sizeof *c, by_score);
    return n < most ? n : most;
}

enum rc candidates_put(FILE *f, const struct perturb_options *o, const struct perturbations *p,
                       const struct vocab *v, struct err *e)
{
    const size_t n_targets = (size_t)o->targets.n, most = (size_t)o->top;
    struct candidate *c = calloc(n_targets * p->n_named + 1, sizeof *c);
    unsigned char *lists = calloc(p->n_named + 1, 1);
    size_t n[MAX_TARGETS] = { 0 };
    enum rc rc =
        c && lists ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu candidates", p->n_named);
    for (size_t k = 0; !rc && k < n_targets; k++) {
        n[k] = best_of(p, k, most, c + k * p->n_named);
        for (size_t i = 0; i < n[k]; i++)
            lists[c[k * p->n_named + i].at]++;
    }
    for (size_t k = 0; !rc && k < n_targets; k++)
        for (size_t i = 0; i < n[k]; i++) {
            const struct candidate *y = &c[k * p->n_named + i];
            const struct perturbation *x = &p->item[y->at];
            field_put(o->targets.item[k], f);
            fprintf(f, "\t%zu\t", i + 1);
            field_put(x->n_tokens == 1 ? v->entry[x->token[0]].name : x->name, f);
            fputc('\t', f);
            for (uint32_t j = 0; j < x->n_tokens; j++)
                fprintf(f, "%s%s", j ? "+" : "", v->entry[x->token[j]].id);
            perturb_put_number(f, y->score);
            perturb_put_number(f, x->mean[MEASURE_TARGET + k]);
            perturb_put_number(f, x->mean[MEASURE_CLS]);
            perturb_put_number(f, x->p[MEASURE_TARGET + k]);
            fprintf(f, "\t%d\n", lists[y->at] == n_targets);
        }
    free(c);
    free(lists);
    return rc;
}
