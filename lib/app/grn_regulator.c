/* One regulator by one method: are its targets ahead of other genes? */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/grn_parts.h"
#include "lib/nn/metrics_rank.h"
#include "lib/nn/metrics_stat.h"

/* Of the released notebook: the genes of its dictionary, whatever a cell shows (spec 07, E14). */
enum { RELEASED_VOCABULARY = 23115 };

/* Roles of the genes; false: the list does not have the regulator. */
static bool give_roles(const struct grn_room *j, const struct grn_comparison *k, uint32_t regulator,
                       size_t *n_known)
{
    const struct grn_list *l = k->list;
    const bool rest = !k->against && k->other == UINT32_MAX;
    *n_known = 0;
    memset(j->role, rest ? 2 : 0, j->n_genes);
    for (size_t i = 0; k->against && i < k->against->n; i++)
        j->role[k->against->link[i].target] = 2;
    for (size_t i = 0; i < l->n; i++) {
        const struct grn_link *x = &l->link[i];
        if (x->regulator != regulator)
            continue;
        *n_known += x->class == k->class;
        j->role[x->target] = x->class == k->class                           ? 1
                             : !k->against && !rest && x->class == k->other ? 2
                                                                            : 3;
    }
    j->role[regulator] = 3;
    return *n_known > 0;
}

struct scored {
    double score;
    uint32_t gene;
    bool target;
};

static int falling(const void *a, const void *b)
{
    const struct scored *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return (x->gene > y->gene) - (x->gene < y->gene);
}

/* The list of all genes seen, as the notebook ranks it, but by the mean over cells (spec 07, E14).
 */
static enum rc rank_list(const struct grn_room *j, const struct grn_scores *s, size_t n_known,
                         struct grn_of_regulator *r, struct err *e)
{
    struct scored *x = malloc((s->n + 1) * sizeof *x);
    if (!x)
        return err_set(e, RC_FAIL, "no memory for %zu genes", s->n);
    for (size_t i = 0; i < s->n; i++)
        x[i] = (struct scored){ s->score[i], s->gene[i], j->role[s->gene[i]] == 1 };
    qsort(x, s->n, sizeof *x, falling);
    for (size_t i = 0; i < s->n; i++)
        j->positive[i] = x[i].target;
    free(x);
    r->x[GRN_PRECISION] = ranked_precision(j->positive, s->n, n_known);
    r->x[GRN_RANDOM_LISTED] = ranked_random(j->positive, s->n);
    r->x[GRN_RANDOM_VOCABULARY] = (double)n_known / RELEASED_VOCABULARY;
    return RC_OK;
}

enum rc grn_regulator(const struct grn_room *j, const struct grn_comparison *k,
                      const struct grn_scores *s, struct grn_of_regulator *r, bool *fits,
                      struct err *e)
{
    size_t n_known, n_a = 0, n_b = 0;
    *fits = false;
    if (!give_roles(j, k, s->regulator, &n_known))
        return RC_OK;
    /* Targets from the front, the others from the back. */
    for (size_t i = 0; i < s->n; i++)
        if (j->role[s->gene[i]] == 1)
            j->score[n_a++] = s->score[i];
        else if (j->role[s->gene[i]] == 2)
            j->score[s->n - ++n_b] = s->score[i];
    if (n_a < j->least_targets || n_b < j->least_targets)
        return RC_OK;
    memmove(j->score + n_a, j->score + s->n - n_b, n_b * sizeof *j->score);
    for (size_t i = 0; i < n_a + n_b; i++)
        j->positive[i] = i < n_a;
    *r = (struct grn_of_regulator){ .regulator = s->regulator, .n_targets = n_a, .n_others = n_b };
    struct rank_metrics m;
    struct test_result u;
    const double *a = j->score, *b = j->score + n_a;
    enum rc rc = rank_metrics_get(j->score, j->positive, n_a + n_b, &m, e);
    if (!rc)
        rc = mann_whitney(a, n_a, b, n_b, &u, e);
    if (rc)
        return rc;
    r->x[GRN_AUROC] = m.auroc;
    r->x[GRN_AP] = m.average_precision;
    r->x[GRN_AP_RATIO] = m.auprc_ratio;
    r->x[GRN_TARGETS] = mean_of(a, n_a);
    r->x[GRN_OTHERS] = mean_of(b, n_b);
    r->x[GRN_WILCOXON_P] = u.p;
    r->x[GRN_WELCH_P] = welch_t(a, n_a, b, n_b).p;
    r->x[GRN_PRECISION] = r->x[GRN_RANDOM_LISTED] = r->x[GRN_RANDOM_VOCABULARY] = NAN;
    *fits = true;
    return k->against || k->other != UINT32_MAX ? RC_OK : rank_list(j, s, n_known, r, e);
}
