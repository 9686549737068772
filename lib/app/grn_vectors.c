/* Vectors of genes on the genes of an expression, and how alike they are. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/gene_vectors.h"
#include "lib/app/grn_infer.h"
#include "lib/base/log.h"
#include "lib/nn/gene_cosines.h"

#define PUBLISHED_SHARE (500000.0 / (1582.0 * 1582.0))

void grn_vectors_release(struct grn_vectors *v)
{
    free(v->name);
    free(v->of);
    free(v->cos);
    free(v->standing);
    *v = (struct grn_vectors){ 0 };
}

/* x [n, d]: of the genes that v->of numbers. */
static enum rc fill(struct grn_vectors *v, const float *x, size_t d, size_t top, struct err *e)
{
    struct cosine_facts f;
    const size_t n_share = (size_t)fmax(1, round(PUBLISHED_SHARE * (double)v->n * (double)v->n));
    v->cos = malloc((v->n * v->n + 1) * sizeof *v->cos);
    v->standing = malloc((v->n * v->n + 1) * sizeof *v->standing);
    enum rc rc = v->cos && v->standing ? gene_cosines(x, v->n, d, v->cos, e)
                                       : err_set(e, RC_FAIL, "no memory for %zu genes", v->n);
    if (!rc)
        rc = cosine_facts_get(v->cos, v->n, n_share, 0, &f, NULL, e);
    v->share = f.at_top;
    if (!rc)
        rc = cosine_facts_get(v->cos, v->n, top, 0, &f, v->standing, e);
    if (rc)
        return rc;
    v->top = f.at_top;
    v->n_top = f.n_top;
    v->mean = f.mean;
    v->sd = f.sd;
    v->least = f.least;
    log_say("vectors '%s': cosines of %zu pairs %.3f ± %.3f, least %.3f; the largest %zu are from "
            "%.4f on (%.1f %% of all)",
            v->name, f.n_pairs, f.mean, f.sd, f.least, f.n_top, f.at_top, 100 * f.share_top);
    return RC_OK;
}

static enum rc take(const struct grn_job *j, const char *path, const struct gene_vectors *from,
                    struct grn_vectors *v, struct err *e)
{
    const size_t g = j->x.gene.n, d = from->d;
    float *x = malloc((g * d + 1) * sizeof *x);
    v->of = malloc((g + 1) * sizeof *v->of);
    if (!x || !v->of) {
        free(x);
        return err_set(e, RC_FAIL, "no memory for vectors of %zu genes", g);
    }
    for (size_t i = 0; i < g; i++) {
        const uint64_t row = map_get(&from->row_of, j->x.gene.at[i]);
        v->of[i] = row == MAP_NONE ? UINT32_MAX : (uint32_t)v->n;
        if (row != MAP_NONE)
            memcpy(x + d * v->n++, from->x + row * d, d * sizeof *x);
    }
    enum rc rc = RC_OK;
    log_say("vectors '%s': %zu of %zu genes have one, of %zu numbers", v->name, v->n, g, d);
    if (!v->n || (double)v->n < j->o->least_overlap * (double)g)
        rc = err_set(e, RC_INPUT,
                     "'%s' has vectors of %zu of the %zu genes of the expression, fewer than "
                     "--least-overlap %g",
                     path, v->n, g, j->o->least_overlap);
    if (!rc && j->o->centre)
        gene_vectors_centre(x, v->n, d);
    if (!rc)
        rc = fill(v, x, d, (size_t)j->o->n_top, e);
    free(x);
    return rc;
}

/* The genes' own z-scored expression: their cosine is Pearson's correlation. */
static enum rc take_own(const struct grn_job *j, struct grn_vectors *v, struct err *e)
{
    const size_t g = j->x.gene.n, n = j->x.n_cells;
    float *x = malloc((g * n + 1) * sizeof *x);
    v->of = malloc((g + 1) * sizeof *v->of);
    v->n = g;
    enum rc rc = x && v->of ? RC_OK : err_set(e, RC_FAIL, "no memory for vectors of %zu genes", g);
    for (uint32_t i = 0; !rc && i < g; i++) {
        v->of[i] = i;
        for (size_t k = 0; k < n; k++)
            x[i * n + k] = (float)j->x.x[k * g + i];
    }
    if (!rc)
        rc = fill(v, x, n, (size_t)j->o->n_top, e);
    free(x);
    return rc;
}

enum rc grn_vectors_read(struct grn_job *j, struct err *e)
{
    j->vectors = calloc((size_t)j->o->vectors.n + 1, sizeof *j->vectors);
    if (!j->vectors)
        return err_set(e, RC_FAIL, "no memory");
    for (int i = 0; i < j->o->vectors.n; i++) {
        const char *text = j->o->vectors.item[i], *eq = strchr(text, '=');
        struct grn_vectors *v = &j->vectors[j->n_vectors++];
        struct gene_vectors from;
        if (!eq || eq == text || !eq[1] || memchr(text, '+', (size_t)(eq - text)) || eq - text > 40)
            return err_set(e, RC_USAGE, "--vectors wants NAME=FILE, not '%s'", text);
        v->name = text_new("%.*s", (int)(eq - text), text);
        enum rc rc = v->name ? gene_vectors_read(eq + 1, &from, e)
                             : err_set(e, RC_FAIL, "no memory for a name");
        if (rc)
            return rc;
        rc = take(j, eq + 1, &from, v, e);
        gene_vectors_release(&from);
        if (rc)
            return rc;
    }
    struct grn_vectors *own = &j->vectors[j->n_vectors++];
    own->name = text_new("coexpression");
    return own->name ? take_own(j, own, e) : err_set(e, RC_FAIL, "no memory for a name");
}
