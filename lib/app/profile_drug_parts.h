/* Parts of profile-drug that its files share; nobody else includes it. */
#ifndef GC_APP_PROFILE_DRUG_PARTS_H
#define GC_APP_PROFILE_DRUG_PARTS_H

#include <stdio.h>

#include "lib/app/profile_drug.h"
#include "lib/data/names.h"
#include "lib/io/smiles.h"
#include "lib/nn/deepce.h"
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

/* profile_drug_lists.c. Lines id,SMILES. RC_INPUT: the line and text of a SMILES that cannot be
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

/* profile_drug_split.c: 6 : 2 : 2 over drugs, or the parts that files give. part [signatures];
 * splits: lines split_seed, drug, part are added to it. RC_INPUT: nothing to train on or for dev,
 * or to test where `test` is wanted. */
enum rc profile_split(const struct profile_inputs *in, uint64_t seed, bool test, enum part *part,
                      FILE *splits, struct err *e);
#define PROFILE_SPLITS_HEADER "split_seed\tdrug\tpart\n"

/* profile_drug_batch.c: drugs in cell lines at doses as DeepCE takes them. Start from zeros. */
struct profile_batch {
    struct deepce_batch b;
    double *atom, *bond;
    uint32_t *signature, *bond_atom, *cell, *dose;
};
/* Signatures of[row[0 .. n)]; embedding: empty without. On failure *p is empty. */
enum rc profile_batch_make(struct profile_batch *p, const struct deepce *m, const struct drugs *d,
                           const struct signature *of, const uint32_t *row, size_t n,
                           const struct mat *gene_vector, const struct mat *embedding,
                           struct err *e);
void profile_batch_release(struct profile_batch *p);

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
