/* homolog-map: names of genes to Ensembl ids, mouse genes to their human homologs. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/tool.h"
#include "lib/cell/content.h"
#include "lib/cell/gene_map.h"
#include "lib/io/h5ad_rows.h"
#include "lib/io/h5ad_writer.h"
#include "lib/io/json.h"
#include "lib/io/tables.h"

static const char *tables;

static const struct opt opts[] = {
    OPT_STR("tables", &tables, "DIR", "folder with genes.tsv and aliases.tsv (plain or .gz)"),
    OPT_END,
};

static const char text[] =
    "A column belongs to the first of: the gene of that name in the species of the\n"
    "cells; an alias in that species; the gene with that Ensembl id; the id without\n"
    "its version suffix. Where the index of var leads nowhere, var column gene_name is\n"
    "tried. Columns of no gene are dropped and counted. A mouse gene that has a human\n"
    "homolog gets its id; columns of one id are summed.\n"
    "\n"
    "The result has one column per gene, by rising id, and in var the gene's name, how\n"
    "many columns it was summed from (n_source) and their names (source). obs gets\n"
    "content, a hash of the cell's counts: equal cells have equal ones (make ledger).\n"
    "\n"
    "A mixture of human and mouse (names with hg19_ and mm10_) is split: of each cell\n"
    "only the columns of its own species count, cells of neither leave, and each\n"
    "species is a sample of its own (NAME-human, NAME-mouse).\n"
    "\n"
    "Example:\n"
    "  homolog-map import/lung/cells.h5ad --tables tables --out lung.h5ad";

static enum rc write_report(const char *path, const struct gene_map_report *r, size_t n_cells,
                            const char *species, struct err *e)
{
    return json_write(path,
                      json_pack("{s:I, s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "n_cells",
                                (json_int_t)n_cells, "species", species, "columns_in",
                                (json_int_t)r->n_columns, "columns_unmatched",
                                (json_int_t)r->n_unmatched, "columns_merged",
                                (json_int_t)r->n_merged, "columns_homolog",
                                (json_int_t)r->n_homologs, "genes_mapped", (json_int_t)r->n_genes,
                                "cells_of_neither_species", (json_int_t)r->n_cells_unclear),
                      e);
}

/* Block by block from the file to the writer; content [cells that stay]. */
static enum rc map_blocks(struct h5ad_rows *in, const struct gene_plan *p, struct h5ad_writer *w,
                          int64_t *content, struct err *e)
{
    uint64_t *gene = content_genes(p->out.gene, p->out.count.n_cols);
    enum rc rc = gene ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu genes", p->out.count.n_cols);
    size_t n = in->head.count.n_rows, done = 0;
    for (size_t at = 0, k; !rc && (at < n || at == 0); at += k) {
        struct csr block, out = { 0 };
        k = h5ad_rows_block(in, at);
        rc = h5ad_rows_read(in, at, k, &block, e);
        if (!rc)
            rc = gene_plan_block(p, &block, at, &out, e);
        if (!rc) {
            content_rows(&out, gene, content + done);
            done += out.n_rows;
            rc = h5ad_writer_add(w, &out, e);
        }
        csr_release(&out);
        if (n == 0)
            break;
    }
    free(gene);
    return rc;
}

static enum rc write_mapped(struct h5ad_rows *in, struct gene_plan *p, const char *path,
                            struct err *e)
{
    struct h5ad_writer w;
    enum rc rc = h5ad_writer_open(&w, path, e);
    if (rc)
        return rc;
    struct column *content = table_add(&p->out.obs, "content", COLUMN_I64);
    rc = content ? map_blocks(in, p, &w, content->i64, e)
                 : err_set(e, RC_FAIL, "no memory for obs column 'content'");
    if (!rc)
        return h5ad_writer_close(&w, &p->out, NULL, e);
    h5ad_writer_abort(&w);
    return rc;
}

static enum rc map_rows(struct h5ad_rows *in, const struct gene_tables *t,
                        const struct tool_args *a, struct err *e)
{
    const char *path = a->arg.item[0];
    struct gene_plan p;
    struct gene_map_report r;
    enum species s = SPECIES_UNKNOWN;
    if (gene_map_done(&in->head))
        return err_set(e, RC_INPUT, "'%s' is mapped already", path);
    if (gene_plan_take(&in->head, t, true, false, &p, &r, e))
        return err_wrap(e, "'%s'", path);
    size_t n_cells = p.out.count.n_rows;
    enum rc rc = r.mixture ? RC_OK : gene_map_species(&p.out, &s, e);
    if (!rc)
        rc = write_mapped(in, &p, a->out, e);
    if (!rc && a->report)
        rc = write_report(a->report, &r, n_cells, r.mixture ? "mixture" : species_name(s), e);
    if (!rc)
        log_say("'%s': %zu columns to %zu genes (%zu by homolog, %zu summed into others, %zu of no "
                "gene dropped)",
                path, r.n_columns, r.n_genes, r.n_homologs, r.n_merged, r.n_unmatched);
    if (!rc && r.mixture)
        log_say("'%s': a mixture, split into a human and a mouse sample; %zu cells of neither "
                "species dropped",
                path, r.n_cells_unclear);
    gene_plan_release(&p);
    return rc;
}

static enum rc map_file(const struct gene_tables *t, const struct tool_args *a, struct err *e)
{
    struct h5ad_rows in;
    enum rc rc = h5ad_rows_open(&in, a->arg.item[0], e);
    if (rc)
        return rc;
    rc = map_rows(&in, t, a, e);
    h5ad_rows_close(&in);
    return rc;
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    struct gene_tables t;
    if (tool_need_out(a, e))
        return RC_USAGE;
    if (!tables)
        return err_set(e, RC_USAGE, "--tables is missing");
    if (tables_read(tables, &t, e))
        return e->rc;
    enum rc rc = map_file(&t, a, e);
    gene_tables_release(&t);
    return rc;
}

int main(int argc, char **argv)
{
    static const struct tool tool = {
        "homolog-map",
        "IN.h5ad",
        "Name genes by Ensembl id, mouse genes by their human homolog",
        text,
        opts,
        1,
        1
    };
    return tool_main(&tool, run, argc, argv);
}
