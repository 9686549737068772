/* Does more of a change do more? (spec 05 section 12, Figures 6b and S10a)
 *
 * Steps are folders of perturb --per-cell, weakest change first: low, high, or half, quarter,
 * delete. Each measure of a step is set beside its matched random genes, and cell by cell beside
 * the step before: mean difference with its 95 % interval (Student's t over cells that stand in
 * both), and Wilcoxon's signed ranks. */
#ifndef GC_APP_PERTURB_STEPS_H
#define GC_APP_PERTURB_STEPS_H

#include "lib/base/opt.h"

struct perturb_steps_options {
    struct opt_list steps; /* NAME=DIR */
    const char *dataset, *out;
    uint64_t seed;
};

/* Writes o->out/{predictions,metrics}.tsv. RC_INPUT: folders of different measures, a cell twice in
 * one, numbers that are none. */
enum rc perturb_steps(const struct perturb_steps_options *o, struct err *e);

#endif
