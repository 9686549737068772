#include "lib/io/import.h"

static int put(json_t *to, const char *key, json_t *value)
{
    return json_object_set_new(to, key, value);
}

static json_t *number(uint64_t v)
{
    return json_integer((json_int_t)v);
}

static json_t *text(const char *v)
{
    return *v ? json_string(v) : json_null();
}

/* What was left out, and why. */
static json_t *dropped(const struct import_report *r)
{
    json_t *list = json_array();
    for (size_t i = 0; i < r->n_types; i++)
        json_array_append_new(list, json_pack("{s:s, s:s, s:I}", "what", "features", "why",
                                              r->type[i].name, "n", (json_int_t)r->type[i].n));
    if (r->n_droplets_dropped)
        json_array_append_new(list, json_pack("{s:s, s:s, s:I}", "what", "barcodes", "why",
                                              "droplets without a cell", "n",
                                              (json_int_t)r->n_droplets_dropped));
    return list;
}

static json_t *notes(const struct import_report *r)
{
    json_t *list = json_array();
    for (size_t i = 0; i < r->n_notes; i++)
        json_array_append_new(list, json_string(r->note[i]));
    return list;
}

json_t *import_report_json(const struct import_report *r)
{
    json_t *j = json_object();
    if (!j)
        return NULL;
    int bad = 0;
    bad |= put(j, "kind", text(r->kind));
    bad |= put(j, "sha256", text(r->sha256));
    bad |= put(j, "bytes", number(r->n_bytes));
    bad |= put(j, "counts_in", text(r->where));
    bad |= put(j, "sample", text(r->sample));
    bad |= put(j, "species", json_string(r->mixture ? "mixture" : species_name(r->species)));
    bad |= put(j, "n_cells", number(r->n_cells));
    bad |= put(j, "n_genes", number(r->n_genes));
    bad |= put(j, "nnz", number(r->nnz));
    bad |= put(j, "total", number(r->total));
    bad |= put(j, "n_source_cells", number(r->n_source_cells));
    bad |= put(j, "n_source_features", number(r->n_source_features));
    bad |= put(j, "n_rounded", number(r->n_rounded));
    bad |= put(j, "n_genes_merged", number(r->n_genes_merged));
    bad |= put(j, "n_entries_merged", number(r->n_entries_merged));
    bad |= put(j, "n_features_dropped", number(r->n_features_dropped));
    bad |= put(j, "n_versions_cut", number(r->n_versions_cut));
    bad |= put(j, "n_prefixes_cut", number(r->n_prefixes_cut));
    bad |= put(j, "n_barcodes_renamed", number(r->n_barcodes_renamed));
    bad |= put(j, "n_droplets_dropped", number(r->n_droplets_dropped));
    bad |= put(j, "droplet_threshold", number(r->droplet_threshold));
    bad |= put(j, "n_cells_of_unclear_species", number(r->n_cells_unclear));
    bad |= put(j, "label_column", text(r->label_column));
    bad |= put(j, "n_labelled", number(r->n_labelled));
    bad |= put(j, "n_without_label", number(r->n_cells - r->n_labelled));
    bad |= put(j, "n_label_rows_unused", number(r->n_label_rows_unused));
    bad |= put(j, "n_columns_left_out", number(r->n_columns_left_out));
    bad |= put(j, "dropped", dropped(r));
    bad |= put(j, "notes", notes(r));
    if (!bad)
        return j;
    json_decref(j);
    return NULL;
}
