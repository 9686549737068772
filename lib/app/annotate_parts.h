/* What the files of annotate_compare share; nobody else includes it. */
#ifndef GC_APP_ANNOTATE_PARTS_H
#define GC_APP_ANNOTATE_PARTS_H

#include <jansson.h>

#include "lib/app/annotate_compare.h"
#include "lib/base/file.h"
#include "lib/io/leakage.h"
#include "lib/nn/labelled.h"
#include "lib/nn/probe.h"

struct embedding {
    char *name; /* owned */
    const char *path;
    struct id_rows rows;
    float *x; /* [rows.n, d] */
    size_t d;
};

enum { N_METRICS = 6, N_COUNT_METHODS = 5 };

struct compare_job {
    const struct compare_options *o;
    struct embedding *embedding;
    size_t n_embeddings, n_methods;
    char **method; /* [n_methods], owned: those on counts, then two for each embedding */
    struct outfile predictions, metrics, summary, comparisons;
    struct leakage ledger; /* empty without one */
    json_t *datasets, *skipped;
    size_t n_datasets;
};

/* One data set: the labelled cells of a sample, the counts of only these, their embeddings. */
struct compare_dataset {
    const char *name;
    struct labelled cells;
    struct csr count;
    float **x; /* [n_embeddings] [n, d] */
    enum part *part;
    double *test; /* [n_methods, N_METRICS, n_seeds] */
};

/* annotate_dataset.c */
enum rc compare_read_embeddings(struct compare_job *j, struct err *e);
void compare_release_embeddings(struct compare_job *j);
/* The labelled cells of a sample that every embedding has. n_missing: how many lack one. An empty
 * data set, and why, when the sample cannot be used. */
enum rc compare_dataset_init(const struct compare_job *j, const struct cells *c, const char *sample,
                             struct compare_dataset *d, size_t *n_missing, const char **why,
                             struct err *e);
void compare_dataset_release(struct compare_dataset *d, size_t n_embeddings);

/* annotate_tables.c */
enum rc compare_open_tables(struct compare_job *j, struct err *e);
enum rc compare_commit_tables(struct compare_job *j, struct err *e);
void compare_abort_tables(struct compare_job *j);
/* One method on one split: predictions, and scores of validation and test cells. */
enum rc compare_write_result(struct compare_job *j, struct compare_dataset *d,
                             const struct probe_result *r, size_t method, size_t seed_number,
                             struct err *e);
/* Means over the seeds, and differences of every two methods. */
enum rc compare_write_summary(struct compare_job *j, const struct compare_dataset *d,
                              struct err *e);

#endif
