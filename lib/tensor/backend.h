/* The table of operations, and what each slot promises.
 *
 * A model calls operations through a tape (lib/tensor/tape.h); the tape calls the slots of one
 * `struct backend`. Three fillings: ref (kernels/NAME_ref.c: portable C, all numbers and sums in
 * double; it is the specification), cpu (kernels/NAME_cpu.c: float) and,
 * where built, cuda. The contract of each operation stands in kernels/NAME.h.
 *
 * Arrays are void *: double for ref, float for cpu (backend->type). Matrices are row-major with a
 * row stride ("ld", in items) where a view of a larger matrix must be possible.
 *
 * Rules for every slot
 *   - forward overwrites its outputs; backward ADDS to the gradients it is given;
 *     a gradient pointer that is NULL is not wanted;
 *   - n = 0 rows is allowed and does nothing;
 *   - equal arguments give equal bytes for any number of threads: work is cut by sizes that belong
 *     to the operation, sums go in a fixed order;
 *   - no slot fails: sizes were checked by the tape, scratch memory comes from the tape. */
#ifndef GC_TENSOR_BACKEND_H
#define GC_TENSOR_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

enum real_type { REAL_F32, REAL_F64 };

/* Sizes by which work is cut; they belong to the operations, not to the machine. */
enum {
    OP_ROW_BLOCK = 64,      /* rows summed by one task before blocks are joined in order */
    OP_SUM_ITEMS = 1 << 12, /* of sum_squares of a filling with memory of its own */
    OP_LOW_COLUMNS = 1024,  /* widest row that a norm takes in rounded form alone */
};
/* Items from one row to the next where rows are kept rounded to bf16: whole 16 bytes. */
static inline size_t low_ld(size_t cols)
{
    return (cols + 7) / 8 * 8;
}
/* Reals of scratch for sums over rows of width d: two sums for each block. */
static inline size_t op_row_work(size_t n, size_t d)
{
    return (n / OP_ROW_BLOCK + 1) * 2 * d;
}
/* Of a norm's backward; low: x is kept rounded alone, and the sums of dx are wanted as well. */
static inline size_t op_norm_work(size_t n, size_t d, bool low)
{
    return (n / OP_ROW_BLOCK + 1) * (low ? 3 : 2) * d;
}

enum act { ACT_NONE, ACT_GELU, ACT_QUICK_GELU, ACT_TANH, ACT_RELU };

/* Dropout is never stored: element (row, col) of a matrix is dropped when the 16-bit number that
 * Philox gives for (seed, RNG_DROPOUT, row_key[row], col) is below `threshold` = rate * 65536;
 * kept elements are multiplied by 65536 / (65536 - threshold). threshold 0: no dropout. */
struct dropout {
    uint32_t threshold;
    uint64_t seed;           /* of this step and this place in the model */
    const uint64_t *row_key; /* [n]: which cell and which row of it; batch independent */
};

/* y[n,out] = act(x[n,in] w[out,in]^T + b[out]) */
struct op_linear {
    size_t n, in, out;
    const void *x, *w, *b; /* b may be NULL */
    size_t ld_x, ld_w;
    enum act act;
    void *y;   /* [n,out] dense */
    void *pre; /* [n,out]: value before the activation, needed by backward; NULL for ACT_NONE */
    const void *dy;
    void *dx, *dw, *db; /* dx has ld_x, dw has ld_w */
    void *work;         /* backward: [n,out], only when act is not ACT_NONE */
    void *scratch;      /* linear_scratch_bytes, where the backend has that slot */
    const void *packed; /* forward: what linear_pack made of w; NULL: to be made anew */
    /* Of a filling with `round`, each may be NULL: forms rounded to bf16. w_low has ld_w, the
     * others low_ld of their columns. */
    const void *w_low, *b_low;
    void *x_low; /* forward fills it, unless x_low_made; backward reads it */
    void *y_low; /* filled by forward, with an activation or in y's place; out is a multiple of 8 */
    bool x_low_made;
    bool dx_first; /* see backend.gradient_first */
    /* An output that is kept rounded alone: y, pre and dy are NULL, y_low is filled without an
     * activation too. An input that is: x and dx are NULL, x_low_made is set. */
    void *pre_low, *dx_low;
    const void *dy_low;
    size_t ld_dy; /* of dy_low */
    bool db_made; /* what reads y has added db (op_norm.dx_sums) */
    /* Where linear_takes_slope said so: x_low is x_act(x_pre_low), and dx_low becomes the gradient of
     * x_pre_low, whose sums over rows are added to x_db (NULL: not wanted). What made x has slope_made:
     * its dy_low is that gradient, and its db is added. */
    enum act x_act;
    const void *x_pre_low;
    void *x_db;
    bool slope_made;
};

/* y = act(x), element by element, m = n * d items. */
struct op_act {
    size_t m;
    enum act act;
    const void *x;
    void *y;
    const void *dy;
    void *dx;
};

/* y[i] = LayerNorm(drop(x[i]) + r[i]) * gamma + beta; r may be NULL. */
struct op_norm {
    size_t n, d;
    const void *x, *r, *gamma, *beta;
    double eps;
    struct dropout drop;
    void *y;
    void *mean, *rstd; /* [n] saved */
    void *sum;         /* [n,d] drop(x) + r, saved; may be x, and y where nobody asks for it */
    void *work;        /* backward: op_norm_work(n, d, x_low != NULL) */
    const void *dy;
    void *dx, *dr, *dgamma, *dbeta;
    void *y_low; /* as in op_linear, filled by forward; d is a multiple of 8 */
    bool dx_first, dr_first; /* see backend.gradient_first */
    /* An x that is kept rounded alone: x, dx and sum are NULL, forward fills xhat_low[n,d], the
     * normalised row that backward reads. d is a multiple of 8 and at most OP_LOW_COLUMNS. */
    const void *x_low;
    void *dx_low, *xhat_low;
    void *dx_sums; /* [d] += sums over rows of dx, or NULL: the bias's gradient of what made x */
};

/* y = drop(x) */
struct op_dropout {
    size_t n, d;
    const void *x;
    struct dropout drop;
    void *y;
    const void *dy;
    void *dx;
};

/* y[i] = table[index[i]]; index may repeat. ld: row stride of the table. Rows whose index is
 * no_grad_row get no gradient (the <pad> row of the word table; SIZE_MAX: none).
 * order: [n] the positions i sorted by (index, i); those of table row k end before end[k]. Made by
 * the tape for backward, which sums in that order. */
struct op_gather {
    size_t n, d, n_table;
    const void *table;
    size_t ld;
    const uint32_t *index, *order, *end;
    size_t no_grad_row;
    void *y;
    const void *dy;
    void *dtable;
};

/* y[i] = table[index[i]] + value[i] * w, where w is a column of a larger matrix (stride ld_w) or
 * NULL. The embedding block: one row per distinct gene, then one axpy per token. */
struct op_gather_axpy {
    size_t n, d, n_table;
    const void *table; /* [n_table,d] dense */
    const uint32_t *index, *order, *end;
    const void *value; /* [n], no gradient */
    const void *w;
    size_t ld_w;
    void *y;
    const void *dy;
    void *dtable, *dw;
    void *work; /* backward: op_row_work(n, d) */
};

/* y[i] = x[i] + type[0] + position[rank[i]] */
struct op_add_position {
    size_t n, d, n_position;
    const void *x, *type, *position;
    const uint32_t *rank, *order, *end;
    void *y;
    const void *dy;
    void *dx, *dtype, *dposition;
    void *work; /* backward: op_row_work(n, d) */
};

/* Rows of cells from rows of genes: cell c owns rows first[c] .. first[c+1] of y; its row 0 is
 * cls[species[c]], the others are its genes' rows of x in order. */
struct op_add_species {
    size_t n_cells, d;
    const uint32_t *first; /* [n_cells + 1], rows of y */
    const uint8_t *species;
    const void *x, *cls; /* x [first[n_cells] - n_cells, d], cls [2,d] */
    void *y;
    const void *dy;
    void *dx, *dcls;
};

/* Ragged multi-head attention; each cell sees its own rows only. q, k, v, y are [n,d], head h owns
 * columns h*(d/heads) .. ; scores are scaled by 1/sqrt(d/heads); drop acts on the probabilities
 * with element number (head << 32 | key row within the cell). */
struct op_attention {
    size_t n_cells, n, d, heads;
    const uint32_t *first; /* [n_cells + 1] */
    size_t longest;        /* rows of the longest cell */
    const void *q, *k, *v;
    struct dropout drop;
    void *y;
    void *row_max, *row_sum; /* [n,heads] saved: the soft-max is exp(s - max) / sum, where
                              * max may stand somewhat below the largest score */
    bool first_only; /* only row 0 of each cell asks: q and y are [n_cells,d]; no dropout, nothing
                      * saved, no backward. Of backends with attention_first */
    const void *dy;
    void *dq, *dk, *dv;
    bool dq_first, dk_first, dv_first; /* see backend.gradient_first */
    /* All of q to y and dy to dv rounded to bf16, [n,d], where those are NULL: of heads that
     * backend.attention_low allows, d a multiple of 8. kept: attention_kept_bytes, which forward
     * fills for backward. */
    const void *q_low, *k_low, *v_low, *dy_low;
    void *y_low, *dq_low, *dk_low, *dv_low, *kept;
    size_t ld_slopes; /* of dq_low, dk_low, dv_low; dq_first is that of all three */
    void *work; /* op_attention_work reals for each worker */
    size_t work_reals;
};

/* Reals of scratch for one worker: rows of a head as the kernels want them (up to four times turned
 * over, three times padded, one sum), a few numbers of each row, and blocks of scores, of their
 * gradients and, with bf16, of their packed forms. */
static inline size_t op_attention_work(size_t longest, size_t width)
{
    const size_t w = (width + 31) / 32 * 32, rows = longest + 64;
    return 8 * rows * w + 4 * (rows + 192) + 2 * 192 * w + 5 * 64 * 192 + 16 * 64;
}

/* Cross-entropy over all classes for n rows: logits = z[n,d] e[n_class,d]^T + b.
 * *loss = scale * sum_i -log softmax(logits_i)[label_i]. Forward and backward in one pass, in
 * chunks of rows: logits of all rows never exist together. Gradients are those of *loss. */
struct op_id_loss {
    size_t n, d, n_class;
    const void *z, *e, *b; /* b may be NULL */
    const uint32_t *label;
    double scale;
    double *loss;
    double *row_loss; /* [n] without scale, may be NULL */
    uint32_t *best;   /* [n] class of the largest logit (lowest number on ties), may be NULL */
    void *logits;     /* [n,n_class], may be NULL: only parity tests want them */
    void *dz, *de, *db;
    void *work; /* id_loss_work_bytes */
};

/* *loss = scale * sum_i (x[i] - target[i])^2 */
struct op_square_loss {
    size_t n;
    const void *x;
    const float *target;
    double scale;
    double *loss;
    void *dx;
};

/* y += a * x, n items (joining gradients). */
struct op_axpy {
    size_t n;
    double a;
    const void *x;
    void *y;
};

/* AdamW as transformers 4.30.0 has it (spec/04 section 3): eps outside the bias correction, decay after
 * the update with the plain rate. decay: one flag per segment of the block. */
struct op_adamw {
    size_t n_segments;
    const size_t *begin; /* [n_segments + 1], items */
    const bool *decay;
    void *p, *g, *m, *v;
    double lr, beta1, beta2, eps, weight_decay;
    double grad_scale; /* clipping: g is multiplied by this first */
    uint64_t step;     /* t, from 1 */
    /* Of a filling with memory of its own: the squared norm of all gradients, there. Not NULL: grad_scale
     * is max_norm over that norm where it is above max_norm (0: never), and nothing at all is changed where
     * it is not finite. So nobody waits for the norm. */
    const double *square_sum;
    double max_norm;
    void *low; /* p rounded to bf16, kept in step with it, of a filling with `round`; or NULL */
};

struct small_ops;

/* Ranks whose devices exchange memory without the host. */
struct backend_transfer {
    int peer;
    void *data; /* in that memory; what is sent stays as it is */
    size_t n_bytes;
};

/* Failures are told by backend_memory.trouble, that of another rank too. There is a second queue:
 * work called between beside and back goes there, behind all that was queued so far on the first,
 * which goes on without waiting for it until meet. */
enum { BACKEND_RANKS_ID = 128 };
struct backend_ranks {
    void (*id)(char id[BACKEND_RANKS_ID]); /* made by one rank, handed to all */
    void (*open)(const char id[BACKEND_RANKS_ID], int rank, int n_ranks);
    void (*close)(void);
    void (*beside)(void);
    void (*back)(void);
    void (*meet)(void); /* the first queue goes on behind all of the second */
    /* Each send meets the receive of its peer; several between the same two in their order. */
    void (*exchange)(const struct backend_transfer *send, size_t n_send,
                     const struct backend_transfer *recv, size_t n_recv);
};

/* Memory of a filling that has its own, a device's: what op structs point to then lies there, `loss` too,
 * and slots and the calls below are queued one behind the other and return at once. Only get, give and
 * wait, and what the host must read, wait for the queue. */
struct backend_memory {
    void *(*get)(size_t n_bytes); /* NULL when short */
    void (*give)(void *);
    void (*write)(void *to, const void *from, size_t n_bytes); /* from the host; free again on return */
    void (*read)(void *to, const void *from, size_t n_bytes);  /* to the host; valid after wait */
    void (*copy)(void *to, const void *from, size_t n_bytes);
    void (*zero)(void *to, size_t n_bytes);
    void (*wait)(void);
    const char *(*trouble)(void); /* what failed first, since when all else did nothing; or NULL */
    void (*sum_squares)(const void *x, size_t n, double *to);
    /* The same in two halves: one number of each OP_SUM_ITEMS items, and the sum of those numbers.
     */
    void (*square_parts)(const void *x, size_t n, double *part);
    void (*join_parts)(const double *part, size_t n_parts, double *to);
    const struct backend_ranks *ranks; /* NULL: one device only */
};

struct backend {
    const char *name;
    const char *isa; /* instructions that the kernels are written for, in words; NULL: any */
    enum real_type type;
    size_t real_bytes;
    bool attention_first;          /* op_attention.first_only is understood */
    /* d_first of linear, norm and attention is understood: what d points to holds nothing yet and
     * is written, where else backward adds. Where not, the tape sets gradients to zero beforehand.
     */
    bool gradient_first;
    /* Heads up to this wide take op_attention.q_low and the others; 0: none do. */
    size_t attention_low;
    size_t (*attention_kept_bytes)(const struct op_attention *); /* where there are such heads */
    const struct small_ops *small; /* lib/tensor/small.h; NULL: not in this filling */
    const struct backend_memory *memory; /* NULL: memory of this process, and calls are done when they return */
    /* low[n] = x[n] rounded to bf16. NULL: products take reals as they are. */
    void (*round)(const void *x, size_t n, void *low);
    /* Of `ops` linear operations on the same x (n, in, x, ld_x, dx are those of the first), without
     * activation where ops > 1. Slots up to linears_backward may be NULL: no scratch; one after the other. */
    size_t (*linear_scratch_bytes)(const struct op_linear *, size_t ops);
    /* The form in which forward products take w, for weights that stand still over many calls.
     * Either both slots are there or none. */
    size_t (*linear_packed_bytes)(const struct op_linear *);
    void (*linear_pack)(const struct op_linear *, void *to);
    void (*linears_forward)(const struct op_linear *, size_t ops);
    void (*linears_backward)(const struct op_linear *, size_t ops);
    /* Whether linear_backward can go on through the activation that made x: of an operation with
     * x_pre_low and dx_first. NULL: never. */
    bool (*linear_takes_slope)(const struct op_linear *);
    void (*linear_forward)(const struct op_linear *);
    void (*linear_backward)(const struct op_linear *);
    void (*act_forward)(const struct op_act *);
    void (*act_backward)(const struct op_act *);
    void (*norm_forward)(const struct op_norm *);
    void (*norm_backward)(const struct op_norm *);
    void (*dropout_forward)(const struct op_dropout *);
    void (*dropout_backward)(const struct op_dropout *);
    void (*gather_forward)(const struct op_gather *);
    void (*gather_backward)(const struct op_gather *);
    void (*gather_axpy_forward)(const struct op_gather_axpy *);
    void (*gather_axpy_backward)(const struct op_gather_axpy *);
    void (*add_position_forward)(const struct op_add_position *);
    void (*add_position_backward)(const struct op_add_position *);
    void (*add_species_forward)(const struct op_add_species *);
    void (*add_species_backward)(const struct op_add_species *);
    void (*attention_forward)(const struct op_attention *);
    void (*attention_backward)(const struct op_attention *);
    size_t (*id_loss_work_bytes)(const struct op_id_loss *);
    void (*id_loss)(const struct op_id_loss *);
    void (*square_loss)(const struct op_square_loss *);
    void (*axpy)(const struct op_axpy *);
    double (*sum_squares)(const void *x, size_t n); /* fixed tree */
    void (*adamw)(const struct op_adamw *);
};

extern const struct backend backend_ref;
extern const struct backend backend_cpu;    /* AVX2 */
extern const struct backend backend_cpu512; /* the same sources compiled for AVX-512 */
extern const struct backend backend_bf16;   /* products in bf16, sums in f32: AVX512-BF16 */
extern const struct backend backend_amx;    /* the same sources for AMX tiles */

/* "auto", "ref", "cpu", and "cuda", "cuda-bf16" in programs linked with the cuda kernels: NULL when this build or this machine has no such backend; *why then says so.
 * auto is cpu where the processor has AVX2 and FMA, else ref. cpu takes AVX-512 where the processor has
 * it; cpu-avx2 does not, and gives the bits of a processor without. cpu-bf16 wants AMX-BF16 or AVX512-BF16,
 * which the processor is asked for; cpu-avx512bf16 is the latter though AMX be there. */
const struct backend *backend_find(const char *name, const char **why);
/* The same for tools: RC_SKIP with a sentence, and *b NULL, when there is none. */
enum rc backend_need(const char *name, const struct backend **b, struct err *e);

/* The same for a wish of products: "f32", "bf16", or "auto", which is bf16 where the processor has AMX
 * (AVX512-BF16 alone is slower than f32 on the processors we measured). Where bf16 is wished for and
 * not there it is f32, and *why says so; NULL and *why as above. */
const struct backend *backend_find_dtype(const char *name, const char *dtype, const char **why);

/* Memory of a backend: bytes there, which are bytes here where it has none of its own. backend_read waits. */
void *backend_get(const struct backend *b, size_t n_bytes); /* not set; NULL when short */
void backend_give(const struct backend *b, void *p);
void backend_write(const struct backend *b, void *to, const void *from, size_t n_bytes);
void backend_read(const struct backend *b, void *to, const void *from, size_t n_bytes);
void backend_copy(const struct backend *b, void *to, const void *from, size_t n_bytes);
void backend_zero(const struct backend *b, void *to, size_t n_bytes);

/* Reals of a backend, in its memory, from and to float or double arrays here. */
void reals_from_f32(const struct backend *b, void *to, const float *from, size_t n);
void reals_to_f32(const struct backend *b, float *to, const void *from, size_t n);
void reals_from_f64(const struct backend *b, void *to, const double *from, size_t n);
void reals_to_f64(const struct backend *b, double *to, const void *from, size_t n);

#endif
