/* Parts of cross_species that its files share; nobody else includes it. */
#ifndef GC_APP_CROSS_SPECIES_PARTS_H
#define GC_APP_CROSS_SPECIES_PARTS_H

#include <inttypes.h>

#include "lib/app/cross_species.h"
#include "lib/base/file.h"
#include "lib/data/gene_tables.h"
#include "lib/io/homologs.h"
#include "lib/nn/came_prepare.h"

#define CROSS_UNKNOWN UINT32_MAX

struct cross_job {
    const struct cross_options *o;
    struct cells cells[CAME_SETS];
    enum species species[CAME_SETS];
    struct gene_tables tables;
    struct homologs file;
    const char **pair[CAME_SETS]; /* of the tables; texts borrowed */
    struct came_homologs pairs;
    const struct csr *count[CAME_SETS];
    const char *const *gene[CAME_SETS];
    struct csr cut[CAME_SETS]; /* 1-to-1 homologs only */
    const char **cut_name;
    uint32_t *label, *truth; /* [reference cells]; [query cells], CROSS_UNKNOWN without a label */
    size_t n_truth;
    const char **class_name;         /* of the reference by appearance, then those only in truth */
    size_t n_classes, n_all_classes; /* of the reference; of both */
    uint32_t *cluster;               /* [query cells] */
    size_t n_clusters;
    struct came_side side[CAME_SETS];
    struct came_graph g;
    double *vector;             /* [nodes, d_vector] of the model, standardised; NULL without one */
    size_t d_vector, n_vectors; /* nodes that have one */
    struct outfile predictions, metrics, comparisons, training;
    bool open;
    double *score; /* [2 ways of CAME, CROSS_METRICS, n_seeds] */
};

enum { CROSS_METRICS = 2 }; /* accuracy, macro_f1 */

/* cross_species_itself.c: the reference's cells become reference and query. */
enum rc cross_itself(struct cross_job *j, struct err *e);
/* cross_species_vectors.c: contextual gene vectors of o->model for the nodes of the graph. */
enum rc cross_vectors(struct cross_job *j, struct err *e);

/* cross_species_train.c: CAME with every seed, then once more with j->vector where there is one. */
enum rc cross_train(struct cross_job *j, struct err *e);

/* cross_species_score.c: tables, and simple methods */
enum rc cross_open(struct cross_job *j, struct err *e);
/* Commits the tables, or takes them away when rc is no RC_OK; the first trouble is returned. */
enum rc cross_close(struct cross_job *j, enum rc rc, struct err *e);

/* What a method said of the query cells. */
struct cross_said {
    const char *method, *variant;
    uint64_t seed;
    const uint32_t *predicted, *at_epoch; /* at_epoch: NULL where a method has none */
    const double *probability;            /* [cells, classes] of the reference; NULL: none */
    double metric[CROSS_METRICS];         /* set by cross_write; NaN without a truth */
};
/* Lines of every query cell, and scores of those with a label. */
enum rc cross_write(struct cross_job *j, struct cross_said *said, struct err *e);
/* Two variants, seed by seed: mean difference and 95 % interval. */
enum rc cross_compare(struct cross_job *j, const char *const method[2], struct err *e);
/* majority and logistic-1to1, which draw no random number: once, under the first seed. */
enum rc cross_baselines(struct cross_job *j, struct err *e);

#endif
