#include "lib/nn/attention_share.h"

#include <math.h>

void attention_share(const double *q, const double *k, size_t n, size_t d, size_t width,
                     double *out, size_t ld)
{
    for (size_t i = 0; i < n; i++) {
        double top = -INFINITY, sum = 0;
        for (size_t j = 0; j < n; j++) {
            double s = 0;
            for (size_t c = 0; c < width; c++)
                s += q[i * d + c] * k[j * d + c];
            out[i * ld + j] = s / sqrt((double)width);
            top = out[i * ld + j] > top ? out[i * ld + j] : top;
        }
        for (size_t j = 0; j < n; j++)
            sum += out[i * ld + j] = exp(out[i * ld + j] - top);
        for (size_t j = 0; j < n; j++)
            out[i * ld + j] /= sum;
    }
}
