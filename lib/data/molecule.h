/* Atoms and bonds as DeepCE's fingerprint wants them (spec 05 section 9; rules and what they were
 * checked on: golden/downstream/deepce_tiny/README.md). What is given here comes from whoever reads
 * the SMILES: elements, charges, hydrogens, aromaticity, rings. */
#ifndef GC_DATA_MOLECULE_H
#define GC_DATA_MOLECULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

enum {
    MOLECULE_MAX_DEGREE = 5,
    MOLECULE_ATOM = 62,
    MOLECULE_BOND = 6
}; /* widths of the features */

enum bond_order { BOND_SINGLE, BOND_DOUBLE, BOND_TRIPLE, BOND_AROMATIC };

struct molecule_atom {
    char symbol[4];
    int degree;           /* neighbours that are atoms of the list */
    int total_h;          /* hydrogens that are not */
    int implicit_valence; /* those of them that the text leaves out */
    int charge;
    bool aromatic, bracket; /* bracket: written in brackets, so its hydrogens are explicit */
};

struct molecule_bond {
    uint32_t a, b;
    enum bond_order order;
    bool in_ring, conjugated;
};

struct molecule {
    size_t n_atoms, n_bonds;
    struct molecule_atom *atom; /* borrowed, as are the bonds */
    struct molecule_bond *bond;
};

/* RC_INPUT: a bond to no atom, a degree that the bonds do not give. */
enum rc molecule_check(const struct molecule *m, struct err *e);
/* Sets `conjugated` of every bond of a checked molecule (RDKit's rule). RC_FAIL: memory. */
enum rc molecule_conjugate(struct molecule *m, struct err *e);

/* to [62]: one-hot of 44 elements (the last: any other), degree 0-5, total H 0-4 and implicit
 * valence 0-5 (beyond the list: the last), aromatic. RC_INPUT: a degree above 5. */
enum rc molecule_atom_features(const struct molecule_atom *a, double *to, struct err *e);
/* to [6]: single, double, triple, aromatic, conjugated, in a ring. */
void molecule_bond_features(const struct molecule_bond *b, double *to);

#endif
