/* Files keep their temporary names until close, as shards do. A row is written at its full width: the
 * place of the padding is what the authors' loader counts on. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/sha256.h"
#include "lib/io/dataset.h"
#include "lib/io/json.h"

enum { BATCH_ROWS = 1000, N_COLUMNS = 5 }; /* rows of a batch as `datasets` has them */

struct dataset_batch {
    size_t n;
    int32_t *ids;
    float *values;
    int16_t *length, *species;
    uint32_t *list_at, *one_at, *text_at; /* offsets */
    char *text;
    size_t text_bytes, text_room;
};

static const struct arrow_field fields[N_COLUMNS] = {
    { (char *)"input_ids", ARROW_INT, 4, true, 4 }, { (char *)"values", ARROW_FLOAT, 4, true, 4 },
    { (char *)"length", ARROW_INT, 2, true, 4 },    { (char *)"species", ARROW_INT, 2, true, 4 },
    { (char *)"cell_type", ARROW_TEXT, 4, false, 0 },
};

static size_t n_columns(const struct dataset_writer *w)
{
    return w->o.labels ? N_COLUMNS : N_COLUMNS - 1;
}

/* ---- the features, for dataset_info.json and the schema ---- */

/* `Sequence` is what datasets 2 calls a list; later ones read it too. */
static json_t *features(const struct dataset_writer *w)
{
    static const char *const dtype[N_COLUMNS] = { "int32", "float32", "int16", "int16", "string" };
    json_t *all = json_object();
    for (size_t i = 0; all && i < n_columns(w); i++) {
        json_t *value = json_pack("{s:s, s:s}", "dtype", dtype[i], "_type", "Value");
        json_object_set_new(all, fields[i].name,
                            fields[i].list ? json_pack("{s:o, s:s}", "feature", value, "_type",
                                                       "Sequence")
                                           : value);
    }
    return all;
}

static char *schema_text(const struct dataset_writer *w)
{
    json_t *j = json_pack("{s:{s:o}}", "info", "features", features(w));
    char *text = j ? json_dumps(j, 0) : NULL;
    json_decref(j);
    return text;
}

/* ---- open, abort ---- */

static void batch_free(struct dataset_batch *b)
{
    if (!b)
        return;
    free(b->ids);
    free(b->values);
    free(b->length);
    free(b->species);
    free(b->list_at);
    free(b->one_at);
    free(b->text_at);
    free(b->text);
    free(b);
}

static struct dataset_batch *batch_new(size_t width)
{
    struct dataset_batch *b = calloc(1, sizeof *b);
    if (!b)
        return NULL;
    b->ids = malloc(BATCH_ROWS * width * sizeof *b->ids);
    b->values = malloc(BATCH_ROWS * width * sizeof *b->values);
    b->length = malloc(BATCH_ROWS * sizeof *b->length);
    b->species = malloc(BATCH_ROWS * sizeof *b->species);
    b->list_at = malloc((BATCH_ROWS + 1) * sizeof *b->list_at);
    b->one_at = malloc((BATCH_ROWS + 1) * sizeof *b->one_at);
    b->text_at = calloc(BATCH_ROWS + 1, sizeof *b->text_at);
    if (b->ids && b->values && b->length && b->species && b->list_at && b->one_at && b->text_at) {
        for (uint32_t i = 0; i <= BATCH_ROWS; i++) {
            b->list_at[i] = i * (uint32_t)width;
            b->one_at[i] = i;
        }
        return b;
    }
    batch_free(b);
    return NULL;
}

void dataset_writer_abort(struct dataset_writer *w)
{
    for (size_t i = 0; w->file && i < w->n_done; i++)
        outfile_abort(&w->file[i]);
    free(w->file);
    free(w->n_of_length);
    batch_free(w->batch);
    if (w->made_folder && w->folder)
        rmdir(w->folder); /* only if it is empty */
    free(w->folder);
    *w = (struct dataset_writer){ 0 };
}

enum rc dataset_writer_open(struct dataset_writer *w, const char *folder,
                            const struct dataset_options *o, struct err *e)
{
    *w = (struct dataset_writer){ .o = *o };
    if (o->width == 0 || o->width > INT16_MAX || o->cells_per_file == 0)
        return err_set(e, RC_USAGE, "rows of %zu tokens: 1 to 32767, which their length can hold",
                       o->width);
    w->made_folder = !folder_exists(folder);
    if (w->made_folder && folder_make(folder, e))
        return e ? e->rc : RC_FAIL;
    w->n_files = o->n_cells ? (o->n_cells + o->cells_per_file - 1) / o->cells_per_file : 1;
    w->folder = text_new("%s", folder);
    w->file = calloc(w->n_files, sizeof *w->file);
    w->n_of_length = calloc(o->width + 1, sizeof *w->n_of_length);
    w->batch = batch_new(o->width);
    if (w->folder && w->file && w->n_of_length && w->batch)
        return RC_OK;
    dataset_writer_abort(w);
    return err_set(e, RC_FAIL, "no memory to write a dataset");
}

/* ---- adding ---- */

static enum rc start_file(struct dataset_writer *w, struct err *e)
{
    char *path = text_new("%s/data-%05zu-of-%05zu.arrow", w->folder, w->n_done, w->n_files);
    char *schema = schema_text(w);
    enum rc rc = path && schema ? outfile_open(&w->file[w->n_done], path, e)
                                : err_set(e, RC_FAIL, "no memory for a schema");
    free(path);
    if (!rc) {
        w->now = w->file[w->n_done++].f;
        w->in_file = 0;
        rc = arrow_put_schema(w->now, fields, n_columns(w), "huggingface", schema, e);
    }
    free(schema);
    return rc;
}

static enum rc put_batch(struct dataset_writer *w, struct err *e)
{
    struct dataset_batch *b = w->batch;
    const uint64_t n = b->n, many = n * w->o.width;
    const struct arrow_column c[N_COLUMNS] = {
        { &fields[0], n, many, (void *)b->list_at, NULL, (void *)b->ids },
        { &fields[1], n, many, (void *)b->list_at, NULL, (void *)b->values },
        { &fields[2], n, n, (void *)b->one_at, NULL, (void *)b->length },
        { &fields[3], n, n, (void *)b->one_at, NULL, (void *)b->species },
        { &fields[4], n, b->text_bytes, NULL, (void *)b->text_at, (void *)b->text },
    };
    enum rc rc = n ? arrow_put_batch(w->now, c, n_columns(w), e) : RC_OK;
    b->n = b->text_bytes = 0;
    return rc;
}

static enum rc end_file(struct dataset_writer *w, struct err *e)
{
    enum rc rc = put_batch(w, e);
    if (!rc)
        rc = arrow_put_end(w->now, e);
    w->now = NULL;
    return rc ? err_wrap(e, "'%s'", w->file[w->n_done - 1].path) : RC_OK;
}

static enum rc add_label(struct dataset_batch *b, const char *label, struct err *e)
{
    size_t n = label ? strlen(label) : 0;
    if (b->text_bytes + n > b->text_room || !b->text) {
        size_t room = 2 * b->text_room + n + 4096;
        char *more = realloc(b->text, room);
        if (!more)
            return err_set(e, RC_FAIL, "no memory for labels");
        b->text = more;
        b->text_room = room;
    }
    if (n)
        memcpy(b->text + b->text_bytes, label, n);
    b->text_bytes += n;
    b->text_at[b->n + 1] = (uint32_t)b->text_bytes;
    return RC_OK;
}

enum rc dataset_writer_add(struct dataset_writer *w, const struct token_cell *c, const char *label,
                           struct err *e)
{
    struct dataset_batch *b = w->batch;
    enum rc rc = RC_OK;
    if (c->n > w->o.width)
        return err_set(e, RC_INPUT, "a cell of %u tokens in rows of %zu", c->n, w->o.width);
    if (w->n_cells == w->o.n_cells)
        return err_set(e, RC_FAIL, "more cells than the %zu that were said", w->n_cells);
    if (w->now && w->in_file == w->o.cells_per_file)
        rc = end_file(w, e);
    if (!rc && !w->now)
        rc = start_file(w, e);
    if (!rc && b->n == BATCH_ROWS)
        rc = put_batch(w, e);
    if (!rc)
        rc = add_label(b, label, e);
    if (rc)
        return rc;
    int32_t *ids = b->ids + b->n * w->o.width;
    float *values = b->values + b->n * w->o.width;
    memset(ids, 0, w->o.width * sizeof *ids);
    memset(values, 0, w->o.width * sizeof *values);
    for (uint32_t i = 0; i < c->n; i++) {
        ids[i] = c->token[i];
        values[i] = c->value[i];
    }
    b->length[b->n] = (int16_t)c->n;
    b->species[b->n++] = c->species;
    w->n_of_length[c->n]++;
    w->n_cells++;
    w->in_file++;
    return RC_OK;
}

/* ---- lengths ---- */

/* A small whole number: opcodes K (one byte), M (two). */
static bool put_small(FILE *f, size_t v)
{
    if (v < 256)
        return fputc('K', f) != EOF && fputc((int)v, f) != EOF;
    return fputc('M', f) != EOF && fputc((int)(v & 255), f) != EOF && fputc((int)(v >> 8), f) != EOF;
}

static size_t small_bytes(size_t v)
{
    return v < 256 ? 2 : 3;
}

enum { PICKLE_BATCH = 1000 }; /* items that are appended at once; of a single one, in another way */

/* Items and what stands round them, of a list of n. */
static uint64_t list_bytes(const uint64_t *n_of, size_t max, uint64_t n)
{
    uint64_t bytes = 2; /* ] and its memo */
    for (size_t v = 0; v <= max; v++)
        bytes += n_of[v] * small_bytes(v);
    bytes += n / PICKLE_BATCH * 2 + (n % PICKLE_BATCH > 1 ? 2 : n % PICKLE_BATCH);
    return bytes + 1; /* . */
}

static bool put_list(FILE *f, const uint64_t *n_of, size_t max, uint64_t n)
{
    bool good = fwrite("]\x94", 1, 2, f) == 2;
    uint64_t i = 0;
    for (size_t v = 0; good && v <= max; v++)
        for (uint64_t k = 0; good && k < n_of[v]; k++, i++) {
            bool single = n - i / PICKLE_BATCH * PICKLE_BATCH == 1;
            if (i % PICKLE_BATCH == 0 && !single)
                good = fputc('(', f) != EOF;
            good = good && put_small(f, v);
            if (good && single)
                good = fputc('a', f) != EOF;
            else if (good && (i % PICKLE_BATCH == PICKLE_BATCH - 1 || i + 1 == n))
                good = fputc('e', f) != EOF;
        }
    return good && fputc('.', f) != EOF;
}

/* Protocol 4, all in one frame (where Python makes frames of about 64 KiB: other bytes from some
 * 21,000 lengths on, the same list). */
enum rc dataset_write_lengths(const char *path, const uint64_t *n_of, size_t max, struct err *e)
{
    struct outfile o;
    uint64_t n = 0;
    for (size_t v = 0; v <= max; v++)
        n += n_of[v];
    const uint64_t frame = list_bytes(n_of, max, n);
    unsigned char head[11] = { 0x80, 4, 0x95 };
    for (int i = 0; i < 8; i++)
        head[3 + i] = (unsigned char)(frame >> 8 * i);
    /* Less than 4 bytes are not framed: no list is so short. */
    enum rc rc = outfile_open(&o, path, e);
    if (rc)
        return rc;
    if (fwrite(head, 1, sizeof head, o.f) != sizeof head || !put_list(o.f, n_of, max, n)) {
        outfile_abort(&o);
        return err_set(e, RC_FAIL, "cannot write '%s'", path);
    }
    return outfile_commit(&o, e);
}

/* ---- the end ---- */

static enum rc write_json(const struct dataset_writer *w, const char *name, json_t *j,
                          struct err *e)
{
    char *path = text_new("%s/%s", w->folder, name);
    enum rc rc = path ? json_write(path, j, e) : err_set(e, RC_FAIL, "no memory for a path");
    free(path);
    return rc;
}

/* A fingerprint of the content: of the files' checksums, so that equal datasets have equal ones. */
static enum rc fingerprint(char *const *path, size_t n, char hex[SHA256_HEX], struct err *e)
{
    struct sha256 s;
    enum rc rc = sha256_init(&s, e);
    for (size_t i = 0; !rc && i < n; i++) {
        char one[SHA256_HEX];
        rc = sha256_file(path[i], one, NULL, e);
        if (!rc)
            rc = sha256_add(&s, one, SHA256_HEX - 1, e);
    }
    if (rc)
        sha256_release(&s);
    else
        rc = sha256_end(&s, hex, e);
    hex[16] = '\0';
    return rc;
}

static enum rc write_state(const struct dataset_writer *w, char *const *path, const char *hex,
                           struct err *e)
{
    json_t *files = json_array();
    for (size_t i = 0; files && i < w->n_done; i++)
        json_array_append_new(files, json_pack("{s:s}", "filename", strrchr(path[i], '/') + 1));
    return write_json(w, "state.json",
                      json_pack("{s:o, s:s, s:n, s:{}, s:n, s:b, s:n}", "_data_files", files,
                                "_fingerprint", hex, "_format_columns", "_format_kwargs",
                                "_format_type", "_output_all_columns", 0, "_split"),
                      e);
}

static enum rc write_rest(const struct dataset_writer *w, char *const *path, struct err *e)
{
    char hex[SHA256_HEX];
    char *lengths = text_new("%s/sorted_length.pickle", w->folder);
    enum rc rc = lengths ? dataset_write_lengths(lengths, w->n_of_length, w->o.width, e)
                         : err_set(e, RC_FAIL, "no memory for a path");
    free(lengths);
    if (!rc)
        rc = fingerprint(path, w->n_done, hex, e);
    if (!rc)
        rc = write_json(w, "dataset_info.json",
                        json_pack("{s:s, s:s, s:o, s:s, s:s}", "citation", "", "description", "",
                                  "features", features(w), "homepage", "", "license", ""),
                        e);
    return rc ? rc : write_state(w, path, hex, e);
}

enum rc dataset_writer_close(struct dataset_writer *w, struct err *e)
{
    enum rc rc = RC_OK;
    if (w->n_cells != w->o.n_cells)
        rc = err_set(e, RC_FAIL, "%zu cells came of the %zu that were said", w->n_cells,
                     w->o.n_cells);
    if (!rc && !w->now && w->n_done == 0)
        rc = start_file(w, e); /* no cells: a file with a schema */
    if (!rc)
        rc = end_file(w, e);
    char **path = calloc(w->n_files, sizeof *path);
    if (!rc && !path)
        rc = err_set(e, RC_FAIL, "no memory for paths");
    for (size_t i = 0; !rc && i < w->n_done; i++) {
        path[i] = text_new("%s", w->file[i].path); /* commit empties it */
        rc = path[i] ? outfile_commit(&w->file[i], e) : err_set(e, RC_FAIL, "no memory for paths");
    }
    if (!rc)
        rc = write_rest(w, path, e);
    for (size_t i = 0; path && i < w->n_files; i++)
        free(path[i]);
    free(path);
    dataset_writer_abort(w);
    return rc;
}
