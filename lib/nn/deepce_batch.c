/* The links of a batch of molecules, and the two procedures on plain numbers of lib/nn/deepce.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/nn/deepce.h"

void deepce_batch_release(struct deepce_batch *b)
{
    links_release(&b->neighbours);
    links_release(&b->bonds);
    links_release(&b->drugs);
    for (int d = 0; d < DEEPCE_DEGREES; d++) {
        links_release(&b->degree[d]);
        b->row_of[d] = NULL;
        b->n_row[d] = 0;
    }
    free(b->row);
    free(b->by_signature);
    b->row = b->by_signature = b->atom_first = NULL;
}

/* Neighbours and bonds of every atom, both ways. */
static enum rc link_bonds(struct deepce_batch *b, const uint32_t *bond_atom, struct err *e)
{
    const size_t n = b->n_bonds;
    uint32_t *to = malloc((6 * n + 1) * sizeof *to), *from = to ? to + 2 * n : NULL,
             *bond = to ? to + 4 * n : NULL;
    if (!to)
        return err_set(e, RC_FAIL, "no memory for %zu bonds", n);
    for (size_t k = 0; k < n; k++) {
        to[2 * k] = from[2 * k + 1] = bond_atom[2 * k];
        to[2 * k + 1] = from[2 * k] = bond_atom[2 * k + 1];
        bond[2 * k] = bond[2 * k + 1] = (uint32_t)k;
    }
    enum rc rc =
        links_init(&b->neighbours, b->n_atoms, b->n_atoms, to, from, NULL, 2 * n, false, e);
    if (!rc)
        rc = links_init(&b->bonds, b->n_atoms, n, to, bond, NULL, 2 * n, false, e);
    free(to);
    return rc;
}

/* Rows by degree, and the way back to all rows. */
static enum rc link_degrees(struct deepce_batch *b, struct err *e)
{
    const uint32_t *first = b->neighbours.e.first;
    uint32_t *rising = malloc((b->n_atoms + 1) * sizeof *rising);
    b->row = malloc((b->n_atoms + 1) * sizeof *b->row);
    enum rc rc =
        rising && b->row ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu atoms", b->n_atoms);
    for (uint32_t i = 0; !rc && i < b->n_atoms; i++) {
        rising[i] = i;
        if (first[i + 1] - first[i] >= DEEPCE_DEGREES)
            rc = err_set(e, RC_INPUT, "atom %u has %u neighbours, more than %d", i,
                         first[i + 1] - first[i], DEEPCE_DEGREES - 1);
    }
    for (uint32_t d = 0, at = 0; !rc && d < DEEPCE_DEGREES; d++) {
        b->row_of[d] = b->row + at;
        for (uint32_t i = 0; i < b->n_atoms; i++)
            if (first[i + 1] - first[i] == d)
                b->row[at + b->n_row[d]++] = i;
        rc = links_init(&b->degree[d], b->n_atoms, b->n_row[d], b->row_of[d], rising, NULL,
                        b->n_row[d], false, e);
        at += b->n_row[d];
    }
    free(rising);
    return rc;
}

static enum rc link_signatures(struct deepce_batch *b, const uint32_t *signature, struct err *e)
{
    uint32_t *rising = malloc((b->n_atoms + 1) * sizeof *rising);
    b->by_signature = malloc((b->n_atoms + b->n + 2) * sizeof *b->by_signature);
    enum rc rc = rising && b->by_signature
                     ? RC_OK
                     : err_set(e, RC_FAIL, "no memory for %zu atoms", b->n_atoms);
    for (uint32_t i = 0; !rc && i < b->n_atoms; i++)
        rising[i] = i;
    if (!rc)
        rc = links_init(&b->drugs, b->n, b->n_atoms, signature, rising, NULL, b->n_atoms, false, e);
    free(rising);
    if (rc)
        return rc;
    /* links keep the order of rows within a signature */
    b->atom_first = b->by_signature + b->n_atoms;
    memcpy(b->by_signature, b->drugs.e.from, b->n_atoms * sizeof *b->by_signature);
    memcpy(b->atom_first, b->drugs.e.first, (b->n + 1) * sizeof *b->atom_first);
    for (size_t i = 0; i < b->n; i++)
        if (b->atom_first[i] == b->atom_first[i + 1])
            return err_set(e, RC_INPUT, "signature %zu has a drug without atoms", i);
    return RC_OK;
}

enum rc deepce_batch_init(struct deepce_batch *b, const struct deepce *m, const uint32_t *signature,
                          const uint32_t *bond_atom, struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < b->n; i++)
        if (b->cell[i] >= m->config.n_cells || b->dose[i] >= m->config.n_doses)
            rc = err_set(e, RC_INPUT, "signature %zu has cell %u of %zu and dose %u of %zu", i,
                         b->cell[i], m->config.n_cells, b->dose[i], m->config.n_doses);
    if (!rc)
        rc = link_bonds(b, bond_atom, e);
    if (!rc)
        rc = link_degrees(b, e);
    if (!rc)
        rc = link_signatures(b, signature, e);
    if (rc)
        deepce_batch_release(b);
    return rc;
}

struct ranked {
    double value;
    size_t index;
};

static int rising_value(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->value < y->value || x->value > y->value)
        return x->value < y->value ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

enum rc deepce_choose_replicate(const double *x, size_t n, size_t d, double *mean_rank,
                                size_t *chosen, struct err *e)
{
    struct ranked *r = malloc((n + 1) * sizeof *r);
    if (!r)
        return err_set(e, RC_FAIL, "no memory for %zu replicates", n);
    memset(mean_rank, 0, n * sizeof *mean_rank);
    for (size_t j = 0; j < d; j++) {
        for (size_t i = 0; i < n; i++)
            r[i] = (struct ranked){ x[i * d + j], i };
        qsort(r, n, sizeof *r, rising_value);
        for (size_t i = 0; i < n; i++)
            mean_rank[r[i].index] += (double)i;
    }
    free(r);
    double least = INFINITY;
    *chosen = 0;
    for (size_t i = 0; i < n; i++) {
        mean_rank[i] /= (double)d;
        const double off = mean_rank[i] - (double)(n - 1) / 2;
        if (off * off < least) {
            least = off * off;
            *chosen = i;
        }
    }
    return RC_OK;
}

/* Marks of the k lowest of sign * x. */
static void mark_lowest(const double *x, size_t n, size_t k, double sign, struct ranked *r,
                        bool *mark)
{
    for (size_t i = 0; i < n; i++)
        r[i] = (struct ranked){ sign * x[i], i };
    qsort(r, n, sizeof *r, rising_value);
    memset(mark, 0, n * sizeof *mark);
    for (size_t i = 0; i < k && i < n; i++)
        mark[r[i].index] = true;
}

enum rc deepce_precision(const double *label, const double *predicted, size_t n, size_t k,
                         size_t of, bool negative, double *out, struct err *e)
{
    struct ranked *r = malloc((n + 1) * sizeof *r);
    bool *mark = malloc(2 * n + 1);
    size_t hits = 0;
    *out = 0;
    if (r && mark) {
        mark_lowest(predicted, n, k, negative ? 1 : -1, r, mark);
        mark_lowest(label, n, of, negative ? 1 : -1, r, mark + n);
        for (size_t i = 0; i < n; i++)
            hits += mark[i] && mark[n + i];
        *out = (double)hits / (double)k;
    }
    const bool none = !r || !mark;
    free(r);
    free(mark);
    return none ? err_set(e, RC_FAIL, "no memory for %zu genes", n) : RC_OK;
}
