/* The chain: all manifests below a results folder, and every file there.
 *
 * A stage is a folder with a MANIFEST.tsv. A file belongs to the stage of the nearest such folder
 * above it. Inputs of a manifest are names below the results folder (mostly other manifests) or
 * below the sources; which of the two is told by what lies there. Nothing in here follows a
 * symbolic link. */
#ifndef GC_MANIFEST_CHAIN_H
#define GC_MANIFEST_CHAIN_H

#include <stdbool.h>

#include "lib/base/map.h"
#include "lib/manifest/manifest.h"

#define CHAIN_NONE ((size_t)-1)
/* What may lie in the results folder itself: copies of files of the stage crate. Ends with NULL. */
extern const char *const chain_copies[];

enum chain_what {
    CHAIN_FILE,     /* an output, or one too many */
    CHAIN_MANIFEST, /* the MANIFEST.tsv of its stage */
    CHAIN_PARAMS,   /* what make wrote the parameters to; the manifest has them as rows */
    CHAIN_LOG,      /* times and memory of the machine: no result, has no sum */
    CHAIN_PART,     /* left by something that was broken off */
    CHAIN_EXCLUDED, /* by a row of the manifest */
    CHAIN_ODD       /* a symbolic link, a pipe, a device */
};

struct chain_file {
    const char *path; /* below the root */
    size_t stage;     /* whose folder it lies in; CHAIN_NONE for none */
    enum chain_what what;
    uint64_t bytes;          /* as of chain_hash */
    char sha256[SHA256_HEX]; /* as of chain_hash; empty where the file could not be read */
};

struct chain_stage {
    const char *name;  /* its folder below the root; "." for the root itself */
    struct manifest m; /* empty when it is broken */
    char *broken;      /* why it could not be read; owned, NULL for a good one */
};

struct chain {
    const char *root;          /* borrowed */
    struct chain_stage *stage; /* owned; by name */
    size_t n_stages, stages_room;
    struct chain_file *file; /* owned; by path */
    size_t n_files, files_room;
    struct map stage_at, file_at; /* name or path to index */
    struct arena text;
};

/* Reads all manifests and lists all files; hashes none. A broken manifest is no failure: its stage
 * says so. RC_INPUT: no such folder, or no manifest in it. On failure *c is empty. */
enum rc chain_read(struct chain *c, const char *root, struct err *e);
void chain_release(struct chain *c);
/* Only the stages that keep() wants stay; the files of others lie in no stage then. */
enum rc chain_keep(struct chain *c, bool (*keep)(const void *ctx, const char *stage),
                   const void *ctx, struct err *e);
/* RC_INPUT: the name of a stage, or a row of a manifest, is no UTF-8, which JSON cannot hold. */
enum rc chain_utf8(const struct chain *c, struct err *e);
/* Fills in bytes and sums of all files but logs, parts and odd ones: a file a worker, large ones
 * first. */
enum rc chain_hash(struct chain *c, struct err *e);

/* CHAIN_NONE when there is none. */
size_t chain_stage_of(const struct chain *c, const char *name);
size_t chain_file_of(const struct chain *c, const char *path);
/* The stage whose MANIFEST.tsv an input's name is; CHAIN_NONE for every other name. */
size_t chain_read_stage(const struct chain *c, const char *input);
/* A stage's output by its path below the root, or NULL; *stage (may be NULL) is whose it is. */
const struct manifest_row *chain_output(const struct chain *c, const char *path, size_t *stage);
/* The newest checkpoint, "pretrain/step-60", or NULL; borrowed until the next call. */
const char *chain_model(const struct chain *c);

#endif
