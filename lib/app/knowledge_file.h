/* Knowledge files (F.safetensors of knowledge-embed) into a model's tables. */
#ifndef GC_APP_KNOWLEDGE_FILE_H
#define GC_APP_KNOWLEDGE_FILE_H

#include "lib/data/vocab.h"
#include "lib/nn/model.h"

/* Kinds as these files and knowledge-embed call them. */
extern const char *const knowledge_file_kind[N_KNOWLEDGE];

struct knowledge_file {
    const char *path;    /* borrowed */
    enum knowledge kind; /* from the file's metadata */
    uint32_t dim;
    size_t n_present;    /* rows that are real */
    float *vectors;      /* [V,dim], owned, or in file */
    struct mapped file;  /* owned */
};

/* RC_INPUT: no such kind, or not n_tokens rows. */
enum rc knowledge_file_read(struct knowledge_file *k, const char *path, uint32_t n_tokens,
                            struct err *e);
void knowledge_file_release(struct knowledge_file *k);
/* Moves the vectors into the model; kinds that the model uses and no file gives become rows of
 * zeros, so that only the projection's bias is left of them. */
enum rc knowledge_give(struct model *m, struct knowledge_file *k, size_t n, struct err *e);
/* hom of spec/03 section 3.2: human tokens with a homolog point to the mouse token. */
void homologs_give(struct model *m, const struct vocab *v);

#endif
