/* DeepCE beyond the reference values of parity-downstream: the conjugation rule on molecules that
 * can be checked by eye, refusals, equal predictions from both backends, learning. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/base/thread.h"
#include "lib/nn/deepce.h"
#include "lib/data/molecule.h"
#include "lib/nn/net.h"
#include "tests/tap.h"

/* A chain of carbons with these bonds between them. */
static size_t conjugated_in_chain(const enum bond_order *order, size_t n_bonds)
{
    struct molecule_atom atom[8] = { 0 };
    struct molecule_bond bond[8] = { 0 };
    struct molecule m = { n_bonds + 1, n_bonds, atom, bond };
    struct err e = { 0 };
    int used[8] = { 0 };
    size_t n = 0;
    for (uint32_t k = 0; k < n_bonds; k++) {
        bond[k] = (struct molecule_bond){ .a = k, .b = k + 1, .order = order[k] };
        used[k] += (int)order[k] + 1;
        used[k + 1] += (int)order[k] + 1;
        atom[k].degree++;
        atom[k + 1].degree++;
    }
    for (size_t i = 0; i < m.n_atoms; i++) {
        memcpy(atom[i].symbol, "C", 2);
        atom[i].total_h = atom[i].implicit_valence = 4 - used[i];
    }
    if (molecule_check(&m, &e) || molecule_conjugate(&m, &e))
        return SIZE_MAX;
    for (size_t k = 0; k < n_bonds; k++)
        n += bond[k].conjugated;
    return n;
}

static void molecules(void)
{
    ok(conjugated_in_chain((enum bond_order[]){ BOND_DOUBLE, BOND_SINGLE, BOND_DOUBLE }, 3) == 3,
       "butadiene is conjugated");
    ok(conjugated_in_chain(
           (enum bond_order[]){ BOND_DOUBLE, BOND_SINGLE, BOND_SINGLE, BOND_DOUBLE }, 4) == 0,
       "1,4-pentadiene is not");
    ok(conjugated_in_chain((enum bond_order[]){ BOND_SINGLE, BOND_SINGLE }, 2) == 0,
       "nor is propane");
    struct molecule_atom a = { "Xx", 3, 9, 7, 0, true, false };
    double x[DEEPCE_ATOM], y[DEEPCE_BOND], sum = 0;
    struct err e = { 0 };
    ok(!molecule_atom_features(&a, x, &e) && near(x[43], 1, 0, 0) && near(x[47], 1, 0, 0) &&
           near(x[54], 1, 0, 0) && near(x[60], 1, 0, 0) && near(x[61], 1, 0, 0),
       "an unknown element; counts beyond the list are its last");
    for (int i = 0; i < DEEPCE_ATOM; i++)
        sum += x[i];
    ok(near(sum, 5, 0, 0), "five ones");
    a.degree = 6;
    ok(molecule_atom_features(&a, x, &e) == RC_INPUT, "%s", e.text);
    molecule_bond_features(&(struct molecule_bond){ 0, 1, BOND_AROMATIC, true, false }, y);
    ok(near(y[3], 1, 0, 0) && near(y[4], 0, 0, 0) && near(y[5], 1, 0, 0), "an aromatic ring bond");
    struct molecule_bond far = { .a = 0, .b = 9 };
    struct molecule m = { 1, 1, &a, &far };
    ok(molecule_check(&m, &e) == RC_INPUT, "%s", e.text);
}

enum { G = 4, N = 3, ATOMS = 7, BONDS = 4 };
static const uint32_t signature[ATOMS] = { 0, 1, 2, 0, 1, 0, 2 },
                      ends[2 * BONDS] = { 0, 3, 3, 5, 1, 4, 2, 6 };
static double atom[ATOMS * DEEPCE_ATOM], bond[BONDS * DEEPCE_BOND], vectors[G * 5],
    embedding[G * 3], label[N * G];
static const uint32_t cell[N] = { 0, 1, 1 }, dose[N] = { 2, 0, 1 };

static const struct deepce_config small = { .n_genes = G,
                                            .d_gene = 5,
                                            .d = 4,
                                            .heads = 2,
                                            .layers = 2,
                                            .inner = 6,
                                            .d_hidden = 5,
                                            .n_conv = 2,
                                            .conv = { 4, 3 },
                                            .n_cells = 2,
                                            .d_cell = 2,
                                            .n_doses = 3,
                                            .d_dose = 2,
                                            .d_embedding = 3,
                                            .d_projected = 2,
                                            .dropout = 0.1 };

static struct deepce_batch made_batch(void)
{
    for (size_t i = 0; i < ATOMS; i++)
        atom[i * DEEPCE_ATOM + rng_below(1, RNG_TEST, 1, i, 40)] = 1;
    for (size_t i = 0; i < BONDS; i++)
        bond[i * DEEPCE_BOND] = 1;
    for (size_t i = 0; i < G * 5; i++)
        vectors[i] = rng_normal(1, RNG_TEST, 2, i);
    for (size_t i = 0; i < G * 3; i++)
        embedding[i] = rng_normal(1, RNG_TEST, 3, i);
    for (size_t i = 0; i < N * G; i++)
        label[i] = rng_normal(1, RNG_TEST, 4, i);
    return (struct deepce_batch){ .n = N,
                                  .n_atoms = ATOMS,
                                  .n_bonds = BONDS,
                                  .atom = atom,
                                  .bond = bond,
                                  .gene_vector = vectors,
                                  .embedding = embedding,
                                  .cell = cell,
                                  .dose = dose };
}

static void learns(const struct backend *b, double *first)
{
    struct deepce m;
    struct err e = { 0 };
    struct deepce_batch batch = made_batch();
    double loss = 0, start = 0;
    if (!ok(!deepce_init(&m, &small, b, true, &e) &&
                !deepce_batch_init(&batch, &m, signature, ends, &e),
            "%s: a small network%s", b->name, e.text))
        return;
    deepce_randomise(&m, 2);
    for (uint64_t step = 0; step < 300; step++) {
        struct tape t;
        struct deepce_out out;
        batch.dropout = step > 0;
        batch.seed = step;
        tape_init(&t, b, true);
        params_zero_gradients(&m.params);
        deepce_forward(&m, &t, &batch, true, &out);
        if (!step)
            reals_to_f64(b, first, out.predicted->x, N * G);
        if (deepce_loss(&t, out.predicted, label, &loss, &e))
            loss = NAN;
        tape_backward(&t);
        deepce_step(&m, 0.01, step + 1);
        start = step ? start : loss;
        tape_release(&t);
    }
    ok(loss < 0.5 * start, "%s: the loss falls from %.3f to %.3f", b->name, start, loss);
    deepce_batch_release(&batch);
    deepce_release(&m);
}

static void refusals(void)
{
    struct deepce m;
    struct err e = { 0 };
    struct deepce_config c = small;
    c.heads = 3;
    ok(deepce_init(&m, &c, &backend_ref, false, &e) == RC_INPUT && !m.params.item, "%s", e.text);
    if (!ok(!deepce_init(&m, &small, &backend_ref, false, &e), "a small network"))
        return;
    struct deepce_batch b = made_batch();
    const uint32_t far[2 * BONDS] = { 0, ATOMS }, star[] = { 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6 },
                           without[ATOMS] = { 0, 0, 0, 0, 0, 0, 1 }, high[N] = { 0, 0, 9 };
    ok(deepce_batch_init(&b, &m, signature, far, &e) == RC_INPUT && !b.row, "%s", e.text);
    b.n_bonds = 6;
    ok(deepce_batch_init(&b, &m, signature, star, &e) == RC_INPUT && !b.row, "%s", e.text);
    b.n_bonds = BONDS;
    ok(deepce_batch_init(&b, &m, without, ends, &e) == RC_INPUT && !b.row, "%s", e.text);
    b.cell = high;
    ok(deepce_batch_init(&b, &m, signature, ends, &e) == RC_INPUT && !b.row, "%s", e.text);
    deepce_release(&m);
}

int main(void)
{
    const char *why;
    double ref[N * G], cpu[N * G], off = 0;
    threads_init(0);
    molecules();
    refusals();
    learns(&backend_ref, ref);
    if (backend_find("cpu", &why)) {
        learns(&backend_cpu, cpu);
        for (size_t i = 0; i < N * G; i++)
            off = fmax(off, fabs(ref[i] - cpu[i]));
        ok(off < 1e-4, "the same first predictions on cpu, off by %.1e", off);
    }
    threads_stop();
    return tap_end();
}
