/* Expression profiles of drugs (spec 05 section 9): DeepCE, with and without gene vectors, beside
 * simple methods on the same splits over drugs. */
#ifndef GC_APP_PROFILE_DRUG_H
#define GC_APP_PROFILE_DRUG_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/tensor/backend.h"

struct profile_options {
    const char *signatures; /* sig_id, pert_id, pert_type, cell_id, pert_idose, then genes */
    const char *dev, *test; /* both or none: the published three files */
    const char *drugs;      /* lines id,SMILES */
    const char *genes;      /* lines gene,numbers */
    const char *vectors;    /* what embed --genes wrote; NULL: none */
    bool skip_bad;          /* drugs whose SMILES cannot be read are left out and counted */
    bool as_released;
    int64_t n_splits, n_seeds; /* n_seeds: trainings of DeepCE on a split; 0: none */
    int64_t epochs, batch, width, heads, projected;
    double rate;
    const char *dataset, *out, *report;
    uint64_t seed;
    const struct backend *backend;
};

/* Writes out/metrics.tsv, runs.tsv, comparisons.tsv, predictions.tsv and splits.tsv. Nothing is
 * left on failure. RC_SKIP: built without Indigo. */
enum rc profile_evaluate(const struct profile_options *o, struct err *e);

struct profile_simulation {
    const char *drugs, *genes, *out;
    int64_t n_drugs, n_genes, n_cells, n_doses, n_replicates;
    double noise;
    bool skip_bad;
    uint64_t seed;
};

/* A folder of the same inputs, of real drugs and genes, with made-up effects that are known:
 * drugs.csv, genes.csv, signatures.csv, truth.csv (without noise). */
enum rc profile_simulate(const struct profile_simulation *s, struct err *e);

/* Tables of atoms and bonds of drugs: out/atoms.tsv, out/bonds.tsv. */
enum rc profile_features(const char *drugs, bool skip_bad, const char *out, struct err *e);

#endif
