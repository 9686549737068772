#include "lib/io/import.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/io/droplets.h"
#include "lib/io/h5.h"
#include "lib/io/h5ad_writer.h"
#include "lib/io/import_parts.h"
#include "lib/io/source_child.h"

void import_note(struct import_report *rep, const char *fmt, ...)
{
    if (rep->n_notes == IMPORT_MAX_NOTES)
        return;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(rep->note[rep->n_notes++], sizeof rep->note[0], fmt, ap);
    va_end(ap);
}

/* ---- reading ---- */

/* The container is told by what its root holds. */
static enum rc read_container(hid_t file, const char *layer, struct source *s, struct err *e)
{
    static const char *const loom[] = { "row_attrs", "col_attrs", "row_graphs", "col_graphs" };
    static const char *const h5ad[] = { "obs", "var", "X", "raw.X" };
    for (size_t i = 0; i < 4; i++)
        if (h5_kind_of(file, loom[i], NULL) != H5_ABSENT) {
            strcpy(s->kind, "loom");
            return loom_read(file, layer, s, e);
        }
    for (size_t i = 0; i < 4; i++)
        if (h5_kind_of(file, h5ad[i], NULL) != H5_ABSENT) {
            strcpy(s->kind, "h5ad");
            return anndata_read(file, layer, s, e);
        }
    strcpy(s->kind, "10x_h5");
    return tenx_read(file, layer, s, e);
}

struct hdf5_input {
    const char *path, *layer;
};

static enum rc read_hdf5(const void *ctx, struct source *s, struct err *e)
{
    const struct hdf5_input *in = ctx;
    hid_t file;
    if (h5_open(in->path, &file, e))
        return e ? e->rc : RC_INPUT;
    enum rc rc = read_container(file, in->layer, s, e);
    H5Fclose(file);
    return rc ? err_wrap(e, "'%s'", in->path) : RC_OK;
}

static enum rc read_source(const struct input *in, const char *layer, uint64_t n_bytes,
                           struct source *s, struct err *e)
{
    if (in->kind == INPUT_HDF5) {
        const struct hdf5_input h = { in->main, layer };
        enum rc rc = source_read_in_child(read_hdf5, &h, n_bytes, s, e);
        return rc && !strstr(e->text, in->main) ? err_wrap(e, "'%s'", in->main) : rc;
    }
    if (layer)
        return err_set(e, RC_INPUT, "'%s' has no layers to choose from with --layer", in->main);
    if (in->kind == INPUT_MTX) {
        strcpy(s->kind, "10x_mtx");
        return mtx_read(in->main, in->features, in->barcodes, s, e);
    }
    char sep = ',';
    enum rc rc = dense_read(in->main, s, &sep, e);
    strcpy(s->kind, sep == '\t' ? "tsv" : "csv");
    return rc;
}

/* ---- rows ---- */

/* Totals of all cells over the genes that are kept, and from them which barcodes are cells. */
static enum rc call_cells(const struct source *s, const struct gene_list *g, bool all,
                          unsigned char *keep, struct import_report *rep, struct err *e)
{
    size_t n = s->count.n_rows, n_keep;
    memset(keep, 1, n);
    if (all)
        return RC_OK;
    uint64_t *total = calloc(n + 1, sizeof *total);
    enum rc rc = total ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu cells", n);
    for (size_t i = 0; !rc && i < source_blocks(s); i++) {
        struct csr b = s->count;
        uint64_t *to = total + source_block_first(s, i);
        if (s->spooled)
            rc = spool_get_rows(&s->rows, i, &b, e);
        for (size_t r = 0; !rc && r < b.n_rows; r++)
            for (uint64_t k = b.indptr[r]; k < b.indptr[r + 1]; k++)
                to[r] += g->col_to[b.index[k]] == UINT32_MAX ? 0 : b.value[k];
        if (!rc && s->spooled)
            csr_release(&b);
    }
    if (!rc)
        rc = droplets_call(total, n, keep, &n_keep, &rep->droplet_threshold, e);
    if (!rc && rep->droplet_threshold)
        rep->n_droplets_dropped = n - n_keep;
    free(total);
    return rc;
}

/* Sorted rows without zeros; entries of one place are summed and counted. */
static enum rc tidy(struct csr *c, struct import_report *rep, struct err *e)
{
    uint64_t before = 0;
    for (uint64_t k = 0; k < csr_nnz(c); k++)
        before += c->value[k] != 0;
    if (csr_tidy(c, e))
        return e ? e->rc : RC_INPUT;
    rep->n_entries_merged += before - csr_nnz(c);
    return RC_OK;
}

/* Numbers of the report, and in a mixture the counts of each cell by species. */
static enum rc sum_up(const struct csr *c, const struct gene_list *g, uint64_t (*by_species)[2],
                      struct import_report *rep, struct err *e)
{
    for (size_t r = 0; r < c->n_rows; r++)
        for (uint64_t k = c->indptr[r]; k < c->indptr[r + 1]; k++) {
            if (c->value[k] > COUNTS_MAX)
                return err_set(e, RC_INPUT, "cell %zu, gene %u: the sum %u does not fit in 31 bits",
                               rep->n_cells + r + 1, c->index[k] + 1, c->value[k]);
            rep->total += c->value[k];
            if (rep->mixture && g->species[c->index[k]] != SPECIES_UNKNOWN)
                by_species[rep->n_cells + r][g->species[c->index[k]]] += c->value[k];
        }
    rep->n_cells += c->n_rows;
    rep->n_genes = c->n_cols;
    rep->nnz += csr_nnz(c);
    return RC_OK;
}

/* All rows that are kept, genes in their columns, block by block to the sink. */
static enum rc send_rows(struct source *s, const struct gene_list *g, const unsigned char *keep,
                         uint64_t (*by_species)[2], const struct import_sink *sink,
                         struct import_report *rep, struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < source_blocks(s); i++) {
        struct csr b = { 0 }, out = { 0 };
        size_t first = source_block_first(s, i);
        if (s->spooled) {
            rc = spool_get_rows(&s->rows, i, &b, e);
        } else {
            b = s->count; /* for the last time */
            s->count.indptr = NULL;
            s->count.index = s->count.value = NULL;
        }
        if (!rc)
            rc = tidy(&b, rep, e);
        if (!rc)
            rc = csr_select(&b, keep + first, g->col_to, g->n, &out, e);
        csr_release(&b);
        if (!rc)
            rc = sum_up(&out, g, by_species, rep, e);
        if (!rc)
            rc = sink->add(sink->ctx, &out, e);
        csr_release(&out);
    }
    return rc;
}

static enum rc build_var(const struct gene_list *g, bool mixture, struct cells *out, struct err *e)
{
    table_init(&out->var, g->n);
    out->gene = calloc(g->n + 1, sizeof *out->gene);
    struct column *name = table_add(&out->var, "gene_name", COLUMN_TEXT);
    if (!out->gene || !name)
        return err_set(e, RC_FAIL, "no memory for %zu genes", g->n);
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < g->n; i++) {
        out->gene[i] = arena_text(&out->var.text, g->gene[i]);
        rc = out->gene[i] ? table_set_text(&out->var, name, i, g->name[i], e)
                          : err_set(e, RC_FAIL, "no memory for %zu genes", g->n);
    }
    struct column *sp = !rc && mixture ? table_add(&out->var, "species", COLUMN_TEXT) : NULL;
    if (!rc && mixture && !sp)
        rc = err_set(e, RC_FAIL, "no memory for %zu genes", g->n);
    for (size_t i = 0; !rc && sp && i < g->n; i++)
        rc = table_set_text(&out->var, sp, i,
                            g->species[i] == SPECIES_UNKNOWN ? NULL : species_name(g->species[i]),
                            e);
    return rc;
}

/* ---- the whole ---- */

enum rc import_convert(struct source *s, const struct import_options *o,
                       const struct import_sink *sink, struct cells *out,
                       struct import_report *rep, struct err *e)
{
    struct gene_list g;
    size_t n = s->count.n_rows;
    snprintf(rep->kind, sizeof rep->kind, "%s", s->kind);
    snprintf(rep->where, sizeof rep->where, "%s", s->where);
    rep->n_source_cells = n;
    rep->n_source_features = s->count.n_cols;
    rep->n_columns_left_out = s->n_columns_left_out;
    rep->n_rounded = s->check.n_rounded;
    enum rc rc = counts_verdict(&s->check, e);
    if (rc)
        return rc;
    unsigned char *keep = malloc(n + 1);
    uint64_t(*by_species)[2] = NULL;
    rc = keep ? genes_resolve(s, &g, rep, e) : err_set(e, RC_FAIL, "no memory for %zu cells", n);
    if (!rc && rep->mixture && !(by_species = calloc(n + 1, sizeof *by_species)))
        rc = err_set(e, RC_FAIL, "no memory for %zu cells", n);
    if (!rc)
        rc = call_cells(s, &g, o->all_droplets, keep, rep, e);
    if (!rc)
        rc = send_rows(s, &g, keep, by_species, sink, rep, e);
    s->count.n_rows = n;
    out->count.n_rows = rep->n_cells;
    out->count.n_cols = g.n;
    if (!rc)
        rc = build_var(&g, rep->mixture, out, e);
    if (!rc)
        rc = obs_build(s, &g, keep, (const uint64_t(*)[2])by_species, o, out, rep, e);
    free(by_species);
    free(keep);
    return rc;
}

/* The name of a file or folder without its endings: lung.h5ad, matrix of GSM1_matrix.mtx.gz. */
static void name_sample(const char *path, const char *given, struct import_report *rep)
{
    static const char *const end[] = { ".gz",  ".h5ad", ".h5",  ".hdf5", ".loom",
                                       ".csv", ".tsv",  ".txt", ".mtx" };
    char *name = rep->sample;
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    size_t from = n;
    while (from > 0 && path[from - 1] != '/')
        from--;
    snprintf(name, sizeof rep->sample, "%.*s", (int)(n - from), path + from);
    for (size_t i = 0; i < sizeof end / sizeof *end; i++) {
        size_t m = strlen(name), k = strlen(end[i]);
        if (m > k && strcmp(name + m - k, end[i]) == 0)
            name[m - k] = '\0';
    }
    if (given)
        snprintf(name, sizeof rep->sample, "%s", given);
}

/* Reads path to the sink, and the rest to out. */
static enum rc import_to(const char *path, const struct import_options *o,
                         const struct import_sink *sink, const char *spool_folder,
                         struct cells *out, struct import_report *rep, struct err *e)
{
    struct input in;
    struct source s;
    cells_init(out);
    *rep = (struct import_report){ .species = SPECIES_UNKNOWN };
    name_sample(path, o->sample, rep);
    if (input_find(path, &in, e))
        return e ? e->rc : RC_INPUT;
    source_init(&s);
    s.spool_folder = spool_folder;
    if (o->spool_from)
        s.spool_from = o->spool_from;
    enum rc rc = sha256_file(in.main, rep->sha256, &rep->n_bytes, e);
    if (!rc)
        rc = read_source(&in, o->layer, rep->n_bytes, &s, e);
    if (!rc && import_convert(&s, o, sink, out, rep, e))
        rc = err_wrap(e, "'%s'", in.main);
    source_release(&s);
    input_release(&in);
    if (rc)
        cells_release(out);
    return rc;
}

static enum rc add_to_source(void *ctx, const struct csr *rows, struct err *e)
{
    struct source *s = ctx;
    s->count.n_cols = rows->n_cols;
    return source_rows_add(s, rows, e);
}

enum rc import_any(const char *path, const struct import_options *o, struct cells *out,
                   struct import_report *rep, struct err *e)
{
    struct source all;
    const struct import_sink sink = { add_to_source, &all };
    source_init(&all);
    all.spool_from = SIZE_MAX;
    enum rc rc = import_to(path, o, &sink, NULL, out, rep, e);
    if (!rc) {
        out->count = all.count;
        all.count = (struct csr){ 0 };
    }
    source_release(&all);
    return rc;
}

static enum rc add_to_file(void *ctx, const struct csr *rows, struct err *e)
{
    return h5ad_writer_add(ctx, rows, e);
}

/* The folder of path; the caller frees. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? text_new("%.*s", (int)(slash - path + 1), path) : text_new(".");
}

enum rc import_file(const char *path, const struct import_options *o, const char *to,
                    struct import_report *rep, struct err *e)
{
    struct cells head;
    struct h5ad_writer w;
    const struct import_sink sink = { add_to_file, &w };
    *rep = (struct import_report){ .species = SPECIES_UNKNOWN };
    enum rc rc = h5ad_writer_open(&w, to, e);
    if (rc)
        return rc;
    char *folder = folder_of(w.o.tmp);
    rc = folder ? import_to(path, o, &sink, folder_exists(folder) ? folder : NULL, &head, rep, e)
                : err_set(e, RC_FAIL, "no memory for a path");
    free(folder);
    if (rc) {
        h5ad_writer_abort(&w);
        return rc;
    }
    rc = h5ad_writer_close(&w, &head, NULL, e);
    cells_release(&head);
    return rc;
}
