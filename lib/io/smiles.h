/* Molecules from SMILES, through the Indigo toolkit: aromaticity model `generic`, after
 * dearomatisation, plain hydrogens folded into their neighbours. Which hydrogens count as left out
 * by the text, and which bonds as conjugated, are rules of our own (lib/data/molecule.h), because
 * DeepCE's features come from RDKit and Indigo's answers differ there. What still differs:
 * docs/profile-drug.md. */
#ifndef GC_IO_SMILES_H
#define GC_IO_SMILES_H

#include "lib/data/molecule.h"

enum { SMILES_MAX_LENGTH = 10000 };

/* False: built without Indigo, and smiles_read answers RC_SKIP. */
bool smiles_built_in(void);

/* Atoms in the order of the text, bonds with their conjugation. *m owns its arrays.
 * RC_INPUT: text that is no SMILES, an atom with more than 5 neighbours. On failure *m is empty. */
enum rc smiles_read(const char *text, struct molecule *m, struct err *e);
void smiles_release(struct molecule *m);

#endif
