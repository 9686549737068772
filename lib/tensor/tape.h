/* The tape: a model is a plain C function that calls the operations below; the tape runs each at
 * once, and in training remembers it. tape_backward runs the gradients in reverse order.
 *
 * Everything that lives for one batch comes from the tape's arena and is dropped whole by
 * tape_reset, which keeps the memory: after the first batches nothing is allocated any more.
 * When memory is short the tape is marked failed, further operations do nothing, and tape_check
 * tells it once, at the end.
 *
 * Gradients begin as zeros, and operations add to them. On a backend with gradient_first they begin
 * as nothing, and the first operation at a gradient writes it: the tape tells linear, norm and
 * attention that they are first, and sets zeros before any other operation, before a loss, and
 * before an operation on a part of a tensor (tape_columns). So an operation names in tape_meets
 * (lib/tensor/tape_node.h) each gradient that its backward reads or adds to, and whoever puts a
 * gradient there himself does it through tape_seed.
 *
 * Dimensions: n rows, D width, T rows of a cell, V classes. */
#ifndef GC_TENSOR_TAPE_H
#define GC_TENSOR_TAPE_H

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/mapped.h"
#include "lib/tensor/backend.h"

/* A gradient that holds nothing until something is first put there (backend.gradient_first). */
struct tape_slope {
    void *g;
    size_t n_bytes;
    bool set;
};

/* A matrix. x and g hold reals of the tape's backend; g is NULL where no gradient is wanted. */
struct tensor {
    size_t rows, cols, ld; /* ld: items from one row to the next */
    void *x, *g;
    void *low; /* x rounded to bf16, kept for products (op_linear.x_low, w_low); NULL: not kept */
    struct tape_slope *slope; /* of all that g is a part of; NULL: g holds zeros or a sum */
    void *g_low; /* of what is kept rounded alone (x and g are NULL): the gradient, rounded */
    size_t ld_g; /* of g_low */
    struct op_linear *from; /* of what is kept rounded alone: the product that made it, on record */
};

struct tape_node;
struct tape_packed;
struct tape_there;
struct tape_table;

enum { TAPE_LATER = 1024 };

struct tape {
    const struct backend *b;
    bool training; /* keep what backward needs, and make gradients */
    bool failed;
    struct arena arena;
    struct arena scratch_arena; /* of operations, which follow each other: one block serves all */
    struct arena device;        /* reals, where the backend has memory of its own; else they are in `arena` */
    struct tape_there *there;   /* arrays of the host that were copied there, newest first */
    struct tape_table *tables;  /* the same for tables that outlast a round */
    double *later;              /* [TAPE_LATER] there: losses that nobody waited for yet */
    double *later_to[TAPE_LATER];
    size_t n_later;
    void *scratch;
    size_t scratch_bytes, scratch_most; /* now; the most that any round asked for */
    struct tape_node *last; /* newest first */
    struct tape_packed *packed; /* weights that are kept packed, newest first */
    size_t packed_left;         /* bytes that more of them may take */
    struct tensor nothing;  /* what operations return after a failure */
};

/* For tape_keep_weights: all of Small, half of Base, whose layers packed anew in each call cost some
 * hundredths of a call of 2,000 rows and would take as much memory as the weights. */
enum { TAPE_KEEP_BYTES = 192 << 20 };

void tape_init(struct tape *t, const struct backend *b, bool training);
void tape_reset(struct tape *t);
void tape_release(struct tape *t);
/* Passes without gradients over weights that nobody changes: linear operations keep them in the form
 * that their kernels want, up to most_bytes, instead of packing them in each call. Forgets what was
 * kept before; 0 keeps nothing, as does a fresh tape. No bit depends on it. */
void tape_keep_weights(struct tape *t, size_t most_bytes);
enum rc tape_check(const struct tape *t, struct err *e);
void tape_backward(struct tape *t);
/* Adds g [rows, cols] to the gradient of x, before tape_backward: a loss worked out elsewhere. x is
 * dense; it may be a part of a tensor, whose rest is zero then. */
void tape_seed(struct tape *t, struct tensor *x, const double *g);
/* Calls reached(ctx, k) in tape_backward, when every operation that follows this call has done its
 * part: what only those use has all of its gradient then (queued, where the backend has memory of
 * its own). */
void tape_on_return(struct tape *t, void (*reached)(void *ctx, size_t k), void *ctx, size_t k);
/* Waits until every loss asked for stands where it was wanted, also those of earlier rounds. Does nothing
 * where the backend's memory is this process's. */
void tape_settle(struct tape *t);

/* A place to go back to, for passes without gradients: as arena_mark. */
struct tape_mark {
    struct arena_mark host, device;
    struct tape_there *there;
};
struct tape_mark tape_mark(const struct tape *t);
void tape_rewind(struct tape *t, struct tape_mark m);

/* Memory of this batch for whoever feeds the tape; NULL (and the tape failed) when short. */
void *tape_memory(struct tape *t, size_t n_bytes);
/* Constants of the batch from floats. */
struct tensor *tape_input(struct tape *t, const float *x, size_t rows, size_t cols);
/* Rows index[0..n) of a float table [rows,cols] that has no gradient (knowledge) and stands still
 * while the tape lives: where the backend has memory of its own it is copied there once. file: the
 * mapping that holds the table, whose rows are then read from the file; or NULL. */
struct tensor *tape_input_rows(struct tape *t, const float *table, const struct mapped *file,
                               size_t rows, size_t cols, const uint32_t *index, size_t n);
/* A fresh tensor of zeros; has a gradient in training. */
struct tensor *tape_new(struct tape *t, size_t rows, size_t cols);
/* Columns [at, at + n) of x: no copy, gradients go to x. */
struct tensor *tape_columns(struct tape *t, const struct tensor *x, size_t at, size_t n);

/* act(x w^T + b): x [n,in], w [out,in], b [1,out] or NULL. */
struct tensor *tape_linear(struct tape *t, struct tensor *x, struct tensor *w, struct tensor *b,
                           enum act act);
/* Up to TAPE_LINEARS of them with the same x and no activation: x is read once for all. */
enum { TAPE_LINEARS = 4 };
void tape_linears(struct tape *t, struct tensor *x, size_t ops, struct tensor *const w[],
                  struct tensor *const b[], struct tensor *y[]);
/* tape_linear for a y that stands between products: only one operation takes it, and that is
 * tape_linear or, without an activation, tape_norm (as x). In training on a backend with
 * `round` it is then kept rounded to bf16 alone, its gradient and what goes into the activation too:
 * for rows of a multiple of 8 numbers, without an activation of up to OP_LOW_COLUMNS. */
struct tensor *tape_linear_between(struct tape *t, struct tensor *x, struct tensor *w,
                                   struct tensor *b, enum act act);
/* Likewise of tape_linears, for q, k and v of a tape_attention with so many heads, whose output is
 * then kept rounded alone too and taken by a tape_linear. */
void tape_linears_between(struct tape *t, struct tensor *x, size_t ops, struct tensor *const w[],
                          struct tensor *const b[], size_t heads, struct tensor *y[]);
struct tensor *tape_act(struct tape *t, struct tensor *x, enum act act);
/* LayerNorm(drop(x) + r); r and drop may be NULL. tape_norm_over writes the sum over x, which saves its
 * memory: for an x whose values nobody asks for any more, neither a later operation nor the
 * backward pass of the one that made it (a linear operation's does not). */
struct tensor *tape_norm(struct tape *t, struct tensor *x, struct tensor *r, struct tensor *gamma,
                         struct tensor *beta, double eps, const struct dropout *drop);
struct tensor *tape_norm_over(struct tape *t, struct tensor *x, struct tensor *r,
                              struct tensor *gamma, struct tensor *beta, double eps,
                              const struct dropout *drop);
/* Without gradients, into a y that is there. */
void tape_norm_into(struct tape *t, struct tensor *x, struct tensor *r, struct tensor *gamma,
                    struct tensor *beta, double eps, const struct dropout *drop, struct tensor *y);
struct tensor *tape_dropout(struct tape *t, struct tensor *x, const struct dropout *drop);
/* x + a y, same shape. */
struct tensor *tape_add(struct tape *t, struct tensor *x, double a, struct tensor *y);
/* Rows of a table; no_grad_row as in struct op_gather. index lives until tape_reset. */
struct tensor *tape_gather(struct tape *t, struct tensor *table, const uint32_t *index, size_t n,
                           size_t no_grad_row);
/* table[index[i]] + value[i] w; w is a column (a view of one column) or NULL. */
struct tensor *tape_gather_axpy(struct tape *t, struct tensor *table, const uint32_t *index,
                                size_t n, struct tensor *value, struct tensor *w);
struct tensor *tape_add_position(struct tape *t, struct tensor *x, struct tensor *type,
                                 struct tensor *position, const uint32_t *rank);
struct tensor *tape_add_species(struct tape *t, struct tensor *x, struct tensor *cls,
                                const uint32_t *first, const uint8_t *species, size_t n_cells);
struct tensor *tape_attention(struct tape *t, struct tensor *q, struct tensor *k, struct tensor *v,
                              size_t heads, const uint32_t *first, size_t n_cells,
                              const struct dropout *drop);
/* The same for row 0 of each cell alone, q [n_cells,d], without gradients: where the backend has
 * attention_first. Equal bits. */
struct tensor *tape_attention_first(struct tape *t, struct tensor *q, struct tensor *k,
                                    struct tensor *v, size_t heads, const uint32_t *first,
                                    size_t n_cells);

/* Losses add their gradients at once; *loss is in double. They take scale with them, so the total
 * loss is their sum. Those that end in _later set *to at once, or, where the backend has memory of its own, in
 * tape_settle; the others wait for it. */
struct id_loss {
    double loss;      /* scale * sum over rows */
    double *row_loss; /* [n], wanted when not NULL */
    uint32_t *best;   /* [n], wanted when not NULL */
    void *logits;     /* [n,V] reals, wanted when not NULL */
};
void tape_id_loss(struct tape *t, struct tensor *z, struct tensor *e, struct tensor *b,
                  const uint32_t *label, double scale, struct id_loss *out);
double tape_square_loss(struct tape *t, struct tensor *x, const float *target, double scale);
void tape_id_loss_later(struct tape *t, struct tensor *z, struct tensor *e, struct tensor *b,
                        const uint32_t *label, double scale, struct id_loss *out, double *to);
void tape_square_loss_later(struct tape *t, struct tensor *x, const float *target, double scale,
                            double *to);

#endif
