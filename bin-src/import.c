/* import: any source of single-cell counts to cells.h5ad. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/tool.h"
#include "lib/io/h5ad.h"
#include "lib/io/import.h"

static const char *species = "auto", *sample, *layer, *labels, *label_column;
static bool all_droplets;

static const struct opt opts[] = {
    OPT_CHOICE("species", &species, "human|mouse|auto",
               "whose cells; auto tells it from the names of the genes"),
    OPT_STR("sample", &sample, "NAME", "the sample's name (default: the input's)"),
    OPT_STR("layer", &layer, "NAME",
            "where the counts are: X, raw, a layer, a genome (default: found)"),
    OPT_STR("labels", &labels, "FILE", "table of barcodes and labels"),
    OPT_STR("label-column", &label_column, "NAME",
            "column of labels, in --labels or in the input (default: the usual names)"),
    OPT_FLAG("all-droplets", &all_droplets, "keep the droplets of an unfiltered matrix"),
    OPT_END,
};

static const char text[] =
    "Reads h5ad of any generation, Cell Ranger HDF5 (2 and 3), Cell Ranger folders\n"
    "(matrix.mtx, features.tsv or genes.tsv, barcodes.tsv, plain or .gz), loom, and\n"
    "dense tables (.csv, .tsv, plain or .gz, genes or cells in rows). Raw counts are\n"
    "looked for in X, raw/X and the layers; what is normalised is refused.\n"
    "\n"
    "Values within 1e-6 of a whole number are that number. Genes of one name and\n"
    "entries of one place are summed. Features that are not gene expression, versions\n"
    "of Ensembl ids (.12) and droplets without a cell are dropped. All is counted in\n"
    "--report. A barcode that repeats gets a suffix (-1).\n"
    "\n"
    "An unfiltered matrix (1000 barcodes or more, most of them next to empty) is cut\n"
    "to its cells: the barcodes before the steepest fall of the ranked totals;\n"
    "--all-droplets keeps them all.\n"
    "\n"
    "Example:\n"
    "  import filtered_feature_bc_matrix.h5 --species human --out cells.h5ad\n"
    "  import counts.csv.gz --labels metadata.csv.gz --label-column cell_type \\\n"
    "         --out cells.h5ad --report import.json";

static enum rc write_report(const char *path, const struct import_report *rep, struct err *e)
{
    struct outfile o;
    json_t *j = import_report_json(rep);
    char *s = j ? json_dumps(j, JSON_INDENT(2)) : NULL;
    json_decref(j);
    if (!s)
        return err_set(e, RC_FAIL, "no memory for the report");
    enum rc rc = outfile_open(&o, path, e);
    if (!rc) {
        fprintf(o.f, "%s\n", s);
        rc = outfile_commit(&o, e);
    }
    free(s);
    return rc;
}

static void say(const char *path, const struct import_report *r)
{
    log_say("'%s': %s, counts in %s: %zu cells x %zu genes, %llu counts in %llu entries", path,
            r->kind, r->where, r->n_cells, r->n_genes, (unsigned long long)r->total,
            (unsigned long long)r->nnz);
    if (r->mixture)
        log_say("a mixture of human and mouse; %zu cells are of neither for sure",
                r->n_cells_unclear);
    if (r->n_features_dropped)
        log_say("%zu features dropped that are not gene expression", r->n_features_dropped);
    if (r->n_genes_merged)
        log_warn("%llu genes merged into others of the same name",
                 (unsigned long long)r->n_genes_merged);
    if (r->n_entries_merged)
        log_warn("%llu entries summed with others of the same place",
                 (unsigned long long)r->n_entries_merged);
    if (r->n_barcodes_renamed)
        log_warn("%zu barcodes stand there twice and got a suffix", r->n_barcodes_renamed);
    if (r->n_rounded)
        log_say("%llu values rounded to the whole number next to them",
                (unsigned long long)r->n_rounded);
    if (r->n_droplets_dropped)
        log_say("%zu droplets dropped with fewer than %llu counts", r->n_droplets_dropped,
                (unsigned long long)r->droplet_threshold);
    if (*r->label_column)
        log_say("%zu cells labelled from '%s', %zu without a label", r->n_labelled, r->label_column,
                r->n_cells - r->n_labelled);
    for (size_t i = 0; i < r->n_notes; i++)
        log_say("%s", r->note[i]);
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    const struct import_options o = { .species = species_parse(species),
                                      .sample = sample,
                                      .layer = layer,
                                      .labels = labels,
                                      .label_column = label_column,
                                      .all_droplets = all_droplets };
    struct import_report rep;
    if (tool_need_out(a, e))
        return RC_USAGE;
    enum rc rc = import_file(a->arg.item[0], &o, a->out, &rep, e);
    if (!rc && a->report)
        rc = write_report(a->report, &rep, e);
    if (!rc)
        say(a->arg.item[0], &rep);
    return rc;
}

int main(int argc, char **argv)
{
    static const struct tool tool = {
        "import", "INPUT", "Bring any source of single-cell counts to one form (cells.h5ad)",
        text,     opts,    1,
        1
    };
    return tool_main(&tool, run, argc, argv);
}
