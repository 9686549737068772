/* Two readers of one text. Our own scan goes over the atoms in the order of the text and says which
 * stand in brackets: Indigo does not tell, and the rules for hydrogens need it. Indigo builds the
 * molecule; its atoms have the same order, so the n-th of one is the n-th of the other.
 *
 *   c1ccc[nH]1    scan: c c c c [nH]    Indigo: 5 aromatic atoms, hydrogens 1 1 1 1 1
 *                 implicit valence 1 1 1 1 0: the last one's hydrogen is written */
#include "lib/io/smiles.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

void smiles_release(struct molecule *m)
{
    free(m->atom);
    free(m->bond);
    *m = (struct molecule){ 0 };
}

#ifdef WITH_INDIGO
#include <indigo.h>

/* What the text says of an atom. */
struct written {
    bool bracket, lower; /* lower: aromatic in the text */
    int hydrogens;       /* in brackets */
};

/* The inside of brackets up to and with ']'; NULL: no end. Isotope, element, chirality, hydrogens,
 * charge; what is no such thing Indigo refuses. */
static const char *scan_bracket(const char *s, struct written *w)
{
    w->bracket = true;
    while (isdigit((unsigned char)*s))
        s++;
    w->lower = islower((unsigned char)*s);
    if (*s && *s != ']') /* an element may be H itself */
        s++;
    while (*s && *s != ']' && *s != '[') {
        if (*s == 'H')
            w->hydrogens = isdigit((unsigned char)s[1]) ? s[1] - '0' : 1;
        s++;
    }
    return *s == ']' ? s + 1 : NULL;
}

/* Length of an element that needs no brackets, 0 if there is none. */
static size_t organic(const char *s)
{
    if ((s[0] == 'C' && s[1] == 'l') || (s[0] == 'B' && s[1] == 'r'))
        return 2;
    return *s && strchr("BCNOPSFIbcnops*", *s) ? 1 : 0;
}

/* to: room for as many as the text has bytes. */
static enum rc scan(const char *text, struct written *to, size_t *n, struct err *e)
{
    size_t open = 0; /* branches; Indigo lets the last one stay so */
    *n = 0;
    for (const char *s = text; *s;) {
        struct written w = { 0 };
        const size_t k = organic(s);
        if (*s == '[') {
            const char *end = scan_bracket(s + 1, &w);
            if (!end)
                return err_set(e, RC_INPUT, "brackets that do not close at byte %zu",
                               (size_t)(s - text) + 1);
            s = end;
        } else if (k) {
            w.lower = islower((unsigned char)*s);
            s += k;
        } else if (isdigit((unsigned char)*s) || strchr("()-=#$:/\\.%", *s)) {
            if (*s == ')' && !open)
                return err_set(e, RC_INPUT, "byte %zu ends no branch", (size_t)(s - text) + 1);
            open += *s == '(';
            open -= *s == ')';
            s++;
            continue;
        } else {
            return err_set(e, RC_INPUT, "byte %zu is no atom, bond, branch or ring",
                           (size_t)(s - text) + 1);
        }
        to[(*n)++] = w;
    }
    if (open)
        return err_set(e, RC_INPUT, "a branch that does not end");
    return *n ? RC_OK : err_set(e, RC_INPUT, "there is no atom");
}

static enum rc trouble(struct err *e)
{
    return err_set(e, RC_INPUT, "%s", indigoGetLastError());
}

/* Hydrogens by the text alone, for rings that Indigo cannot write with double bonds. */
static int hydrogens_of_text(const struct written *w, const struct molecule_atom *a)
{
    if (w->bracket)
        return w->hydrogens;
    const bool carbon = strcmp(a->symbol, "C") == 0;
    return carbon && a->degree < 3 ? 3 - a->degree : 0;
}

static enum rc take_atom(int h, const struct written *w, bool as_written, struct molecule_atom *a,
                         struct err *e)
{
    const char *symbol = indigoSymbol(h);
    if (!symbol)
        return trouble(e);
    *a = (struct molecule_atom){ .bracket = w->bracket, .degree = indigoDegree(h) };
    if (strlen(symbol) < sizeof a->symbol) /* longer: no element, and stays without a name */
        memcpy(a->symbol, symbol, strlen(symbol) + 1);
    indigoGetCharge(h, &a->charge);
    a->total_h = as_written && w->lower ? hydrogens_of_text(w, a) : indigoCountImplicitHydrogens(h);
    return a->total_h < 0 ? trouble(e) : RC_OK;
}

/* row: of an atom of Indigo; atoms that were folded away have none. */
static enum rc take_atoms(int mol, const struct written *w, size_t n, bool as_written,
                          uint32_t *row, struct molecule *m, struct err *e)
{
    enum rc rc = RC_OK;
    const int all = indigoIterateAtoms(mol);
    int h;
    if (all < 0)
        return trouble(e);
    while (!rc && (h = indigoNext(all)) > 0) {
        const int at = indigoIndex(h);
        if (at < 0 || (size_t)at >= n)
            rc = err_set(e, RC_INPUT, "atoms that cannot be told apart");
        else
            rc = take_atom(h, &w[at], as_written, &m->atom[m->n_atoms], e);
        if (!rc)
            row[at] = (uint32_t)m->n_atoms++;
        indigoFree(h);
    }
    indigoFree(all);
    return rc || m->n_atoms ? rc : err_set(e, RC_INPUT, "there is no atom");
}

static enum rc take_bond(int h, size_t n, const uint32_t *row, struct molecule *m, struct err *e)
{
    const int order = indigoBondOrder(h), from = indigoSource(h), to = indigoDestination(h);
    const int a = indigoIndex(from), b = indigoIndex(to);
    indigoFree(from);
    indigoFree(to);
    if (order < 1 || order > 4)
        return err_set(e, RC_INPUT, "a bond that is neither single, double, triple nor aromatic");
    if (a < 0 || b < 0 || (size_t)a >= n || (size_t)b >= n)
        return err_set(e, RC_INPUT, "atoms that cannot be told apart");
    struct molecule_bond *bond = &m->bond[m->n_bonds++];
    *bond = (struct molecule_bond){ row[a], row[b], (enum bond_order)(order - 1),
                                    indigoTopology(h) == INDIGO_RING, false };
    if (bond->order == BOND_AROMATIC)
        m->atom[bond->a].aromatic = m->atom[bond->b].aromatic = true;
    return RC_OK;
}

static enum rc take_bonds(int mol, size_t n, const uint32_t *row, struct molecule *m, struct err *e)
{
    enum rc rc = RC_OK;
    const int all = indigoIterateBonds(mol);
    int h;
    if (all < 0)
        return trouble(e);
    while (!rc && (h = indigoNext(all)) > 0) {
        rc = take_bond(h, n, row, m, e);
        indigoFree(h);
    }
    indigoFree(all);
    return rc;
}

/* RDKit's, exact on all 1,794 drugs of DeepCE: hydrogens in brackets are explicit, and it writes
 * that of an aromatic nitrogen so itself, and frees that of an [nH] that turns out not aromatic. */
static int implicit_valence(const struct molecule_atom *a, const struct written *w)
{
    const bool nitrogen = strcmp(a->symbol, "N") == 0;
    if (w->bracket)
        return nitrogen && w->lower && w->hydrogens == 1 && !a->aromatic;
    return nitrogen && a->aromatic ? 0 : a->total_h;
}

/* Indigo tries both for every aromatic atom that may or may not have a double bond, so its time
 * doubles with each of them in a ring system: 2^16 are a fraction of a second. Phthalocyanine,
 * large for a drug, has 8. */
enum { MOST_UNDECIDED = 16 };

static bool undecided(const char *symbol)
{
    static const char *const decided[] = { "C", "O", "S", "Se", "Te" };
    for (size_t i = 0; i < sizeof decided / sizeof *decided; i++)
        if (strcmp(symbol, decided[i]) == 0)
            return false;
    return true;
}

static uint32_t root_of(uint32_t *up, uint32_t i)
{
    while (up[i] != i)
        i = up[i] = up[up[i]];
    return i;
}

/* Joins atoms along aromatic bonds; up [n]. */
static enum rc join_aromatic(int mol, size_t n, uint32_t *up, struct err *e)
{
    const int all = indigoIterateBonds(mol);
    int h;
    if (all < 0)
        return trouble(e);
    while ((h = indigoNext(all)) > 0) {
        const int from = indigoSource(h), to = indigoDestination(h);
        const int a = indigoIndex(from), b = indigoIndex(to);
        if (indigoBondOrder(h) == 4 && a >= 0 && b >= 0 && (size_t)a < n && (size_t)b < n)
            up[root_of(up, (uint32_t)a)] = root_of(up, (uint32_t)b);
        indigoFree(from);
        indigoFree(to);
        indigoFree(h);
    }
    indigoFree(all);
    return RC_OK;
}

/* count [n], zeroed: undecided atoms of each ring system. */
static enum rc count_undecided(int mol, size_t n, uint32_t *up, uint32_t *count, struct err *e)
{
    enum rc rc = join_aromatic(mol, n, up, e);
    const int all = rc ? -1 : indigoIterateAtoms(mol);
    int h;
    if (!rc && all < 0)
        rc = trouble(e);
    while (!rc && (h = indigoNext(all)) > 0) {
        const char *symbol = indigoSymbol(h);
        const int at = indigoIndex(h);
        if (symbol && at >= 0 && (size_t)at < n && undecided(symbol) &&
            ++count[root_of(up, (uint32_t)at)] > MOST_UNDECIDED)
            rc = err_set(e, RC_INPUT, "a ring system with more than %d aromatic atoms such as %s",
                         MOST_UNDECIDED, symbol);
        indigoFree(h);
    }
    indigoFree(all);
    return rc;
}

static enum rc check_ring_systems(int mol, size_t n, struct err *e)
{
    uint32_t *up = malloc((n + 1) * sizeof *up), *count = calloc(n + 1, sizeof *count);
    for (uint32_t i = 0; up && i < n; i++)
        up[i] = i;
    const enum rc rc = up && count ? count_undecided(mol, n, up, count, e)
                                   : err_set(e, RC_FAIL, "no memory for %zu atoms", n);
    free(up);
    free(count);
    return rc;
}

/* The molecule of `text` as Indigo has it; as_written: aromatic where the text is. */
static enum rc load(const char *text, bool as_written, size_t n, int *mol, struct err *e)
{
    *mol = indigoLoadMoleculeFromString(text);
    if (*mol < 0)
        return trouble(e);
    if ((size_t)indigoCountAtoms(*mol) != n)
        return err_set(e, RC_INPUT, "atoms that cannot be told apart");
    if (!as_written && check_ring_systems(*mol, n, e))
        return e->rc;
    if (!as_written && indigoDearomatize(*mol) < 0)
        return trouble(e);
    if (indigoFoldHydrogens(*mol) < 0 || (!as_written && indigoAromatize(*mol) < 0))
        return trouble(e);
    return RC_OK;
}

static enum rc build(const char *text, bool as_written, const struct written *w, size_t n,
                     uint32_t *row, struct molecule *m, struct err *e)
{
    int mol;
    m->n_atoms = m->n_bonds = 0;
    enum rc rc = load(text, as_written, n, &mol, e);
    const int n_bonds = rc ? 0 : indigoCountBonds(mol);
    if (!rc && n_bonds < 0)
        rc = trouble(e);
    free(m->bond);
    m->bond = malloc(((size_t)n_bonds + 1) * sizeof *m->bond);
    if (!rc && !m->bond)
        rc = err_set(e, RC_FAIL, "no memory for %d bonds", n_bonds);
    if (!rc)
        rc = take_atoms(mol, w, n, as_written, row, m, e);
    if (!rc)
        rc = take_bonds(mol, n, row, m, e);
    for (size_t at = 0; !rc && at < n; at++)
        if (row[at] != UINT32_MAX)
            m->atom[row[at]].implicit_valence = implicit_valence(&m->atom[row[at]], &w[at]);
    if (mol >= 0)
        indigoFree(mol);
    return rc;
}

static enum rc read_text(const char *text, struct molecule *m, struct err *e)
{
    const size_t length = strlen(text);
    struct written *w = malloc((length + 1) * sizeof *w);
    uint32_t *row = malloc((length + 1) * sizeof *row);
    size_t n = 0;
    m->atom = calloc(length + 1, sizeof *m->atom);
    enum rc rc = w && row && m->atom ? scan(text, w, &n, e)
                                     : err_set(e, RC_FAIL, "no memory for a molecule");
    if (row)
        memset(row, 0xff, (length + 1) * sizeof *row);
    const bool scanned = !rc;
    if (!rc)
        rc = build(text, false, w, n, row, m, e);
    if (rc == RC_INPUT && scanned) {
        /* Some rings cannot be written with double bonds by Indigo (porphyrins; those that would
         * take it years): the text's own
         * aromaticity then. The first refusal stays where this one is refused too. */
        struct err second = { 0 };
        memset(row, 0xff, (length + 1) * sizeof *row);
        memset(m->atom, 0, (length + 1) * sizeof *m->atom);
        rc = build(text, true, w, n, row, m, &second) ? e->rc : RC_OK;
    }
    free(w);
    free(row);
    if (!rc)
        rc = molecule_check(m, e);
    for (size_t i = 0; !rc && i < m->n_atoms; i++)
        if (m->atom[i].degree > MOLECULE_MAX_DEGREE)
            rc = err_set(e, RC_INPUT, "an atom '%s' has %d neighbours, more than %d",
                         m->atom[i].symbol, m->atom[i].degree, MOLECULE_MAX_DEGREE);
    return rc ? rc : molecule_conjugate(m, e);
}

bool smiles_built_in(void)
{
    return true;
}

enum rc smiles_read(const char *text, struct molecule *m, struct err *e)
{
    struct err own = { 0 };
    *m = (struct molecule){ 0 };
    if (strlen(text) > SMILES_MAX_LENGTH)
        return err_set(e, RC_INPUT, "a SMILES of more than %d bytes", SMILES_MAX_LENGTH);
    /* A session of its own: options of others do not reach it, and its objects go with it. */
    const qword session = indigoAllocSessionId();
    indigoSetSessionId(session);
    indigoSetOption("aromaticity-model", "generic");
    const enum rc rc = read_text(text, m, &own);
    indigoReleaseSessionId(session);
    if (rc)
        smiles_release(m);
    return rc ? err_set(e, rc, "%s", own.text) : RC_OK;
}

#else

bool smiles_built_in(void)
{
    return false;
}

enum rc smiles_read(const char *text, struct molecule *m, struct err *e)
{
    (void)text;
    *m = (struct molecule){ 0 };
    return err_set(e, RC_SKIP, "built without Indigo (libindigo-dev), which reads SMILES");
}

#endif
