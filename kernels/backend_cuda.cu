/* The cuda filling of the table. A slot sees to scratch, queues its launcher and waits, because the
 * tape works on the same memory between slots (it zeroes and copies on the host). So this filling
 * runs where a device reads host memory (lib/tensor/cuda_device.h: cuda_sees_host_memory), and in
 * the emulation. The launchers of kernels/cuda_ops.h themselves never wait. */
#include <math.h>

#include "kernels/cuda_ops.h"

static struct cuda device;
static bool device_open;
static int trouble;        /* the first status that was not 0 */
static double *one_double; /* where sums arrive */

const char *backend_cuda_trouble(void)
{
    return trouble ? cuda_text(trouble) : NULL;
}

/* False when the device has failed before, or has no memory for the scratch. */
static bool ready(size_t work_bytes)
{
    if (!trouble)
        trouble = cuda_reserve(&device, work_bytes);
    return !trouble;
}

static void finish(int status)
{
    if (!status)
        status = cuda_wait(&device);
    if (!trouble)
        trouble = status;
}

#define SLOT(name, op, work)                                                                       \
    static void name##_slot(const struct op *o)                                                    \
    {                                                                                              \
        if (ready(work))                                                                           \
            finish(name##_cuda(&device, o));                                                       \
    }
SLOT(linear_forward, op_linear, linear_work_cuda(&device, o))
SLOT(linear_backward, op_linear, linear_work_cuda(&device, o))
SLOT(act_forward, op_act, 0)
SLOT(act_backward, op_act, 0)
SLOT(norm_forward, op_norm, 0)
SLOT(norm_backward, op_norm, 0)
SLOT(dropout_forward, op_dropout, 0)
SLOT(dropout_backward, op_dropout, 0)
SLOT(gather_forward, op_gather, 0)
SLOT(gather_backward, op_gather, 0)
SLOT(gather_axpy_forward, op_gather_axpy, 0)
SLOT(gather_axpy_backward, op_gather_axpy, 0)
SLOT(add_position_forward, op_add_position, 0)
SLOT(add_position_backward, op_add_position, 0)
SLOT(add_species_forward, op_add_species, 0)
SLOT(add_species_backward, op_add_species, 0)
SLOT(attention_forward, op_attention, attention_work_cuda(&device, o))
SLOT(attention_backward, op_attention, attention_work_cuda(&device, o))
SLOT(axpy, op_axpy, 0)
SLOT(adamw, op_adamw, 0)
#undef SLOT

/* The sum that a launcher left on the device; NaN after any failure. */
static double sum_here(void)
{
    double x = NAN;
    if (!trouble)
        finish(cuda_copy(&device, &x, one_double, sizeof x));
    return trouble ? (double)NAN : x;
}

/* The scratch is our own: the tape need not find any. */
static size_t id_loss_work_bytes_slot(const struct op_id_loss *)
{
    return 0;
}

static void id_loss_slot(const struct op_id_loss *o)
{
    struct op_id_loss on_device = *o;
    on_device.loss = one_double;
    if (ready(id_loss_work_cuda(&device, o)))
        finish(id_loss_cuda(&device, &on_device));
    *o->loss = sum_here();
}

static void square_loss_slot(const struct op_square_loss *o)
{
    struct op_square_loss on_device = *o;
    on_device.loss = one_double;
    if (ready(square_loss_work_cuda(o)))
        finish(square_loss_cuda(&device, &on_device));
    *o->loss = sum_here();
}

static double sum_squares_slot(const void *x, size_t n)
{
    if (ready(sum_squares_work_cuda(n)))
        finish(sum_squares_cuda(&device, x, n, one_double));
    return sum_here();
}

#define TABLE(text)                                                                                \
    {                                                                                              \
        .name = text, .isa = NULL, .type = REAL_F32, .real_bytes = sizeof(float),                  \
        .attention_first = false, .small = NULL, .linear_scratch_bytes = NULL,                     \
        .linear_packed_bytes = NULL, .linear_pack = NULL, .linears_forward = NULL,                 \
        .linears_backward = NULL,                                                                  \
        .linear_forward = linear_forward_slot, .linear_backward = linear_backward_slot,            \
        .act_forward = act_forward_slot, .act_backward = act_backward_slot,                        \
        .norm_forward = norm_forward_slot, .norm_backward = norm_backward_slot,                    \
        .dropout_forward = dropout_forward_slot, .dropout_backward = dropout_backward_slot,        \
        .gather_forward = gather_forward_slot, .gather_backward = gather_backward_slot,            \
        .gather_axpy_forward = gather_axpy_forward_slot,                                           \
        .gather_axpy_backward = gather_axpy_backward_slot,                                         \
        .add_position_forward = add_position_forward_slot,                                         \
        .add_position_backward = add_position_backward_slot,                                       \
        .add_species_forward = add_species_forward_slot,                                           \
        .add_species_backward = add_species_backward_slot,                                         \
        .attention_forward = attention_forward_slot,                                               \
        .attention_backward = attention_backward_slot,                                             \
        .id_loss_work_bytes = id_loss_work_bytes_slot, .id_loss = id_loss_slot,                    \
        .square_loss = square_loss_slot, .axpy = axpy_slot, .sum_squares = sum_squares_slot,       \
        .adamw = adamw_slot,                                                                       \
    }
static const struct backend backend_cuda = TABLE("cuda");
static const struct backend backend_cuda_bf16 = TABLE("cuda-bf16");

const struct backend *backend_cuda_find(const char *name, const char **why)
{
    *why = NULL;
    if (!device_open) {
        device_open = cuda_open(&device, false, why);
        if (!device_open)
            return NULL;
        one_double = (double *)cuda_memory(sizeof *one_double);
    }
    if (!cuda_sees_host_memory() || !one_double) {
        *why = "this device does not read host memory, which the tape's arena is";
        return NULL;
    }
    device.bf16 = strcmp(name, backend_cuda_bf16.name) == 0;
    return device.bf16 ? &backend_cuda_bf16 : &backend_cuda;
}
