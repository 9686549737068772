/* From the end: the end record says where the directory is (with zip64: by way of a locator and a
 * second end record); the directory lists each member's name, sizes, sum and place; at that place
 * is a local header whose name must agree, and the bytes follow it. */
#include "lib/io/zip.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

enum { END_BYTES = 22, LOCATOR_BYTES = 20, END64_BYTES = 56, ENTRY_BYTES = 46, LOCAL_BYTES = 30 };

static uint64_t little(const unsigned char *b, int n)
{
    uint64_t x = 0;
    while (n--)
        x = x << 8 | b[n];
    return x;
}

struct directory {
    const unsigned char *begin; /* of the file */
    size_t n_bytes;
    uint64_t at, size, n; /* of the directory */
};

/* The last place where an end record reaches just to the end of the file, or SIZE_MAX. */
static size_t find_end(const unsigned char *b, size_t n)
{
    for (size_t back = END_BYTES; back <= n && back <= END_BYTES + 65535; back++)
        if (memcmp(b + n - back, "PK\5\6", 4) == 0 &&
            little(b + n - back + 20, 2) == back - END_BYTES)
            return n - back;
    return SIZE_MAX;
}

static enum rc find_directory(struct directory *d, struct err *e)
{
    const unsigned char *b = d->begin;
    const size_t end = find_end(b, d->n_bytes);
    size_t before = end;
    if (end == SIZE_MAX)
        return err_set(e, RC_INPUT, "the zip archive is cut off: it has no directory");
    d->n = little(b + end + 10, 2);
    d->size = little(b + end + 12, 4);
    d->at = little(b + end + 16, 4);
    if (end >= LOCATOR_BYTES && memcmp(b + end - LOCATOR_BYTES, "PK\6\7", 4) == 0) {
        const uint64_t at = little(b + end - LOCATOR_BYTES + 8, 8);
        if (end < LOCATOR_BYTES + END64_BYTES || at > end - LOCATOR_BYTES - END64_BYTES ||
            memcmp(b + at, "PK\6\6", 4) != 0)
            return err_set(e, RC_INPUT, "the zip archive is damaged: its zip64 record is missing");
        d->n = little(b + at + 32, 8);
        d->size = little(b + at + 40, 8);
        d->at = little(b + at + 48, 8);
        before = (size_t)at;
    }
    if (d->at > before || d->size > before - d->at || d->n > d->size / ENTRY_BYTES)
        return err_set(e, RC_INPUT, "the zip archive is damaged: its directory is not in the file");
    return RC_OK;
}

/* Sizes and place that do not fit 32 bits are in an extra field, in this order. */
static bool take_zip64(const unsigned char *extra, size_t n, uint64_t *const field[3])
{
    for (size_t at = 0; n - at >= 4;) {
        const size_t size = little(extra + at + 2, 2);
        const unsigned char *x = extra + at + 4;
        if (size > n - at - 4)
            return false;
        size_t used = 0;
        for (int i = 0; i < 3 && little(extra + at, 2) == 1; i++)
            if (*field[i] == UINT32_MAX) {
                if (size - used < 8)
                    return false;
                *field[i] = little(x + used, 8);
                used += 8;
            }
        at += 4 + size;
    }
    return true;
}

static enum rc read_local(const struct directory *d, struct zip_member *m, uint64_t at,
                          struct err *e)
{
    const unsigned char *b = d->begin + at;
    if (at > d->at || d->at - at < LOCAL_BYTES || memcmp(b, "PK\3\4", 4) != 0)
        return err_set(e, RC_INPUT, "zip member '%.*s' is not where the directory says", m->n_name,
                       m->name);
    const uint64_t n_name = little(b + 26, 2), head = LOCAL_BYTES + n_name + little(b + 28, 2);
    if (head > d->at - at || m->n_bytes > d->at - at - head)
        return err_set(e, RC_INPUT, "zip member '%.*s' is cut off", m->n_name, m->name);
    if (n_name != m->n_name || memcmp(b + LOCAL_BYTES, m->name, m->n_name) != 0)
        return err_set(e, RC_INPUT, "zip member '%.*s' has another name at its place", m->n_name,
                       m->name);
    m->data = b + head;
    return RC_OK;
}

/* The entry at b; *used is its length. left: bytes of the directory from b on. */
static enum rc read_entry(const struct directory *d, const unsigned char *b, uint64_t left,
                          struct zip_member *m, uint64_t *used, struct err *e)
{
    if (left < ENTRY_BYTES || memcmp(b, "PK\1\2", 4) != 0)
        return err_set(e, RC_INPUT, "the zip archive is damaged: a broken directory");
    const uint64_t n_name = little(b + 28, 2), n_extra = little(b + 30, 2);
    uint64_t packed = little(b + 20, 4), at = little(b + 42, 4);
    *used = ENTRY_BYTES + n_name + n_extra + little(b + 32, 2);
    if (*used > left)
        return err_set(e, RC_INPUT, "the zip archive is damaged: a broken directory");
    *m = (struct zip_member){ .name = (const char *)b + ENTRY_BYTES,
                              .n_name = (uint16_t)n_name,
                              .n_bytes = little(b + 24, 4),
                              .crc = (uint32_t)little(b + 16, 4) };
    uint64_t *const field[3] = { &m->n_bytes, &packed, &at };
    if (!take_zip64(b + ENTRY_BYTES + n_name, n_extra, field))
        return err_set(e, RC_INPUT, "zip member '%.*s' has a broken extra field", m->n_name,
                       m->name);
    if (little(b + 8, 2) & 1)
        return err_set(e, RC_INPUT, "zip member '%.*s' is encrypted", m->n_name, m->name);
    if (little(b + 10, 2) != 0 || packed != m->n_bytes)
        return err_set(e, RC_INPUT, "zip member '%.*s' is compressed; torch stores as is",
                       m->n_name, m->name);
    return read_local(d, m, at, e);
}

static int compare(const char *a, size_t n, const char *b, size_t m)
{
    const int order = memcmp(a, b, n < m ? n : m);
    return order ? order : (n > m) - (n < m);
}

static int by_name(const void *a, const void *b)
{
    const struct zip_member *x = a, *y = b;
    return compare(x->name, x->n_name, y->name, y->n_name);
}

enum rc zip_view(struct zip *z, const void *bytes, size_t n_bytes, struct err *e)
{
    struct directory d = { .begin = bytes, .n_bytes = n_bytes };
    *z = (struct zip){ 0 };
    enum rc rc = find_directory(&d, e);
    if (rc)
        return rc;
    z->member = calloc((size_t)d.n + 1, sizeof *z->member);
    if (!z->member)
        return err_set(e, RC_FAIL, "no memory for %llu zip members", (unsigned long long)d.n);
    for (uint64_t at = 0, used = 0; !rc && z->n < d.n; z->n++, at += used)
        rc = read_entry(&d, d.begin + d.at + at, d.size - at, &z->member[z->n], &used, e);
    if (!rc)
        qsort(z->member, z->n, sizeof *z->member, by_name);
    for (size_t i = 1; !rc && i < z->n; i++)
        if (by_name(&z->member[i - 1], &z->member[i]) == 0)
            rc = err_set(e, RC_INPUT, "zip member '%.*s' comes twice", z->member[i].n_name,
                         z->member[i].name);
    if (rc)
        zip_release(z);
    return rc;
}

void zip_release(struct zip *z)
{
    free(z->member);
    *z = (struct zip){ 0 };
}

struct zip_member *zip_find(const struct zip *z, const char *name)
{
    const size_t n = strlen(name);
    if (n > UINT16_MAX || !z->n)
        return NULL;
    const struct zip_member key = { .name = name, .n_name = (uint16_t)n };
    return bsearch(&key, z->member, z->n, sizeof key, by_name);
}

enum rc zip_verify(struct zip_member *m, struct err *e)
{
#ifndef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION /* no fuzzer would ever guess a sum */
    if (!m->checked && libdeflate_crc32(0, m->data, m->n_bytes) != m->crc)
        return err_set(e, RC_INPUT, "zip member '%.*s' is damaged: its CRC-32 does not agree",
                       m->n_name, m->name);
#else
    (void)e;
#endif
    m->checked = true;
    return RC_OK;
}
