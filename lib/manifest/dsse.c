#include <errno.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/io/json.h"
#include "lib/manifest/attest.h"

static const char payload_type[] = "application/vnd.in-toto+json";
enum { SIGNATURE_BYTES = 64, KEY_BYTES = 32, MAX_SIGNATURES = 64 };

/* --- base64 ----------------------------------------------------------------------------------- */

static char *encode(const void *data, size_t n)
{
    char *text = n < ((size_t)1 << 30) ? malloc(4 * (n / 3 + 1) + 1) : NULL;
    if (text)
        EVP_EncodeBlock((unsigned char *)text, data, (int)n);
    return text;
}

/* Strict: nothing but whole groups of four. NULL when it is no base64 or memory is short. */
static unsigned char *decode(const char *text, size_t *n)
{
    static const char letter[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t len = strlen(text), body = strspn(text, letter);
    if (len % 4 || len > ((size_t)1 << 30) || len - body > 2 ||
        strspn(text + body, "=") != len - body)
        return NULL;
    unsigned char *data = malloc(len / 4 * 3 + 1);
    if (!data)
        return NULL;
    int got = len ? EVP_DecodeBlock(data, (const unsigned char *)text, (int)len) : 0;
    if (got < 0) {
        free(data);
        return NULL;
    }
    *n = (size_t)got - (len - body);
    data[*n] = '\0';
    return data;
}

/* --- keys --------------------------------------------------------------------------------------
 */

static enum rc read_key(const char *path, bool private, EVP_PKEY **key, struct err *e)
{
    FILE *f = fopen(path, "r");
    *key = NULL;
    if (!f)
        return err_set(e, RC_INPUT, "cannot open key '%s': %s", path, strerror(errno));
    *key =
        private ? PEM_read_PrivateKey(f, NULL, NULL, NULL) : PEM_read_PUBKEY(f, NULL, NULL, NULL);
    fclose(f);
    if (*key && EVP_PKEY_get_id(*key) == EVP_PKEY_ED25519)
        return RC_OK;
    EVP_PKEY_free(*key);
    *key = NULL;
    return err_set(e, RC_INPUT, "'%s' holds no %s Ed25519 key in PEM", path,
                   private ? "private" : "public");
}

/* SHA-256 of the 32 bytes of the public key. */
static enum rc key_id(EVP_PKEY *key, char id[SHA256_HEX], struct err *e)
{
    unsigned char raw[KEY_BYTES];
    size_t n = sizeof raw;
    if (EVP_PKEY_get_raw_public_key(key, raw, &n) != 1)
        return err_set(e, RC_FAIL, "cannot take the public half of a key");
    return sha256_bytes(raw, n, id, e);
}

/* What is signed: the "pre-authentication encoding". */
static char *encoded(const char *type, const char *payload, size_t n, size_t *n_all)
{
    char *head = text_new("DSSEv1 %zu %s %zu ", strlen(type), type, n);
    size_t k = head ? strlen(head) : 0;
    char *all = head ? malloc(k + n + 1) : NULL;
    if (all) {
        memcpy(all, head, k);
        memcpy(all + k, payload, n);
        *n_all = k + n;
    }
    free(head);
    return all;
}

static enum rc sign_bytes(EVP_PKEY *key, const char *data, size_t n,
                          unsigned char sig[SIGNATURE_BYTES], struct err *e)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t n_sig = SIGNATURE_BYTES;
    bool good = ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
                EVP_DigestSign(ctx, sig, &n_sig, (const unsigned char *)data, n) == 1 &&
                n_sig == SIGNATURE_BYTES;
    EVP_MD_CTX_free(ctx);
    return good ? RC_OK : err_set(e, RC_FAIL, "OpenSSL cannot sign");
}

static bool fits(EVP_PKEY *key, const char *data, size_t n, const unsigned char *sig, size_t n_sig)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = ctx && n_sig == SIGNATURE_BYTES &&
                EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1 &&
                EVP_DigestVerify(ctx, sig, n_sig, (const unsigned char *)data, n) == 1;
    EVP_MD_CTX_free(ctx);
    return good;
}

static enum rc write_public(EVP_PKEY *key, const char *path, struct err *e)
{
    struct outfile o;
    if (outfile_open(&o, path, e))
        return e->rc;
    if (PEM_write_PUBKEY(o.f, key) != 1) {
        outfile_abort(&o);
        return err_set(e, RC_FAIL, "cannot write '%s'", path);
    }
    return outfile_commit(&o, e);
}

enum rc dsse_sign(const char *payload, size_t n_bytes, const char *key_path, const char *path,
                  const char *pub_path, struct err *e)
{
    EVP_PKEY *key;
    unsigned char sig[SIGNATURE_BYTES];
    char id[SHA256_HEX];
    size_t n = 0;
    if (read_key(key_path, true, &key, e))
        return e->rc;
    char *all = encoded(payload_type, payload, n_bytes, &n), *text = encode(payload, n_bytes);
    enum rc rc = all && text ? sign_bytes(key, all, n, sig, e)
                             : err_set(e, RC_FAIL, "no memory for an envelope");
    char *sig_text = encode(sig, sizeof sig);
    if (!rc && !sig_text)
        rc = err_set(e, RC_FAIL, "no memory for an envelope");
    if (!rc)
        rc = key_id(key, id, e);
    if (!rc)
        rc = write_public(key, pub_path, e);
    if (!rc)
        rc = json_write(path,
                        json_pack("{s:s,s:s,s:[{s:s,s:s}]}", "payloadType", payload_type, "payload",
                                  text, "signatures", "keyid", id, "sig", sig_text),
                        e);
    EVP_PKEY_free(key);
    free(all);
    free(text);
    free(sig_text);
    return rc;
}

/* --- opening ------------------------------------------------------------------------------------
 */

static bool one_fits(const json_t *signatures, EVP_PKEY *key, const char *data, size_t n)
{
    bool good = false;
    for (size_t i = 0; !good && i < json_array_size(signatures) && i < MAX_SIGNATURES; i++) {
        const char *s = json_string_value(json_object_get(json_array_get(signatures, i), "sig"));
        size_t n_sig = 0;
        unsigned char *sig = s ? decode(s, &n_sig) : NULL;
        good = sig && fits(key, data, n, sig, n_sig);
        free(sig);
    }
    return good;
}

enum rc dsse_open(const char *text, size_t n_bytes, const char *pub, char **payload, size_t *n,
                  struct err *e)
{
    EVP_PKEY *key = NULL;
    *payload = NULL;
    if (read_key(pub, false, &key, e))
        return e->rc;
    json_t *j = json_loadb(text, n_bytes, 0, NULL);
    const char *type = json_string_value(json_object_get(j, "payloadType"));
    const char *body = json_string_value(json_object_get(j, "payload"));
    enum rc rc = type && body && strcmp(type, payload_type) == 0
                     ? RC_OK
                     : err_set(e, RC_INPUT, "no DSSE envelope of an in-toto statement");
    unsigned char *data = rc ? NULL : decode(body, n);
    if (!rc && !data)
        rc = err_set(e, RC_INPUT, "the payload of the envelope is no base64");
    size_t n_all = 0;
    char *all = rc ? NULL : encoded(type, (char *)data, *n, &n_all);
    if (!rc && !all)
        rc = err_set(e, RC_FAIL, "no memory for an envelope");
    if (!rc && !one_fits(json_object_get(j, "signatures"), key, all, n_all))
        rc = err_set(e, RC_CHECK, "no signature in the envelope is right by key '%s'", pub);
    if (rc)
        free(data);
    else
        *payload = (char *)data;
    free(all);
    json_decref(j);
    EVP_PKEY_free(key);
    return rc;
}
