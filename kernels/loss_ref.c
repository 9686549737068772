#include "kernels/loss.h"

#include <math.h>

size_t id_loss_work_bytes_ref(const struct op_id_loss *o)
{
    return o->n_class * sizeof(double);
}

static void logits_row(const struct op_id_loss *o, size_t i, double *l)
{
    const double *z = o->z, *e = o->e, *b = o->b;
    for (size_t c = 0; c < o->n_class; c++) {
        double s = b ? b[c] : 0;
        for (size_t k = 0; k < o->d; k++)
            s += z[i * o->d + k] * e[c * o->d + k];
        l[c] = s;
    }
}

static void backward_row(const struct op_id_loss *o, size_t i, const double *l, double log_sum)
{
    const double *z = o->z, *e = o->e;
    double *dz = o->dz, *de = o->de, *db = o->db;
    for (size_t c = 0; c < o->n_class; c++) {
        double g = o->scale * (exp(l[c] - log_sum) - (c == o->label[i]));
        if (db)
            db[c] += g;
        for (size_t k = 0; k < o->d; k++) {
            if (dz)
                dz[i * o->d + k] += g * e[c * o->d + k];
            if (de)
                de[c * o->d + k] += g * z[i * o->d + k];
        }
    }
}

void id_loss_ref(const struct op_id_loss *o)
{
    double *l = o->work, total = 0;
    for (size_t i = 0; i < o->n; i++) {
        logits_row(o, i, l);
        double max = -INFINITY, sum = 0;
        uint32_t best = 0;
        for (size_t c = 0; c < o->n_class; c++)
            if (l[c] > max) {
                max = l[c];
                best = (uint32_t)c;
            }
        for (size_t c = 0; c < o->n_class; c++)
            sum += exp(l[c] - max);
        const double log_sum = max + log(sum), loss = log_sum - l[o->label[i]];
        total += loss;
        if (o->row_loss)
            o->row_loss[i] = loss;
        if (o->best)
            o->best[i] = best;
        for (size_t c = 0; o->logits && c < o->n_class; c++)
            ((double *)o->logits)[i * o->n_class + c] = l[c];
        if (o->dz || o->de || o->db)
            backward_row(o, i, l, log_sum);
    }
    *o->loss = o->scale * total;
}

void square_loss_ref(const struct op_square_loss *o)
{
    const double *x = o->x;
    double *dx = o->dx, total = 0;
    for (size_t i = 0; i < o->n; i++) {
        double diff = x[i] - (double)o->target[i];
        total += diff * diff;
        if (dx)
            dx[i] += 2 * o->scale * diff;
    }
    *o->loss = o->scale * total;
}
