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

static void step_there(const struct params *p, struct op_adamw *a, size_t from)
{
    const size_t at = from * p->b->real_bytes;
    a->p = (char *)p->x + at;
    a->g = (char *)p->g + at;
    a->low = p->low ? (uint16_t *)p->low + from : NULL;
    if (a->n_segments)
        p->b->adamw(a);
    a->n_segments = 0;
}

static size_t within(size_t x, size_t from, size_t to)
{
    return x < from ? from : x > to ? to : x;
}

/* Neighbours of one kind are one segment, with the zeros between them, which stay zero. */
void optim_step_part(const struct optim *o, const struct params *p, uint64_t t, double *square_sum,
                     const struct optim_part *part)
{
    size_t begin[SEGMENTS + 1];
    bool decay[SEGMENTS];
    struct op_adamw a = { .m = part->m,
                          .v = part->v,
                          .lr = optim_rate(o, t),
                          .beta1 = 0.9,
                          .beta2 = 0.999,
                          .eps = 1e-8,
                          .weight_decay = o->weight_decay,
                          .grad_scale = 1,
                          .step = t + 1,
                          .square_sum = square_sum,
                          .max_norm = o->max_grad_norm,
                          .begin = begin,
                          .decay = decay };
    for (size_t i = 0; i < p->n; i++) {
        const struct param *q = &p->item[i];
        const size_t end = i + 1 < p->n ? p->item[i + 1].begin : p->n_items;
        const size_t from = within(q->begin, part->from, part->to) - part->from;
        const size_t to = within(end, part->from, part->to) - part->from;
        const size_t n = a.n_segments;
        if (q->frozen || n == SEGMENTS)
            step_there(p, &a, part->from);
        if (q->frozen || from == to)
            continue;
        if (!a.n_segments || decay[a.n_segments - 1] != q->decay) {
            begin[a.n_segments] = from;
            decay[a.n_segments++] = q->decay;
        }
        begin[a.n_segments] = to;
    }
    step_there(p, &a, part->from);
}

void optim_step_there(const struct optim *o, struct params *p, uint64_t t, double *square_sum)
{
    const struct optim_part all = { 0, p->n_items, p->m, p->v };
    p->b->memory->sum_squares(p->g, p->n_items, square_sum);
    optim_step_part(o, p, t, square_sum, &all);
}
