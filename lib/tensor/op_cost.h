/* What an operation needs at least: floating-point operations (a multiply-add is 2; an exponential
 * or a root counts 1) and bytes (every operand read once, every result written once, gradients that
 * are added to read and written). For the tables of `--profile` and bench-ops; no kernel looks at
 * them. FLOPs are those of the formula, not of the recomputation that a kernel may do: backward
 * attention counts the 8 T^2 W of its four products, though the scores are computed again. */
#ifndef GC_TENSOR_OP_COST_H
#define GC_TENSOR_OP_COST_H

#include "lib/tensor/backend.h"

struct op_cost {
    double flop, bytes;
};

/* real: bytes of a number (backend->real_bytes). */
struct op_cost op_cost_linear(const struct op_linear *o, bool backward, size_t real);
struct op_cost op_cost_act(const struct op_act *o, bool backward, size_t real);
struct op_cost op_cost_norm(const struct op_norm *o, bool backward, size_t real);
struct op_cost op_cost_dropout(const struct op_dropout *o, bool backward, size_t real);
struct op_cost op_cost_gather(const struct op_gather *o, bool backward, size_t real);
struct op_cost op_cost_gather_axpy(const struct op_gather_axpy *o, bool backward, size_t real);
struct op_cost op_cost_add_position(const struct op_add_position *o, bool backward, size_t real);
struct op_cost op_cost_add_species(const struct op_add_species *o, bool backward, size_t real);
struct op_cost op_cost_attention(const struct op_attention *o, bool backward, size_t real);
struct op_cost op_cost_id_loss(const struct op_id_loss *o, size_t real);
struct op_cost op_cost_square_loss(const struct op_square_loss *o, size_t real);
struct op_cost op_cost_axpy(const struct op_axpy *o, size_t real);
struct op_cost op_cost_adamw(const struct op_adamw *o, size_t real);

#endif
