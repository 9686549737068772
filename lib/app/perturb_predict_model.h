/* A trained GEARS in one safetensors file: weights under the names of the release, and all that a
 * prediction needs: names of genes and nodes (texts, a line each), both graphs, control cells. */
#ifndef GC_APP_PERTURB_PREDICT_MODEL_H
#define GC_APP_PERTURB_PREDICT_MODEL_H

#include "lib/data/names.h"
#include "lib/io/safetensors.h"
#include "lib/nn/gears_train.h"

struct perturb_model {
    struct gears m;
    const char **gene; /* [G] as the set had them, owned; texts in `text` */
    struct names node;
    struct arena text;
    struct mat controls; /* [cells, G] */
    double *mean;        /* [G] of all control cells */
    double *embedding;   /* NULL: the original */
    size_t batch;        /* cells of a pass */
};

/* t: chosen weights. node: names of the graph's nodes. */
enum rc perturb_model_save(const struct gears_training *t, const struct names *node,
                           const char *path, struct err *e);
/* RC_INPUT: a tensor that is missing, of another shape or not finite, an edge to no node. On
 * failure *m is empty. */
enum rc perturb_model_load(struct perturb_model *m, const char *path, const struct backend *b,
                           struct err *e);
/* The same of a file that is open. */
enum rc perturb_model_from(struct perturb_model *m, const struct st_file *f,
                           const struct backend *b, struct err *e);
void perturb_model_release(struct perturb_model *m);

#endif
