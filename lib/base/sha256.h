/* SHA-256 through OpenSSL EVP. */
#ifndef GC_BASE_SHA256_H
#define GC_BASE_SHA256_H

#include <stdatomic.h>
#include <stdint.h>
#include <stddef.h>
#include <stdio.h>

#include "lib/base/err.h"

#define SHA256_HEX 65 /* 64 digits and the terminating zero */

struct sha256 {
    void *ctx; /* EVP_MD_CTX, owned */
};

enum rc sha256_init(struct sha256 *s, struct err *e);
enum rc sha256_add(struct sha256 *s, const void *data, size_t n, struct err *e);
/* Writes 64 lower-case digits and releases s. */
enum rc sha256_end(struct sha256 *s, char hex[SHA256_HEX], struct err *e);
void sha256_release(struct sha256 *s); /* only needed when end was not reached */

enum rc sha256_bytes(const void *data, size_t n, char hex[SHA256_HEX], struct err *e);
/* n_bytes may be NULL. RC_INPUT when the file cannot be opened, RC_FAIL when reading breaks off. */
enum rc sha256_file(const char *path, char hex[SHA256_HEX], uint64_t *n_bytes, struct err *e);

/* What sha256_file is made of. The caller closes the file; path: for sentences. */
FILE *sha256_open(const char *path, struct err *e);
/* From where f stands to its end. stop, which may be NULL, breaks it off (RC_FAIL) once it is true.
 */
enum rc sha256_stream(FILE *f, const char *path, const atomic_bool *stop, char hex[SHA256_HEX],
                      uint64_t *n_bytes, struct err *e);

#endif
