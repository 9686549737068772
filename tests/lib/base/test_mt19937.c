/* NumPy's legacy generator: the numbers of numpy 1.26. */
#include "lib/base/mt19937.h"

#include "tests/tap.h"

int main(void)
{
    struct mt19937 m;
    mt19937_seed(&m, 5489); /* the authors' own test: the 10,000th number */
    uint32_t x = 0;
    for (int i = 0; i < 10000; i++)
        x = mt19937_next(&m);
    ok(x == 4123659995u, "number 10,000 of the default seed");
    mt19937_seed(&m, 1);
    ok(mt19937_next(&m) == 1791095845u, "numpy.random.seed(1)");
    uint32_t p[7];
    static const uint32_t want[7] = { 0, 1, 5, 2, 4, 3, 6 };
    bool same = true;
    mt19937_seed(&m, 42);
    mt19937_permutation(&m, p, 7);
    for (int i = 0; i < 7; i++)
        same = same && p[i] == want[i];
    ok(same, "seed 42, permutation(7)");
    p[0] = 9;
    mt19937_permutation(&m, p, 1);
    ok(p[0] == 0, "one item");
    mt19937_permutation(&m, p, 0);
    ok(p[0] == 0, "none");
    return tap_end();
}
