#include "lib/io/import.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
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

/* What path holds to *s. On failure *s is empty. */
static enum rc read_path(const char *path, const struct import_options *o, const char *spool_folder,
                         struct source *s, struct import_report *rep, struct err *e)
{
    struct input in;
    *rep = (struct import_report){ .species = SPECIES_UNKNOWN, .told = SPECIES_UNKNOWN };
    name_sample(path, o->sample, rep);
    source_init(s);
    if (input_find(path, &in, e))
        return e ? e->rc : RC_INPUT;
    s->spool_folder = spool_folder;
    if (o->spool_from)
        s->spool_from = o->spool_from;
    enum rc rc = sha256_file(in.main, rep->sha256, &rep->n_bytes, e);
    if (!rc)
        rc = read_source(&in, o->layer, rep->n_bytes, s, e);
    snprintf(rep->main, sizeof rep->main, "%s", in.main);
    input_release(&in);
    if (rc)
        source_release(s);
    return rc;
}

/* Reads path to the sink, and the rest to out. */
static enum rc import_to(const char *path, const struct import_options *o,
                         const struct import_sink *sink, const char *spool_folder,
                         struct cells *out, struct import_report *rep, struct err *e)
{
    struct source s;
    cells_init(out);
    enum rc rc = read_path(path, o, spool_folder, &s, rep, e);
    if (rc)
        return rc;
    rc = import_convert(&s, o, sink, out, rep, e);
    source_release(&s);
    if (!rc)
        return RC_OK;
    cells_release(out);
    return err_wrap(e, "'%s'", rep->main);
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

/* The folder of a file, to be freed; NULL (and no error) when it is not there: the usual place. */
static enum rc folder_beside(const char *path, char **folder, struct err *e)
{
    const char *slash = strrchr(path, '/');
    *folder = slash ? text_new("%.*s", (int)(slash - path + 1), path) : text_new(".");
    if (!*folder)
        return err_set(e, RC_FAIL, "no memory for a path");
    if (!folder_exists(*folder)) {
        free(*folder);
        *folder = NULL;
    }
    return RC_OK;
}

enum rc import_file(const char *path, const struct import_options *o, const char *to,
                    struct import_report *rep, struct err *e)
{
    struct cells head;
    struct h5ad_writer w;
    const struct import_sink sink = { add_to_file, &w };
    char *folder;
    *rep = (struct import_report){ .species = SPECIES_UNKNOWN, .told = SPECIES_UNKNOWN };
    enum rc rc = h5ad_writer_open(&w, to, e);
    if (rc)
        return rc;
    rc = folder_beside(w.o.tmp, &folder, e);
    if (!rc)
        rc = import_to(path, o, &sink, folder, &head, rep, e);
    free(folder);
    if (rc) {
        h5ad_writer_abort(&w);
        return rc;
    }
    rc = h5ad_writer_close(&w, &head, NULL, e);
    cells_release(&head);
    return rc;
}

/* ---- in blocks ---- */

struct import_stream {
    struct source s;
    struct import_plan plan;
    struct import_report rep;
};

enum rc import_open(const char *path, const struct import_options *o, const char *beside,
                    struct cells *head, struct import_stream **out, struct err *e)
{
    struct import_stream *t = calloc(1, sizeof *t);
    char *folder = NULL;
    cells_init(head);
    *out = NULL;
    enum rc rc = t ? folder_beside(beside, &folder, e) : err_set(e, RC_FAIL, "no memory to read");
    if (!rc)
        rc = read_path(path, o, folder, &t->s, &t->rep, e);
    free(folder);
    if (rc) {
        free(t);
        return rc;
    }
    rc = import_plan_make(&t->s, o, &t->plan, head, &t->rep, e);
    if (!rc) {
        *out = t;
        return RC_OK;
    }
    err_wrap(e, "'%s'", t->rep.main);
    cells_release(head);
    import_close(t);
    return rc;
}

enum rc import_rows(struct import_stream *t, struct csr *rows, bool *more, struct err *e)
{
    enum rc rc = import_plan_rows(&t->plan, &t->s, rows, more, &t->rep, e);
    return rc ? err_wrap(e, "'%s'", t->rep.main) : RC_OK;
}

const struct import_report *import_stream_report(const struct import_stream *t)
{
    return &t->rep;
}

void import_close(struct import_stream *t)
{
    if (!t)
        return;
    import_plan_release(&t->plan);
    source_release(&t->s);
    free(t);
}
