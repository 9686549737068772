/* DeepSEM (Shu et al. 2021; HantaoShu/DeepSEM; spec 05 section 7), the mode that is not specific to
 * cell types: a variational autoencoder whose latent space is a linear structural equation model;
 * its matrix A is the regulatory network. Names are those of the release. m genes, H width.
 *
 *   A' = A without its diagonal, B = I - A'^T
 *   mu, logvar: an MLP on [x_g, 1] of every gene (2 -> H -> H, tanh, two heads), each times B
 *   z = mu + sqrt(e^logvar + 1e-10) noise;  x^ = MLP(z B^-1), gene by gene (1 -> H -> H -> 1, tanh)
 *   prior: y_mu, y_logvar = MLP(1) (1 -> H -> m, tanh), each times B
 *   loss = mean (x - x^)^2 + beta mean_cells [ln N(z; mu, var) - ln N(z; y_mu, y_var)]
 *          + beta (-ln 0.1) + alpha mean |A|,  ln N being a mean over genes, variances + 1e-8
 * There is one mixture component, so q(y|x) is 1 whatever its network says: that network
 * (inference_qyx) is declared for the sake of files and never gets a gradient. */
#ifndef GC_NN_DEEPSEM_H
#define GC_NN_DEEPSEM_H

#include "lib/tensor/params.h"
#include "lib/tensor/tape.h"

struct deepsem_config {
    size_t n_genes, d;
    double alpha, beta; /* 100, 1 */
};

struct deepsem {
    struct deepsem_config config;
    struct params params;
};

struct deepsem_out {
    struct tensor *mu, *z, *x_rec; /* [n, m] */
    double total, rec, gauss, cat, sparse;
};

/* RC_INPUT: sizes that do not fit together. On failure *m is empty. */
enum rc deepsem_init(struct deepsem *m, const struct deepsem_config *c, const struct backend *b,
                     bool training, struct err *e);
void deepsem_release(struct deepsem *m);
/* A = 1/(m-1) + U(0, 2e-4) off the diagonal, weights Xavier-normal, biases 0. */
void deepsem_randomise(struct deepsem *m, uint64_t seed);
/* x and noise [n, m]. Adds the loss's gradients in training. RC_CHECK: B has no inverse. */
enum rc deepsem_forward(const struct deepsem *m, struct tape *t, size_t n, const double *x,
                        const double *noise, struct deepsem_out *out, struct err *e);
/* RMSprop (0.99, 1e-8) of everything but A, or of A alone. Published: epoch mod 3 = 0 the first
 * with 1e-4, else the second with 0.2e-4. The release asks for a rate that falls by 0.95 every 0.99
 * epochs; PyTorch's StepLR lets it fall when the epoch is a multiple of that, which is first so at
 * epoch 99, after the 41 of the release: the rate stays. */
void deepsem_step_network(struct deepsem *m, double rate);
void deepsem_step_matrix(struct deepsem *m, double rate);

#endif
