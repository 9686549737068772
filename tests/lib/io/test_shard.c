/* Shards: what is written is read back, and no damaged file is believed. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/rng.h"
#include "lib/base/sha256.h"
#include "lib/io/h5.h"
#include "lib/io/shard.h"
#include "tests/tap.h"

enum { N_CELLS = 1000, MAX_TOKENS = 64 };

static uint16_t tokens[N_CELLS][MAX_TOKENS];
static float values[N_CELLS][MAX_TOKENS];
static struct token_cell cell[N_CELLS];

static void make_cells(void)
{
    for (uint64_t i = 0; i < N_CELLS; i++) {
        /* Every 50th cell is empty. */
        uint32_t n = i % 50 ? (uint32_t)rng_below(7, RNG_TEST, i, 0, MAX_TOKENS + 1) : 0;
        for (uint64_t k = 0; k < n; k++) {
            tokens[i][k] = (uint16_t)(2 + rng_below(7, RNG_TEST, i, 1 + 2 * k, 65534));
            values[i][k] = (float)rng_unit(7, RNG_TEST, i, 2 + 2 * k);
        }
        cell[i] = (struct token_cell){ .cell_id = rng_u64(7, RNG_TEST, i, 1000),
                                       .species = i % 3 == 0,
                                       .n = n,
                                       .token = tokens[i],
                                       .value = values[i] };
    }
}

static enum rc write_cells(const char *folder, size_t n, size_t per_shard, struct err *e)
{
    struct shard_writer w;
    enum rc rc = shard_writer_open(&w, folder, per_shard, e);
    for (size_t i = 0; !rc && i < n; i++)
        rc = shard_writer_add(&w, &cell[i], e);
    if (rc) {
        shard_writer_abort(&w);
        return rc;
    }
    return shard_writer_close(&w, e);
}

static bool same_cells(const struct shard_set *s, size_t n)
{
    if (s->n_cells != n)
        return false;
    for (size_t i = 0; i < n; i++) {
        struct token_cell c = shard_set_cell(s, i);
        if (c.cell_id != cell[i].cell_id || c.species != cell[i].species || c.n != cell[i].n ||
            memcmp(c.token, tokens[i], c.n * sizeof *c.token) != 0 ||
            memcmp(c.value, values[i], c.n * sizeof *c.value) != 0)
            return false;
    }
    return true;
}

static void test_round_trip(const char *tmp)
{
    static const size_t per_shard[] = { 1, 7, 999, 1000, 1001 };
    struct err e = { 0 };
    for (size_t k = 0; k < sizeof per_shard / sizeof *per_shard; k++) {
        struct shard_set s = { 0 };
        enum rc rc = write_cells(tmp, N_CELLS, per_shard[k], &e);
        if (!rc)
            rc = shard_set_open(&s, tmp, &e);
        size_t want = (N_CELLS + per_shard[k] - 1) / per_shard[k];
        ok(!rc && s.n_files == want && same_cells(&s, N_CELLS) && s.longest == MAX_TOKENS,
           "%d cells, %zu to a shard, come back from %zu files %s", N_CELLS, per_shard[k], want,
           e.text);
        shard_set_close(&s);
    }
}

/* The index leads from every id to its cell, and from others nowhere. */
static void test_index(const char *tmp)
{
    struct err e = { 0 };
    struct shard_set s = { 0 };
    size_t wrong = 0;
    bool open = !write_cells(tmp, N_CELLS, 130, &e) && !shard_set_open(&s, tmp, &e);
    for (size_t i = 0; open && i < N_CELLS; i++)
        wrong += shard_set_find(&s, cell[i].cell_id) != i;
    ok(open && wrong == 0, "each of %d ids leads to its cell %s", N_CELLS, e.text);
    for (uint64_t i = 0; open && i < N_CELLS; i++)
        wrong += shard_set_find(&s, rng_u64(8, RNG_TEST, i, 1000)) != SIZE_MAX;
    ok(open && wrong == 0, "and other ids lead nowhere");
    shard_set_close(&s);
    char *path = text_new("%s/index.h5", tmp);
    struct stat st;
    ok(stat(path, &st) == 0 && st.st_size <= 12 * N_CELLS + 4096, "at 12 bytes a cell or less");
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    hid_t id = H5Dopen2(file, "slot", H5P_DEFAULT);
    uint32_t *slot = calloc(4096, sizeof *slot);
    bool read = H5Dread(id, H5T_NATIVE_UINT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, slot) >= 0;
    for (size_t i = 0; i < 4096; i++)
        if (slot[i] == 1000) {
            slot[i] = 1001;
            break;
        }
    read = read && H5Dwrite(id, H5T_NATIVE_UINT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, slot) >= 0;
    free(slot);
    H5Dclose(id);
    H5Fclose(file);
    ok(read && shard_set_open(&s, tmp, &e) == RC_INPUT && strstr(e.text, "cell 1001 of 1000"),
       "an index that leads beyond the last cell is refused: %s", e.text);
    unlink(path);
    ok(!shard_set_open(&s, tmp, &e) && shard_set_find(&s, cell[5].cell_id) == SIZE_MAX,
       "without an index the cells are there, and are not found by id");
    shard_set_close(&s);
    free(path);
}

static void test_small_ends(const char *tmp)
{
    struct err e = { 0 };
    struct shard_set s = { 0 };
    ok(!write_cells(tmp, 0, 5, &e) && !shard_set_open(&s, tmp, &e) && s.n_cells == 0 &&
           s.n_files == 1,
       "no cells at all give one empty shard, and the shards of the run before are gone %s",
       e.text);
    shard_set_close(&s);
    ok(!write_cells(tmp, 1, 5, &e) && !shard_set_open(&s, tmp, &e) && same_cells(&s, 1) &&
           s.n_tokens == 0,
       "a cell without tokens keeps its id and species %s", e.text);
    shard_set_close(&s);
    shard_set_close(&s);
    ok(s.n_cells == 0, "closing twice does no harm");
    struct shard_writer w;
    ok(shard_writer_open(&w, tmp, 0, &e) == RC_USAGE, "a shard of no cells is refused");
}

static void test_same_bytes(const char *tmp)
{
    struct err e = { 0 };
    char hex[2][SHA256_HEX] = { "a", "b" };
    char *path = text_new("%s/shard-00000.h5", tmp);
    for (int i = 0; i < 2; i++)
        if (write_cells(tmp, 100, 200, &e) || sha256_file(path, hex[i], NULL, &e))
            break;
    ok(strcmp(hex[0], hex[1]) == 0, "the same cells give the same bytes %s", e.text);
    free(path);
}

static void test_abort(const char *tmp)
{
    struct err e = { 0 };
    struct shard_writer w;
    struct shard_set s = { 0 };
    bool good = !write_cells(tmp, 10, 3, &e) && !shard_writer_open(&w, tmp, 2, &e);
    for (int i = 0; good && i < 7; i++)
        good = !shard_writer_add(&w, &cell[i], &e);
    shard_writer_abort(&w);
    shard_writer_abort(&w);
    ok(good && !shard_set_open(&s, tmp, &e) && same_cells(&s, 10),
       "a writer that gives up leaves the shards that were there %s", e.text);
    shard_set_close(&s);
}

static void refused(const char *folder, const char *what, const char *why)
{
    struct shard_set s;
    struct err e = { 0 };
    enum rc rc = shard_set_open(&s, folder, &e);
    ok(rc == RC_INPUT && strstr(e.text, why) && s.file == NULL && s.n_cells == 0,
       "%s is refused (%s)", what, e.text);
}

/* One shard with 2 cells and 3 tokens in which one data set may be wrong. */
struct wrong {
    uint64_t row[3], n_row, n_token, n_value, n_species, n_id;
    uint8_t species[2];
    bool no_token, token_u32, value_chunked, species_first;
};

static const struct wrong right = {
    .row = { 0, 1, 3 }, .n_row = 3, .n_token = 3, .n_value = 3, .n_species = 2, .n_id = 2
};

static hid_t chunked_data(hid_t file, const char *name, const float *v)
{
    hsize_t n = 3;
    hid_t dcpl = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(1, &n, NULL);
    H5Pset_chunk(dcpl, 1, &n);
    hid_t d = H5Dcreate2(file, name, H5T_IEEE_F32LE, space, H5P_DEFAULT, dcpl, H5P_DEFAULT);
    H5Dwrite(d, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, v);
    H5Sclose(space);
    H5Pclose(dcpl);
    return d;
}

static enum rc put_species(hid_t f, const struct wrong *x, struct err *e)
{
    return h5_put_data(f, "species", H5T_STD_U8LE, H5T_NATIVE_UINT8, 1, &x->n_species, x->species,
                       NULL, e);
}

static void write_wrong(const char *path, const struct wrong *x)
{
    static const uint32_t token[3] = { 5, 6, 7 };
    static const float value[3] = { 3, 2, 1 };
    static const uint64_t id[2] = { 11, 12 };
    struct err e = { 0 };
    hid_t f;
    bool good =
        !h5_create(path, &f, &e) && (!x->species_first || !put_species(f, x, &e)) &&
        !h5_put_data(f, "row", H5T_STD_U64LE, H5T_NATIVE_UINT64, 1, &x->n_row, x->row, NULL, &e) &&
        !h5_put_data(f, "cell_id", H5T_STD_U64LE, H5T_NATIVE_UINT64, 1, &x->n_id, id, NULL, &e);
    if (good && x->value_chunked)
        H5Dclose(chunked_data(f, "value", value));
    else if (good)
        good = !h5_put_data(f, "value", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 1, &x->n_value, value,
                            NULL, &e);
    if (good && !x->no_token)
        good = !h5_put_data(f, "token", x->token_u32 ? H5T_STD_U32LE : H5T_STD_U16LE,
                            H5T_NATIVE_UINT32, 1, &x->n_token, token, NULL, &e);
    if (good && !x->species_first)
        good = !put_species(f, x, &e);
    if (!good || h5_finish(f, path, &e))
        note("cannot write the test file: %s", e.text);
}

static void test_broken_promises(const char *folder, const char *path)
{
    struct wrong x = right;
    struct shard_set s;
    struct err e = { 0 };
    write_wrong(path, &x);
    bool good = !shard_set_open(&s, folder, &e);
    struct token_cell c = good ? shard_set_cell(&s, 1) : (struct token_cell){ 0 };
    ok(good && c.n == 2 && c.token[0] == 6 && c.value[1] == 1.0f && c.cell_id == 12,
       "the file that the following ones are damaged from is good %s", e.text);
    shard_set_close(&s);

#define DAMAGED(change, what, why)                                                                 \
    do {                                                                                           \
        x = right;                                                                                 \
        change;                                                                                    \
        write_wrong(path, &x);                                                                     \
        refused(folder, what, why);                                                                \
    } while (0)
    DAMAGED(x.row[1] = 4, "a falling row offset", "falls from 4 to 3");
    DAMAGED(x.row[0] = 1, "a first offset other than 0", "starts with 1");
    DAMAGED(x.row[2] = 2, "a last offset below the tokens", "ends with 2, but 3");
    DAMAGED(x.row[2] = 1000000, "a last offset behind the tokens", "ends with 1000000");
    DAMAGED(x.row[2] = UINT64_MAX, "a huge offset", "ends with");
    DAMAGED(x.n_row = 0, "no row offsets", "'row' is empty");
    DAMAGED(x.n_value = 2, "fewer values than tokens", "'value' has 2 entries, not 3");
    DAMAGED(x.n_species = 1, "a cell without species", "'species' has 1 entries, not 2");
    DAMAGED(x.n_id = 1, "a cell without id", "'cell_id' has 1 entries, not 2");
    DAMAGED(x.species[1] = 2, "a third species", "species 2 is neither");
    DAMAGED(x.no_token = true, "a shard without tokens", "there is no data set 'token'");
    DAMAGED(x.token_u32 = true, "tokens of 32 bits", "'token' is not of the type");
    DAMAGED(x.value_chunked = true, "values in chunks", "'value' is in chunks");
    /* One byte in front of the others moves them off their alignment. */
    DAMAGED((x.species_first = true, x.n_species = 1), "a data set between two words",
            "which cannot be mapped");
#undef DAMAGED
}

static void test_cut(const char *folder, const char *path)
{
    struct err e = { 0 };
    struct stat st;
    int believed = 0, n = 0;
    write_cells(folder, 100, 200, &e);
    if (stat(path, &st) != 0)
        st.st_size = 0;
    for (off_t at = st.st_size - 1; at >= 0; at = at < 64 ? at - 1 : at * 15 / 16, n++) {
        struct shard_set s;
        if (truncate(path, at) != 0)
            break;
        struct err ce = { 0 };
        believed += shard_set_open(&s, folder, &ce) != RC_INPUT;
        shard_set_close(&s);
    }
    ok(n > 60 && believed == 0, "none of %d cut files is believed", n);
    unlink(path);
    refused(folder, "a folder without shards", "holds no shard-00000.h5");
    refused("/nonexistent", "a folder that is not there", "cannot open folder");
}

int main(void)
{
    char tmp[] = "/tmp/test_shard.XXXXXX";
    if (!mkdtemp(tmp))
        return 1;
    char *path = text_new("%s/shard-00000.h5", tmp);
    make_cells();
    test_round_trip(tmp);
    test_index(tmp);
    test_small_ends(tmp);
    test_same_bytes(tmp);
    test_abort(tmp);
    struct err e = { 0 };
    write_cells(tmp, 1, 1, &e); /* leaves one shard */
    char *index = text_new("%s/index.h5", tmp);
    ok(unlink(index) == 0, "with its index"); /* which would not fit the damaged shards */
    test_broken_promises(tmp, path);
    test_cut(tmp, path);
    unlink(index);
    free(index);
    rmdir(tmp);
    ok(!folder_exists(tmp), "nothing is left behind in the folder");
    free(path);
    return tap_end();
}
