/* Parameters: one block of values, one of gradients, two of moments; each parameter is a named view.
 * So checkpoint, all-reduce, clipping and AdamW are loops over a block (ENGINE.md). Names and shapes
 * are those of the PyTorch state dict (spec/03 section 8). */
#ifndef GC_TENSOR_PARAMS_H
#define GC_TENSOR_PARAMS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"
#include "lib/tensor/backend.h"
#include "lib/tensor/tape.h"

struct param {
    char name[96];
    size_t rows, cols; /* a vector is 1 x cols */
    int n_dims;        /* as stored in files: 1 or 2 */
    size_t begin;      /* first item in the block */
    bool decay;        /* weight decay applies: not for biases and LayerNorms */
    bool frozen;       /* the optimiser leaves it alone */
    struct tensor t;   /* view of values and gradients, set by params_alloc */
};

struct params {
    const struct backend *b;
    struct param *item; /* owned */
    size_t n, n_items;  /* parameters; reals of a block */
    void *x, *g, *m, *v; /* owned blocks, in the backend's memory; g, m, v only with training */
    void *low;           /* x rounded to bf16, after params_keep_low; else NULL */
};

void params_init(struct params *p, const struct backend *b);
void params_release(struct params *p);
/* Declares a parameter; before params_alloc. RC_FAIL: memory. */
enum rc params_add(struct params *p, const char *name, size_t rows, size_t cols, int n_dims,
                   bool decay, struct err *e);
/* Makes the blocks, zeroed. */
enum rc params_alloc(struct params *p, bool training, struct err *e);
/* Keeps a rounded copy of all weights for the products of a filling with `round`; does nothing for
 * others. Whoever changes weights but optim_step_there calls params_round before they are used
 * again. */
enum rc params_keep_low(struct params *p, struct err *e);
void params_round(const struct params *p);
/* NULL when there is none. Its tensor is valid after params_alloc. */
struct param *params_find(const struct params *p, const char *name);
size_t params_index(const struct params *p, const char *name); /* asserts that it is there */
/* N(0, sd^2) for matrices, 0 for biases, 1 and 0 for LayerNorm weight and bias; a pure function of
 * seed, name and element (spec/03 section 9). */
void params_randomise(struct params *p, double sd, uint64_t seed);
void params_randomise_one(struct params *p, size_t i, double sd, uint64_t seed);
void params_zero_gradients(struct params *p);

#endif
