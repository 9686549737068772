/* The tables in manifests/inputs/: which files the project takes from outside, and where they may
 * be had.
 *
 * Tab-separated with a header; columns in any order, others are passed over:
 *   path     where the file lies in the cache's view: relative, no . or .. parts
 *   bytes    its size
 *   sha256   64 lower-case digits, of the final file
 *   need     required or optional
 *   licence  as its owner states it
 *   sources  blank-separated, tried in order; `-` when only a mirror can have it
 *   note     for people
 *
 * A source is https://..., http://..., file:PATH (relative to the manifest's folder) or
 * pip:NAME==VERSION, each optionally followed by !MEMBER for a file in an archive. In PATH and
 * MEMBER %XX stands for a byte, so that blanks and ! can be written; the first ! ends the source.
 */
#ifndef GC_IO_INPUTS_H
#define GC_IO_INPUTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/sha256.h"

enum source_kind { SOURCE_HTTP, SOURCE_FILE, SOURCE_PIP };

struct source {
    enum source_kind kind;
    const char *text;   /* as written */
    const char *where;  /* URL; decoded path; NAME==VERSION */
    const char *member; /* decoded, NULL: the source is the file itself */
};

struct input {
    const char *path;
    uint64_t bytes;
    char sha256[SHA256_HEX];
    bool required;
    const char *licence, *note;
    struct source *source;
    size_t n_sources;
};

/* All strings and sources lie in the arena. */
struct inputs {
    struct input *item; /* owned */
    size_t n, room;
    struct arena text;
};

#define INPUTS_MAX_BYTES ((size_t)64 << 20)

void inputs_init(struct inputs *in);
void inputs_release(struct inputs *in);
/* Adds the rows of one manifest; on failure *in keeps what it had before or a part of the new rows
 * and is only good for release. name: the file's, for messages and for relative file: sources. */
enum rc inputs_parse(struct inputs *in, const char *text, size_t n_bytes, const char *name,
                     struct err *e);
enum rc inputs_read(struct inputs *in, const char *path, struct err *e);
/* After the last manifest: sorts by path and joins rows of the same path (required if one is; the
 * sources of both). RC_INPUT: two rows disagree about the bytes, or one path is a folder of
 * another. */
enum rc inputs_finish(struct inputs *in, struct err *e);

#endif
