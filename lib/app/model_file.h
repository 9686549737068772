/* A model on disk: a folder with config.json and model.safetensors, or pytorch_model.bin as the
 * authors published; names and shapes as in spec/03 section 8, so that the field's tools open it.
 * Buffers (knowledge tables, homolog index) are in the file as in the published checkpoints.
 * config.json is the published form plus knowledge_size.
 *
 * lib/app joins io with nn for several executables; nothing in lib/ but lib/app may include it. */
#ifndef GC_APP_MODEL_FILE_H
#define GC_APP_MODEL_FILE_H

#include "lib/io/safetensors.h"
#include "lib/nn/model.h"

/* Reads config.json. What is not a GeneCompass configuration of spec/03 is refused by field: other
 * activations, position types. knowledge_dim is 768 unless "knowledge_size" says so. Without a
 * "vocab_size" n_tokens is 0: a template for pretrain, which takes it from the vocabulary. */
enum rc model_config_read(struct model_config *c, const char *path, struct err *e);
enum rc model_config_write(const struct model_config *c, const char *path, struct err *e);

/* Tied tensors: torch lists them under both names, safetensors under the second only. */
struct model_tie {
    const char *alias, *of;
};
enum { N_MODEL_TIES = 3 };
extern const struct model_tie model_tie[N_MODEL_TIES];
/* RC_INPUT: an alias without its tensor, or with other numbers. */
enum rc model_check_ties(const struct st_file *f, struct err *e);

/* The file with a folder's weights, to be freed: model.safetensors, else pytorch_model.bin. NULL
 * with RC_INPUT when neither is there. */
char *model_weights_path(const char *folder, struct err *e);

/* FOLDER/NAME or FOLDER/NAME.gz, to be freed, in *path; NULL when neither is there, which is
 * RC_INPUT when it must be. */
enum rc model_table_path(const char *folder, const char *name, bool must, char **path,
                         struct err *e);
/* A copy of a file, of the same name, in a model folder. */
enum rc model_copy_beside(const char *folder, const char *file, struct err *e);

/* Loads a model folder. n_classes > 0: pooler and classifier are made, and loaded when there.
 * knowledge_size is taken from the buffers' shape. On failure *m is empty; RC_INPUT names the
 * tensor that is missing, unknown or of a wrong shape. */
enum rc model_load(struct model *m, const char *folder, const struct backend *b, bool training,
                   uint32_t n_classes, struct err *e);
/* Writes FOLDER/config.json and FOLDER/model.safetensors, each whole or not at all. */
enum rc model_save(const struct model *m, const char *folder, struct err *e);

#endif
