/* DNA as DNABERT reads it: overlapping words of k bases, stride 1.
 *
 * Vocabulary: [PAD] [UNK] [CLS] [SEP] [MASK], then the 4^k words with bases in the order A T C G,
 * the first base counting most (as in the published vocab.txt). Letters of any case; a word with
 * any other letter than these four is [UNK]. n bases give n - k + 1 words. */
#ifndef GC_DATA_KMER_H
#define GC_DATA_KMER_H

#include <stddef.h>
#include <stdint.h>

enum { KMER_PAD, KMER_UNK, KMER_CLS, KMER_SEP, KMER_MASK, KMER_FIRST };
enum { KMER_MAX = 6 };

static inline uint32_t kmer_n_tokens(int k)
{
    return KMER_FIRST + (1u << 2 * k);
}
/* token[n - k + 1]; returns how many (0 for n < k). */
size_t kmer_tokens(const char *bases, size_t n, int k, uint32_t *token);
/* The reverse strand, in place; the case is kept, other letters than ACGT become N. */
void dna_reverse(char *bases, size_t n);

#endif
