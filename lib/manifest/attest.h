/* A results folder as a signed statement.
 *
 * The statement is in-toto's (https://in-toto.io/Statement/v1): every file of the folder with its
 * SHA-256, and as predicate SLSA provenance: the stages with their parameters, the raw inputs with
 * addresses and sums. The envelope is DSSE (https://github.com/secure-systems-lab/dsse,
 * protocol.md), signed with Ed25519 over "DSSEv1 SP LEN(type) SP type SP LEN(payload) SP payload".
 * Equal results, equal key: equal bytes, since Ed25519 draws no random numbers. */
#ifndef GC_MANIFEST_ATTEST_H
#define GC_MANIFEST_ATTEST_H

#include "lib/manifest/chain.h"

/* Of a hashed chain: the files that have sums, "SUM  PATH" by path, as sha256sum writes and reads
 * them. */
enum rc attest_sums(const struct chain *c, const char *path, struct err *e);
/* The statement as text; the caller frees *text. RC_INPUT: a name, or a parameter, is no UTF-8. */
enum rc attest_statement(const struct chain *c, char **text, size_t *n_bytes, struct err *e);

/* key: a private Ed25519 key as PEM. Writes the envelope to path, and the public key as PEM to
 * pub_path. RC_INPUT: no such key. */
enum rc dsse_sign(const char *payload, size_t n_bytes, const char *key, const char *path,
                  const char *pub_path, struct err *e);
/* An envelope from outside; its payload once a signature of it is right by the public key in the
 * PEM file, with a zero byte behind it; the caller frees. RC_INPUT: no envelope, no key; RC_CHECK:
 * no signature fits. */
enum rc dsse_open(const char *text, size_t n_bytes, const char *pub, char **payload, size_t *n,
                  struct err *e);

/* A statement against a hashed chain. report(ctx, what, path): "changed", "missing" or "extra".
 * *n_bad counts them. RC_INPUT: no such statement. */
enum rc attest_compare(const struct chain *c, const char *statement, size_t n_bytes,
                       void (*report)(void *ctx, const char *what, const char *path), void *ctx,
                       size_t *n_files, size_t *n_bad, struct err *e);

#endif
