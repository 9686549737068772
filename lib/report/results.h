/* What the stages of a results folder left, read once, as far as the report page shows it.
 *
 * A stage that is not there leaves its part empty and is said on the page; a file that is there but
 * broken is refused with its place (RC_INPUT). A number that is not known is NaN. All texts are
 * borrowed from the arena. */
#ifndef GC_REPORT_RESULTS_H
#define GC_REPORT_RESULTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/data/table.h"

/* fetch/inputs.tsv */
struct input_list {
    bool present;
    struct table t; /* path bytes sha256 need status licence source */
    size_t n_used, n_left_out;
};

/* One rule of qc-filter. */
struct rule {
    const char *name;
    double dropped, left; /* cells */
};

struct sample {
    const char *name, *species, *kind;
    bool imported, mapped, filtered; /* that stage left a report */
    double cells_in, genes_in, nnz, total;
    double genes_mapped;
    double cells_kept, genes_kept;
    struct rule *rule; /* in the order in which the rules were applied */
    size_t n_rules;
};

struct vocab_facts {
    bool present;
    size_t n_tokens, n_human, n_mouse, n_paired; /* n_paired: human tokens with a mouse homolog */
};

struct log_point {
    double step, loss, id_loss, value_loss, accuracy, cells; /* cells: of this step's batch */
};

struct log_points {
    struct log_point *p; /* owned */
    size_t n, room;
};

struct baseline {
    const char *name;
    double loss;
    bool is_value; /* of the value loss, else of the identity loss */
};

struct pretrain_facts {
    bool present;
    struct log_points train, held_out;
    struct baseline *baseline;
    size_t n_baselines;
    long last_step; /* of the newest checkpoint, -1 for none */
    json_t *config; /* of that checkpoint, NULL for none; owned */
    json_t *report; /* pretrain/report.json, NULL for none; owned */
    double n_parameters;
    double base_accuracy; /* of always naming the commonest gene; NaN: not said */
};

/* One of map, map-random, map-counts. */
struct map_facts {
    const char *stage, *title;
    bool present;
    size_t n;
    double *x, *y;                 /* owned by the arena */
    const char **species, **label, **sample; /* NULL entries: not known */
    uint64_t *key;                 /* decides which cells are drawn when there are too many */
    json_t *report;                /* owned */
};
enum { N_MAPS = 3 };

/* Of Student's t, for intervals of scores: 95 % of it lies between this and its opposite. */
#define SCORE_QUANTILE 0.975

/* A method on a data set by one metric, over its seeds. */
struct score {
    const char *task, *dataset, *method, *variant, *split, *metric;
    size_t n_seeds;
    double mean, lo, hi; /* lo, hi: 95 % interval, NaN with one seed */
    double n;            /* cells or whatever was scored, largest over the seeds */
};

struct scores {
    bool present;
    struct score *s; /* owned; by task, dataset, split, variant, metric, method */
    size_t n;
};

/* A folder with a MANIFEST.tsv, or one of the stages that a whole run has. */
struct stage {
    const char *name;   /* path below the results folder: "qc-filter/lung" */
    bool there, closed; /* the folder is there; its manifest is too */
    const char *version;
    const char **param;
    size_t n_params, n_inputs, n_outputs;
    uint64_t bytes;  /* of the outputs */
    char sha256[65]; /* of MANIFEST.tsv itself */
};

/* A small report shown as it is: name and value of each number in it. */
struct facts_file {
    const char *name;
    json_t *j; /* owned; NULL when absent */
};

/* A figure of the paper, as its stage drew it. */
struct shown_svg {
    const char *name;  /* of the file: letters, digits, dots, dashes, underscores */
    const char *title; /* escaped for HTML, without quotes; NULL: none */
    char *text;        /* owned, n bytes: the file */
    size_t n;
};

struct shown_table {
    const char *name;
    struct table t; /* of texts */
};

/* A stage that drew figures of the paper. */
struct shown_stage {
    const char *stage, *goal, *title; /* static: folder, goal of make, our words */
    struct shown_svg *svg;            /* owned, by name */
    size_t n_svg;
    struct shown_table *table; /* owned, by name */
    size_t n_tables;
    size_t n_odd; /* files left out for their names */
};

struct results {
    const char *folder, *profile; /* borrowed; profile may be NULL */
    const char *stages;           /* borrowed; as results_read */
    struct arena text;
    struct input_list inputs;
    struct sample *sample; /* owned; by name */
    size_t n_samples;
    const char **left_out; /* owned list: samples whose input could not be had; by name */
    size_t n_left_out;
    struct vocab_facts vocab;
    struct facts_file tables, median, tokenize;
    struct facts_file *knowledge; /* owned; by name */
    size_t n_knowledge;
    struct table worth, leakage, diff; /* texts; without rows where there is none */
    struct table ledger_sums, ledger_rows, ledger_samples, ledger_sets; /* likewise */
    struct shown_stage *shown; /* owned: every stage of the paper's figures, run or not */
    size_t n_shown;
    struct table cross; /* cross-species/comparisons.tsv, likewise */
    struct pretrain_facts pretrain;
    struct map_facts map[N_MAPS]; /* the model, random weights, counts */
    struct scores scores;
    struct scores zero_shot; /* of task zero-shot, which are in no other list */
    struct stage *stage; /* owned; in the order of a run */
    size_t n_stages;
};

/* stages: names of folders below the results folder, cut at commas: what lies in others is not
 * looked at, so that a stage made later changes nothing; NULL: all folders. On failure *r is empty.
 */
enum rc results_read(struct results *r, const char *folder, const char *profile, const char *stages,
                     struct err *e);
/* Is the stage, or the one that it is a part of, among those that are looked at? */
bool results_has(const struct results *r, const char *stage);
void results_release(struct results *r);

/* Parts of results_read, one file each. Each adds to an *r that was initialised. */
enum rc results_inputs(struct results *r, struct err *e);
enum rc results_samples(struct results *r, struct err *e);
enum rc results_corpus(struct results *r, struct err *e); /* vocab, tables, median, tokenize */
enum rc results_knowledge(struct results *r, struct err *e);
enum rc results_worth(struct results *r, struct err *e);
enum rc results_ledger(struct results *r, struct err *e);
enum rc results_figures(struct results *r, struct err *e);
void results_figures_release(struct results *r);
enum rc results_cross(struct results *r, struct err *e);
enum rc results_pretrain(struct results *r, struct err *e);
enum rc results_maps(struct results *r, struct err *e);
enum rc results_scores(struct results *r, struct err *e);
/* The scores of these metrics.tsv alone, over the seeds of all of them; *r was zeroed. */
enum rc results_score_files(struct results *r, const char *const *path, size_t n, struct err *e);
enum rc results_stages(struct results *r, struct err *e);

/* "FOLDER/<fmt>" in the arena, NULL when memory is short; where nothing lies for a stage that is
 * not looked at. */
const char *results_path(struct results *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Names in a folder, sorted by bytes; none when the folder is absent. wanted 'd': folders, 'f':
 * files. The caller frees *name (an array; the texts lie in the arena). */
enum rc results_list(struct results *r, const char *path, char wanted, const char ***name,
                     size_t *n, struct err *e);
/* Text to the arena; NULL stays NULL. */
const char *results_text(struct results *r, const char *text);

#endif
