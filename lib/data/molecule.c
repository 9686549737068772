#include "lib/data/molecule.h"

#include <stdlib.h>
#include <string.h>

enum { N_ELEMENTS = 44, N_DEGREES = 6, N_HYDROGENS = 5, N_VALENCES = 6, N_BONDS = 6 };

static const char element[N_ELEMENTS][4] = { "C",  "N",  "O",  "S",  "F",  "Si", "P",  "Cl", "Br",
                                             "Mg", "Na", "Ca", "Fe", "As", "Al", "I",  "B",  "V",
                                             "K",  "Tl", "Yb", "Sb", "Sn", "Ag", "Pd", "Co", "Se",
                                             "Ti", "Zn", "H",  "Li", "Ge", "Cu", "Au", "Ni", "Cd",
                                             "In", "Mn", "Zr", "Cr", "Pt", "Hg", "Pb", "" };

/* Default valence and outer electrons; elements that are not here have no default valence. */
static const struct valence {
    char symbol[4];
    int valence, outer;
    bool light; /* rows 1 and 2 of the periodic table */
} valence[] = { { "H", 1, 1, true },   { "B", 3, 3, true },   { "C", 4, 4, true },
                { "N", 3, 5, true },   { "O", 2, 6, true },   { "F", 1, 7, true },
                { "Si", 4, 4, false }, { "P", 3, 5, false },  { "S", 2, 6, false },
                { "Cl", 1, 7, false }, { "As", 3, 5, false }, { "Se", 2, 6, false },
                { "Br", 1, 7, false }, { "I", 1, 7, false } };

enum rc molecule_check(const struct molecule *m, struct err *e)
{
    int *degree = calloc(m->n_atoms + 1, sizeof *degree);
    enum rc rc = degree ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu atoms", m->n_atoms);
    for (size_t k = 0; !rc && k < m->n_bonds; k++) {
        if (m->bond[k].a >= m->n_atoms || m->bond[k].b >= m->n_atoms)
            rc = err_set(e, RC_INPUT, "bond %zu joins atoms %u and %u of %zu", k, m->bond[k].a,
                         m->bond[k].b, m->n_atoms);
        else {
            degree[m->bond[k].a]++;
            degree[m->bond[k].b]++;
        }
    }
    for (size_t i = 0; !rc && i < m->n_atoms; i++)
        if (m->atom[i].degree != degree[i])
            rc = err_set(e, RC_INPUT, "atom %zu has %d bonds, not %d", i, degree[i],
                         m->atom[i].degree);
    free(degree);
    return rc;
}

static double order_of(enum bond_order o)
{
    return o == BOND_AROMATIC ? 1.5 : o == BOND_TRIPLE ? 3 : o == BOND_DOUBLE ? 2 : 1;
}

/* bonds: sum of the orders of its bonds. */
static bool is_candidate(const struct molecule_atom *a, double bonds)
{
    const struct valence *v = NULL;
    for (size_t i = 0; i < sizeof valence / sizeof *valence; i++)
        if (strcmp(valence[i].symbol, a->symbol) == 0)
            v = &valence[i];
    const int k = a->degree + a->total_h;
    if (!v || v->valence <= 1 || k > 3)
        return false;
    if (!v->light && (v->outer == 5 || v->outer == 6) && !(v->outer == 6 && k == 1))
        return false;
    const int lone = v->outer - v->valence - a->charge;
    int electrons = v->valence - k + (lone > 0 ? lone : 0);
    if (electrons > 1 && bonds + (a->bracket ? a->total_h : 0) - a->degree > 1)
        electrons = 1;
    return electrons > 0;
}

/* The bond's other end; UINT32_MAX when a is not one of its ends. */
static uint32_t across(const struct molecule_bond *b, uint32_t a)
{
    return b->a == a ? b->b : b->b == a ? b->a : UINT32_MAX;
}

enum rc molecule_conjugate(struct molecule *m, struct err *e)
{
    bool *candidate = malloc(m->n_atoms + 1);
    double *sum = calloc(m->n_atoms + 1, sizeof *sum);
    const bool good = candidate && sum;
    for (size_t k = 0; good && k < m->n_bonds; k++) {
        m->bond[k].conjugated = m->bond[k].order == BOND_AROMATIC;
        sum[m->bond[k].a] += order_of(m->bond[k].order);
        sum[m->bond[k].b] += order_of(m->bond[k].order);
    }
    for (size_t i = 0; good && i < m->n_atoms; i++)
        candidate[i] = is_candidate(&m->atom[i], sum[i]);
    for (uint32_t a = 0; good && a < m->n_atoms; a++) {
        const int neighbours = m->atom[a].degree + m->atom[a].total_h;
        if (!candidate[a] || neighbours < 2 || neighbours > 3)
            continue;
        for (size_t i = 0; i < m->n_bonds; i++) {
            const uint32_t b = across(&m->bond[i], a);
            if (b == UINT32_MAX || !candidate[b] || order_of(m->bond[i].order) < 1.5)
                continue;
            for (size_t j = 0; j < m->n_bonds; j++) {
                const uint32_t c = across(&m->bond[j], a);
                if (j != i && c != UINT32_MAX && candidate[c] &&
                    m->atom[c].degree + m->atom[c].total_h <= 3)
                    m->bond[i].conjugated = m->bond[j].conjugated = true;
            }
        }
    }
    free(candidate);
    free(sum);
    return good ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu atoms", m->n_atoms);
}

static int at_most(int x, int most)
{
    return x < 0 ? 0 : x > most ? most : x;
}

enum rc molecule_atom_features(const struct molecule_atom *a, double *to, struct err *e)
{
    size_t at = 0, which = N_ELEMENTS - 1;
    if (a->degree < 0 || a->degree >= N_DEGREES)
        return err_set(e, RC_INPUT, "an atom '%s' has %d neighbours, more than %d", a->symbol,
                       a->degree, N_DEGREES - 1);
    memset(to, 0, (N_ELEMENTS + N_DEGREES + N_HYDROGENS + N_VALENCES + 1) * sizeof *to);
    for (size_t i = 0; i + 1 < N_ELEMENTS; i++)
        if (strcmp(element[i], a->symbol) == 0)
            which = i;
    to[which] = 1;
    to[(at += N_ELEMENTS) + (size_t)a->degree] = 1;
    to[(at += N_DEGREES) + (size_t)at_most(a->total_h, N_HYDROGENS - 1)] = 1;
    to[(at += N_HYDROGENS) + (size_t)at_most(a->implicit_valence, N_VALENCES - 1)] = 1;
    to[at + N_VALENCES] = a->aromatic;
    return RC_OK;
}

void molecule_bond_features(const struct molecule_bond *b, double *to)
{
    memset(to, 0, N_BONDS * sizeof *to);
    to[b->order] = 1;
    to[4] = b->conjugated;
    to[5] = b->in_ring;
}
