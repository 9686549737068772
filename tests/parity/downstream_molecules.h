/* Atoms and bonds of deepce_tiny: vectors of the molecules in molecules.json, the conjugation rule
 * on them and on those of atoms200.tsv.gz, where the folder has it; and what we read of the SMILES
 * in smiles200.tsv against those tables: only drugs that indigo_differences.tsv names may differ.
 */
#ifndef GC_TESTS_PARITY_DOWNSTREAM_MOLECULES_H
#define GC_TESTS_PARITY_DOWNSTREAM_MOLECULES_H

#include "lib/data/molecule.h"
#include "lib/io/smiles.h"
#include "tests/parity/downstream.h"

static enum bond_order order_named(const char *name)
{
    static const char *const known[] = { "single", "double", "triple", "aromatic" };
    for (int k = 0; k < 4; k++)
        if (strcmp(name, known[k]) == 0)
            return (enum bond_order)k;
    refuse("a bond of type '%s'", name);
}

static int small_whole(const json_t *o, const char *key)
{
    const double v = json_float(o, key);
    if (!(fabs(v) < 1000))
        refuse("key '%s' is %g", key, v);
    return (int)v;
}

static void atom_symbol(struct molecule_atom *a, const char *symbol)
{
    if (strlen(symbol) >= sizeof a->symbol)
        refuse("an atom '%s'", symbol);
    memcpy(a->symbol, symbol, strlen(symbol) + 1);
}

/* Numbers of the ones in x against a list. */
static bool same_ones(const double *x, size_t n, const json_t *list)
{
    size_t at = 0;
    for (size_t i = 0; i < n; i++)
        if (x[i] > 0 && (size_t)json_integer_value(json_array_get(list, at++)) != i)
            return false;
    return at == json_array_size(list);
}

static void molecule_read(struct molecule *m, bool **conjugated, const json_t *drug)
{
    const json_t *atoms = json_part(drug, "atoms"), *bonds = json_part(drug, "bonds");
    m->n_atoms = json_array_size(atoms);
    m->n_bonds = json_array_size(bonds);
    m->atom = room(m->n_atoms, sizeof *m->atom);
    m->bond = room(m->n_bonds, sizeof *m->bond);
    *conjugated = room(m->n_bonds, sizeof **conjugated);
    for (size_t i = 0; i < m->n_atoms; i++) {
        const json_t *a = json_array_get(atoms, i);
        m->atom[i] = (struct molecule_atom){ .degree = small_whole(a, "degree"),
                                             .total_h = small_whole(a, "total_h"),
                                             .implicit_valence = small_whole(a, "implicit_valence"),
                                             .charge = small_whole(a, "charge"),
                                             .aromatic = small_whole(a, "aromatic") != 0,
                                             .bracket = small_whole(a, "bracket") != 0 };
        atom_symbol(&m->atom[i], json_words(json_part(a, "symbol"), "symbol"));
    }
    for (size_t k = 0; k < m->n_bonds; k++) {
        const json_t *b = json_array_get(bonds, k);
        m->bond[k] =
            (struct molecule_bond){ .a = (uint32_t)json_count(b, "begin"),
                                    .b = (uint32_t)json_count(b, "end"),
                                    .order = order_named(json_words(json_part(b, "type"), "type")),
                                    .in_ring = small_whole(b, "in_ring") != 0 };
        (*conjugated)[k] = small_whole(b, "conjugated") != 0;
    }
}

static bool molecule_agrees(const struct molecule *m, const bool *conjugated, const json_t *drug)
{
    struct err e = { 0 };
    double x[64];
    const json_t *atoms = json_part(drug, "atom_feature_ones"),
                 *bonds = json_part(drug, "bond_feature_ones");
    bool same = true;
    for (size_t i = 0; i < m->n_atoms; i++) {
        if (molecule_atom_features(&m->atom[i], x, &e))
            refuse("%s", e.text);
        same = same && same_ones(x, 62, json_array_get(atoms, i));
    }
    for (size_t k = 0; k < m->n_bonds; k++) {
        molecule_bond_features(&m->bond[k], x);
        same = same && m->bond[k].conjugated == conjugated[k] &&
               same_ones(x, 6, json_array_get(bonds, k));
    }
    return same;
}

/* The rows of a table that name this drug: [*from, *to). */
static void rows_of_drug(const struct table *t, const char *drug, size_t *from, size_t *to)
{
    while (*from < t->n_rows && strcmp(table_find(t, "pert_id")->text[*from], drug) != 0)
        ++*from;
    for (*to = *from; *to < t->n_rows; ++*to)
        if (strcmp(table_find(t, "pert_id")->text[*to], drug) != 0)
            break;
}

static int cell_whole(const struct table *t, const char *column, size_t row)
{
    const struct column *c = table_find(t, column);
    double v;
    if (!c || !number_parse(c->text[row], &v) || !(fabs(v) < 1e6))
        refuse("column '%s', row %zu is no whole number", column, row + 1);
    return (int)v;
}

/* Conjugation of the drugs in the two tables. */
static void molecules_of_tables(const char *dir)
{
    struct table a = table_in(dir, "atoms200.tsv.gz",
                              "pert_id,symbol,degree,total_h,charge,bracket"),
                 b = table_in(dir, "bonds200.tsv.gz", "pert_id,begin,end,type,conjugated");
    struct err e = { 0 };
    size_t n = 0, other = 0;
    for (size_t at = 0, end, bond_at = 0, bond_end; at < a.n_rows; at = end, bond_at = bond_end) {
        const char *drug = table_find(&a, "pert_id")->text[at];
        rows_of_drug(&a, drug, &at, &end);
        rows_of_drug(&b, drug, &bond_at, &bond_end);
        struct molecule m = { end - at, bond_end - bond_at, room(end - at, sizeof *m.atom),
                              room(bond_end - bond_at, sizeof *m.bond) };
        for (size_t i = 0; i < m.n_atoms; i++) {
            m.atom[i] = (struct molecule_atom){ .degree = cell_whole(&a, "degree", at + i),
                                                .total_h = cell_whole(&a, "total_h", at + i),
                                                .charge = cell_whole(&a, "charge", at + i),
                                                .bracket = cell_whole(&a, "bracket", at + i) != 0 };
            atom_symbol(&m.atom[i], table_find(&a, "symbol")->text[at + i]);
        }
        for (size_t k = 0; k < m.n_bonds; k++)
            m.bond[k] = (struct molecule_bond){ .a = (uint32_t)cell_whole(&b, "begin", bond_at + k),
                                                .b = (uint32_t)cell_whole(&b, "end", bond_at + k),
                                                .order = order_named(
                                                    table_find(&b, "type")->text[bond_at + k]) };
        if (molecule_check(&m, &e) || molecule_conjugate(&m, &e))
            refuse("drug '%s': %s", drug, e.text);
        size_t wrong = 0;
        for (size_t k = 0; k < m.n_bonds; k++)
            wrong += m.bond[k].conjugated != (cell_whole(&b, "conjugated", bond_at + k) != 0);
        if (wrong)
            note("drug '%s': %zu bonds", drug, wrong);
        other += wrong != 0;
        n++;
    }
    ok(n && !other, "conjugated bonds of %zu drugs, %zu differ", n, other);
    table_release(&a);
    table_release(&b);
}

/* ---- SMILES ---- */

static bool same_atom(const struct molecule_atom *a, const struct table *t, size_t row)
{
    return strcmp(a->symbol, table_find(t, "symbol")->text[row]) == 0 &&
           a->degree == cell_whole(t, "degree", row) &&
           a->total_h == cell_whole(t, "total_h", row) &&
           a->implicit_valence == cell_whole(t, "implicit_valence", row) &&
           a->aromatic == (cell_whole(t, "aromatic", row) != 0) &&
           a->charge == cell_whole(t, "charge", row) &&
           a->bracket == (cell_whole(t, "bracket", row) != 0);
}

/* The bond of the same atoms, wherever it stands. */
static bool has_bond(const struct molecule *m, const struct table *t, size_t row)
{
    const uint32_t from = (uint32_t)cell_whole(t, "begin", row),
                   to = (uint32_t)cell_whole(t, "end", row);
    for (size_t k = 0; k < m->n_bonds; k++) {
        const struct molecule_bond *b = &m->bond[k];
        if ((b->a == from && b->b == to) || (b->a == to && b->b == from))
            return b->order == order_named(table_find(t, "type")->text[row]) &&
                   b->conjugated == (cell_whole(t, "conjugated", row) != 0) &&
                   b->in_ring == (cell_whole(t, "in_ring", row) != 0);
    }
    return false;
}

/* Is a drug named as one that Indigo sees otherwise? */
static bool difference_named(const struct table *named, const char *drug)
{
    for (size_t i = 0; i < named->n_rows; i++)
        if (strcmp(table_find(named, "pert_id")->text[i], drug) == 0 &&
            strcmp(table_find(named, "aromaticity_model")->text[i], "generic") == 0)
            return true;
    return false;
}

static void molecules_of_smiles(const char *dir)
{
    struct table s = table_in(dir, "smiles200.tsv", "pert_id,smiles"),
                 named = table_in(dir, "indigo_differences.tsv", "pert_id,aromaticity_model"),
                 a = table_in(dir, "atoms200.tsv.gz",
                              "pert_id,symbol,degree,total_h,implicit_valence,aromatic,charge,"
                              "bracket"),
                 b = table_in(dir, "bonds200.tsv.gz", "pert_id,begin,end,type,conjugated,in_ring");
    size_t other = 0, listed = 0;
    for (size_t i = 0, at = 0, end, bond_at = 0, bond_end; i < s.n_rows;
         i++, at = end, bond_at = bond_end) {
        const char *drug = table_find(&s, "pert_id")->text[i];
        struct err e = { 0 };
        struct molecule m;
        rows_of_drug(&a, drug, &at, &end);
        rows_of_drug(&b, drug, &bond_at, &bond_end);
        const bool unread = smiles_read(table_find(&s, "smiles")->text[i], &m, &e);
        bool same = !unread && m.n_atoms == end - at && m.n_bonds == bond_end - bond_at;
        for (size_t k = 0; same && k < m.n_atoms; k++)
            same = same_atom(&m.atom[k], &a, at + k);
        for (size_t k = 0; same && k < m.n_bonds; k++)
            same = has_bond(&m, &b, bond_at + k);
        if (!same) {
            const bool known = difference_named(&named, drug);
            note("drug '%s' differs%s%s", drug, known ? ", which the folder names" : "", e.text);
            listed += known;
            other += !known;
        }
        smiles_release(&m);
    }
    ok(s.n_rows && !other, "atoms and bonds of %zu SMILES, %zu differ unnamed, %zu named", s.n_rows,
       other, listed);
    table_release(&s);
    table_release(&named);
    table_release(&a);
    table_release(&b);
}

/* Rows of the batch are the atoms of molecules.json's drugs. */
static void molecules_of_batch(const struct golden *g, const json_t *all)
{
    const json_t *drugs = json_part(all, "drugs"), *of = json_part(all, "signature_drug");
    const size_t n = golden_dim(g, "atom_features", 0), n_signatures = json_array_size(of);
    const double *want = golden_numbers(g, "atom_features", n * 62);
    const uint32_t *signature = golden_indices(g, "atom_signature", n, n_signatures),
                   *index = golden_indices(g, "atom_index", n, 1 << 20);
    struct err e = { 0 };
    size_t other = 0;
    for (size_t r = 0; r < n; r++) {
        const char *name = json_words(json_array_get(of, signature[r]), "a drug");
        struct molecule m = { 0 };
        bool *conjugated;
        double x[62];
        for (size_t k = 0; k < json_array_size(drugs) && !m.n_atoms; k++)
            if (strcmp(json_words(json_part(json_array_get(drugs, k), "pert_id"), "pert_id"),
                       name) == 0)
                molecule_read(&m, &conjugated, json_array_get(drugs, k));
        if (index[r] >= m.n_atoms || molecule_atom_features(&m.atom[index[r]], x, &e))
            refuse("row %zu of atom_features has no atom in molecules.json", r);
        other += memcmp(x, want + r * 62, sizeof x) != 0;
    }
    ok(n && !other, "%zu rows of atom_features are those atoms, %zu differ", n, other);
}

static void parity_molecules(const char *dir, const struct golden *g)
{
    json_t *all = json_of(dir, "molecules.json");
    const json_t *drugs = json_part(all, "drugs");
    struct err e = { 0 };
    size_t other = 0;
    for (size_t i = 0; i < json_array_size(drugs); i++) {
        const json_t *drug = json_array_get(drugs, i);
        struct molecule m;
        bool *conjugated;
        molecule_read(&m, &conjugated, drug);
        if (molecule_check(&m, &e) || molecule_conjugate(&m, &e))
            refuse("drug %zu: %s", i, e.text);
        other += !molecule_agrees(&m, conjugated, drug);
    }
    ok(json_array_size(drugs) && !other, "atom and bond vectors of %zu drugs, %zu differ",
       json_array_size(drugs), other);
    molecules_of_batch(g, all);
    if (file_exists(path_in(dir, "atoms200.tsv.gz")))
        molecules_of_tables(dir);
    if (!smiles_built_in())
        skip("SMILES: built without Indigo");
    else if (file_exists(path_in(dir, "smiles200.tsv")))
        molecules_of_smiles(dir);
    json_decref(all);
}

#endif
