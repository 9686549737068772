/* tokenize: cells to ranked tokens with values, in shards. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/spill.h"
#include "lib/base/tool.h"
#include "lib/cell/token_block.h"
#include "lib/io/dataset.h"
#include "lib/io/h5ad_rows.h"
#include "lib/io/json.h"
#include "lib/io/lines.h"
#include "lib/io/shard.h"
#include "lib/io/tables.h"
#include "lib/io/textout.h"

static const char *vocab_path, *medians_path, *normalize = "count", *format = "shards";
static bool with_labels;
static int64_t max_length = 2048, cells_per_shard = 16384;

static const struct opt opts[] = {
    OPT_STR("vocab", &vocab_path, "FILE", "token dictionary, from vocab"),
    OPT_STR("medians", &medians_path, "FILE", "non-zero medians, from median"),
    OPT_CHOICE("format", &format, "shards|arrow", "arrow: a dataset folder of the authors' kind"),
    OPT_FLAG("labels", &with_labels, "with --format arrow: the labels as column cell_type"),
    OPT_CHOICE("normalize", &normalize, "count|depth",
               "values from counts, as released, or from counts per 10,000, as the paper says"),
    OPT_I64("max-length", &max_length, "N", "tokens of a cell at most"),
    OPT_I64("cells-per-shard", &cells_per_shard, "N",
            "cells of a file at most; bounds the memory (12 KiB a cell of 2048 tokens)"),
    OPT_END,
};

static const char text[] =
    "Each count is divided by its gene's median (1 where there is none); the genes of\n"
    "a cell are ranked by that, highest first, equal ones by token; the first 2048\n"
    "stay, with value log2(1 + count / median). Genes without a token are left out.\n"
    "\n"
    "--normalize depth makes the value log2(1 + count / median * 10000 / total) with the\n"
    "cell's total over all mapped genes; the tokens and their order are the same.\n"
    "\n"
    "The folder holds shard-00000.h5, ... (cells in the order of the inputs),\n"
    "vocab.tsv and medians.tsv as they were used, and cells.tsv: cell_id, sample,\n"
    "barcode, species, label, length and n_nonzero (genes with a token before the\n"
    "cut), one line per cell in the order of the shards; and index.h5, which leads\n"
    "from a cell's id to its place.\n"
    "\n"
    "--format arrow writes instead of the shards what the authors' loader reads:\n"
    "data-*.arrow, dataset_info.json, state.json and sorted_length.pickle (lengths,\n"
    "rising, not in the order of the rows), each row --max-length tokens wide.\n"
    "\n"
    "Example:\n"
    "  tokenize qc/*.h5ad --vocab vocab.tsv --medians medians.tsv --out shards";

struct job {
    struct vocab vocab;
    struct medians medians;
    bool arrow;
    struct shard_writer shards;
    struct dataset_writer dataset; /* arrow */
    struct textout cells;
    struct token_block block;
    size_t n_cells, n_empty, n_cut;
    uint64_t n_tokens, n_counts, n_counts_left_out;
    size_t n_columns, n_columns_no_token, n_columns_no_median;
};

/* Copies a text line by line, so that the copy is plain whatever the source. */
static enum rc copy_text(const char *from, const char *folder, const char *name, struct err *e)
{
    struct lines l;
    struct textout o;
    bool more = true;
    char *path = text_new("%s/%s", folder, name);
    enum rc rc = path ? lines_open(&l, from, e) : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc && (rc = textout_open(&o, path, e)) != RC_OK)
        lines_close(&l);
    free(path);
    if (rc)
        return rc;
    while (!rc && !(rc = lines_next(&l, &more, e)) && more) {
        textout_text(&o, l.text);
        textout_text(&o, "\n");
    }
    lines_close(&l);
    if (!rc)
        return textout_close(&o, e);
    textout_abort(&o);
    return rc;
}

/* What of obs a cell's line is made of. */
struct obs_columns {
    const struct column *cell_id, *sample, *species, *label, *total;
};

/* Of obs, what stands there; all: also the names of the cells. */
static enum rc open_columns(struct h5ad_rows *r, const char *path, bool all, struct err *e)
{
    static const char *const column[] = { "cell_id", "sample", "species", "label", "total" };
    return h5ad_rows_open_some(r, path, column, all ? sizeof column / sizeof *column : 0, all, e);
}

static enum rc find_columns(const struct h5ad_rows *r, struct obs_columns *o, struct err *e)
{
    const struct table *t = &r->head.obs;
    *o = (struct obs_columns){ table_find(t, "cell_id"), table_find(t, "sample"),
                               table_find(t, "species"), table_find(t, "label"),
                               table_find(t, "total") };
    if (!o->cell_id || o->cell_id->kind != COLUMN_I64)
        return err_set(e, RC_INPUT,
                       "'%s' has no obs column 'cell_id' of whole numbers: import "
                       "makes it",
                       r->path);
    if (!o->species || o->species->kind != COLUMN_TEXT)
        return err_set(e, RC_INPUT, "'%s' has no obs column 'species'", r->path);
    if (strcmp(normalize, "depth") == 0) {
        if (!o->total || o->total->kind != COLUMN_I64)
            return err_set(e, RC_INPUT,
                           "'%s' has no obs column 'total' of whole numbers: qc-filter makes it",
                           r->path);
        for (size_t i = 0; i < t->n_rows; i++) {
            if (o->total->i64[i] <= 0)
                return err_set(e, RC_INPUT, "'%s': cell '%s' has a total of %lld", r->path,
                               r->head.cell[i], (long long)o->total->i64[i]);
            spill_step(i);
        }
    }
    if (o->sample && o->sample->kind != COLUMN_TEXT)
        o->sample = NULL;
    if (o->label && o->label->kind != COLUMN_TEXT)
        o->label = NULL;
    return RC_OK;
}

static const char *text_or_empty(const struct column *c, size_t row)
{
    return c && c->text[row] ? c->text[row] : "";
}

static enum rc put_line(struct job *j, const struct h5ad_rows *r, const struct obs_columns *o,
                        size_t row, size_t k, struct err *e)
{
    const char *const field[] = { text_or_empty(o->sample, row), r->head.cell[row],
                                  text_or_empty(o->species, row), text_or_empty(o->label, row) };
    for (size_t i = 0; i < sizeof field / sizeof *field; i++)
        if (strpbrk(field[i], "\t\r\n"))
            return err_set(e, RC_INPUT, "'%s': cell %zu: a text holds a tab or a line end", r->path,
                           row);
    textout_put(&j->cells, "%016" PRIx64 "\t%s\t%s\t%s\t%s\t%u\t%u\n",
                (uint64_t)o->cell_id->i64[row], field[0], field[1], field[2], field[3],
                j->block.length[k], j->block.n_nonzero[k]);
    return RC_OK;
}

/* Cells [first, first + block.n_cells) of the file are in the block. */
static enum rc put_block(struct job *j, const struct h5ad_rows *r, const struct obs_columns *o,
                         size_t first, struct err *e)
{
    const struct token_block *b = &j->block;
    enum rc rc = RC_OK;
    for (size_t k = 0; !rc && k < b->n_cells; k++) {
        size_t row = first + k;
        enum species s = species_parse(o->species->text[row]);
        if (s == SPECIES_UNKNOWN)
            return err_set(e, RC_INPUT, "'%s': cell '%s' is neither human nor mouse", r->path,
                           r->head.cell[row]);
        struct token_cell c = { .cell_id = (uint64_t)o->cell_id->i64[row],
                                .species = (uint8_t)s,
                                .n = b->length[k],
                                .token = b->token + b->start[k],
                                .value = b->value + b->start[k] };
        const char *label = with_labels ? text_or_empty(o->label, row) : NULL;
        rc = j->arrow ? dataset_writer_add(&j->dataset, &c, label, e)
                      : shard_writer_add(&j->shards, &c, e);
        if (!rc)
            rc = put_line(j, r, o, row, k, e);
        j->n_tokens += c.n;
        j->n_empty += c.n == 0;
        j->n_cut += b->n_nonzero[k] > c.n;
        j->n_counts_left_out -= b->n_nonzero[k];
    }
    j->n_cells += b->n_cells;
    return rc;
}

/* Columns that would need a median and are silent in all cells do not: only those that a count is
 * seen of are told of, each once. */
static void see_columns(struct job *j, struct token_columns *tc, const struct csr *m)
{
    const uint64_t nnz = csr_nnz(m);
    for (uint64_t k = 0; k < nnz && tc->n_no_median; k++) {
        bool *no_median = &tc->no_median[m->index[k]];
        j->n_columns_no_median += *no_median;
        tc->n_no_median -= *no_median;
        *no_median = false;
    }
}

static enum rc add_rows(struct job *j, struct h5ad_rows *r, struct progress *p, struct err *e)
{
    struct obs_columns o;
    struct token_columns tc;
    size_t n = r->head.count.n_rows;
    enum rc rc = find_columns(r, &o, e);
    if (!rc)
        rc = token_columns_of(&tc, r->head.gene, r->head.count.n_cols, &j->vocab, &j->medians, e);
    if (rc)
        return rc;
    const struct column *total = strcmp(normalize, "depth") == 0 ? o.total : NULL;
    j->n_columns += tc.n_cols;
    j->n_columns_no_token += tc.n_cols - tc.n_tokens;
    for (size_t at = 0, k; !rc && at < n; at += k) {
        struct csr m;
        k = h5ad_rows_block(r, at);
        rc = h5ad_rows_read(r, at, k, &m, e);
        if (rc)
            break;
        j->n_counts += csr_nnz(&m);
        j->n_counts_left_out += csr_nnz(&m);
        see_columns(j, &tc, &m);
        rc = token_block_fill(&j->block, &tc, &m, total ? total->i64 + at : NULL,
                              (size_t)max_length, e);
        if (!rc)
            rc = put_block(j, r, &o, at, e);
        progress_at(p, j->n_cells);
    }
    token_columns_release(&tc);
    return rc;
}

static enum rc write_report(const struct job *j, const char *path, struct err *e)
{
    return json_write(path,
                      json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "n_cells",
                                (json_int_t)j->n_cells, "n_tokens", (json_int_t)j->n_tokens,
                                "cells_cut", (json_int_t)j->n_cut, "cells_without_tokens",
                                (json_int_t)j->n_empty, "counts_in", (json_int_t)j->n_counts,
                                "counts_without_token", (json_int_t)j->n_counts_left_out,
                                "columns_in", (json_int_t)j->n_columns, "columns_without_token",
                                (json_int_t)j->n_columns_no_token, "columns_without_median",
                                (json_int_t)j->n_columns_no_median),
                      e);
}

static enum rc write_all(struct job *j, const struct tool_args *a, struct err *e)
{
    struct progress p;
    enum rc rc = RC_OK;
    progress_start(&p, "cells", 0);
    for (int i = 0; !rc && i < a->arg.n; i++) {
        struct h5ad_rows r;
        rc = open_columns(&r, a->arg.item[i], true, e);
        if (!rc) {
            rc = add_rows(j, &r, &p, e);
            h5ad_rows_close(&r);
        }
    }
    progress_end(&p);
    if (!rc)
        rc = copy_text(vocab_path, a->out, "vocab.tsv", e);
    if (!rc)
        rc = copy_text(medians_path, a->out, "medians.tsv", e);
    return rc;
}

/* How many cells there are, which the names of Arrow files tell. */
static enum rc count_cells(const struct tool_args *a, size_t *n, struct err *e)
{
    enum rc rc = RC_OK;
    for (int i = 0; !rc && i < a->arg.n; i++) {
        struct h5ad_rows r;
        rc = open_columns(&r, a->arg.item[i], false, e);
        if (!rc)
            *n += r.head.count.n_rows;
        h5ad_rows_close(&r);
    }
    return rc;
}

static enum rc open_output(struct job *j, const struct tool_args *a, struct err *e)
{
    struct dataset_options o = { .width = (size_t)max_length,
                                 .cells_per_file = (size_t)cells_per_shard,
                                 .labels = with_labels };
    if (!j->arrow)
        return shard_writer_open(&j->shards, a->out, (size_t)cells_per_shard, e);
    enum rc rc = count_cells(a, &o.n_cells, e);
    return rc ? rc : dataset_writer_open(&j->dataset, a->out, &o, e);
}

/* Takes a folder away that was made for it. */
static void abort_output(struct job *j)
{
    if (j->arrow)
        dataset_writer_abort(&j->dataset);
    else
        shard_writer_abort(&j->shards);
}

/* Opens the outputs, writes them, and leaves none of them when anything fails. */
static enum rc tokenize(struct job *j, const struct tool_args *a, struct err *e)
{
    enum rc rc = open_output(j, a, e);
    if (rc)
        return rc;
    char *path = text_new("%s/cells.tsv", a->out);
    rc = path ? textout_open(&j->cells, path, e) : err_set(e, RC_FAIL, "no memory for a path");
    free(path);
    if (rc) {
        abort_output(j);
        return rc;
    }
    textout_put(&j->cells, "cell_id\tsample\tbarcode\tspecies\tlabel\tlength\tn_nonzero\n");
    rc = write_all(j, a, e);
    if (rc) {
        textout_abort(&j->cells);
        abort_output(j);
        return rc;
    }
    rc = j->arrow ? dataset_writer_close(&j->dataset, e) : shard_writer_close(&j->shards, e);
    if (rc)
        textout_abort(&j->cells);
    else
        rc = textout_close(&j->cells, e);
    return rc;
}

static enum rc check_options(const struct tool_args *a, struct err *e)
{
    if (tool_need_out(a, e))
        return RC_USAGE;
    if (!vocab_path || !medians_path)
        return err_set(e, RC_USAGE, "--%s is missing", vocab_path ? "medians" : "vocab");
    if (max_length < 1 || max_length > 1 << 20)
        return err_set(e, RC_USAGE, "--max-length is 1 to 1048576, not %lld",
                       (long long)max_length);
    if (strcmp(format, "arrow") == 0 && max_length > INT16_MAX)
        return err_set(e, RC_USAGE, "--format arrow stores lengths up to 32767");
    if (with_labels && strcmp(format, "arrow") != 0)
        return err_set(e, RC_USAGE, "--labels is for --format arrow; cells.tsv has them always");
    if (cells_per_shard < 1 || cells_per_shard > 1 << 30)
        return err_set(e, RC_USAGE, "--cells-per-shard is 1 to 1073741824, not %lld",
                       (long long)cells_per_shard);
    return RC_OK;
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    struct job j = { .arrow = strcmp(format, "arrow") == 0 };
    enum rc rc = check_options(a, e);
    if (rc)
        return rc;
    token_block_init(&j.block);
    rc = vocab_read(vocab_path, &j.vocab, e);
    if (!rc)
        rc = medians_read(medians_path, &j.medians, e);
    if (!rc)
        rc = tokenize(&j, a, e);
    if (!rc && a->report)
        rc = write_report(&j, a->report, e);
    if (!rc)
        log_say("%zu cells with %" PRIu64
                " tokens in '%s' (%zu cells cut at %lld, %zu without any)",
                j.n_cells, j.n_tokens, a->out, j.n_cut, (long long)max_length, j.n_empty);
    if (!rc && j.n_columns_no_median)
        log_warn("%zu columns have counts and a token but no median: 1 is used",
                 j.n_columns_no_median);
    token_block_release(&j.block);
    vocab_release(&j.vocab);
    medians_release(&j.medians);
    return rc;
}

int main(int argc, char **argv)
{
    static const struct tool tool = {
        "tokenize", "IN.h5ad...", "Rank the genes of each cell and write shards of tokens",
        text,       opts,         1,
        -1
    };
    return tool_main(&tool, run, argc, argv);
}
