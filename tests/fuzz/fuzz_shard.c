/* lib/io/shard: files of any content under the names of the right data sets are refused, or every
 * cell can be read and is found by its id. The bytes are a recipe: lengths of the data sets, then
 * their entries. (Damage to HDF5 itself is the library's; shards are our own files.) */
#include <stdio.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/io/h5.h"
#include "lib/io/shard.h"
#include "tests/fuzz/fuzz.h"

struct recipe {
    const uint8_t *at;
    size_t left;
};

static uint8_t next(struct recipe *r)
{
    if (!r->left)
        return 0;
    r->left--;
    return *r->at++;
}

/* n entries of `bytes` each: the lowest byte from the recipe, the others 0 or, now and then, 255. */
static void put(hid_t file, const char *name, hid_t type, size_t bytes, uint64_t n,
                struct recipe *r)
{
    unsigned char v[16 * 8] = { 0 };
    n %= 16;
    for (uint64_t i = 0; i < n; i++) {
        v[i * bytes] = next(r);
        if (v[i * bytes] > 250)
            for (size_t k = 1; k < bytes; k++)
                v[i * bytes + k] = 255;
    }
    h5_put_data(file, name, type, type, 1, &n, v, NULL, NULL);
}

static void build(const char *shard, const char *index, struct recipe *r)
{
    struct err e = { 0 };
    hid_t f;
    /* Lengths that fit, each off by what the recipe says. */
    uint64_t n_cells = next(r) % 8, n_tokens = next(r) % 16;
    if (h5_create(shard, &f, &e))
        abort();
    put(f, "row", H5T_STD_U64LE, 8, n_cells + 1 + next(r) % 4 / 3, r);
    put(f, "token", H5T_STD_U16LE, 2, n_tokens, r);
    put(f, "value", H5T_IEEE_F32LE, 4, n_tokens + next(r) % 4 / 3, r);
    put(f, "species", H5T_STD_U8LE, 1, n_cells + next(r) % 4 / 3, r);
    put(f, "cell_id", H5T_STD_U64LE, 8, n_cells, r);
    h5_finish(f, shard, &e);
    if (next(r) % 2) {
        unlink(index);
        return;
    }
    if (h5_create(index, &f, &e))
        abort();
    put(f, "slot", H5T_STD_U32LE, 4, next(r), r);
    h5_finish(f, index, &e);
}

static void look(const struct shard_set *s)
{
    volatile double sink = 0;
    for (size_t i = 0; i < s->n_cells; i++) {
        struct token_cell c = shard_set_cell(s, i);
        for (uint32_t k = 0; k < c.n; k++)
            sink += c.token[k] + (double)c.value[k];
        if (c.species > 1 || c.n > s->longest)
            abort();
        size_t at = shard_set_find(s, c.cell_id);
        if (at != SIZE_MAX && shard_set_cell(s, at).cell_id != c.cell_id)
            abort();
    }
    (void)sink;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char folder[64], shard[128], index[128];
    struct recipe r = { data, size };
    struct shard_set s;
    struct err e = { 0 };
    if (!*folder) {
        snprintf(folder, sizeof folder, "/tmp/gc-fuzz-shard-%ld", (long)getpid());
        snprintf(shard, sizeof shard, "%s/shard-00000.h5", folder);
        snprintf(index, sizeof index, "%s/index.h5", folder);
    }
    if (folder_make(folder, &e))
        abort();
    build(shard, index, &r);
    if (!shard_set_open(&s, folder, &e))
        look(&s);
    else if (!e.text[0] || s.file)
        abort();
    shard_set_close(&s);
    unlink(shard);
    unlink(index);
    rmdir(folder);
    return 0;
}
