/* A Perturb-seq set: expression of cells, each under a condition.
 *
 * Expression is ln(1 + scaled count), by cell and sparse: 91,000 cells x 3,040 genes of Norman et
 * al. 2019 take under 1 GB. Conditions are "ctrl", "A+ctrl" (or "ctrl+A") and "A+B", as GEARS
 * writes them; each is a set of genes, so two spellings of one set are one condition, under the
 * spelling that is first by bytes. Conditions are numbered by the bytes of their names. */
#ifndef GC_DATA_PERTURB_SET_H
#define GC_DATA_PERTURB_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"

enum { PERTURB_GENES = 2 };

struct perturb_condition {
    const char *name;
    int n_genes; /* 0: control */
    const char *gene[PERTURB_GENES];
    size_t n_cells;
};

struct perturb_set {
    size_t n_cells, n_genes;
    uint64_t *indptr;                    /* [n_cells + 1]; owned, as are the next two */
    uint32_t *index;                     /* rising within a cell */
    double *value;                       /* never 0 */
    const char **gene;                   /* [n_genes], owned; texts in `text` */
    struct perturb_condition *condition; /* [n_conditions], owned */
    size_t n_conditions, control;
    uint32_t *of; /* [n_cells] */
    struct arena text;
    /* what was done */
    bool were_counts;              /* whole numbers: scaled and logged here */
    size_t n_spellings;            /* conditions that were another one in another spelling */
    size_t n_renamed;              /* perturbed genes that took the spelling of the measured gene */
    size_t n_not_measured;         /* perturbed genes that no column has */
    size_t n_repeated_genes;       /* columns whose name came before */
    size_t n_small, n_small_cells; /* conditions below least_cells, and their cells: left out */
    const char **small;            /* [n_small] their names, owned */
};

enum perturb_values { PERTURB_AUTO, PERTURB_COUNTS, PERTURB_LOG };

struct perturb_rules {
    enum perturb_values values; /* auto: counts when every value is a whole number */
    double scale;               /* counts become ln(1 + scale count / total of the cell) */
    size_t least_cells;         /* smaller conditions are left out; the control never is */
};

/* Finishes a set of which n_cells, n_genes, indptr, index, value and gene are there (entries of a
 * cell in any order, zeros allowed). condition: [n_cells], as the source writes them. RC_INPUT: a
 * condition of another form, no control cell, nothing perturbed, a value that is no number, is
 * negative or (values counts) not whole, a gene twice in a cell. On failure *s is empty. */
enum rc perturb_set_finish(struct perturb_set *s, const char *const *condition,
                           const struct perturb_rules *rules, struct err *e);
/* Its first half: values alone, conditions left empty. On failure s is to be released. */
enum rc perturb_set_values(struct perturb_set *s, const struct perturb_rules *rules, struct err *e);
/* Leaves out conditions where keep[c] is 0, with their cells; the control always stays. */
enum rc perturb_set_keep(struct perturb_set *s, const unsigned char *keep, struct err *e);
void perturb_set_init(struct perturb_set *s);
void perturb_set_release(struct perturb_set *s);

/* to [n_genes]: the cell's expression, zeros included. */
void perturb_set_row(const struct perturb_set *s, size_t cell, double *to);

#endif
