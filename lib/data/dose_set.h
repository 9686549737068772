/* Cells under drugs at doses (sci-Plex and its like): expression, and one drug at one dose per
 * cell.
 *
 * Expression is that of lib/data/perturb_set.h, ln(1 + scaled count), whose matrix half is used
 * here. A condition is a cell type, a drug and a dose; control cells of a type are one condition,
 * with no drug and dose 0. Types, drugs and conditions (type, then drug with the control first,
 * then dose) are in order of bytes and numbers, so the order of the cells says nothing. A drug's
 * name is taken as it stands: "A+B" is a drug of its own. */
#ifndef GC_DATA_DOSE_SET_H
#define GC_DATA_DOSE_SET_H

#include "lib/data/perturb_set.h"

#define DOSE_CONTROL UINT32_MAX

struct dose_condition {
    uint32_t type, drug; /* DOSE_CONTROL: none */
    double dose;         /* as the file has it; 0 for control */
    size_t n_cells;
};

enum dose_given { DOSE_TRAIN, DOSE_VAL, DOSE_TEST, DOSE_OOD, DOSE_NOT_GIVEN };

struct dose_set {
    struct perturb_set x;             /* n_cells, n_genes, values and gene names alone */
    const char **drug, **type;        /* [n_drugs], [n_types] by bytes, owned; texts in x.text */
    double *largest;                  /* [n_drugs] dose, owned */
    struct dose_condition *condition; /* [n_conditions], owned */
    size_t n_drugs, n_types, n_conditions;
    uint32_t *of;         /* [n_cells] condition, owned */
    unsigned char *given; /* [n_cells] enum dose_given, owned; NULL: no column of parts */
    /* what was done */
    size_t n_zero;                   /* cells of a drug at dose 0: control cells */
    size_t n_single, n_single_cells; /* drugs with one dose, and their cells: left out */
    size_t n_small, n_small_cells;   /* conditions below least_cells, likewise */
    size_t n_genes_before;           /* before dose_set_genes */
};

/* Of every cell, as the source has it; NULL or NaN: missing. type, part may be NULL. */
struct dose_columns {
    const char *const *drug, *const *type, *const *part;
    const double *dose;
};

struct dose_rules {
    struct perturb_rules values; /* least_cells: smaller conditions are left out, control never */
    const char *control;         /* the drug name of control cells */
    bool drop_single;            /* drugs with one dose are left out, else refused */
};

/* Finishes a set of which x is there as lib/io/perturb_raw.h leaves it. RC_INPUT: a cell without
 * drug, dose or type, a dose below 0 or not finite (that of control cells is not looked at), a part
 * that is not train, val, test or ood, no control cell (of a type), no drug, a drug with one dose,
 * and what perturb_set_values refuses. On failure *s is empty. */
enum rc dose_set_finish(struct dose_set *s, const struct dose_columns *c,
                        const struct dose_rules *rules, struct err *e);
/* Keeps the n genes whose values vary most over all cells (equal variance: the earlier column). */
enum rc dose_set_genes(struct dose_set *s, size_t n, struct err *e);
void dose_set_init(struct dose_set *s);
void dose_set_release(struct dose_set *s);

/* The control condition of a type. */
size_t dose_set_control(const struct dose_set *s, uint32_t type);

#endif
