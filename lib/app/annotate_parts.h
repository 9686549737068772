/* What the files of annotate_compare share; nobody else includes it. */
#ifndef GC_APP_ANNOTATE_PARTS_H
#define GC_APP_ANNOTATE_PARTS_H

#include <jansson.h>

#include "lib/app/annotate_compare.h"
#include "lib/app/embedding.h"
#include "lib/base/file.h"
#include "lib/data/vocab.h"
#include "lib/io/leakage.h"
#include "lib/nn/geneformer_learn.h"
#include "lib/nn/labelled.h"
#include "lib/nn/probe.h"

enum { N_METRICS = 6 };
#define NO_METHOD SIZE_MAX

enum model_start { START_TRAINED, START_UNTRAINED, START_SHUFFLED, N_STARTS };
enum model_tune { TUNE_PROBE, TUNE_FROZEN, TUNE_FULL, N_TUNES };

/* A GeneCompass of --model, --untrained or --shuffled. */
struct compare_model {
    char *name; /* owned */
    const char *folder;
    enum model_start start;
    size_t method[N_TUNES]; /* number of the method, or NO_METHOD */
};

/* Rank lists that own their arrays. */
struct lists {
    size_t *first;
    uint32_t *token;
    uint64_t *id;
    size_t n, n_tokens, room, token_room;
};

/* Cells that were pretrained on: what they hold (lib/cell/content.h), and their rank lists. */
struct corpus {
    uint64_t *content; /* [n] rising; owned */
    size_t n, room;
    struct lists lists; /* empty without medians */
};

struct compare_job {
    const struct compare_options *o;
    struct embedding *embedding;
    size_t n_embeddings;
    struct compare_model *model;
    size_t n_models;
    char **method; /* [n_methods], owned */
    size_t n_methods, method_room;
    /* Numbers of methods, or NO_METHOD. Those on counts are 0 to 4; an embedding has two. */
    size_t forest, first_embedding, tosica, geneformer, geneformer_untrained;
    struct outfile predictions, metrics, summary, comparisons;
    struct leakage ledger;   /* empty without one */
    struct corpus corpus;    /* empty without one */
    struct medians medians;  /* empty without them */
    struct geneformer rival; /* pretrained; empty without a corpus or medians */
    json_t *datasets, *skipped, *rivals;
    size_t n_datasets;
};

/* One data set: the labelled cells of a sample, the counts of only these, their embeddings. */
struct compare_dataset {
    const char *name;
    const struct cells *source; /* the file they are from; count holds its columns */
    struct labelled cells;
    struct csr count;
    float **x;             /* [n_embeddings] [n, d] */
    enum part *part;       /* [n_seeds, n] */
    unsigned char *unseen; /* [n] not in the corpus; NULL where that cannot be told */
    size_t n_unseen;
    struct probe_result *result; /* [n_methods, n_seeds] */
    double *test;                /* [n_methods, N_METRICS, n_seeds] */
};

static inline struct probe_cells compare_split(const struct compare_dataset *d, size_t seed)
{
    return (struct probe_cells){ d->cells.n, d->cells.n_classes, d->cells.class_of,
                                 d->part + seed * d->cells.n };
}

static inline struct probe_result *compare_result(const struct compare_job *j,
                                                  const struct compare_dataset *d, size_t method,
                                                  size_t seed)
{
    return &d->result[method * (size_t)j->o->n_seeds + seed];
}

/* annotate_methods.c: which methods there are, and those on counts and embeddings. */
enum rc compare_name_methods(struct compare_job *j, struct err *e);
void compare_release_methods(struct compare_job *j);
/* Splits of all seeds, then every method on each. */
enum rc compare_run(struct compare_job *j, struct compare_dataset *d, struct err *e);

/* annotate_rivals.c: TOSICA and Geneformer, seeds side by side. */
enum rc compare_run_tosica(struct compare_job *j, struct compare_dataset *d, struct err *e);
enum rc compare_pretrain_geneformer(struct compare_job *j, struct err *e);
enum rc compare_run_geneformer(struct compare_job *j, struct compare_dataset *d, struct err *e);

/* annotate_models.c: GeneCompass trained on. */
enum rc compare_run_models(struct compare_job *j, struct compare_dataset *d, struct err *e);

/* annotate_corpus.c */
enum rc compare_read_corpus(struct compare_job *j, struct err *e);
void compare_release_corpus(struct corpus *c);
/* Which cells of d the corpus lacks. */
enum rc compare_find_unseen(const struct compare_job *j, struct compare_dataset *d, struct err *e);
void lists_release(struct lists *l);
/* The rank lists of the rows of count, whose columns are gene[], added; id [count->n_rows]. */
enum rc lists_add(struct lists *l, const struct csr *count, const char *const *gene,
                  const struct medians *m, const int64_t *id, size_t most, struct err *e);
struct rank_lists lists_view(const struct lists *l);

/* annotate_dataset.c */
/* The labelled cells of a sample that every embedding has. n_missing: how many lack one. An empty
 * data set, and why, when the sample cannot be used. */
enum rc compare_dataset_init(const struct compare_job *j, const struct cells *c, const char *sample,
                             struct compare_dataset *d, size_t *n_missing, const char **why,
                             struct err *e);
void compare_dataset_release(const struct compare_job *j, struct compare_dataset *d);

/* annotate_tables.c */
enum rc compare_open_tables(struct compare_job *j, struct err *e);
enum rc compare_commit_tables(struct compare_job *j, struct err *e);
void compare_abort_tables(struct compare_job *j);
/* How many of the cells are in the corpus, of all and of each seed's test cells. */
void compare_write_leakage(struct compare_job *j, const struct compare_dataset *d);
/* One method on one split: predictions, and scores of validation and test cells, and of the test
 * cells that the corpus lacks. */
enum rc compare_write_result(struct compare_job *j, struct compare_dataset *d, size_t method,
                             size_t seed_number, struct err *e);
/* Means over the seeds, and differences of every two methods. */
enum rc compare_write_summary(struct compare_job *j, const struct compare_dataset *d,
                              struct err *e);

#endif
