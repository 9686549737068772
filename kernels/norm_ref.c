#include "kernels/norm.h"

#include <math.h>

#include "kernels/dropout_bits.h"

void norm_forward_ref(const struct op_norm *o)
{
    const double *x = o->x, *r = o->r, *gamma = o->gamma, *beta = o->beta;
    double *y = o->y, *mean = o->mean, *rstd = o->rstd, *sum = o->sum;
    const size_t d = o->d;
    for (size_t i = 0; i < o->n; i++) {
        double m = 0, v = 0;
        for (size_t j = 0; j < d; j++) {
            double s = x[i * d + j] * dropout_factor(&o->drop, i, 0, j);
            sum[i * d + j] = r ? s + r[i * d + j] : s;
            m += sum[i * d + j];
        }
        m /= (double)d;
        for (size_t j = 0; j < d; j++)
            v += (sum[i * d + j] - m) * (sum[i * d + j] - m);
        mean[i] = m;
        rstd[i] = 1 / sqrt(v / (double)d + o->eps);
        for (size_t j = 0; j < d; j++)
            y[i * d + j] = (sum[i * d + j] - m) * rstd[i] * gamma[j] + beta[j];
    }
}

void norm_backward_ref(const struct op_norm *o)
{
    const double *gamma = o->gamma, *mean = o->mean, *rstd = o->rstd, *sum = o->sum, *dy = o->dy;
    double *dx = o->dx, *dr = o->dr, *dgamma = o->dgamma, *dbeta = o->dbeta;
    const size_t d = o->d;
    for (size_t i = 0; i < o->n; i++) {
        double mh = 0, mhx = 0;
        for (size_t j = 0; j < d; j++) {
            double xhat = (sum[i * d + j] - mean[i]) * rstd[i];
            double h = dy[i * d + j] * gamma[j];
            mh += h;
            mhx += h * xhat;
            if (dgamma)
                dgamma[j] += dy[i * d + j] * xhat;
            if (dbeta)
                dbeta[j] += dy[i * d + j];
        }
        mh /= (double)d;
        mhx /= (double)d;
        for (size_t j = 0; j < d; j++) {
            double xhat = (sum[i * d + j] - mean[i]) * rstd[i];
            double ds = rstd[i] * (dy[i * d + j] * gamma[j] - mh - xhat * mhx);
            if (dx)
                dx[i * d + j] += ds * dropout_factor(&o->drop, i, 0, j);
            if (dr)
                dr[i * d + j] += ds;
        }
    }
}

void dropout_forward_ref(const struct op_dropout *o)
{
    const double *x = o->x;
    double *y = o->y;
    for (size_t i = 0; i < o->n; i++)
        for (size_t j = 0; j < o->d; j++)
            y[i * o->d + j] = x[i * o->d + j] * dropout_factor(&o->drop, i, 0, j);
}

void dropout_backward_ref(const struct op_dropout *o)
{
    const double *dy = o->dy;
    double *dx = o->dx;
    for (size_t i = 0; i < o->n; i++)
        for (size_t j = 0; j < o->d; j++)
            dx[i * o->d + j] += dy[i * o->d + j] * dropout_factor(&o->drop, i, 0, j);
}
