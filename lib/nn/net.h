/* What the small networks of spec 05 share: named layers in a struct params, steps of an optimiser
 * over some of them, first weights. Names are those of PyTorch's state dicts. Running statistics of
 * a batch norm are parameters by name (so that a file holds them) that no optimiser touches. */
#ifndef GC_NN_NET_H
#define GC_NN_NET_H

#include "lib/tensor/params.h"
#include "lib/tensor/tape_small.h"

/* Declaring; PREFIX.weight [out, in] and PREFIX.bias [out]. */
enum rc net_add_linear(struct params *p, const char *prefix, size_t out, size_t in, bool bias,
                       struct err *e);
/* PREFIX.weight and PREFIX.bias [d]: a layer norm. */
enum rc net_add_norm(struct params *p, const char *prefix, size_t d, struct err *e);
/* The same with PREFIX.running_mean and PREFIX.running_var; affine false: only those two. */
enum rc net_add_batch_norm(struct params *p, const char *prefix, size_t d, bool affine,
                           struct err *e);

/* The parameter of that name, which is there. */
struct tensor *net_get(const struct params *p, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* NULL where it is not. */
struct tensor *net_find(const struct params *p, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* x W' + b, of PREFIX; a bias that was not declared is not added. */
struct tensor *net_linear(const struct params *p, struct tape *t, struct tensor *x,
                          const char *prefix, enum act act);
struct tensor *net_norm(const struct params *p, struct tape *t, struct tensor *x,
                        const char *prefix, double eps);
/* eps 1e-5, momentum 0.1, PyTorch's own. */
struct tensor *net_batch_norm(const struct params *p, struct tape *t, struct tensor *x,
                              const char *prefix, bool train);

bool net_is_running(const struct param *q); /* a running statistic */
/* One step of o (p, g, m, v and n are filled in) on every parameter but running statistics for
 * which chosen says true; NULL: all. */
void net_descend(struct params *p, struct op_descend o,
                 bool (*chosen)(const struct param *q, const void *ctx), const void *ctx);

/* PyTorch's AdamW on everything; step from 1. Decay where the parameter's flag says so. (That of
 * lib/nn/optim.h is another one: transformers' own, with eps outside the correction.) */
void net_adamw(struct params *p, double rate, double decay, uint64_t step);

/* First weights, pure functions of seed, name and element; the same for every backend. */
void net_fill(struct params *p, struct param *q, double value);
void net_uniform(struct params *p, struct param *q, double bound, uint64_t seed);
void net_normal(struct params *p, struct param *q, double sd, uint64_t seed);
/* Glorot & Bengio 2010: U(-a, a), a = gain sqrt(6 / (rows + cols)). */
void net_xavier_uniform(struct params *p, struct param *q, double gain, uint64_t seed);
/* All of p as PyTorch's modules start: linear weights and biases U(+-1/sqrt(in)), norms 1 and 0,
 * running variance 1; anything else 0 and left to the caller. */
void net_initialise(struct params *p, uint64_t seed);

#endif
