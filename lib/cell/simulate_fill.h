/* Filling tables row by row (private to lib/cell/simulate*.c). */
#ifndef GC_CELL_SIMULATE_FILL_H
#define GC_CELL_SIMULATE_FILL_H

#include "lib/cell/simulate_table.h"

/* The first trouble stays; what follows does nothing. */
struct fill {
    struct table *t;
    struct err *e;
    enum rc rc;
};

/* A fresh table. kinds: one letter a column, t text, i whole number, f number; names: cut at each
 * |. */
struct fill fill_start(struct table *t, size_t n_rows, const char *kinds, const char *names,
                       struct err *e);
void fill_text(struct fill *f, size_t row, size_t col, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void fill_i64(struct fill *f, size_t row, size_t col, int64_t v);
void fill_f64(struct fill *f, size_t row, size_t col, double v);

/* The truth, each as a table (simulate_truth.c). */
enum rc sim_truth_network(const struct sim *s, struct table *t, struct err *e);
enum rc sim_truth_genes(const struct sim *s, struct table *t, struct err *e);
enum rc sim_truth_types(const struct sim *s, struct table *t, struct err *e);
enum rc sim_truth_cells(const struct sim *s, struct table *t, struct err *e);
enum rc sim_truth_doses(const struct sim *s, struct table *t, struct err *e);
enum rc sim_truth_effects(const struct sim *s, struct table *t, struct err *e);
enum rc sim_truth_labels(const struct sim *s, size_t sample, struct table *t, struct err *e);

/* TRRUST, CollecTRI or DoRothEA (simulate_lists.c). */
enum rc sim_published(const struct sim *s, enum sim_table k, enum species sp, struct table *t,
                      struct err *e);
/* Promoters (simulate_genome.c): FASTA, start sites, bases without names. */
enum rc sim_genome(const struct sim *s, enum species sp, struct table *t, struct err *e);
enum rc sim_sites(const struct sim *s, enum species sp, struct table *t, struct err *e);
enum rc sim_promoters(const struct sim *s, enum species sp, struct table *t, struct err *e);

/* Paired samples (simulate_paired.c). */
enum rc sim_paired(const struct sim *s, enum sim_table k, int which, struct table *t,
                   struct err *e);

#endif
