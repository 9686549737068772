/* The zip form, written: torch.load(path, weights_only=True) reads it. As torch does, every
 * member's bytes begin at a multiple of 64, by padding in an extra field; the sizes are in the
 * local header because the sum is worked out first. Equal tensors give equal bytes. */
#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/io/torch.h"

enum { ALIGN = 64, LOCAL_BYTES = 30, DAY_ONE = 0x21 /* 1980-01-01, the first that zip knows */ };

static const char *const storage_name[] = {
    [ST_F32] = "FloatStorage",     [ST_F64] = "DoubleStorage", [ST_I64] = "LongStorage",
    [ST_I32] = "IntStorage",       [ST_U8] = "ByteStorage",    [ST_F16] = "HalfStorage",
    [ST_BF16] = "BFloat16Storage", [ST_BOOL] = "BoolStorage",  [ST_I8] = "CharStorage",
    [ST_I16] = "ShortStorage",
};

static void put_little(FILE *f, uint64_t x, int n)
{
    for (int i = 0; i < n; i++)
        fputc(i < 8 ? (int)(x >> 8 * i & 0xff) : 0, f);
}

/* ---- the pickle ---- */

static void put_whole(FILE *f, uint64_t x)
{
    if (x < 256) {
        fputc('K', f);
        put_little(f, x, 1);
    } else if (x < 65536) {
        fputc('M', f);
        put_little(f, x, 2);
    } else if (x <= INT32_MAX) {
        fputc('J', f);
        put_little(f, x, 4);
    } else {
        fputc(0x8a, f); /* LONG1 */
        put_little(f, 8, 1);
        put_little(f, x, 8);
    }
}

static void put_text(FILE *f, const char *s)
{
    fputc('X', f);
    put_little(f, strlen(s), 4);
    fputs(s, f);
}

static void put_counts(FILE *f, const uint64_t *x, int n)
{
    fputc('(', f);
    for (int i = 0; i < n; i++)
        put_whole(f, x[i]);
    fputc('t', f);
}

/* _rebuild_tensor_v2(storage, 0, sizes, strides, False, OrderedDict()) */
static void put_tensor(FILE *f, const struct st_tensor *t, size_t key)
{
    uint64_t stride[ST_MAX_DIMS], step = 1;
    char text[24];
    for (int i = t->n_dims - 1; i >= 0; i--) {
        stride[i] = step;
        step *= t->dim[i] ? t->dim[i] : 1;
    }
    snprintf(text, sizeof text, "%zu", key);
    put_text(f, t->name);
    fputs("ctorch._utils\n_rebuild_tensor_v2\n((", f);
    put_text(f, "storage");
    fprintf(f, "ctorch\n%s\n", storage_name[t->type]);
    put_text(f, text);
    put_text(f, "cpu");
    put_whole(f, t->n_items);
    fputs("tQ", f);
    put_whole(f, 0);
    put_counts(f, t->dim, t->n_dims);
    put_counts(f, stride, t->n_dims);
    fputs("\x89"
          "ccollections\nOrderedDict\n)RtR",
          f);
}

/* key[i]: number of the storage of tensor i. */
static char *make_pickle(const struct st_tensor *t, const size_t *key, size_t n, size_t *n_bytes)
{
    char *text = NULL;
    FILE *f = open_memstream(&text, n_bytes);
    if (!f)
        return NULL;
    fputs("\x80\x02}(", f);
    for (size_t i = 0; i < n; i++)
        put_tensor(f, &t[i], key[i]);
    fputs("u.", f);
    const bool good = !ferror(f);
    if (fclose(f) == 0 && good)
        return text;
    free(text);
    return NULL;
}

/* ---- the archive ---- */

struct out {
    FILE *f, *directory; /* the directory grows in memory */
    uint64_t at, n;
};

static void put_entry(struct out *o, const char *name, const void *data, uint64_t n_bytes)
{
    const uint32_t crc = n_bytes ? libdeflate_crc32(0, data, n_bytes) : 0;
    const size_t n_name = strlen(name), head = LOCAL_BYTES + n_name + 4;
    const size_t pad = (ALIGN - (o->at + head) % ALIGN) % ALIGN;
    for (int local = 1; local >= 0; local--) {
        FILE *f = local ? o->f : o->directory;
        fputs(local ? "PK\3\4" : "PK\1\2", f);
        put_little(f, 0, local ? 0 : 2); /* made by */
        put_little(f, 0, 6);             /* version, flags, stored */
        put_little(f, 0, 2);
        put_little(f, DAY_ONE, 2);
        put_little(f, crc, 4);
        put_little(f, n_bytes, 4);
        put_little(f, n_bytes, 4);
        put_little(f, n_name, 2);
        put_little(f, local ? 4 + pad : 0, 2);
        if (!local) {
            put_little(f, 0, 10); /* comment, disk, attributes */
            put_little(f, o->at, 4);
        }
        fputs(name, f);
    }
    fputs("FB", o->f);
    put_little(o->f, pad, 2);
    for (size_t i = 0; i < pad; i++)
        fputc('Z', o->f);
    if (n_bytes)
        fwrite(data, 1, n_bytes, o->f); /* the file's error flag is looked at when it is closed */
    o->at += head + pad + n_bytes;
    o->n++;
}

static void put_end(struct out *o, const char *directory, size_t n_bytes)
{
    fwrite(directory, 1, n_bytes, o->f);
    fputs("PK\5\6", o->f);
    put_little(o->f, 0, 4);
    put_little(o->f, o->n, 2);
    put_little(o->f, o->n, 2);
    put_little(o->f, n_bytes, 4);
    put_little(o->f, o->at, 4);
    put_little(o->f, 0, 2);
}

static enum rc put_archive(FILE *f, const struct st_tensor *t, const size_t *key, size_t n,
                           struct err *e)
{
    char *directory = NULL, *pickle, name[64];
    size_t n_directory, n_pickle, made = 0;
    struct out o = { .f = f, .directory = open_memstream(&directory, &n_directory) };
    pickle = o.directory ? make_pickle(t, key, n, &n_pickle) : NULL;
    if (pickle) {
        put_entry(&o, "archive/data.pkl", pickle, n_pickle);
        put_entry(&o, "archive/byteorder", "little", 6);
        for (size_t i = 0; i < n; i++)
            if (key[i] == made) { /* the first with this storage */
                snprintf(name, sizeof name, "archive/data/%zu", made++);
                put_entry(&o, name, t[i].data, t[i].n_bytes);
            }
        put_entry(&o, "archive/version", "3\n", 2);
    }
    const bool good = o.directory && !ferror(o.directory);
    if (o.directory && fclose(o.directory) == 0 && good && pickle)
        put_end(&o, directory, n_directory);
    else
        err_set(e, RC_FAIL, "no memory for the directory of the archive");
    free(directory);
    free(pickle);
    return e->rc;
}

struct place {
    const struct st_tensor *t;
    size_t i;
};

static int by_place(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->t->data != y->t->data)
        return (uintptr_t)x->t->data < (uintptr_t)y->t->data ? -1 : 1;
    if (x->t->type != y->t->type || x->t->n_items != y->t->n_items)
        return x->t->type != y->t->type        ? (int)x->t->type - (int)y->t->type
               : x->t->n_items < y->t->n_items ? -1
                                               : 1;
    return (x->i > y->i) - (x->i < y->i);
}

/* Tensors of the same numbers at the same place get the same key; keys rise in the given order. */
static bool share_storages(const struct st_tensor *t, size_t n, size_t *key)
{
    struct place *p = malloc((n + 1) * sizeof *p);
    if (!p)
        return false;
    for (size_t i = 0; i < n; i++)
        p[i] = (struct place){ &t[i], i };
    qsort(p, n, sizeof *p, by_place);
    for (size_t k = 0, first = 0; k < n; k++) {
        const struct st_tensor *a = p[first].t, *b = p[k].t;
        if (a->data != b->data || a->type != b->type || a->n_items != b->n_items || !b->n_items)
            first = k;
        key[p[k].i] = p[first].i; /* for now the first tensor */
    }
    free(p);
    size_t n_keys = 0;
    for (size_t i = 0; i < n; i++)
        key[i] = key[i] == i ? n_keys++ : key[key[i]];
    return true;
}

static enum rc check_sizes(const struct st_tensor *t, size_t n, struct err *e)
{
    uint64_t all = 0;
    for (size_t i = 0; i < n; i++) {
        if (t[i].type >= ST_OTHER)
            return err_set(e, RC_INPUT, "tensor '%s' has a type that is not written", t[i].name);
        all += ALIGN + 1024 + 4 * strlen(t[i].name);
        if (all > UINT32_MAX || t[i].n_bytes > UINT32_MAX - all)
            return err_set(e, RC_INPUT, "4 GiB and more are not written in this form");
        all += t[i].n_bytes;
    }
    /* Each tensor is up to two members' worth of directory; their number has 16 bits. */
    return n < 65000 ? RC_OK : err_set(e, RC_INPUT, "%zu tensors are not written in this form", n);
}

enum rc torch_write(const char *path, const struct st_tensor *t, size_t n, struct err *e)
{
    struct err own = { 0 };
    struct outfile o;
    e = e ? e : &own;
    err_clear(e);
    size_t *key = malloc((n + 1) * sizeof *key);
    if (!key || !share_storages(t, n, key))
        err_set(e, RC_FAIL, "no memory for %zu tensors", n);
    else if (check_sizes(t, n, e))
        err_wrap(e, "'%s'", path);
    else if (!outfile_open(&o, path, e)) {
        if (put_archive(o.f, t, key, n, e))
            outfile_abort(&o);
        else
            outfile_commit(&o, e);
    }
    free(key);
    return e->rc;
}
