/* GEARS (Roohani, Huang, Leskovec 2023; release 0.1.2; spec 05 section 11): expression after a
 * perturbation from expression before it, and the variant with GeneCompass embeddings. Names are
 * those of the release. n cells, G genes, P nodes of the perturbation graph, H width; rows of cells
 * x genes lie cell by cell.
 *
 *   gene     base = MLP(relu(BN(gene_emb)) + 0.2 conv_coexpression(emb_pos))         [n G, H]
 *            or the cell's own gene embeddings (the rest of this line then only moves tables and
 *            running statistics)
 *   perturb  u = conv_GO(pert_emb) [P, H]; summed over a cell's genes, MLP over the perturbed
 * cells, added to every gene of its cell recover  h = MLP(relu(BN(base))); w_g = h_g . indv_w1_g +
 * b1_g                   [n, G] cross    c = MLP(w) [n, H]; delta_g = w_g indv_w2[g,0] + c .
 * indv_w2[g,1:] + b2_g prediction = delta + x MLP = Linear, BN, ReLU, Linear, BN. conv = simplified
 * graph convolution (lib/nn/links.h), Linear.
 *
 * As released: rows of the three tables longer than 1 are shortened in the tables themselves at
 * every pass; only the first cell of a batch has co-expression edges, the others the Linear alone;
 * a single perturbed cell goes through its MLP twice. */
#ifndef GC_NN_GEARS_H
#define GC_NN_GEARS_H

#include "lib/nn/links.h"
#include "lib/tensor/params.h"
#include "lib/tensor/tape.h"

struct gears_config {
    size_t n_genes, n_nodes, d;
    size_t d_embedding; /* of the cells' gene embeddings; 0: the original */
    bool project; /* a Linear without bias brings them to d (gene_proj.weight, ours); else d */
    /* Ours: the gene branch runs once per batch, over the genes, and every cell gets its rows; so every
     * cell has the co-expression graph, statistics of bn_emb and emb_trans_v2 are those of the
     * genes, and with embeddings nothing of the original's branch runs. false: as released. */
    bool shared;
};

struct gears {
    struct gears_config config;
    struct params params;
    struct links go;        /* convolution over the nodes */
    struct links coexpress; /* convolution over the genes */
};

/* An edge list: from -> to. */
struct gears_edges {
    size_t n;
    const uint32_t *from, *to;
    const double *weight;
};

/* RC_INPUT: sizes or edges that do not fit together. On failure *m is empty. */
enum rc gears_init(struct gears *m, const struct gears_config *c, const struct gears_edges *go,
                   const struct gears_edges *coexpress, const struct backend *b, bool training,
                   struct err *e);
void gears_release(struct gears *m);
/* As PyTorch starts: tables N(0, 1), linear layers uniform, indv_* Xavier-normal. */
void gears_randomise(struct gears *m, uint64_t seed);

/* A batch; all but the links is borrowed. */
struct gears_batch {
    size_t n, n_perturbed;
    const double *x;         /* [n, G] control expression */
    const double *embedding; /* [n G, d_embedding], shared: [G, d_embedding]; NULL: the original */
    struct links genes;      /* tables to rows of cells x genes; shared: empty */
    struct links sums;       /* nodes to perturbed cells (twice when there is one) */
    struct links spread;     /* perturbed cells to their rows */
};

/* node: those of cell i are node[first[i] .. first[i+1]); none for a control. RC_INPUT: a node that
 * is not there. On failure *b is empty. */
enum rc gears_batch_init(struct gears_batch *b, const struct gears *m, size_t n, const double *x,
                         const double *embedding, const uint32_t *first, const uint32_t *node,
                         struct err *e);
void gears_batch_release(struct gears_batch *b);

/* Tensors of the tape; those that a variant does not have are NULL. */
struct gears_out {
    struct tensor *bn_emb, *coexpress, *base_mlp; /* [n G, H]; shared: [G, H] */
    struct tensor *go;                            /* [P, H] */
    struct tensor *fused;                         /* [n_perturbed, H] */
    struct tensor *bn_base, *recovered;           /* [n G, H] */
    struct tensor *w;                             /* [n, G] */
    struct tensor *cross;                         /* [n, H] */
    struct tensor *predicted;                     /* [n, G] */
};

/* Shortens the tables of m (also in evaluation). train: statistics of the batch. */
void gears_forward(struct gears *m, struct tape *t, const struct gears_batch *b, bool train,
                   struct gears_out *out);

/* Cells by condition, with the genes that count for each. */
struct gears_target {
    const double *y, *control_mean; /* [n, G], [G] */
    const uint32_t *condition_of;   /* [n] */
    size_t n_conditions;
    const uint32_t *const *gene; /* [n_conditions] lists */
    const size_t *n_genes;
    double direction; /* lambda: 0.1 */
    bool square;      /* (p - y)^2 in place of the fourth power: the loss that the paper tells of */
};
/* mean over conditions of (sum (p - y)^4 + lambda (sign(y - c) - sign(p - c))^2) / (cells x genes).
 * The second term has no gradient; *without_direction (may be NULL) leaves it out. */
enum rc gears_loss(struct tape *t, struct tensor *predicted, const struct gears_target *target,
                   double *loss, double *without_direction, struct err *e);
/* Adam with clipping to +-1; parameters that the variant never uses stay, without decay too. step
 * from 1. Published: rate 1e-3 halved every epoch, decay 5e-4. */
void gears_step(struct gears *m, double rate, double decay, uint64_t step);

#endif
