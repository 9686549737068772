/* A table of knowledge as files.
 *
 * safetensors: `vectors` f32 [tokens, dim] and `present` u8 [tokens], in token order; metadata
 * kind, dim, vocab (SHA-256 of vocab.tsv), pairs (lines learned from) and what the caller adds:
 * `method` (gene2vec, gene2vec-hogwild, which is not reproducible, dnabert, kmer-svd,
 * imported), `model`.
 * Text, as gene2vec writes it: name<TAB>v1 v2 .., a line for every learned row; names of genes, or
 * the id of a gene without a name. */
#ifndef GC_IO_KNOWLEDGE_H
#define GC_IO_KNOWLEDGE_H

#include "lib/data/knowledge.h"
#include "lib/data/pairs.h"

struct knowledge_note {
    const char *vocab_sha256, *method, *model; /* model: "" for none */
    size_t n_pairs;
};
enum rc knowledge_write(const char *path, const struct knowledge_table *k,
                        const struct knowledge_note *note, struct err *e);
enum rc knowledge_write_text(const char *path, const struct knowledge_table *k,
                             const struct vocab *v, struct err *e);
/* The name of a gene in these texts: its name, or its id where it has none. */
const char *knowledge_gene_name(const struct vocab *v, size_t token);
/* name<TAB>name, a line for every pair of tokens. */
enum rc pairs_write_text(const char *path, const struct pairs *p, const struct vocab *v,
                         struct err *e);
/* Reads what knowledge_write wrote, and checks it: shapes, kind, 0 or 1, finite numbers. v, when
 * given, must have as many tokens. On failure *k is empty. */
enum rc knowledge_read(const char *path, const struct vocab *v, struct knowledge_table *k,
                       struct err *e);

#endif
