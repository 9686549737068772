/* Parts of perturb-predict that its files share; nobody else includes it. */
#ifndef GC_APP_PERTURB_PREDICT_PARTS_H
#define GC_APP_PERTURB_PREDICT_PARTS_H

#include "lib/app/perturb_predict.h"
#include "lib/base/file.h"
#include "lib/io/go_file.h"
#include "lib/nn/gears_train.h"
#include "lib/nn/perturb_score.h"

enum { PERTURB_CLASSES = 5, PERTURB_MAX_METHODS = 16 }; /* class 0: the whole test set */

/* A part beside those of a drawn split: a condition that the table of a split does not name. */
#define PERTURB_NO_PART 3

struct perturb_inputs {
    struct perturb_set set;
    struct perturb_facts facts;
    struct names node; /* of the perturbation graph; empty without one */
    struct gears_graph go;
    uint32_t *node_of;     /* [n_targets] */
    struct mat similarity; /* [n_targets, n_targets] weights of the graph, the larger direction */
    struct mat vectors;    /* [n_genes, d], 0 where a gene has none; empty without */
    size_t n_vectors;      /* genes that have one */
    size_t n_not_in_graph, n_dropped; /* perturbed genes; conditions left out for them */
};

/* perturb_predict_inputs.c. On failure *in is empty. */
enum rc perturb_inputs_read(struct perturb_inputs *in, const struct perturb_options *o,
                            struct err *e);
void perturb_inputs_release(struct perturb_inputs *in);

/* One split at work. */
struct perturb_run {
    size_t split, seed; /* numbers from 0 */
    uint64_t split_seed;
    enum part *part; /* [n_conditions]; control: train */
    enum gears_class *class_of;
    struct perturb_reference reference;
    struct mat mean;                      /* of the training conditions */
    struct perturbation *column, *target; /* of these rows */
};

/* perturb_predict_evaluate.c. On failure *r is to be released too. */
enum rc perturb_run_init(struct perturb_run *r, const struct perturb_inputs *in,
                         const struct perturb_options *o, size_t split, struct err *e);
void perturb_run_release(struct perturb_run *r);

/* Scores of one training of one method: means over the test conditions of a class. */
struct perturb_value {
    const char *method;
    size_t split, seed, class, n;
    double metric[PERTURB_N_METRICS];
};

struct perturb_job {
    const struct perturb_options *o;
    struct perturb_inputs in;
    struct perturb_run run;
    struct perturb_value *value; /* owned */
    size_t n_values, room;
    struct outfile metrics, runs, predictions, comparisons, splits;
    bool open;
};

/* perturb_predict_tables.c. Without o->input only what is worked out of runs. */
enum rc predict_tables_open(struct perturb_job *j, struct err *e);
/* Writes what is worked out of all values; commits the tables, or takes them away when rc is no
 * RC_OK. The first trouble is returned. */
enum rc predict_tables_close(struct perturb_job *j, enum rc rc, struct err *e);
/* A run goes to runs.tsv and waits for what is worked out of all; method stays with the caller. */
enum rc perturb_keep(struct perturb_job *j, const struct perturb_value *v, struct err *e);
/* Scores of a method: predicted [n_conditions, n_genes], of which the rows of test conditions are
 * looked at. seed: of the training; SIZE_MAX for a method that draws nothing. */
enum rc perturb_record(struct perturb_job *j, const char *method, size_t seed,
                       const struct mat *predicted, struct err *e);
void perturb_split_write(struct perturb_job *j);

/* perturb_predict_simple.c: the methods that draw nothing. */
enum rc perturb_simple(struct perturb_job *j, struct err *e);

/* perturb_network.c: GEARS, every seed. */
enum rc perturb_network(struct perturb_job *j, struct err *e);
struct gears_plan perturb_plan(const struct perturb_options *o, uint64_t seed);
struct gears_task perturb_task(const struct perturb_inputs *in, const enum part *part,
                               const struct gears_graph *coexpress, bool vectors);

#endif
