/* gather: y[i] = table[index[i]];  backward: dtable[index[i]] += dy[i], rows in rising i for each
 * table row, except table row no_grad_row.
 * gather_axpy: y[i] = table[index[i]] + value[i] w;  backward: dtable as above,
 *   dw += sum_i value[i] dy[i].
 * add_position: y[i] = x[i] + type[0] + position[rank[i]];  backward: dx += dy,
 *   dtype[0] += sum_i dy[i], dposition[rank[i]] += dy[i].
 * add_species: row 0 of each cell is cls[species], then the rows of its genes.
 *
 * `order` lists the rows sorted by (index, row), so that all rows of one table row stand together.
 * cpu: sums into table rows go by stripes of table rows (each table row is summed by one thread in
 * rising i); sums over all rows (dw, dtype) by blocks of GATHER_ROWS joined in block order. */
#ifndef GC_KERNELS_GATHER_H
#define GC_KERNELS_GATHER_H

#include "kernels/cpu_name.h"
#include "lib/tensor/backend.h"

void gather_forward_ref(const struct op_gather *o);
void gather_backward_ref(const struct op_gather *o);
void gather_axpy_forward_ref(const struct op_gather_axpy *o);
void gather_axpy_backward_ref(const struct op_gather_axpy *o);
void add_position_forward_ref(const struct op_add_position *o);
void add_position_backward_ref(const struct op_add_position *o);
void add_species_forward_ref(const struct op_add_species *o);
void add_species_backward_ref(const struct op_add_species *o);

void CPU(gather_forward)(const struct op_gather *o);
void CPU(gather_backward)(const struct op_gather *o);
void CPU(gather_axpy_forward)(const struct op_gather_axpy *o);
void CPU(gather_axpy_backward)(const struct op_gather_axpy *o);
void CPU(add_position_forward)(const struct op_add_position *o);
void CPU(add_position_backward)(const struct op_add_position *o);
void CPU(add_species_forward)(const struct op_add_species *o);
void CPU(add_species_backward)(const struct op_add_species *o);

#endif
