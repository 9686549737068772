/* homolog-map: names of genes to Ensembl ids, mouse genes to their human homologs. */
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/tool.h"
#include "lib/cell/gene_map.h"
#include "lib/io/h5ad.h"
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
    "many columns it was summed from (n_source) and their names (source).\n"
    "\n"
    "Example:\n"
    "  homolog-map import/lung/cells.h5ad --tables tables --out lung.h5ad";

static enum rc write_report(const char *path, const struct gene_map_report *r, size_t n_cells,
                            const char *species, struct err *e)
{
    return json_write(path,
                      json_pack("{s:I, s:s, s:I, s:I, s:I, s:I, s:I}", "n_cells",
                                (json_int_t)n_cells, "species", species, "columns_in",
                                (json_int_t)r->n_columns, "columns_unmatched",
                                (json_int_t)r->n_unmatched, "columns_merged",
                                (json_int_t)r->n_merged, "columns_homolog",
                                (json_int_t)r->n_homologs, "genes_mapped", (json_int_t)r->n_genes),
                      e);
}

static enum rc map_file(const struct gene_tables *t, const struct tool_args *a, struct err *e)
{
    const char *path = a->arg.item[0];
    struct cells c, out;
    struct gene_map_report r;
    enum species s = SPECIES_UNKNOWN;
    enum rc rc = h5ad_read(path, &c, e);
    if (rc)
        return rc;
    if (gene_map_done(&c))
        rc = err_set(e, RC_INPUT, "'%s' is mapped already", path);
    else if ((rc = gene_map_species(&c, &s, e)) || (rc = gene_map_cells(&c, t, true, &out, &r, e)))
        err_wrap(e, "'%s'", path);
    cells_release(&c);
    if (rc)
        return rc;
    rc = h5ad_write(a->out, &out, NULL, e);
    if (!rc && a->report)
        rc = write_report(a->report, &r, out.count.n_rows, species_name(s), e);
    if (!rc)
        log_say("'%s': %zu columns to %zu genes (%zu by homolog, %zu summed into others, %zu of no "
                "gene dropped)",
                path, r.n_columns, r.n_genes, r.n_homologs, r.n_merged, r.n_unmatched);
    cells_release(&out);
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
