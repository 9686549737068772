/* The small operations in float, products through oneDNN. */
#include <cblas.h>
#include <lapacke.h>
#include <math.h>

#include "kernels/dropout_bits.h"
#include "kernels/cpu_name.h"
#include "kernels/math_cpu.h"
#include "lib/base/thread.h"
#include "lib/tensor/small.h"

#define REAL float
#define F(name) name##f
#define EXP exp_f32
#define LANES _Pragma("omp simd")
#define INVERT_FACTOR LAPACKE_sgetrf
#define INVERT_SOLVE LAPACKE_sgetri
#define MULTIPLY product

#include "kernels/small_body.h"
#include "kernels/small_edge.h"
#include "kernels/small_graph.h"

const struct small_ops CPU(small) = SMALL_TABLE;
