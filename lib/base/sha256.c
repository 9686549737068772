#include "lib/base/sha256.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum rc sha256_init(struct sha256 *s, struct err *e)
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    s->ctx = c;
    if (c && EVP_DigestInit_ex(c, EVP_sha256(), NULL) == 1)
        return RC_OK;
    sha256_release(s);
    ERR_clear_error(); /* OpenSSL keeps a list of what went wrong */
    return err_set(e, RC_FAIL, "cannot start SHA-256");
}

enum rc sha256_add(struct sha256 *s, const void *data, size_t n, struct err *e)
{
    if (EVP_DigestUpdate(s->ctx, data, n) == 1)
        return RC_OK;
    return err_set(e, RC_FAIL, "SHA-256 failed");
}

enum rc sha256_end(struct sha256 *s, char hex[SHA256_HEX], struct err *e)
{
    unsigned char d[32];
    unsigned len = 0;
    int ok = EVP_DigestFinal_ex(s->ctx, d, &len);
    sha256_release(s);
    if (ok != 1 || len != sizeof d)
        return err_set(e, RC_FAIL, "SHA-256 failed");
    for (size_t i = 0; i < sizeof d; i++)
        snprintf(hex + 2 * i, 3, "%02x", d[i]);
    return RC_OK;
}

void sha256_release(struct sha256 *s)
{
    EVP_MD_CTX_free(s->ctx);
    s->ctx = NULL;
}

enum rc sha256_bytes(const void *data, size_t n, char hex[SHA256_HEX], struct err *e)
{
    struct sha256 s;
    if (sha256_init(&s, e))
        return e ? e->rc : RC_FAIL;
    if (sha256_add(&s, data, n, e)) {
        sha256_release(&s);
        return e ? e->rc : RC_FAIL;
    }
    return sha256_end(&s, hex, e);
}

enum rc sha256_stream(FILE *f, const char *path, const atomic_bool *stop, char hex[SHA256_HEX],
                      uint64_t *n_bytes, struct err *e)
{
    enum { CHUNK = 1 << 18 };
    unsigned char *buf = malloc(CHUNK);
    struct sha256 s = { NULL };
    uint64_t total = 0;
    enum rc rc = buf ? sha256_init(&s, e) : err_set(e, RC_FAIL, "no memory to hash '%s'", path);
    while (!rc) {
        if (stop && atomic_load(stop)) {
            rc = err_set(e, RC_FAIL, "the hash of '%s' was broken off", path);
            break;
        }
        size_t n = fread(buf, 1, CHUNK, f);
        total += n;
        if (n)
            rc = sha256_add(&s, buf, n, e);
        if (n < CHUNK)
            break;
    }
    if (!rc && ferror(f))
        rc = err_set(e, RC_FAIL, "cannot read '%s': %s", path, strerror(errno));
    if (!rc)
        rc = sha256_end(&s, hex, e);
    else
        sha256_release(&s);
    if (!rc && n_bytes)
        *n_bytes = total;
    free(buf);
    return rc;
}

FILE *sha256_open(const char *path, struct err *e)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        err_set(e, errno == ENOMEM ? RC_FAIL : RC_INPUT, "cannot open '%s': %s", path,
                strerror(errno));
    return f;
}

enum rc sha256_file(const char *path, char hex[SHA256_HEX], uint64_t *n_bytes, struct err *e)
{
    struct err own = { 0 };
    FILE *f = sha256_open(path, &own);
    enum rc rc = f ? sha256_stream(f, path, NULL, hex, n_bytes, &own) : own.rc;
    if (f)
        fclose(f);
    if (rc && e)
        *e = own;
    return rc;
}
