/* Checked files. An output goes to PATH.part, is flushed and closed with a check, then renamed:
 * PATH is either absent, the old file, or the whole new one. */
#ifndef GC_BASE_FILE_H
#define GC_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/base/err.h"

struct outfile {
    FILE *f;          /* write here; NULL when opened for a library by path only */
    char *path, *tmp; /* owned */
};

/* Makes missing parent folders. A device or pipe (/dev/stdout, /dev/full) is written directly, never
 * replaced. On failure *o is empty. */
enum rc outfile_open(struct outfile *o, const char *path, struct err *e);
/* Only reserves the temporary name (o->tmp), for a library that opens files itself (HDF5). */
enum rc outfile_reserve(struct outfile *o, const char *path, struct err *e);
/* Closes with a check, renames. On failure the temporary file is gone. *o is empty after. */
enum rc outfile_commit(struct outfile *o, struct err *e);
/* Drops the temporary file; harmless on an empty or committed *o. */
void outfile_abort(struct outfile *o);
/* Commits where all went well so far, else drops. rc: how it went, with its sentence in *e. */
enum rc outfile_close(struct outfile *o, enum rc rc, struct err *e);

/* A whole file in memory, with a zero byte behind it; the caller frees *data.
 * RC_INPUT: cannot be opened, is a folder, or is larger than max_bytes. */
enum rc file_read(const char *path, size_t max_bytes, char **data, size_t *n_bytes, struct err *e);
/* Copies a file, through outfile. */
enum rc file_copy(const char *from, const char *to, struct err *e);
/* mkdir -p. */
enum rc folder_make(const char *path, struct err *e);
/* A file for reading and writing in `folder` (NULL: TMPDIR, or /tmp) that has no name: it goes when
 * it is closed, or the process ends. */
enum rc file_unnamed(const char *folder, int *fd, struct err *e);
/* A fresh folder TMPDIR/gc-NAME-XXXXXX (TMPDIR: of the environment, else /tmp); the caller frees *path. */
enum rc folder_scratch(const char *name, char **path, struct err *e);
/* rm -r, without following links; what cannot be removed stays. */
void folder_remove(const char *path);
bool file_exists(const char *path);
bool folder_exists(const char *path);
/* printf to a new string, NULL when memory is short; the caller frees. */
char *text_new(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
