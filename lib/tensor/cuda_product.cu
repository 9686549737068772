/* Products through cuBLASLt, which thinks in columns: our row-major out = a' b' is its
 * out^T = b'^T a'^T, so its A is our b. A plan (the library's choice of kernel) is looked for once
 * per shape and kept; choices that add parts with atomics are not allowed. */
#include <cublasLt.h>
#include <cuda_runtime.h>
#include <stdlib.h>

#include "lib/tensor/cuda_device.h"
#include "lib/tensor/cuda_library.h"

enum { PLANS = 512, PRODUCT_WORK = 32 << 20 };

struct plan {
    struct cuda_product p; /* the key: pointers stand for their alignment */
    cublasLtMatmulAlgo_t algo;
};

struct products {
    cublasLtHandle_t lt;
    void *work;
    struct plan plan[PLANS];
    size_t n_plans;
};

void *cuda_products_open(const char **why)
{
    struct products *s = (struct products *)calloc(1, sizeof *s);
    if (!s || cublasLtCreate(&s->lt)) {
        free(s);
        *why = "cuBLASLt does not start";
        return NULL;
    }
    if (!cudaMalloc(&s->work, PRODUCT_WORK))
        return s;
    cuda_products_close(s);
    *why = "no device memory for cuBLASLt";
    return NULL;
}

void cuda_products_close(void *products)
{
    struct products *s = (struct products *)products;
    if (!s)
        return;
    cublasLtDestroy(s->lt);
    cudaFree(s->work);
    free(s);
}

int cuda_products_version(void)
{
    return (int)cublasLtGetVersion();
}

const char *cuda_product_text(int code)
{
    return cublasLtGetStatusString((cublasStatus_t)code);
}

/* Largest power of two up to 256 that divides the address. */
static uint32_t alignment(const void *p)
{
    const uintptr_t low = (uintptr_t)p & (~(uintptr_t)p + 1);
    return low == 0 || low > 256 ? 256 : (uint32_t)low;
}

struct shape {
    cublasLtMatmulDescOpaque_t what;
    cublasLtMatrixLayoutOpaque_t a, b, out;
};

static int describe(const struct cuda_product *p, struct shape *s)
{
    const cublasOperation_t ta = p->turn_b ? CUBLAS_OP_T : CUBLAS_OP_N;
    const cublasOperation_t tb = p->turn_a ? CUBLAS_OP_T : CUBLAS_OP_N;
    const cudaDataType_t in = p->bf16 ? CUDA_R_16BF : CUDA_R_32F;
    const cudaDataType_t out = p->out_bf16 ? CUDA_R_16BF : CUDA_R_32F;
    const cublasLtEpilogue_t bias = CUBLASLT_EPILOGUE_BIAS; /* of the type of out */
    cublasStatus_t e = cublasLtMatmulDescInit(&s->what, CUBLAS_COMPUTE_32F, CUDA_R_32F);
    if (!e)
        e = cublasLtMatmulDescSetAttribute(&s->what, CUBLASLT_MATMUL_DESC_TRANSA, &ta, sizeof ta);
    if (!e)
        e = cublasLtMatmulDescSetAttribute(&s->what, CUBLASLT_MATMUL_DESC_TRANSB, &tb, sizeof tb);
    if (!e && p->bias)
        e = cublasLtMatmulDescSetAttribute(&s->what, CUBLASLT_MATMUL_DESC_EPILOGUE, &bias,
                                           sizeof bias);
    if (!e && p->bias)
        e = cublasLtMatmulDescSetAttribute(&s->what, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &p->bias,
                                           sizeof p->bias);
    if (!e)
        e = cublasLtMatrixLayoutInit(&s->a, in, p->turn_b ? p->k : p->n, p->turn_b ? p->n : p->k,
                                     (int64_t)p->ld_b);
    if (!e)
        e = cublasLtMatrixLayoutInit(&s->b, in, p->turn_a ? p->m : p->k, p->turn_a ? p->k : p->m,
                                     (int64_t)p->ld_a);
    if (!e)
        e = cublasLtMatrixLayoutInit(&s->out, out, p->n, p->m, (int64_t)p->ld_out);
    return e;
}

static int choose(struct products *s, const struct cuda_product *p, struct shape *shape,
                  cublasLtMatmulAlgo_t *algo)
{
    cublasLtMatmulPreferenceOpaque_t like;
    cublasLtMatmulHeuristicResult_t found;
    const size_t work = PRODUCT_WORK;
    /* Parts of a sum are joined in f32, also where out is rounded. */
    const uint32_t sums = CUBLASLT_REDUCTION_SCHEME_NONE | CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE |
                          (p->out_bf16 ? 0u : (uint32_t)CUBLASLT_REDUCTION_SCHEME_OUTPUT_TYPE);
    const uint32_t align_a = alignment(p->b), align_b = alignment(p->a);
    const uint32_t align_out = alignment(p->out);
    int n = 0;
    cublasStatus_t e = cublasLtMatmulPreferenceInit(&like);
#define WISH(name, x)                                                                              \
    if (!e)                                                                                        \
    e = cublasLtMatmulPreferenceSetAttribute(&like, CUBLASLT_MATMUL_PREF_##name, &x, sizeof x)
    WISH(MAX_WORKSPACE_BYTES, work);
    WISH(REDUCTION_SCHEME_MASK, sums);
    WISH(MIN_ALIGNMENT_A_BYTES, align_a);
    WISH(MIN_ALIGNMENT_B_BYTES, align_b);
    WISH(MIN_ALIGNMENT_C_BYTES, align_out);
    WISH(MIN_ALIGNMENT_D_BYTES, align_out);
#undef WISH
    if (!e)
        e = cublasLtMatmulAlgoGetHeuristic(s->lt, &shape->what, &shape->a, &shape->b, &shape->out,
                                           &shape->out, &like, 1, &found, &n);
    if (!e && n == 0)
        e = CUBLAS_STATUS_NOT_SUPPORTED;
    if (!e)
        *algo = found.algo;
    return e;
}

static bool same(const struct cuda_product *a, const struct cuda_product *b)
{
    return a->m == b->m && a->n == b->n && a->k == b->k && a->ld_a == b->ld_a &&
           a->ld_b == b->ld_b && a->ld_out == b->ld_out && a->turn_a == b->turn_a &&
           a->turn_b == b->turn_b && a->bf16 == b->bf16 && a->out_bf16 == b->out_bf16 && !a->bias == !b->bias &&
           alignment(a->a) == alignment(b->a) && alignment(a->b) == alignment(b->b) &&
           alignment(a->out) == alignment(b->out);
}

/* Plans in a ring: batches of ever new sizes may not fill the memory of a long run. */
static int plan_of(struct products *s, const struct cuda_product *p, struct shape *shape,
                   cublasLtMatmulAlgo_t *algo)
{
    for (size_t i = 0; i < s->n_plans && i < PLANS; i++)
        if (same(&s->plan[i].p, p)) {
            *algo = s->plan[i].algo;
            return 0;
        }
    const int e = choose(s, p, shape, algo);
    if (!e)
        s->plan[s->n_plans++ % PLANS] = { *p, *algo };
    return e;
}

int cuda_multiply(const struct cuda *c, const struct cuda_product *p)
{
    struct products *s = (struct products *)c->products;
    struct shape shape;
    cublasLtMatmulAlgo_t algo;
    const float one = 1;
    if (!p->m || !p->n)
        return 0;
    int e = describe(p, &shape);
    if (!e)
        e = plan_of(s, p, &shape, &algo);
    if (!e)
        e = cublasLtMatmul(s->lt, &shape.what, &one, p->b, &shape.a, p->a, &shape.b, &p->beta,
                           p->out, &shape.out, p->out, &shape.out, &algo, s->work, PRODUCT_WORK,
                           (cudaStream_t)c->stream);
    return e ? CUDA_PRODUCT_CODES + (int)e : 0;
}
