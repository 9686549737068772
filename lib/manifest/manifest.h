/* MANIFEST.tsv: what a stage read, how it was told to work, and every byte that it wrote.
 *
 * A tab-separated table, closed last; while it is absent the stage is not done:
 *   kind     name                      bytes  sha256
 *   stage    qc-filter                 -      -
 *   version  0.1.0                     -      -
 *   param    --z-max 6                 -      -
 *   exclude  *.tmp                     -      -
 *   input    import/lung/MANIFEST.tsv  1180   5c1f...
 *   output   lung/cells.h5ad           90112  77ab...
 * No time, no absolute path, nothing about the machine: equal runs have equal manifests. Outputs
 * are sorted by the bytes of their names. In names, tab, line feed, carriage return and backslash
 * are written \t \n \r \\.
 *
 * Never an output: the folder's own MANIFEST.tsv, files called `params`, `*.log` and `*.part`
 * (times and memory go to logs), and what an `exclude` row matches. */
#ifndef GC_MANIFEST_MANIFEST_H
#define GC_MANIFEST_MANIFEST_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/sha256.h"

enum manifest_kind {
    MANIFEST_STAGE,
    MANIFEST_VERSION,
    MANIFEST_PARAM,
    MANIFEST_EXCLUDE,
    MANIFEST_INPUT,
    MANIFEST_OUTPUT
};

struct manifest_row {
    enum manifest_kind kind;
    const char *name;        /* unescaped, in the manifest's arena */
    uint64_t bytes;          /* of inputs and outputs, else 0 */
    char sha256[SHA256_HEX]; /* the same, else empty */
};

struct manifest {
    struct manifest_row *row; /* owned; by kind in the order of the enum */
    size_t n, room;
    struct arena text;
};

#define MANIFEST_NAME "MANIFEST.tsv"
/* A manifest larger than this is refused. */
#define MANIFEST_MAX_BYTES ((size_t)1 << 30)

void manifest_init(struct manifest *m);
void manifest_release(struct manifest *m);

/* Rows may be added in any order; manifest_write sorts outputs and groups the kinds. */
enum rc manifest_add(struct manifest *m, enum manifest_kind kind, const char *name, struct err *e);
/* Hashes the file at path and adds it as an input called by its path relative to the first of
 * base[0..n) that holds it. RC_USAGE: no base holds it. */
enum rc manifest_add_input(struct manifest *m, const char *path, const char *const *base, size_t n,
                           struct err *e);
/* Hashes every regular file below dir, in parallel. Call it after the exclude rows were added.
 * RC_INPUT: a symbolic link or a special file is there; its bytes could change behind our back. */
enum rc manifest_add_outputs(struct manifest *m, const char *dir, struct err *e);

/* text need not end with a zero byte. name: the file's, for messages. On failure *m is empty. */
enum rc manifest_parse(struct manifest *m, const char *text, size_t n_bytes, const char *name,
                       struct err *e);
enum rc manifest_read(struct manifest *m, const char *path, struct err *e);
/* Sorts the rows, then writes the whole file or nothing. */
enum rc manifest_write(struct manifest *m, const char *path, struct err *e);
/* The first row of a kind (and name, unless NULL), or NULL. */
const struct manifest_row *manifest_find(const struct manifest *m, enum manifest_kind kind,
                                         const char *name);

/* What a second look at a stage's folder found. */
struct manifest_trouble {
    enum { MANIFEST_MISSING, MANIFEST_CHANGED, MANIFEST_EXTRA } what;
    const char *name; /* in the arena */
};

struct manifest_verdict {
    struct manifest_trouble *item; /* owned; outputs by name, then inputs */
    size_t n, room;
    size_t n_checked; /* files that were hashed again */
    uint64_t n_bytes;
    struct arena text;
};

/* Re-hashes the outputs of dir/MANIFEST.tsv, and the inputs too when bases are given (an input
 * that no base holds is missing). RC_OK with item n = 0 when all is as it was; RC_INPUT when there
 * is no manifest or it is broken. */
enum rc manifest_check(struct manifest_verdict *v, const char *dir, const char *const *base,
                       size_t n_bases, struct err *e);
void manifest_verdict_release(struct manifest_verdict *v);

/* lib/manifest/manifest_tree.c: the regular files below dir that are outputs of m, as rows with
 * names but without sums, sorted by name and put into a fresh array (the caller frees *row; names
 * lie in text). */
enum rc manifest_tree(const struct manifest *m, const char *dir, struct arena *text,
                      struct manifest_row **row, size_t *n, struct err *e);
/* Fills in bytes and sha256 of dir/name for each row, in parallel. A file that cannot be read:
 * RC_INPUT or RC_FAIL of the first such row; with missing != NULL a file that is absent instead
 * sets missing[i]. */
enum rc manifest_hash(struct manifest_row *row, size_t n, const char *dir, unsigned char *missing,
                      struct err *e);

#endif
