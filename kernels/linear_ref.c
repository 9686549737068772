#include "kernels/linear.h"

#include "kernels/act_ref.h"

void linear_forward_ref(const struct op_linear *o)
{
    const double *x = o->x, *w = o->w, *b = o->b;
    double *y = o->y, *pre = o->pre;
    for (size_t i = 0; i < o->n; i++)
        for (size_t j = 0; j < o->out; j++) {
            double s = b ? b[j] : 0;
            for (size_t k = 0; k < o->in; k++)
                s += x[i * o->ld_x + k] * w[j * o->ld_w + k];
            if (pre)
                pre[i * o->out + j] = s;
            y[i * o->out + j] = act_value(o->act, s);
        }
}

void linear_backward_ref(const struct op_linear *o)
{
    const double *x = o->x, *w = o->w, *pre = o->pre, *dy = o->dy;
    double *dx = o->dx, *dw = o->dw, *db = o->db;
    for (size_t i = 0; i < o->n; i++)
        for (size_t j = 0; j < o->out; j++) {
            double g = dy[i * o->out + j];
            if (o->act != ACT_NONE)
                g *= act_slope(o->act, pre[i * o->out + j]);
            if (db)
                db[j] += g;
            for (size_t k = 0; dx && k < o->in; k++)
                dx[i * o->ld_x + k] += g * w[j * o->ld_w + k];
            for (size_t k = 0; dw && k < o->in; k++)
                dw[j * o->ld_w + k] += g * x[i * o->ld_x + k];
        }
}

void act_forward_ref(const struct op_act *o)
{
    const double *x = o->x;
    double *y = o->y;
    for (size_t i = 0; i < o->m; i++)
        y[i] = act_value(o->act, x[i]);
}

void act_backward_ref(const struct op_act *o)
{
    const double *x = o->x, *dy = o->dy;
    double *dx = o->dx;
    for (size_t i = 0; i < o->m; i++)
        dx[i] += dy[i] * act_slope(o->act, x[i]);
}
