/* arrow-import: the authors' datasets to shards. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/sha256.h"
#include "lib/base/tool.h"
#include "lib/data/cells.h"
#include "lib/io/dataset.h"
#include "lib/io/json.h"
#include "lib/io/textout.h"

static const char *vocab_path, *medians_path;
static int64_t cells_per_shard = 16384;

static const struct opt opts[] = {
    OPT_STR("vocab", &vocab_path, "FILE", "token dictionary that the data was made with, copied"),
    OPT_STR("medians", &medians_path, "FILE", "medians that it was made with, copied"),
    OPT_I64("cells-per-shard", &cells_per_shard, "N", "cells of a file at most"),
    OPT_END,
};

static const char text[] =
    "Reads folders as Hugging Face datasets saves them (state.json names the files):\n"
    "input_ids, values, length, species, and cell_type or celltype where it is there.\n"
    "What lies behind length must be 0. sorted_length.pickle is not needed: it holds\n"
    "the lengths in another order.\n"
    "\n"
    "A row has no name, so a cell's id is made of the checksum of state.json and the\n"
    "number of the row; cells.tsv has the folder's name as sample and that number as\n"
    "barcode. How many genes a cell had before the cut is not known: n_nonzero is its\n"
    "length.\n"
    "\n"
    "Example:\n"
    "  arrow-import patch1 --vocab vocab.tsv --medians medians.tsv --out shards";

struct job {
    struct shard_writer shards;
    struct textout cells;
    const char *sample;      /* of the folder at hand */
    char hash[SHA256_HEX];
    size_t n_cells;
    uint64_t n_tokens;
};

static enum rc take(void *ctx, const struct dataset_cell *d, struct err *e)
{
    struct job *j = ctx;
    char row[32];
    struct token_cell c = d->cell;
    snprintf(row, sizeof row, "%zu", d->row);
    c.cell_id = cell_id_of(j->hash, row);
    if (!c.cell_id)
        return err_set(e, RC_FAIL, "no memory for a cell's id");
    if (d->label && strpbrk(d->label, "\t\r\n"))
        return err_set(e, RC_INPUT, "row %zu: a label holds a tab or a line end", d->row);
    enum rc rc = shard_writer_add(&j->shards, &c, e);
    textout_put(&j->cells, "%016" PRIx64 "\t%s\t%s\t%s\t%s\t%u\t%u\n", c.cell_id, j->sample, row,
                species_name((enum species)c.species), d->label ? d->label : "", c.n, c.n);
    j->n_cells++;
    j->n_tokens += c.n;
    return rc;
}

/* The last part of a path. */
static char *name_of(const char *path)
{
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    size_t from = n;
    while (from > 0 && path[from - 1] != '/')
        from--;
    return text_new("%.*s", (int)(n - from), path + from);
}

static enum rc read_folder(struct job *j, const char *folder, struct err *e)
{
    char *name = name_of(folder), *state = text_new("%s/state.json", folder);
    enum rc rc = name && state ? sha256_file(state, j->hash, NULL, e)
                               : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc && strpbrk(name, "\t\r\n"))
        rc = err_set(e, RC_INPUT, "the name of '%s' holds a tab or a line end", folder);
    j->sample = name;
    if (!rc)
        rc = dataset_read(folder, take, j, e);
    j->sample = NULL;
    free(name);
    free(state);
    return rc;
}

static enum rc copy_to(const char *from, const char *folder, const char *name, struct err *e)
{
    char *to = from ? text_new("%s/%s", folder, name) : NULL;
    enum rc rc = !from ? RC_OK : to ? file_copy(from, to, e)
                                    : err_set(e, RC_FAIL, "no memory for a path");
    free(to);
    return rc;
}

static enum rc read_all(struct job *j, const struct tool_args *a, struct err *e)
{
    enum rc rc = RC_OK;
    for (int i = 0; !rc && i < a->arg.n; i++)
        rc = read_folder(j, a->arg.item[i], e);
    if (!rc)
        rc = copy_to(vocab_path, a->out, "vocab.tsv", e);
    return rc ? rc : copy_to(medians_path, a->out, "medians.tsv", e);
}

static enum rc import(struct job *j, const struct tool_args *a, struct err *e)
{
    enum rc rc = shard_writer_open(&j->shards, a->out, (size_t)cells_per_shard, e);
    if (rc)
        return rc;
    char *path = text_new("%s/cells.tsv", a->out);
    rc = path ? textout_open(&j->cells, path, e) : err_set(e, RC_FAIL, "no memory for a path");
    free(path);
    if (!rc) {
        textout_put(&j->cells, "cell_id\tsample\tbarcode\tspecies\tlabel\tlength\tn_nonzero\n");
        rc = read_all(j, a, e);
        if (rc)
            textout_abort(&j->cells);
    }
    if (rc) {
        shard_writer_abort(&j->shards);
        return rc;
    }
    rc = shard_writer_close(&j->shards, e);
    if (rc)
        textout_abort(&j->cells);
    else
        rc = textout_close(&j->cells, e);
    return rc;
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    struct job j = { .n_cells = 0 };
    if (tool_need_out(a, e))
        return RC_USAGE;
    if (cells_per_shard < 1 || cells_per_shard > 1 << 30)
        return err_set(e, RC_USAGE, "--cells-per-shard is 1 to 1073741824, not %lld",
                       (long long)cells_per_shard);
    enum rc rc = import(&j, a, e);
    if (!rc && a->report)
        rc = json_write(a->report,
                        json_pack("{s:I, s:I}", "n_cells", (json_int_t)j.n_cells, "n_tokens",
                                  (json_int_t)j.n_tokens),
                        e);
    if (!rc)
        log_say("%zu cells with %" PRIu64 " tokens in '%s'", j.n_cells, j.n_tokens, a->out);
    return rc;
}

int main(int argc, char **argv)
{
    static const struct tool tool = {
        "arrow-import", "DATASET...", "Read datasets of the authors' kind into shards", text, opts,
        1,              -1
    };
    return tool_main(&tool, run, argc, argv);
}
