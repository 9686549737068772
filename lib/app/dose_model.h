/* A trained CPA in one safetensors file: weights under the names of the release, and what a
 * prediction needs: names of genes, drugs and types (texts, a line each), largest doses, control
 * cells. */
#ifndef GC_APP_DOSE_MODEL_H
#define GC_APP_DOSE_MODEL_H

#include "lib/base/arena.h"
#include "lib/io/safetensors.h"
#include "lib/nn/cpa_train.h"

struct dose_model {
    struct cpa m;
    const char **gene, **drug, **type; /* owned; texts in `text` */
    size_t n_genes, n_drugs, n_types;
    struct mat largest;   /* [1, n_drugs] dose */
    struct mat *controls; /* [n_types], owned: [cells, G] */
    struct mat vectors;   /* [G, d] or empty */
    struct arena text;
};

/* t: chosen weights. */
enum rc dose_model_save(const struct cpa_training *t, const char *path, struct err *e);
/* RC_INPUT: a tensor that is missing, of another shape or not finite, a largest dose that is none.
 * On failure *m is empty. */
enum rc dose_model_load(struct dose_model *m, const char *path, const struct backend *b,
                        struct err *e);
/* The same of a file that is open. */
enum rc dose_model_from(struct dose_model *m, const struct st_file *f, const struct backend *b,
                        struct err *e);
void dose_model_release(struct dose_model *m);

#endif
