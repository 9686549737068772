#include "lib/data/kmer.h"

/* Number of a base in the vocabulary, 4 for any other letter. */
static uint32_t base_of(char c)
{
    switch (c) {
    case 'A':
    case 'a':
        return 0;
    case 'T':
    case 't':
        return 1;
    case 'C':
    case 'c':
        return 2;
    case 'G':
    case 'g':
        return 3;
    default:
        return 4;
    }
}

size_t kmer_tokens(const char *bases, size_t n, int k, uint32_t *token)
{
    const uint32_t mask = (1u << 2 * k) - 1;
    uint32_t word = 0;
    int good = 0; /* known bases up to here, at most k */
    size_t n_tokens = 0;
    for (size_t i = 0; i < n; i++) {
        const uint32_t b = base_of(bases[i]);
        word = (word << 2 | (b & 3)) & mask;
        good = b == 4 ? 0 : good < k ? good + 1 : k;
        if (i + 1 >= (size_t)k)
            token[n_tokens++] = good == k ? KMER_FIRST + word : KMER_UNK;
    }
    return n_tokens;
}

static char complement(char c)
{
    static const char from[] = "ACGTacgt", to[] = "TGCAtgca";
    for (int i = 0; i < 8; i++)
        if (from[i] == c)
            return to[i];
    return 'N';
}

void dna_reverse(char *bases, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        const char c = complement(bases[i]);
        bases[i] = complement(bases[n - 1 - i]);
        bases[n - 1 - i] = c;
    }
    if (n % 2)
        bases[n / 2] = complement(bases[n / 2]);
}
