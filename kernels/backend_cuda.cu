/* The cuda filling of the table. A slot sees to scratch and queues its launcher; nobody waits but for
 * memory (which a shape asks for once) and for what the host reads. What slots are given lies in memory
 * of the device, by struct backend_memory below. */
#include <math.h>
#include <string.h>

#include "kernels/attention_tiles.h"
#include "kernels/cuda_ops.h"

static struct cuda device;
static bool device_open;
static struct cuda_ranks ranks; /* n_ranks 0: none */
static bool at_side;            /* slots queue their work on the second queue */
static int trouble;             /* the first status that was not 0 */
static double *one_double; /* where sums arrive that the host waits for */

const char *backend_cuda_trouble(void)
{
    return trouble ? cuda_text(trouble) : NULL;
}

static void finish(int status)
{
    if (!trouble)
        trouble = status;
}

/* False when the device has failed before, or has no memory for the scratch. An eighth more than asked
 * for: growing waits. */
static bool ready(size_t work_bytes)
{
    if (!trouble && work_bytes > device.work_bytes)
        trouble = cuda_reserve(&device, work_bytes + work_bytes / 8);
    return !trouble;
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
SLOT(adamw, op_adamw, sizeof(float))
#undef SLOT

/* The scratch is our own: the tape need not find any. */
static size_t id_loss_work_bytes_slot(const struct op_id_loss *)
{
    return 0;
}

static void linears_backward_slot(const struct op_linear *o, size_t ops)
{
    if (ready(linears_work_cuda(&device, o, ops)))
        finish(linears_backward_cuda(&device, o, ops));
}

static bool linear_takes_slope_slot(const struct op_linear *o)
{
    return linear_takes_slope_cuda(&device, o);
}

static size_t attention_kept_bytes_slot(const struct op_attention *o)
{
    return attention_kept_cuda(&device, o);
}

static void id_loss_slot(const struct op_id_loss *o)
{
    if (ready(id_loss_work_cuda(&device, o)))
        finish(id_loss_cuda(&device, o));
}

static void square_loss_slot(const struct op_square_loss *o)
{
    if (ready(square_loss_work_cuda(o)))
        finish(square_loss_cuda(&device, o));
}

static void sum_squares_to(const void *x, size_t n, double *to)
{
    if (ready(sum_squares_work_cuda(n)))
        finish(sum_squares_cuda(&device, x, n, to));
}

static void square_parts_slot(const void *x, size_t n, double *part)
{
    if (ready(0))
        finish(square_parts_cuda(&device, x, n, part));
}

static void join_parts_slot(const double *part, size_t n_parts, double *to)
{
    if (ready(0))
        finish(join_parts_cuda(&device, part, n_parts, to));
}

static void round_slot(const void *x, size_t n, void *low)
{
    if (ready(0))
        finish(round_cuda(&device, x, n, low));
}

/* For all that was queued; with ranks it ends when one of them is lost. */
static int wait(void)
{
    return ranks.n_ranks ? cuda_ranks_wait(&device, &ranks) : cuda_wait(&device);
}

/* NaN after any failure. */
static double sum_squares_slot(const void *x, size_t n)
{
    double sum = NAN;
    sum_squares_to(x, n, one_double);
    if (!trouble)
        finish(cuda_copy(&device, &sum, one_double, sizeof sum));
    if (!trouble)
        finish(wait());
    return trouble ? (double)NAN : sum;
}

/* What the host writes goes through memory that the device reads by itself, block behind block until the
 * next wait has shown that all of it was read; then one block holds as much. Large pieces, which belong to no
 * step, are waited for instead. */
enum { STAGES = 32, STAGE_BYTES = 1 << 22, STAGE_MOST = 1 << 27 };
static struct stage {
    char *p;
    size_t bytes, used;
} stage[STAGES];
static int n_stages;

static void memory_wait(void)
{
    if (!trouble)
        finish(wait());
    size_t all = 0;
    for (int i = 0; i < n_stages; i++) {
        all += stage[i].bytes;
        stage[i].used = 0;
    }
    if (n_stages < 2)
        return;
    while (n_stages)
        cuda_host_release(stage[--n_stages].p);
    stage[0] = { (char *)cuda_host_memory(all), all, 0 };
    n_stages = stage[0].p ? 1 : 0;
}

static char *staged(size_t n_bytes)
{
    struct stage *s = n_stages ? &stage[n_stages - 1] : NULL;
    if (!s || s->bytes - s->used < n_bytes) {
        if (n_stages == STAGES)
            memory_wait();
        s = &stage[n_stages];
        s->bytes = n_bytes > STAGE_BYTES ? n_bytes : (size_t)STAGE_BYTES;
        s->used = 0;
        s->p = (char *)cuda_host_memory(s->bytes);
        if (!s->p)
            return NULL;
        n_stages++;
    }
    char *p = s->p + s->used;
    s->used += n_bytes;
    return p;
}

static void memory_write(void *to, const void *from, size_t n_bytes)
{
    char *p = n_bytes && n_bytes < STAGE_MOST ? staged(n_bytes) : NULL;
    if (trouble || !n_bytes)
        return;
    if (p)
        memcpy(p, from, n_bytes);
    finish(cuda_copy(&device, to, p ? p : from, n_bytes));
    if (!p)
        memory_wait();
}

static void memory_read(void *to, const void *from, size_t n_bytes)
{
    if (n_bytes)
        memset(to, 0xff, n_bytes); /* NaN after a failure */
    if (!trouble)
        finish(cuda_copy(&device, to, from, n_bytes));
}

static void memory_copy(void *to, const void *from, size_t n_bytes)
{
    if (!trouble)
        finish(cuda_copy(&device, to, from, n_bytes));
}

static void memory_zero(void *to, size_t n_bytes)
{
    if (!trouble)
        finish(cuda_zero(&device, to, n_bytes));
}

/* Ranks. What reserves scratch or waits belongs to the first queue; axpy and copies do neither. */
static void ranks_id(char id[BACKEND_RANKS_ID])
{
    static_assert((int)BACKEND_RANKS_ID == (int)CUDA_ID_BYTES, "an id fits");
    if (!trouble)
        finish(cuda_ranks_id(id));
}

static void ranks_open(const char id[BACKEND_RANKS_ID], int rank, int n_ranks)
{
    if (!trouble)
        finish(cuda_ranks_open(&ranks, id, rank, n_ranks));
}

static void ranks_close(void)
{
    cuda_ranks_close(&ranks);
}

static void swap_queues(void)
{
    void *const stream = device.stream;
    device.stream = ranks.stream;
    ranks.stream = stream;
    at_side = !at_side;
}

static void ranks_beside(void)
{
    if (trouble)
        return;
    finish(cuda_ranks_follow(&ranks, device.stream, ranks.stream));
    swap_queues();
}

static void ranks_back(void)
{
    if (at_side)
        swap_queues();
}

static void ranks_meet(void)
{
    if (!trouble)
        finish(cuda_ranks_follow(&ranks, ranks.stream, device.stream));
}

static void ranks_exchange(const struct backend_transfer *send, size_t n_send,
                           const struct backend_transfer *recv, size_t n_recv)
{
    if (!trouble)
        finish(cuda_ranks_exchange(&device, &ranks, send, n_send, recv, n_recv));
}

static const struct backend_ranks device_ranks = {
    .id = ranks_id,
    .open = ranks_open,
    .close = ranks_close,
    .beside = ranks_beside,
    .back = ranks_back,
    .meet = ranks_meet,
    .exchange = ranks_exchange,
};

static const struct backend_memory device_memory = {
    .get = cuda_memory,
    .give = cuda_release,
    .write = memory_write,
    .read = memory_read,
    .copy = memory_copy,
    .zero = memory_zero,
    .wait = memory_wait,
    .trouble = backend_cuda_trouble,
    .sum_squares = sum_squares_to,
    .square_parts = square_parts_slot,
    .join_parts = join_parts_slot,
    .ranks = &device_ranks,
};

#define TABLE(text, rounds, low)                                                                        \
    {                                                                                              \
        .name = text, .isa = NULL, .type = REAL_F32, .real_bytes = sizeof(float),                  \
        .attention_first = false, .gradient_first = true, .attention_low = low,                    \
        .attention_kept_bytes = attention_kept_bytes_slot, .small = NULL,                          \
        .memory = &device_memory, .round = rounds, .linear_scratch_bytes = NULL, .linear_packed_bytes = NULL,                \
        .linear_pack = NULL, .linears_forward = NULL,                                              \
        .linears_backward = linears_backward_slot,                                                 \
        .linear_takes_slope = linear_takes_slope_slot,                                             \
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
static const struct backend backend_cuda = TABLE("cuda", NULL, 0);
static const struct backend backend_cuda_bf16 = TABLE("cuda-bf16", round_slot, MMA_WIDEST);

const struct backend *backend_cuda_find(const char *name, const char **why)
{
    *why = NULL;
    if (!device_open) {
        device_open = cuda_open(&device, false, why);
        if (!device_open)
            return NULL;
        one_double = (double *)cuda_memory(sizeof *one_double);
    }
    if (!one_double) {
        *why = "the device has no memory left";
        return NULL;
    }
    device.bf16 = strcmp(name, backend_cuda_bf16.name) == 0;
    return device.bf16 ? &backend_cuda_bf16 : &backend_cuda;
}
