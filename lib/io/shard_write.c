/* Writing shards. Cells are gathered in memory and written a shard at a time, so cells_per_shard
 * bounds the memory (a full cell is 12 KiB); what the index is made of is spilled
 * (lib/base/spill.h). All shards keep their temporary names until close: a run that is stopped
 * leaves what was there before. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/spill.h"
#include "lib/io/h5.h"
#include "lib/io/shard.h"
#include "lib/io/shard_index.h"
#include "lib/io/shard_names.h"

struct gather {
    char *folder;
    bool made_folder;
    size_t per_shard;
    struct outfile *done; /* written, not yet renamed */
    size_t n_done;
    size_t n_cells, cell_room;
    uint64_t n_tokens, token_room;
    uint64_t *row, *cell_id;
    uint64_t *all_ids; /* of every cell so far */
    size_t n_all, all_room;
    uint8_t *species;
    uint16_t *token;
    float *value;
};

static bool grow(void *at, size_t item_bytes, size_t n)
{
    void *old, *more;
    memcpy(&old, at, sizeof old);
    more = n > SIZE_MAX / 16 ? NULL : realloc(old, n * item_bytes);
    if (more)
        memcpy(at, &more, sizeof more);
    return more != NULL;
}

static enum rc grow_cells(struct gather *g, struct err *e)
{
    size_t n = g->cell_room ? 2 * g->cell_room : 1024;
    if (!grow(&g->row, sizeof *g->row, n + 1) || !grow(&g->cell_id, sizeof *g->cell_id, n) ||
        !grow(&g->species, 1, n))
        return err_set(e, RC_FAIL, "no memory for a shard of %zu cells", n);
    g->cell_room = n;
    return RC_OK;
}

static enum rc grow_tokens(struct gather *g, uint64_t need, struct err *e)
{
    uint64_t n = g->token_room ? 2 * g->token_room : 1 << 16;
    while (n < need)
        n *= 2;
    if (!grow(&g->token, sizeof *g->token, (size_t)n) ||
        !grow(&g->value, sizeof *g->value, (size_t)n))
        return err_set(e, RC_FAIL, "no memory for a shard of %llu tokens", (unsigned long long)n);
    g->token_room = n;
    return RC_OK;
}

enum rc shard_writer_open(struct shard_writer *w, const char *folder, size_t cells_per_shard,
                          struct err *e)
{
    *w = (struct shard_writer){ 0 };
    if (cells_per_shard == 0)
        return err_set(e, RC_USAGE, "a shard holds at least one cell");
    bool made = !folder_exists(folder);
    if (made && folder_make(folder, e))
        return e ? e->rc : RC_FAIL;
    struct gather *g = calloc(1, sizeof *g);
    if (!g)
        return err_set(e, RC_FAIL, "no memory to write shards");
    w->state = g;
    g->per_shard = cells_per_shard;
    g->made_folder = made;
    g->folder = text_new("%s", folder);
    enum rc rc = g->folder ? grow_cells(g, e) : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc)
        rc = grow_tokens(g, 1, e);
    if (rc)
        shard_writer_abort(w);
    else
        g->row[0] = 0;
    return rc;
}

void shard_writer_abort(struct shard_writer *w)
{
    struct gather *g = w->state;
    if (!g)
        return;
    for (size_t i = 0; i < g->n_done; i++)
        outfile_abort(&g->done[i]);
    free(g->done);
    if (g->made_folder && g->folder)
        rmdir(g->folder); /* only if it is empty */
    free(g->folder);
    free(g->row);
    free(g->cell_id);
    spill_free(g->all_ids);
    free(g->species);
    free(g->token);
    free(g->value);
    free(g);
    w->state = NULL;
}

/* h5_create with every object on a multiple of 64 bytes, so that each data set can be mapped. */
static enum rc create_aligned(const char *path, hid_t *file, struct err *e)
{
    h5_setup();
    hid_t fcpl = H5Pcreate(H5P_FILE_CREATE), fapl = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_obj_track_times(fcpl, false);
    H5Pset_fclose_degree(fapl, H5F_CLOSE_STRONG);
    H5Pset_alignment(fapl, 1, 64);
    *file = H5Fcreate(path, H5F_ACC_TRUNC, fcpl, fapl);
    H5Pclose(fapl);
    H5Pclose(fcpl);
    return *file >= 0 ? RC_OK : h5_err(e, RC_FAIL, "cannot write '%s'", path);
}

static enum rc write_file(const struct gather *g, const char *path, struct err *e)
{
    hid_t file;
    uint64_t n = g->n_cells, n_rows = n + 1;
    enum rc rc = create_aligned(path, &file, e);
    if (rc)
        return rc;
    rc = h5_put_data(file, "row", H5T_STD_U64LE, H5T_NATIVE_UINT64, 1, &n_rows, g->row, NULL, e);
    if (!rc)
        rc = h5_put_data(file, "token", H5T_STD_U16LE, H5T_NATIVE_UINT16, 1, &g->n_tokens, g->token,
                         NULL, e);
    if (!rc)
        rc = h5_put_data(file, "value", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 1, &g->n_tokens, g->value,
                         NULL, e);
    if (!rc)
        rc = h5_put_data(file, "species", H5T_STD_U8LE, H5T_NATIVE_UINT8, 1, &n, g->species, NULL,
                         e);
    if (!rc)
        rc = h5_put_data(file, "cell_id", H5T_STD_U64LE, H5T_NATIVE_UINT64, 1, &n, g->cell_id, NULL,
                         e);
    if (rc) {
        H5Fclose(file);
        return err_wrap(e, "'%s'", path);
    }
    return h5_finish(file, path, e);
}

static enum rc write_shard(struct gather *g, struct err *e)
{
    if (!grow(&g->done, sizeof *g->done, g->n_done + 1))
        return err_set(e, RC_FAIL, "no memory for %zu shards", g->n_done);
    char *path = text_new("%s/shard-%05zu.h5", g->folder, g->n_done);
    struct outfile *o = &g->done[g->n_done];
    enum rc rc = path ? outfile_reserve(o, path, e) : err_set(e, RC_FAIL, "no memory for a path");
    free(path);
    if (rc)
        return rc;
    g->n_done++;
    rc = write_file(g, o->tmp, e);
    g->n_cells = 0;
    g->n_tokens = 0;
    return rc;
}

enum rc shard_writer_add(struct shard_writer *w, const struct token_cell *c, struct err *e)
{
    struct gather *g = w->state;
    enum rc rc = RC_OK;
    if (g->n_cells == g->per_shard)
        rc = write_shard(g, e);
    if (!rc && g->n_cells == g->cell_room)
        rc = grow_cells(g, e);
    if (!rc && g->token_room - g->n_tokens < c->n)
        rc = grow_tokens(g, g->n_tokens + c->n, e);
    if (!rc && g->n_all == g->all_room) {
        size_t room = g->all_room ? 2 * g->all_room : 1024;
        uint64_t *more = spill_grow(g->all_ids, g->n_all * sizeof *more, room * sizeof *more);
        if (!more)
            return err_set(e, RC_FAIL, "no memory for %zu cells", room);
        g->all_ids = more;
        g->all_room = room;
    }
    if (rc)
        return rc;
    g->all_ids[g->n_all++] = c->cell_id;
    if (c->n) {
        memcpy(g->token + g->n_tokens, c->token, c->n * sizeof *c->token);
        memcpy(g->value + g->n_tokens, c->value, c->n * sizeof *c->value);
    }
    g->n_tokens += c->n;
    g->cell_id[g->n_cells] = c->cell_id;
    g->species[g->n_cells++] = c->species;
    g->row[g->n_cells] = g->n_tokens;
    return RC_OK;
}

static bool is_ours(const struct gather *g, const char *name)
{
    char ours[64];
    unsigned long long number = strtoull(name + strlen("shard-"), NULL, 10);
    snprintf(ours, sizeof ours, "shard-%05llu.h5", number);
    return number < g->n_done && strcmp(ours, name) == 0;
}

/* Shards of an earlier, longer run would be read as ours. */
static enum rc remove_others(const struct gather *g, struct err *e)
{
    char **name;
    size_t n;
    enum rc rc = shard_names(g->folder, &name, &n, e);
    for (size_t i = 0; !rc && i < n; i++) {
        if (is_ours(g, name[i]))
            continue;
        char *path = text_new("%s/%s", g->folder, name[i]);
        if (!path)
            rc = err_set(e, RC_FAIL, "no memory for a path");
        else if (unlink(path) != 0)
            rc = err_set(e, RC_FAIL, "cannot remove '%s' of an earlier run", path);
        free(path);
    }
    shard_names_free(name, n);
    return rc;
}

static enum rc write_index(const struct gather *g, struct outfile *o, struct err *e)
{
    hid_t file;
    uint32_t *slot = NULL;
    uint64_t n = 0;
    enum rc rc = shard_index_make(g->all_ids, g->n_all, SHARD_INDEX_PART, &slot, &n, e);
    if (rc)
        return rc;
    rc = create_aligned(o->tmp, &file, e);
    if (!rc) {
        rc = h5_put_data(file, "slot", H5T_STD_U32LE, H5T_NATIVE_UINT32, 1, &n, slot, NULL, e);
        enum rc closed = h5_finish(file, o->path, rc ? NULL : e);
        rc = rc ? rc : closed;
    }
    spill_free(slot);
    return rc;
}

/* Written under its temporary name; *o is empty when the cells are too many for one. */
static enum rc prepare_index(const struct gather *g, struct outfile *o, struct err *e)
{
    *o = (struct outfile){ 0 };
    char *path = text_new("%s/index.h5", g->folder);
    if (!path)
        return err_set(e, RC_FAIL, "no memory for a path");
    if (g->n_all > SHARD_INDEX_MAX) {
        unlink(path);
        free(path);
        return RC_OK;
    }
    enum rc rc = outfile_reserve(o, path, e);
    free(path);
    if (!rc && (rc = write_index(g, o, e)) != RC_OK)
        outfile_abort(o);
    return rc;
}

enum rc shard_writer_close(struct shard_writer *w, struct err *e)
{
    struct gather *g = w->state;
    enum rc rc = RC_OK;
    if (g->n_cells || g->n_done == 0) /* no cells at all: one empty shard */
        rc = write_shard(g, e);
    struct outfile index = { 0 };
    if (!rc)
        rc = prepare_index(g, &index, e);
    for (size_t i = 0; !rc && i < g->n_done; i++)
        rc = outfile_commit(&g->done[i], e);
    if (!rc && index.path)
        rc = outfile_commit(&index, e);
    outfile_abort(&index);
    if (!rc)
        rc = remove_others(g, e);
    shard_writer_abort(w);
    return rc;
}
