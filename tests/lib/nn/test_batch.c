/* Masks: what is picked, what becomes of it, and how often. */
#include <stdlib.h>

#include "lib/data/vocab.h"
#include "tests/lib/nn/tiny.h"

static void masks(void)
{
    enum { N = 60000, LONG = 2000 };
    struct arena a;
    uint16_t *t = malloc(LONG * sizeof *t);
    float *x = malloc(LONG * sizeof *x);
    for (size_t i = 0; i < LONG; i++) {
        t[i] = (uint16_t)(i < 100 ? i % 2 : 2 + i % (V - 2)); /* a twentieth are specials */
        x[i] = (float)i + 1;
    }
    double picked = 0, masked = 0, random = 0, kept = 0, bin[10] = { 0 }, same_next = 0;
    bool labels = true, specials = true, values = true, rest = true;
    arena_init(&a, 0);
    for (uint64_t c = 0; c < N / LONG; c++) {
        struct batch b, next;
        const struct batch_cell cell = { 5 + c, 0, LONG, t, x };
        struct masking m = { 0.15, 0.8, 0.1, 9, 0, V };
        arena_reset(&a);
        if (batch_build(&b, &a, &cell, 1, LONG, V, NULL, &m, NULL))
            break;
        m.round = 1;
        batch_build(&next, &a, &cell, 1, LONG, V, NULL, &m, NULL);
        for (size_t i = 0, k = 0; i < LONG; i++) {
            if (k == b.n_masked || b.masked[k] != i + 1) {
                rest = rest && b.id[i] == t[i] && b.value[i] == x[i];
                continue;
            }
            labels = labels && b.label[k] == t[i] && b.label_value[k] == x[i];
            specials = specials && t[i] > TOKEN_MASK;
            k++;
            picked++;
            if (b.value[i] == x[i]) {
                kept += b.id[i] == t[i];
            } else {
                values = values && b.value[i] == -1;
                masked += b.id[i] == TOKEN_MASK;
                random += b.id[i] != TOKEN_MASK;
                if (b.id[i] != TOKEN_MASK)
                    bin[b.id[i] * 10 / V]++;
            }
        }
        for (size_t i = 0, k = 0; i < b.n_masked; i++) {
            while (k < next.n_masked && next.masked[k] < b.masked[i])
                k++;
            same_next += k < next.n_masked && next.masked[k] == b.masked[i];
        }
    }
    const double genes = N * 0.95;
    note("of %.0f genes %.0f picked: %.0f <mask>, %.0f random, %.0f kept", genes, picked, masked,
         random, kept);
    ok(binomial(picked, genes, 0.15), "15 %% of the genes are picked");
    ok(specials, "never <pad> or <mask>");
    ok(labels && rest, "labels are what stood there; the others stay as they are");
    /* A random token is <mask> once in V. */
    ok(binomial(masked, picked, 0.8 + 0.1 / V), "80 %% of them become <mask>");
    ok(binomial(random, picked, 0.1 * (V - 1) / V), "10 %% another token");
    ok(binomial(kept, picked, 0.1), "10 %% stay, with their value");
    ok(values, "the value of a hidden gene is -1");
    bool even = true;
    for (size_t i = 0; i < 10; i++)
        even = even && binomial(bin[i], random, 0.1);
    ok(even, "random tokens come from the whole vocabulary alike");
    ok(binomial(same_next, picked, 0.15), "the next epoch's masks know nothing of these");
    arena_release(&a);
    free(t);
    free(x);
}

int main(void)
{
    masks();
    return tap_end();
}
