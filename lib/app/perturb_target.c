#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/perturb_parts.h"
#include "lib/base/log.h"

/* What the model reads of a cell. */
static enum rc add_cell(struct cell_tokens *to, const struct held_cell *h, uint32_t max,
                        struct err *e)
{
    struct cell_copy c = { 0, malloc(max * sizeof *c.token), malloc(max * sizeof *c.value) };
    enum rc rc = c.token && c.value ? RC_OK : err_set(e, RC_FAIL, "no memory for a cell");
    if (!rc) {
        cell_unchanged(&h->genes, max, &c);
        const struct token_work w = { .token = c.token, .value = c.value, .n = c.n };
        rc = cell_tokens_add(to, &w, h->id, (enum species)h->species, 0, e);
    }
    free(c.token);
    free(c.value);
    return rc;
}

/* One cell at a time: they are few beside the copies. */
static enum rc add_up(double *mean, struct embedder *m, const struct held_cells *c, struct err *e)
{
    const size_t d = m->model.config.d;
    struct cell_tokens t;
    float *x = malloc(d * sizeof *x);
    enum rc rc = x ? RC_OK : err_set(e, RC_FAIL, "no memory for a vector");
    cell_tokens_init(&t);
    for (size_t i = 0; !rc && i < c->n; i++) {
        double square = 0;
        cell_tokens_clear(&t);
        rc = add_cell(&t, &c->cell[i], m->model.config.max_genes, e);
        if (!rc)
            rc = embedder_encode(m, &t, x, e);
        for (size_t k = 0; !rc && k < d; k++)
            square += (double)x[k] * (double)x[k];
        for (size_t k = 0; !rc && k < d; k++)
            mean[k] += (double)x[k] / sqrt(square) / (double)c->n;
    }
    cell_tokens_release(&t);
    free(x);
    return rc;
}

enum rc targets_make(struct targets *t, struct embedder *m, const struct perturb_options *o,
                     struct err *e)
{
    enum rc rc = RC_OK;
    *t = (struct targets){ 0 };
    for (int i = 0; !rc && i < o->targets.n; i++) {
        struct perturb_options of = *o;
        struct held_cells c;
        of.source = o->targets.item[i];
        double *mean = t->mean[t->n++] = calloc(m->model.config.d, sizeof *mean);
        rc = mean ? held_cells_read(&c, m, &of, e) : err_set(e, RC_FAIL, "no memory for a vector");
        if (rc)
            break;
        log_say("target '%s': %zu cells", of.source, c.n);
        rc = add_up(mean, m, &c, e);
        held_cells_release(&c);
    }
    if (rc)
        targets_release(t);
    return rc;
}

void targets_release(struct targets *t)
{
    for (size_t i = 0; i < MAX_TARGETS; i++)
        free(t->mean[i]);
    *t = (struct targets){ 0 };
}
