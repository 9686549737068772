/* Circular fingerprints: golden bits from a second writing of the header's words, in another
 * language, whose last step of MurmurHash3 gives the published value (of 1: b456bcfc34c2cb2c), and
 * what bits must not depend on. */
#include "lib/data/fingerprint.h"

#include <string.h>

#include "tests/tap.h"

enum { N_BITS = 512 };

static struct err e;

static bool bits_are(const struct molecule *m, int radius, const size_t *want, size_t n)
{
    double to[N_BITS];
    size_t found = 0;
    if (fingerprint_of(m, radius, N_BITS, to, &e))
        return false;
    for (size_t i = 0; i < N_BITS; i++)
        found += to[i] > 0;
    bool good = found == n;
    for (size_t i = 0; i < n; i++)
        good = good && to[want[i]] >= 1;
    return good;
}

int main(void)
{
    struct molecule_atom atom[] = { { "C", 1, 3, 3, 0, false, false },
                                    { "C", 2, 2, 2, 0, false, false },
                                    { "O", 1, 1, 1, 0, false, false } },
                         turned[] = { atom[2], atom[0], atom[1] },
                         amine[] = { atom[0], atom[1], { "N", 1, 2, 2, 0, false, false } },
                         aldehyde[] = { atom[0],
                                        { "C", 2, 1, 1, 0, false, false },
                                        { "O", 1, 0, 0, 0, false, false } };
    struct molecule_bond bond[] = { { 0, 1, BOND_SINGLE, false, false },
                                    { 1, 2, BOND_SINGLE, false, false } },
                         back[] = { { 2, 0, BOND_SINGLE, false, false },
                                    { 1, 2, BOND_SINGLE, false, false } },
                         twice[] = { bond[0], { 1, 2, BOND_DOUBLE, false, false } };
    const struct molecule ethanol = { 3, 2, atom, bond }, other_order = { 3, 2, turned, back },
                          ethylamine = { 3, 2, amine, bond }, ethanal = { 3, 2, aldehyde, twice };
    static const size_t bits[] = { 494, 501, 510, 4, 167, 239, 71, 100, 487 },
                        of_ethanal[] = { 261, 360, 510, 75, 148, 274, 12, 89, 398 };
    ok(bits_are(&ethanol, 0, bits, 3), "ethanol: one bit an atom");
    ok(bits_are(&ethanol, 1, bits, 6), "one more for each with its neighbours");
    ok(bits_are(&ethanol, 2, bits, 9), "and for theirs");
    ok(bits_are(&other_order, 2, bits, 9),
       "the order of atoms and the ends of bonds do not matter");
    ok(bits_are(&ethanal, 2, of_ethanal, 9), "ethanal: a double bond, other hydrogens");
    double a[N_BITS], b[N_BITS], none[N_BITS] = { 0 };
    ok(!fingerprint_of(&ethanol, 2, N_BITS, a, &e) &&
           !fingerprint_of(&ethylamine, 2, N_BITS, b, &e),
       "two drugs");
    const double x = fingerprint_likeness(a, b, N_BITS);
    ok(x >= 3.0 / 15 && x <= 3.0 / 15, "share 3 of 15 bits: %g", x);
    ok(fingerprint_likeness(a, a, N_BITS) >= 1, "a drug is like itself");
    ok(fingerprint_likeness(a, none, N_BITS) <= 0 && fingerprint_likeness(none, none, N_BITS) <= 0,
       "nothing is like nothing");
    return tap_end();
}
