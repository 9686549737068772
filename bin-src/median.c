/* median: exact non-zero medians of every gene over the whole corpus. */
#include <stdlib.h>
#include <string.h>

#include "lib/app/median_set.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/base/tool.h"
#include "lib/io/h5ad_rows.h"
#include "lib/io/json.h"
#include "lib/io/tables.h"

static int64_t memory_mib = 256;
static const char *normalize = "depth", *partial;
static struct opt_list merge;

static const struct opt opts[] = {
    OPT_STR("partial", &partial, "FILE",
            "what these cells add to a median goes here, for --merge; then --out may be left out"),
    OPT_LIST("merge", &merge, "FILE...",
             "partials to take in, with the cells of IN if there are any"),
    OPT_CHOICE("normalize", &normalize, "depth|count",
               "medians of count * 10000 / total, or of the counts as they are"),
    OPT_I64("memory", &memory_mib, "MIB",
            "for counts, before they go to disk. Never changes a result"),
    OPT_END,
};

static const char text[] =
    "For every gene the median over all cells of the non-zero count * 10000 / total,\n"
    "where total is the cell's over all mapped genes (obs column total of qc-filter).\n"
    "For an even number of values the mean of the two middle ones. Exact.\n"
    "\n"
    "Every cell is read once. What exceeds --memory lies in files beside the output\n"
    "that vanish with the process: about 2 bytes a count.\n"
    "\n"
    "--partial keeps what is known of these cells, --merge joins such files: however\n"
    "the cells are spread over them, and in whatever order they are joined, medians\n"
    "and partials are those of one run over all cells, to the byte. A cell that is\n"
    "in two of the files counts twice.\n"
    "\n"
    "Example:\n"
    "  median qc/*.h5ad --out medians.tsv\n"
    "  median qc/lung.h5ad --partial lung.median\n"
    "  median --merge lung.median brain.median --out medians.tsv";

struct job {
    const struct opt_list *in;
    struct map genes; /* id to number, in order of appearance */
    const char **id;  /* [genes.n], in text; rising once all files were looked at */
    size_t room;
    struct arena text;
    size_t n_cells;
};

static enum rc add_gene(struct job *j, const char *id, struct err *e)
{
    uint64_t old;
    size_t n = j->genes.n;
    if (map_add(&j->genes, id, n, &old, e))
        return RC_FAIL;
    if (old != MAP_NONE)
        return RC_OK;
    if (n == j->room) {
        size_t room = n ? 2 * n : 4096;
        const char **more = realloc(j->id, room * sizeof *more);
        if (!more)
            return err_set(e, RC_FAIL, "no memory for %zu genes", room);
        j->id = more;
        j->room = room;
    }
    j->id[n] = arena_text(&j->text, id);
    return j->id[n] ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu genes", n);
}

/* Of the cells, nothing else is looked at. */
static enum rc open_totals(struct h5ad_rows *r, const char *path, struct err *e)
{
    static const char *const column[] = { "total" };
    return h5ad_rows_open_some(r, path, column, 1, false, e);
}

/* What genes there are, and that every file has what is needed. */
static enum rc look(struct job *j, const char *path, struct err *e)
{
    struct h5ad_rows r;
    enum rc rc = open_totals(&r, path, e);
    if (rc)
        return rc;
    const struct column *total = table_find(&r.head.obs, "total");
    if (!total || total->kind != COLUMN_I64)
        rc = err_set(e, RC_INPUT,
                     "'%s' has no obs column 'total' of whole numbers: qc-filter "
                     "makes it",
                     path);
    for (size_t k = 0; !rc && k < r.head.count.n_cols; k++)
        rc = add_gene(j, r.head.gene[k], e);
    j->n_cells += r.head.count.n_rows;
    h5ad_rows_close(&r);
    return rc;
}

/* Two columns of one gene (a file of preset official-code) cannot be told apart in a median. */
static enum rc number_columns(const struct job *j, const struct h5ad_rows *r, uint32_t *gene,
                              struct err *e)
{
    unsigned char *seen = calloc(j->genes.n + 1, 1);
    enum rc rc = seen ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu genes", j->genes.n);
    for (size_t k = 0; !rc && k < r->head.count.n_cols; k++) {
        gene[k] = (uint32_t)map_get(&j->genes, r->head.gene[k]);
        if (seen[gene[k]]++)
            rc = err_set(e, RC_INPUT, "'%s': gene '%s' has two columns; homolog-map sums them",
                         r->path, r->head.gene[k]);
    }
    free(seen);
    return rc;
}

static enum rc add_block(struct median_set *m, const struct csr *b, const uint32_t *gene_of,
                         const int64_t *total, uint32_t *gene, struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t r = 0; !rc && r < b->n_rows; r++) {
        uint64_t at = b->indptr[r], n = b->indptr[r + 1] - at;
        if (total[r] < 0)
            return err_set(e, RC_INPUT, "a total of %lld", (long long)total[r]);
        for (uint64_t k = 0; k < n; k++)
            gene[k] = gene_of[b->index[at + k]];
        rc = median_set_cell(m, gene, b->value + at, (size_t)n, (uint64_t)total[r], e);
    }
    return rc;
}

static enum rc add_file(struct job *j, struct median_set *m, const char *path, struct progress *p,
                        struct err *e)
{
    struct h5ad_rows r;
    enum rc rc = open_totals(&r, path, e);
    if (rc)
        return rc;
    size_t n = r.head.count.n_rows;
    uint32_t *gene_of = malloc((r.head.count.n_cols + 1) * sizeof *gene_of);
    uint32_t *gene = malloc((r.head.count.n_cols + 1) * sizeof *gene);
    const struct column *total = table_find(&r.head.obs, "total");
    if (!gene_of || !gene)
        rc = err_set(e, RC_FAIL, "no memory for %zu genes", r.head.count.n_cols);
    if (!rc)
        rc = number_columns(j, &r, gene_of, e);
    for (size_t at = 0, k; !rc && at < n; at += k) {
        struct csr block;
        k = h5ad_rows_block(&r, at);
        rc = h5ad_rows_read(&r, at, k, &block, e);
        if (rc)
            break;
        if (add_block(m, &block, gene_of, total->i64 + at, gene, e))
            rc = err_wrap(e, "'%s': cells %zu..%zu", path, at, at + k);
        progress_at(p, p->done + k);
    }
    free(gene_of);
    free(gene);
    h5ad_rows_close(&r);
    return rc;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Genes get the numbers of their rank by id, in which a partial holds them. */
static enum rc order_genes(struct job *j, struct err *e)
{
    const size_t n = j->genes.n;
    if (n)
        qsort(j->id, n, sizeof *j->id, by_text);
    map_release(&j->genes);
    map_init(&j->genes);
    enum rc rc = RC_OK;
    for (size_t g = 0; !rc && g < n; g++)
        rc = map_add(&j->genes, j->id[g], g, NULL, e);
    return rc;
}

static enum rc gather(struct job *j, struct median_set *m, struct err *e)
{
    struct progress p;
    enum rc rc = RC_OK;
    if (j->in->n)
        progress_start(&p, "cells", j->n_cells);
    for (int i = 0; !rc && i < j->in->n; i++)
        rc = add_file(j, m, j->in->item[i], &p, e);
    if (j->in->n)
        progress_end(&p);
    for (int i = 0; !rc && i < merge.n; i++)
        rc = median_set_file(m, merge.item[i], e);
    return rc ? rc : median_set_finish(m, e);
}

static enum rc write_report(const struct median_set *m, const struct tool_args *a, size_t n_medians,
                            struct err *e)
{
    json_t *j = json_pack("{s:I, s:I, s:I, s:I, s:I}", "files", (json_int_t)a->arg.n, "partials",
                          (json_int_t)merge.n, "n_cells", (json_int_t)m->n_cells, "n_values",
                          (json_int_t)m->n_values, "partial_bytes", (json_int_t)m->n_bytes);
    if (j && a->out)
        json_object_set_new(j, "n_medians", json_integer((json_int_t)n_medians));
    return json_write(a->report, j, e);
}

static enum rc write_all(const struct median_set *s, const struct tool_args *a, struct err *e)
{
    struct medians m;
    medians_init(&m);
    enum rc rc = partial ? median_set_write(s, partial, e) : RC_OK;
    if (!rc && a->out)
        rc = median_set_medians(s, strcmp(normalize, "count") ? MEDIAN_DEPTH : MEDIAN_COUNT, &m, e);
    if (!rc && a->out)
        rc = medians_write(a->out, &m, e);
    if (!rc && a->report)
        rc = write_report(s, a, m.n, e);
    if (!rc && a->out)
        log_say("%zu medians from %llu cells with %llu counts", m.n, (unsigned long long)s->n_cells,
                (unsigned long long)s->n_values);
    if (!rc && partial)
        log_say("%llu cells with %llu counts in '%s', %llu bytes", (unsigned long long)s->n_cells,
                (unsigned long long)s->n_values, partial, (unsigned long long)s->n_bytes);
    medians_release(&m);
    return rc;
}

/* Where files without a name can lie: beside the output, unless that is a device. */
static enum rc folder_of(const char *path, char **folder, struct err *e)
{
    const char *slash = strrchr(path, '/'), *tmp = getenv("TMPDIR");
    if (strncmp(path, "/dev/", 5) == 0)
        *folder = text_new("%s", tmp && *tmp ? tmp : "/tmp");
    else
        *folder = slash ? text_new("%.*s", (int)(slash - path) + 1, path) : text_new(".");
    return *folder ? folder_make(*folder, e) : err_set(e, RC_FAIL, "no memory for a path");
}

static enum rc medians_of(struct job *j, const struct tool_args *a, struct err *e)
{
    struct median_set m = { 0 };
    char *folder = NULL;
    enum rc rc = RC_OK;
    for (int i = 0; !rc && i < j->in->n; i++)
        rc = look(j, j->in->item[i], e);
    if (!rc)
        rc = order_genes(j, e);
    if (!rc)
        rc = folder_of(a->out ? a->out : partial, &folder, e);
    if (!rc)
        rc = median_set_init(&m, j->id, j->genes.n, (size_t)memory_mib << 20, folder, e);
    if (!rc)
        rc = gather(j, &m, e);
    if (!rc)
        rc = write_all(&m, a, e);
    median_set_release(&m);
    free(folder);
    return rc;
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    if (!partial && tool_need_out(a, e))
        return RC_USAGE;
    if (!a->arg.n && !merge.n)
        return err_set(e, RC_USAGE, "wants files of cells, or partials to --merge");
    if (memory_mib < 1 || memory_mib > 1 << 24)
        return err_set(e, RC_USAGE, "--memory is 1 to 16777216 MiB, not %lld",
                       (long long)memory_mib);
    struct job j = { .in = &a->arg };
    map_init(&j.genes);
    arena_init(&j.text, 1 << 20);
    enum rc rc = medians_of(&j, a, e);
    map_release(&j.genes);
    arena_release(&j.text);
    free(j.id);
    return rc;
}

int main(int argc, char **argv)
{
    static const struct tool tool = {
        "median", "[IN.h5ad...]", "Take the exact median of the non-zero counts of every gene",
        text,     opts,           0,
        -1
    };
    return tool_main(&tool, run, argc, argv);
}
