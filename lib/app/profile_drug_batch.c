/* Drugs in cell lines at doses as a batch of DeepCE. */
#include <stdlib.h>

#include "lib/app/profile_drug_parts.h"

void profile_batch_release(struct profile_batch *p)
{
    void *const all[] = { p->atom, p->bond, p->signature, p->bond_atom, p->cell, p->dose };
    deepce_batch_release(&p->b);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    *p = (struct profile_batch){ 0 };
}

static enum rc make_room(struct profile_batch *p, size_t n, size_t atoms, size_t bonds,
                         struct err *e)
{
    p->atom = malloc((atoms + 1) * DEEPCE_ATOM * sizeof *p->atom);
    p->bond = malloc((bonds + 1) * DEEPCE_BOND * sizeof *p->bond);
    p->signature = malloc((atoms + 1) * sizeof *p->signature);
    p->bond_atom = malloc((2 * bonds + 1) * sizeof *p->bond_atom);
    p->cell = malloc((n + 1) * sizeof *p->cell);
    p->dose = malloc((n + 1) * sizeof *p->dose);
    return p->atom && p->bond && p->signature && p->bond_atom && p->cell && p->dose
               ? RC_OK
               : err_set(e, RC_FAIL, "no memory for a batch of %zu atoms", atoms);
}

/* Rows of molecule i of the batch behind those before; at, bond_at move on. */
static enum rc put_molecule(struct profile_batch *p, const struct molecule *m, uint32_t i,
                            size_t *at, size_t *bond_at, struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t k = 0; k < m->n_bonds; k++, ++*bond_at) {
        molecule_bond_features(&m->bond[k], p->bond + *bond_at * DEEPCE_BOND);
        p->bond_atom[2 * *bond_at] = (uint32_t)*at + m->bond[k].a;
        p->bond_atom[2 * *bond_at + 1] = (uint32_t)*at + m->bond[k].b;
    }
    for (size_t k = 0; !rc && k < m->n_atoms; k++, ++*at) {
        rc = molecule_atom_features(&m->atom[k], p->atom + *at * DEEPCE_ATOM, e);
        p->signature[*at] = i;
    }
    return rc;
}

enum rc profile_batch_make(struct profile_batch *p, const struct deepce *m, const struct drugs *d,
                           const struct signature *of, const uint32_t *row, size_t n,
                           const struct mat *gene_vector, const struct mat *embedding,
                           struct err *e)
{
    size_t atoms = 0, bonds = 0, at = 0, bond_at = 0;
    profile_batch_release(p);
    for (size_t i = 0; i < n; i++) {
        atoms += d->molecule[of[row[i]].drug].n_atoms;
        bonds += d->molecule[of[row[i]].drug].n_bonds;
    }
    enum rc rc = make_room(p, n, atoms, bonds, e);
    for (uint32_t i = 0; !rc && i < n; i++) {
        const struct signature *s = &of[row[i]];
        p->cell[i] = s->cell;
        p->dose[i] = s->dose;
        rc = put_molecule(p, &d->molecule[s->drug], i, &at, &bond_at, e);
    }
    if (!rc) {
        p->b = (struct deepce_batch){ .n = n,
                                      .n_atoms = atoms,
                                      .n_bonds = bonds,
                                      .atom = p->atom,
                                      .bond = p->bond,
                                      .gene_vector = gene_vector->x,
                                      .embedding = embedding->x,
                                      .cell = p->cell,
                                      .dose = p->dose };
        rc = deepce_batch_init(&p->b, m, p->signature, p->bond_atom, e);
    }
    if (rc)
        profile_batch_release(p);
    return rc;
}
