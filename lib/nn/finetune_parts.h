/* What the files of lib/nn/finetune.h and lib/nn/gene_tune.h share; nobody else includes it. */
#ifndef GC_NN_FINETUNE_PARTS_H
#define GC_NN_FINETUNE_PARTS_H

#include "lib/nn/finetune.h"

struct finetune_work {
    struct model *m;
    struct tape tape;
    struct arena memory;               /* of a batch */
    void (*done)(void *ctx, size_t n); /* of finetune_encode, or NULL */
    void *ctx;
};

void finetune_work_init(struct finetune_work *w, struct model *m, bool training);
void finetune_work_release(struct finetune_work *w);
/* Gradients of frozen parameters to 0, so that they are no part of the norm; and none frozen any more. */
void finetune_clear_frozen(struct params *p);
void finetune_thaw(struct model *m);
/* Weights stand still until the end: the embedding block is folded over the vocabulary where there are
 * genes enough (then *folded: model_unfold is the caller's), and weights stay packed. */
enum rc finetune_begin_still(struct finetune_work *w, const struct batch_cell *cell, size_t n,
                             bool *folded, struct err *e);
bool finetune_is_head(const char *param);
struct tensor *finetune_param(struct model *m, const char *name);
/* C of the model. */
size_t finetune_classes(const struct model *m);
/* Cells [from, returned): as many as fit into micro_rows, at least one. */
size_t finetune_cut(const struct model *m, const struct batch_cell *cell, size_t from, size_t n,
                    size_t micro_rows);
enum rc finetune_batch(struct finetune_work *w, struct batch *b, const struct batch_cell *cell,
                       size_t n, struct err *e);
/* tanh(pooler) of such rows. */
struct tensor *finetune_pool(struct finetune_work *w, struct tensor *rows);
/* finetune_encode and finetune_logits with the caller's tape. */
enum rc finetune_vectors(struct finetune_work *w, const struct batch_cell *cell, size_t n,
                         size_t micro_rows, float *to, struct err *e);
enum rc finetune_scores(struct finetune_work *w, const float *x, size_t n, double *logit,
                        struct err *e);

#endif
