/* Which cells make a step: ours, from its number alone, and the authors' order as PyTorch makes it.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/mt19937.h"
#include "lib/nn/sampler.h"
#include "tests/tap.h"

enum { N = 103, BATCH = 8 };

static void shuffled(void)
{
    struct sampler s, late;
    uint32_t index[BATCH], again[BATCH], seen[2][N], first[2][N];
    uint64_t epoch;
    size_t n[2] = { 0 }, at = 0;
    bool once = true, right_epoch = true;
    ok(!sampler_init(&s, 5, N, BATCH, NULL) && s.steps_per_epoch == 13,
       "103 cells make 13 batches of 8, the last of 7");
    memset(seen, 0, sizeof seen);
    for (uint64_t step = 0; step < 26; step++) {
        const size_t k = sampler_step(&s, step, index, &epoch);
        right_epoch = right_epoch && epoch == step / 13 && k == (step % 13 < 12 ? 8 : 7);
        for (size_t i = 0; i < k; i++) {
            first[epoch][n[epoch]++] = index[i];
            once = once && index[i] < N && !seen[epoch][index[i]]++;
        }
    }
    ok(once && n[0] == N && n[1] == N, "each epoch has every cell once");
    ok(right_epoch, "and its last batch is smaller");
    for (size_t i = 0; i < N; i++)
        at += first[0][i] == first[1][i];
    ok(at < N / 8, "the next epoch has another order");
    sampler_init(&late, 5, N, BATCH, NULL);
    sampler_step(&late, 17, again, NULL);
    sampler_step(&s, 17, index, NULL);
    ok(memcmp(index, again, sizeof index) == 0, "step 17 needs no step before it");
    sampler_init(&late, 6, N, BATCH, NULL);
    sampler_step(&late, 17, again, NULL);
    ok(memcmp(index, again, sizeof index) != 0, "another seed, another order");
    struct err e = { 0 };
    ok(sampler_init(&s, 5, 0, BATCH, &e) == RC_INPUT, "no cells, no batches: %s", e.text);
}

/* torch 2: g.manual_seed(seed); torch.randperm(n, generator=g) */
static void torch_order(void)
{
    static const uint32_t want[10] = { 2, 6, 1, 8, 4, 5, 0, 9, 3, 7 };
    uint32_t got[10], *many = malloc(100000 * sizeof *many);
    uint64_t sum = 0;
    mt19937_randperm(42, got, 10);
    ok(memcmp(got, want, sizeof want) == 0, "ten numbers as torch.randperm has them");
    mt19937_randperm(43, many, 100000);
    for (uint64_t i = 0; i < 100000; i++)
        sum += i * many[i];
    ok(sum == 249847094972067u, "and a hundred thousand");
    free(many);
}

/* get_length_grouped_indices of transformers 4.30 with the authors' factor, run in Python, seeds 42
 * and 43, b = 2, three ranks: 50 cells and the first once more. */
static const uint32_t authors[2][51] = {
    { 18, 30, 8,  25, 42, 20, 34, 28, 17, 36, 0,  39, 41, 32, 6, 2,  37,
      14, 1,  12, 43, 11, 3,  16, 44, 21, 10, 31, 38, 15, 47, 4, 19, 5,
      45, 26, 7,  33, 29, 48, 24, 27, 35, 22, 13, 49, 46, 23, 9, 40, 18 },
    { 21, 9,  10, 8,  25, 48, 38, 43, 28, 40, 45, 49, 44, 29, 31, 14, 27,
      4,  22, 3,  13, 36, 46, 16, 41, 30, 6,  37, 1,  47, 15, 12, 42, 34,
      11, 23, 18, 32, 7,  2,  24, 35, 19, 20, 5,  17, 26, 39, 33, 0,  21 },
};

static void grouped(void)
{
    struct sampler s;
    struct err e = { 0 };
    uint32_t length[50], got[6];
    size_t n = 0;
    bool same = true;
    for (uint32_t i = 0; i < 50; i++)
        length[i] = (i * i * 7 + 3 * i) % 23 + 5;
    sampler_init(&s, 42, 50, 6, NULL);
    ok(!sampler_group(&s, length, 2, &e) && s.steps_per_epoch == 9,
       "three ranks of two: 50 cells, and one of them twice, make 9 steps");
    for (uint64_t step = 0; step < 18; step++) {
        uint64_t epoch;
        const size_t k = sampler_step(&s, step, got, &epoch), at = (step % 9) * 6;
        for (size_t i = 0; i < k; i++)
            same = same && got[i] == authors[epoch][at + i];
        n += k;
    }
    ok(same && n == 102, "both epochs come in the order of the authors' sampler");
    sampler_step(&s, 1, got, NULL);
    ok(got[0] == authors[0][6], "an epoch can be gone back to");
    sampler_release(&s);
    sampler_init(&s, 42, 50, 7, NULL);
    ok(sampler_group(&s, length, 2, &e) == RC_USAGE, "what does not divide is refused: %s", e.text);
    sampler_release(&s);
}

/* The same at a size where mega-batches have their full thousand. */
static void grouped_large(void)
{
    enum { MANY = 100003 };
    struct sampler s;
    uint32_t *length = malloc(MANY * sizeof *length), got[10];
    uint64_t sum = 0, place = 0;
    for (uint32_t i = 0; i < MANY; i++)
        length[i] = i * 7919u % 2048 + 1;
    sampler_init(&s, 7, MANY, 10, NULL);
    sampler_group(&s, length, 10, NULL);
    for (uint64_t step = 0; step < s.steps_per_epoch; step++)
        for (size_t i = 0, k = sampler_step(&s, step, got, NULL); i < k; i++)
            sum += got[i] * ++place;
    ok(sum == 249677548539160u && place == MANY, "a hundred thousand cells, too");
    sampler_release(&s);
    free(length);
}

int main(void)
{
    shuffled();
    torch_order();
    grouped();
    grouped_large();
    return tap_end();
}
