/* DNABERT on disk: a folder with config.json (as HF writes it; "kmer" is ours, else told by
 * vocab_size) and model.safetensors under HF's names. rnn.* may be there, for dnalong.
 * "genecompass_label" in config.json, when there, says what the weights are worth ("small"). */
#ifndef GC_APP_DNABERT_FILE_H
#define GC_APP_DNABERT_FILE_H

#include "lib/nn/dnabert.h"

enum { DNABERT_LABEL = 32 };

/* label: [DNABERT_LABEL], "" without one. On failure *m is empty; RC_INPUT names file and trouble.
 */
enum rc dnabert_load(struct dnabert *m, const char *folder, const struct backend *b, bool training,
                     char *label, struct err *e);
enum rc dnabert_save(const struct dnabert *m, const char *folder, const char *label, struct err *e);

#endif
