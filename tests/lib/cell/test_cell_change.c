/* One cell with a gene deleted, lowered or raised. */
#include "lib/cell/cell_change.h"

#include <math.h>
#include <string.h>

#include "lib/base/rng.h"
#include "tests/tap.h"

enum { MAX = 6, ROOM = 32 };

/* Ranked: x falls, equal x by rising token. Genes 9 and 4 lie behind the cut of six. */
static const uint16_t token[] = { 20, 7, 12, 30, 5, 6, 9, 4 };
static const double x[] = { 8, 4, 2, 2, 1, 1, 1, 0.5 };
static const struct ranked_cell cell = { 8, token, x };
static uint16_t copy_token[ROOM];
static float copy_value[ROOM];
static struct cell_copy copy = { 0, copy_token, copy_value };

static const struct change deleted = { CHANGE_FACTOR, 0, false, false };

static bool is(const uint16_t *want, uint32_t n)
{
    return copy.n == n && memcmp(copy.token, want, n * sizeof *want) == 0;
}

static enum change_result change(uint16_t gene, struct change how)
{
    return cell_change(&cell, &gene, 1, &how, MAX, &copy);
}

static void deletes(void)
{
    static const uint16_t without[] = { 20, 12, 30, 5, 6, 9 };
    ok(change(7, deleted) == CHANGE_DONE && is(without, 6),
       "a deleted gene leaves, and the first behind the cut moves in");
    ok(copy.value[0] == (float)log2(9) && copy.value[5] == 1.0f, "the others keep their values");
    ok(change(9, deleted) == CHANGE_ABSENT, "a gene behind the cut is not there to be deleted");
    ok(change(99, deleted) == CHANGE_ABSENT, "nor is one without counts");
    static const uint16_t set[] = { 12, 99 };
    struct change how = deleted;
    ok(cell_change(&cell, set, 2, &how, MAX, &copy) == CHANGE_DONE, "one gene of a set is enough");
    how.every = true;
    ok(cell_change(&cell, set, 2, &how, MAX, &copy) == CHANGE_ABSENT, "unless all are asked for");
    how = deleted;
    how.top_half = true;
    ok(change(12, how) == CHANGE_DONE && change(30, how) == CHANGE_ABSENT,
       "the upper half of six ranks ends behind the third");
}

static void scales(void)
{
    static const uint16_t half[] = { 20, 7, 12, 30, 5, 6 }, quarter[] = { 20, 12, 30, 5, 6, 7 };
    static const uint16_t up[] = { 7, 20, 12, 30, 5, 6 }, in[] = { 20, 7, 4, 12, 30, 5 };
    ok(change(7, (struct change){ CHANGE_FACTOR, 0.5, false, false }) == CHANGE_DONE &&
           is(half, 6) && copy.value[1] == (float)log2(3),
       "half of 4 is 2: by its token in front of the other twos, with the value of 2");
    ok(change(7, (struct change){ CHANGE_FACTOR, 0.25, false, false }) == CHANGE_DONE &&
           is(quarter, 6),
       "a quarter is 1: behind genes 5 and 6 of the same x");
    ok(change(7, (struct change){ CHANGE_FACTOR, 1, false, false }) == CHANGE_NOTHING,
       "the whole of it changes nothing");
    ok(change(7, (struct change){ CHANGE_FACTOR, 4, false, false }) == CHANGE_DONE && is(up, 6),
       "four times 4 is the highest");
    ok(change(4, (struct change){ CHANGE_FACTOR, 6, false, false }) == CHANGE_DONE && is(in, 6),
       "a gene behind the cut may come in");
}

static void raises(void)
{
    static const uint16_t low[] = { 20, 7, 12, 30, 4, 5 }, high[] = { 4, 20, 7, 12, 30, 5 };
    static const uint16_t new_low[] = { 20, 7, 12, 30, 3, 5 };
    ok(change(4, (struct change){ CHANGE_LOW, 0, false, false }) == CHANGE_DONE && is(low, 6) &&
           copy.value[4] == 1.0f,
       "low is the median: value 1");
    ok(change(3, (struct change){ CHANGE_LOW, 0, false, false }) == CHANGE_DONE && is(new_low, 6),
       "a gene without counts comes in");
    ok(change(7, (struct change){ CHANGE_LOW, 0, false, false }) == CHANGE_NOTHING,
       "a gene above its median stays where it is");
    ok(change(4, (struct change){ CHANGE_HIGH, 0, false, false }) == CHANGE_DONE && is(high, 6) &&
           copy.value[0] == copy.value[1],
       "high is the first rank with the cell's highest value");
}

/* Where each gene of the run of ones stood, over many shuffles. */
static void ties(void)
{
    enum { N = 6000 };
    int at[3][2] = { { 0 } };
    bool others = true;
    for (uint64_t id = 0; id < N; id++) {
        cell_shuffle_ties(&cell, 1, id, MAX, &copy);
        others = others && copy.n == MAX && copy.token[0] == 20 && copy.token[1] == 7 &&
                 copy.token[2] + copy.token[3] == 42 && copy.token[4] != copy.token[5];
        for (int p = 0; p < 2; p++) {
            const uint16_t t = copy.token[4 + p];
            at[t == 5 ? 0 : t == 6 ? 1 : 2][p]++;
        }
    }
    ok(others, "only genes of equal x change places");
    bool fair = true;
    for (int g = 0; g < 3; g++)
        for (int p = 0; p < 2; p++)
            fair = fair && fabs(at[g][p] - N / 3.0) < 5 * sqrt(N * 2 / 9.0);
    ok(fair, "each of three stands in each place as often, also the one from behind the cut");
}

static void padded(void)
{
    static const uint16_t whole[] = { 20, 7, 12, 30, 5, 6, 9, 4, 0, 0 };
    static const uint16_t without[] = { 20, 12, 30, 5, 6, 9, 4, 0, 0 };
    const uint16_t gene = 7, none = 99;
    uint32_t removed[CHANGE_MAX_GENES];
    size_t n;
    cell_padded(&cell, 10, &copy);
    ok(is(whole, 10) && copy.value[9] == 0, "the published input is filled up with pads");
    cell_delete_padded(&cell, &gene, 1, 10, &copy, removed, &n);
    ok(is(without, 9) && n == 1 && removed[0] == 1, "a deletion makes it one shorter");
    cell_delete_padded(&cell, &gene, 1, MAX, &copy, removed, &n);
    ok(copy.n == 5 && copy.token[4] == 6, "nothing moves in from behind the cut");
    cell_delete_padded(&cell, &none, 1, MAX, &copy, removed, &n);
    ok(n == 0, "and a cell without the gene is told");
}

/* A random cell, changed, is what ranking its changed numbers from scratch gives. */
static void as_ranked(void)
{
    enum { N = 24, CUT = 12 };
    bool good = true;
    for (uint64_t id = 0; id < 500; id++) {
        uint16_t t[N + 2];
        double v[N + 2];
        for (size_t i = 0; i < N; i++) {
            t[i] = (uint16_t)(2 + i * 3);
            v[i] = 1 + (double)rng_below(5, RNG_TEST, id, i, 6);
        }
        for (int round = 0; round < 2; round++) {
            for (size_t i = 1; i < N; i++)
                for (size_t j = i; j && (v[j] > v[j - 1] || (v[j] == v[j - 1] && t[j] < t[j - 1]));
                     j--) {
                    const double y = v[j];
                    const uint16_t s = t[j];
                    v[j] = v[j - 1], t[j] = t[j - 1];
                    v[j - 1] = y, t[j - 1] = s;
                }
            if (round) {
                for (uint32_t i = 0; i < CUT; i++)
                    good = good && copy.token[i] == t[i] && copy.value[i] == (float)log2(1 + v[i]);
                break;
            }
            const uint16_t gene[2] = { t[id % CUT], t[(id + 5) % CUT] };
            const struct change how = { CHANGE_FACTOR, 0.5 * (double)(1 + id % 7), false, false };
            const struct ranked_cell c = { N, t, v };
            const enum change_result got = cell_change(&c, gene, 2, &how, CUT, &copy);
            if (got == CHANGE_NOTHING)
                cell_unchanged(&c, CUT, &copy);
            good = good && got != CHANGE_ABSENT && copy.n == CUT;
            v[id % CUT] *= how.factor;
            v[(id + 5) % CUT] *= how.factor;
        }
    }
    ok(good, "two genes changed at once: as if the cell were ranked anew, 500 times");
}

int main(void)
{
    deletes();
    scales();
    raises();
    ties();
    padded();
    as_ranked();
    return tap_end();
}
