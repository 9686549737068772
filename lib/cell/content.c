#include "lib/cell/content.h"

#include <stdlib.h>

#include "lib/base/rng.h"

uint64_t *content_genes(const char *const *gene, size_t n)
{
    uint64_t *h = malloc((n + 1) * sizeof *h);
    for (size_t j = 0; h && j < n; j++)
        h[j] = hash_text(gene[j]);
    return h;
}

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

void content_rows(const struct csr *c, const uint64_t *gene, int64_t *content)
{
    for (size_t r = 0; r < c->n_rows; r++) {
        uint64_t sum = 0;
        for (uint64_t k = c->indptr[r]; k < c->indptr[r + 1]; k++)
            sum += mix(gene[c->index[k]] + c->value[k] * 0x9e3779b97f4a7c15u);
        content[r] = (int64_t)sum;
    }
}
