/* median: exact non-zero medians of every gene over the whole corpus. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/base/tool.h"
#include "lib/cell/median_stream.h"
#include "lib/io/h5ad_rows.h"
#include "lib/io/json.h"
#include "lib/io/tables.h"

static int64_t memory_mib = 1024;

static const struct opt opts[] = {
    OPT_I64(
        "memory", &memory_mib, "MIB",
        "for values and bins; with less, the files are read more often. Never changes a result"),
    OPT_END,
};

static const char text[] =
    "For every gene the median over all cells of the non-zero count * 10000 / total,\n"
    "where total is the cell's over all mapped genes (obs column total of qc-filter).\n"
    "For an even number of values the mean of the two middle ones. Exact.\n"
    "\n"
    "Files are read cell by cell. While all values fit into --memory one pass is\n"
    "enough; else values are counted in bins first, and only those of the bins with\n"
    "the middle are kept in the next pass.\n"
    "\n"
    "Example:\n"
    "  median qc/*.h5ad --out medians.tsv";

struct job {
    const struct opt_list *in;
    struct map genes; /* id to number, in order of appearance */
    const char **id;  /* [genes.n], in text */
    size_t room;
    struct arena text;
    size_t n_cells;
    uint64_t n_values;
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

/* What genes there are, and that every file has what is needed. */
static enum rc look(struct job *j, const char *path, struct err *e)
{
    struct h5ad_rows r;
    enum rc rc = h5ad_rows_open(&r, path, e);
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
    j->n_values += r.indptr[r.head.count.n_rows];
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

static enum rc add_block(struct median_stream *m, const struct csr *b, const uint32_t *gene_of,
                         const int64_t *total, uint32_t *gene, struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t r = 0; !rc && r < b->n_rows; r++) {
        uint64_t at = b->indptr[r], n = b->indptr[r + 1] - at;
        if (total[r] < 0)
            return err_set(e, RC_INPUT, "a total of %lld", (long long)total[r]);
        for (uint64_t k = 0; k < n; k++)
            gene[k] = gene_of[b->index[at + k]];
        rc = median_stream_cell(m, gene, b->value + at, (size_t)n, (uint64_t)total[r], e);
    }
    return rc;
}

static enum rc add_file(struct job *j, struct median_stream *m, const char *path,
                        struct progress *p, struct err *e)
{
    struct h5ad_rows r;
    enum rc rc = h5ad_rows_open(&r, path, e);
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

struct numbered {
    const char *id;
    size_t gene;
};

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct numbered *)a)->id, ((const struct numbered *)b)->id);
}

static enum rc write_medians(const struct job *j, const struct median_stream *s, const char *path,
                             size_t *n_medians, struct err *e)
{
    struct numbered *order = malloc((j->genes.n + 1) * sizeof *order);
    struct medians m;
    medians_init(&m);
    enum rc rc = order ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu genes", j->genes.n);
    for (size_t g = 0; !rc && g < j->genes.n; g++)
        order[g] = (struct numbered){ j->id[g], g };
    if (!rc && j->genes.n)
        qsort(order, j->genes.n, sizeof *order, by_id);
    for (size_t i = 0; !rc && i < j->genes.n; i++) {
        size_t g = order[i].gene;
        if (s->n[g])
            rc = medians_add(&m,
                             &(struct median){ .id = order[i].id,
                                               .n_nonzero = s->n[g],
                                               .median = median_stream_get(s, g) },
                             e);
    }
    *n_medians = m.n;
    if (!rc)
        rc = medians_write(path, &m, e);
    medians_release(&m);
    free(order);
    return rc;
}

static enum rc stream_all(struct job *j, struct median_stream *m, struct err *e)
{
    bool again = true;
    enum rc rc = RC_OK;
    while (!rc && again) {
        struct progress p;
        progress_start(&p, "cells", j->n_cells);
        snprintf(p.note, sizeof p.note, "pass %d", m->pass + 1);
        for (int i = 0; !rc && i < j->in->n; i++)
            rc = add_file(j, m, j->in->item[i], &p, e);
        progress_end(&p);
        if (!rc)
            rc = median_stream_next(m, &again, e);
    }
    return rc;
}

static enum rc medians_of(struct job *j, const struct tool_args *a, struct err *e)
{
    enum rc rc = RC_OK;
    for (int i = 0; !rc && i < j->in->n; i++)
        rc = look(j, j->in->item[i], e);
    struct median_stream m;
    if (!rc)
        rc = median_stream_init(&m, j->genes.n, (size_t)memory_mib << 20, e);
    if (rc)
        return rc;
    size_t n_medians = 0;
    rc = stream_all(j, &m, e);
    if (!rc)
        rc = write_medians(j, &m, a->out, &n_medians, e);
    if (!rc && a->report)
        rc = json_write(a->report,
                        json_pack("{s:I, s:I, s:I, s:I, s:I, s:i}", "files", (json_int_t)j->in->n,
                                  "n_cells", (json_int_t)j->n_cells, "n_values",
                                  (json_int_t)j->n_values, "n_genes", (json_int_t)j->genes.n,
                                  "n_medians", (json_int_t)n_medians, "passes", m.pass),
                        e);
    if (!rc)
        log_say("%zu medians from %zu cells with %llu counts, in %d pass%s", n_medians, j->n_cells,
                (unsigned long long)j->n_values, m.pass, m.pass == 1 ? "" : "es");
    median_stream_release(&m);
    return rc;
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    if (tool_need_out(a, e))
        return RC_USAGE;
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
        "median", "IN.h5ad...", "Take the exact median of the non-zero counts of every gene",
        text,     opts,         1,
        -1
    };
    return tool_main(&tool, run, argc, argv);
}
