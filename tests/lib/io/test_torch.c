/* torch files: what we write is read, and each promise of the archive is checked. */
#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/io/weights.h"
#include "tests/tap.h"

static char dir[] = "/tmp/gc-torch-XXXXXX";
static float numbers[6] = { 1, 2, 3, 4, 5, 6 };
static int64_t whole[2] = { -1, INT64_MAX };

/* A file of ours in memory: a and b share their numbers. */
static char *written(size_t *n)
{
    const struct st_tensor t[] = {
        { .name = (char *)"b",
          .type = ST_F32,
          .n_dims = 2,
          .dim = { 2, 3 },
          .n_items = 6,
          .n_bytes = 24,
          .data = numbers },
        { .name = (char *)"a",
          .type = ST_F32,
          .n_dims = 1,
          .dim = { 6 },
          .n_items = 6,
          .n_bytes = 24,
          .data = numbers },
        { .name = (char *)"whole",
          .type = ST_I64,
          .n_dims = 1,
          .dim = { 2 },
          .n_items = 2,
          .n_bytes = 16,
          .data = whole },
        { .name = (char *)"one", .type = ST_F32, .n_items = 1, .n_bytes = 4, .data = numbers + 5 },
        { .name = (char *)"none", .type = ST_U8, .n_dims = 2, .dim = { 0, 7 }, .data = numbers },
    };
    char *path = text_new("%s/t.bin", dir), *bytes = NULL;
    struct err e = { 0 };
    ok(!torch_write(path, t, 5, &e) && !file_read(path, 1 << 20, &bytes, n, &e),
       "five tensors are written%s", e.text);
    free(path);
    return bytes;
}

static void reads_back(const char *bytes, size_t n)
{
    struct weights w;
    struct err e = { 0 };
    if (!ok(!weights_view_torch(&w, bytes, n, &e), "and read%s", e.text))
        return;
    const struct st_tensor *a = st_find(&w.st, "a"), *b = st_find(&w.st, "b");
    const struct st_tensor *i = st_find(&w.st, "whole"), *one = st_find(&w.st, "one");
    const struct st_tensor *none = st_find(&w.st, "none");
    ok(w.st.n == 5 && a && b && i && one && none, "by name");
    ok(memcmp(b->data, numbers, 24) == 0 && b->n_dims == 2 && b->dim[1] == 3, "with their numbers");
    ok(a->data == b->data, "tensors at one place share a storage");
    ok(memcmp(i->data, whole, 16) == 0 && i->type == ST_I64, "whole numbers to the last bit");
    ok(one->n_dims == 0 && one->n_items == 1 && none->n_dims == 2 && !none->n_items,
       "a scalar, and a tensor of nothing");
    ok(((const char *)b->data - bytes) % 64 == 0, "numbers begin at a multiple of 64");
    weights_close(&w);
}

static void refused(const char *bytes, size_t n, const char *why, const char *what)
{
    struct torch_file f;
    struct err e = { 0 };
    enum rc rc = torch_view(&f, bytes, n, &e);
    if (!ok(rc == RC_INPUT && strstr(e.text, why) && !f.zip.member && !f.pickle.made, "refuses %s",
            what))
        note("status %d, %s", rc, e.text);
    torch_close(&f);
}

/* The place of the k-th occurrence. */
static size_t find(const char *bytes, size_t n, const char *what, size_t n_what, int k)
{
    for (size_t i = 0; i + n_what <= n; i++)
        if (memcmp(bytes + i, what, n_what) == 0 && k-- == 0)
            return i;
    abort();
}

/* One byte changed in a copy. */
static void changed(const char *bytes, size_t n, size_t at, char to, const char *why,
                    const char *what)
{
    char *copy = malloc(n);
    memcpy(copy, bytes, n);
    copy[at] = to;
    refused(copy, n, why, what);
    free(copy);
}

/* Members are data.pkl, byteorder, data/0 .. data/3, version. */
static void archive(const char *bytes, size_t n)
{
    static const char entry[] = { 'P', 'K', 1, 2 }, local[] = { 'P', 'K', 3, 4 };
    static const char end[] = { 'P', 'K', 5, 6 };
    const size_t first = find(bytes, n, entry, 4, 0), storage = find(bytes, n, entry, 4, 2);
    const size_t last = find(bytes, n, end, 4, 0);
    changed(bytes, n, first + 10, 8, "'archive/data.pkl' is compressed", "a compressed member");
    changed(bytes, n, first + 8, 1, "encrypted", "an encrypted member");
    changed(bytes, n, first + 24, 0, "compressed", "two sizes that differ");
    changed(bytes, n, storage + 45, 1, "not where the directory says", "a place beyond the file");
    changed(bytes, n, storage + 46, 'x', "another name", "two names for one member");
    changed(bytes, n, storage + 16, 0, "CRC-32", "a sum that differs");
    changed(bytes, n, find(bytes, n, "Z\0\0\x80\x3f", 5, 0) + 1, 1, "'archive/data/0' is damaged",
            "a number that differs");
    changed(bytes, n, find(bytes, n, local, 4, 1), 'Q', "not where", "a header that is none");
    changed(bytes, n, last + 16, 0, "damaged", "a directory at another place");
    changed(bytes, n, last + 10, 99, "not in the file", "more members than the directory has");
    changed(bytes, n, last + 20, 1, "no directory", "a comment that is not there");
    for (size_t cut = 0; cut < n; cut += 37)
        refused(bytes, cut, cut < 2 ? "too few" : "cut off", "a file that is cut off");
}

/* With sums that agree again. */
static void set_sum(char *bytes, size_t n, int k, size_t at, size_t n_bytes)
{
    static const char entry[] = { 'P', 'K', 1, 2 };
    const uint32_t crc = libdeflate_crc32(0, bytes + at, n_bytes);
    memcpy(bytes + find(bytes, n, entry, 4, k) + 16, &crc, 4);
}

static void content(const char *bytes, size_t n)
{
    static const char word[] = "Zlittle";
    char *copy = malloc(n);
    const size_t order = find(bytes, n, word, 7, 0) + 1;
    memcpy(copy, bytes, n);
    memcpy(copy + order, "middle", 6);
    set_sum(copy, n, 1, order, 6);
    refused(copy, n, "neither little nor big", "a byte order that is none");
    const size_t pickle = find(bytes, n, "\x80\x02}(", 4, 0),
                 size = find(bytes, n, "u.PK", 4, 0) + 2;
    memcpy(copy, bytes, n);
    copy[find(bytes, n, "cpu", 3, 0) + 4] = 7; /* the number of elements of the first storage */
    set_sum(copy, n, 0, pickle, size - pickle);
    refused(copy, n, "storage '0' has 24 bytes, its tensors say 28", "a storage that is too short");
    memcpy(copy, bytes, n);
    copy[find(bytes, n, "tQK\0(K", 6, 0) + 3] = 1; /* its offset */
    set_sum(copy, n, 0, pickle, size - pickle);
    refused(copy, n, "beyond its storage", "a view that ends behind its storage");
    memcpy(copy, bytes, n);
    copy[find(bytes, n,
              "X\1\0\0\0"
              "0",
              6, 0) +
         5] = '9'; /* its key */
    set_sum(copy, n, 0, pickle, size - pickle);
    refused(copy, n, "storage '9' is not in the file", "a storage that is not there");
    free(copy);
}

static void high_byte_first(void)
{
    static const unsigned char bytes[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
    const struct array_store s = {
        .type = ST_I16, .big_endian = true, .n_items = 4, .data = bytes
    };
    struct array a = { .store = &s, .n_dims = 2, .dim = { 2, 2 }, .stride = { 1, 2 } };
    struct st_tensor t;
    void *copy = NULL;
    double x[4];
    ok(!array_check(&a, NULL) && !array_tensor(&a, &t, &copy, NULL) && !st_get_f64(&t, x, NULL) &&
           x[0] == 0x102 && x[1] == 0x506 && x[2] == 0x304 && x[3] == 0x708,
       "numbers with the high byte first, turned");
    free(copy);
    a.dim[0] = 3;
    ok(array_check(&a, NULL) == RC_INPUT, "a row too many is refused");
    a.dim[0] = UINT64_MAX / 2;
    a.stride[0] = 4;
    ok(array_check(&a, NULL) == RC_INPUT, "and sizes that wrap");
}

int main(void)
{
    size_t n;
    if (!mkdtemp(dir))
        return 1;
    char *bytes = written(&n);
    if (bytes) {
        reads_back(bytes, n);
        archive(bytes, n);
        content(bytes, n);
    }
    high_byte_first();
    struct weights w;
    struct err e = { 0 };
    ok(weights_open(&w, dir, &e) == RC_INPUT && strstr(e.text, "not a plain file"),
       "a folder is refused");
    ok(weights_open(&w, "/nowhere.bin", &e) == RC_INPUT && strstr(e.text, "'/nowhere.bin'"),
       "and what is not there, by name");
    struct st_tensor other = { .name = (char *)"x", .type = ST_OTHER };
    ok(torch_write("/tmp/never.bin", &other, 1, &e) == RC_INPUT && strstr(e.text, "'x'") &&
           !file_exists("/tmp/never.bin"),
       "a type that is not known is not written");
    char *rm = text_new("rm -r '%s'", dir);
    ok(system(rm) == 0, "clean up");
    free(rm);
    free(bytes);
    return tap_end();
}
