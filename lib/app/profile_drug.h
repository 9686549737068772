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
    const char *dev, *test; /* the published three files; both or none, to train dev alone */
    const char *drugs;      /* lines id,SMILES */
    const char *genes;      /* lines gene,numbers */
    const char *vectors;    /* what embed --genes wrote; NULL: none */
    bool skip_bad;          /* drugs whose SMILES cannot be read are left out and counted */
    bool as_released;
    bool restart;              /* a state of another run is no reason to stop: begin anew */
    double least_overlap;      /* share of the genes that must have one of the vectors */
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

/* Trains on the training part of the split of o->seed (with o->dev: on all of o->signatures);
 * writes out/model.safetensors, all that profile_predict needs, training.tsv and splits.tsv.
 * RC_SKIP: built without Indigo. */
enum rc profile_train(const struct profile_options *o, struct err *e);

struct profile_query {
    const char *model;         /* a folder of profile_train */
    const char *drugs;         /* lines id,SMILES */
    const char *cells, *doses; /* names with commas between; NULL: what was trained on */
    const char *out;
    bool skip_bad;
    const struct backend *backend;
};

/* A table as profile_evaluate reads them, a row for each drug, cell line and dose. */
enum rc profile_predict(const struct profile_query *q, struct err *e);

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
