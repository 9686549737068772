/* Which kernels compute an attention: by the precision asked for, the width of its heads and the
 * device. Table: docs/gpu.md, "Attention". */
#include "kernels/attention_tiles.h"
#include "kernels/cuda_ops.h"

static bool on_tensor_cores(const struct cuda *c, const struct op_attention *o)
{
    return c->bf16 && o->d / o->heads <= MMA_WIDEST;
}

/* sm_90a is code for capability 9.0 and no other. */
static bool by_warpgroups(const struct cuda *c, const struct op_attention *o)
{
    return on_tensor_cores(c, o) && c->capability == 90 && o->d / o->heads >= WG_NARROWEST;
}

int attention_forward_cuda(const struct cuda *c, const struct op_attention *o)
{
    return !o->n                   ? 0
           : by_warpgroups(c, o)   ? attention_wgmma_forward_cuda(c, o)
           : on_tensor_cores(c, o) ? attention_bf16_forward_cuda(c, o)
                                   : attention_f32_forward_cuda(c, o);
}

size_t attention_work_cuda(const struct cuda *c, const struct op_attention *o)
{
    return by_warpgroups(c, o)     ? attention_wgmma_work_cuda(o)
           : on_tensor_cores(c, o) ? attention_bf16_work_cuda(o)
                                   : attention_f32_work_cuda(o);
}

size_t attention_kept_cuda(const struct cuda *c, const struct op_attention *o)
{
    return by_warpgroups(c, o)     ? attention_wgmma_kept_cuda(o)
           : on_tensor_cores(c, o) ? attention_bf16_kept_cuda(o)
                                   : 0;
}

int attention_backward_cuda(const struct cuda *c, const struct op_attention *o)
{
    return !o->n                   ? 0
           : by_warpgroups(c, o)   ? attention_wgmma_backward_cuda(c, o)
           : on_tensor_cores(c, o) ? attention_bf16_backward_cuda(c, o)
                                   : attention_f32_backward_cuda(c, o);
}
