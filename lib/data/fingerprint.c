#include "lib/data/fingerprint.h"

#include <stdlib.h>
#include <string.h>

/* The last step of MurmurHash3: every bit of x reaches every bit of the result. */
static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 33)) * 0xff51afd7ed558ccdULL;
    x = (x ^ (x >> 33)) * 0xc4ceb9fe1a85ec53ULL;
    return x ^ (x >> 33);
}

static uint64_t of_atom(const struct molecule_atom *a)
{
    uint64_t h = 0;
    for (const char *s = a->symbol; *s; s++)
        h = h * 256 + (unsigned char)*s;
    const int fact[] = { a->degree, a->total_h, a->charge + 16, a->aromatic };
    for (size_t i = 0; i < sizeof fact / sizeof *fact; i++)
        h = mix(h * 64 + (uint64_t)fact[i]);
    return h;
}

enum rc fingerprint_of(const struct molecule *m, int radius, size_t n_bits, double *to,
                       struct err *e)
{
    uint64_t *h = malloc((2 * m->n_atoms + 1) * sizeof *h), *sum = h ? h + m->n_atoms : NULL;
    if (!h)
        return err_set(e, RC_FAIL, "no memory for %zu atoms", m->n_atoms);
    memset(to, 0, n_bits * sizeof *to);
    for (size_t i = 0; i < m->n_atoms; i++)
        h[i] = of_atom(&m->atom[i]);
    for (int r = 0;; r++) {
        for (size_t i = 0; i < m->n_atoms; i++)
            to[h[i] % n_bits] = 1;
        if (r == radius)
            break;
        /* A sum, so that the order of the neighbours does not matter. */
        memset(sum, 0, m->n_atoms * sizeof *sum);
        for (size_t k = 0; k < m->n_bonds; k++) {
            const struct molecule_bond *b = &m->bond[k];
            sum[b->a] += mix(h[b->b] + (uint64_t)b->order + 1);
            sum[b->b] += mix(h[b->a] + (uint64_t)b->order + 1);
        }
        for (size_t i = 0; i < m->n_atoms; i++)
            h[i] = mix(h[i] ^ mix(sum[i] + (uint64_t)r));
    }
    free(h);
    return RC_OK;
}

double fingerprint_likeness(const double *a, const double *b, size_t n_bits)
{
    double both = 0, either = 0;
    for (size_t i = 0; i < n_bits; i++) {
        both += a[i] > 0 && b[i] > 0;
        either += a[i] > 0 || b[i] > 0;
    }
    return either > 0 ? both / either : 0;
}
