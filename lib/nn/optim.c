#include "lib/nn/optim.h"

#include <math.h>

double optim_rate(const struct optim *o, uint64_t t)
{
    if (t < o->warmup_steps)
        return o->peak_lr * (double)t / (double)o->warmup_steps;
    if (t >= o->total_steps)
        return 0;
    return o->peak_lr * (double)(o->total_steps - t) / (double)(o->total_steps - o->warmup_steps);
}

/* The padding between parameters is zero, so one pass over the block is enough. */
double optim_norm(const struct params *p)
{
    return sqrt(p->b->sum_squares(p->g, p->n_items));
}

void optim_step(const struct optim *o, struct params *p, uint64_t t, double norm)
{
    double scale = 1;
    if (o->max_grad_norm > 0 && !(o->max_grad_norm / (norm + 1e-6) >= 1))
        scale = o->max_grad_norm / (norm + 1e-6);
    for (size_t i = 0; i < p->n; i++) {
        const struct param *q = &p->item[i];
        if (q->frozen)
            continue;
        const size_t range[2] = { q->begin, q->begin + q->rows * q->cols };
        struct op_adamw a = { .n_segments = 1, .begin = range, .decay = &q->decay, .p = p->x,
                              .g = p->g, .m = p->m, .v = p->v, .lr = optim_rate(o, t),
                              .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8,
                              .weight_decay = o->weight_decay, .grad_scale = scale,
                              .step = t + 1 };
        p->b->adamw(&a);
    }
}

enum { SEGMENTS = 64 };

/* Neighbours of one kind are one segment, with the zeros between them, which stay zero. */
void optim_step_there(const struct optim *o, struct params *p, uint64_t t, double *square_sum)
{
    struct op_adamw a = { .p = p->x, .g = p->g, .m = p->m, .v = p->v, .lr = optim_rate(o, t),
                          .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8,
                          .weight_decay = o->weight_decay, .grad_scale = 1, .step = t + 1,
                          .square_sum = square_sum, .max_norm = o->max_grad_norm };
    size_t begin[SEGMENTS + 1];
    bool decay[SEGMENTS];
    a.begin = begin;
    a.decay = decay;
    p->b->memory->sum_squares(p->g, p->n_items, square_sum);
    for (size_t i = 0; i <= p->n; i++) {
        const struct param *q = i < p->n ? &p->item[i] : NULL;
        const bool joins = q && !q->frozen && a.n_segments && decay[a.n_segments - 1] == q->decay;
        if (a.n_segments && !joins && (!q || q->frozen || a.n_segments == SEGMENTS)) {
            p->b->adamw(&a);
            a.n_segments = 0;
        }
        if (!q || q->frozen)
            continue;
        if (!joins) {
            begin[a.n_segments] = q->begin;
            decay[a.n_segments++] = q->decay;
        }
        begin[a.n_segments] = i + 1 < p->n ? p->item[i + 1].begin : p->n_items;
    }
}
