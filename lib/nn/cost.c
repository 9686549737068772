#include "lib/nn/cost.h"

double cost_forward(const struct model_config *c, double n, double m)
{
    const double D = c->d, F = c->ffn, V = c->n_tokens, K = c->knowledge_dim, T = n + 1;
    double kinds = 0;
    for (int k = 0; k < N_KNOWLEDGE; k++)
        kinds += c->use_knowledge[k];
    const double layer = 8 * T * D * D + 4 * T * T * D + 4 * T * D * F;
    const double width = (1 + kinds) * D + c->use_values;
    const double embedding = 2 * n * (kinds * K * D + width * D + D * D);
    const double heads = m * (2 * 2 * D * D + 2 * D * V + 2 * D);
    return c->n_layers * layer + embedding + heads;
}
