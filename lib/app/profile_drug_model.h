/* A trained DeepCE in one safetensors file: weights under the names of the release, and what a
 * prediction needs: names and vectors of genes, cell lines, doses (texts, a line each). */
#ifndef GC_APP_PROFILE_DRUG_MODEL_H
#define GC_APP_PROFILE_DRUG_MODEL_H

#include "lib/base/arena.h"
#include "lib/io/safetensors.h"
#include "lib/nn/deepce.h"
#include "lib/nn/mat.h"

struct profile_training;

struct profile_model {
    struct deepce m;
    const char **gene, **cell, **dose; /* owned; texts in `text` */
    size_t n_genes, n_cells, n_doses;
    struct mat gene_vector; /* [genes, width] */
    struct mat vectors;     /* [genes, d] or empty */
    struct mat trained;     /* [cells, doses] training signatures of each */
    struct arena text;
};

/* The weights at hand of a training with names of cell lines and doses as in
 * lib/app/profile_drug_parts.h. */
enum rc profile_model_save(const struct profile_training *t, const char *path, struct err *e);
/* RC_INPUT: a tensor that is missing, of another shape or not finite, heads that do not divide the
 * width, no cell line and dose that was trained on. On failure *m is empty. */
enum rc profile_model_load(struct profile_model *m, const char *path, const struct backend *b,
                           struct err *e);
/* The same of a file that is open. */
enum rc profile_model_from(struct profile_model *m, const struct st_file *f,
                           const struct backend *b, struct err *e);
void profile_model_release(struct profile_model *m);

#endif
