/* Between the files of perturb.h. */
#ifndef GC_APP_PERTURB_PARTS_H
#define GC_APP_PERTURB_PARTS_H

#include <stdio.h>

#include "lib/app/embedder.h"
#include "lib/app/perturb.h"
#include "lib/nn/perturb_null.h"

/* ---- cells ---- */

struct held_cell {
    uint64_t id;
    size_t number; /* in all inputs */
    uint8_t species;
    struct ranked_cell genes;
    const char *sample, *name;
};

struct held_cells {
    struct held_cell *cell; /* [n] by number; owned */
    size_t n, room, n_seen; /* n_seen: of the inputs, with a gene that the model knows */
    bool has[2];            /* species */
    struct arena memory;
    struct cells head; /* with per_cell: names and obs of the held cells, nothing else; owned */
    const struct perturb_options *o;
};

enum rc held_cells_read(struct held_cells *c, const struct embedder *m,
                        const struct perturb_options *o, struct err *e);
void held_cells_release(struct held_cells *c);

/* ---- perturbations ---- */

/* What is measured of a cell: the first two, then towards each target. */
enum {
    MEASURE_CLS,
    MEASURE_GENE,
    MEASURE_TARGET,
    MAX_TARGETS = 2,
    MAX_MEASURES = MEASURE_TARGET + MAX_TARGETS
};
size_t n_measures(const struct perturb_options *o);
void measure_name(const struct perturb_options *o, size_t m, char name[80]);

struct perturbation {
    const char *name; /* "GATA4", "GATA4+TBX5" */
    uint16_t token[CHANGE_MAX_GENES];
    uint32_t n_tokens;
    uint32_t *control; /* [n_controls] places in perturbations.item */
    size_t n_controls;
    /* once it was run */
    uint32_t n_cells;
    double mean[MAX_MEASURES], sd[MAX_MEASURES], low[MAX_MEASURES], high[MAX_MEASURES];
    double null_mean[MAX_MEASURES], null_sd[MAX_MEASURES], p[MAX_MEASURES], q[MAX_MEASURES];
};

struct perturbations {
    struct perturbation *item; /* [n]: n_named, then controls; owned */
    size_t n, n_named, room;
    struct matched_gene *gene; /* [n_genes] what the cells show the model, and the named; owned */
    size_t n_genes;
    uint32_t *gene_of; /* [V] place in gene, UINT32_MAX: none; owned */
    struct map by_tokens;
    struct arena memory;
};

enum rc perturbations_make(struct perturbations *p, const struct embedder *m,
                           const struct held_cells *c, const struct perturb_options *o,
                           struct err *e);
void perturbations_release(struct perturbations *p);

/* ---- targets ---- */

/* Cells that perturbed ones may come to resemble: the mean of their vectors, each of length 1, so
 * that a product with another such vector is the mean cosine over all pairs. */
struct targets {
    double *mean[MAX_TARGETS]; /* [D] owned */
    size_t n;
};

enum rc targets_make(struct targets *t, struct embedder *m, const struct perturb_options *o,
                     struct err *e);
void targets_release(struct targets *t);

/* ---- shifts ---- */

/* Of one perturbation, cell by cell. */
struct cell_shifts {
    uint32_t *cell; /* [n] places in held_cells.cell; owned, as is value */
    double *value;  /* [MAX_MEASURES][room] */
    size_t n, room;
};

/* What perturbations [from, to) do. */
struct shifts {
    size_t from, to, n_genes;
    struct running *gene;   /* [to - from][n_genes]; owned */
    struct cell_shifts *of; /* [to - from]; owned */
    uint64_t n_copies;      /* perturbed cells */
};

/* Means over cells when nothing is done, and when genes of equal x change places. */
struct noise {
    struct running nothing[MAX_MEASURES], ties[MAX_MEASURES];
};

enum rc shifts_run(struct shifts *s, struct embedder *m, const struct held_cells *c,
                   const struct perturbations *p, const struct targets *t,
                   const struct perturb_options *o, size_t from, size_t to, struct err *e);
void shifts_release(struct shifts *s);
enum rc noise_run(struct noise *n, struct embedder *m, const struct held_cells *c,
                  const struct perturbations *p, const struct targets *t,
                  const struct perturb_options *o, struct err *e);

/* ---- results ---- */

/* A tab and a number. */
void perturb_put_number(FILE *f, double x);
/* Lines of candidates.tsv. */
enum rc candidates_put(FILE *f, const struct perturb_options *o, const struct perturbations *p,
                       const struct vocab *v, struct err *e);

struct perturb_tables;
/* control_mean [n - n_named][n_genes], NaN where a control says nothing of a gene. */
enum rc perturb_tables_open(struct perturb_tables **t, const struct perturb_options *o,
                            const struct held_cells *c, const struct perturbations *p,
                            struct err *e);
/* Means and intervals of the perturbations of *s, into p->item. */
enum rc perturb_summarise(const struct shifts *s, struct perturbations *p,
                          const struct perturb_options *o, struct err *e);
/* Lines of effects.tsv and cells.tsv, columns of shifts.h5ad. */
enum rc perturb_tables_add(struct perturb_tables *t, const struct shifts *s,
                           const struct perturbations *p, const float *control_mean,
                           const struct held_cells *c, const struct embedder *m, struct err *e);
/* p and q of the named perturbations, predictions.tsv and metrics.tsv; the files get their names.
 */
enum rc perturb_tables_close(struct perturb_tables *t, struct perturbations *p,
                             const struct noise *noise, const struct held_cells *c,
                             struct embedder *m, struct err *e);
void perturb_tables_abort(struct perturb_tables *t); /* NULL is fine; also behind close */

/* ---- cells.tsv and shifts.h5ad ---- */

struct per_cell;
/* On failure *t is NULL. */
enum rc per_cell_open(struct per_cell **t, const struct perturb_options *o,
                      const struct held_cells *c, const struct perturbations *p, struct err *e);
/* Lines and columns of the perturbations of *s. */
enum rc per_cell_add(struct per_cell *t, const struct shifts *s, const struct perturbations *p,
                     const struct held_cells *c, struct err *e);
/* The files get their names, or are gone; t is freed in any case. */
enum rc per_cell_close(struct per_cell *t, const struct held_cells *c,
                       const struct perturbations *p, struct embedder *m, struct err *e);
void per_cell_abort(struct per_cell *t); /* NULL is fine */

#endif
