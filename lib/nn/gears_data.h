/* What GEARS (release 0.1.2; spec 05 section 11) prepares: the two graphs and the split. */
#ifndef GC_NN_GEARS_DATA_H
#define GC_NN_GEARS_DATA_H

#include "lib/nn/mat.h"
#include "lib/nn/split.h"

/* Edges from -> to, owned. */
struct gears_graph {
    size_t n;
    uint32_t *from, *to;
    double *weight;
};

void gears_graph_release(struct gears_graph *g);

/* A GO graph: for all ordered pairs of genes, a gene with itself too, the Jaccard index of their
 * terms; those above `least` (0.1) are kept, per target the k + 1 largest, ties to the earlier
 * source. term: those of gene i are term[first[i] .. first[i+1]), each once. */
enum rc gears_graph_go(const size_t *first, const uint32_t *term, size_t n_genes, size_t n_terms,
                       size_t k, double least, struct gears_graph *g, struct err *e);
/* A co-expression graph: |Pearson| over the cells (undefined: 0), per target the k + 1 largest (the
 * gene itself is one of them, with about 1), those above `least` (0.4) kept. Cells: those of
 * control and single perturbations in training. */
enum rc gears_graph_coexpression(const struct mat *cells, size_t k, double least,
                                 struct gears_graph *g, struct err *e);

/* The same from the correlations [d, d], of either sign. */
enum rc gears_graph_correlation(const struct mat *r, size_t k, double least, struct gears_graph *g,
                                struct err *e);

/* Of a list of edges (as GEARS publishes one) those kept that are among the k + 1 largest of their
 * target, ties to the earlier; the order stays. */
enum rc gears_graph_trim(struct gears_graph *g, size_t k, struct err *e);

/* Which part of a test (or validation) set a perturbation is in; GEARS_SEEN: none. */
enum gears_class {
    GEARS_SEEN,
    GEARS_UNSEEN_SINGLE,
    GEARS_COMBO_SEEN0,
    GEARS_COMBO_SEEN1,
    GEARS_COMBO_SEEN2
};

/* One round of the split 'simulation' over n perturbations ("A+ctrl", "ctrl+A", "A+B"): a share of
 * the perturbed genes (sorted by bytes; numpy's legacy permutation, seeded anew) is seen; singles
 * of unseen genes and doubles with an unseen gene are held out, and of doubles whose genes are both
 * seen (sorted as strings, the generator seeded anew) all but a share. Sizes are rounded down.
 * seen_gene (may be NULL) gets the names in the order of the draw, n_seen how many; room for
 * 2 n, borrowed from an arena of the caller. RC_INPUT: a name of another form. */
struct arena;
enum rc gears_split_round(const char *const *name, size_t n, uint32_t seed, double gene_share,
                          double combo_share, enum gears_class *class_of, const char **seen_gene,
                          size_t *n_seen, struct arena *memory, struct err *e);
/* The whole split: a round with 0.75 and 0.75 gives the test set, one with 0.9 and 0.9 over what is
 * left the validation set. */
enum rc gears_split(const char *const *name, size_t n, uint32_t seed, enum part *part,
                    enum gears_class *class_of, struct err *e);

#endif
