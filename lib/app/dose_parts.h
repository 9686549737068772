/* Parts of dose that its files share; nobody else includes it. */
#ifndef GC_APP_DOSE_PARTS_H
#define GC_APP_DOSE_PARTS_H

#include "lib/app/dose.h"
#include "lib/base/file.h"
#include "lib/nn/dose_simple.h"

enum { DOSE_MAX_METHODS = 12 };
enum { DOSE_SCORED = 3 }; /* train, test, ood */
extern const char *const dose_scored_name[DOSE_SCORED];

struct dose_inputs {
    struct dose_set set;
    double held_out;
    struct mat vectors; /* [G, d], 0 where a gene has none; empty without */
    struct mat centred; /* the same for the decoder: centred, mean square length 1 */
    size_t n_vectors;
    struct mat truth;  /* [n_conditions, G]; empty without */
    uint32_t *changed; /* [n_conditions, n_changed] */
    size_t n_changed;
};
/* dose_inputs.c. On failure *in is empty. */
enum rc dose_inputs_read(struct dose_inputs *in, const struct dose_options *o, struct err *e);
void dose_inputs_release(struct dose_inputs *in);
/* part [n_cells], owned: the drawn split of seed, or the set's own. */
enum rc dose_parts_of(const struct dose_inputs *in, uint64_t seed, unsigned char **part,
                      struct err *e);

/* A condition's scores in one part. */
struct dose_row {
    size_t method, scored, seed, condition, n_cells;
    double score[DOSE_N_METRICS];
};

struct dose_job {
    const struct dose_options *o;
    struct dose_inputs in;
    const char *method[DOSE_MAX_METHODS];
    bool released[DOSE_MAX_METHODS]; /* the variant as-released */
    size_t n_methods;
    struct dose_row *row; /* owned */
    size_t n_rows, room;
};

/* dose_tables.c */
enum rc dose_row_add(struct dose_job *j, const struct dose_row *r, struct err *e);
enum rc dose_tables_write(const struct dose_job *j, struct err *e);

/* Two samples over the same conditions, told as a line of spread.tsv behind `lead`; header is
 * written by dose_spread_head. */
void dose_spread_head(const char *lead, FILE *f);
enum rc dose_spread_put(const double *a, const double *b, size_t n, FILE *f, struct err *e);

#endif
