/* The authors' dictionaries, which are pickles, as our tables (spec/01 section 2, spec/02 section
 * 1). tokens      {"<pad>": 0, "<mask>": 1, "ENSG..": 2, ..} names       {"ENSG..": "TP53", ..}
 *   homologs    {mouse token: human token, ..}
 *   medians     {"ENSG..": 1.4179, ..}
 *   embedding   {"TP53": vector, ..}, one file for each species
 * All functions: RC_INPUT names the file and the entry; on failure the output is empty. */
#ifndef GC_IO_DICTIONARY_H
#define GC_IO_DICTIONARY_H

#include "lib/data/knowledge.h"

/* names and homologs may be NULL. A gene without a name has "-"; biotypes are not known: "-".
 * Tokens are 0 to n - 1, each once. */
enum rc dictionary_vocab(struct vocab *v, const char *tokens, const char *names,
                         const char *homologs, struct err *e);
/* From n files. How many cells a median is over is not in them: n_nonzero is 0. */
enum rc dictionary_medians(struct medians *m, const char *const *path, size_t n, struct err *e);
/* A row for every token of v, by name (by id where it has no name), from the file of its species; a
 * gene that is not there is refused, as the authors' loader does. <pad> and <mask> are zero. A file
 * may have float32 and float64 vectors side by side. */
enum rc dictionary_knowledge(struct knowledge_table *k, enum knowledge_kind kind,
                             const struct vocab *v, const char *human, const char *mouse,
                             struct err *e);

#endif
