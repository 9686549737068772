/* Parts of profile-drug that its files share; nobody else includes it. */
#ifndef GC_APP_PROFILE_DRUG_PARTS_H
#define GC_APP_PROFILE_DRUG_PARTS_H

#include "lib/app/profile_drug.h"
#include "lib/data/names.h"
#include "lib/io/smiles.h"
#include "lib/nn/mat.h"
#include "lib/nn/split.h"

enum { PROFILE_CELLS = 7, PROFILE_DOSES = 6, PROFILE_BITS = 512 };
/* Those of the DeepCE release; a signature of another cell line or dose is left out. */
extern const char *const profile_cell[PROFILE_CELLS], *const profile_dose[PROFILE_DOSES];

struct drugs {
    struct names id;
    const char **smiles; /* [id.n] texts in `text` */
    struct molecule *molecule;
    struct mat bits; /* [id.n, PROFILE_BITS] */
    struct arena text;
    size_t n_bad; /* left out */
};

/* profile_drug_inputs.c. Lines id,SMILES. RC_INPUT: the line and text of a SMILES that cannot be
 * read, unless skip_bad. On failure *d is empty, here and below. */
enum rc drugs_read(struct drugs *d, const char *path, bool skip_bad, struct err *e);
void drugs_release(struct drugs *d);

struct profile_genes {
    struct names gene;
    struct mat x; /* [gene.n, width] */
};
enum rc profile_genes_read(struct profile_genes *g, const char *path, struct err *e);
void profile_genes_release(struct profile_genes *g);

struct signature {
    uint32_t drug, cell, dose;
    int part; /* enum part where files give it, -1 else */
    const char *id;
};

struct profile_inputs {
    struct drugs drugs;
    struct names gene;      /* of the signatures */
    struct mat gene_vector; /* [gene.n, width] */
    struct mat vectors;     /* [gene.n, d]: 0 where a gene has none; empty without */
    struct mat all_vectors; /* rows of the file, at most 1,582: for --as-released */
    struct signature *of;   /* [value.n] */
    struct mat value;       /* [signatures, gene.n] */
    struct arena text;
    size_t n_rows, n_filtered, n_no_drug, n_replicates, n_vectors;
};
enum rc profile_inputs_read(struct profile_inputs *in, const struct profile_options *o,
                            struct err *e);
void profile_inputs_release(struct profile_inputs *in);

/* A method's predictions of every signature that is not in training. */
struct profile_prediction {
    struct mat best, last; /* [signatures, genes]; last is empty for methods without epochs */
    size_t best_epoch;     /* from 1 */
};
void profile_prediction_release(struct profile_prediction *p);

enum profile_variant { PROFILE_PLAIN, PROFILE_GENES, PROFILE_SHUFFLED, PROFILE_RELEASED };

/* profile_drug_network.c: one training of DeepCE. */
enum rc profile_network(const struct profile_inputs *in, const struct profile_options *o,
                        const enum part *part, enum profile_variant v, uint64_t seed,
                        struct profile_prediction *out, struct err *e);

/* profile_drug_simple.c: what a parameter is chosen by is the dev part. */
enum rc profile_train_mean(const struct profile_inputs *in, const enum part *part,
                           bool by_cell_and_dose, struct mat *out, struct err *e);
enum rc profile_knn(const struct profile_inputs *in, const enum part *part, struct mat *out,
                    struct err *e);
enum rc profile_ridge(const struct profile_inputs *in, const enum part *part, struct mat *out,
                      struct err *e);
/* Mean Pearson over the signatures of a part; NaN correlations (a flat prediction) count as 0. */
double profile_pearson(const struct profile_inputs *in, const enum part *part, enum part which,
                       const struct mat *predicted);

#endif
