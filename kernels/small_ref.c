/* The small operations in double: the specification. */
#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

#include "kernels/dropout_bits.h"
#include "lib/base/thread.h"
#include "lib/tensor/small.h"

#define REAL double
#define F(name) name
#define EXP exp
#define LANES
#define INVERT_FACTOR LAPACKE_dgetrf
#define INVERT_SOLVE LAPACKE_dgetri
#define MULTIPLY multiply

static void multiply(char ta, char tb, size_t m, size_t n, size_t k, const double *a, size_t ld_a,
                     const double *b, size_t ld_b, double beta, double *c, size_t ld_c)
{
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++) {
            double s = beta * (beta > 0 ? c[i * ld_c + j] : 0);
            for (size_t l = 0; l < k; l++)
                s += (ta == 'T' ? a[l * ld_a + i] : a[i * ld_a + l]) *
                     (tb == 'T' ? b[j * ld_b + l] : b[l * ld_b + j]);
            c[i * ld_c + j] = s;
        }
}

#include "kernels/small_body.h"
#include "kernels/small_edge.h"
#include "kernels/small_graph.h"

const struct small_ops small_ref = SMALL_TABLE;
