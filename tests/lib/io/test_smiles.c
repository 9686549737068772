/* SMILES to atoms and bonds: hydrogens that the text leaves out, isotopes, folded hydrogens, rings
 * that Indigo cannot write with double bonds, and text that is refused. */
#include <string.h>

#include "lib/io/smiles.h"
#include "tests/tap.h"

static struct molecule m;
static struct err e;

static bool reads(const char *text, size_t n_atoms, size_t n_bonds)
{
    smiles_release(&m);
    e = (struct err){ 0 };
    return !smiles_read(text, &m, &e) && m.n_atoms == n_atoms && m.n_bonds == n_bonds;
}

static bool atom(size_t i, const char *symbol, int degree, int total_h, int implicit, bool aromatic)
{
    const struct molecule_atom *a = &m.atom[i];
    return strcmp(a->symbol, symbol) == 0 && a->degree == degree && a->total_h == total_h &&
           a->implicit_valence == implicit && a->aromatic == aromatic;
}

static void refused(const char *text, const char *why)
{
    smiles_release(&m);
    e = (struct err){ 0 };
    ok(smiles_read(text, &m, &e) == RC_INPUT && strstr(e.text, why) && !m.atom && !m.bond,
       "'%.20s': %s", text, e.text);
}

int main(void)
{
    if (!smiles_built_in()) {
        ok(smiles_read("C", &m, &e) == RC_SKIP && !m.atom, "%s", e.text);
        skip("SMILES: built without Indigo");
        return tap_end();
    }
    ok(reads("CC(=O)[O-]", 4, 3) && atom(0, "C", 1, 3, 3, false) && atom(3, "O", 1, 0, 0, false) &&
           m.atom[3].charge == -1 && m.atom[3].bracket && m.bond[1].order == BOND_DOUBLE,
       "acetate");
    ok(m.bond[1].conjugated && m.bond[2].conjugated && !m.bond[0].conjugated && !m.bond[1].in_ring,
       "its two C-O bonds are conjugated, the C-C bond is not");
    ok(reads("c1ccc[nH]1", 5, 5) && atom(0, "C", 2, 1, 1, true) && atom(4, "N", 2, 1, 0, true) &&
           m.bond[0].order == BOND_AROMATIC && m.bond[0].conjugated && m.bond[0].in_ring,
       "pyrrole: the written hydrogen is not left out");
    ok(reads("C1=CNC=C1", 5, 5) && atom(2, "N", 2, 1, 0, true), "nor that of its Kekule form");
    ok(reads("C[C@@H](N)O", 4, 3) && atom(1, "C", 3, 1, 0, false) && atom(2, "N", 1, 2, 2, false),
       "hydrogens in brackets count as hydrogens, not as left out");
    ok(reads("[H]C([H])([H])O", 2, 1) && atom(0, "C", 1, 3, 3, false),
       "plain hydrogens are folded into their neighbour");
    ok(reads("[2H]C([2H])([2H])O", 5, 4) && atom(1, "C", 4, 0, 0, false) &&
           atom(0, "H", 1, 0, 0, false),
       "deuterium stays an atom, and is no hydrogen of its neighbour");
    ok(reads("[Na+].[Cl-]", 2, 0) && atom(0, "Na", 0, 0, 0, false) && m.atom[0].charge == 1,
       "a salt");
    /* The ring of porphin: Indigo finds no double bonds for it. */
    ok(reads("c1cc2cc3ccc(cc4ccc(cc5ccc(cc1n2)[nH]5)n4)[nH]3", 24, 28) && m.atom[0].aromatic,
       "porphin is aromatic as its text says (%s)", e.text);
    /* Indigo's time doubles with every such atom: this one would take it years. */
    char ring[130] = "cc1";
    memset(ring + 3, 'b', 100);
    strcpy(ring + 103, "ccc1ccc");
    ok(reads(ring, 108, 108) && m.atom[50].aromatic && m.bond[50].order == BOND_AROMATIC,
       "a ring of a hundred aromatic borons is taken as its text says (%s)", e.text);
    ok(reads("c1cnnnnnnnnnnnnnn1", 16, 16) && m.n_atoms == 16,
       "fourteen nitrogens are decided (%s)", e.text);
    refused("", "no atom");
    refused("C[C", "do not close at byte 2");
    refused("CXC", "byte 2 is no atom");
    refused("CC name", "byte 3 is no atom");
    refused("C(", "a branch that");
    refused("CC)", "byte 3 ends no");
    refused("C1CC", "not closed");
    refused("C(C)(C)(C)(C)C", "valence");
    refused("F[S](F)(F)(F)(F)F", "6 neighbours");
    char long_text[SMILES_MAX_LENGTH + 2];
    memset(long_text, 'C', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    refused(long_text, "more than 10000");
    smiles_release(&m);
    return tap_end();
}
