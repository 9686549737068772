#include "lib/nn/neighbourhood.h"

#include <math.h>
#include <stdlib.h>

#include "lib/nn/metrics_cluster.h"
#include "lib/nn/metrics_space.h"

enum rc naming_init(struct naming *s, const struct table *obs, const char *column, struct err *e)
{
    const struct column *c = table_find(obs, column);
    *s = (struct naming){ .n = obs->n_rows };
    names_init(&s->names);
    s->of = malloc((s->n + 1) * sizeof *s->of);
    enum rc rc = s->of ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu cells", s->n);
    for (size_t i = 0; !rc && i < s->n; i++) {
        s->of[i] = UINT32_MAX;
        if (!c || c->kind != COLUMN_TEXT || !c->text[i] || !*c->text[i])
            continue;
        rc = names_add(&s->names, c->text[i], &s->of[i], e);
        s->n_named++;
    }
    if (rc)
        naming_release(s);
    return rc;
}

void naming_release(struct naming *s)
{
    names_release(&s->names);
    free(s->of);
    *s = (struct naming){ 0 };
}

double naming_same_share(const struct naming *s, const struct knn *near)
{
    double sum = 0, n = 0;
    for (size_t i = 0; i < near->n; i++) {
        size_t named = 0, same = 0;
        if (s->of[i] == UINT32_MAX)
            continue;
        for (size_t j = 0; j < near->k; j++) {
            const uint32_t other = s->of[near->index[i * near->k + j]];
            named += other != UINT32_MAX;
            same += other == s->of[i];
        }
        if (named) {
            sum += (double)same / (double)named;
            n++;
        }
    }
    return n > 0 ? sum / n : NAN;
}

/* Named cells only: their rows, names and groups side by side. */
struct part {
    struct mat x;
    size_t n, *row;
    uint32_t *label, *group;
    double *value;
};

static void part_release(struct part *p)
{
    mat_release(&p->x);
    free(p->row);
    free(p->label);
    free(p->group);
    free(p->value);
}

static enum rc part_init(struct part *p, const struct naming *s, const struct mat *x,
                         const uint32_t *group, struct err *e)
{
    *p = (struct part){ .row = malloc((s->n_named + 1) * sizeof *p->row),
                        .label = malloc((s->n_named + 1) * sizeof *p->label),
                        .group = malloc((s->n_named + 1) * sizeof *p->group),
                        .value = malloc((s->n_named + 1) * sizeof *p->value) };
    if (!p->row || !p->label || !p->group || !p->value)
        return err_set(e, RC_FAIL, "no memory for %zu cells", s->n_named);
    for (size_t i = 0; i < s->n; i++)
        if (s->of[i] != UINT32_MAX) {
            p->row[p->n] = i;
            p->label[p->n] = s->of[i];
            p->group[p->n++] = group[i];
        }
    return mat_take_rows(x, p->row, p->n, &p->x, e);
}

enum rc naming_fit(const struct naming *s, const struct mat *x, const uint32_t *group,
                   size_t n_groups, struct naming_fit *out, struct err *e)
{
    struct part p;
    struct partition_metrics m;
    *out = (struct naming_fit){ 0 };
    enum rc rc = part_init(&p, s, x, group, e);
    if (!rc)
        rc = silhouette(&p.x, p.label, s->names.n, DISTANCE_EUCLID, p.value, e);
    if (!rc)
        rc = partition_metrics_get(p.label, s->names.n, p.group, n_groups, p.n, &m, e);
    for (size_t i = 0; !rc && i < p.n; i++)
        out->silhouette += p.value[i] / (double)p.n;
    if (!rc) {
        out->ari = m.ari;
        out->nmi = m.nmi_arithmetic;
    }
    part_release(&p);
    return rc;
}
